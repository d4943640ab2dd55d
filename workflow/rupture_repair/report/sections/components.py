"""Rows of the table of the components of the alliance."""

import pandas as pd

from ...claims.components import TOTAL
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import count, held, number, percent, text
from ..rows import Rows


def components(material: Material) -> Rows:
    """Show reliability and falls of the components, for the measure and criterion shown."""
    table = material.components
    if table is None:
        return []
    measure, criterion = material.shown
    own = of_criterion(table, measure, criterion)
    return [
        {
            "component": "all together" if row["component"] == TOTAL else text(row["component"]),
            "sd": number(row["sd_within"]),
            "alpha": number(row["alpha"]),
            "mean": number(row["of_course_mean"]),
            "change": number(row["of_change"]) if row["component"] == TOTAL else _bound(row),
            "fell": _fell(row),
            "n": f"{held(row['n_courses'])} courses, {held(row['n_sessions'])} sessions",
            "reason": "–" if pd.isna(row["reason"]) else text(row["reason"]),
        }
        for row in own.to_dict("records")
    ]


def _bound(row: dict) -> str:
    return "–" if pd.isna(row["of_change"]) else f"≥ {number(row['of_change'])}"


def _fell(row: dict) -> str:
    """Return how often a component fell most: 12 of 40 (30 % [18 %, 46 %])."""
    if pd.isna(row["share_fell_most"]):
        of_none = row["component"] == TOTAL or row["n_episodes"] == 0
        return f"of {held(row['n_episodes'])} episodes" if of_none else held(None)
    ends = f"{percent(row['share_low'])}, {percent(row['share_high'])}"
    share = percent(row["share_fell_most"])
    return f"{count(row['n_fell_most'])} of {count(row['n_episodes'])} ({share} [{ends}])"
