"""What an engine found: estimates, (co)variances and likelihood of a mixed model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..project.arrays import Floats
from ..project.reasons import because
from .design import Design, Level

#: The group of the residual variance in tables.
RESIDUAL = "residual"

#: A variance below this share of the residual variance is zero.
ZERO = 1e-8


@dataclass(frozen=True)
class Solution:
    r"""A fitted model on matrices.

    Attributes
    ----------
    estimate : ndarray, shape (terms,)
    covariance : ndarray, shape (terms, terms)
        Of the estimates: :math:`\sigma^2 (X'V^{-1}X)^{-1}`.
    residual : float
        Residual variance.
    random : tuple of ndarray
        Covariance of the random effects of each level, in the units of the columns given.
    loglik : float
        Restricted log-likelihood, or the log-likelihood.
    df : ndarray, shape (terms,), or None
        Degrees of freedom of each estimate, None where the engine has none.
    optimiser : str
    zero : tuple of str
        What lies on the boundary of the parameter space, in words; empty if nothing does.
    attempts : tuple of str
        Failed attempts and why they failed.
    rho : float or None
        Correlation of residuals at neighbouring session numbers, None where they are independent.
    family : {"gaussian", "binomial"}
    df_of : callable or None
        Weights of the estimates, shape (combinations, terms) -> degrees of freedom of these
        combinations; None where they are those of every estimate, or there are none.
    """

    estimate: Floats
    covariance: Floats
    residual: float
    random: tuple[Floats, ...]
    loglik: float
    df: Floats | None
    optimiser: str
    zero: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    rho: float | None = None
    family: str = "gaussian"
    df_of: Callable[[Floats], Floats] | None = None

    def combined(self, weights: Floats) -> "Solution":
        """Return the solution with linear combinations of the estimates in their place.

        Parameters
        ----------
        weights : ndarray, shape (combinations, terms)
        """
        df = None if self.df is None else np.full(len(weights), self.df[0])
        return replace(
            self,
            estimate=weights @ self.estimate,
            covariance=weights @ self.covariance @ weights.T,
            df=df if self.df_of is None else self.df_of(weights),
            df_of=None,
        )


def on_boundary(level: Level, covariance: Floats, residual: float) -> list[str]:
    """Say which variances of a level are zero, and which effects perfectly correlated.

    Parameters
    ----------
    level : Level
    covariance : ndarray, shape (effects, effects)
        Of its random effects, in the units of its columns.
    residual : float
        Residual variance.

    Returns
    -------
    list of str
        Empty where the covariance is positive definite.
    """
    scale = np.sqrt((level.columns**2).mean(axis=0) / residual)
    scaled = scale[:, None] * covariance * scale
    names = ["intercepts" if name == "Intercept" else f"slopes of {name}" for name in level.names]
    gone = [name for name, variance in zip(names, np.diag(scaled), strict=True) if variance < ZERO]
    zero = because("zero_variance", names=" and of ".join(gone), level=level.factor)
    said = [zero] if gone else []
    start = 0
    for size in level.blocks:
        here = [place for place in range(start, start + size) if scaled[place, place] >= ZERO]
        start += size
        spread = np.sqrt(np.diag(scaled)[here])
        correlations = scaled[np.ix_(here, here)] / np.outer(spread, spread)
        # Eigenvalues of a correlation matrix; so near to zero the correlation is 1 to six digits.
        if len(here) > 1 and np.linalg.eigvalsh(correlations)[0] < 1e-6:
            of = " and ".join(names[place] for place in here)
            said.append(because("correlated", names=of, level=level.factor))
    return said


def wald(solution: Solution, level: float = 0.95) -> dict[str, Floats]:
    """Return standard errors, statistics, p values and Wald intervals.

    Parameters
    ----------
    solution : Solution
    level : float
        Of the intervals.

    Returns
    -------
    dict of str to ndarray, shape (terms,)
        `estimate`, `std_error`, `df` (missing where the engine has none: then `statistic` is z),
        `statistic`, `p` (two-sided), `ci_low`, `ci_high`.
    """
    std_error = np.sqrt(np.diag(solution.covariance))
    statistic = solution.estimate / std_error
    normal = np.full(len(std_error), np.inf)
    df = normal if solution.df is None else solution.df
    # With infinite degrees of freedom these are the normal distribution.
    p = 2 * special.stdtr(df, -np.abs(statistic))
    half = special.stdtrit(df, (1 + level) / 2) * std_error
    return {
        "estimate": solution.estimate,
        "std_error": std_error,
        "df": np.full(len(std_error), np.nan) if solution.df is None else solution.df,
        "statistic": statistic,
        "p": p,
        "ci_low": solution.estimate - half,
        "ci_high": solution.estimate + half,
    }


def explained(design: Design, solution: Solution) -> dict[str, float]:
    """Return R2 and adjusted intraclass correlations.

    Parameters
    ----------
    design : Design
    solution : Solution

    Returns
    -------
    dict of str to float
        `r2_marginal`, `r2_conditional` (Nakagawa & Schielzeth 2013; with random slopes Johnson
        2014, doi 10.1111/2041-210X.12225) and `icc:<factor>` for each level. A level's variance is
        its mean over the rows; intraclass correlations are without the variance of the fixed part.
    """
    fixed = float((design.fixed @ solution.estimate).var(ddof=1))
    shares = {
        level.factor: float(((level.columns @ covariance) * level.columns).sum(axis=1).mean())
        for level, covariance in zip(design.levels, solution.random, strict=True)
    }
    random = sum(shares.values())
    total = fixed + random + solution.residual
    result = {"r2_marginal": fixed / total, "r2_conditional": (fixed + random) / total}
    return result | {
        f"icc:{factor}": share / (random + solution.residual) for factor, share in shares.items()
    }


def variance_table(design: Design, solution: Solution) -> pd.DataFrame:
    """Return variances and covariances of the random effects, and the residual variance.

    Parameters
    ----------
    design : Design
    solution : Solution

    Returns
    -------
    DataFrame
        Columns `group` (a level, "residual (column)" for one called residual, or "residual"),
        `name`, `with` (missing for a variance),
        `variance` (or covariance, in squared units of the outcome per units of the columns), `sd`
        (or correlation).
    """
    rows: list[tuple[Any, ...]] = []
    for level, spread in zip(design.levels, solution.random, strict=True):
        group = level.factor if level.factor != RESIDUAL else f"{RESIDUAL} (column)"
        deviations = np.sqrt(np.diag(spread))
        starts = np.repeat(np.cumsum((0, *level.blocks[:-1])), level.blocks)
        for one, name in enumerate(level.names):
            rows.append((group, name, None, spread[one, one], deviations[one]))
        for one, name in enumerate(level.names):
            for other in range(starts[one], one):
                product = deviations[one] * deviations[other]
                correlation = spread[one, other] / product if product else np.nan
                pair = (level.names[other], name)
                rows.append((group, *pair, spread[one, other], correlation))
    rows.append((RESIDUAL, None, None, solution.residual, np.sqrt(solution.residual)))
    return pd.DataFrame(rows, columns=["group", "name", "with", "variance", "sd"])


def information_criteria(design: Design, solution: Solution) -> tuple[float, float]:
    """Return AIC and BIC, with all parameters and rows, as lme4 counts them."""
    # A logistic model has no residual variance.
    number = design.parameters - (solution.family == "binomial")
    fit = -2 * solution.loglik
    return 2 * number + fit, float(np.log(len(design.outcome)) * number + fit)


def statistics(design: Design, solution: Solution) -> pd.Series:
    """Return the numbers of a whole model.

    Parameters
    ----------
    design : Design
    solution : Solution

    Returns
    -------
    Series
        `n_rows`, `n_<factor>`, `loglik`, `deviance` (-2 loglik), `aic`, `bic` (with all parameters
        and rows, as lme4), `r2_marginal`, `r2_conditional`, `icc:<factor>`, `rho` (with
        autocorrelated residuals).
    """
    facts: dict[str, float] = {"n_rows": len(design.outcome)}
    facts |= {f"n_{level.factor}": level.units for level in design.levels}
    facts |= {"loglik": solution.loglik, "deviance": -2 * solution.loglik}
    facts["aic"], facts["bic"] = information_criteria(design, solution)
    facts |= explained(design, solution)
    return pd.Series(facts | ({} if solution.rho is None else {"rho": solution.rho}), name="value")


def least_squares(design: Design, reml: bool = True) -> Solution:
    """Fit the linear model of a design without random part, weighted where it has weights.

    Parameters
    ----------
    design : Design
    reml : bool
        Restricted maximum likelihood (residual variance over n - p), or maximum likelihood.

    Returns
    -------
    Solution
        With exact degrees of freedom.
    """
    rows, terms = design.fixed.shape
    weights = np.ones(rows) if design.weights is None else design.weights
    root = np.sqrt(weights)
    basis, upper = np.linalg.qr(root[:, None] * design.fixed)
    estimate = np.linalg.solve(upper, basis.T @ (root * design.outcome))
    rest = root * (design.outcome - design.fixed @ estimate)
    divisor = rows - terms if reml else rows
    residual = float(rest @ rest) / divisor
    inverse = np.linalg.inv(upper)
    loglik = -0.5 * divisor * (np.log(2 * np.pi * residual) + 1) + 0.5 * np.log(weights).sum()
    if reml:
        loglik -= np.log(np.abs(np.diag(upper))).sum()
    return Solution(
        estimate,
        residual * inverse @ inverse.T,
        residual,
        tuple(np.zeros((len(level.names),) * 2) for level in design.levels),
        float(loglik),
        np.full(terms, float(rows - terms)),
        "least squares",
    )
