"""Rows of the report on fits that failed and models that could not be assessed."""

import pandas as pd

from ..dataset_tables import Material
from ..markdown import code, count, listed, text
from ..rows import Rows, measure_text, one_per_fit


def failed(material: Material, fits: pd.DataFrame) -> Rows:
    """List fits by name with their message."""
    names = material.names()
    return [
        measure_text(material, row)
        | {
            "model": code(row["model"]),
            "variant": row["variant"],
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
    """Group the fits that could not be attempted by their reason."""
    names = material.names()
    fits = fits.assign(message=fits["message"].fillna("no reason given"))
    return [
        {
            "reason": text(reason),
            "fits": count(len(group)),
            "criteria": listed(text(names.get(c, c)) for c in group["criterion"].unique()),
            "models": listed(code(model) for model in group["model"].unique()),
        }
        for reason, group in fits.groupby("message", sort=False)
    ]
