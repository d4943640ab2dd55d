"""Rows of the tables in a report: facts as cells. Headings and captions: captions.yaml."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .dataset_tables import Material
from .markdown import (
    percent,
    short,
    text,
)

Rows = list[dict[str, Any]]


def spread_text(spread: Mapping[str, float]) -> str:
    """Return a median with the least and the most."""
    return f"{short(spread['median'])} ({short(spread['least'])}–{short(spread['most'])})"


def measure_text(material: Material, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cell that names the measure, if there is more than one."""
    if material.detected.detection["measure"].nunique() < 2:
        return {}
    return {"measure": text(material.dataset.measures[row["measure"]].label)}


def share_text(row: Mapping[str, Any], side: str) -> str:
    """Return the share of estimates on one side of zero, and the share that is significant."""
    return f"{percent(row[f'share_{side}'])} ({percent(row[f'share_significant_{side}'])})"


def one_per_fit(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fit: its status and message are in each of its rows."""
    return estimates.drop_duplicates(["measure", "outcome", "criterion", "model", "variant"])
