"""Find and open the files of a dataset, and say well why one cannot be read."""

import codecs
import csv
import hashlib
import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..project.problems import Problem, did_you_mean, problem
from . import spreadsheets

#: What is tried when a file's header does not split.
DELIMITERS = {",": "','", ";": "';'", "\t": '"\\t" (tab)', "|": "'|'"}

#: The first bytes of files that are no text -> what they are, and what to do.
_AS_XLSX = "Open it in Excel or LibreOffice and save it as XLSX (.xlsx), or as CSV."
_ZIP = b"PK\x03\x04"
SIGNATURES = {
    b"\xd0\xcf\x11\xe0": ("a spreadsheet in the old form XLS, or one with a password", _AS_XLSX),
    b"$FL2": ("an SPSS file", "Give it the suffix .sav."),
    b"$FL3": ("an SPSS file", "Give it the suffix .zsav."),
    b"<stata_dta>": ("a Stata file", "Give it the suffix .dta."),
    b"\x1f\x8b": ("a compressed file", "Unpack it."),
    b"%PDF": ("a PDF", "Save the table as CSV or XLSX."),
}
#: A file within a ZIP archive -> what the archive is, and what to do.
ARCHIVES = {
    "xl/workbook.xml": ("a spreadsheet in the form XLSX", "Give it the suffix .xlsx."),
    "xl/workbook.bin": ("a spreadsheet in the form XLSB", _AS_XLSX),
    "content.xml": ("a spreadsheet in the form ODS", _AS_XLSX),
    "Index/Document.iwa": ("a spreadsheet of Numbers", "Export it from Numbers as XLSX or CSV."),
}
AS_CSV = "Save it as CSV, or give it the suffix of what it is (.xlsx, .sav, .dta, .sas7bdat)."

#: No file has more columns, and no title stands more rows above the names of the columns.
MOST_COLUMNS, MOST_TITLE_ROWS = 20_000, 10


class FileFormat(NamedTuple):
    """How a file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    sheet: str | None = None


@dataclass(frozen=True)
class Source:
    """A file whose header could be read."""

    file: str
    sha256: str
    header: tuple[str, ...]
    data: bytes
    form: FileFormat


def locate(base: Path, name: str, key: str, descriptor: str) -> tuple[Path | None, list[Problem]]:
    """Find a file below the dataset's folder, and nowhere else.

    Parameters
    ----------
    base : path
        The folder.
    name : str
        The file as dataset.yaml names it.
    key, descriptor : str
        The place of that name, for messages.

    Returns
    -------
    path or None, list of Problem
        Problems E130 (outside of the folder) and E301 (no such file).
    """
    place: dict[str, Any] = {"file": descriptor, "key": key}
    if Path(name).is_absolute() or ".." in re.split(r"[/\\]", name) or "\0" in name:
        return None, [problem("E130", found=name, why="leads out of the dataset's folder", **place)]
    path = base / name
    try:
        inside = path.resolve().is_relative_to(base.resolve())
        there = path.is_file()
        beside = [entry.name for entry in base.iterdir()] if base.is_dir() else []
    except (OSError, RuntimeError, ValueError):
        inside, there, beside = True, False, []
    if not inside:
        why = "is a link that leads out of the dataset's folder"
        return None, [problem("E130", found=name, why=why, **place)]
    if not there:
        hint = did_you_mean(name, beside)
        return None, [problem("E301", file=path, key=key, hint=hint)]
    return path, []


def _kind(raw: bytes) -> tuple[str, str] | None:
    """Return what a file is that is no text, and what to do; None if it may be one."""
    if raw.startswith(_ZIP):
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                names = set(archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            names = set()
        found = [kind for part, kind in ARCHIVES.items() if part in names]
        return found[0] if found else ("a ZIP archive", "Unpack it.")
    return next((kind for start, kind in SIGNATURES.items() if raw.startswith(start)), None)


def _decode(raw: bytes, file: str, encoding: str) -> tuple[bytes, list[Problem]]:
    """Return the content as UTF-8 without a byte-order mark, or say why it is no text."""
    kind = _kind(raw)
    if kind is not None:
        return b"", [problem("E305", file=file, found=kind[0], advice=kind[1])]
    try:
        if codecs.lookup(encoding).name == "utf-8":
            raw = raw.removeprefix(codecs.BOM_UTF8)
            raw.decode("utf-8")
        else:
            raw = raw.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"the byte 0x{raw[error.start]:02x}" if error.start < len(raw) else "the end"
        row = raw.count(b"\n", 0, error.start) + 1
        return b"", [problem("E304", file=file, row=row, found=byte, encoding=encoding)]
    except (UnicodeError, ValueError):
        return b"", [problem("E304", file=file, found="the content", encoding=encoding)]
    if b"\0" in raw:
        what = "not a text (it holds NUL bytes)"
        return b"", [problem("E305", file=file, found=what, advice=AS_CSV)]
    return raw, []


def first_rows(data: bytes, delimiter: str, count: int) -> list[list[str]]:
    """Return the cells of the first rows, without white space around them."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    rows = []
    try:
        for row in itertools.islice(csv.reader(lines, delimiter=delimiter), count):
            rows.append([cell.strip() for cell in row])
    except csv.Error:
        pass
    return rows


