"""Simulate how often the intervals of shares of variance hold the truth.

    python benchmarks/variance_shares.py [--studies 1000]

Prints a Markdown table: for each kind of share (claims C1 and C2), true share and number of
clusters the coverage of the 95 % interval in per cent, and, for comparison, that of the middle 95 %
of the bootstrap draws, and the share of studies in which that one leaves its own estimate out.
Ratings are normal; with therapists, ten courses each, a fifth of every variance and covariance lies
between them.
"""

import argparse
from collections.abc import Callable

import numpy as np

from rupture_repair.claims.variance_shares import (
    added_correlation,
    all_correlations,
    bootstrapped,
    partial_correlation,
    products,
)

DRAWS = 1000
PER_THERAPIST, BETWEEN_THERAPISTS, SESSIONS = 10, 0.2, 8
SHARES = (0.0, 0.01, 0.05, 0.2, 0.5)


def normal(
    covariance: np.ndarray, courses: int, therapist: np.ndarray | None, random: np.random.Generator
) -> np.ndarray:
    """Draw rows of courses, correlated within therapists."""
    root = np.linalg.cholesky(covariance)
    own = random.standard_normal((courses, len(root))) @ root.T
    if therapist is None:
        return own
    shared = random.standard_normal((therapist.max() + 1, len(root))) @ root.T
    return np.sqrt(1 - BETWEEN_THERAPISTS) * own + np.sqrt(BETWEEN_THERAPISTS) * shared[therapist]


def between(share: float, courses: int, therapist, random):
    """Mean alliance, first and last outcome: what the alliance adds to the first outcome."""
    # Alliance and first outcome correlate .3; the last outcome depends on both.
    alone = 1 - 0.3**2
    slope = np.sqrt(share / alone)
    first = 0.5
    rest = 1 - share - (first + 0.3 * slope) ** 2
    made = normal(np.eye(3), courses, therapist, random)
    x = made[:, 0]
    f = 0.3 * x + np.sqrt(alone) * made[:, 1]
    y = slope * x + first * f + np.sqrt(max(rest, 0.05)) * made[:, 2]
    columns = np.column_stack([x, np.ones(courses), f, y])
    columns[:, [0, 2, 3]] -= columns[:, [0, 2, 3]].mean(axis=0)
    total = (slope + first * 0.3) ** 2 + first**2 * alone + max(rest, 0.05)
    truth = slope**2 * alone / total
    return columns, np.arange(courses), lambda totals: added_correlation(totals, 4), truth


def within(share: float, courses: int, therapist, random):
    """Alliance, time and next outcome, as deviations from the course's mean."""
    course = np.repeat(np.arange(courses), SESSIONS)
    time = np.tile(np.arange(SESSIONS) - (SESSIONS - 1) / 2, courses)
    # Courses differ in how strongly both go together: what makes clusters matter.
    own = np.sqrt(share) + 0.2 * random.standard_normal(courses)
    x, error = random.standard_normal((2, len(course)))
    y = own[course] * x + np.sqrt(1 - share) * error + 0.2 * time
    made = np.column_stack([x, time, y])
    means = np.stack([np.bincount(course, column) / SESSIONS for column in made.T], axis=1)
    truth = share / (1 + 0.2**2)
    return made - means[course], course, partial_correlation, truth


def distinct(share: float, courses: int, therapist, random):
    """Three components whose correlations all have this square."""
    course = np.repeat(np.arange(courses), SESSIONS)
    correlation = np.sqrt(share) * np.ones((3, 3)) + (1 - np.sqrt(share)) * np.eye(3)
    made = normal(correlation, len(course), None, random)
    means = np.stack([np.bincount(course, column) / SESSIONS for column in made.T], axis=1)
    return made - means[course], course, lambda totals: all_correlations(totals, 3), share


def percentiles(sums, cluster, correlations: Callable, seed: int) -> tuple[float, float]:
    """Return the middle 95 % of the bootstrap draws."""
    units = cluster.max() + 1
    by_cluster = np.stack([np.bincount(cluster, column, units) for column in sums.T], axis=1)
    weights = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), DRAWS)
    drawn = np.mean(correlations(weights @ by_cluster) ** 2, axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def coverage(make: Callable, share: float, clusters: int, therapists: bool, studies: int) -> list:
    """Return coverage, coverage of percentiles, and how often these leave the estimate out."""
    held = middle = outside = 0
    for study in range(studies):
        random = np.random.default_rng([study, clusters, round(1000 * share)])
        courses = clusters * (PER_THERAPIST if therapists else 1)
        therapist = np.repeat(np.arange(clusters), PER_THERAPIST) if therapists else None
        columns, course, correlations, truth = make(share, courses, therapist, random)
        cluster = np.arange(courses) if therapist is None else therapist
        sums = products(columns, course)
        estimate, _, low, high = bootstrapped(sums, cluster, correlations, DRAWS, study)
        assert low <= estimate <= high
        held += low <= truth <= high
        low, high = percentiles(sums, cluster, correlations, study)
        middle += low <= truth <= high
        outside += not low <= estimate <= high
    return [f"{100 * one / studies:.1f}" for one in (held, middle, outside)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    print("| share of | clusters | true share | covers | percentiles cover | leave it out |")
    print("|---|---|---|---|---|---|")
    kinds: list[tuple[str, Callable, int, bool]] = [
        *(("between", between, number, False) for number in (20, 50, 200)),
        *(("between, therapists", between, number, True) for number in (5, 10, 30)),
        *(("within", within, number, False) for number in (20, 50, 200)),
        *(("distinct (shared)", distinct, number, False) for number in (20, 50, 200)),
    ]
    for name, make, clusters, therapists in kinds:
        for share in SHARES:
            found = coverage(make, share, clusters, therapists, studies)
            print(f"| {name} | {clusters} | {share} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
