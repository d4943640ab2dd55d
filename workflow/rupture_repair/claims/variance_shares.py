"""Shares of variance from sums by course, with bootstrap intervals over clusters."""

from collections.abc import Callable

import numpy as np

from ..project.arrays import Floats


def bootstrapped(
    sums: Floats, cluster: np.ndarray, statistic: Callable[[Floats], Floats], draws: int, seed: int
) -> tuple[float, float, float, float]:
    """Return a statistic of sums over clusters, its error and its percentile interval.

    Parameters
    ----------
    sums : ndarray, shape (courses, quantities)
        Sums by course that add up to what the statistic needs.
    cluster : ndarray of int, shape (courses,)
        What is drawn anew: therapist, or course.
    statistic : callable
        From totals, shape (draws, quantities), to the statistic, shape (draws,).
    draws, seed : int

    Returns
    -------
    estimate, std_error, ci_low, ci_high : float
        The interval holds 95 % of the draws.
    """
    units = int(cluster.max()) + 1
    by_cluster = np.stack([np.bincount(cluster, column, units) for column in sums.T], axis=1)
    weights = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = float(statistic(by_cluster.sum(axis=0, keepdims=True))[0])
        drawn = statistic(weights.astype(float) @ by_cluster)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < draws / 2:
        return estimate, np.nan, np.nan, np.nan
    low, high = np.quantile(drawn, [0.025, 0.975])
    return estimate, float(drawn.std(ddof=1)), float(low), float(high)


def products(columns: Floats, course: np.ndarray) -> Floats:
    """Return sums by course of all products of columns, shape (courses, k * k)."""
    count = int(course.max()) + 1
    number = columns.shape[1]
    pairs = [(a, b) for a in range(number) for b in range(number)]
    return np.stack(
        [np.bincount(course, columns[:, a] * columns[:, b], count) for a, b in pairs], axis=1
    )


def added_share(totals: Floats, number: int) -> Floats:
    """Return the share of the last column's variance that the first adds to those between.

    Parameters
    ----------
    totals : ndarray, shape (draws, number * number)
        Cross products of the columns: what is asked about, covariates (among them a constant, if
        there is to be one), outcome.
    number : int
        Of columns.

    Returns
    -------
    ndarray, shape (draws,)
        R2 with all columns minus R2 without the first; R2 relative to the covariates' constant, or
        to zero without one.
    """
    matrix = totals.reshape(-1, number, number)

    def rest(chosen: list[int]) -> Floats:
        inner = matrix[:, chosen][:, :, chosen]
        cross = matrix[:, chosen, -1]
        ridge = 1e-12 * np.trace(inner, axis1=1, axis2=2)[:, None, None] * np.eye(len(chosen))
        solved = np.linalg.solve(inner + ridge, cross[..., None])[..., 0]
        return matrix[:, -1, -1] - (cross * solved).sum(axis=1)

    covariates = list(range(1, number - 1))
    base = matrix[:, -1, -1]
    constant = matrix[:, 1, 1] if number > 2 else None
    if constant is not None:
        base = base - matrix[:, 1, -1] ** 2 / constant
    return (rest(covariates) - rest([0, *covariates])) / base
