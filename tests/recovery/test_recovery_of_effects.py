"""Honesty of the whole chain: ratings, detection, exposure, models, verdicts, against the truth.

A table per criterion is made by benchmarks/power.py (docs/power.md).
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import campaign
from made_settings import EDGE_RULES, EXPOSURE_RULES
from rupture_repair.claims.verdicts import load, verdict
from rupture_repair.detection import detect
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.ingest import ingest
from rupture_repair.models.definitions import MODELS
from rupture_repair.power import studies
from rupture_repair.power.answers import run_block
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.statistics import estimates
from simulated_studies import interval, results, world

EFFECTS = {
    "repaired_within": SimulationSettings().effect_repaired,
    "open_within": SimulationSettings().effect_open,
}
PARTS = {
    f"{part.name}_within": part
    for claim in load() if claim.id == "C7" for part in claim.parts
    if f"{part.name}_within" in EFFECTS
}  # fmt: skip
#: The variant of next_session that the claim rests on where flags of a criterion are the exposure.
STATISTIC = MODELS["next_session"].rests_on


def planted(**changes):
    settings = {"effect_open": EFFECTS["open_within"], "ends_of_scale": False, **changes}
    asked = {"claim": "C7.repaired", "effect": EFFECTS["repaired_within"], "unit": "points"}
    return world(**asked, variant="ar1", simulation=settings)


def test_intervals_contain_the_planted_effects_when_detection_is_perfect():
    # Of 300 studies at 95 %, chance leaves 271 to 296 intervals with the effect (99.9 %); were the
    # true share .87, fewer would be with a probability of .95. In a campaign: .9, .99.
    # No session is skipped or unrated, so that each outcome belongs to the state before it.
    sizes = {"usual": 300, "campaign": 800}
    studies = campaign.number(**sizes)
    low, high = interval(0.95, studies, 0.999)
    too_few, power = (0.87, 0.9) if studies == 300 else (0.9, 0.95)
    assert stats.binom(studies, too_few).cdf(low - 1) > power
    complete = {"skipped": 0.0, "unrated": 0.0, "missing_item": 0.0}
    found = results(planted(**complete), 80, studies, {"ar1": EFFECTS}, "truth")
    for term, effect in EFFECTS.items():
        rows = found[found["term"] == term]
        most = 3.5 * rows["estimate"].std() / np.sqrt(len(rows))
        what = f"{term}: mean estimate, states known"
        campaign.figure(what, rows["estimate"].mean(), effect - most, effect + most, **sizes)
        covered = (rows["ci_low"].le(effect) & rows["ci_high"].ge(effect)).sum()
        campaign.figure(f"{term}: intervals with the effect", covered, low, high, **sizes)


def test_what_a_criterion_misses_weakens_the_effects_and_does_not_turn_them():
    # Of 40 studies the mean estimate has a standard error of about .1 points.
    sizes = {"usual": 40, "campaign": 200}
    studies = campaign.number(**sizes)
    found = results(planted(), 200, studies, {"ar1": EFFECTS}, "criterion")
    for term, effect in EFFECTS.items():
        rows = found.loc[found["term"] == term, "estimate"] * np.sign(effect)
        most = abs(effect) - 3.5 * rows.std() / np.sqrt(len(rows))
        campaign.figure(f"{term}: mean estimate, states found", rows.mean(), 0, most, **sizes)


def test_without_an_effect_few_claims_are_supported():
    # One side of a 95 % interval: at most 2.5 % of 400 studies. Chance leaves 21 or fewer (99.9 %);
    # were the true share 8 %, 21 or fewer would be with a probability of .02. In a campaign: 6 %.
    sizes = {"usual": 400, "campaign": 1000}
    studies = campaign.number(**sizes)
    most = stats.binom(studies, 0.025).ppf(0.999)
    assert stats.binom(studies, 0.08 if studies == 400 else 0.06).cdf(most) < 0.03
    found = results(world(claim="C7", effect=0), 40, studies, {STATISTIC: PARTS}, "criterion")
    for term, rows in found.groupby("term"):
        scaled = rows[["estimate", "ci_low", "ci_high"]].div(rows["sd"], axis=0).dropna()
        assert len(scaled) > 0.97 * studies
        verdicts = [verdict(PARTS[term], row)[0] for row in scaled.to_dict("records")]
        what = f"{term}: supported without an effect"
        campaign.figure(what, verdicts.count("supported"), 0, most, **sizes)


def test_the_pipeline_gives_the_numbers_of_simulated_studies(tmp_path):
    where = world(claim="C7.repaired", effect=0.5)
    settings, seed = where.sized(120), studies.study_seed(where.seed, 120, 0)
    data = ingest.ingest("files", write_dataset(tmp_path / "files", seed=seed, settings=settings))
    found = detect.detect(data.sessions, data.measures, where.criteria, EDGE_RULES, dataset="files")
    states = pd.concat([one.states.to_pandas() for one in found])
    table = session_exposures(states, data, "alliance", "outcome", EXPOSURE_RULES)
    variant = MODELS["next_session"].variants["ar1"]
    whole = estimates.fit(variant.formula, table, ar1="session").row("repaired_within")
    (quick,) = run_block(where, 120, [0], ["own_mean_2sd"]).to_dict("records")
    assert whole["n_sessions"] == quick["rows"]
    for name in ("estimate", "std_error", "ci_low", "ci_high", "p"):
        assert whole[name] == pytest.approx(quick[name], rel=1e-5)