def _title(data: bytes, form: FileFormat, file: str) -> list[Problem]:
    """Return the problem of a title above the names of the columns (E322)."""
    rows = first_rows(data, form.delimiter, MOST_TITLE_ROWS + 1)
    filled = [sum(map(bool, row)) for row in rows]
    # One cell alone, and two or more in a row below: only a title looks so.
    if not filled or filled[0] != 1 or max(filled) < 2:
        return []
    names = next(at for at, count in enumerate(filled) if count > 1)
    title = next(filter(None, rows[0]))
    return [problem("E322", file=file, row=1, found=title[:60], row_of_names=names + 1)]


def open_source(path: Path, form: FileFormat) -> tuple[Source | None, list[Problem]]:
    """Read a file and its header.

    Parameters
    ----------
    path : path
        The file.
    form : FileFormat
        How it is written.

    Returns
    -------
    Source or None, list of Problem
        Problems E302 (empty), E303 (delimiter), E304 (encoding), E305 (no text), E320 (unreadable),
        E322 (a title above the names), E323, E324, E326 to E328, E333 and E334 (spreadsheets),
        E325 (too many columns); warning W313 (hidden rows).
    """
    file = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [problem("E320", file=file, found=error.strerror or "unreadable")]
    sha256 = hashlib.sha256(raw).hexdigest()
    if not raw.strip():
        return None, [problem("E302", file=file, found="the file is empty")]
    if spreadsheets.is_spreadsheet(path):
        data, found = spreadsheets.as_text(raw, file, form.sheet, form.decimal)
        form = form._replace(delimiter=",", encoding="utf-8")
        if not data.strip() and not found:
            found = [problem("E302", file=file, found="the sheet is empty")]
    else:
        data, found = _decode(raw, file, form.encoding)
    if any(one.is_error for one in found):
        return None, found
    header = next(iter(first_rows(data, form.delimiter, 1)), [])
    if not any(header):
        return None, [problem("E302", file=file, found="the first row holds no column names")]
    if len(header) > MOST_COLUMNS:
        most = f"{MOST_COLUMNS:,}"
        return None, [problem("E325", file=file, found=f"{len(header):,}", allowed=most)]
    if len(header) == 1:
        others = [sign for sign in DELIMITERS if sign != form.delimiter and sign in header[0]]
        if others:
            used = DELIMITERS.get(form.delimiter, f"'{form.delimiter}'")
            better = DELIMITERS[max(others, key=header[0].count)]
            return None, [problem("E303", file=file, found=used, allowed=better)]
    title = _title(data, form, file)
    if title:
        return None, title
    return Source(file, sha256, tuple(header), data, form), found
