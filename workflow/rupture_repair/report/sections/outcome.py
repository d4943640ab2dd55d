"""Rows of the report's section on outcome: effects of rupture and repair by model."""

import math
from typing import Any

import pandas as pd

from ...figures.criteria import forest_rows
from ...models.definitions import (
    MODELS,
    PROBABLE_CRITERION,
    PROBABLE_VARIANTS,
    REPAIRED_MINUS_OPEN,
)
from ...project.processed import of_criterion
from ...statistics.statuses import STATUSES
from ..dataset_tables import Material
from ..markdown import held, interval, number, p_value, percent, status, text
from ..rows import Rows, one_per_fit
from ..terms import in_words, model_in_words, units_of

#: Where each model stands among the others.
_PLACE = {model: place for place, model in enumerate(MODELS)}


#: The estimates of claim C7, and the terms of the model that they are.
TERMS = {"open": "open_within", "repaired": "repaired_within", "difference": REPAIRED_MINUS_OPEN}


def effects(material: Material, pairs: list[dict[str, Any]]) -> Rows:
    """Show the estimates of claim C7 by the states that each criterion finds."""
    several = len(material.estimates["outcome"].dropna().unique()) > 1
    measures = {pair["open"]["measure"] for pair in pairs}
    known = material.estimates[material.estimates["measure"].isin(measures)]
    shared = known["expected_share"].notna().any()
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
            }
            | ({"share": _share(material, open_)} if shared else {})
            | {
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


def _share(material: Material, row: dict[str, Any]) -> str:
    """Return the share of an effect of open ruptures that an estimate of a criterion shows."""
    own = of_criterion(material.estimates, row["measure"], row["criterion"])
    own = own[(own["term"] == TERMS["open"]) & (own["variant"] == row["variant"])]
    known = own.loc[own["outcome"] == row["outcome"], "expected_share"].dropna()
    return percent(known.iloc[0]) if len(known) else "–"


def _difference(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    """Return the estimate of repaired minus open ruptures of a fit; missing where it has none."""
    own = of_criterion(material.estimates, row["measure"], row["criterion"])
    own = own[(own["term"] == REPAIRED_MINUS_OPEN) & (own["variant"] == row["variant"])]
    found = own[own["outcome"] == row["outcome"]].to_dict("records")
    return found[0] if found else dict.fromkeys(("estimate", "ci_low", "ci_high"), math.nan)


def by_probability(material: Material, variant: str) -> dict[str, dict[str, Any]] | None:
    """Return the estimates of claim C7 by probabilities, of the measure shown.

    Parameters
    ----------
    material : Material
    variant : str
        Of the model next_session.

    Returns
    -------
    dict of str to dict, or None
        By the keys of :data:`TERMS`; numbers are missing of a term that has none. None where
        nothing could be estimated.
    """
    own = _probable_rows(material)
    own = own[own["variant"] == variant]
    if own["estimate"].isna().all():
        return None
    first = own.iloc[0].to_dict() | dict.fromkeys(("estimate", "ci_low", "ci_high"), math.nan)
    by_term = own.drop_duplicates("term").set_index("term", drop=False).to_dict("index")
    return {name: by_term.get(term, first) for name, term in TERMS.items()}


def _probable_rows(material: Material) -> pd.DataFrame:
    """Return the rows of the measure shown whose exposures are probabilities."""
    own = of_criterion(material.estimates, material.shown[0], PROBABLE_CRITERION)
    return own[own["variant"].isin(list(PROBABLE_VARIANTS))]


def _why_not_by_probability(material: Material) -> str:
    """Say why nothing could be estimated by probabilities."""
    found = of_criterion(material.detected.detection, material.shown[0], PROBABLE_CRITERION)
    if found.empty:
        return f"the criterion {PROBABLE_CRITERION} is not among those that were applied"
    if not found["assessable"].iloc[0]:
        return str(found["reason"].iloc[0])
    rows = _probable_rows(material)
    return str(rows["message"].iloc[0]) if len(rows) else "its models were not fitted"


def of_effects(material: Material) -> dict[str, Any]:
    """Return the estimates of claim C7.

    Keys: rows (forest_rows as list of pairs by criterion: repaired, open, and their difference),
    variant (of these), shown (what the headline rests on, by the keys of :data:`TERMS`: by
    probabilities, total, where these could be estimated, else of the criterion shown; None where
    there is neither), direct (the same beyond the rating, by probabilities only), by_probability
    (whether shown is), why_not (why it is not), estimated (whether shown has an estimate), any
    (whether any criterion has), final (term -> estimate of the model of the last outcome), models
    (number of fits), status (status -> number of fits), fitted (model -> variants with a result),
    without_df (whether the models of the next outcome have no degrees of freedom).
    """
    rows = forest_rows(material.estimates, material.detected.detection).to_dict("records")
    pairs = [
        {"repaired": repaired, "open": open_, "difference": _difference(material, open_)}
        for repaired, open_ in zip(rows[::2], rows[1::2], strict=True)
    ]
    own = [
        one for one in pairs if (one["open"]["measure"], one["open"]["criterion"]) == material.shown
    ]
    total, direct = (by_probability(material, one) for one in MODELS["next_session"].probable)
    shown = total or next(iter(own), None)
    fits = one_per_fit(material.estimates)
    estimated = material.estimates[material.estimates["estimate"].notna()]
    mixed = estimated[estimated["model"] == "next_session"]
    fitted = estimated.groupby("model", sort=False)["variant"].unique()
    return {
        "rows": pairs,
        "variant": next((one["open"]["variant"] for one in own), None),
        "shown": shown,
        "direct": direct if total else None,
        "by_probability": total is not None,
        "why_not": None if total else _why_not_by_probability(material),
        "any": not mixed.empty,
        "final": _final(estimated, material),
        "estimated": shown is not None and any(pd.notna(one["estimate"]) for one in shown.values()),
        "models": len(fits),
        "status": {word: int((fits["status"] == word).sum()) for word in STATUSES},
        "fitted": {str(model): list(variants) for model, variants in fitted.items()},
        "without_df": bool(len(mixed)) and bool(mixed["df"].isna().all()),
    }


def _final(estimated: pd.DataFrame, material: Material) -> dict[str, dict[str, Any]]:
    """Return the estimates of the model of the last outcome, by term."""
    own = of_criterion(estimated, *material.shown)
    final = own[own["model"] == "final"].drop_duplicates("term").set_index("term")
    wanted = [term for term in ("n_repaired", "n_unrepaired") if term in final.index]
    return {term: final.loc[term].to_dict() for term in wanted}
