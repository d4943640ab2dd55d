"""Data of 20,000 courses without a generator of random numbers, the same here and in large.R.

Numbers that look random are made from the row number alone: two rounds of "cube, modulo a prime".
All products stay below 2**53, so that integers in Python and doubles in R give exactly the same.
Normal deviates go through the quantile function, in which the last digits may differ; ratings are
rounded to three decimals by the same arithmetic, and the checksums in large_results.csv tell
whether the data are the ones that lme4 saw.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri

PRIME = 94906247  # the largest below sqrt(2**53) for which cubing is a permutation


def uniform(index, stream):
    """Numbers between 0 and 1 for the row numbers `index` (from 0); one sequence per stream."""
    state = (np.asarray(index, dtype=np.int64) + 1 + 7654321 * stream) % PRIME
    for _ in range(2):
        state = (state * state % PRIME * state + 1234567) % PRIME
    return (state + 0.5) / PRIME


def normal(index, stream):
    """Standard normal deviates for the row numbers `index`."""
    return ndtri(uniform(index, stream))


def large_courses(courses=20_000, therapists=1_000):
    """Sessions in courses in therapists, sorted by course but not by therapist."""
    number = np.arange(courses)
    n_sessions = 3 + np.floor(12 * uniform(number, 1)).astype(int)
    therapist = np.floor(therapists * uniform(number, 2)).astype(int)
    level = 4 * normal(number, 3)
    slope = 0.3 * (0.3 * normal(number, 3) + 0.9 * normal(number, 4))
    skill = 1.5 * normal(np.arange(therapists), 5)
    course = np.repeat(number, n_sessions)
    row = np.arange(len(course))
    time = row - np.repeat(np.cumsum(n_sessions) - n_sessions, n_sessions)
    x = (uniform(row, 6) < 0.25).astype(int)
    y = 20 + 0.4 * time + 1.5 * x + level[course] + slope[course] * time
    y = y + skill[therapist[course]] + 3 * normal(row, 7)
    y = np.floor(1000 * y + 0.5) / 1000
    columns = {"course": course, "therapist": therapist[course], "time": time, "x": x, "y": y}
    return pd.DataFrame(columns)


def checksums(data):
    """Numbers by which large.R and this module are compared (whole numbers, exact)."""
    thousandths = np.rint(1000 * data["y"].to_numpy()).astype(np.int64)
    position = np.arange(len(data)) % 1009 + 1
    return {
        "check:rows": len(data),
        "check:sum": int(thousandths.sum()),
        "check:weighted": int((thousandths * position).sum()),
        "check:therapist": int((data["therapist"].to_numpy() * position).sum()),
        "check:x": int((data["x"].to_numpy() * position).sum()),
    }
