"""On which scale each measure of a study is given, and how it maps onto that of the simulation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..detection.courses import grid_step
from ..ingest import descriptor, instruments, scoring
from ..ingest.described_measures import DescribedMeasure
from ..project import yaml_files
from ..project.arrays import Floats
from ..project.measures import Measure, Measures
from ..simulation.forms import HIGHEST

#: Items that a total is simulated by, where its own are not known: they bend it at the ends.
HIDDEN_ITEMS = 4

#: Ratings on no grid are told apart so finely.
_FINEST = 1e-3


@dataclass(frozen=True)
class RatedScale:
    """The scale of a measure that is rated at sessions.

    Attributes
    ----------
    measure : str
    items : tuple of str
        Columns of its items in the canonical table; none where only its total is drawn.
    low, high, step : tuple of float
        Ends and steps of the items, or of the total alone, in points.
    ends : (float, float)
        Of the total.
    lower_is_better : bool
    scored : {"sum", "mean", "mean_times_10"}
        How items make up the total.
    """

    measure: str
    items: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    step: tuple[float, ...]
    ends: tuple[float, float]
    lower_is_better: bool
    scored: str

    @property
    def most(self) -> tuple[float, ...]:
        """Upper ends of the simulated items; they sum to :data:`HIGHEST`."""
        if not self.items:
            return (HIGHEST / HIDDEN_ITEMS,) * HIDDEN_ITEMS
        width = np.subtract(self.high, self.low)
        return tuple(float(one) for one in HIGHEST * width / width.sum())

    @property
    def marks_per_point(self) -> tuple[float, ...]:
        """How many marks of the simulated items make a point; hidden items are not rounded."""
        if not self.items:
            return (1 / _FINEST,) * HIDDEN_ITEMS
        width = np.subtract(self.high, self.low)
        return tuple(float(one) for one in width / np.array(self.step) / np.array(self.most))

    def simulated(self, sessions: pd.DataFrame) -> Floats:
        """Return ratings as points of the simulation, shape (ratings, items): higher is better."""
        columns = list(self.items) or [self.measure]
        values = sessions[columns].to_numpy(dtype=np.float64)
        share = (values - np.array(self.low)) / np.subtract(self.high, self.low)
        share = 1 - share if self.lower_is_better else share
        return share * (np.array(self.most) if self.items else HIGHEST)

    def given(self, marks: Floats) -> dict[str, Floats]:
        """Return marks of the simulation, shape (ratings, items), as columns of the study."""
        low, high, step = (np.array(one) for one in (self.low, self.high, self.step))
        if not self.items:
            share = marks.sum(axis=1, keepdims=True) * _FINEST / HIGHEST
            marks = np.rint(share * (high - low) / step)
        up = np.minimum(marks * step, high - low)
        values = np.round(high - up if self.lower_is_better else low + up, 6)
        if not self.items:
            return {self.measure: values[:, 0]}
        columns = {name: values[:, at] for at, name in enumerate(self.items)}
        return columns | {self.measure: scoring.total(values, self.scored)}


def described_by(file: Path) -> tuple[Mapping[str, Any], dict[str, DescribedMeasure]]:
    """Return the content of a dataset.yaml that was ingested, and its measures."""
    raw = yaml_files.read(file, "dataset")
    plan, problems = descriptor.resolve(raw, str(file), instruments.load())
    if plan is None:
        raise yaml_files.ProblemsFound(problems)
    return raw, plan.measures


def same_scores(sessions: pd.DataFrame, measures: Measures) -> dict[str, str]:
    """Return the measures that are the same scores as one before them -> that one."""
    found: dict[str, str] = {}
    rated = [name for name, one in measures.items() if one.per_session and name in sessions]
    for at, name in enumerate(rated):
        for other in rated[:at]:
            alike = measures[name].better == measures[other].better
            if other not in found and alike and sessions[name].equals(sessions[other]):
                found[name] = other
                break
    return found


def scale_of(measure: Measure, described: DescribedMeasure, sessions: pd.DataFrame) -> RatedScale:
    """Return the scale of a measure: of its items where each component is one and all are there.

    Parameters
    ----------
    measure : Measure
    described : DescribedMeasure
    sessions : DataFrame
        The canonical table.
    """
    parts = described.components
    single = len(parts) > 1 and described.complete
    single = single and all(len(group) == 1 for group in parts.values())
    columns = [f"{measure.name}__{name}" for name in parts] if single else []
    ends = [described.parts[name] for name in parts] if single else [described.range]
    steps = [_step(sessions[name], end) for name, end in
             zip(columns or [measure.name], ends, strict=True)]  # fmt: skip
    low, high = zip(*ends, strict=True)
    return RatedScale(
        measure.name, tuple(columns), tuple(map(float, low)), tuple(map(float, high)),
        tuple(steps), described.range, measure.better == "lower", described.scored,
    )  # fmt: skip


def _step(rating: pd.Series, ends: tuple[float, float]) -> float:
    """Return the step of ratings that divides their range."""
    low, high = ends
    known = np.append(rating.dropna().to_numpy(dtype=np.float64), [low, high])
    return grid_step(known) or (high - low) * _FINEST
