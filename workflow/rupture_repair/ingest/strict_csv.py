"""Whether quotation marks in a delimited text are where they belong.

One quotation mark too many makes one cell of many rows, and readers of CSV files say nothing.
"""

import csv
import io
from typing import Any

from ..project.problems import MOST_ROWS, Problem, problem
from . import spreadsheets
from .files import DELIMITERS, Source


def faults(source: Source) -> tuple[list[Problem], bool]:
    """Return what is wrong with the quotation marks of a file.

    Parameters
    ----------
    source : Source
        The file; spreadsheets have no quotation marks of their own.

    Returns
    -------
    list of Problem, bool
        Problems E314 (never closed), E329 (a cell holds a line break and delimiters) and E335 (a
        row that is not CSV), and whether rows can be read all the same.
    """
    if b'"' not in source.data or spreadsheets.is_spreadsheet(source.file):
        return [], True
    lines = io.TextIOWrapper(io.BytesIO(source.data), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=source.form.delimiter, strict=True)
    found: dict[tuple[int, bool], list[int]] = {}
    number, line = 0, 0
    try:
        for number, row in enumerate(reader, 1):
            if reader.line_num - line > 1:
                _note_long_cells(number, row, source, found)
            line = reader.line_num
    except csv.Error as error:
        said = str(error)
        if "unexpected end" in said or "field larger" in said:
            return [*_problems(source, found), problem("E314", file=source.file)], False
        sign = DELIMITERS.get(source.form.delimiter, f"'{source.form.delimiter}'")
        place: dict[str, Any] = {"file": source.file, "row": number + 1}
        return [*_problems(source, found), problem("E335", sign=sign, **place)], False
    return _problems(source, found), True


def _note_long_cells(
    number: int, row: list[str], source: Source, found: dict[tuple[int, bool], list[int]]
) -> None:
    """Note the cells of a row that hold line breaks and delimiters, by column and by how sure.

    Rows that a quotation mark has swallowed leave as many delimiters in the cell as a row has.
    """
    sure = max(len(source.header) - 2, 1)
    for at, cell in enumerate(row):
        count = cell.count(source.form.delimiter)
        if count and ("\n" in cell or "\r" in cell):
            found.setdefault((at, count >= sure), []).append(number)


def _problems(source: Source, found: dict[tuple[int, bool], list[int]]) -> list[Problem]:
    made = []
    for (at, sure), rows in found.items():
        name = source.header[at] if at < len(source.header) else None
        facts: dict[str, Any] = {"file": source.file, "column": name or None, "row": rows[0]}
        facts |= {"rows": rows[:MOST_ROWS], "more": len(rows) - 1}
        facts["or_accept"] = ""
        if not sure and name:
            facts["finding"] = "line_break"
            facts["or_accept"] = (
                " If it is a text of several lines, accept it in dataset.yaml (finding: line_break)"
                " or remove the column."
            )
        made.append(problem("E329", **facts))
    return made
