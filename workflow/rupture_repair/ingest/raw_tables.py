"""Read the tables of a dataset: the columns that dataset.yaml names, from its files."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..project.problems import Problem, listing, problem
from . import implausible, layouts, personal_data, summaries, value_labels
from .columns import RawTable
from .delimited import read_columns
from .described_measures import SESSION
from .descriptor import ReadingPlan
from .files import Source, locate, open_source

TABLES = ("sessions", "courses", "events")


@dataclass
class Reading:
    """What was read: tables by name, files by path."""

    tables: dict[str, RawTable] = field(default_factory=dict)
    files: dict[Path, tuple[Source, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_tables(plan: ReadingPlan, base: Path) -> Reading:
    """Read the columns that dataset.yaml names, each file once.

    Columns that it does not name are looked at for what identifies persons, and left out.
    """
    reading = Reading()
    names: dict[tuple[Path, str | None], list[str]] = {}
    for name in TABLES:
        table = plan.table(name)
        if table is None:
            continue
        path, found = locate(base, table["file"], f"tables.{name}.file", plan.file)
        reading.problems += found
        if path is not None:
            names.setdefault((path, table["sheet"]), []).append(name)
    for (path, _), tables in names.items():
        _read_file(plan, path, tables, reading)
    return reading


def _read_file(plan: ReadingPlan, path: Path, tables: list[str], reading: Reading) -> None:
    """Read the tables that are in one file or sheet."""
    source, found = open_source(path, plan.form(tables[0]))
    reading.problems += found
    if source is None:
        return
    wanted: dict[str, str] = {}
    for name in tables:
        wanted = {**_wanted(plan, name, source.header), **wanted}
    if plan.wide and "sessions" in tables:
        reading.problems += _pattern_faults(plan, source)
    keys = _keys(plan, tables)
    table, found = read_columns(source, wanted, plan.missing, keys, every=True)
    reading.problems += found
    if table is None:
        return
    reading.problems += _codes_as_ids(plan, tables, table)
    table, found = _with_labels(plan, tables, path, table)
    reading.problems += found
    reading.files[path] = (source, len(table.rows))
    reading.problems += personal_data.find(plan, table)
    if "sessions" in tables:
        moved, found = implausible.moved_rows(plan, table, source.header)
        reading.problems += found
        table = table.without(moved) if len(moved) else table
        reading.problems += summaries.of_rows_above(plan, table, source.header)
    reading.tables |= dict.fromkeys(tables, table)


#: Keys of dataset.yaml that name columns of ids, and those that order a course's rows.
_IDS, _ORDER = ("course", "client", "therapist"), ("session", "date", "day")


def _keys(plan: ReadingPlan, tables: list[str]) -> set[str]:
    """Return the columns of ids, sessions and dates of some tables."""
    named = (plan.raw["tables"][name].get(key) for name in tables for key in (*_IDS, *_ORDER))
    return set(filter(None, named))


def _codes_as_ids(plan: ReadingPlan, tables: list[str], table: RawTable) -> list[Problem]:
    """Warn of ids that are codes of missing ratings (W312)."""
    names = {plan.raw["tables"][name].get(key) for name in tables for key in _IDS}
    found = []
    for name in sorted(set(table.columns) & names):
        column = table.columns[name]
        listed = np.array([text in plan.missing for text in column.texts.to_pylist()], bool)
        found += column.faults("W312", listed)
    return found


def _with_labels(
    plan: ReadingPlan, tables: list[str], path: Path, table: RawTable
) -> tuple[RawTable, list[Problem]]:
    """Return the table with the labels of covariates, where the file has such, for values."""
    labels, columns, found = value_labels.of_file(path), dict(table.columns), []
    covariates = set(plan.covariates.values()) if "courses" in tables else set()
    for name in sorted(set(labels) & set(columns) - _keys(plan, tables)):
        if name in covariates:
            columns[name], said = value_labels.as_categories(columns[name], labels[name])
        else:
            said = value_labels.not_known(columns[name], labels[name])
        found += said
    return replace(table, columns=columns), found


def _wanted(plan: ReadingPlan, name: str, header: tuple[str, ...]) -> dict[str, str]:
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
            pairs |= {
                column: f"{key}.items.{part}"
                for part, group in one.components.items()
                for column in group
            }
        for source, place in pairs.items():
            if source and SESSION in source:
                columns = layouts.columns_of(source, header).values()
                wanted |= {each: place for each in columns if each not in wanted}
            elif source:
                wanted.setdefault(source, place)
    return wanted


def _pattern_faults(plan: ReadingPlan, source: Source) -> list[Problem]:
    """Return problems of patterns: no column (E316), two columns for one session (E317)."""
    found = []
    for one in plan.measures.values():
        for pattern in filter(None, (one.total, *one.answers)):
            key = f"measures.{one.name}"
            place: dict[str, Any] = {"file": source.file, "column": pattern, "key": key}
            if not layouts.columns_of(pattern, source.header):
                known = listing(name for name in source.header if name)
                found.append(problem("E316", found=pattern, allowed=known, **place))
            for first, second in layouts.twice(pattern, source.header):
                found.append(problem("E317", found=second, first=first, **place))
    return found
