"""Separation: terms that tell the outcomes of some rows apart without error.

If a combination of the terms is never below zero in rows with outcome 1, never above zero in rows
with outcome 0, and not zero in all rows, then the likelihood of a logistic model rises along it for
ever, with or without random intercepts, and there is no finite estimate (Albert & Anderson 1984).
Whether there is such a combination is a linear programme (Konis 2007).
"""

import numpy as np
from scipy import optimize

from ...project.arrays import Flags, Floats
from ...project.problems import listing
from ...project.reasons import because
from ..design import Design
from ..no_result import NoOptimum, NotAssessable

#: Combinations below this, of columns with mean square 1, are rounding.
NOTHING = 1e-5

#: Rows in the first programme; rows that its answer contradicts are added.
FIRST_ROWS = 5000


def check(design: Design) -> None:
    """Raise NotAssessable if the fixed terms separate the outcome, naming the fewest terms that do.

    Parameters
    ----------
    design : Design
        With an outcome of 0 and 1.
    """
    apart = told_apart(design.fixed, design.outcome)
    if not apart.any():
        return
    terms = np.array(design.terms)
    needed = np.ones(len(terms), dtype=bool)
    # The direction found by the linear programme is arbitrary and may involve irrelevant terms:
    # drop every term that is not needed, so that only the responsible ones are named.
    for place in reversed(np.flatnonzero(terms != "Intercept")):
        needed[place] = False
        without = told_apart(design.fixed[:, needed], design.outcome)
        needed[place] = not without.any()
        apart = without if without.any() else apart
    named = terms[needed & (terms != "Intercept")]
    facts = {"apart": apart.sum(), "rows": len(apart)}
    raise NotAssessable(because("separation", terms=listing(named), **facts))


def told_apart(columns: Floats, outcome: Floats) -> Flags:
    """Return which rows have an outcome that a combination of the columns tells without error.

    Parameters
    ----------
    columns : ndarray, shape (rows, terms)
        Of full rank.
    outcome : ndarray, shape (rows,)
        0 and 1.

    Returns
    -------
    ndarray of bool, shape (rows,)
        All false if there is no separation.
    """
    if columns.shape[1] == 0:
        return np.zeros(len(columns), dtype=bool)
    orthogonal = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0] * np.sqrt(len(columns))
    # A combination of these rows is what speaks for the outcome that was seen.
    rows = np.where(outcome > 0, 1.0, -1.0)[:, None] * orthogonal
    different = np.unique(rows, axis=0)
    apart = np.zeros(len(different), dtype=bool)
    combination = np.zeros(rows.shape[1])
    while not apart.all():
        more = _combination(different, ~apart)
        if not (different[~apart] @ more > NOTHING).any():
            break
        combination += more
        apart |= different @ more > NOTHING
    return rows @ combination > NOTHING


def _combination(rows: Floats, wanted: Flags) -> Floats:
    """Return the combination that is largest in the rows wanted and nowhere below zero."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, FIRST_ROWS).astype(int))
    while True:
        found = optimize.linprog(
            -rows[wanted].mean(axis=0),
            A_ub=-rows[chosen],
            b_ub=np.zeros(len(chosen)),
            bounds=(-1, 1),
        )
        if found.x is None:
            raise NoOptimum(because("unchecked", said=found.message))
        value = rows @ found.x
        worst = np.argsort(value)[:FIRST_ROWS]
        contradicts = np.setdiff1d(worst[value[worst] < -1e-6], chosen)
        if len(contradicts) == 0:
            return found.x
        chosen = np.union1d(chosen, contradicts)
