"""Criteria of rupture: rows of settings, read from ``knowledge/criteria.yaml``.

A published criterion is a row, not a function: the kernel in
:mod:`rupture_repair.detection.fall_rules` reads the settings. Each row carries its source and its
`standing`, how sure it is that the source states this very rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..project import yaml_files
from ..project.package_files import KNOWLEDGE, shown
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from .scan.population import Purge

if TYPE_CHECKING:
    import pandas as pd

#: Where the rows are.
FILE = KNOWLEDGE / "criteria.yaml"

#: References that are a level of the whole course, known at each of its sessions.
LEVELS = ("course_mean", "course_median", "first_quartile", "trend", "fixed", "model")

#: References and units that cannot be known before the course has ended.
_NEED_LATER_RATINGS = {
    *("course_mean", "course_median", "first_quartile", "trend", "model"),
    *("own_sd", "sample_sd", "larger_sd", "shrunk_sd", "moving_range", "mad", "iqr"),
    *("sudden_loss",),
}


@dataclass(frozen=True)
class Repair:
    """When a rupture counts as repaired.

    Attributes
    ----------
    regain : float, "reference" or "not_low"
        Share of the fall to win back, a return to the reference, or no longer low.
    within : int or None
        Sessions after the first low rating; None for the rest of the course.
    tolerance : float
        Units short of the reference that still count as a return to it.
    strict : bool
        Whether the level must be exceeded.
    """

    regain: float | Literal["reference", "not_low"]
    within: int | None
    tolerance: float = 0.0
    strict: bool = False


@dataclass(frozen=True)
class Window:
    """Which runs of neighbouring ratings are looked at as one.

    Attributes
    ----------
    longest : int
        Ratings of the longest run.
    to_end : bool
        Whether all ratings from one on are looked at, too, however many.
    before : int
        Ratings of the course before the run, at the least.
    """

    longest: int
    to_end: bool = False
    before: int = 2


@dataclass(frozen=True)
class Criterion:
    """One criterion; the attributes are the keys of ``criteria.schema.yaml``.

    Attributes
    ----------
    id : str
        The key of the row.
    changed : tuple of str
        Settings that differ from the row as shipped, because config.yaml says so.
    """

    id: str
    name: str
    rule: str
    reference: str
    unit: str
    k: float | str
    repair: Repair
    source: str
    standing: str
    value: float | None = None
    span: int = 1
    sd_around: str = "mean"
    strict: bool = False
    floor: float | str | None = None
    run: str | None = None
    pooled_sd: str = "t_test"
    window: Window | None = None
    deleted: bool = False
    ceiling: str = "as_rated"
    purge: Purge | None = None
    autocorrelation: float = 0.0
    max_gap: int | None = None
    onset_inside_episode: bool | None = None
    min_ratings: int = 3
    instruments: tuple[str, ...] = ()
    doi: str | None = None
    changed: tuple[str, ...] = field(default=())

    @property
    def uses_future(self) -> bool:
        """Whether a session's state depends on later ratings: for retrospective study only."""
        return not _NEED_LATER_RATINGS.isdisjoint((self.reference, self.unit, self.run))

    @property
    def needs_k(self) -> bool:
        """Whether k is to be solved for the dataset."""
        return isinstance(self.k, str)

    @property
    def is_level(self) -> bool:
        """Whether the reference is a level of the whole course."""
        return self.reference in LEVELS

    def overlaps(self, onset_inside_episode: bool) -> bool:
        """Say whether a fall inside an open episode opens one, by the row or the edge rules."""
        own = self.onset_inside_episode
        return onset_inside_episode if own is None else own

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain data, for jobs and reports."""
        return {**asdict(self), "uses_future": self.uses_future}


def _criterion(identity: str, row: Mapping[str, Any], changed: Iterable[str] = ()) -> Criterion:
    settings = dict(row)
    repair = Repair(**settings.pop("repair"))
    instruments = tuple(settings.pop("instruments", ()))
    for name, kind in (("window", Window), ("purge", Purge)):
        if settings.get(name) is not None:
            settings[name] = kind(**settings[name])
    return Criterion(
        id=identity, repair=repair, instruments=instruments, changed=tuple(changed), **settings
    )


def _merged(row: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with changes laid over it; groups of settings are merged key by key."""
    merged = {**row, **changes}
    for group in ("repair", "window", "purge"):
        change, own = changes.get(group), row.get(group)
        if isinstance(change, Mapping) and isinstance(own, Mapping):
            merged[group] = {**own, **change}
    return merged


