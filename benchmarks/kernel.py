"""Time the kernel on many courses, next to the same rule written as a pandas groupby-apply.

    python benchmarks/kernel.py [--courses 600000]

Prints a Markdown table: seconds for states and episodes by each criterion, millions of sessions per
second, and how many times the time of one pass over the ratings that is. change_point and
rupture_probability are not in it: the first is a library's loop over courses, the second has
benchmarks/probability.py.
"""

import argparse
import dataclasses
import resource
import time

import numpy as np
import pandas as pd

from rupture_repair.detection import courses as flat
from rupture_repair.detection import criteria, episodes, fall_rules, run_rules
from rupture_repair.detection.scan.population import Populations

SKIPPED = ("change_point", "rupture_probability")


def made_up(number: int) -> flat.Courses:
    """Return courses of 4 to 30 ratings, rounded and cut like those of the SRS."""
    random = np.random.default_rng(1)
    length = random.integers(4, 31, number)
    start = np.concatenate([[0], np.cumsum(length)])
    level = np.repeat(random.normal(35, 3, number), length)
    rating = np.clip(np.round(level + random.normal(0, 3, start[-1]), 1), 0, 40)
    session = np.arange(start[-1]) - np.repeat(start[:-1], length) + 1
    return flat.Courses(rating, session, start, random.random(start[-1]) < 0.03)


def assess(every: flat.Courses, rule: criteria.Criterion, scale: fall_rules.Scale) -> int:
    """Find states and episodes of all courses; return the number of episodes."""
    found = 0
    for _, part in every.pieces():
        falls = run_rules.falls(part, rule, scale, max_gap=2)
        these = episodes.find_episodes(part, falls, rule)
        episodes.states(part, falls, these)
        found += len(these)
    return found


def below_own_mean(ratings: pd.Series) -> pd.Series:
    """Flag ratings more than 2 SD below the mean of their course."""
    return ratings < ratings.mean() - 2 * ratings.std()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=600_000)
    every = made_up(parser.parse_args().courses)
    sessions = len(every.rating)
    scale = fall_rules.Scale(
        flat.pooled_sd(every),
        flat.pooled_sd(every, "trend"),
        1.5,
        2.94,
        worst=0.0,
        populations=Populations(every, 39.95),
    )
    begin = time.perf_counter()
    for _ in range(5):
        every.rating.sum()
    one_pass = (time.perf_counter() - begin) / 5
    print(f"{len(every.length)} courses, {sessions} sessions; one pass {one_pass:.4f} s\n")
    print("| criterion | seconds | million sessions per second | passes | episodes |")
    print("|---|---|---|---|---|")
    total = 0.0
    for rule in criteria.load():
        if rule.id in SKIPPED:
            continue
        if rule.needs_k:
            rule = dataclasses.replace(rule, k=2.0)
        begin = time.perf_counter()
        found = assess(every, rule, scale)
        took = time.perf_counter() - begin
        total += took
        speed = sessions / took / 1e6
        print(f"| {rule.id} | {took:.2f} | {speed:.1f} | {took / one_pass:.0f} | {found} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"| all | {total:.1f} | | | |\n\npeak memory {peak:.2f} GB")
    hundredth = every.start[len(every.length) // 100]
    table = pd.DataFrame({"course": every.course[:hundredth], "rating": every.rating[:hundredth]})
    begin = time.perf_counter()
    table.groupby("course")["rating"].apply(below_own_mean)
    took = (time.perf_counter() - begin) * sessions / hundredth
    print(f"own_mean_2sd by pandas groupby-apply, flags only, scaled up from 1 %: {took:.0f} s")


if __name__ == "__main__":
    main()
