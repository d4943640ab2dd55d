"""Spreadsheets in the form XLSX: which sheet is read, and its cells as they are shown.

A spreadsheet can show something else than its cells hold, and hold what nobody sees: hidden sheets
and rows, formulas whose value was never saved, merged cells. What is not read as it is shown is a
problem that names the cells.
"""

import datetime
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ..project.problems import Problem, did_you_mean, listing, problem
from . import number_formats

SUFFIXES = (".xlsx", ".xlsm")

#: More bytes than this are not unpacked, more cells not read: a damaged file asks for any number.
MOST_BYTES, MOST_CELLS = 2_000_000_000, 200_000_000

#: How many cells or rows a message names.
MOST_NAMED = 8

#: A date before this one, in a column without later ones, is a number that is shown as a date.
EARLIEST = datetime.datetime(1930, 1, 1)


class Sheet(NamedTuple):
    """A sheet: its name, the file within the archive, and whether it can be seen."""

    name: str
    part: str
    visible: bool


def rows(raw: bytes, file: str, name: str | None) -> tuple[list[list[Any]], list[Problem]]:
    """Return the rows of a sheet from the first on, each as long as the widest.

    Parameters
    ----------
    raw : bytes
        The file.
    file : str
        Its path, for messages.
    name : str, optional
        The sheet; the only visible one with a table by default.

    Returns
    -------
    list of list, list of Problem
        Problems E323 (no such sheet), E326 (several sheets), E327 (formulas without a value), E328
        (merged cells), E333 and E334 (cells that show something else than they hold); warnings W313
        (hidden rows) and W315 (hidden tables).

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    every = sheets(raw)
    names = [one.name for one in every]
    if name is not None and name not in names:
        facts: dict[str, Any] = {"hint": did_you_mean(name, names), "allowed": listing(names)}
        return [], [problem("E323", file=file, found=name, **facts)]
    if name is None:
        tables = visible_tables(raw, every)
        if len(tables) > 1:
            shown = listing(f"{one} ({count} rows)" for one, count in tables.items())
            facts = {"found": len(tables), "allowed": shown, "first": next(iter(tables))}
            return [], [problem("E326", file=file, **facts)]
        seen = [one.name for one in every if one.visible] or names
        name = next(iter(tables), seen[0])
    cells = _Cells()
    table = cells.read(_rows_of(raw, name))
    structure = _structure(raw, next(one for one in every if one.name == name))
    hidden = _tables(raw, (one.name for one in every if not one.visible and one.name != name))
    return table, [
        *_structure_faults(structure, table, file),
        *cells.faults(file),
        *_hidden_tables(hidden, name, file),
    ]


def _hidden_tables(hidden: Mapping[str, int], name: str, file: str) -> list[Problem]:
    """Return the warning of tables that nobody sees, and that are not read (W315)."""
    if not hidden:
        return []
    shown = listing((f"{one} ({count} rows)" for one, count in hidden.items()), MOST_NAMED)
    return [problem("W315", file=file, found=shown, sheet=name, more=len(hidden) - 1)]


def sheets(raw: bytes) -> list[Sheet]:
    """Return the sheets of a file in their order, without those that are charts.

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    from openpyxl.packaging.relationship import get_dependents, get_rels_path
    from openpyxl.packaging.workbook import WorkbookPackage
    from openpyxl.xml.functions import fromstring

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES:,} bytes")
        top = get_dependents(archive, "_rels/.rels")
        book = next(one.target for one in top if one.Type.endswith("/officeDocument"))
        package = WorkbookPackage.from_tree(fromstring(archive.read(book)))
        parts = get_dependents(archive, get_rels_path(book)).to_dict()
        found = [(sheet, parts[sheet.id]) for sheet in package.sheets if sheet.id in parts]
        return [
            Sheet(sheet.name, part.target, sheet.state == "visible")
            for sheet, part in found
            if part.Type.endswith("/worksheet")
        ]


def visible_tables(raw: bytes, every: Sequence[Sheet]) -> dict[str, int]:
    """Return name -> rows of data of each visible sheet that holds more than one column and row."""
    visible = [one.name for one in every if one.visible]
    return _tables(raw, visible) if len(visible) > 1 else {}


def _tables(raw: bytes, names: Iterable[str]) -> dict[str, int]:
    """Return name -> rows of data of the sheets that hold more than one column and row."""
    found = {}
    for name in names:
        filled = [sum(cell.value is not None for cell in row) for row in _rows_of(raw, name)]
        count = sum(number > 1 for number in filled)
        if count > 1:
            found[name] = count - 1
    return found


def _rows_of(raw: bytes, name: str) -> Iterator[Sequence[Any]]:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)[name]
    sheet.reset_dimensions()  # what a file says of its extent is often wrong
    return iter(sheet.iter_rows())


# ---------------------------------------------------------------------------- cells


