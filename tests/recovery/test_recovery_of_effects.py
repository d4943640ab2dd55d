"""Honesty of the whole chain: ratings, detection, exposure, models, verdicts, against the truth.

The long version, with a table per criterion, is benchmarks/power.py (docs/power.md).
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rupture_repair.claims.verdicts import load, verdict
from rupture_repair.detection import detect
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.ingest import ingest
from rupture_repair.models.definitions import MODELS
from rupture_repair.power import studies
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import Settings
from rupture_repair.statistics import estimates
from simulated_studies import CONFIG, interval, results, world

EFFECTS = {"repaired_within": Settings().effect_repaired, "open_within": Settings().effect_open}
PARTS = {
    f"{part.name}_within": part
    for claim in load() if claim.id == "C7" for part in claim.parts
}  # fmt: skip
#: The variant of next_session that the claim rests on.
STATISTIC = next(iter(PARTS.values())).statistic.split(", ")[1]


def planted(**changes):
    settings = {"effect_open": EFFECTS["open_within"], "ends_of_scale": False, **changes}
    return world(
        effect=EFFECTS["repaired_within"], unit="points", variant="ar1", simulation=settings
    )


def test_intervals_contain_the_planted_effects_when_detection_is_perfect():
    # 300 studies: at 95 % chance leaves 271 to 296 intervals with the effect (99.9 %).
    # No session is skipped or unrated, so that each outcome belongs to the state before it.
    complete = {"skipped": 0.0, "unrated": 0.0, "missing_item": 0.0}
    found = results(planted(**complete), 80, 300, {"ar1": EFFECTS}, "truth")
    low, high = interval(0.95, 300, 0.999)
    assert stats.binom(300, 0.87).cdf(low - 1) > 0.9  # intervals that are too short are found out
    for term, effect in EFFECTS.items():
        rows = found[found["term"] == term]
        error = rows["estimate"].std() / np.sqrt(len(rows))
        assert abs(rows["estimate"].mean() - effect) < 3.5 * error
        covered = (rows["ci_low"].le(effect) & rows["ci_high"].ge(effect)).sum()
        assert low <= covered <= high


def test_what_a_criterion_misses_weakens_the_effects_and_does_not_turn_them():
    # 40 studies: the mean estimate has a standard error of about .1 points.
    found = results(planted(), 200, 40, {"ar1": EFFECTS}, "criterion")
    for term, effect in EFFECTS.items():
        rows = found.loc[found["term"] == term, "estimate"]
        error = rows.std() / np.sqrt(len(rows))
        assert abs(rows.mean()) < abs(effect) - 3.5 * error
        assert np.sign(effect) * rows.mean() > 0


def test_without_an_effect_few_claims_are_supported():
    # One side of a 95 % interval: at most 2.5 % of 400 studies. Chance leaves 21 or fewer (99.9 %);
    # were the true share 8 %, 21 or fewer would be with a probability of .02.
    most = stats.binom(400, 0.025).ppf(0.999)
    assert stats.binom(400, 0.08).cdf(most) < 0.03
    found = results(world(claim="C7", effect=0), 40, 400, {STATISTIC: PARTS}, "criterion")
    for term, rows in found.groupby("term"):
        scaled = rows[["estimate", "ci_low", "ci_high"]].div(rows["sd"], axis=0).dropna()
        assert len(scaled) > 390
        verdicts = [verdict(PARTS[term], row)[0] for row in scaled.to_dict("records")]
        assert verdicts.count("supported") <= most


def test_the_pipeline_gives_the_numbers_of_simulated_studies(tmp_path):
    where = world(claim="C7", effect=0.5)
    settings, seed = where.sized(120), studies.study_seed(where.seed, 120, 0)
    data = ingest.ingest("files", write_dataset(tmp_path / "files", seed=seed, settings=settings))
    found = detect.detect(
        data.sessions, data.measures, [where.criterion], CONFIG["edge_rules"], dataset="files"
    )
    states = pd.concat([one.states.to_pandas() for one in found])
    table = session_exposures(
        states, data.sessions, data.courses, data.measures, "alliance", "outcome", CONFIG
    )
    variant = MODELS["next_session"].variants["ar1"]
    whole = studies.tested(estimates.fit(variant.formula, table, ar1="session"), "repaired_within")
    (quick,) = studies.run_block(where, 120, [0], ["criterion"]).to_dict("records")
    assert whole["rows"] == quick["rows"]
    for name in ("estimate", "std_error", "ci_low", "ci_high", "p"):
        assert whole[name] == pytest.approx(quick[name], rel=1e-5)
