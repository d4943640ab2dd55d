"""A fitted linear mixed model, as tidy tables."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from ...project.arrays import Floats
from ...project.problems import ProblemsFound, listing, problem
from ..design import Design, build
from ..no_result import NotAssessable
from ..printed import Summary, as_text, method_in_words
from ..solution import Solution, statistics, variance_table, wald
from . import search
from .engine import Standardised, solution, standardise
from .random_effects import Effects, effects


@dataclass(frozen=True, repr=False)
class Fit:
    """A fitted linear mixed model.

    Attributes
    ----------
    design : Design
        The matrices, and what was left out of data and model (`notes`).
    solution : Solution
        Estimates and variances; `zero` says what lies on the boundary.
    standard : Standardised
        The problem as the engine saw it.
    optimum : search.Optimum
        Where the search ended.
    """

    design: Design
    solution: Solution
    standard: Standardised
    optimum: search.Optimum

    def __repr__(self) -> str:
        """Return formula, size and likelihood in one line."""
        sizes = [f"{len(self.design.outcome)} rows"]
        sizes += [f"{level.units} of {level.factor}" for level in self.design.levels]
        kind = "restricted log-likelihood" if self.reml else "log-likelihood"
        return (
            f"<linear mixed model {self.design.formula!r}: {', '.join(sizes)}, {kind} "
            f"{self.solution.loglik:.2f}{', singular' if self.singular else ''}>"
        )

    def summary(self) -> Summary:
        """Return text like lme4's summary: random effects, fixed effects with tests, R2, notes."""
        method = method_in_words(self.design, self.reml)
        return Summary(as_text(self.design, self.solution, method, self.residuals()))

    @property
    def singular(self) -> bool:
        """Whether a variance is zero, or effects are perfectly correlated."""
        return bool(self.solution.zero)

    @property
    def reml(self) -> bool:
        """Whether the likelihood is the restricted one."""
        return self.standard.reml

    @cached_property
    def terms(self) -> pd.DataFrame:
        """Estimates of the fixed terms.

        Columns `term`, `estimate`, `std_error`, `df` (Satterthwaite), `statistic` (t), `p`
        (two-sided), `ci_low`, `ci_high` (Wald, 95 %).
        """
        return pd.DataFrame({"term": self.design.terms} | wald(self.solution))

    @cached_property
    def variances(self) -> pd.DataFrame:
        """Variances and covariances of the random effects, and the residual variance.

        Columns `group`, `name`, `with` (missing for a variance), `variance` (or covariance, in
        squared units of the outcome per units of the columns), `sd` (or correlation).
        """
        return variance_table(self.design, self.solution)

    @cached_property
    def statistics(self) -> pd.Series:
        """Numbers of the whole model.

        `n_rows`, `n_<factor>`, `loglik` (restricted where `reml`), `deviance` (-2 loglik), `aic`,
        `bic` (with all parameters and rows, as lme4), `r2_marginal`, `r2_conditional`,
        `icc:<factor>`, `rho`.
        """
        return statistics(self.design, self.solution)

    @cached_property
    def _effects(self) -> Effects:
        return effects(self.standard, self.optimum)

    @property
    def _contrast(self) -> Floats:
        return np.append(-self.optimum.value.estimate, 1.0)

    @property
    def _variance(self) -> float:
        """Residual variance in standardised units."""
        return self.optimum.value.rest / self.standard.likelihood.divisor

    def random_effects(self) -> pd.DataFrame:
        """Return the conditional means of the random effects (BLUPs) and their errors.

        Returns
        -------
        DataFrame
            One row per unit and effect: `group`, `unit`, `name`, `estimate`, `std_error`
            (conditional standard deviation given the variances and fixed effects, as lme4's
            condVar), in the units of the data.
        """
        found, scale = self._effects, self.standard.scale
        back = self.standard.effects_back
        means = scale * np.einsum("ab,bmc,m->ac", back, found.course, self._contrast)
        spread = found.shrink + found.share[found.upper_of_course] * (
            found.across[:, None] * found.across
        )
        errors = np.sqrt(self._variance * np.einsum("ab,bdc,ad->ac", back, spread, back))
        tables = [self._of_level(0, means, scale * errors)]
        if self.standard.upper is not None:
            means = scale * (self._contrast @ found.upper)[None]
            errors = scale * np.sqrt(self._variance * found.share)[None]
            tables.append(self._of_level(1, means, errors))
        return pd.concat(tables, ignore_index=True)

    def _of_level(self, place: int, means: Floats, errors: Floats) -> pd.DataFrame:
        level = self.design.levels[place]
        return pd.DataFrame(
            {
                "group": level.factor,
                "unit": np.repeat(level.labels, len(level.names)),
                "name": list(level.names) * level.units,
                "estimate": means.T.ravel(),
                "std_error": errors.T.ravel(),
            }
        )

    def fitted(self) -> Floats:
        """Return the values that fixed and random effects give to the rows analysed."""
        course, upper = self.design.levels[0].codes, None
        if self.standard.upper is not None:
            upper = self.design.levels[1].codes
        return self._predicted(self.design.fixed, self.design.levels[0].columns, course, upper)[0]

    def residuals(self) -> Floats:
        """Return outcome minus fitted value of the rows analysed (`design.rows`)."""
        return self.design.outcome - self.fitted()

    def predict(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return predictions for rows, with the effects of courses and therapists that are known.

        Parameters
        ----------
        table : DataFrame
            With the columns of the formula but the outcome. A course or therapist that was not in
            the data, or is missing, has the mean effect of zero, and its variance enters the error.

        Returns
        -------
        DataFrame
            One row per row of the table: `estimate`, and `std_error` of the expected outcome: that
            of the fixed effects and of the random effects together, given the variances.

        Raises
        ------
        ProblemsFound
            If a column is missing (E502).
        """
        design = self.design
        needed = self._needed()
        absent = [name for name in needed if name not in table]
        if absent:
            there = listing(table.columns)
            raise ProblemsFound(
                [problem("E502", key=design.formula, found=listing(absent), hint="", allowed=there)]
            )
        codes = []
        for level in design.levels:
            parts = [table[name].astype("str") for name in level.factor.split(":")]
            unit = parts[0]
            for part in parts[1:]:
                unit = unit + ":" + part
            codes.append(pd.Index(level.labels).get_indexer(unit))
        upper = codes[1] if self.standard.upper is not None else None
        columns = design.levels[0].evaluate(table)
        estimate, error = self._predicted(design.evaluate(table), columns, codes[0], upper)
        return pd.DataFrame({"estimate": estimate, "std_error": error}, index=table.index)

    def _needed(self) -> list[str]:
        """Return the columns that predictions need."""
        from ..formulas import read

        description, _ = read(self.design.formula)
        response = set(description.response.term.var_names)
        kept = {level.factor for level in self.design.levels}
        dropped = {term.factor.name for term in description.group_terms} - kept
        return sorted(set(description.var_names) - response - dropped - {""})

    def _predicted(self, fixed: Floats, columns: Floats, course, upper) -> tuple[Floats, Floats]:
        """Return predictions and their errors; a code of -1 is an unknown unit."""
        standard, found = self.standard, self._effects
        factor, tau, _ = standard.likelihood.split(self.optimum.point)
        fixed, columns = fixed @ standard.back, columns @ standard.effects_back
        known = course >= 0
        course = np.where(known, course, 0)
        shrink = np.where(known, found.shrink[..., course], (factor @ factor.T)[..., None])
        across = np.where(known, found.across[:, course], 0.0)
        linear = np.einsum("ra,amr->rm", columns, np.where(known, found.course[..., course], 0.0))
        alone = np.einsum("ra,ar->r", columns, across)
        if upper is None:
            share = np.zeros(len(fixed))
        else:
            named = upper >= 0
            upper = np.where(named, upper, 0)
            share = np.where(named, found.share[upper], tau**2)
            linear += np.where(named, found.upper[:, upper], 0.0).T
        spread = np.einsum("ra,abr,rb->r", columns, shrink, columns, optimize=True)
        spread += share * (1 - alone) ** 2
        distance = fixed - linear[:, :-1]
        covariance = np.linalg.inv(self.optimum.value.precision)
        spread += ((distance @ covariance) * distance).sum(axis=1)
        estimate = fixed @ self.optimum.value.estimate + linear @ self._contrast
        error = standard.scale * np.sqrt(self._variance * spread)
        return standard.shift + standard.scale * estimate, error

    def contrast(self, weights: dict[str, float]) -> pd.Series:
        """Return a linear combination of the estimates, tested with Satterthwaite's df.

        Parameters
        ----------
        weights : dict of str to float
            Weights of terms; others have weight zero.

        Returns
        -------
        Series
            `estimate`, `std_error`, `df`, `statistic`, `p`, `ci_low`, `ci_high`.
        """
        row = np.array([weights.get(term, 0.0) for term in self.design.terms])[None]
        found = wald(self.solution.combined(row))
        return pd.Series({name: float(value[0]) for name, value in found.items()})


def fit(
    formula: str,
    data: pd.DataFrame,
    reml: bool = True,
    ar1: str | None = None,
    weights: str | None = None,
) -> Fit:
    """Fit a linear mixed model by blocks.

    Parameters
    ----------
    formula : str
        In lme4's notation: ``y ~ x * time + (1 + time | course) + (1 | therapist)``; ``||`` for
        random effects without correlation.
    data : DataFrame
        One row per observation.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    ar1 : str, optional
        Column of session numbers over which the residuals of a course are autocorrelated.
    weights : str, optional
        Column of observation weights.

    Returns
    -------
    Fit

    Raises
    ------
    ProblemsFound
        For mistakes in the formula or in the columns that it names (E501 to E509, E520).
    NotAssessable
        If the data cannot answer the question, or the formula has no random part that is left.
    NoOptimum
        If no search ends in an optimum.

    Examples
    --------
    >>> table = pd.DataFrame({"course": list("aaabbbcccddd"), "time": [0, 1, 2] * 4,
    ...                       "y": [1, 2, 2, 4, 6, 5, 7, 8, 9, 3, 3, 5.]})
    >>> fit("y ~ time + (1 | course)", table).terms[["term", "estimate"]].round(2).values.tolist()
    [['Intercept', 3.83], ['time', 0.75]]
    """
    design = build(formula, data, ar1=ar1, weights=weights)
    if not design.levels:
        raise NotAssessable("; ".join(["the model has no random part", *design.notes]))
    return fit_design(design, reml)


def fit_design(design: Design, reml: bool = True, start: Floats | None = None) -> Fit:
    """Fit a linear mixed model to the matrices of a design, see :func:`fit`.

    `start` is the point of the optimum of a similar problem; one of another model is not used.
    """
    standard = standardise(design, reml)
    if start is not None and len(start) != standard.likelihood.parameters:
        start = None
    optimum = search.find(standard.likelihood, start)
    return Fit(design, solution(standard, optimum), standard, optimum)


def likelihood_ratio(smaller: Fit, larger: Fit) -> pd.Series:
    """Compare two nested models by maximum likelihood.

    Parameters
    ----------
    smaller, larger : Fit
        Of the same rows; those fitted by restricted maximum likelihood are fitted again.

    Returns
    -------
    Series
        `statistic` (twice the difference of log-likelihoods), `df` (difference of parameters),
        `p` (chi-square; too large where a variance is tested, which cannot be negative).

    Raises
    ------
    ValueError
        If the models are not of the same rows, or the larger one has no more parameters.
    """
    if not np.array_equal(smaller.design.outcome, larger.design.outcome):
        raise ValueError("the two models are not of the same outcome in the same rows")
    df = larger.design.parameters - smaller.design.parameters
    if df < 1:
        raise ValueError("the larger model must have more parameters than the smaller one")
    low, high = (
        one.solution.loglik if not one.reml else by_maximum_likelihood(one).solution.loglik
        for one in (smaller, larger)
    )
    statistic = max(2 * (high - low), 0.0)
    return pd.Series({"statistic": statistic, "df": df, "p": special.chdtrc(df, statistic)})


def by_maximum_likelihood(found: Fit) -> Fit:
    """Return a model fitted anew by maximum likelihood."""
    standard = standardise(found.design, reml=False)
    optimum = search.find(standard.likelihood, start=found.optimum.point)
    return Fit(found.design, solution(standard, optimum), standard, optimum)
