"""The gate: what every count passes before it reaches a page, a figure or a file beside one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..project.dataset import Dataset, Detected
from ..project.reasons import in_full, says
from ..project.setting_groups import ExposureRules, ReportSettings
from . import reasons
from .limits import min_cell, small
from .linked_counts import Key
from .published_counts import Tables, published_counts

#: Groups of fewer courses than this are named in the message of a model of trajectories.
_FEW = 5

#: A group of courses by their episodes: measure, criterion, and which (see :func:`small_groups`).
CourseGroup = tuple[str, str, str]


@dataclass(frozen=True)
class Gate:
    """What of one dataset may be shown.

    Attributes
    ----------
    least : int
        The smallest count that may be shown; 1 where single courses may be, then all may.
    shown : dict of tuple of str to int
        The counts that may be shown, by key. Whatever is not among them is withheld.
    few : frozenset of (measure, criterion, group)
        Groups of courses on which no estimate that is shown may rest.
    """

    least: int = 1
    shown: Mapping[Key, int] = field(default_factory=dict)
    few: frozenset[CourseGroup] = frozenset()

    @property
    def open(self) -> bool:
        """Whether single courses may be shown, and so everything else."""
        return self.least < 2

    def passes(self, key: Key) -> bool:
        """Return whether the count with this key may be shown."""
        return self.open or key in self.shown

    def count(self, key: Key, count: Any) -> Any:
        """Return a count, NaN where it is withheld or missing.

        Raises
        ------
        ValueError
            If another count was let pass by this key: then the gate is that of other tables.
        """
        if self.open:
            return count
        if pd.isna(count) or key not in self.shown:
            return np.nan
        if self.shown[key] != count:
            raise ValueError(f"{key} is {count}, but {self.shown[key]} was let pass")
        return float(count)

    def enough(self, count: Any) -> Any:
        """Return whether so many may be spoken of: none, or not too few."""
        return ~small(count, self.least)

    def text(self, said: Any, *, estimates: bool = True) -> Any:
        """Return a reason as it may be read, see :func:`rupture_repair.disclosure.reasons.public`.

        A missing reason stays missing.
        """
        if pd.isna(said) or not said:
            return said
        return in_full(said) if self.open else reasons.public(said, estimates=estimates)

    def rests_on_few(self, measure: str, criterion: str, *groups: str) -> bool:
        """Return whether one of these groups of courses is too small to be told of."""
        return any((measure, criterion, group) in self.few for group in groups)

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as plain data."""
        shown = [[*key, count] for key, count in sorted(self.shown.items())]
        return {"least": self.least, "shown": shown, "few": sorted(map(list, self.few))}

    @classmethod
    def read(cls, file: Path) -> "Gate":
        """Read what :func:`rupture_repair.disclosure.disclose.disclose` wrote."""
        found = json.loads(file.read_text(encoding="utf-8"))
        shown = {tuple(key): count for *key, count in found["shown"]}
        return cls(found["least"], shown, frozenset(tuple(one) for one in found["few"]))


def gate_of(
    about: Mapping[str, Any],
    dataset: Dataset,
    detected: Detected,
    tables: Tables,
    *,
    report: ReportSettings,
    default_criterion: str,
    rules: ExposureRules,
    criteria: Iterable[Mapping[str, Any]] = (),
) -> Gate:
    """Find what of a dataset may be shown.

    Parameters
    ----------
    about : mapping
        dataset.json.
    dataset, detected, tables, default_criterion, rules, criteria
        As for :func:`rupture_repair.disclosure.published_counts.published_counts`.
    report : ReportSettings

    Returns
    -------
    Gate
    """
    least = min_cell(about, report)
    if least < 2:
        return Gate()
    linked = published_counts(
        least,
        dataset,
        detected,
        tables,
        default_criterion=default_criterion,
        rules=rules,
        criteria=criteria,
    )
    shown = {key: count for key, count in linked.counts.items() if linked.shown(key)}
    groups = small_groups(detected.detection, detected.episodes, tables["estimates"], least)
    return Gate(least, shown, groups)


def small_groups(
    detection: pd.DataFrame, episodes: pd.DataFrame, estimates: pd.DataFrame, least: int
) -> frozenset[CourseGroup]:
    """Return the groups of courses that are too small for an estimate.

    Parameters
    ----------
    detection, episodes, estimates : DataFrame
        The tables of these names.
    least : int

    Returns
    -------
    frozenset of (measure, criterion, group)
        Of the groups "with" and "without" an episode; with one that is "repaired", "unrepaired",
        "censored"; with such ones only, "only repaired" and "only censored"; and any of these at
        the landmark, "landmark".
    """
    fits = estimates[estimates["variant"] == "landmark"]
    few = [least > _FEW or says(text, "few_courses") for text in fits["message"].fillna("")]
    landmark = set(zip(fits["measure"][few], fits["criterion"][few], strict=True))
    names = ["measure", "criterion", "course"]
    of = episodes[[*names, "status"]].astype(str).drop_duplicates()
    every = of.assign(one=1).pivot_table("one", names, "status", "max", 0)
    every = every.reindex(columns=["repaired", "unrepaired", "censored"], fill_value=0) > 0
    found = set()
    for row in detection.to_dict("records"):
        pair = str(row["measure"]), str(row["criterion"])
        own = every[(every.index.get_level_values(0) == pair[0])
                    & (every.index.get_level_values(1) == pair[1])]  # fmt: skip
        counts = {
            "with": len(own),
            "without": row["n_courses_assessable"] - len(own),
            **{status: int(own[status].sum()) for status in own},
            "only repaired": int((own["repaired"] & ~own["unrepaired"]).sum()),
            "only censored": int((~own["repaired"] & ~own["unrepaired"]).sum()),
            "landmark": 1 if pair in landmark else 0,
        }
        found |= {(*pair, group) for group, count in counts.items() if small(count, least)}
    return frozenset(found)
