"""A model of any kind fitted to a table: linear or logistic, with random effects or without."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..ingest.formula_words import refuse_two_spellings
from ..project.arrays import Floats
from ..project.parallel import one_thread
from ..project.problems import ProblemsFound, problem
from ..statistics import design, printed
from ..statistics.blocks.fit import fit_design
from ..statistics.design import Design
from ..statistics.formula_calls import rewrite
from ..statistics.logistic import regression
from ..statistics.no_result import NoOptimum, NotAssessable
from ..statistics.solution import Solution, least_squares

#: What the outcome can be said to be.
FAMILIES = ("gaussian", "binomial")


@dataclass(frozen=True)
class FittedModel:
    """A fitted model of any kind.

    Attributes
    ----------
    design : Design
    solution : Solution
    method : str
        How it was fitted, in words.
    residuals : ndarray, shape (rows,), or None
        Outcome minus fitted values; None of a logistic model.
    """

    design: Design
    solution: Solution
    method: str
    residuals: Floats | None = None

    def as_rows(self) -> pd.DataFrame:
        """Return one table, see :func:`rupture_repair.statistics.printed.as_rows`."""
        return printed.as_rows(self.design, self.solution)

    def summary(self) -> printed.Summary:
        """Return text like lme4's summary."""
        text = printed.as_text(self.design, self.solution, self.method, self.residuals)
        return printed.Summary(text)


def fit_formula(
    formula: str,
    data: pd.DataFrame,
    *,
    reml: bool = True,
    ar1: str | None = None,
    weights: str | None = None,
    family: str = "gaussian",
    quadrature_points: int = 1,
) -> FittedModel:
    """Fit a linear or logistic model, with random effects or without.

    Parameters
    ----------
    formula : str
        In lme4's notation.
    data : DataFrame, shape (rows, columns)
        One row per observation. Rows with a missing value in a column of the formula are left out,
        and counted.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood, of a linear model.
    ar1, weights : str, optional
        Columns of session numbers over which residuals are autocorrelated, and of observation
        weights, of a linear model.
    family : {"gaussian", "binomial"}
    quadrature_points : int
        Of a logistic mixed model; 1 is Laplace's approximation.

    Returns
    -------
    FittedModel

    Raises
    ------
    ProblemsFound
        For words that are written in two ways (E219, E221), mistakes in the formula or the columns
        (E501 to E520), arguments that do not go together (E521), and a model that the data cannot
        answer (E522) or that could not be fitted (E523).

    Examples
    --------
    >>> table = pd.DataFrame({"left": [0, 0, 1, 0, 1, 1, 0, 1], "x": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> fitted = fit_formula("left ~ x", table, family="binomial")
    >>> fitted.as_rows()["estimate"].round(2)[:2].tolist()
    [-1.1, 2.2]
    """
    _check_arguments(formula, reml, ar1, weights, family, quadrature_points)
    if family == "binomial" and rewrite(formula).offsets:
        facts: dict[str, Any] = {"found": "offset()", "allowed": "terms that are estimated"}
        raise ProblemsFound([problem("E505", key=formula, engine="for logistic models", **facts)])
    refuse_two_spellings(formula, data)
    try:
        with one_thread():
            made = design.build(formula, data, ar1=ar1, weights=weights)
            if family == "binomial":
                return _logistic(made, quadrature_points)
            return _linear(made, reml)
    except NotAssessable as reason:
        raise ProblemsFound([problem("E522", key=formula, found=str(reason))]) from None
    except NoOptimum as reason:
        raise ProblemsFound([problem("E523", key=formula, found=str(reason))]) from None


def _check_arguments(
    formula: str,
    reml: bool,
    ar1: str | None,
    weights: str | None,
    family: str,
    quadrature_points: int,
) -> None:
    """Refuse arguments that cannot be used (E719) or do not go together (E521)."""
    if family not in FAMILIES:
        allowed = ", ".join(FAMILIES)
        raise ProblemsFound([problem("E719", file="family=", found=family, allowed=allowed)])
    if quadrature_points < 1:
        number: dict[str, Any] = {"found": quadrature_points, "allowed": "a whole number from 1"}
        raise ProblemsFound([problem("E719", file="quadrature_points=", **number)])
    logistic = family == "binomial"
    wrong = {
        "ar1": logistic and ar1 is not None,
        "weights": logistic and weights is not None,
        "reml": logistic and not reml,
        "quadrature_points": not logistic and quadrature_points != 1,
    }
    found = [
        problem("E521", file=f"{argument}=", found=family, formula=formula)
        for argument, refused in wrong.items()
        if refused
    ]
    if found:
        raise ProblemsFound(found)


def _logistic(made: Design, points: int) -> FittedModel:
    method = (
        "maximum likelihood" if not made.levels
        else "Laplace's approximation" if points == 1
        else f"adaptive Gauss-Hermite quadrature ({points} points)"
    )  # fmt: skip
    return FittedModel(made, regression.solve(made, points), method)


def _linear(made: Design, reml: bool) -> FittedModel:
    if made.levels or made.position is not None:
        fitted = fit_design(made, reml)
        found: Solution = fitted.solution
        residuals = fitted.residuals()
    else:
        found = least_squares(made, reml)
        residuals = made.outcome - made.fixed @ found.estimate
    return FittedModel(made, found, printed.method_in_words(made, reml), residuals)
