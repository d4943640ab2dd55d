"""Fit one formula: tidy rows and a status, whatever happens.

The interface behind which the engines are. An engine takes the matrices of a design and returns
estimates; here they become rows of the table of estimates, with intervals, variance components,
explained variance, and what has to be said about them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..project.parallel import one_thread
from ..project.reasons import because
from . import design, gee, statsmodels_engine
from .blocks.engine import solve
from .design import Design
from .logistic import regression
from .no_result import NoOptimum, NotAssessable
from .solution import Solution, explained, information_criteria, wald

#: Engines by their name in config.yaml (`models.engine`): a function of a design and of `reml`.
ENGINES: dict[str, Callable[[Design, bool], Solution]] = {
    "blocks": solve,
    "statsmodels": statsmodels_engine.solve,
}

#: Points of adaptive quadrature of logistic models: one (Laplace) is biased in small units.
QUADRATURE_POINTS = 7

#: With fewer groups the robust errors of estimating equations are too small (Mancl & DeRouen 2001,
#: doi 10.1111/j.0006-341X.2001.00126.x).
FEW_GROUPS = 40

#: What identifies a fit in the table of estimates.
KEYS = ("dataset", "measure", "outcome", "criterion", "model", "variant")

_TERM = (
    *("term", "estimate", "std_error", "df", "statistic", "p", "ci_low", "ci_high"),
    "standardised",
)
_COUNTS = ("n_sessions", "n_courses", "n_therapists", "n_episodes")
_NUMBERS = (
    *("var_course", "var_course_slope", "var_therapist", "var_residual"),
    *("icc_course", "icc_therapist", "r2_marginal", "r2_conditional", "loglik", "aic", "bic"),
    "rho",
)
_STATUS = ("engine", "optimiser", "status", "converged", "singular", "message")

#: Columns of a fit, and of the table of estimates.
TERM_COLUMNS = (*_TERM, *_COUNTS, *_NUMBERS, *_STATUS)
COLUMNS = (*KEYS, *_TERM, "expected_share", *_COUNTS, *_NUMBERS, *_STATUS)

_NO_DF = "no degrees of freedom from this engine: z statistic and normal interval"


@dataclass(frozen=True)
class FormulaFit:
    """What became of a formula on a table.

    Attributes
    ----------
    formula : str
    rows : dict of str to list or scalar
        The columns of `terms`: one entry per term, or one for all.
    status : {"converged", "singular", "failed", "not_assessable"}
    message : str
        Notes on what was left out, what lies on the boundary, why there is no result.
    notes : tuple of str
        What was left out of the model or the data, and why.
    covariances : dict of str to DataFrame
        Covariance of the random effects of each level, in the units of the data.
    attempts : tuple of str
        Attempts of optimisers that failed before the one that is reported.
    """

    formula: str
    rows: dict[str, Any]
    status: str
    message: str
    notes: tuple[str, ...] = ()
    covariances: dict[str, pd.DataFrame] = field(default_factory=dict)
    attempts: tuple[str, ...] = ()

    @cached_property
    def terms(self) -> pd.DataFrame:
        """One row per term, with the columns of the table of estimates from `term` on.

        One row without a term if there is no result.
        """
        return typed([self.rows], TERM_COLUMNS)

    def row(self, term: str) -> dict[str, Any] | None:
        """Return the columns of `terms` for one term, None where the fit does not have it."""
        names = list(self.rows["term"])
        if term not in names:
            return None
        return {
            column: value[names.index(term)] if _has_many(value) else value
            for column, value in self.rows.items()
        }

    def without(self, terms: Collection[str]) -> "FormulaFit":
        """Return the fit without the rows of some terms."""
        kept = [place for place, term in enumerate(self.rows["term"]) if term not in terms]
        rows = {
            column: [value[place] for place in kept] if _has_many(value) else value
            for column, value in self.rows.items()
        }
        return replace(self, rows=rows)

    def noted(self, *notes: str) -> "FormulaFit":
        """Return the fit with further notes in front of its message."""
        message = "; ".join(note for note in (*notes, self.message) if note)
        return replace(self, message=message, rows=self.rows | {"message": message})


def fit(
    formula: str,
    table: pd.DataFrame,
    *,
    reml: bool = True,
    engine: str = "blocks",
    ar1: str | None = None,
    family: str = "gaussian",
    contrasts: Mapping[str, Mapping[str, float]] | None = None,
) -> FormulaFit:
    """Fit a linear or logistic (mixed) model.

    Parameters
    ----------
    formula : str
        In lme4's notation: ``y ~ x * time + (1 + time | course) + (1 | therapist)``.
    table : DataFrame
        One row per observation.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    engine : str
        Key of :data:`ENGINES`.
    ar1 : str, optional
        Column of session numbers over which the residuals of a course are autocorrelated.
    family : {"gaussian", "binomial"}
        With binomial a logistic model with one random intercept, by adaptive quadrature with
        :data:`QUADRATURE_POINTS` points; the engine is then the project's own, and `reml` has
        no meaning.
    contrasts : mapping of str to mapping, optional
        Name -> weights of terms: linear combinations that follow the terms as rows of their own,
        without `standardised`; those of terms that were left out are left out too.

    Returns
    -------
    FormulaFit
        `estimate` and `std_error` in the units of the data; `ci_low`, `ci_high` at 95 %.
        `estimate` of a logistic model are log odds ratios, with `statistic` z.
        `df` are Satterthwaite's by the engine blocks and missing by statsmodels, where `statistic`
        is z; without a random part they are exact. `standardised` is estimate x sd(term) /
        sd(outcome), of a logistic model estimate x sd(term).
        `var_course` is the variance of course intercepts where the slope's column is zero.
        Intraclass correlations and R2 (Nakagawa & Schielzeth 2013; with random slopes Johnson
        2014, doi 10.1111/2041-210X.12225) take each level's variance as its mean over the rows;
        the former are adjusted: without the variance of the fixed part. `aic` counts parameters as
        lme4 does.

    Raises
    ------
    ProblemsFound
        For mistakes in the formula or the columns that it names (E501 to E509), and for what the
        engine does not support (E504, E505).

    Examples
    --------
    >>> table = pd.DataFrame({"x": range(9), "y": [1, 2, 2, 4, 6, 5, 7, 8, 8]})
    >>> fit("y ~ x", table).terms[["term", "estimate"]].round(2).to_numpy().tolist()
    [['Intercept', 0.98], ['x', 0.95]]
    """
    try:
        # The matrices are small: threads of the linear algebra would only get in each other's
        # way (measured on two busy cores: two to three times slower).
        with one_thread():
            matrices = design.build(formula, table, ar1=ar1)
            if family == "binomial":
                engine = "logistic"
                regression.check_outcome(matrices)
                _check_events(matrices)
                solution: Solution = regression.solve(matrices, QUADRATURE_POINTS)
            else:
                check_information(matrices)
                solution = ENGINES[engine](matrices, reml)
    except NotAssessable as reason:
        return without_result(formula, "not_assessable", reason.reason, engine)
    except NoOptimum as reason:
        return without_result(formula, "failed", reason.reason, engine)
    return of_solution(formula, matrices, solution, engine, contrasts)


def fit_gee(formula: str, table: pd.DataFrame, group: str) -> FormulaFit:
    """Fit a logistic model by generalised estimating equations, exchangeable within groups.

    Parameters
    ----------
    formula : str
        Its random part is left out: the association within groups replaces it.
    table : DataFrame
        One row per observation.
    group : str
        Column that names the groups.

    Returns
    -------
    FormulaFit
        Log odds ratios averaged over groups, with robust errors; `statistic` is z.

    Raises
    ------
    ProblemsFound
        As :func:`fit`.
    """
    try:
        with one_thread():
            matrices = design.build(formula, table)
            regression.check_outcome(matrices)
            _check_events(matrices)
            solution = gee.solve(matrices, group)
            groups = matrices.counts[group]
            matrices = replace(matrices, levels=())
    except NotAssessable as reason:
        return without_result(formula, "not_assessable", reason.reason, "gee")
    except NoOptimum as reason:
        return without_result(formula, "failed", reason.reason, "gee")
    few = because("few_groups", groups=groups, needed=FEW_GROUPS)
    return of_solution(formula, matrices, solution, "gee").noted(
        *([few] if groups < FEW_GROUPS else [])
    )


def _check_events(matrices: Design) -> None:
    """Raise where a logistic model has fewer events, or fewer other rows, than terms."""
    events = int((matrices.outcome > 0).sum())
    rarer = min(events, len(matrices.outcome) - events)
    if rarer <= len(matrices.terms):
        facts = {"rows": len(matrices.outcome), "number": len(matrices.terms)}
        raise NotAssessable(because("too_few_events", events=events, **facts))


def check_information(matrices: Design) -> None:
    """Raise where the data hold less than a linear model asks for.

    Raises
    ------
    NotAssessable
        With the reason.
    """
    if matrices.courses <= matrices.parameters:
        unit = "courses" if "course" in matrices.counts else "units"
        facts = {"found": matrices.courses, "number": matrices.parameters}
        raise NotAssessable(because("too_few_units", units=unit, **facts))
    outcome = matrices.outcome - matrices.outcome.mean()
    rest = outcome - matrices.fixed @ np.linalg.lstsq(matrices.fixed, outcome)[0]
    if rest @ rest < 1e-16 * (outcome @ outcome):
        raise NotAssessable("the terms explain the outcome completely, nothing is left to estimate")
    for level in matrices.levels[:1]:
        means = np.bincount(level.codes, outcome) / np.bincount(level.codes)
        within = outcome - means[level.codes]
        if within @ within < 1e-16 * (outcome @ outcome):
            raise NotAssessable(because("none_within", level=level.factor))


def of_solution(
    formula: str,
    matrices: Design,
    solution: Solution,
    engine: str,
    contrasts: Mapping[str, Mapping[str, float]] | None = None,
) -> FormulaFit:
    """Return the tidy rows of what an engine found.

    Parameters
    ----------
    formula : str
    matrices : Design
    solution : Solution
    engine : str
        Its name.
    contrasts : mapping of str to mapping, optional
        As for :func:`fit`.

    Returns
    -------
    FormulaFit
        As :func:`fit`.
    """
    status = "singular" if solution.zero else "converged"
    notes = [because("singular", reason="; ".join(solution.zero))] if solution.zero else []
    without_df = solution.df is None and solution.family == "gaussian"
    message = "; ".join([*notes, *matrices.notes, *([_NO_DF] if without_df else [])])
    columns = _columns(matrices, solution, contrasts or {})
    facts = _counts(matrices) | _variances(matrices, solution)
    facts |= {"loglik": solution.loglik, "rho": solution.rho}
    facts["aic"], facts["bic"] = information_criteria(matrices, solution)
    facts |= {"engine": engine, "optimiser": solution.optimiser, "status": status}
    facts |= {"converged": True, "singular": bool(solution.zero), "message": message}
    covariances = {
        level.factor: pd.DataFrame(covariance, index=level.names, columns=level.names)
        for level, covariance in zip(matrices.levels, solution.random, strict=True)
    }
    return FormulaFit(
        formula, columns | facts, status, message, matrices.notes, covariances, solution.attempts
    )


def _columns(
    matrices: Design, solution: Solution, contrasts: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return what differs between terms, and between contrasts of them: one entry for each."""
    # Log odds ratios have no units of the outcome.
    scale = matrices.outcome.std(ddof=1) if solution.family == "gaussian" else 1.0
    spread = matrices.fixed.std(axis=0, ddof=1) / scale
    varies = np.array(matrices.terms) != "Intercept"
    columns = {"term": list(matrices.terms)} | wald(solution)
    columns["standardised"] = np.where(varies, solution.estimate * spread, np.nan)
    known = {name: of for name, of in contrasts.items() if set(of) <= set(matrices.terms)}
    if not known:
        return columns
    weights = np.array([[of.get(term, 0.0) for term in matrices.terms] for of in known.values()])
    more = {"term": list(known)} | wald(solution.combined(weights))
    more["standardised"] = np.full(len(known), np.nan)
    return {name: [*value, *more[name]] for name, value in columns.items()}


