"""Spreadsheets for the tests."""

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Any]]], change: Callable[[Any], None] | None = None
) -> bytes:
    """Return an XLSX file; texts such as #VALUE! become error cells.

    Parameters
    ----------
    sheets : mapping
        Name -> rows.
    change : callable, optional
        What is done to the workbook of openpyxl before it is saved.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if change is not None:
        change(book)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def sav(table: pd.DataFrame, **options: Any) -> bytes:
    """Return an SPSS file; the options are those of pyreadstat."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.sav"
        pyreadstat.write_sav(table, str(path), **options)
        return path.read_bytes()


def cells(text: str) -> list[list[Any]]:
    """Return a comma-separated text as cells of a spreadsheet, numbers as numbers."""

    def value(cell: str) -> Any:
        if not cell:
            return None
        try:
            return float(cell) if "." in cell else int(cell)
        except ValueError:
            return cell

    return [[value(cell) for cell in line.split(",")] for line in text.splitlines()]
