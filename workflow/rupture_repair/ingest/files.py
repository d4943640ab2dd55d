"""Read delimited text files into columns, and say well what is wrong with them.

A column is kept as its distinct texts and one code per row. Ratings have few distinct values, so
each check and each conversion to numbers looks at some dozens of texts, however long the file.
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ..problems import Problem, did_you_mean, listing, problem

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: What is tried when a file's header does not split.
DELIMITERS = {",": "','", ";": "';'", "\t": '"\\t" (tab)', "|": "'|'"}

#: The first bytes of files that are no text, and what they are.
SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet (XLSX, ODS) or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (XLS)",
    b"$FL2": "an SPSS file",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
}

#: Numbers as they are written with a point; nothing that is text to a reader passes.
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_INFINITE = r"(?i)[+-]?(inf|infinity|∞)"


class Form(NamedTuple):
    """How a file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes
    ----------
    file, name : str
        The place, for messages.
    rows : ndarray of int, shape (n,)
        The rows as a spreadsheet shows them (the header is row 1).
    codes : ndarray of int, shape (n,)
        Index into `texts`; -1 where the cell is missing.
    texts : pyarrow.StringArray
        The distinct texts, without white space around them.
    decimal : str
        The decimal sign.
    missing : frozenset of float
        Numbers that mean "not known".
    """

    file: str
    name: str
    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    texts: pa.Array
    decimal: str = "."
    missing: frozenset[float] = frozenset()

    @cached_property
    def kinds(self) -> tuple[Flags, Flags]:
        """Which of the distinct texts are numbers, and which stand for infinity."""
        texts = self.texts
        if self.decimal == ",":
            # A point is no decimal sign here; '#' makes such a text no number.
            texts = pc.replace_substring(pc.replace_substring(texts, ".", "#"), ",", ".")
        number = pc.match_substring_regex(texts, rf"\A{_NUMBER}\z").to_numpy(zero_copy_only=False)
        endless = pc.match_substring_regex(texts, rf"\A{_INFINITE}\z")
        return number.astype(bool), endless.to_numpy(zero_copy_only=False).astype(bool)

    @cached_property
    def distinct(self) -> Floats:
        """Return the distinct texts as numbers, NaN where a text is none or means "not known"."""
        number, _ = self.kinds
        texts = np.array(self.texts.to_pylist(), dtype=object)[number]
        if self.decimal == ",":
            texts = np.array([text.replace(",", ".") for text in texts], dtype=object)
        found = np.full(len(number), np.nan)
        found[number] = texts.astype(float)
        found[np.isin(found, list(self.missing))] = np.nan
        return found

    def each(self, of_distinct: NDArray[Any], of_missing: Any) -> NDArray[Any]:
        """Spread one value per distinct text over the rows."""
        return np.append(of_distinct, of_missing)[self.codes]

    def numbers(self, low: float = -np.inf, high: float = np.inf) -> Floats:
        """Return one number per row, NaN where missing, no number or outside `low` to `high`."""
        fit = np.where(self.outside(low, high) | ~np.isfinite(self.distinct), np.nan, self.distinct)
        return self.each(fit, np.nan)

    def outside(self, low: float, high: float) -> Flags:
        """Return which of the distinct texts are numbers outside `low` to `high`."""
        slack = 1e-9 * max(1.0, abs(low), abs(high)) if np.isfinite([low, high]).all() else 0.0
        return (self.distinct < low - slack) | (self.distinct > high + slack)

    def faults(self, code: str, bad: Flags, **facts: Any) -> list[Problem]:
        """Return one problem for the first row whose text is `bad`, counting the others."""
        return self.faults_at(code, np.flatnonzero(self.each(bad, False)), **facts)

    def not_among(self, code: str, words: Collection[str], **facts: Any) -> list[Problem]:
        """Return one problem for the first row whose text is none of `words`."""
        texts = self.texts.to_pylist()
        at = np.flatnonzero(self.each(np.array([text not in words for text in texts], bool), False))
        if not len(at):
            return []
        hint = did_you_mean(texts[int(self.codes[at[0]])], words)
        return self.faults_at(code, at, hint=hint, allowed=listing(words), **facts)

    def faults_at(self, code: str, at: NDArray[np.int64], **facts: Any) -> list[Problem]:
        """Return one problem for the first of the places `at`, counting the others."""
        if not len(at):
            return []
        found = self.texts[int(self.codes[at[0]])].as_py() if self.codes[at[0]] >= 0 else ""
        facts = {"found": found if len(found) <= 60 else f"{found[:60]}…", **facts}
        row = int(self.rows[at[0]])
        more = len(at) - 1
        return [problem(code, file=self.file, row=row, column=self.name, more=more, **facts)]

    def number_faults(self) -> list[Problem]:
        """Return the problems of a column that should hold numbers (E201, E202)."""
        number, endless = self.kinds
        comma = (
            self.decimal == "."
            and pc.any(pc.match_substring_regex(self.texts, r"\A[+-]?[0-9]+,[0-9]+\z")).as_py()
        )
        hint = " If ',' is the decimal sign, write decimal: ',' in dataset.yaml." if comma else ""
        endless = endless | np.isinf(self.distinct)
        text = self.faults("E201", ~number & ~endless, advice=hint)
        return text + self.faults("E202", endless)

    def take(self, index: NDArray[np.int64]) -> "Column":
        """Return the column with the rows at `index`, repeated or left out."""
        rows, codes = self.rows[index], self.codes[index]
        return Column(self.file, self.name, rows, codes, self.texts, self.decimal, self.missing)


@dataclass(frozen=True)
class Table:
    """Columns of one file, without the rows in which all of them are empty."""

    file: str
    rows: NDArray[np.int64]
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Source:
    """A file whose header could be read."""

    file: str
    sha256: str
    header: tuple[str, ...]
    data: bytes
    form: Form


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


def _decode(raw: bytes, file: str, encoding: str) -> tuple[bytes, list[Problem]]:
    """Return the content as UTF-8 without a byte-order mark, or say why it is no text."""
    for signature, what in SIGNATURES.items():
        if raw.startswith(signature):
            return b"", [problem("E305", file=file, found=what)]
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
        return b"", [problem("E305", file=file, found="not a text (it holds NUL bytes)")]
    return raw, []


def _first_row(data: bytes, delimiter: str) -> list[str]:
    """Return the names of the columns, without white space around them."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    try:
        return [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
    except csv.Error:
        return []


def open_source(path: Path, form: Form) -> tuple[Source | None, list[Problem]]:
    """Read a file and its header.

    Parameters
    ----------
    path : path
        The file.
    form : Form
        How it is written.

    Returns
    -------
    Source or None, list of Problem
        Problems E302 (empty), E303 (delimiter), E304 (encoding), E305 (no text), E320 (unreadable).
    """
    file = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [problem("E320", file=file, found=error.strerror or "unreadable")]
    sha256 = hashlib.sha256(raw).hexdigest()
    if not raw.strip():
        return None, [problem("E302", file=file, found="the file is empty")]
    data, found = _decode(raw, file, form.encoding)
    if found:
        return None, found
    header = _first_row(data, form.delimiter)
    if not any(header):
        return None, [problem("E302", file=file, found="the first row holds no column names")]
    if len(header) == 1:
        others = [sign for sign in DELIMITERS if sign != form.delimiter and sign in header[0]]
        if others:
            used = DELIMITERS.get(form.delimiter, f"'{form.delimiter}'")
            better = DELIMITERS[max(others, key=header[0].count)]
            return None, [problem("E303", file=file, found=used, allowed=better)]
    return Source(file, sha256, tuple(header), data, form), []


def _parse(source: Source, indices: Sequence[int]) -> tuple[pa.Table, list[Any]]:
    """Return the columns at `indices` as dictionaries of texts, and the ragged rows."""
    ragged: list[Any] = []

    def leave_out(row: Any) -> str:
        ragged.append(row)
        return "skip"

    data = source.data if source.data.endswith(b"\n") else source.data + b"\n"
    names = [str(index) for index in range(len(source.header))]
    wanted = [names[index] for index in indices]
    texts = pa.dictionary(pa.int32(), pa.string())
    parsed = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False,  # only so are ragged rows numbered
            column_names=names,
            skip_rows_after_names=1,
            block_size=min(len(data) + 1, 1 << 30),
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=source.form.delimiter,
            newlines_in_values=b'"' in data,
            ignore_empty_lines=False,
            invalid_row_handler=leave_out,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, texts),
            include_columns=wanted,
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    return parsed.unify_dictionaries().combine_chunks(), ragged


