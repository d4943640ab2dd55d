"""The outcome of the session after an open or repaired rupture: claims C7 and C9.

Under the criterion whose hidden Markov model is identified they rest on probabilities: on each
variant that :attr:`rupture_repair.models.definitions.Model.must_agree` names. Under other criteria,
and where there is no estimate by probabilities, they rest on the states that the criterion finds.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..models.definitions import MODELS, PROBABLE_CRITERION
from ..project.reasons import because
from ..statistics.no_result import NotAssessable
from .context import Context, Estimate, from_row, row_of

_MODEL = MODELS["next_session"]

#: The variants that must say the same as the first, by the reason that each is named in.
OTHERS = dict(zip(("by_direct", "by_early"), _MODEL.must_agree[1:], strict=True))

_EXPLORATORY = (
    "exploratory, as in simulated studies five sixths of what goes with a repair come back"
)
_OF_FOUND_STATES = (
    "of the states that the criterion finds, which errs: in simulated studies 15 to 62 % of what "
    "goes with an open rupture is left (docs/power.md)"
)


def of_next_outcome(
    term: str, rows_of: Callable[[Context], pd.DataFrame], *, exploratory: bool = False
) -> Callable[[Context], Estimate]:
    """Return the estimand of a term of the model next_session.

    Parameters
    ----------
    term : str
    rows_of : function
        Returns the rows of the variants of the model, in the form of the table of estimates.
    exploratory : bool
        Whether its estimate by probabilities is.
    """

    def estimand(context: Context) -> Estimate:
        context.session_outcome()
        rows = rows_of(context)
        if context.criterion != PROBABLE_CRITERION:
            return _of_found_states(rows, term)
        why_not = _without_probabilities(rows)
        if why_not:
            found = _of_found_states(rows, term)
            note = because("not_by_probabilities", reason=why_not)
            return replace(found, note=f"{note}; {found.note}")
        found = _of_variant(rows, _MODEL.probable[0], term)
        others = {name: _or_none(rows, variant, term) for name, variant in OTHERS.items()}
        caveat = _EXPLORATORY if exploratory else ""
        return replace(found, others=others, caveat=caveat)

    return estimand


def _without_probabilities(rows: pd.DataFrame) -> str | None:
    """Say why there is no estimate by probabilities at all, if so."""
    own = rows[rows["variant"] == _MODEL.probable[0]]
    if own.empty:
        return "no model was fitted"
    return None if own["estimate"].notna().any() else str(own["message"].iloc[0])


def _of_found_states(rows: pd.DataFrame, term: str) -> Estimate:
    """Return the estimate of the states that the criterion finds, and say what is left of it."""
    found = _of_variant(rows, _MODEL.rests_on, term)
    share = row_of(rows, _MODEL.id, _MODEL.rests_on, term).get("expected_share", np.nan)
    known = (
        because("share_left", percent=f"{share:.0%}") if np.isfinite(share) else _OF_FOUND_STATES
    )
    return replace(found, note=known)


def _of_variant(rows: pd.DataFrame, variant: str, term: str) -> Estimate:
    """Return the estimate of a variant, in residual SD of the outcome."""
    row: Mapping[str, Any] = row_of(rows, _MODEL.id, variant, term)  # type: ignore[assignment]
    return from_row(row, float(np.sqrt(row["var_residual"])))


def _or_none(rows: pd.DataFrame, variant: str, term: str) -> Estimate:
    """Return the estimate of a variant; without numbers where it has none, with the reason."""
    try:
        return _of_variant(rows, variant, term)
    except NotAssessable as why:
        return Estimate(np.nan, np.nan, np.nan, note=why.reason)
