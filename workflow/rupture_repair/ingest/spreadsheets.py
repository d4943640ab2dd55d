"""Spreadsheets and files of statistics programs as delimited text, cell by cell.

The text then goes the way of every CSV file, so that all are checked alike and rows keep the
numbers that the spreadsheet shows.
"""

import csv
import datetime
import io
import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..project.problems import Problem, problem
from . import statistics_files, xlsx

#: Suffixes of all files that are read cell by cell.
SUFFIXES = (*xlsx.SUFFIXES, *statistics_files.SUFFIXES)

#: Whole numbers up to this one are exact in files that hold numbers as they are computed with.
EXACT = 2**53


def is_spreadsheet(name: str | Path) -> bool:
    """Return whether a file is one of these, by its suffix."""
    return Path(name).suffix.lower() in SUFFIXES


def as_text(
    raw: bytes, file: str, sheet: str | None = None, decimal: str = "."
) -> tuple[bytes, list[Problem]]:
    """Return the cells of a file as comma-separated UTF-8.

    Parameters
    ----------
    raw : bytes
        The file.
    file : str
        Its path, for the suffix and for messages.
    sheet : str, optional
        The sheet of a spreadsheet; the only visible one with a table by default.
    decimal : str
        The decimal sign to write numbers with.

    Returns
    -------
    bytes, list of Problem
        Problems E323 (no such sheet), E324 (the file is damaged), E326 (several sheets), E327
        (formulas without a value), E328 (merged cells), E333 and E334 (cells that show something
        else than they hold); warning W313 (hidden rows).
    """
    suffix = Path(file).suffix.lower()
    excel = suffix in xlsx.SUFFIXES
    what = "an XLSX file" if excel else statistics_files.name_of(suffix)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and fonts, which are not used
            if excel:
                rows, found = xlsx.rows(raw, file, sheet)
                return (b"" if _stop(found) else _written(rows, decimal)), found
            return _written(statistics_files.rows(raw, suffix), decimal), []
    except Exception as error:  # what a damaged file makes of the readers cannot be foreseen
        found_ = " ".join(str(error).split())[:120] or type(error).__name__
        return b"", [problem("E324", file=file, what=what, found=found_)]


def _stop(found: Iterable[Problem]) -> bool:
    return any(one.is_error for one in found)


def _cell(value: Any, decimal: str) -> str:
    """Return a cell as text: dates as 2024-01-31, whole numbers without a point, TRUE."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, datetime.datetime):
        plain = value.time() == datetime.time()
        return value.date().isoformat() if plain else value.isoformat(sep=" ")
    return number_as_text(value, decimal) if isinstance(value, int | float) else str(value)


def number_as_text(value: float, decimal: str = ".") -> str:
    """Return a number as text: whole ones as integers, in exponent form where they are not exact.

    Examples
    --------
    >>> number_as_text(4532017788901234.0), number_as_text(0.1 + 0.2), number_as_text(1e17)
    ('4532017788901234', '0.3', '1.0000000000000000e+17')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return str(value)
    if value == math.floor(value):
        return str(int(value)) if abs(value) < EXACT else f"{value:.16e}"
    # Spreadsheets keep sums such as 0.30000000000000004; they show and mean 15 digits.
    return f"{value:.15g}".replace(".", decimal)


def _written(rows: Iterable[list[Any]], decimal: str) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value, decimal) for value in row])
    return made.getvalue().encode("utf-8", "replace")
