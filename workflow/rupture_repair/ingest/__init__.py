"""From a dataset's own files to the canonical tables.

`find_problems` and `ingest` read through the same function, so that what passes the check is what
is ingested. Everything is refused that would have to be guessed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from .. import config, instruments
from ..problems import Problem, ProblemsFound, listing, problem
from . import assembly, descriptor, layouts, scoring
from .columns import Table
from .descriptor import SESSION, Plan
from .files import Source, locate, open_source
from .reading import read_columns

TABLES = ("sessions", "courses", "events")


@dataclass(frozen=True)
class Dataset:
    """A dataset in canonical form.

    Attributes
    ----------
    about : dict
        name, title, source, licence, citation, synthetic, cautions, descriptor, files (path,
        sha256, rows), warnings (texts).
    measures : dict
        Measure -> its attributes, see :func:`rupture_repair.ingest.scoring.describe`.
    sessions : DataFrame
        One row per course and session, sorted so: course, client, therapist (text, nullable),
        session (int32, from 1), day (days since the course's first session, nullable), then per
        measure rated at sessions ``<measure>`` and ``<measure>__<component>`` in points, in the
        direction of the file.
    courses : DataFrame
        One row per course: course, client, therapist, ending, covariates,
        ``<measure>__first`` and ``<measure>__last`` of measures rated per course.
    events : DataFrame
        course, session, kind, code, reporter; may be empty.
    """

    about: dict[str, Any]
    measures: dict[str, dict[str, Any]]
    sessions: pd.DataFrame
    courses: pd.DataFrame
    events: pd.DataFrame


def find_problems(name: str, folder: str | Path, mirror: str | Path | None = None) -> list[Problem]:
    """Return every problem of a dataset.

    Parameters
    ----------
    name : str
        The dataset.
    folder : path
        The folder with its dataset.yaml, or that file.
    mirror : path, optional
        Folder with the files of datasets that have a `mirror_folder`.

    Returns
    -------
    list of Problem
        Errors and, with codes that begin with W, warnings, which do not stop; in the order of
        reading. Empty when all is well.
    """
    return _examine(name, folder, mirror)[1]


def ingest(name: str, folder: str | Path, mirror: str | Path | None = None) -> Dataset:
    """Return a dataset in canonical form.

    Parameters
    ----------
    name, folder, mirror
        As for :func:`find_problems`.

    Returns
    -------
    Dataset

    Raises
    ------
    ProblemsFound
        With every problem, if one of them is an error.
    """
    dataset, problems = _examine(name, folder, mirror)
    if dataset is None:
        raise ProblemsFound(problems)
    return dataset


def _failed(problems: list[Problem]) -> bool:
    return any(one.code.startswith("E") for one in problems)


def _examine(
    name: str, folder: str | Path, mirror: str | Path | None
) -> tuple[Dataset | None, list[Problem]]:
    """Read, check and assemble a dataset: the one way in."""
    folder = Path(folder)
    file = folder if folder.name == "dataset.yaml" else folder / "dataset.yaml"
    known = instruments.load()
    try:
        raw = config.read(file, "dataset")
    except ProblemsFound as refused:
        return None, refused.problems
    plan, problems = descriptor.resolve(raw, str(file), known)
    if plan is None:
        return None, problems
    base, found = _base(plan, file.parent, mirror)
    if base is None:
        return None, problems + found
    reading = _read(plan, base)
    problems += reading.problems
    if "sessions" not in reading.tables:
        return None, problems
    tables, found = assembly.assemble(plan, reading.tables, failed=_failed(problems))
    problems += found
    if tables is None or _failed(problems):
        return None, problems
    measures = {}
    for one in plan.measures.values():
        described = scoring.describe(one, tables.sessions, tables.courses, known, plan.file)
        measures[one.name], found = described
        problems += found
    about = _about(name, plan, reading, problems)
    return Dataset(about, measures, tables.sessions, tables.courses, tables.events), problems


def _base(plan: Plan, folder: Path, mirror: str | Path | None) -> tuple[Path | None, list[Problem]]:
    """Return the folder that holds the files."""
    name = plan.raw["mirror_folder"]
    if name is None:
        return folder, []
    place: dict[str, Any] = {"file": plan.file, "key": "mirror_folder"}
    if mirror is None:
        return None, [problem("E131", found=name, **place)]
    base = Path(mirror) / name
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or not parts or "\0" in name:
        why = "leads out of the folder of public data"
        return None, [problem("E130", found=name, why=why, **place)]
    if not base.is_dir():
        return None, [problem("E315", found=base, **place)]
    return base, []


@dataclass
class _Reading:
    """What was read: tables by name, files by path."""

    tables: dict[str, Table] = field(default_factory=dict)
    files: dict[Path, tuple[Source, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _read(plan: Plan, base: Path) -> _Reading:
    """Read the columns that dataset.yaml names, each file once."""
    reading = _Reading()
    names: dict[Path, list[str]] = {}
    for name in TABLES:
        table = plan.table(name)
        if table is None:
            continue
        path, found = locate(base, table["file"], f"tables.{name}.file", plan.file)
        reading.problems += found
        if path is not None:
            names.setdefault(path, []).append(name)
    for path, tables in names.items():
        source, found = open_source(path, plan.form(tables[0]))
        reading.problems += found
        if source is None:
            continue
        wanted: dict[str, str] = {}
        for name in tables:
            wanted = {**_wanted(plan, name, source.header), **wanted}
        if plan.wide and "sessions" in tables:
            reading.problems += _pattern_faults(plan, source)
        columns, found = read_columns(source, wanted, plan.missing)
        reading.problems += found
        if columns is not None:
            reading.tables |= dict.fromkeys(tables, columns)
            reading.files[path] = (source, len(columns.rows))
    return reading


def _wanted(plan: Plan, name: str, header: tuple[str, ...]) -> dict[str, str]:
    """Return the columns that a table needs -> the key of dataset.yaml that names each."""
    table = plan.raw["tables"][name]
    keys = {
        "sessions": ("course", "client", "therapist", "session", "date", "day"),
        "courses": ("course", "client", "therapist", "ending"),
        "events": ("course", "session", "kind", "code", "reporter"),
    }[name]
    wanted = {table[key]: f"tables.{name}.{key}" for key in keys if table[key]}
    if name == "courses":
        for covariate, column in plan.covariates.items():
            wanted.setdefault(column, f"tables.courses.covariates.{covariate}")
    for one in plan.measures.values():
        key = f"measures.{one.name}"
        pairs: dict[str | None, str] = {}
        if name == "courses":
            pairs = {one.first: f"{key}.first", one.last: f"{key}.last"}
        elif name == "sessions":
            pairs = {one.total: f"{key}.{'pattern' if plan.wide else 'total'}"}
            pairs |= {column: f"{key}.items.{part}" for part, column in one.components.items()}
        for source, place in pairs.items():
            if source and SESSION in source:
                columns = layouts.columns_of(source, header).values()
                wanted |= {each: place for each in columns if each not in wanted}
            elif source:
                wanted.setdefault(source, place)
    return wanted


def _pattern_faults(plan: Plan, source: Source) -> list[Problem]:
    """Return problems of patterns: no column (E316), two columns for one session (E317)."""
    found = []
    for one in plan.measures.values():
        for pattern in filter(None, (one.total, *one.components.values())):
            key = f"measures.{one.name}"
            place: dict[str, Any] = {"file": source.file, "column": pattern, "key": key}
            if not layouts.columns_of(pattern, source.header):
                known = listing(name for name in source.header if name)
                found.append(problem("E316", found=pattern, allowed=known, **place))
            for first, second in layouts.twice(pattern, source.header):
                found.append(problem("E317", found=second, first=first, **place))
    return found


def _about(name: str, plan: Plan, reading: _Reading, problems: list[Problem]) -> dict[str, Any]:
    """Return what dataset.json says."""
    keys = ("title", "source", "licence", "citation", "synthetic", "cautions")
    files = [
        {"path": path.as_posix(), "sha256": source.sha256, "rows": rows}
        for path, (source, rows) in reading.files.items()
    ]
    told = {key: plan.raw[key] for key in keys}
    warnings = [one.text for one in problems]
    descriptor_path = Path(plan.file).as_posix()
    return {
        "name": name,
        **told,
        "descriptor": descriptor_path,
        "files": files,
        "warnings": warnings,
    }


def write(dataset: Dataset, folder: str | Path) -> None:
    """Write dataset.json, measures.json, sessions.parquet, courses.parquet and events.parquet.

    Parameters
    ----------
    dataset : Dataset
        What to write.
    folder : path
        Where to; made if it does not exist.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("dataset", dataset.about), ("measures", dataset.measures)):
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for name in TABLES:
        getattr(dataset, name).to_parquet(folder / f"{name}.parquet", index=False)


def load(folder: str | Path) -> Dataset:
    """Read what :func:`write` wrote.

    Parameters
    ----------
    folder : path
        The dataset's folder below data/processed.

    Returns
    -------
    Dataset
    """
    folder = Path(folder)
    contents: Mapping[str, Any] = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("dataset", "measures")
    }
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    return Dataset(contents["dataset"], contents["measures"], **tables)
