"""Rows of the report's section on outcome: effects of rupture and repair by model."""

import math
from typing import Any

import pandas as pd

from ...figures.criteria import forest_rows
from ...models.definitions import MODELS, PROBABLE_VARIANTS, REPAIRED_MINUS_OPEN
from ...project.processed import of_criterion
from ...statistics.statuses import STATUSES
from ..dataset_tables import Material
from ..markdown import held, interval, number, p_value, status, text
from ..rows import Rows, one_per_fit
from ..terms import in_words, model_in_words, units_of

#: Where each model stands among the others.
_PLACE = {model: place for place, model in enumerate(MODELS)}


def effects(material: Material, pairs: list[dict[str, Any]]) -> Rows:
    """Show the estimates of claim C7: repaired and open ruptures, next outcome."""
    several = len(material.estimates["outcome"].dropna().unique()) > 1
    rows = []
    for pair in pairs:
        repaired, open_ = pair["repaired"], pair["open"]
        outcome = _label(material, open_["outcome"])
        fitted = open_["status"] in ("converged", "singular")
        rows.append(
            {"criterion": text(open_["name"])}
            | ({"outcome": text(outcome)} if several else {})
            | {
                "repaired": interval(repaired),
                "open": interval(open_),
                "difference": interval(pair["difference"]),
                "n": held(open_["n_sessions"]) if fitted else "–",
                "courses": held(open_["n_courses"]) if fitted else "–",
                "status": status(open_["status"]),
            }
        )
    return rows


def _label(material: Material, outcome: Any) -> str:
    """Return the label of an outcome measure, a dash where there is none."""
    return material.dataset.measures[outcome].label if outcome in material.dataset.measures else "–"


def other_models(material: Material) -> Rows:
    """Show what the other models and variants say of the measure and criterion shown.

    Effects by probabilities are shown whatever the criterion.
    """
    measure, criterion = material.shown
    table = material.estimates
    probable = table["variant"].isin(list(PROBABLE_VARIANTS)) & (table["measure"] == measure)
    own = pd.concat([of_criterion(table[~probable], measure, criterion), table[probable]])
    own = own.sort_index().sort_values("model", key=lambda one: one.map(_PLACE), kind="stable")
    about_rupture = own["term"].fillna("").str.contains("repaired|open|group", regex=True)
    several = len(table["outcome"].dropna().unique()) > 1
    chosen = own[
        (about_rupture & ~own["term"].fillna("").str.contains("_between")) | own["term"].isna()
    ]
    rows = []
    for row in chosen.to_dict("records"):
        outcome = _label(material, row["outcome"])
        cells = {
            "model": model_in_words(row["model"]),
            "variant": row["variant"].replace("_", " "),
            **({"outcome": text(outcome)} if several else {}),
            "term": in_words(row["term"]) if pd.notna(row["term"]) else "–",
            "estimate": interval(row),
            "units": _units(row),
            **({"df": number(row["df"], 1)} if chosen["df"].notna().any() else {}),
            "p": p_value(row["p"]),
            "n": _rows_of(row, "n_sessions"),
            "courses": _rows_of(row, "n_courses"),
            "status": status(row["status"]),
        }
        rows.append(cells)
    return rows


def _units(row: dict[str, Any]) -> str:
    """Return the units of an estimate, a dash where there is none."""
    return "–" if pd.isna(row["term"]) else units_of(row["model"], row["variant"], row["term"])


def _rows_of(row: dict[str, Any], name: str) -> str:
    """Return what a fit rests on: a dash where it has no result, or its rows are no sessions."""
    of_sessions = name != "n_sessions" or MODELS[row["model"]].rows == "session"
    return held(row[name]) if pd.notna(row["term"]) and of_sessions else "–"


def _difference(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    """Return the estimate of repaired minus open ruptures of a fit; missing where it has none."""
    own = of_criterion(material.estimates, row["measure"], row["criterion"])
    own = own[(own["term"] == REPAIRED_MINUS_OPEN) & (own["variant"] == row["variant"])]
    found = own[own["outcome"] == row["outcome"]].to_dict("records")
    return found[0] if found else dict.fromkeys(("estimate", "ci_low", "ci_high"), math.nan)


def of_effects(material: Material) -> dict[str, Any]:
    """Return the estimates of claim C7.

    Keys: rows (forest_rows as list of pairs: repaired, open, and their difference), variant (of
    the pair shown), shown (the pair of the measure and criterion shown, or None), estimated
    (whether that has an estimate), any (whether any pair has), final (term -> estimate of the
    model of the last outcome), models (number of fits), status (status -> number of fits), fitted
    (model -> variants with a result), without_df (whether the models of the next outcome have no
    degrees of freedom).
    """
    rows = forest_rows(material.estimates, material.detected.detection).to_dict("records")
    pairs = [
        {"repaired": repaired, "open": open_, "difference": _difference(material, open_)}
        for repaired, open_ in zip(rows[::2], rows[1::2], strict=True)
    ]
    measure, criterion = material.shown
    wanted = [
        p for p in pairs if (p["open"]["measure"], p["open"]["criterion"]) == (measure, criterion)
    ]
    fits = one_per_fit(material.estimates)
    table = material.estimates
    estimated = table[table["estimate"].notna()]
    mixed = estimated[estimated["model"] == "next_session"]
    own = of_criterion(estimated, measure, criterion)
    final = own[own["model"] == "final"].drop_duplicates("term").set_index("term")
    fitted = estimated.groupby("model", sort=False)["variant"].unique()
    shown = wanted[0] if wanted else None
    return {
        "rows": pairs,
        "variant": shown["open"]["variant"] if shown else None,
        "shown": shown,
        "any": not mixed.empty,
        "final": {
            term: final.loc[term].to_dict()
            for term in ("n_repaired", "n_unrepaired")
            if term in final.index
        },
        "estimated": shown is not None and any(pd.notna(one["estimate"]) for one in shown.values()),
        "models": len(fits),
        "status": {word: int((fits["status"] == word).sum()) for word in STATUSES},
        "fitted": {str(model): list(variants) for model, variants in fitted.items()},
        "without_df": bool(len(mixed)) and bool(mixed["df"].isna().all()),
    }
