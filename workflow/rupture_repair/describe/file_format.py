"""How a file is written: its encoding, the sign between its columns, its decimal sign."""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..ingest import spreadsheets, xlsx
from ..ingest.files import FileFormat

#: Signs between columns, the usual ones first.
USUAL = (",", ";", "\t", "|")
OTHERS = (":", " ", "/", "~", "^", "!", "#", "$", "%", "&", "*", "@")

#: How many bytes and rows are looked at for signs.
BYTES, ROWS = 1_000_000, 2_000

#: Letters of Western languages: what a text has in the right encoding more than in a wrong one.
LETTERS = frozenset("äöüÄÖÜßéèêëáàâåãíìîïóòôõúùûñçøæÉÈÁÀÅØÆÑÇ’–")


class Written(NamedTuple):
    """How a file seems to be written, and why it seems so: key of dataset.yaml -> reason."""

    form: FileFormat
    reasons: dict[str, str]


def look_at(path: Path, raw: bytes, told: Mapping[tuple[Any, ...], Any]) -> Written:
    """Return how a file seems to be written.

    Parameters
    ----------
    path : path
        The file, for its suffix.
    raw : bytes
        Its content.
    told : mapping
        Path of a key of dataset.yaml -> its value, where that is known.
    """
    said = {key: told.get(("tables", "sessions", key)) for key in FileFormat._fields}
    known = {key: value for key, value in said.items() if isinstance(value, str)}
    found = _of_sheets(path, raw) if spreadsheets.is_spreadsheet(path) else _of_text(raw, known)
    return Written(found.form._replace(**known), found.reasons)


def _of_sheets(path: Path, raw: bytes) -> Written:
    """Return which sheet seems to be meant, where a spreadsheet has several."""
    if path.suffix.lower() not in xlsx.SUFFIXES:
        return Written(FileFormat(), {})
    try:
        sheets = xlsx.sheets(raw)
        tables = xlsx.visible_tables(raw, sheets)
    except Exception:  # a damaged file: the reading of its cells says what is wrong
        return Written(FileFormat(), {})
    seen = [one.name for one in sheets if one.visible]
    chosen = next(iter(tables), seen[0] if len(seen) == 1 else None)
    if len(sheets) < 2 or len(tables) > 1 or chosen is None:
        return Written(FileFormat(), {})
    others = ", ".join(
        f"'{one.name}'" + ("" if one.visible else " (hidden)")
        for one in sheets
        if one.name != chosen
    )
    return Written(
        FileFormat(sheet=chosen), {"sheet": f"the only visible one with a table; not: {others}"}
    )


def _of_text(raw: bytes, known: Mapping[str, str]) -> Written:
    """Return how a text seems to be written."""
    reasons = {}
    encoding, why = _encoding(raw)
    encoding = known.get("encoding", encoding)
    if why:
        reasons["encoding"] = why
    try:
        text = raw[:BYTES].decode(encoding, errors="replace").removeprefix("\ufeff")
    except LookupError:  # an encoding that was answered and is none: the reading reports it
        return Written(FileFormat(), {})
    delimiter = known.get("delimiter", _delimiter(text))
    rows = _rows(text, delimiter)
    decimal = _decimal(rows)
    if delimiter != ",":
        reasons["delimiter"] = f"it splits the rows into {len(rows[0]) if rows else 0} columns each"
    if decimal != ".":
        reasons["decimal"] = "numbers such as 8,5 are in the file, and none such as 8.5"
    return Written(FileFormat(delimiter, encoding, decimal), reasons)


def _encoding(raw: bytes) -> tuple[str, str]:
    """Return the encoding, and why it is taken where it is not UTF-8."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "the file begins with the byte-order mark of UTF-16"
    head = raw[:4000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if 4 * max(even, odd) > len(head):
        name = "utf-16-le" if odd > even else "utf-16-be"
        return name, "every other byte is 0"
    try:
        raw.decode("utf-8")
        return "utf-8", ""
    except UnicodeDecodeError:
        high = bytes(byte for byte in raw if byte > 127)
    found = {}
    for name in ("cp1252", "mac-roman", "latin-1"):
        text = high.decode(name, errors="replace")
        found[name] = sum(sign in LETTERS for sign in text) - text.count("\ufffd")
    best = max(found, key=lambda name: found[name])
    return best, "the file is not UTF-8; look whether letters such as ä and é come out right"


def _rows(text: str, delimiter: str, most: int = ROWS) -> list[list[str]]:
    """Return the first rows, without empty ones."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        for row in itertools.islice(reader, most):
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error:
        pass
    return rows


def _delimiter(text: str) -> str:
    """Return the sign that splits most rows into as many cells as the header."""

    def fit(sign: str) -> tuple[float, bool, int]:
        rows = _rows(text, sign, 200)
        if not rows or len(rows[0]) < 2:
            return 0.0, False, 0
        # Rows that end in too many signs are ragged, not split wrongly.
        alike = sum(len(row) == len(rows[0]) or not any(row[len(rows[0]) :]) for row in rows)
        share = alike / len(rows)
        return (share if share >= 0.5 else 0.0), sign in USUAL, len(rows[0])

    best = max((*USUAL, *OTHERS), key=fit)
    # A sign in some texts splits the header as well, but not every row alike.
    usual = max(USUAL, key=fit)
    return usual if fit(usual)[0] > 0.8 or fit(best)[0] == 0 else best


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    """Return the decimal sign of the cells."""
    cells = [cell.strip() for row in rows[1:] for cell in row]
    commas = sum(bool(re.fullmatch(r"[+-]?\d+,\d+", cell)) for cell in cells)
    points = sum(bool(re.fullmatch(r"[+-]?\d+\.\d+", cell)) for cell in cells)
    return "," if commas > points else "."
