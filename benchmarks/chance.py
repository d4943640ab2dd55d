"""Time the steps of chance on one dataset, as the workflow runs them.

    python benchmarks/chance.py [--courses 500] [--sessions 15] [--replicates 1000] [--processes 2]

Made-up SRS totals without ruptures; twelve threshold criteria. Goal: 1,000 replicates of
500 courses x 15 sessions in under 60 s on two cores.
"""

import argparse
import resource
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from rupture_repair.chance import calibrate, compare_with_chance
from rupture_repair.chance.planted_falls import sensitivity
from rupture_repair.chance.replicates import prepare
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import arrange
from rupture_repair.project.measures import Measure, ReliableChange
from rupture_repair.project.setting_groups import ChanceSettings, EdgeRules

EDGE_RULES = EdgeRules(max_gap=2, onset_inside_episode=False)
VARIANTS = {
    "own_mean_2sd": [{"k": 1.5}],
    "shewhart_3": [{"k": 2}],
    "v_2sd": [{"unit": "larger_sd"}, {"reference": "recent_mean", "span": 3}],
}


def twelve_criteria() -> list[criteria.Criterion]:
    """Return the rows of criteria.yaml that were there first, and variants of them."""
    names = ["dip", "tooth", "own_mean_2sd", "shewhart_3", "reliable_drop", "srs_cutoff",
             "v_2sd", "v_1sd"]  # fmt: skip
    rows = criteria.load(names, {"dip": {"k": 2}, "tooth": {"k": 2}})
    for name, changes in VARIANTS.items():
        for number, change in enumerate(changes):
            row = criteria.load([name], {name: change})[0]
            rows.append(replace(row, id=f"{name}_{number}"))
    return rows


def made_up(courses: int, sessions: int) -> pd.DataFrame:
    """Return ratings of courses with their own level and SD, cut at 40."""
    random = np.random.default_rng(1)
    noise = random.standard_normal((courses, sessions))
    for t in range(1, sessions):
        noise[:, t] = 0.3 * noise[:, t - 1] + np.sqrt(1 - 0.3**2) * noise[:, t]
    sd = 2.5 * np.exp(0.4 * random.standard_normal((courses, 1)))
    rating = np.clip(random.normal(35, 4, (courses, 1)) + sd * noise, 0, 40).round(1)
    return pd.DataFrame(
        {
            "course": np.repeat(np.arange(courses), sessions),
            "session": np.tile(np.arange(1, sessions + 1), courses),
            "srs": rating.ravel(),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in (("courses", 500), ("sessions", 15), ("replicates", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    change = ReliableChange(4.8, "made up", "made up")
    measure = Measure(
        "srs", role="alliance", better="higher", range=(0, 40), instrument="SRS",
        reliable_change=change,
    )  # fmt: skip
    shipped = default(ChanceSettings)
    settings = replace(
        shipped, replicates=given.replicates, slow_replicates=20,
        planted_falls=replace(shipped.planted_falls, courses=10_000),
    )  # fmt: skip
    ratings = arrange(made_up(given.courses, given.sessions), "srs", measure)
    rules = twelve_criteria()
    solved = [replace(rule, k="calibrated") if rule.floor else rule for rule in rules]
    common = {"dataset": "benchmark", "processes": given.processes}

    def timed(name: str, work):
        begin = time.perf_counter()
        result = work()
        print(f"{name:40} {time.perf_counter() - begin:7.1f} s", flush=True)
        return result

    print(
        f"{len(ratings.courses.rating):,} ratings, {len(rules)} criteria, {given.processes} cores"
    )
    null = timed("noise", lambda: prepare(ratings, "srs", measure, seed=1))
    solve = calibrate.calibrated_k
    timed("calibrated k, 2 criteria", lambda: solve(null, solved, EDGE_RULES, 0.05, **common))
    for model in settings.null_models:
        one = replace(settings, null_models=(model,))
        timed(f"expected, {model}, {given.replicates} replicates",
              lambda one=one: compare_with_chance.expected(null, rules, EDGE_RULES, one, **common),
              )  # fmt: skip
    planted = settings.planted_falls
    timed("sensitivity, 8 depths, 10,000 courses",
          lambda: sensitivity(null, rules, EDGE_RULES, planted, **common))  # fmt: skip
    peak = max(resource.getrusage(who).ru_maxrss
               for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    print(f"{'peak memory of one process':40} {peak / 1024:7.0f} MB")


if __name__ == "__main__":
    main()
