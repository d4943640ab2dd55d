"""Effects by probabilities in worlds whose effects are known (docs/effects.md): a campaign only.

A study takes seconds; `make test` holds the response of the estimator to effects instead
(tests/unit/models/test_probable.py), and that worlds hold what is planted
(tests/unit/simulation/test_worlds_of_effects.py).
"""

import math

import pandas as pd
import pytest

import campaign
from found_in_worlds import figures_of, study_of
from simulated_studies import interval
from worlds_of_effects import ALLIANCES

SIZES = {"usual": 0, "campaign": 200}
COURSES = (60, 200, 800)
#: Between which numbers a figure has to lie, by world and figure, and from how many courses on.
#: `_recovered` is what is found with an effect less what is found without it in the same study.
BOUNDS = {
    ("A", "total_recovered"): (200, -2.15, -1.80),
    ("A", "repaired_recovered"): (800, 1.28, 1.72),
    ("A", "times"): (60, 1.0, 2.2),
    ("B", "total_recovered"): (200, -0.10, 0.10),
    ("R", "direct_recovered"): (200, -0.02, 0.02),
    **{(world, "supported"): (60, 0.0, 0.025) for world in ("B", "C", "D0", "F", "G0")},
}
#: Worlds whose intervals of the total effect have to hold what is planted.
HELD = ("A", "B", "C", "D", "D0", "G", "G0")


def checks(world, courses, own):
    """Yield each figure of a world that has a bound: name, value and bounds."""
    for (of_world, name), (least, low, high) in BOUNDS.items():
        if of_world == world and courses >= least and not math.isnan(own[name]):
            yield name, own[name], low, high
    if world in HELD and own["estimated"]:
        holds = round(own["total_coverage"] * own["estimated"])
        low, high = interval(0.95, own["estimated"], 0.999)
        yield "intervals with the truth", holds, low, high
    if world == "E":
        yield "identified without a rupture", own["identified"], 0, own["studies"] // 50
    elif world == "A" and courses >= 200:
        yield "identified", own["identified"], 0.9 * own["studies"], own["studies"]


@pytest.mark.skipif(not campaign.FOLDER, reason="hours: make campaign PARTS=probabilities")
@pytest.mark.parametrize("courses", COURSES)
@pytest.mark.parametrize("alliance", ALLIANCES)
def test_effects_keep_their_size_and_intervals_hold_them(alliance, courses):
    found = campaign.each(
        f"probabilities-{alliance}-{courses}", range(campaign.number(**SIZES)),
        lambda number: study_of(alliance, courses, number),
    )  # fmt: skip
    missed = []
    for world, own in figures_of(pd.DataFrame([row for one in found for row in one])).items():
        for name, value, low, high in checks(world, courses, own):
            try:
                campaign.figure(f"{world}, {courses}: {name}", value, low, high, **SIZES)
            except AssertionError as beyond:
                missed.append(str(beyond))
    assert not missed, "\n".join(missed)