def _open_quote(source: Source) -> bool:
    """Return whether a quotation mark is never closed."""
    if source.data.count(b'"') % 2 == 0:
        return False
    lines = io.TextIOWrapper(io.BytesIO(source.data), encoding="utf-8", newline="")
    try:
        for _ in csv.reader(lines, delimiter=source.form.delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error) or "field larger" in str(error)
    return False


def _ragged_faults(source: Source, ragged: list[Any]) -> list[Problem]:
    """Return the problem of the rows with too many or too few cells (E306)."""
    if not ragged:
        return []
    first = ragged[0]
    sign = DELIMITERS.get(source.form.delimiter, f"'{source.form.delimiter}'")
    facts = {"found": first.actual_columns, "allowed": first.expected_columns, "sign": sign}
    more = len(ragged) - 1
    return [problem("E306", file=source.file, row=int(first.number), more=more, **facts)]


def _encode(
    chunked: pa.ChunkedArray, missing: Collection[str]
) -> tuple[NDArray[np.int64], pa.Array]:
    """Return one code per row (-1 where missing) and the distinct texts, trimmed."""
    if not chunked.num_chunks:
        return np.empty(0, np.int64), pa.array([], pa.string())
    array = chunked.chunk(0)
    trimmed = pc.utf8_trim_whitespace(array.dictionary).dictionary_encode()
    gone = pc.is_in(trimmed.dictionary, pa.array(list(missing), pa.string()))
    keep = ~gone.to_numpy(zero_copy_only=False).astype(bool)
    renumbered = np.where(keep, np.cumsum(keep) - 1, -1)
    of_text = renumbered[trimmed.indices.to_numpy()] if len(trimmed) else np.empty(0, np.int64)
    codes = of_text[array.indices.to_numpy()] if len(array) else np.empty(0, np.int64)
    return codes, trimmed.dictionary.filter(pa.array(keep))


