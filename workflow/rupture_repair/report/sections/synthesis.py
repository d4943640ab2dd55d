"""Rows of the tables across datasets."""

import pandas as pd

from ..markdown import code, count, held, interval, number, p_value, percent, text
from ..rows import Rows
from ..terms import in_words


def synthesis(pooled: pd.DataFrame) -> Rows:
    """Show pooled estimates of one criterion."""
    rows = []
    for row in pooled[pooled["status"] == "pooled"].to_dict("records"):
        prediction = f"{number(row['prediction_low'])} to {number(row['prediction_high'])}"
        tau2 = f"{number(row['tau2'], 4)} ({number(row['tau2_low'], 4)}–"
        rows.append(
            {
                "claim": row["claim"],
                "effect": in_words(row["term"]) if row["term"] else "–",
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
            "effect": in_words(row["term"]) if row["term"] else "–",
            "dataset": text(row["dataset"]),
            "weight": percent(row["weight"]),
            "estimate": interval(
                {name: row[f"without_{name}"] for name in ("estimate", "ci_low", "ci_high")}
            ),
            "i2": percent(row["without_i2"]),
        }
        for row in studies[studies["without_estimate"].notna()].to_dict("records")
    ]
