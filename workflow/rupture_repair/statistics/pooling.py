r"""Random-effects meta-analysis of a few estimates.

The estimates :math:`y_i` with errors :math:`\sqrt{v_i}` are :math:`N(\mu, v_i+\tau^2)`. With
:math:`w_i=1/(v_i+\tau^2)` the restricted likelihood of :math:`\tau^2` is

.. math:: -\tfrac12\Big[\sum\log(v_i+\tau^2)+\log\sum w_i+\sum w_i(y_i-\hat\mu)^2\Big],\quad
          \hat\mu=\sum w_iy_i/\sum w_i.

The error of :math:`\hat\mu` is that of Hartung & Knapp (2001, doi 10.1002/sim.791), with
:math:`k-1` degrees of freedom; the interval of :math:`\tau^2` comes from the profile of Q
(Viechtbauer 2007, doi 10.1002/sim.2514); I2 and H2 take the typical sampling variance of Higgins &
Thompson (2002, doi 10.1002/sim.1186). statsmodels has no restricted likelihood, no prediction
interval and no interval of :math:`\tau^2`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from ..project.arrays import Floats


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate.

    Attributes
    ----------
    estimate, std_error, statistic, p, ci_low, ci_high : float
        With the error of Hartung and Knapp; intervals at 95 %.
    df : int
    std_error_wald : float
        Without the factor of Hartung and Knapp; where it is the larger one, the estimates agree
        better than their errors let expect, and the interval may be too narrow.
    prediction_low, prediction_high : float
        Between which the effect in another dataset of the same kind lies, at 95 %.
    tau2, tau2_low, tau2_high : float
        Variance of the effects between datasets.
    i2 : float
        Share of the variance of the estimates that is not error, 0 to 1.
    h2 : float
    q, q_p : float
        Cochran's test of homogeneity.
    weights : ndarray, shape (datasets,)
        Shares, summing to 1.
    """

    estimate: float
    std_error: float
    df: int
    statistic: float
    p: float
    ci_low: float
    ci_high: float
    std_error_wald: float
    prediction_low: float
    prediction_high: float
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    h2: float
    q: float
    q_p: float
    weights: Floats


def pool(estimates: ArrayLike, errors: ArrayLike) -> Pooled:
    """Pool estimates of independent datasets.

    Parameters
    ----------
    estimates, errors : array of float, shape (datasets,)
        At least two; errors are positive.

    Returns
    -------
    Pooled

    Raises
    ------
    ValueError
        For fewer than two estimates, or errors that are not positive numbers.

    Examples
    --------
    >>> found = pool([0.1, 0.3, 0.5], [0.1, 0.1, 0.1])
    >>> round(found.estimate, 2), round(found.tau2, 2)
    (0.3, 0.03)
    """
    values, variances = np.asarray(estimates, float), np.square(np.asarray(errors, float))
    if len(values) < 2:
        raise ValueError("there are fewer than two estimates to pool")
    if not np.isfinite(values).all() or not ((variances > 0) & np.isfinite(variances)).all():
        raise ValueError("estimates must be numbers, and errors positive numbers")
    # In units of the errors nothing depends on the units of the estimates.
    unit = float(np.exp(np.log(variances).mean() / 2))
    values, variances = values / unit, variances / unit**2
    df = len(values) - 1
    tau2 = _tau2(values, variances)
    weights = 1 / (variances + tau2)
    mean = float(weights @ values / weights.sum())
    wald = float(np.sqrt(1 / weights.sum()))
    factor = float(np.sqrt(weights @ np.square(values - mean) / df))
    error, quantile = wald * factor, float(special.stdtrit(df, 0.975))
    reach = quantile * np.sqrt(error**2 + tau2)
    statistic = float(np.divide(mean, error)) if error else float(np.copysign(np.inf, mean))
    plain = 1 / variances
    typical = df * plain.sum() / (plain.sum() ** 2 - plain @ plain)
    q = _heterogeneity(0.0, values, variances)
    low, high = _profile_of_q(values, variances)
    return Pooled(
        estimate=mean * unit,
        std_error=error * unit,
        df=df,
        statistic=statistic,
        p=float(2 * special.stdtr(df, -abs(statistic))),
        ci_low=(mean - quantile * error) * unit,
        ci_high=(mean + quantile * error) * unit,
        std_error_wald=wald * unit,
        prediction_low=float(mean - reach) * unit,
        prediction_high=float(mean + reach) * unit,
        tau2=tau2 * unit**2,
        tau2_low=low * unit**2,
        tau2_high=high * unit**2,
        i2=float(tau2 / (tau2 + typical)),
        h2=float(tau2 / typical + 1),
        q=q,
        q_p=float(special.chdtrc(df, q)),
        weights=weights / weights.sum(),
    )


def _heterogeneity(tau2: float, values: Floats, variances: Floats) -> float:
    """Return the weighted sum of squares around the weighted mean."""
    weights = 1 / (variances + tau2)
    return float(weights @ np.square(values - weights @ values / weights.sum()))


def _score(tau2: float, values: Floats, variances: Floats) -> float:
    """Return twice the derivative of the restricted likelihood to tau2."""
    weights = 1 / (variances + tau2)
    apart = values - weights @ values / weights.sum()
    lost = weights.sum() - weights @ weights / weights.sum()
    return float(np.square(weights * apart).sum() - lost)


def _likelihood(tau2: float, values: Floats, variances: Floats) -> float:
    """Return the restricted log-likelihood, constants left out."""
    weights = 1 / (variances + tau2)
    apart = values - weights @ values / weights.sum()
    return float(np.log(weights).sum() - np.log(weights.sum()) - weights @ apart**2) / 2


def _tau2(values: Floats, variances: Floats) -> float:
    """Return the tau2 of the highest restricted likelihood, which may have several hills."""
    # Far above the spread of the estimates and their errors the likelihood only falls.
    top = 10 * (np.ptp(values) ** 2 + variances.max())
    grid = np.append(0.0, np.geomspace(1e-6 * variances.min(), top, 200))
    score = np.array([_score(point, values, variances) for point in grid])
    hills = [0.0] if score[0] <= 0 else []
    for place in np.flatnonzero((score[:-1] > 0) & (score[1:] <= 0)):
        ends = grid[place], grid[place + 1]
        hills.append(optimize.brentq(_score, *ends, (values, variances), xtol=1e-15, rtol=1e-14))
    return float(max(hills, key=lambda point: _likelihood(point, values, variances)))


def _profile_of_q(values: Floats, variances: Floats) -> tuple[float, float]:
    """Return the interval of tau2 over which Q is not unusual; both ends are at least zero."""
    df, ends = len(values) - 1, []
    for share in (0.975, 0.025):
        wanted = float(special.chdtri(df, 1 - share))

        def above(tau2: float, wanted: float = wanted) -> float:
            return _heterogeneity(tau2, values, variances) - wanted

        top = np.ptp(values) ** 2 + variances.max()
        while above(top) > 0:
            top *= 10
        root = optimize.brentq(above, 0.0, top, xtol=1e-15, rtol=1e-14) if above(0.0) > 0 else 0.0
        ends.append(float(root))
    return ends[0], ends[1]
