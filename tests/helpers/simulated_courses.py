"""Ratings near a ceiling with known ordinary values, with or without falls."""

import numpy as np
import pandas as pd

from rupture_repair.detection.ratings import Ratings, arrange


def sessions_of(number, length, seed, fallen=0.0, lasting=False):
    """Ratings of courses (rows), level 36 (SD 4), SD 2.5 (log-normal .4), autocorrelation .3.

    A share `fallen` of the courses falls by 3 of its SD, for two ratings or for half of the course.
    """
    random = np.random.default_rng(seed)
    noise = random.standard_normal((number, length))
    for t in range(1, length):
        noise[:, t] = 0.3 * noise[:, t - 1] + np.sqrt(1 - 0.3**2) * noise[:, t]
    sd = 2.5 * np.exp(0.4 * random.standard_normal((number, 1)))
    trend = random.normal(0.05, 0.1, (number, 1)) * (np.arange(length) - (length - 1) / 2)
    rating = random.normal(36, 4, (number, 1)) + trend + sd * noise
    falls, places = random.random(number), random.random(number)
    for course in np.flatnonzero(falls < fallen):
        first = length // 2 if lasting else 2 + int(places[course] * (length - 3))
        stop = length if lasting else first + 2
        rating[course, first:stop] = np.minimum(rating[course, first:stop], 40) - 3 * sd[course, 0]
    return np.clip(rating.round(1), 0, 40)


def ratings_of(rating, measure, session=None) -> Ratings:
    """Arrange ratings of courses (rows) for the kernel."""
    number, length = rating.shape
    session = np.tile(np.arange(1, length + 1), (number, 1)) if session is None else session
    table = pd.DataFrame(
        {
            "course": [f"c{course:04}" for course in np.repeat(np.arange(number), length)],
            "session": session.ravel(),
            "srs": rating.ravel(),
        }
    )
    return arrange(table, "srs", measure)
