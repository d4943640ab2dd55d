"""What is known of ratings in a table, and the criteria that are applied to them."""

import numbers
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..detection import criteria
from ..detection.criteria import Criterion
from ..ingest import instruments
from ..project.measures import Measure, ReliableChange
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..project.setting_groups import EdgeRules
from ..settings import default
from ..statistics.reliability import reliable_change


class NoteWarning(UserWarning):
    """What could not be applied to the ratings, and what was assumed of them."""


def warn(notes: Iterable[str]) -> None:
    """Show notes as warnings, at the line that called the public function."""
    for note in notes:
        warnings.warn(note, NoteWarning, stacklevel=3)


@dataclass(frozen=True)
class About:
    """What is known of the ratings.

    Attributes
    ----------
    better : {"higher", "lower"}
    range : tuple of float, optional
        Lowest and highest possible rating.
    reliability : float, optional
        Gives the reliable change, with the SD of the first ratings of all courses.
    sample_sd : float, optional
        Pooled within-course SD in points, instead of that of the table. It also replaces the
        SD of first ratings where the table has none (fewer than two courses, or all alike).
    instrument : str, optional
        Id in ``knowledge/instruments.yaml``. Without it, a criterion made for one instrument is
        applied as if the ratings were of that instrument, with a note.
    max_gap : int, optional
        As in config.yaml: edge_rules.
    seed : int, optional
        Of everything random; that of config.yaml by default.
    """

    better: str
    range: tuple[float, float] | None = None
    reliability: float | None = None
    sample_sd: float | None = None
    instrument: str | None = None
    max_gap: int | None = None
    seed: int | None = None

    def problems(self, needs_range: bool = False) -> list[Problem]:
        """Return what cannot be used (E719); without a range where it is needed, that too."""
        span = self.span or (0.0, 1.0)
        in_order = (self.range is None and not needs_range) or (
            self.span is not None and span[0] < span[1]
        )
        shown = f"{span[0]:g} {span[1]:g}" if self.span else self.range
        checks = {
            "better": (self.better in ("higher", "lower"), self.better, "higher, lower"),
            "range": (in_order and np.isfinite(span).all(), shown,
                      "the lowest and the highest possible rating"),
            "reliability": (_between(self.reliability, 0, 1), self.reliability,
                            "a number between 0 and 1"),
            "sample_sd": (_between(self.sample_sd, 0, np.inf), self.sample_sd,
                          "a number above 0"),
            "max_gap": (is_whole(self.max_gap, 1), self.max_gap, "a whole number from 1"),
            "seed": (is_whole(self.seed, 0), self.seed, "a whole number from 0"),
        }  # fmt: skip
        found = [
            problem("E719", file=f"{argument}=", found=value, allowed=allowed)
            for argument, (fits, value, allowed) in checks.items()
            if not fits
        ]
        known = instruments.load()
        if self.instrument is not None and self.instrument not in known:
            hint, allowed = did_you_mean(self.instrument, known), listing(known, 40)
            entry = problem("E719", file="instrument=", found=self.instrument, hint=hint,
                            allowed=allowed)  # fmt: skip
            found.append(entry)
        return found

    @property
    def span(self) -> tuple[float, float] | None:
        """The range as two numbers; None where it is not given, or is none."""
        if self.range is None:
            return None
        try:
            low, high = self.range
            return float(low), float(high)
        except (TypeError, ValueError):
            return None

    def edge_rules(self) -> EdgeRules:
        """Return the edge rules of config.yaml, with the gap stated here."""
        rules = default(EdgeRules)
        return rules if self.max_gap is None else replace(rules, max_gap=self.max_gap)

    def measure(self, ratings: pd.DataFrame, notes: list[str]) -> Measure:
        """Return the measure that is rated."""
        return Measure(
            "rating",
            role="alliance",
            better=self.better,
            range=self.span,
            instrument=self.instrument,
            reliable_change=self._reliable_change(ratings, notes),
        )

    def _reliable_change(self, ratings: pd.DataFrame, notes: list[str]) -> ReliableChange | None:
        if self.reliability is None:
            return None
        rated = ratings.dropna(subset=["rating"])
        firsts = rated.loc[~rated["course"].duplicated(), "rating"]
        sd = float(firsts.std(ddof=1)) if len(firsts) > 1 else 0.0
        if not sd > 0 and self.sample_sd is not None:
            sd = self.sample_sd
            notes.append(
                "the first ratings have no SD (fewer than two courses, or all alike): the "
                "reliable change rests on the sample SD given"
            )
        if not sd > 0:
            return None
        value = reliable_change(sd, self.reliability)
        return ReliableChange(value, "the reliability stated", "computed from these ratings")

    def instrument_for(self, rule: Criterion, notes: list[str]) -> str | None:
        """Return the instrument of the ratings, that of the criterion where none is stated."""
        if not rule.instruments or self.instrument is not None:
            return self.instrument
        notes.append(
            f"{rule.id} is a rule for the {' or '.join(rule.instruments)}: the ratings are taken "
            "to be of it, because it was asked for and no instrument is named"
        )
        return rule.instruments[0]


def _between(value: Any, low: float, high: float) -> bool:
    """Say whether a value is not given, or a number between two others."""
    return value is None or (isinstance(value, numbers.Real) and low < float(value) < high)


def is_whole(value: Any, least: int) -> bool:
    """Say whether a value is not given, or a whole number from `least` on."""
    return value is None or (isinstance(value, numbers.Integral) and int(value) >= least)


def rules_asked_for(
    ids: str | Iterable[str], settings: Mapping[str, Any] | None = None
) -> tuple[list[Criterion], list[Problem]]:
    """Return the criteria asked for, with changed settings.

    Parameters
    ----------
    ids : str or iterable of str
        Ids in ``knowledge/criteria.yaml``; one that is named twice counts once.
    settings : mapping, optional
        Id -> settings that replace those of the row.

    Returns
    -------
    list of Criterion, list of Problem
        Problems E402 (settings) and E720 (unknown ids).
    """
    wanted = dict.fromkeys([ids] if isinstance(ids, str) else ids)
    settings = settings or {}
    known = [rule.id for rule in criteria.load()]
    found = [
        problem("E720", file=f"{argument}=", found=name, hint=did_you_mean(name, known),
                allowed=listing(known, 40))
        for argument, names in (("criterion", wanted), ("settings", settings))
        for name in names
        if name not in known
    ]  # fmt: skip
    if not wanted:
        found = [problem("E719", file="criterion=", found="", allowed=listing(known, 40))]
    if found:
        return [], found
    try:
        return criteria.load(wanted, settings, config_file="settings="), []
    except ProblemsFound as refused:
        return [], refused.problems
