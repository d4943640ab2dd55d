"""Honesty of the whole chain: ratings, detection, exposure, models, against planted effects.

The long version, with a table per criterion, is benchmarks/power.py (docs/power.md).
"""

import numpy as np
import pandas as pd
from scipy import stats

from rupture_repair import config, power
from rupture_repair.parallel import spread_out
from rupture_repair.power.calibration import world_of
from rupture_repair.power.studies import Block, blocks, fitted, tested
from rupture_repair.simulate import Settings

CONFIG = config.complete({}, "config")
EFFECTS = {"repaired_within": Settings().effect_repaired, "open_within": Settings().effect_open}


def world(**asked):
    plan = power.make({**CONFIG["power"], "criterion": "own_mean_2sd", **asked}, CONFIG)
    return world_of(plan, {"k": None, "reliability": 0.96})


def estimates(where, courses, replicates, terms, way):
    """Return one row per study and term."""

    def some(numbers):
        block = Block.simulated(where, courses, numbers)
        return [
            {"term": term, **tested(found, term)}
            for _, table in block.exposed(where, way)
            for found in [fitted(where, table)]
            for term in terms
        ]

    parts = spread_out(some, blocks(courses, range(replicates)), processes=2)
    return pd.DataFrame([row for part in parts for row in part])


def interval(share, number):
    """Return the range of a share that chance leaves in 99.9 % of all runs."""
    return stats.binom(number, share).interval(0.999)


def planted(**changes):
    settings = {"effect_open": EFFECTS["open_within"], "ends_of_scale": False, **changes}
    return world(
        effect=EFFECTS["repaired_within"], unit="points", variant="ar1", simulation=settings
    )


def test_intervals_contain_the_planted_effects_when_detection_is_perfect():
    # No session is skipped or unrated, so that each outcome belongs to the state before it.
    complete = {"skipped": 0.0, "unrated": 0.0, "missing_item": 0.0}
    found = estimates(planted(**complete), 120, 300, EFFECTS, "truth")
    for term, effect in EFFECTS.items():
        rows = found[found["term"] == term]
        error = rows["estimate"].std() / np.sqrt(len(rows))
        assert abs(rows["estimate"].mean() - effect) < 3.5 * error
        covered = (rows["ci_low"].le(effect) & rows["ci_high"].ge(effect)).sum()
        low, high = interval(0.95, len(rows))
        assert low <= covered <= high


def test_what_a_criterion_misses_weakens_the_effects_and_does_not_turn_them():
    found = estimates(planted(), 400, 40, EFFECTS, "criterion")
    for term, effect in EFFECTS.items():
        mean = found.loc[found["term"] == term, "estimate"].mean()
        assert 0.1 < mean / effect < 0.9
