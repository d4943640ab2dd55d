"""The flow of exclusions, and what the episodes look like: from the tables to rows."""

from typing import Any

import numpy as np
import pandas as pd

from ...project.disclosure import min_cell, small, withheld
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import held, number, percent, text
from ..rows import Rows


def _spread(values: pd.Series, digits: int) -> str:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def of_shapes(material: Material) -> dict[str, Any]:
    """Return medians of the episodes of the measure and criterion shown, empty if too few."""
    measure, criterion = material.shown
    table = material.episodes
    own = of_criterion(table, measure, criterion)
    least = min_cell(material.dataset, material.config.report)
    if own.empty or small(len(own), least):
        return {}
    known = own["persistence"].dropna() if "persistence" in own else pd.Series(dtype=float)
    lasted = known.astype(float)  # of none known, the median of whole numbers is NA
    if small(len(lasted), least):
        lasted = lasted.iloc[:0]
    return {"fall": {"median": own["fall"].median()}, "persistence": {"median": lasted.median()}}


def shapes(material: Material) -> Rows:
    """Describe the episodes of each criterion: intensity, persistence, frequency, shapes."""
    measure, _ = material.shown
    least, rows = min_cell(material.dataset, material.config.report), []
    if "persistence" not in material.episodes:
        return []
    detection = material.detection[material.detection["measure"] == measure]
    table = material.episodes[material.episodes["measure"] == measure]
    for row in detection[detection["assessable"].astype(bool)].to_dict("records"):
        own = table[table["criterion"] == row["criterion"]]
        cells = dict.fromkeys(("fall", "persistence", "frequency", "onset", "repair"), "–")
        if small(len(own), least):
            cells = dict.fromkeys(cells, held(np.nan))
        elif len(own):
            lasted = own["persistence"].dropna()
            cells = {
                "fall": _spread(own["fall"], 1),
                "persistence": _spread(lasted, 0) if len(lasted) >= max(least, 1) else held(np.nan),
                "frequency": number(10 * len(own) / row["n_sessions_assessable"]),
                "onset": _sudden(own["onset_shape"], least),
                "repair": _sudden(own["repair_shape"], least),
            }
        rows.append({"criterion": text(row["name"])} | cells)
    return rows


def _sudden(shapes: pd.Series, least: int) -> str:
    """Return the share of sudden ones among the known."""
    known = shapes.dropna().astype(str)
    parts = [int((known == "sudden").sum()), int((known != "sudden").sum())]
    return held(np.nan) if withheld(parts, least).any() else percent(parts[0], len(known))
