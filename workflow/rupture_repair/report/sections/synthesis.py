"""Rows of the tables across datasets."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ...models.definitions import MODELS
from ..markdown import code, count, held, interval, number, p_value, percent, text
from ..rows import Rows
from ..terms import in_words


def shown(table: pd.DataFrame, criterion: str) -> pd.DataFrame:
    """Return the rows that are shown: those by probabilities first, then those of a criterion.

    Parameters
    ----------
    table : DataFrame
        The table synthesis or synthesis_studies.
    criterion : str
    """
    probable = table["variant"].isin(MODELS["next_session"].probable)
    return pd.concat([table[probable], table[~probable & (table["criterion"] == criterion)]])


def synthesis(pooled: pd.DataFrame) -> Rows:
    """Show pooled estimates."""
    rows = []
    for row in pooled[pooled["status"] == "pooled"].to_dict("records"):
        prediction = f"{number(row['prediction_low'])} to {number(row['prediction_high'])}"
        tau2 = f"{number(row['tau2'], 4)} ({number(row['tau2_low'], 4)}–"
        rows.append(
            {
                "claim": row["claim"],
                "effect": _effect(row),
                "datasets": count(row["n_datasets"]),
                "courses": held(row["n_courses"]),
                "estimate": interval(row),
                "prediction": prediction,
                "tau2": f"{tau2}{number(row['tau2_high'], 4)})",
                "i2": percent(row["i2"]),
                "q": f"{number(row['q'], 1)} ({p_value(row['q_p'])})",
                "caution": text(row["reason"] if row["reason"] else "–"),
            }
        )
    return rows


def _effect(row: Mapping[Any, Any]) -> str:
    """Return a term in words, and by which probabilities it is estimated."""
    if not row["term"]:
        return "–"
    words = {"probable_total": " (by probabilities)", "probable_direct": " (beyond the rating)"}
    return in_words(row["term"]) + words.get(row["variant"], "")


def left_out(studies: pd.DataFrame) -> Rows:
    """List the datasets that are not pooled, with the reason."""
    table = studies[~studies["used"]].drop_duplicates(["dataset", "measure", "reason"])
    return [
        {
            "dataset": text(row["dataset"]),
            "measure": code(row["measure"]) if pd.notna(row["measure"]) else "–",
            "reason": text(row["reason"]),
        }
        for row in table.to_dict("records")
    ]


def without_each(studies: pd.DataFrame) -> Rows:
    """Show the pooled estimates without each dataset."""
    return [
        {
            "effect": _effect(row),
            "dataset": text(row["dataset"]),
            "weight": percent(row["weight"]),
            "estimate": interval(
                {name: row[f"without_{name}"] for name in ("estimate", "ci_low", "ci_high")}
            ),
            "i2": percent(row["without_i2"]),
        }
        for row in studies[studies["without_estimate"].notna()].to_dict("records")
    ]


def joint(table: pd.DataFrame) -> Rows:
    """Show the one model over sites."""
    return [
        {
            "term": in_words(row["term"]),
            "estimate": interval(row),
            "error": number(row["std_error"], 3),
            "p": p_value(row["p"]),
        }
        for row in table.to_dict("records")
    ]


def joint_facts(table: pd.DataFrame) -> dict[str, str]:
    """Say of what the one model over sites was fitted."""
    row = table.iloc[0]
    names = ("ratio_course", "ratio_time", "ratio_therapist", "rho")
    agreed = ", ".join(f"{name.removeprefix('ratio_')} {row[name]:.3g}" for name in names)
    return {
        "sites": text(row["sites"]),
        "courses": held(row["n_courses"]),
        "sessions": held(row["n_sessions"]),
        "agreed": agreed,
        "left_out": text(row["left_out"]) if row["left_out"] else "",
    }


def sites(table: pd.DataFrame) -> Rows:
    """Show which site analysed which dataset, and by what; nothing where all of them are here."""
    if not table["imported"].any():
        return []
    return [
        {
            "dataset": text(row["dataset"]),
            "site": "another site" if row["imported"] else "here",
            "version": text(row["version"]),
            "code": code(row["workflow"][:12]),
            "alliance": text(row["instrument"]) if pd.notna(row["instrument"]) else "–",
            "outcome": text(row["outcome_instrument"])
            if pd.notna(row["outcome_instrument"])
            else "–",
            "licence": text(row["licence"]),
            "criteria": text(row["criteria"]),
        }
        for row in table.to_dict("records")
    ]
