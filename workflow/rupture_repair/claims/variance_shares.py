r"""Shares of variance from sums by course, with intervals over clusters.

A share cannot be below zero, so its draws from a bootstrap all lie above an estimate near zero, and
an interval of their percentiles leaves the estimate out. A share is the square of a correlation,
though, or the mean of several squares: :math:`s = q^2`, :math:`q^2 = \sum_j r_j^2 / k`. So the
interval is that of :math:`q` on Fisher's scale,

.. math:: \operatorname{artanh} q \pm t_{m - 1} \operatorname{SE}(\operatorname{artanh} q),

squared, and from zero on where an F test does not tell the :math:`k` correlations from zero. The
standard error comes from the bootstrap over
:math:`m` clusters; what a draw moves :math:`q` by is the move of its correlations along those
estimated, which keeps its sign near zero. ``benchmarks/variance_shares.py`` simulates its coverage.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from ..project.arrays import Floats
from ..project.content_order import by_content


def bootstrapped(
    sums: Floats,
    cluster: np.ndarray,
    correlations: Callable[[Floats], Floats],
    draws: int,
    seed: int,
) -> tuple[float, float, float, float]:
    """Return the mean square of correlations from sums over clusters, its error and interval.

    Parameters
    ----------
    sums : ndarray, shape (courses, quantities)
        Sums by course that add up to what the correlations need.
    cluster : ndarray of int, shape (courses,)
        What is drawn anew: therapist, or course. Its numbers and their order do not matter.
    correlations : callable
        From totals, shape (draws, quantities), to correlations, shape (draws, correlations).
    draws, seed : int

    Returns
    -------
    estimate, std_error, ci_low, ci_high : float
        The estimate always lies in its interval of 95 %, which lies between 0 and 1. Error and
        interval are NaN where fewer than half of the draws have a result.
    """
    units = int(cluster.max()) + 1
    by_cluster = np.stack([np.bincount(cluster, column, units) for column in sums.T], axis=1)
    by_cluster = by_cluster[by_content(by_cluster)]
    weights = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = correlations(by_cluster.sum(axis=0, keepdims=True))[0]
        drawn = correlations(weights.astype(float) @ by_cluster)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    estimate = float(np.mean(found**2))
    if len(drawn) < draws / 2 or units < 2:
        return estimate, np.nan, np.nan, np.nan
    size = np.sqrt(estimate)
    along = drawn @ found / (len(found) * size) if size > 0 else drawn[:, 0]
    fisher = np.arctanh(np.clip([size, *along], -1 + 1e-12, 1 - 1e-12))
    deviation = fisher[1:].std(ddof=1)
    reach = special.stdtrit(units - 1, 0.975) * deviation
    low, high = np.tanh([fisher[0] - reach, fisher[0] + reach])
    # Several correlations that are all zero lie further from zero than one of them.
    ratio = special.fdtri(len(found), units - 1, 0.95) * len(found)
    if fisher[0] ** 2 <= ratio * deviation**2:
        low = 0.0
    error = float(np.mean(drawn**2, axis=1).std(ddof=1))
    return estimate, error, min(max(low, 0.0) ** 2, estimate), max(high**2, estimate)


def products(columns: Floats, course: np.ndarray) -> Floats:
    """Return sums by course of all products of columns, shape (courses, k * k)."""
    count = int(course.max()) + 1
    number = columns.shape[1]
    pairs = [(a, b) for a in range(number) for b in range(number)]
    return np.stack(
        [np.bincount(course, columns[:, a] * columns[:, b], count) for a, b in pairs], axis=1
    )


def added_correlation(totals: Floats, number: int) -> Floats:
    """Return the correlation of the last column with what the first adds to those between.

    Its square is the share of the last column's variance that the first one adds to them.

    Parameters
    ----------
    totals : ndarray, shape (draws, number * number)
        Cross products of the columns: what is asked about, covariates (a constant first), outcome.
    number : int
        Of columns.

    Returns
    -------
    ndarray, shape (draws, 1)
        The semipartial correlation: its square is R2 with all columns minus R2 without the first.
    """
    matrix = totals.reshape(-1, number, number)
    among = slice(1, number - 1)
    inner = matrix[:, among, among]
    size = np.trace(inner, axis1=1, axis2=2)[:, None, None]
    solved = np.linalg.solve(inner + 1e-12 * size * np.eye(number - 2), matrix[:, among, [0, -1]])
    cross = matrix[:, 0, -1] - (matrix[:, 0, among] * solved[..., 1]).sum(axis=1)
    rest = matrix[:, 0, 0] - (matrix[:, 0, among] * solved[..., 0]).sum(axis=1)
    base = matrix[:, -1, -1] - matrix[:, 1, -1] ** 2 / matrix[:, 1, 1]
    # What rounding leaves of a column that the others explain is no column.
    rest = np.where(rest > 1e-9 * matrix[:, 0, 0], rest, np.nan)
    return (cross / np.sqrt(rest * base))[:, None]


def partial_correlation(totals: Floats) -> Floats:
    """Return the partial correlation of the first and last of three columns, shape (draws, 1)."""
    matrix = totals.reshape(-1, 3, 3)

    def rest(one: int, other: int) -> Floats:
        return matrix[:, one, other] - matrix[:, one, 1] * matrix[:, 1, other] / matrix[:, 1, 1]

    return (rest(0, 2) / np.sqrt(rest(0, 0) * rest(2, 2)))[:, None]


def all_correlations(totals: Floats, number: int) -> Floats:
    """Return the correlations of all pairs of columns around zero, shape (draws, pairs)."""
    matrix = totals.reshape(-1, number, number)
    one, other = np.triu_indices(number, 1)
    spread = np.einsum("dii->di", matrix)
    return matrix[:, one, other] / np.sqrt(spread[:, one] * spread[:, other])
