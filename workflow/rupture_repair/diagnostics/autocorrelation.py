"""How alike the residuals of a course are, by the distance of their sessions."""

import numpy as np
import pandas as pd
from scipy import special

from ..project.arrays import Floats, Integers

#: Session numbers over which autocorrelation is looked at, and fewest pairs that tell anything.
LAGS, FEWEST_PAIRS = (1, 2, 3, 4, 5), 20

#: By lag, positions of the earlier and of the later row of each pair.
Pairs = dict[int, tuple[Integers, Integers]]


def pairs_by_lag(course: pd.Series, session: pd.Series, lags: tuple[int, ...]) -> Pairs:
    """Find the rows of one course that lie some session numbers apart.

    Parameters
    ----------
    course, session : Series
        Of each row; where a session occurs twice in a course, its last row counts.
    lags : tuple of int

    Returns
    -------
    dict of int to tuple of ndarray
        By lag, positions of the earlier and of the later row of each pair.
    """
    number = session.to_numpy().astype(np.int64)
    code = pd.factorize(course)[0].astype(np.int64)
    # A key in which no lag reaches the next course.
    key = code * (number.max() - number.min() + max(lags) + 1) + number - number.min()
    # np.unique keeps the first of equals, so it is given the rows backwards.
    keys, first = np.unique(key[::-1], return_index=True)
    row = len(key) - 1 - first
    found = {}
    for lag in lags:
        place = np.searchsorted(keys, keys + lag).clip(max=len(keys) - 1)
        there = keys[place] == keys + lag
        found[lag] = row[there], row[place[there]]
    return found


def autocorrelations(residuals: Floats, pairs: Pairs) -> Floats:
    """Return the autocorrelation of residuals by lag.

    Parameters
    ----------
    residuals : ndarray, shape (rows, outcomes)
    pairs : dict
        From :func:`pairs_by_lag`.

    Returns
    -------
    ndarray, shape (lags, outcomes)
        Mean product of the pairs over the mean square of all residuals.
    """
    square = (residuals**2).mean(axis=0)
    return np.array(
        [(residuals[a] * residuals[b]).mean(axis=0) / square for a, b in pairs.values()]
    )


def autocorrelation_interval(
    residuals: Floats, course: Integers, now: Integers, later: Integers
) -> tuple[float, float]:
    """Return the 95 % interval of an autocorrelation, courses being independent.

    The standard error is that of a ratio of sums over courses (linearised).

    Parameters
    ----------
    residuals : ndarray, shape (rows,)
    course : ndarray of int, shape (rows,)
    now, later : ndarray of int, shape (pairs,)
        Positions of the two rows of each pair.
    """
    products, square = residuals[now] * residuals[later], residuals**2
    estimate = products.mean() / square.mean()
    courses = int(course.max()) + 1
    of_pairs = np.bincount(course[now], products - products.mean(), courses) / len(now)
    of_rows = np.bincount(course, square - square.mean(), courses) / len(residuals)
    off = (of_pairs - estimate * of_rows) / square.mean()
    half = special.ndtri(0.975) * np.sqrt((off**2).sum() * courses / max(courses - 1, 1))
    return float(estimate - half), float(estimate + half)