def read_columns(
    source: Source, wanted: Mapping[str, str], missing: Collection[str]
) -> tuple[Table | None, list[Problem]]:
    """Read some columns of a file.

    Parameters
    ----------
    source : Source
        The file.
    wanted : mapping of str to str
        Name of each column -> the key of dataset.yaml that asks for it.
    missing : collection of str
        Cells that mean "not known", besides the empty cell.

    Returns
    -------
    Table or None, list of Problem
        The columns that exist; None if there is none or no row. Problems E302 (no rows), E306
        (ragged rows), E307 (no such column), E308 (column twice), E314 (open quotation mark);
        warning W305 (rows without any value in these columns, which are left out).
    """
    found: list[Problem] = []
    present: dict[str, int] = {}
    for name, key in wanted.items():
        count = source.header.count(name)
        if count == 1:
            present[name] = source.header.index(name)
            continue
        known = [other for other in source.header if other]
        facts: dict[str, Any] = {
            "hint": did_you_mean(name, known),
            "key_named": key,
            "allowed": listing(known),
        }
        code = "E308" if count else "E307"
        found.append(problem(code, file=source.file, column=name, found=count, **facts))
    if _open_quote(source):
        return None, [*found, problem("E314", file=source.file)]
    if not present:
        return None, found
    try:
        parsed, ragged = _parse(source, sorted(set(present.values())))
    except pa.ArrowInvalid as error:
        what = " ".join(str(error).split())
        return None, [*found, problem("E305", file=source.file, found=f"not a table ({what})")]
    found += _ragged_faults(source, ragged)
    rows = np.arange(2, parsed.num_rows + len(ragged) + 2)
    rows = np.delete(rows, [int(row.number) - 2 for row in ragged])
    return _without_blank_rows(source, parsed, present, rows, missing, found)


def _without_blank_rows(
    source: Source,
    parsed: pa.Table,
    present: Mapping[str, int],
    rows: NDArray[np.int64],
    missing: Collection[str],
    found: list[Problem],
) -> tuple[Table | None, list[Problem]]:
    """Make the table without its blank rows; those before the end of the file are reported."""
    codes = {
        name: _encode(parsed.column(str(index)), {*missing, ""}) for name, index in present.items()
    }
    filled = np.zeros(len(rows), bool)
    for code, _ in codes.values():
        filled |= code >= 0
    if not filled.any():
        what = "the file has a header but no rows"
        return None, found or [problem("E302", file=source.file, found=what)]
    within = np.flatnonzero(~filled[: np.flatnonzero(filled)[-1]])
    if len(within):
        row = int(rows[within[0]])
        found.append(problem("W305", file=source.file, row=row, more=len(within) - 1))
    unknown = frozenset(float(code) for code in missing if re.fullmatch(_NUMBER, code))
    keep = slice(None) if filled.all() else filled
    rows, form = rows[keep], source.form
    columns = {
        name: Column(source.file, name, rows, code[keep], values, form.decimal, unknown)
        for name, (code, values) in codes.items()
    }
    return Table(source.file, rows, columns), found
