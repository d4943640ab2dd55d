"""Separation: terms that tell the outcomes of some rows apart without error.

If a combination of the terms is never below zero in rows with outcome 1, never above zero in rows
with outcome 0, and not zero in all rows, then the likelihood of a logistic model rises along it for
ever, with or without random intercepts, and there is no finite estimate (Albert & Anderson 1984).
Whether there is such a combination is a linear programme (Konis 2007).
"""

import numpy as np
from scipy import optimize

from .design import Design, Floats, NotAssessable
from .problems import listing

#: Parts of a combination below this, with columns of spread 1, are rounding.
NOTHING = 1e-5

#: Rows in the first programme; rows that its answer contradicts are added.
FIRST_ROWS = 5000


def check(design: Design) -> None:
    """Raise NotAssessable if the fixed terms separate the outcome, naming the terms.

    Parameters
    ----------
    design : Design
        With an outcome of 0 and 1.
    """
    centred = design.fixed.copy()
    if "Intercept" in design.terms:
        others = np.array(design.terms) != "Intercept"
        centred[:, others] -= centred[:, others].mean(axis=0)
    columns = centred / np.sqrt((centred**2).mean(axis=0))
    signed = np.where(design.outcome > 0, 1.0, -1.0)[:, None] * columns
    direction = separating(signed)
    if direction is None:
        return
    terms = [
        term
        for term, part in zip(design.terms, direction, strict=True)
        if abs(part) > NOTHING and term != "Intercept"
    ]
    apart = int((signed @ direction > NOTHING).sum())
    raise NotAssessable(
        f"separation in {listing(terms or ['Intercept'])}: the outcome of {apart} of "
        f"{len(signed)} rows follows from these terms without error, so that no finite estimate "
        "exists; merge rare categories or leave a term out"
    )


def separating(signed: Floats) -> Floats | None:
    """Return a direction along which no row is less likely and some are more, or None.

    Parameters
    ----------
    signed : ndarray, shape (rows, terms)
        Columns of spread 1, with the opposite sign in rows with outcome 0.

    Returns
    -------
    ndarray or None
    """
    different = np.unique(signed, axis=0)
    # Evenly over the sorted rows; what is left out is looked at below.
    chosen = np.unique(np.linspace(0, len(different) - 1, FIRST_ROWS).astype(int))
    while True:
        rows = different[chosen]
        found = optimize.linprog(
            -different.mean(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1)
        )
        direction = found.x
        gain = different @ direction
        contradicts = np.flatnonzero(gain < -1e-6)
        contradicts = np.setdiff1d(contradicts[np.argsort(gain[contradicts])[:FIRST_ROWS]], chosen)
        if len(contradicts) == 0:
            return direction if gain.max() > NOTHING else None
        chosen = np.union1d(chosen, contradicts)
