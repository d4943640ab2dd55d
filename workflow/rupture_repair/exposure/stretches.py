"""Stretches of sessions outside of ruptures, and rows of a table as indices of courses."""

import numpy as np
import pandas as pd

from ..detection.courses import Courses
from .shared import of_measure


def flat_index(ratings: pd.DataFrame) -> Courses:
    """Return ratings as flat arrays."""
    course = pd.factorize(ratings["course"])[0]
    start = np.append(np.flatnonzero(np.diff(course, prepend=-1)), len(course))
    return Courses(ratings["value"].to_numpy(), ratings["session"].to_numpy(), start)


def row_index(ratings: pd.DataFrame, course: pd.Series, session: pd.Series) -> np.ndarray:
    """Return the row of the rating of each course and session."""
    places = pd.MultiIndex.from_frame(ratings[["course", "session"]])
    wanted = [course.astype("str").to_numpy(), session.astype("int64").to_numpy()]
    return places.get_indexer(pd.MultiIndex.from_arrays(wanted))


def stretches_outside(
    ratings: pd.DataFrame, flat: Courses, states: pd.DataFrame, measure: str
) -> np.ndarray:
    """Return how many ratings after each one lie outside episodes as it does; -1 inside them."""
    own = of_measure(states, measure)
    inside = own["state"].astype("str").isin(["ruptured", "repaired_here", "not_assessable"])
    outside = own[~inside]
    free = np.zeros(len(ratings), dtype=bool)
    places = row_index(ratings, outside["course"], outside["session"])
    free[places[places >= 0]] = True
    # The next rating that is not outside, or the end of the course.
    number = np.arange(len(ratings))
    stop = np.where(free, len(ratings), number)
    stop = np.minimum.accumulate(stop[::-1])[::-1]
    stop = np.minimum(stop, flat.spread(flat.start[1:]))
    return np.where(free, stop - number - 1, -1)
