"""Rows of the report on fits that failed and models that could not be assessed."""

import pandas as pd

from ...project.reasons import reads_as
from ..dataset_tables import Material
from ..markdown import count, listed, text
from ..rows import Rows, measure_text, one_per_fit
from ..terms import model_in_words

_TOO_FEW = "too few events, courses or sessions for the terms of the model"
_NOTHING = (
    "there is nothing to compare: the exposures are constant, or a combination of other terms"
)

#: Reasons that differ in numbers and terms only, and what they have in common.
_KINDS = {
    "separation": "separation: a term tells the outcome without error, so that no finite "
    "estimate exists",
    "too_few_events": _TOO_FEW,
    "too_few_units": _TOO_FEW,
    "there is nothing to compare": _NOTHING,
    "aliased": _NOTHING,
}


def kind_of(reason: str) -> str:
    """Return what a reason has in common with others of its kind.

    Examples
    --------
    >>> kind_of("too few events: 8 in 11 rows for 3 terms")
    'too few events, courses or sessions for the terms of the model'
    >>> kind_of("the ratings do not vary")
    'the ratings do not vary'
    """
    return next((kind for name, kind in _KINDS.items() if reads_as(reason, name)), reason)


def failed(material: Material, fits: pd.DataFrame) -> Rows:
    """List fits by name with their message."""
    names = material.names()
    return [
        measure_text(material, row)
        | {
            "model": model_in_words(row["model"]),
            "variant": row["variant"].replace("_", " "),
            "criterion": text(names.get(row["criterion"], row["criterion"])),
            "message": text(row["message"] if pd.notna(row["message"]) else "no message"),
        }
        for row in fits.to_dict("records")
    ]


def fits(material: Material) -> dict[str, pd.DataFrame]:
    """Return the fits without result, one row each: failed, and not assessable."""
    each = one_per_fit(material.estimates)
    return {word: each[each["status"] == word] for word in ("failed", "not_assessable")}


def not_assessable(material: Material, fits: pd.DataFrame) -> Rows:
    """Group the fits that could not be attempted by the kind of their reason."""
    names = material.names()
    fits = fits.assign(message=fits["message"].fillna("no reason given").map(kind_of))
    return [
        {
            "reason": text(reason),
            "fits": count(len(group)),
            "criteria": listed(text(names.get(c, c)) for c in group["criterion"].unique()),
            "models": listed(model_in_words(model) for model in group["model"].unique()),
        }
        for reason, group in fits.groupby("message", sort=False)
    ]
