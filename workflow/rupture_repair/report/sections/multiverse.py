"""Rows of the report's section on choices that could have been made otherwise."""

import pandas as pd

from ..dataset_tables import Material
from ..markdown import count, listed, number, p_and_error, percent, status, text
from ..rows import Rows, share_text
from .failures import kind_of

#: Terms of the multiverse, in words.
_EXPOSURES = {"repaired": "after a repaired rupture", "open": "in an open rupture"}


def multiverse(material: Material) -> Rows:
    """Say what the specifications have in common, one row per exposure."""
    if not material.multiverse:
        return []
    return [
        {
            "exposure": _EXPOSURES[row["term"]],
            "fitted": f"{count(row['n_fitted'])} of {count(row['n_specifications'])}",
            "median": number(row["median"]),
            "standardised": f"{number(row['median_standardised'])} "
            f"({number(row['least'])} to {number(row['most'])})",
            "positive": share_text(row, "positive"),
            "negative": share_text(row, "negative"),
            **{
                f"p_{name}": p_and_error(row[f"p_{name}"], row[f"p_error_{name}"])
                for name in ("median", "sign", "significant")
            },
        }
        for row in material.multiverse["summary"].to_dict("records")
    ]


#: Choices of the multiverse, in words.
_CHOICES = {
    "k_factor": "strictness (k)",
    "measure": "alliance measure",
    "variant": "variant of the model",
    "trend": "trend of the exposure",
    "censored": "censored episodes",
    "minimum_sessions": "rated sessions needed",
    "combinations": "combinations of choices",
}


def choices(material: Material) -> Rows:
    """Say how much of the variance of the estimates goes with each choice."""
    if not material.multiverse:
        return []
    table = material.multiverse["choices"]
    shares = table.pivot(index="choice", columns="term", values="share")
    levels = table.drop_duplicates("choice").set_index("choice")["levels"]
    order = shares.drop(index="combinations", errors="ignore").sum(axis=1)
    names = [*order.sort_values(ascending=False, kind="stable").index, "combinations"]
    return [
        {
            "choice": _CHOICES.get(name, name),
            "levels": count(levels[name]),
            **{term: percent(shares.get(term, pd.Series()).get(name)) for term in _EXPOSURES},
        }
        for name in names
        if name in shares.index
    ]


def unfitted(material: Material) -> Rows:
    """Group the specifications without estimate by the kind of their reason."""
    if not material.multiverse:
        return []
    table = material.multiverse["estimates"]
    table = table[table["estimate"].isna()]
    table = table.assign(message=table["message"].map(kind_of, na_action="ignore"))
    names = material.names()
    return [
        {
            "reason": text(reason),
            "status": status(rows["status"].iloc[0]),
            "specifications": count(rows["specification"].nunique()),
            "criteria": listed(text(names.get(c, c)) for c in rows["criterion"].unique()),
        }
        for reason, rows in table.groupby("message", sort=False)
    ]