#: References and units that go with a window.
_WITH_WINDOW = {
    "reference": ("trend", "recent_mean"),
    "unit": ("shrunk_sd", "own_sd", "sample_sd"),
    "run": (None,),
}


def _unfit(row: Mapping[str, Any]) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """Return the settings of a row that do not go with its window: key, value, allowed values."""
    if row.get("window") is None:
        return []
    return [
        (key, row.get(key), tuple(str(value or "null") for value in allowed))
        for key, allowed in _WITH_WINDOW.items()
        if row.get(key) not in allowed
    ]


def load(
    ids: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    file: str | Path = FILE,
    config_file: str = "config.yaml",
) -> list[Criterion]:
    """Read criteria, in the order asked for.

    Parameters
    ----------
    ids : iterable of str, optional
        Ids of rows; all rows by default.
    settings : dict, optional
        Id -> settings that replace those of the row (``settings_of_criteria`` of config.yaml).
    file : path
        The rows, checked against ``criteria.schema.yaml``.
    config_file : str
        How messages about `ids` and `settings` name their file.

    Returns
    -------
    list of Criterion

    Raises
    ------
    ProblemsFound
        If a row has an unknown key, reference or unit, or an id is not known (E401, E402, and
        the codes of :func:`rupture_repair.project.yaml_files.read`).
    """
    rows = yaml_files.read(file, "criteria", shown(Path(file)))
    wanted = list(rows if ids is None else ids)
    settings = settings or {}
    found = [
        problem("E401", file=config_file, key=key, found=name, allowed=listing(rows, 40),
                hint=did_you_mean(name, rows))
        for key, names in (("criteria", wanted), ("settings_of_criteria", settings))
        for name in names
        if name not in rows
    ]  # fmt: skip
    for name in (name for name in settings if name in rows):
        merged = _merged(rows[name], settings[name])
        found += [
            problem("E402", file=config_file, key=f"settings_of_criteria.{name}", found=entry.text)
            for entry in yaml_files.check({name: merged}, "criteria", f"criterion {name}")
        ]
    found += [
        problem("E403", file=shown(Path(file)), key=f"{name}.value")
        for name, row in rows.items()
        if row["reference"] == "fixed" and row["value"] is None
    ]
    every = {name: _merged(rows[name], settings.get(name, {})) for name in rows}
    found += [
        problem("E404", file=shown(Path(file)), key=f"{name}.{key}", found=value,
                allowed=listing(allowed))
        for name, row in every.items()
        for key, value, allowed in _unfit(row)
    ]  # fmt: skip
    if found:
        raise ProblemsFound(found)
    return [
        _criterion(name, _merged(rows[name], settings.get(name, {})), settings.get(name, ()))
        for name in wanted
    ]


def with_calibrated_k(criteria: Iterable[Criterion], table: "pd.DataFrame") -> list[Criterion]:
    """Return the criteria with numbers for k; NaN where none was found.

    Parameters
    ----------
    criteria : iterable of Criterion
    table : DataFrame
        From :func:`rupture_repair.chance.calibrate.calibrated_k`, rows of one measure.

    Returns
    -------
    list of Criterion
    """
    found = dict(zip(table["criterion"], table["k"], strict=True))
    return [replace(rule, k=float(found[rule.id])) if rule.needs_k else rule for rule in criteria]


def from_dicts(rows: Iterable[Mapping[str, Any]]) -> list[Criterion]:
    """Return criteria from what :meth:`Criterion.as_dict` gave."""
    criteria = []
    for row in rows:
        settings = {key: value for key, value in row.items() if key != "uses_future"}
        identity, changed = settings.pop("id"), settings.pop("changed", ())
        criteria.append(_criterion(identity, settings, changed))
    return criteria
