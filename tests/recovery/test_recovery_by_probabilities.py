"""Effects by probabilities in worlds whose effects are known (docs/effects.md): a campaign only.

A study takes ten seconds; `make test` holds the response of the estimator to effects instead
(tests/unit/models/test_probable.py).
"""

import numpy as np
import pandas as pd
import pytest

import campaign
from rupture_repair.power.studies import study_seed
from simulated_studies import interval
from worlds_of_effects import OPEN, WORLDS, estimated, probabilities_of, simulated

SIZES = {"usual": 0, "campaign": 200}
COURSES = 200
TERM = "open_within"


def study(number):
    """Return estimate and interval of open ruptures by world and variant; none without a model."""
    worlds = simulated(COURSES, study_seed(1, COURSES, number))
    said = probabilities_of(worlds.data["C"])
    if not said.models["alliance"].identified:
        return []
    return [
        [world, name, *(fit.row(TERM)[key] for key in ("estimate", "ci_low", "ci_high"))]
        for world in WORLDS
        for name, fit in estimated(worlds.data[world], worlds.states, said).items()
        if fit.row(TERM)
    ]


@pytest.mark.skipif(not campaign.FOLDER, reason="half an hour: make campaign PARTS=probabilities")
def test_open_ruptures_keep_their_size_and_intervals_hold_it():
    studies = campaign.number(**SIZES)
    found = campaign.each("probabilities", range(studies), study)
    rows = (
        pd.DataFrame(
            [[number, *row] for number, one in enumerate(found) for row in one],
            columns=["study", "world", "variant", "estimate", "low", "high"],
        )
        .set_index(["world", "variant", "study"])
        .sort_index()
    )
    nothing = rows.loc["C", "estimate"]
    # What is found with an effect and without it in the same study: the noise is the same.
    for world, variant, low, high in (
        ("A", "probable_total", -2.15, -1.80),
        ("B", "probable_total", -0.10, 0.10),
        ("R", "probable_direct", -0.02, 0.02),
    ):
        answer = (rows.loc[world, "estimate"] - nothing)[variant].mean()
        campaign.figure(f"{world}: open, {variant}, less without", answer, low, high, **SIZES)
    for world, truth in {"A": OPEN, "B": 0.0, "C": 0.0}.items():
        own = rows.loc[world, "probable_total"]
        holds = int((own["low"].le(truth) & own["high"].ge(truth)).sum())
        low, high = interval(0.95, len(own), 0.999)
        campaign.figure(f"{world}: intervals with the truth", holds, low, high, **SIZES)
    assert np.mean([bool(one) for one in found]) > 0.9
