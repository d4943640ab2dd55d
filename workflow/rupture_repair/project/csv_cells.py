"""CSV that no spreadsheet takes for formulas, and that reads back as what was written."""

import csv
import re
from pathlib import Path
from typing import IO

import pandas as pd

#: Texts that a spreadsheet would run as a formula, or that look as if they had been defused.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")

#: A number with a sign is none.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _is_formula(value: object) -> bool:
    """Return whether a cell is a text that begins as formulas do."""
    if not isinstance(value, str):
        return False
    return bool(_FORMULA.match(value)) and not _NUMBER.fullmatch(value)


def _places_of_texts(table: pd.DataFrame) -> list[int]:
    """Return which columns may hold texts."""
    types = pd.api.types
    return [
        place
        for place, kind in enumerate(table.dtypes)
        if not types.is_numeric_dtype(kind) and not types.is_datetime64_any_dtype(kind)
    ]


def _has_returns(table: pd.DataFrame) -> bool:
    """Return whether a text holds a carriage return, at which readers would end the row."""
    return any(
        isinstance(value, str) and "\r" in value
        for place in _places_of_texts(table)
        for value in table.iloc[:, place].unique()
    )


def defused(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text is a formula: an apostrophe comes before those that are.

    Whoever takes one apostrophe away before ``= + - @``, a tab or a new line reads what was there.

    Examples
    --------
    >>> defused(pd.DataFrame({"id": ["=1+1", "a=b", "-3", "'=1"]}))["id"].to_list()
    ["'=1+1", 'a=b', '-3', "''=1"]
    """
    safe = table.copy(deep=False)
    for place in _places_of_texts(table):
        values = table.iloc[:, place].astype(object)
        found = values.map(_is_formula).to_numpy(bool)
        if found.any():
            safe.isetitem(place, values.where(~found, "'" + values[found].astype(object)))
    return safe


def write_csv(
    table: pd.DataFrame, file: str | Path | IO[str], float_format: str | None = None
) -> None:
    """Write a table as CSV without its index, defused.

    Parameters
    ----------
    table : DataFrame
    file : path or text file
    float_format : str, optional
        That of numbers; by default all digits.
    """
    # Only from Python 3.13 on are carriage returns quoted where nothing else is.
    quoting = csv.QUOTE_NONNUMERIC if _has_returns(table) else csv.QUOTE_MINIMAL
    how = {"lineterminator": "\n", "float_format": float_format, "quoting": quoting}
    defused(table.reset_index(drop=True)).to_csv(file, index=False, **how)
