"""Take one file out of what was downloaded: an archive, or a file of R."""

import gzip
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from numbers import Integral
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd

from ..project.optional_parts import optional

#: Digits to which R writes a number.
DIGITS = 15


class NotInside(Exception):
    """The download does not hold the file; `args[0]` lists what it holds."""


def published_name(url: str) -> str:
    """Return the name of the file at an address.

    Examples
    --------
    >>> published_name("https://example.org/a/My%20data.zip?download=1")
    'My data.zip'
    """
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _from_zip(path: Path, name: str, target: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        inside = [entry for entry in archive.namelist() if not entry.endswith("/")]
        with archive.open(_member(inside, name)) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)


def _from_tar(path: Path, name: str, target: Path) -> None:
    with tarfile.open(path) as archive:
        inside = [entry.name for entry in archive.getmembers() if entry.isfile()]
        source = archive.extractfile(_member(inside, name))
        assert source is not None  # only files were looked at
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)


def _member(inside: list[str], name: str) -> str:
    """Return the one path of an archive that ends in this name."""
    found = [path for path in inside if PurePosixPath(path).name == name]
    if len(found) != 1:
        raise NotInside(inside)
    return found[0]


def _from_gzip(path: Path, name: str, target: Path) -> None:
    with gzip.open(path) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)


def _from_r(path: Path, name: str, target: Path) -> None:
    """Write the table of an R file that is named like the CSV file."""
    tables = optional("pyreadr").read_r(path)
    # A file of one table without a name (.rds) has the key None.
    table = tables.get(PurePosixPath(name).stem, tables.get(None))
    if table is None:
        raise NotInside([f"{key}.csv" for key in tables])
    target.write_text(as_csv(table), encoding="utf-8", newline="")


#: How each kind of download is opened, by the end of its name. Only the one file is taken out, so
#: that no path in an archive can lead anywhere.
_OPENERS: dict[str, Callable[[Path, str, Path], None]] = {
    ".zip": _from_zip,
    ".tar": _from_tar,
    ".tar.gz": _from_tar,
    ".tgz": _from_tar,
    ".tar.bz2": _from_tar,
    ".tar.xz": _from_tar,
    ".gz": _from_gzip,
    ".rdata": _from_r,
    ".rda": _from_r,
    ".rds": _from_r,
}


def take_out(download: Path, published: str, name: str, target: Path) -> None:
    """Write the file `name` that a download holds, or that it is.

    Parameters
    ----------
    download : Path
        What was downloaded.
    published : str
        Its name where it is published, which says what it is.
    name : str
        The file to take out.
    target : Path
        Where to write it.

    Raises
    ------
    NotInside
        If the download holds no such file, or several.
    Exception
        Whatever an archive that is broken raises.
    """
    ends = [end for end in _OPENERS if published.lower().endswith(end)]
    if published.lower() == name.lower() or not ends:
        shutil.copyfile(download, target)
    else:
        _OPENERS[max(ends, key=len)](download, name, target)


# ---------------------------------------------------------------------------- as R writes CSV


def _quoted(text: object) -> str:
    return '"' + str(text).replace('"', '""') + '"'


def _number(value: float) -> str:
    """Return a number as R writes it: 15 digits, and an exponent where that is shorter."""
    if value != value:
        return "NA"
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    exact = Decimal(f"{value:.{DIGITS}g}")
    plain = f"{exact:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits, exponent = f"{value:.{DIGITS - 1}e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    power = f"{digits}e{exponent[0]}{exponent[1:].zfill(2)}"
    return plain if len(plain) <= len(power) else power


def _cells(column: pd.Series) -> list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)

    def cell(value: Any) -> str:
        if pd.isna(value):
            return "NA"
        if isinstance(value, str):
            return _quoted(value)
        if isinstance(value, bool | np.bool_):
            return "TRUE" if value else "FALSE"
        return str(value) if isinstance(value, Integral) else _number(float(value))

    return [cell(value) for value in column]


def as_csv(table: pd.DataFrame) -> str:
    r"""Return a table as R's ``write.csv(table, row.names = FALSE)`` writes it.

    Examples
    --------
    >>> as_csv(pd.DataFrame({"id": ["a", "b"], "x": [0.1 + 0.2, 100000.0]}))
    '"id","x"\n"a",0.3\n"b",1e+05\n'
    """
    columns = [_cells(table[name]) for name in table.columns]
    header = ",".join(_quoted(name) for name in table.columns)
    rows = [",".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([header, *rows]) + "\n"
