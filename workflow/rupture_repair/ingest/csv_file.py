"""One CSV file as a table, without a dataset.yaml: for the commands that need no project."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..project.arrays import Flags
from ..project.file_rows import FILE_ROW
from ..project.problems import Problem, did_you_mean, problem
from .columns import RawColumn
from .delimited import read_columns
from .files import DELIMITERS, FileFormat, Source, open_source

#: Cells that mean "not known", in addition to the empty one.
MISSING = ("NA", "NaN", "nan")


def open_file(path: Path, delimiter: str) -> tuple[Source | None, list[Problem]]:
    """Open the file, with messages that name options instead of keys of dataset.yaml.

    Parameters
    ----------
    path : path
        CSV in UTF-8.
    delimiter : str
        One sign.

    Returns
    -------
    Source or None, list of Problem
        Problems E302, E305, E320, E711, E712, E713 and E719.
    """
    if not path.is_file():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        return None, [problem("E711", file=path, hint=did_you_mean(path.name, near))]
    if len(delimiter) != 1:
        allowed = "one sign, or tab"
        return None, [problem("E719", file="--delimiter", found=delimiter, allowed=allowed)]
    source, found = open_source(path, FileFormat(delimiter))
    codes = {entry.code for entry in found}
    if "E303" in codes:
        header = path.read_text(encoding="utf-8-sig").lstrip().split("\n", 1)[0]
        better = max((sign for sign in DELIMITERS if sign != delimiter), key=header.count)
        shown = "tab" if better == "\t" else f"'{better}'"
        return None, [problem("E712", file=path, found=delimiter, allowed=shown)]
    if "E304" in codes:
        return None, [problem("E713", file=path)]
    return source, found


def read_table(
    source: Source,
    names: Collection[str],
    *,
    texts: Collection[str] = (),
    numbers: Collection[str] = (),
    as_they_are: Collection[str] = (),
) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Read some columns of an opened file; empty cells and those in :data:`MISSING` are missing.

    Parameters
    ----------
    source : Source
    names : collection of str
        Columns that the file has once. Their cells become numbers if all of them are, and texts if
        none is; a mixture is reported.
    texts, numbers, as_they_are : collection of str
        Those that are always texts; always numbers, where any text is reported; and those that
        keep texts among numbers, for the caller to judge.

    Returns
    -------
    DataFrame or None, list of Problem
        One row per row of the file, the index its row as a spreadsheet shows it. Problems E223,
        E716, E721 and those of :func:`rupture_repair.ingest.delimited.read_columns`.
    """
    table, found = read_columns(source, dict.fromkeys(names, ""), ())
    # A text of several lines in a column that nobody names is no fault of the others.
    found = [one for one in found if one.finding != "line_break"]
    if table is None:
        return None, found
    columns = {}
    for name in names:
        column = table.columns[name]
        missing = np.array([text in MISSING for text in column.texts.to_pylist()], dtype=bool)
        number, endless = column.kinds
        text = ~number & ~endless & ~missing
        among_numbers = 0 < text.sum() <= (number & ~missing).sum()
        if name in texts:
            columns[name] = _texts(column, missing)
        elif name in as_they_are:
            columns[name] = _with_texts(column, text) if text.any() else _numbers(column)
        elif name in numbers or among_numbers:
            found += column.faults("E716", text) + column.thousands_faults()
            columns[name] = _numbers(column)
        elif text.any():
            facts = {"numbers": int((number & ~missing).sum()), "words": int(text.sum())}
            found += column.faults("E721", number & ~missing, **facts)
            columns[name] = _texts(column, missing)
        else:
            found += column.thousands_faults()
            columns[name] = _numbers(column)
    return pd.DataFrame(columns, index=pd.Index(table.rows, name=FILE_ROW)), found


def _numbers(column: RawColumn) -> NDArray[Any]:
    """Return numbers, infinity among them, so that it can be refused."""
    return column.each(np.where(column.kinds[1], np.inf, column.distinct), np.nan)


def _texts(column: RawColumn, missing: Flags) -> Any:
    words = zip(column.texts.to_pylist(), missing, strict=True)
    names = np.array([None if gone else word for word, gone in words], dtype=object)
    return pd.Series(column.each(names, None), dtype="str").array


def _with_texts(column: RawColumn, text: Flags) -> NDArray[Any]:
    """Return numbers, and texts where the column holds them."""
    values = np.where(column.kinds[1], np.inf, column.distinct).astype(object)
    values[text] = np.array(column.texts.to_pylist(), dtype=object)[text]
    return column.each(values, np.nan)