def _counts(matrices: Design) -> dict[str, Any]:
    """Return the numbers of rows, courses and therapists analysed."""
    return {
        "n_sessions": len(matrices.outcome),
        "n_courses": matrices.courses,
        "n_therapists": matrices.counts.get("therapist"),
    }


def _variances(matrices: Design, solution: Solution) -> dict[str, float]:
    """Return variance components, adjusted intraclass correlations and R2."""
    facts: dict[str, float] = {"var_residual": solution.residual}
    places = _places(matrices)
    for place, level, covariance in zip(places, matrices.levels, solution.random, strict=True):
        for effect, variance in zip(level.names, np.diag(covariance), strict=True):
            slope = "" if effect == "Intercept" else "_slope"
            facts.setdefault(f"var_{place}{slope}", float(variance))
    shares = explained(matrices, solution)
    for place, level in zip(places, matrices.levels, strict=True):
        icc = shares[f"icc:{level.factor}"]
        facts[f"icc_{place}"] = facts.get(f"icc_{place}", 0.0) + icc
    return facts | {name: shares[name] for name in ("r2_marginal", "r2_conditional")}


def _places(matrices: Design) -> list[str]:
    """Return where the table of estimates has each level: under course, or under therapist."""
    return [
        "course" if level is matrices.levels[0] and level.factor != "therapist" else "therapist"
        for level in matrices.levels
    ]


def without_result(formula: str, status: str, message: str, engine: str) -> FormulaFit:
    """Return the one row of a model without result."""
    facts = {"engine": engine, "status": status, "message": message}
    row = {"term": [None], **facts, "converged": False, "singular": False}
    return FormulaFit(formula, row, status, message)


def _has_many(value: Any) -> bool:
    """Tell whether a column of the rows of a fit has an entry per term."""
    return isinstance(value, (list, tuple, np.ndarray))


def typed(parts: list[dict[str, Any]], columns: tuple[str, ...] = COLUMNS) -> pd.DataFrame:
    """Return rows as a table with the given columns and the same types whatever is in them."""
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    for part in parts:
        length = len(part["term"])
        for column, cell in cells.items():
            value = part.get(column)
            cell.extend(list(value) if _has_many(value) else [value] * length)  # type: ignore[arg-type]
    table = pd.DataFrame(cells)
    types = dict.fromkeys((*_TERM[1:], "expected_share", *_NUMBERS), "float64")
    types |= dict.fromkeys(_COUNTS, "Int64") | {"converged": "bool", "singular": "bool"}
    types = {column: types.get(column, "str") for column in columns}
    return table.astype(types)
