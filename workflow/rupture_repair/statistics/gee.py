"""Generalised estimating equations by statsmodels: a sensitivity analysis of logistic models."""

import warnings

import numpy as np

from ..project.arrays import Floats
from ..project.reasons import because
from .design import Design
from .logistic import regression
from .no_result import NoOptimum, NotAssessable
from .solution import Solution

#: Rows with the rarer outcome that each term should have (Peduzzi et al. 1996,
#: doi 10.1016/S0895-4356(96)00236-3); with fewer, equations without solution are no surprise.
PER_TERM = 10


def solve(design: Design, group: str) -> Solution:
    """Fit a logistic model, rows of one group exchangeably correlated.

    Parameters
    ----------
    design : Design
        With an outcome of 0 and 1.
    group : str
        The level whose units are the groups; random effects have no other part in it.

    Returns
    -------
    Solution
        Log odds ratios averaged over groups, with the robust (sandwich) covariance (Liang & Zeger
        1986, doi 10.1093/biomet/73.1.13). There is no likelihood, and no variance of a level.

    Raises
    ------
    ProblemsFound
        For an outcome that is not 0 or 1 (E510).
    NotAssessable
        If the design has no such level, the terms separate the outcome, or the equations have no
        solution and the rarer outcome is rare.
    NoOptimum
        If the equations could not be solved.
    """
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    groups = next((level.codes for level in design.levels if level.factor == group), None)
    if groups is None:
        raise NotAssessable("; ".join([because("no_level", level=group), *design.notes]))
    regression.check_outcome(design)
    regression.check_separation(design)
    columns, back = regression.orthogonal(design)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = GEE(design.outcome, columns, groups, family=Binomial(),
                    cov_struct=Exchangeable())  # fmt: skip
        # Moments without a correction for the number of terms, as R's geepack.
        found = model.fit(maxiter=200, ctol=1e-9, ddof_scale=0)
    covariance = back @ np.asarray(found.cov_robust) @ back.T
    said = "; ".join(sorted({str(one.message) for one in caught}))
    usable = np.isfinite(found.params).all() and np.isfinite(covariance).all()
    if not found.converged or not usable or not (np.diag(covariance) > 0).all():
        rarer, terms = _rarer(design.outcome), len(design.terms)
        if rarer < PER_TERM * terms:
            raise NotAssessable(because("no_solution", rarer=rarer, number=terms))
        raise NoOptimum(because("not_solved", said=said or "no warning"))
    return Solution(
        estimate=back @ np.asarray(found.params),
        covariance=covariance,
        residual=np.nan,
        random=(),
        loglik=np.nan,
        df=None,
        optimiser="statsmodels GEE",
        family="binomial",
    )


def _rarer(outcome: Floats) -> int:
    """Return how many rows have the rarer outcome."""
    return int(min(outcome.sum(), len(outcome) - outcome.sum()))
