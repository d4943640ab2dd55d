"""Change points: each course cut into segments of one level, all courses at once."""

import numpy as np

from ..project.arrays import Flags, Floats, Integers
from .courses import PIECE, Courses

#: Ratings of a segment, at the least.
SHORTEST = 2

#: Two ways to cut whose costs differ by less, as a share of all squares, are equally good.
_TIE = 1e-10


def segment_starts(courses: Courses, penalty: Floats) -> Flags:
    r"""Cut courses where this lowers squared deviations by more than the penalty.

    Of all ways to cut a course into segments of two ratings or more, the one with the least
    :math:`\sum_{segments} \left[\sum_t (y_t - \bar y)^2 + penalty\right]`, by optimal partitioning
    (Jackson et al. 2005, doi 10.1109/LSP.2001.838216). Of equally good ways the one whose last
    segment is the longest.

    Parameters
    ----------
    courses : Courses
    penalty : ndarray of float, shape (courses,)
        Squared points that a further segment must save.

    Returns
    -------
    ndarray of bool, shape (ratings,)
        Where a segment begins; the first rating of each course is one.
    """
    begins = np.zeros(len(courses.rating), dtype=bool)
    begins[courses.start[:-1]] = True
    order = np.argsort(-courses.length, kind="stable")
    order = order[courses.length[order] >= 2 * SHORTEST]
    while len(order):
        size = max(1, PIECE // int(courses.length[order[0]]))
        chosen, order = order[:size], order[size:]
        last = _last_segments(courses, chosen, penalty[chosen])
        end = courses.length[chosen]
        while end.any():
            end = last[end, np.arange(len(chosen))]
            begins[courses.start[chosen] + end] = True
    return begins


def _last_segments(courses: Courses, chosen: Integers, penalty: Floats) -> Integers:
    """Say where the last segment begins when only the first ratings of a course are cut.

    The recursion over ratings cannot be vectorised: each of its steps serves all courses.

    Returns
    -------
    ndarray of int, shape (ratings of the longest course + 1, courses)
        By the number of first ratings.
    """
    length = courses.length[chosen]
    longest = int(length[0])
    index = courses.start[chosen] + np.minimum(np.arange(longest)[:, None], length - 1)
    rating = courses.rating[index]
    rating = np.concatenate([np.zeros((1, len(chosen))), rating - rating.mean(axis=0)])
    sums, squares = np.cumsum(rating, axis=0), np.cumsum(rating**2, axis=0)
    tie = _TIE * squares[-1]
    cost = np.full_like(sums, np.inf)
    cost[0] = -penalty
    last = np.zeros(sums.shape, dtype=np.int64)
    for end in range(SHORTEST, longest + 1):
        begin = np.arange(end - SHORTEST + 1)
        level = (sums[end] - sums[begin]) ** 2 / (end - begin)[:, None]
        tried = cost[begin] + squares[end] - squares[begin] - level + penalty
        cost[end] = tried.min(axis=0)
        last[end] = (tried <= cost[end] + tie).argmax(axis=0)
    return last
