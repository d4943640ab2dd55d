"""The measures of a dataset: what was rated, by whom, and on which scale."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Reliability:
    """A coefficient of reliability between 0 and 1, and where it comes from."""

    value: float
    source: str


@dataclass(frozen=True)
class ReliableChange:
    """The smallest change in points that is more than measurement error.

    Attributes
    ----------
    value : float
        Points of the total, above 0.
    source : str
    standing : str
        How sure the source is, for example "published" or "computed from this dataset".
    """

    value: float
    source: str
    standing: str


@dataclass(frozen=True)
class CutOff:
    """The border between the clinical and the non-clinical range of a measure.

    Attributes
    ----------
    value : float
        A value of the total.
    inclusive : bool
        Whether the value itself lies on the clinical (worse) side.
    source : str
    """

    value: float
    inclusive: bool
    source: str


@dataclass(frozen=True)
class Measure:
    """One measure of a dataset, as measures.json describes it.

    Attributes
    ----------
    name : str
        As columns of tables are called.
    role : {"alliance", "outcome"} or other
        What it measures.
    better : {"higher", "lower"}
        In which direction a rating is better.
    label : str
        For people.
    range : (low, high) or None
        Of the total, in points; None where it is not known.
    instrument : str or None
        Id in knowledge/instruments.yaml.
    rater : {"client", "therapist", "observer", "partner"} or None
    timing : {"start", "end", "day"} or None
        When in a session the rating is made.
    level : {"session", "course"}
        Rated at sessions, or once before and once after.
    outcome : str or None
        Name of the outcome measure that belongs to an alliance measure.
    stands_in : str or None
        What is used in place of the alliance, in a sentence.
    reliability : Reliability or None
    reliable_change : ReliableChange or None
    cut_off : CutOff or None
    components : tuple of str
        Names of the parts of the total.
    scored : {"sum", "mean", "mean_times_10"} or None
        How components make up the total; None where they do not.
    most_missing : int or None
        With how many blank items a total is made.
    reversed : tuple of str
        Columns of items that were turned.

    Examples
    --------
    >>> distress = Measure("distress", role="outcome", better="lower", range=(1, 27))
    >>> distress.sign, distress.turned_range
    (-1.0, (-27.0, -1.0))
    """

    name: str
    role: str
    better: str
    label: str = ""
    range: tuple[float, float] | None = None
    instrument: str | None = None
    rater: str | None = None
    timing: str | None = None
    level: str = "session"
    outcome: str | None = None
    stands_in: str | None = None
    reliability: Reliability | None = None
    reliable_change: ReliableChange | None = None
    cut_off: CutOff | None = None
    components: tuple[str, ...] = ()
    scored: str | None = None
    most_missing: int | None = None
    reversed: tuple[str, ...] = ()

    @property
    def sign(self) -> float:
        """1 where a higher rating is better, -1 where a lower one is: ratings times it are turned.

        Turned ratings are better the higher they are.
        """
        return -1.0 if self.better == "lower" else 1.0

    @property
    def turned_range(self) -> tuple[float, float]:
        """The worst and the best rating, turned so that higher is better; infinite if unknown."""
        if self.range is None:
            return -math.inf, math.inf
        low, high = (float(end) for end in self.range)
        return (-high, -low) if self.better == "lower" else (low, high)

    @property
    def per_session(self) -> bool:
        """Whether it is rated at sessions."""
        return self.level == "session"

    @property
    def shows_ruptures(self) -> bool:
        """Whether ruptures are detected in it: an alliance measure that is rated at sessions."""
        return self.role == "alliance" and self.per_session

    @classmethod
    def from_dict(cls, name: str, entry: Mapping[str, Any]) -> "Measure":
        """Return a measure from its entry of measures.json; absent keys have their defaults."""
        given = dict(entry)
        for key in ("components", "reversed", "range"):
            if given.get(key) is not None:
                given[key] = tuple(given[key])
        for key, kind in _CONSTANTS.items():
            if given.get(key) is not None:
                given[key] = kind(**given[key])
        return cls(name=name, **given)

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of measures.json."""
        entry: dict[str, Any] = {key: getattr(self, key) for key in _KEYS}
        for key in ("components", "reversed", "range"):
            entry[key] = None if entry[key] is None else list(entry[key])
        for key in _CONSTANTS:
            entry[key] = None if entry[key] is None else asdict(entry[key])
        return entry


#: Name -> measure.
Measures: TypeAlias = Mapping[str, Measure]

_CONSTANTS: dict[str, Any] = {
    "reliability": Reliability,
    "reliable_change": ReliableChange,
    "cut_off": CutOff,
}

#: Keys of measures.json, in its order.
_KEYS = (
    "label", "role", "instrument", "rater", "timing", "level", "better", "outcome", "stands_in",
    "range", "reliability", "reliable_change", "cut_off", "components", "scored", "most_missing",
    "reversed",
)  # fmt: skip

if {"name", *_KEYS} != {field.name for field in fields(Measure)}:
    raise AssertionError("measures.json and Measure have different keys")


def measures_from_dicts(content: Mapping[str, Any]) -> dict[str, Measure]:
    """Return measures from the content of measures.json."""
    return {name: Measure.from_dict(name, entry) for name, entry in content.items()}


def read_measures(file: str | Path) -> dict[str, Measure]:
    """Read measures.json.

    Parameters
    ----------
    file : path

    Returns
    -------
    dict of str to Measure
        By name, in the order of the file.
    """
    return measures_from_dicts(json.loads(Path(file).read_text(encoding="utf-8")))