@dataclass
class _Cells:
    """Reads cells as they are shown, and notes those that cannot be read so.

    Attributes
    ----------
    hidden : dict of str to list of str
        Number format -> cells that it hides, or whose display is not understood.
    early : dict of int to list of (str, str)
        Column -> cells with a date before :data:`EARLIEST`, and the date.
    dated : set of int
        Columns with later dates.
    """

    hidden: dict[str, list[str]] = field(default_factory=dict)
    early: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    dated: set[int] = field(default_factory=set)

    def read(self, source: Iterable[Sequence[Any]]) -> list[list[Any]]:
        """Return the rows, without empty ones at the end."""
        made: list[list[Any]] = []
        count = width = 0
        for row in source:
            cells = [None if cell.value is None else self._shown(cell) for cell in row]
            while cells and cells[-1] is None:
                cells.pop()
            made.append(cells)
            width = max(width, len(cells))
            count += len(row) + 1
            if max(count, width * len(made)) > MOST_CELLS:
                raise ValueError(f"it has more than {MOST_CELLS:,} cells")
        while made and not made[-1]:
            made.pop()
        return [row + [None] * (width - len(row)) for row in made]

    def _shown(self, cell: Any) -> Any:
        value = cell.value
        if isinstance(value, bool) or cell.data_type == "e":
            return value
        if isinstance(value, datetime.datetime):
            if value < EARLIEST:
                place = (cell.coordinate, value.date().isoformat())
                self.early.setdefault(cell.column, []).append(place)
            else:
                self.dated.add(cell.column)
            return value
        code = cell.number_format if isinstance(value, int | float | str) else "General"
        if code in ("General", "@", None):
            return value
        if isinstance(value, str):
            text = number_formats.of_text(code)
            return self._hide(cell, code) if text is None else text.format(value)
        found = number_formats.of_number(value, code)
        if found is None:
            return self._hide(cell, code)
        pattern, power = found
        value = value * 10**power if power else value
        if pattern == "{}":
            return float(f"{value:.15g}") if power else value
        return pattern.format(int(value) if value == int(value) else value)

    def _hide(self, cell: Any, code: str) -> None:
        self.hidden.setdefault(code, []).append(cell.coordinate)

    def faults(self, file: str) -> list[Problem]:
        """Return the problems of cells that do not show what they hold (E333, E334)."""
        found = []
        for code, cells in self.hidden.items():
            facts: dict[str, Any] = {"cells": listing(cells, MOST_NAMED), "found": code}
            found.append(problem("E333", file=file, more=len(cells) - 1, **facts))
        for column, dates in self.early.items():
            if column not in self.dated:
                facts = {"cells": listing((cell for cell, _ in dates), MOST_NAMED)}
                facts["found"] = dates[0][1]
                found.append(problem("E334", file=file, more=len(dates) - 1, **facts))
        return found


# ---------------------------------------------------------------------------- structure


@dataclass
class _Structure:
    """What a sheet says about its cells: formulas without a value, merged cells, hidden rows."""

    unsaved: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


def _structure(raw: bytes, sheet: Sheet) -> _Structure:
    found = _Structure()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        content = archive.read(sheet.part)
    if not any(word in content for word in (b"<f", b":f", b"mergeCell", b"hidden")):
        return found
    row = 0
    for _, element in ElementTree.iterparse(io.BytesIO(content)):
        kind = element.tag.rpartition("}")[2]
        if kind == "c":
            parts = {part.tag.rpartition("}")[2]: part for part in element}
            stored = "v" in parts and bool(parts["v"].text)
            if "f" in parts and not stored and element.get("t") != "str":
                found.unsaved.append(element.get("r", "?"))
        elif kind == "row":
            row = int(element.get("r", row + 1))
            if element.get("hidden") in ("1", "true"):
                found.hidden.append(row)
            element.clear()
        elif kind == "mergeCell":
            found.merged.append(element.get("ref", ""))
    return found


def _structure_faults(
    structure: _Structure, table: Sequence[Sequence[Any]], file: str
) -> list[Problem]:
    """Return problems E327 and E328, and warning W313."""
    found = []
    if structure.unsaved:
        cells = listing(structure.unsaved, MOST_NAMED)
        more = len(structure.unsaved) - 1
        found.append(problem("E327", file=file, cells=cells, more=more))
    merged = [area for area in structure.merged if _holds_something(area, table)]
    if merged:
        cells = listing(merged, MOST_NAMED)
        found.append(problem("E328", file=file, cells=cells, more=len(merged) - 1))
    hidden = [row for row in structure.hidden if row <= len(table) and any(table[row - 1])]
    if hidden:
        place: dict[str, Any] = {"row": hidden[0], "rows": hidden, "more": len(hidden) - 1}
        found.append(problem("W313", file=file, **place))
    return found


def _holds_something(area: str, table: Sequence[Sequence[Any]]) -> bool:
    """Return whether a merged area below the first row stands for more than one filled cell."""
    from openpyxl.utils.cell import range_boundaries

    left, top, right, bottom = range_boundaries(area)
    if bottom < 2 or (left, top) == (right, bottom) or top > len(table):
        return False
    first = table[top - 1][left - 1] if left <= len(table[top - 1]) else None
    return first is not None
