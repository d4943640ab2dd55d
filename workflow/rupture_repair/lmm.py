"""Linear mixed models for sessions in courses in therapists, for people who write Python.

:func:`fit` takes a formula in lme4's notation and a table. The engine is in
:mod:`rupture_repair.statistics.blocks`; its mathematics is explained in
:mod:`rupture_repair.statistics.blocks.likelihood`.
"""

import pandas as pd

from .ingest.formula_words import refuse_two_spellings
from .project.problems import ProblemsFound, problem
from .statistics.blocks import fit as by_blocks
from .statistics.blocks.engine import solve
from .statistics.blocks.fit import Fit, fit_design, likelihood_ratio
from .statistics.blocks.influence import leave_out
from .statistics.blocks.intervals import bootstrap, profile
from .statistics.blocks.replicates import Replicates, draw, of_outcomes
from .statistics.no_result import NoOptimum, NotAssessable

__all__ = [
    "Fit",
    "NoOptimum",
    "NotAssessable",
    "Replicates",
    "bootstrap",
    "draw",
    "fit",
    "fit_design",
    "leave_out",
    "likelihood_ratio",
    "of_outcomes",
    "profile",
    "solve",
]


def fit(
    formula: str,
    data: pd.DataFrame,
    reml: bool = True,
    ar1: str | None = None,
    weights: str | None = None,
) -> Fit:
    """Fit a linear mixed model.

    Parameters
    ----------
    formula : str
        In lme4's notation: ``y ~ x * time + (1 + time | course) + (1 | therapist)``; ``||`` for
        random effects without correlation.
    data : DataFrame, shape (rows, columns)
        One row per observation. Rows with a missing value in a column of the formula are left out,
        and counted in the summary.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    ar1 : str, optional
        Column of session numbers over which the residuals of a course are autocorrelated.
    weights : str, optional
        Column of observation weights.

    Returns
    -------
    Fit
        `terms` (fixed effects with Satterthwaite's degrees of freedom), `variances`, `statistics`,
        `random_effects()`, `predict(table)`, `contrast(weights)` and `summary()`.

    Raises
    ------
    ProblemsFound
        For groups and categories that are written in two ways (E219, E221), a table without rows
        (E302), mistakes in the formula or in the columns that it names
        (E501 to E509, E520), and data that are no table (E719).
    NotAssessable
        If the data cannot answer the question, or the formula has no random part that is left.
    NoOptimum
        If no search ends in an optimum.

    References
    ----------
    Bates et al. (2015), Journal of Statistical Software 67(1), doi 10.18637/jss.v067.i01.

    Examples
    --------
    >>> table = pd.DataFrame({"course": list("aaabbbcccddd"), "time": [0, 1, 2] * 4,
    ...                       "y": [1, 2, 2, 4, 6, 5, 7, 8, 9, 3, 3, 5.]})
    >>> found = fit("y ~ time + (1 | course)", table)
    >>> found.terms[["term", "estimate"]].round(2)
            term  estimate
    0  Intercept      3.83
    1       time      0.75
    """
    if not isinstance(data, pd.DataFrame):
        kind, allowed = type(data).__name__, "a DataFrame of pandas"
        raise ProblemsFound([problem("E719", file="data=", found=kind, allowed=allowed)])
    if data.empty:
        raise ProblemsFound([problem("E302", file="data=", found="the table has no rows")])
    refuse_two_spellings(formula, data)
    return by_blocks.fit(formula, data, reml, ar1, weights)
