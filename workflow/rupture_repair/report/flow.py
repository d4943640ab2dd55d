"""The flow of exclusions, and what the episodes look like: from the tables to rows."""

from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import min_cell, small, withheld
from .cells import Rows
from .markdown import held, number, percent, text
from .material import Material


def _steps(material: Material, level: str) -> list[tuple[str, int]]:
    """Return what is left out on the way from all sessions, or courses, to the main model.

    Each step is a reason and a number; the last one is what the model rests on, and all numbers
    add up to the first, which is the total.
    """
    measure, criterion = material.shown
    states = material.states
    own = states[(states["measure"] == measure) & (states["criterion"] == criterion)]
    total = len(material.sessions) if level == "session" else material.courses["course"].nunique()
    rated = material.sessions[material.sessions[measure].notna()]
    out = own[own["state"].astype(str) == "not_assessable"]
    out = out[out["reason"].astype(str) != "not rated"]
    if level == "course":
        used = set(own.loc[own["state"].astype(str) != "not_assessable", "course"].astype(str))
        out = out[~out["course"].astype(str).isin(used)].drop_duplicates("course")
        n_rated, n_used = rated["course"].nunique(), len(used)
    else:
        n_rated, n_used = len(rated), len(rated) - len(out)
    steps = [("in the data", total), ("not rated", total - n_rated)]
    reasons = out["reason"].astype(str).value_counts()
    known = n_rated - n_used
    steps += [(f"not assessable: {why}", int(n)) for why, n in reasons.items()]
    if known > reasons.sum():
        steps.append(("not assessable: no session with enough ratings", known - int(reasons.sum())))
    fits = material.estimates
    fit = fits[(fits["model"] == "next_session") & (fits["variant"] == "main")]
    fit = fit[(fit["measure"] == measure) & (fit["criterion"] == criterion)]
    fit = fit[fit["estimate"].notna()]
    modelled = fit[f"n_{level}s"].max() if len(fit) else np.nan
    if pd.notna(modelled):
        steps.append(("no outcome soon enough afterwards", n_used - int(modelled)))
        return [*steps, ("in the main model", int(modelled))]
    return [*steps, ("assessable", n_used)]


def of_flow(material: Material) -> Rows:
    """Return the flow of exclusions, its small numbers withheld. The column adds up.

    `material` is as the steps wrote it, before :meth:`Material.disclosed`.
    """
    least = min_cell(material.dataset, material.config)
    names: list[str] = []
    columns: dict[str, dict[str, Any]] = {}
    for level in ("course", "session"):
        steps = _steps(material, level)
        parts = np.array([n for _, n in steps[1:]], dtype=float)
        parts[withheld(parts.tolist(), least)] = np.nan
        columns[level] = dict(zip([name for name, _ in steps], [steps[0][1], *parts], strict=True))
        names += [name for name in columns[level] if name not in names]
    last = ("assessable", "in the main model")
    names.sort(key=lambda name: name in last)
    return [
        {"step": text(name)}
        | {f"{level}s": held(column.get(name, 0)) for level, column in columns.items()}
        for name in names
    ]  # fmt: skip


def _spread(values: pd.Series, digits: int) -> str:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def of_shapes(material: Material) -> dict[str, Any]:
    """Return medians of the episodes of the measure and criterion shown, empty if too few."""
    measure, criterion = material.shown
    table = material.episodes
    own = table[(table["measure"] == measure) & (table["criterion"] == criterion)]
    least = min_cell(material.dataset, material.config)
    if own.empty or small(len(own), least):
        return {}
    lasted = own["persistence"].dropna() if "persistence" in own else pd.Series(dtype=float)
    if small(len(lasted), least):
        lasted = lasted.iloc[:0]
    return {"fall": {"median": own["fall"].median()}, "persistence": {"median": lasted.median()}}


def shapes(material: Material) -> Rows:
    """Describe the episodes of each criterion: intensity, persistence, frequency, shapes."""
    measure, _ = material.shown
    least, rows = min_cell(material.dataset, material.config), []
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
