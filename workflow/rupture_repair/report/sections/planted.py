"""Planted and found: rows of the section on what is known to be true of a synthetic dataset."""

import itertools
from typing import Any

import pandas as pd

from ...models.definitions import (
    MODELS,
    PROBABLE_CRITERION,
    PROBABLE_VARIANTS,
    REPAIRED_MINUS_OPEN,
)
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, count, interval, number, percent, text
from ..rows import Rows

#: Planted effects in the order of the columns: key of the cell, term.
_TERMS = (
    ("open", "open_within"),
    ("repaired", "repaired_within"),
    ("difference", REPAIRED_MINUS_OPEN),
    ("leaving", "open_prev"),
)


def of_planted(material: Material) -> dict[str, Any]:
    """Return what was planted and what was found of it.

    Keys: shown (the row of the measure and criterion shown), effects (by term; by probabilities
    where the headline rests on them, else of that criterion). Empty where nothing was planted or
    compared.
    """
    measure, criterion = material.shown
    if not material.planted:
        return {}
    table = material.planted["planted_ruptures"]
    own = of_criterion(table[table["status"] == "assessed"], measure, criterion)
    if own.empty:
        return {}
    table = material.planted["planted_effects"]
    probable = of_criterion(table, measure, PROBABLE_CRITERION)
    first = probable[probable["variant"] == MODELS["next_session"].probable[0]]
    effects = of_criterion(table, measure, criterion)
    if len(first):
        effects = pd.concat([first, effects[~effects["term"].isin(dict(_TERMS[:3]).values())]])
    return {
        "shown": own.iloc[0].to_dict() | {"name": material.names()[criterion]},
        "effects": effects.drop_duplicates("term").set_index("term").to_dict("index"),
    }


def planted_ruptures(material: Material) -> Rows:
    """Count, by criterion, planted ruptures that were found and episodes that were not planted.

    Of the measure shown; the others are in the table.
    """
    rows: Rows = []
    names, table = material.names(), material.planted["planted_ruptures"]
    own = table[table["measure"] == material.shown[0]]
    why = (own["status"] != "assessed").any()
    for row in own.to_dict("records"):
        assessed = row["status"] == "assessed"
        cells = {
            "found": _of(row["n_found"], row["n_planted"]),
            "deep": _of(row["n_deep_found"], row["n_deep"]),
            "not_planted": _of(row["n_not_planted"], row["n_episodes"]),
            "ending": _of(row["n_same_ending"], row["n_found"]),
        }
        rows.append(
            {"criterion": text(names[row["criterion"]])}
            | (cells if assessed else dict.fromkeys(cells, "–"))
            | ({"reason": "–" if assessed else text(row["reason"])} if why else {})
        )
    return rows


def _of(part: Any, whole: Any) -> str:
    """Return a count with its whole and its share."""
    if pd.isna(part) or pd.isna(whole):
        return "–"
    share = f" ({percent(part, whole)})" if whole else ""
    return f"{count(part)} of {count(whole)}{share}"


def planted_effects(material: Material) -> Rows:
    """Set the estimates of each criterion against the effects that were planted.

    Of the measure shown; the others are in the table.
    """
    table = material.planted["planted_effects"]
    table = table[table["measure"] == material.shown[0]]
    names, planted = material.names(), dict(zip(table["term"], table["planted"], strict=True))
    rows: Rows = [
        {"criterion": Md("What was planted")}
        | {key: number(planted.get(term)) for key, term in _TERMS}
    ]
    by = table["variant"].where(table["variant"].isin(list(PROBABLE_VARIANTS)), "")
    for criterion, way in itertools.product(names, ("", *PROBABLE_VARIANTS)):
        own = table[(table["criterion"] == criterion) & (by == way)]
        if own.empty:
            continue
        name = f"{names[criterion]}: {way.replace('_', ' ')}" if way else names[criterion]
        by_term = own.drop_duplicates("term").set_index("term").to_dict("index")
        rows.append(
            {"criterion": text(name)} | {key: _estimate(by_term.get(term)) for key, term in _TERMS}
        )
    return rows


def _estimate(row: dict[str, Any] | None) -> str:
    """Return an estimate with its interval, marked where this holds the planted effect."""
    if row is None or pd.isna(row["estimate"]):
        return "–"
    return interval(row) + (" ✓" if row["holds"] is True else "")
