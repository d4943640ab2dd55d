"""Files of SPSS, Stata and SAS: their rows, and what they say of columns and values."""

import datetime
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: Suffix -> what such a file is, and the function of pyreadstat that reads it.
_READERS = {
    ".sav": ("an SPSS file", "read_sav"),
    ".zsav": ("an SPSS file", "read_sav"),
    ".por": ("an SPSS file", "read_por"),
    ".dta": ("a Stata file", "read_dta"),
    ".sas7bdat": ("a SAS file", "read_sas7bdat"),
    ".xpt": ("a SAS file", "read_xport"),
}
SUFFIXES = tuple(_READERS)

#: Formats of these programs that show a number with zeros before it.
_ZEROS = re.compile(r"[NZ](?P<spss>[0-9]+)(\.0?)?|%0(?P<stata>[0-9]+)(\.0)?[fg]")


def name_of(suffix: str) -> str:
    """Return what a file is, by its suffix."""
    return _READERS[suffix][0]


def rows(raw: bytes, suffix: str) -> Iterator[list[Any]]:
    """Return the rows of a file, names first.

    Numbers that the file shows with zeros before them are texts. Whole numbers that the column's
    type cannot hold exactly are texts in exponent form, so that nobody takes them for an id.

    Parameters
    ----------
    raw : bytes
        The file.
    suffix : str
        What it is.

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    table, about = _read(raw, suffix)
    names = list(about.column_names)
    columns = [_shown(table[name], _changes(name, about, suffix)) for name in names]
    yield names
    yield from map(list, zip(*columns, strict=True))


def labels(raw: bytes, file: str) -> dict[str, tuple[str, dict[Any, str]]]:
    """Return column -> its label and the labels of its values, for files that have such.

    Raises
    ------
    Exception
        Of several kinds, if the file is damaged.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        return {}
    about = _read(raw, suffix, metadataonly=True)[1]
    values = about.variable_value_labels
    named = about.column_names_to_labels
    return {name: (named.get(name) or "", values.get(name, {})) for name in about.column_names}


def _read(raw: bytes, suffix: str, **options: bool) -> tuple[dict[str, Any], Any]:
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:  # the readers take a path only
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(raw)
        read = getattr(pyreadstat, _READERS[suffix][1])
        return read(str(path), output_format="dict", **options)  # type: ignore[no-any-return]


def _changes(name: str, about: Any, suffix: str) -> Callable[[Any], Any] | None:
    """Return what has to be done with the numbers of a column, if anything."""
    shown = _ZEROS.fullmatch(str(about.original_variable_types.get(name)))
    limit = _exact(name, about, suffix)
    if shown is None and limit is None:
        return None
    places = int(shown["spss"] or shown["stata"]) if shown else 0
    short = about.readstat_variable_types.get(name) == "float"

    def change(value: Any) -> Any:
        if not isinstance(value, int | float):
            return value
        if value != value // 1:  # 8.1 is kept in four bytes as 8.100000381
            return float(str(np.float32(value))) if short else value
        if limit is not None and abs(value) >= limit:
            return f"{value:.8e}"
        return f"{int(value):0{places}d}" if places and value >= 0 else value

    return change


def _exact(name: str, about: Any, suffix: str) -> int | None:
    """Return below which whole number a column is exact, where that is not far."""
    if suffix == ".dta" and about.readstat_variable_types.get(name) == "float":
        return 2**24
    width = about.variable_storage_width.get(name, 8)
    if suffix in (".sas7bdat", ".xpt") and 3 <= width < 8:
        return int(2 ** (8 * width - 11))
    return None


def _shown(values: Any, change: Callable[[Any], Any] | None) -> list[Any]:
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    if change is None:
        return plain
    return [value if isinstance(value, datetime.date) else change(value) for value in plain]
