"""The check of a dataset, told to people and to programs.

Problems of one kind belong together: a file with a wrong delimiter has one problem, not a thousand.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..project.problems import Problem
from .files import FileFormat, open_source

#: How many groups are explained in full, and how many places of each.
WORST, PLACES = 10, 5

#: Rows above and below an offending cell, columns next to it, and characters of a cell.
ROWS_AROUND, COLUMNS_AROUND, LONGEST = 1, 3, 40

#: Cells of such problems are not shown again.
HIDDEN = ("E330",)


@dataclass(frozen=True)
class ProblemGroup:
    """All problems of one kind in one dataset.

    Attributes
    ----------
    code : str
        The kind.
    problems : tuple of Problem
        Those with most cells first.
    """

    code: str
    problems: tuple[Problem, ...]

    @property
    def is_error(self) -> bool:
        """Whether the kind stops the dataset."""
        return self.problems[0].is_error

    @property
    def cells(self) -> int:
        """How many cells, rows or keys have it."""
        return sum(one.cells for one in self.problems)


def grouped(problems: Iterable[Problem]) -> list[ProblemGroup]:
    """Return problems by kind, errors before warnings, those with most cells first.

    Examples
    --------
    >>> from rupture_repair.project.problems import problem
    >>> found = [problem("W301"), problem("E302", found="x"), problem("E206", more=3)]
    >>> [(group.code, group.cells) for group in grouped(found)]
    [('E206', 4), ('E302', 1), ('W301', 1)]
    """
    kinds: dict[str, list[Problem]] = {}
    for one in problems:
        kinds.setdefault(one.code, []).append(one)
    groups = [
        ProblemGroup(code, tuple(sorted(every, key=lambda one: -one.cells)))
        for code, every in kinds.items()
    ]
    return sorted(groups, key=lambda group: (not group.is_error, -group.cells))


def as_text(name: str, problems: Sequence[Problem], everything: bool = False) -> str:
    """Return the problems of a dataset as lines for a terminal.

    Parameters
    ----------
    name : str
        The dataset.
    problems : sequence of Problem
        From :func:`rupture_repair.ingest.check.check`.
    everything : bool
        Whether to tell all of them; else the ten worst kinds, some places of each.
    """
    errors = sum(one.is_error for one in problems)
    lines = [f"{name}: {errors} errors, {len(problems) - errors} warnings"]
    groups = grouped(problems)
    most = len(groups) if everything else WORST
    for group in groups[:most]:
        places = len(group.problems) if everything else PLACES
        lines += [f"  {one.text}" for one in group.problems[:places]]
        rest = group.problems[places:]
        if rest:
            lines.append(f"    {group.code} also in {len(rest)} more places")
    if groups[most:]:
        codes = ", ".join(f"{group.code} ({group.cells})" for group in groups[most:])
        lines.append(f"  and of other kinds: {codes}")
    if len(lines) > 1 and not everything and (groups[most:] or any(
        len(group.problems) > PLACES for group in groups[:most]
    )):  # fmt: skip
        lines.append("  rupture-repair check --all lists everything.")
    return "\n".join(lines)


def as_data(name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the problems of a dataset as plain data: dataset, errors, warnings, problems.

    Each problem has code, message, text, file, row, rows, column, key, line, cells and finding.
    """
    errors = sum(one.is_error for one in problems)
    told = [
        {**one.as_dict(), "rows": list(one.rows), "cells": one.cells, "text": one.text}
        for group in grouped(problems)
        for one in group.problems
    ]
    counts = {"errors": errors, "warnings": len(problems) - errors}
    return {"dataset": name, **counts, "problems": told}


# ---------------------------------------------------------------------------- cells in context


@dataclass(frozen=True)
class Excerpt:
    """Some rows of a file around an offending cell.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns shown.
    rows : tuple of (int, tuple of str)
        The number of each row, and its cells.
    row : int
        The offending row.
    column : str or None
        The offending column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    row: int
    column: str | None


def excerpts(
    problems: Iterable[Problem], forms: Mapping[str, FileFormat], most: int = PLACES
) -> dict[Problem, list[Excerpt]]:
    """Return the cells around each problem, as they are in the files.

    Parameters
    ----------
    problems : iterable of Problem
        Those with a file and rows are shown.
    forms : mapping
        File -> how it is written.
    most : int
        How many places of each problem.
    """
    wanted = [one for one in problems if one.file in forms and one.rows]
    found: dict[Problem, list[Excerpt]] = {}
    for file in dict.fromkeys(one.file for one in wanted):
        here = [one for one in wanted if one.file == file]
        numbers = {row for one in here for row in one.rows[:most]}
        near = {at for row in numbers for at in range(row - ROWS_AROUND, row + ROWS_AROUND + 1)}
        header, rows = _rows(str(file), forms[str(file)], near)
        if header:
            for one in here:
                found[one] = [_excerpt(one, row, header, rows) for row in one.rows[:most]]
    return found


def _rows(file: str, form: FileFormat, wanted: set[int]) -> tuple[list[str], dict[int, list[str]]]:
    """Return the header of a file, and some of its rows by number."""
    source, _ = open_source(Path(file), form)
    if source is None:
        return [], {}
    lines = io.TextIOWrapper(io.BytesIO(source.data), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=source.form.delimiter)
    rows = {}
    try:
        for number, row in islice(enumerate(reader, 1), max(wanted, default=0)):
            if number in wanted and number > 1:
                rows[number] = row
    except csv.Error:
        pass
    return list(source.header), rows


def _excerpt(
    one: Problem, row: int, header: Sequence[str], rows: Mapping[int, Sequence[str]]
) -> Excerpt:
    at = header.index(one.column) if one.column in header else None
    middle = 0 if at is None else at
    near = range(max(middle - COLUMNS_AROUND, 0), min(middle + COLUMNS_AROUND + 1, len(header)))
    shown = sorted({0, *near})

    def cell(cells: Sequence[str], column: int) -> str:
        if one.code in HIDDEN and column == at:
            return "(hidden)"
        text = cells[column] if column < len(cells) else ""
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

    around = range(row - ROWS_AROUND, row + ROWS_AROUND + 1)
    cells = [
        (number, tuple(cell(rows[number], column) for column in shown))
        for number in around
        if number in rows
    ]
    return Excerpt(tuple(header[column] for column in shown), tuple(cells), row, one.column)


# ---------------------------------------------------------------------------- the catalogue
