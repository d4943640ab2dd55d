"""How far the estimates depend on single therapists, or on groups of courses."""

from collections.abc import Iterable

import pandas as pd

from ...project.arrays import Integers
from ..design import restricted
from ..no_result import NoOptimum, NotAssessable
from .fit import Fit, fit_design

_COLUMNS = ("cluster", "term", "estimate", "std_error", "ci_low", "ci_high", "message")


def leave_out(found: Fit, cluster: Integers, which: Iterable[int]) -> pd.DataFrame:
    """Fit a model anew without each of some clusters of rows, variances included.

    Parameters
    ----------
    found : Fit
        Of all rows.
    cluster : ndarray of int, shape (rows,)
        Cluster of each row analysed; all rows of a course should be of one.
    which : iterable of int
        The clusters to leave out, one at a time.

    Returns
    -------
    DataFrame
        One row per cluster and term that can be estimated without it: `cluster`, `term`,
        `estimate`, `std_error`, `ci_low`, `ci_high` (Satterthwaite, 95 %), `message`. One row
        without a term, and with the reason in `message`, where the model cannot be fitted without
        a cluster.
    """
    tables = []
    for one in which:
        try:
            rest = restricted(found.design, cluster != one)
            if not rest.levels:
                raise NotAssessable("; ".join(["the model has no random part", *rest.notes]))
            terms = fit_design(rest, found.reml, start=found.optimum.point).terms
        except (NotAssessable, NoOptimum) as reason:
            terms = pd.DataFrame({"term": [None], "message": [reason.reason]})
        tables.append(terms.assign(cluster=one))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return table.reindex(columns=list(_COLUMNS))
