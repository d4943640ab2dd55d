"""Spreadsheets and files of statistics programs as delimited text, cell by cell.

The text then goes the way of every CSV file, so that all are checked alike and rows keep the
numbers that the spreadsheet shows.
"""

import csv
import datetime
import io
import math
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..project.problems import Problem, did_you_mean, listing, problem

#: Suffix -> what such a file is, and the function of pyreadstat that reads it.
STATISTICS = {
    ".sav": ("an SPSS file", "read_sav"),
    ".zsav": ("an SPSS file", "read_sav"),
    ".por": ("an SPSS file", "read_por"),
    ".dta": ("a Stata file", "read_dta"),
    ".sas7bdat": ("a SAS file", "read_sas7bdat"),
    ".xpt": ("a SAS file", "read_xport"),
}
EXCEL = (".xlsx", ".xlsm")

#: Suffixes of all files that are read cell by cell.
SUFFIXES = (*EXCEL, *STATISTICS)

#: More bytes than this are not unpacked, more cells not read: a damaged file asks for any number.
MOST_BYTES, MOST_CELLS = 2_000_000_000, 200_000_000


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
        The sheet of a spreadsheet; the first by default.
    decimal : str
        The decimal sign to write numbers with.

    Returns
    -------
    bytes, list of Problem
        Problems E323 (no such sheet) and E324 (the file is damaged).
    """
    suffix = Path(file).suffix.lower()
    what = "an XLSX file" if suffix in EXCEL else STATISTICS[suffix][0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and formats, which are not used
            if suffix in EXCEL:
                names = sheet_names(raw)
                if sheet is not None and sheet not in names:
                    facts: dict[str, Any] = {
                        "hint": did_you_mean(sheet, names),
                        "allowed": listing(names),
                    }
                    return b"", [problem("E323", file=file, found=sheet, **facts)]
                return _written(_rows_of_sheet(raw, sheet), decimal), []
            return _written(_rows_of_statistics(raw, suffix)[0], decimal), []
    except Exception as error:  # what a damaged file makes of the readers cannot be foreseen
        found = " ".join(str(error).split())[:120] or type(error).__name__
        return b"", [problem("E324", file=file, what=what, found=found)]


def sheet_names(raw: bytes) -> list[str]:
    """Return the names of the sheets of an XLSX file.

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES:,} bytes")
    return _book(raw).sheetnames


def _book(raw: bytes) -> Any:
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)


def _rows_of_sheet(raw: bytes, name: str | None) -> Iterator[list[Any]]:
    """Yield the rows from the first on, each as long as the widest."""
    book = _book(raw)
    sheet = book[name] if name else book.worksheets[0]
    sheet.reset_dimensions()  # what a file says of its extent is often wrong
    rows: list[list[Any]] = []
    count = 0
    for row in sheet.iter_rows(values_only=True):
        filled = len(row)
        while filled and row[filled - 1] is None:
            filled -= 1
        rows.append(list(row[:filled]))
        count += len(row) + 1
        if count > MOST_CELLS:
            raise ValueError(f"it has more than {MOST_CELLS:,} cells")
    while rows and not rows[-1]:
        rows.pop()
    width = max(map(len, rows), default=0)
    if width * len(rows) > MOST_CELLS:
        raise ValueError(f"it has more than {MOST_CELLS:,} cells")
    for row in rows:
        yield row + [None] * (width - len(row))


def _rows_of_statistics(raw: bytes, suffix: str) -> tuple[Iterator[list[Any]], Any]:
    """Return the rows of a file of a statistics program, names first, and what it says of them."""
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:  # the readers take a path only
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(raw)
        table, about = getattr(pyreadstat, STATISTICS[suffix][1])(str(path), output_format="dict")
    names = list(about.column_names)

    def rows() -> Iterator[list[Any]]:
        yield names
        yield from (list(row) for row in zip(*(table[name] for name in names), strict=True))

    return rows(), about


def labels(raw: bytes, file: str) -> dict[str, tuple[str, dict[Any, str]]]:
    """Return column -> its label and the labels of its values, for files that have such.

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in STATISTICS:
        return {}
    about = _rows_of_statistics(raw, suffix)[1]
    values = about.variable_value_labels
    named = about.column_names_to_labels
    return {name: (named.get(name) or "", values.get(name, {})) for name in about.column_names}


def _cell(value: Any, decimal: str) -> str:
    """Return a cell as text: dates as 2024-01-31, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, datetime.datetime):
        plain = value.time() == datetime.time()
        return value.date().isoformat() if plain else value.isoformat(sep=" ")
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        # Spreadsheets keep sums such as 0.30000000000000004; they show and mean 15 digits.
        return f"{value:.15g}".replace(".", decimal)
    return str(value)


def _written(rows: Iterable[list[Any]], decimal: str) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value, decimal) for value in row])
    return made.getvalue().encode("utf-8", "replace")
