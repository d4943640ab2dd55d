"""The flow of exclusions, and what the episodes look like: from the tables to rows."""

from typing import Any

import numpy as np
import pandas as pd

from ...disclosure import tables
from ...disclosure.gate import Gate
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
    table = material.detected.episodes
    own = of_criterion(table, measure, criterion)
    gate = material.gate
    if own.empty or not _told(gate, measure, criterion, own):
        return {}
    known = own["persistence"].dropna() if "persistence" in own else pd.Series(dtype=float)
    lasted = known.astype(float)  # of none known, the median of whole numbers is NA
    if not gate.enough(len(lasted)) or gate.rests_on_few(measure, criterion, "repaired"):
        lasted = lasted.iloc[:0]
    return {"fall": {"median": own["fall"].median()}, "persistence": {"median": lasted.median()}}


def _told(gate: Gate, measure: str, criterion: str, episodes: pd.DataFrame) -> bool:
    """Return whether enough courses have episodes by a criterion that these may be described."""
    few = gate.rests_on_few(measure, criterion, "with")
    return bool(gate.enough(len(episodes))) and not few


def shapes(material: Material) -> Rows:
    """Describe the episodes of each criterion: intensity, persistence, frequency, shapes."""
    measure, _ = material.shown
    gate: Gate = material.gate
    rows: Rows = []
    if "persistence" not in material.detected.episodes:
        return []
    detection = tables.detection(gate, material.detected.detection)
    detection = detection[detection["measure"] == measure]
    every = material.detected.episodes[material.detected.episodes["measure"] == measure]
    for row in detection[detection["assessable"].astype(bool)].to_dict("records"):
        own = every[every["criterion"] == row["criterion"]]
        cells = dict.fromkeys(("fall", "persistence", "frequency", "onset", "repair"), "–")
        if len(own) and not _told(gate, measure, str(row["criterion"]), own):
            cells = dict.fromkeys(cells, held(np.nan))
        elif len(own):
            lasted = own["persistence"].dropna()
            few = gate.rests_on_few(measure, str(row["criterion"]), "repaired")
            often = 10 * row["n_episodes"] / row["n_sessions_assessable"]
            cells = {
                "fall": _spread(own["fall"], 1),
                "persistence": held(np.nan) if few or len(lasted) < max(gate.least, 1)
                else _spread(lasted, 0),
                "frequency": held(np.nan) if np.isnan(often) else number(often),
                "onset": _sudden(own["onset_shape"], gate),
                "repair": _sudden(own["repair_shape"], gate),
            }  # fmt: skip
        rows.append({"criterion": text(row["name"])} | cells)
    return rows


def _sudden(shapes: pd.Series, gate: Gate) -> str:
    """Return the share of sudden ones among the known."""
    known = shapes.dropna().astype(str)
    parts = [int((known == "sudden").sum()), int((known != "sudden").sum())]
    return percent(parts[0], len(known)) if gate.enough(parts).all() else held(np.nan)
