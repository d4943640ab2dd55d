"""Reliability of ratings, and the change that is more than measurement error."""

import math

import numpy as np
import pandas as pd

from ..project.arrays import Floats


def intraclass(values: pd.Series, group: pd.Series) -> tuple[float, float, float, int, int]:
    """Return the one-way intraclass correlation and its F interval.

    Parameters
    ----------
    values, group : Series

    Returns
    -------
    estimate, ci_low, ci_high : float
        From the unweighted means of the groups, negative values set to zero; the interval is exact
        in balanced data and that of Thomas & Hultquist (1978, doi 10.1214/aos/1176344202)
        otherwise. Each group counts once: weights by size, as in the usual analysis of variance,
        would ask another question where size and values go together, and the estimate could lie
        outside its interval.
    n_values, n_groups : int
    """
    from scipy import stats

    table = pd.DataFrame({"value": values, "group": group}).dropna()
    by_group = table.groupby("group")["value"]
    number, groups = len(table), by_group.ngroups
    if groups < 2 or number <= groups:
        return np.nan, np.nan, np.nan, number, groups
    within = float(((table["value"] - by_group.transform("mean")) ** 2).sum() / (number - groups))
    if within == 0:
        return np.nan, np.nan, np.nan, number, groups
    # The harmonic mean keeps the F statistic of the unweighted means near its distribution.
    harmonic = groups / float((1 / by_group.size()).sum())
    ratio = harmonic * float(by_group.mean().var(ddof=1)) / within
    shares = [
        max((ratio / quantile - 1) / harmonic, 0.0)
        for quantile in (1.0, *stats.f.ppf([0.975, 0.025], groups - 1, number - groups))
    ]
    estimate, low, high = (share / (1 + share) for share in shares)
    return estimate, float(low), float(high), number, groups


#: Normal quantile of a change that chance alone exceeds, either way, in one of twenty cases.
Z = 1.96


def cronbach_alpha(items: Floats) -> float:
    r"""Return Cronbach's alpha.

    .. math:: \alpha = \frac{k}{k-1}\left(1 - \frac{\sum_i s_i^2}{s_{total}^2}\right)

    Parameters
    ----------
    items : ndarray, shape (ratings, items)
        Points; one rating per course, rows with a missing item are left out.

    Returns
    -------
    float
        NaN with fewer than two items or two complete ratings, or without variation.

    References
    ----------
    Cronbach 1951, Psychometrika 16(3), 297-334, doi 10.1007/BF02310555.
    """
    items = items[np.isfinite(items).all(axis=1)]
    count = items.shape[1]
    if count < 2 or len(items) < 2:
        return math.nan
    whole = items.sum(axis=1).var(ddof=1)
    return (
        count / (count - 1) * (1 - items.var(axis=0, ddof=1).sum() / whole) if whole else math.nan
    )


def standard_error(sd: float, reliability: float) -> float:
    """Return the standard error of measurement, ``SD * sqrt(1 - reliability)``, in points."""
    return sd * math.sqrt(1 - reliability)


def reliable_change(sd: float, reliability: float) -> float:
    """Return the smallest reliable change in points, ``1.96 * sqrt(2) * standard error``.

    Parameters
    ----------
    sd : float
        Standard deviation of first ratings, in points.
    reliability : float
        Between 0 and 1.

    References
    ----------
    Jacobson & Truax 1991, J. Consult. Clin. Psychol. 59(1), 12-19, doi 10.1037/0022-006X.59.1.12.

    Examples
    --------
    >>> round(standard_error(10.5, 0.961), 6), round(reliable_change(10.5, 0.961), 6)
    (2.073584, 5.747681)
    """
    return Z * math.sqrt(2) * standard_error(sd, reliability)
