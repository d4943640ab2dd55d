"""Intervals that do not rely on the curvature at the optimum: profile likelihood, bootstrap."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import linalg, optimize, special

from ...project.arrays import Floats
from ..no_result import NoOptimum
from . import search
from .cross_products import CrossProducts
from .engine import Standardised
from .fit import Fit, by_maximum_likelihood
from .likelihood import Likelihood


def profile(found: Fit, level: float = 0.95) -> pd.DataFrame:
    """Return profile likelihood intervals of fixed effects and standard deviations.

    The deviance (by maximum likelihood, as in lme4) is minimised over all other parameters; the
    interval holds the values at which it lies less than the chi-square quantile above its minimum.

    Parameters
    ----------
    found : Fit
    level : float

    Returns
    -------
    DataFrame
        Columns `group` ("fixed", a level, "residual"), `name` (a term, or the effect whose
        standard deviation this is), `estimate` (by maximum likelihood), `ci_low`, `ci_high`. Where
        the deviance never rises so far, a limit is 0 for a standard deviation, else missing.
    """
    best = found if not found.reml else by_maximum_likelihood(found)
    threshold = best.optimum.value.deviance + special.chdtri(1, 1 - level)
    rows = []
    for place, term in enumerate(best.design.terms):
        limits = _fixed_limits(best, place, threshold)
        rows.append(("fixed", term, best.solution.estimate[place], *limits))
    for group, name, estimate, of_point in _deviations(best):
        limits = _deviation_limits(best, estimate, of_point, threshold)
        rows.append((group, name, estimate, *limits))
    return pd.DataFrame(rows, columns=["group", "name", "estimate", "ci_low", "ci_high"])


def _fixed_limits(best: Fit, place: int, threshold: float) -> list[float]:
    """Return the values of a fixed effect at which the deviance crosses the threshold."""
    standard = best.standard
    weights = standard.scale * standard.back[place]  # of the standardised estimates
    shift = standard.shift if best.design.terms[place] == "Intercept" else 0.0
    estimate = best.solution.estimate[place]
    error = float(np.sqrt(best.solution.covariance[place, place]))
    columns = len(weights)
    others = linalg.null_space(weights[None])
    start = [best.optimum.point]

    def excess(value: float) -> float:
        # With this coefficient held, the model is one of fewer columns and another outcome.
        change = np.zeros((columns + 1, columns))
        change[:columns, :-1] = others
        change[:columns, -1] = -(value - shift) * weights / (weights @ weights)
        change[columns, -1] = 1.0
        likelihood = _changed(standard, standard.products.changed(change), columns - 1)
        optimum = search.find(likelihood, start=start[0])
        start[0] = optimum.point
        return optimum.value.deviance - threshold

    return [_crossing(excess, estimate, sign * error, start, best) for sign in (-1, 1)]


def _changed(standard: Standardised, products: CrossProducts, fixed: int) -> Likelihood:
    """Return the likelihood of other products."""
    given = standard.likelihood
    return Likelihood(products, given.free, standard.upper, given.divisor, fixed, reml=False)


def _crossing(excess: Callable[[float], float], estimate: float, step: float, start, best) -> float:
    """Return where a rising function of the distance from the estimate crosses zero."""
    start[0] = best.optimum.point
    inner, outer = estimate, estimate + 2 * step
    for _ in range(30):
        if excess(outer) > 0:
            return float(optimize.brentq(excess, inner, outer, xtol=1e-6 * abs(step)))
        inner, outer = outer, outer + 2 * (outer - estimate)
    return np.nan


def _deviations(best: Fit) -> list[tuple]:
    """Return each standard deviation: group, name, estimate, and its share as a function.

    The function returns the standard deviation, over that of the residual, at a point.
    """
    standard = best.standard
    result: list[tuple] = []
    for place, level in enumerate(best.design.levels):
        for one, name in enumerate(level.names):
            estimate = float(np.sqrt(best.solution.random[place][one, one]))

            def ratio(point: Floats, place=place, one=one) -> float:
                factor, tau, _ = standard.likelihood.split(point)
                if place:
                    return abs(tau)
                return float(np.linalg.norm(standard.effects_back[one] @ factor))

            result.append((level.factor, name, estimate, ratio))
    residual = float(np.sqrt(best.solution.residual))
    return [*result, ("residual", None, residual, lambda point: 1.0)]


def _deviation_limits(best: Fit, estimate: float, ratio, threshold: float) -> list[float]:
    """Return the values of a standard deviation at which the deviance crosses the threshold.

    With the standard deviation held at a value, the residual's follows from the ratio of the two.
    """
    standard, likelihood = best.standard, best.standard.likelihood
    start = [best.optimum.point]

    def excess(value: float) -> float:
        def loss(point: Floats) -> tuple[float, Floats]:
            share = max(ratio(point), 1e-12)
            variance = (value / standard.scale / share) ** 2
            found = likelihood.value(point, variance)
            slopes = optimize.approx_fprime(point, lambda at: np.log(max(ratio(at), 1e-12)), 1e-7)
            # More of the ratio means less residual variance.
            to_log_sigma = 2 * likelihood.divisor - 2 * found.rest / variance
            return found.deviance, found.gradient - to_log_sigma * slopes

        points = [start[0], best.optimum.point]
        ends = [
            optimize.minimize(loss, point, jac=True, method="BFGS", options={"gtol": 1e-5})
            for point in points
        ]
        end = min(ends, key=lambda one: one.fun)
        start[0] = end.x
        return float(end.fun) - threshold

    step = max(0.25 * estimate, 1e-3 * standard.scale)
    high = _crossing(excess, estimate, step, start, best)
    low, floor = estimate, 1e-4 * step
    start[0] = best.optimum.point
    for part in (0.5, 0.2, 0.05, 0.01, 1e-3):
        if estimate <= floor:
            break
        if excess(part * estimate) > 0:
            low = float(optimize.brentq(excess, part * estimate, low, xtol=1e-6 * step))
            return [low, high]
        low = part * estimate
    return [0.0, high]


def bootstrap(
    found: Fit, replicates: int = 1000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Return bootstrap intervals, therapists (or courses, where there are none) drawn anew.

    Products by course are drawn with their cluster; rows are not gone through again.

    Parameters
    ----------
    found : Fit
    replicates : int
    seed : int
    level : float

    Returns
    -------
    DataFrame
        One row per term: `term`, `estimate`, `std_error` (standard deviation of the replicates),
        `ci_low`, `ci_high` (percentiles), `replicates` (that could be fitted).
    """
    standard = found.standard
    whole = standard.whole_products()
    course = np.arange(whole.courses)
    cluster = course if standard.upper is None else standard.upper
    first = np.searchsorted(cluster, np.arange(cluster[-1] + 2))
    random = np.random.default_rng(seed)
    estimates = []
    for _ in range(replicates):
        drawn = random.integers(0, cluster[-1] + 1, cluster[-1] + 1)
        sizes = first[drawn + 1] - first[drawn]
        begin = np.repeat(first[drawn] - np.cumsum(sizes) + sizes, sizes)
        chosen = begin + np.arange(sizes.sum())
        upper = None if standard.upper is None else np.repeat(np.arange(len(drawn)), sizes)
        products = whole.drawn(chosen, standard.products.effects)
        given = standard.likelihood
        likelihood = Likelihood(
            products, given.free, upper, products.rows, given.fixed, standard.reml
        )
        try:
            optimum = search.find(likelihood, start=found.optimum.point)
        except NoOptimum:
            continue
        estimates.append(standard.estimate(optimum.value.estimate))
    drawn_estimates = np.array(estimates).reshape(-1, len(found.design.terms))
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(drawn_estimates, tails, axis=0)
    return pd.DataFrame(
        {
            "term": found.design.terms,
            "estimate": found.solution.estimate,
            "std_error": drawn_estimates.std(axis=0, ddof=1),
            "ci_low": low,
            "ci_high": high,
            "replicates": len(drawn_estimates),
        }
    )
