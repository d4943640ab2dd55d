"""Read columns of delimited texts."""

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ..project.arrays import Flags, Integers
from ..project.problems import Problem, did_you_mean, listing, problem
from . import strict_csv
from .columns import NUMBER, RawColumn, RawTable
from .files import AS_CSV, DELIMITERS, MOST_TITLE_ROWS, Source, first_rows


class _Parsed(NamedTuple):
    """The cells of a file, the rows they are in, and the rows that do not fit the header."""

    cells: pa.Table
    rows: Integers
    ragged: list[Any]


class _Unknown(NamedTuple):
    """What means "not known": in most columns all codes, in columns of keys no code such as 99."""

    missing: frozenset[str]
    keys: frozenset[str]

    def codes(self, column: str) -> frozenset[str]:
        """Return the cells of a column that mean "not known"."""
        if column not in self.keys:
            return self.missing
        return frozenset(code for code in self.missing if not re.fullmatch(r"[0-9.]+", code))

    def numbers(self, column: str) -> frozenset[float]:
        """Return the numbers of a column that do."""
        codes = self.codes(column)
        return frozenset(float(code) for code in codes if re.fullmatch(NUMBER, code))


def _parse(source: Source, indices: Sequence[int]) -> _Parsed:
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
    rows = np.arange(2, parsed.num_rows + len(ragged) + 2)
    rows = np.delete(rows, [int(row.number) - 2 for row in ragged])
    return _Parsed(parsed.unify_dictionaries().combine_chunks(), rows, ragged)


def _trailing(source: Source, ragged: list[Any]) -> dict[int, list[str]]:
    """Return row -> its cells for the ragged rows that only end in too many delimiters."""
    width = len(source.header)
    corrected = {}
    for row in ragged:
        if row.actual_columns <= width:
            continue
        lines = csv.reader(io.StringIO(row.text or "", newline=""), delimiter=source.form.delimiter)
        cells = next(lines, [])
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            corrected[int(row.number)] = cells[:width]
    return corrected


def _with_trailing(
    source: Source, parsed: _Parsed, found: list[Problem]
) -> tuple[_Parsed, list[Problem]]:
    """Bring back rows that end in too many delimiters (W308), report the other ragged ones."""
    if not parsed.ragged:
        return parsed, found
    corrected = _trailing(source, parsed.ragged)
    ragged = [row for row in parsed.ragged if int(row.number) not in corrected]
    found = found + _ragged_faults(source, ragged)
    if not corrected:
        return parsed._replace(ragged=ragged), found
    numbers = list(corrected)
    more = len(numbers) - 1
    found.append(problem("W308", file=source.file, row=numbers[0], more=more, rows=numbers))
    names = parsed.cells.column_names
    texts = [pa.array([corrected[row][int(name)] for row in numbers]) for name in names]
    parts = [parsed.cells, pa.table([text.dictionary_encode() for text in texts], names=names)]
    rows = np.concatenate([parsed.rows, numbers])
    order = np.argsort(rows)
    cells = pa.concat_tables(parts).unify_dictionaries().combine_chunks().take(pa.array(order))
    return _Parsed(cells.combine_chunks(), rows[order], ragged), found


def _ragged_faults(source: Source, ragged: list[Any]) -> list[Problem]:
    """Return the problem of the rows with too many or too few cells (E306)."""
    if not ragged:
        return []
    first = ragged[0]
    sign = DELIMITERS.get(source.form.delimiter, f"'{source.form.delimiter}'")
    facts = {"found": first.actual_columns, "allowed": first.expected_columns, "sign": sign}
    rows = [int(row.number) for row in ragged]
    more = len(ragged) - 1
    return [problem("E306", file=source.file, row=rows[0], more=more, rows=rows, **facts)]


#: Cells without any sign that can be seen.
NOTHING = r"\A[\s\p{Z}\p{Cf}\x{034F}\x{115F}\x{1160}\x{2800}\x{3164}\x{FE00}-\x{FE0F}]*\z"


def _encode(chunked: pa.ChunkedArray, missing: Collection[str]) -> tuple[Integers, pa.Array]:
    """Return one code per row (-1 where missing) and the distinct texts, trimmed."""
    if not chunked.num_chunks:
        return np.empty(0, np.int64), pa.array([], pa.string())
    array = chunked.chunk(0)
    trimmed = pc.utf8_trim_whitespace(array.dictionary).dictionary_encode()
    gone = pc.is_in(trimmed.dictionary, pa.array(list(missing), pa.string()))
    gone = pc.or_(gone, pc.match_substring_regex(trimmed.dictionary, NOTHING))
    keep = ~gone.to_numpy(zero_copy_only=False).astype(bool)
    renumbered = np.where(keep, np.cumsum(keep) - 1, -1)
    of_text = renumbered[trimmed.indices.to_numpy()] if len(trimmed) else np.empty(0, np.int64)
    codes = of_text[array.indices.to_numpy()] if len(array) else np.empty(0, np.int64)
    return codes, trimmed.dictionary.filter(pa.array(keep))


def _present(source: Source, wanted: Mapping[str, str], found: list[Problem]) -> dict[str, int]:
    """Return column -> its place for the columns that exist once; report the others."""
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
    return present


def _names_below(source: Source, wanted: Collection[str]) -> list[Problem]:
    """Return the problem of a title of several cells above the names of the columns (E322)."""
    rows = first_rows(source.data, source.form.delimiter, MOST_TITLE_ROWS + 1)
    for at, row in enumerate(rows[1:], 2):
        if 2 * len(set(row) & set(wanted)) >= len(set(wanted)) > 1:
            title = next(filter(None, rows[0]))[:60]
            return [problem("E322", file=source.file, row=1, found=title, row_of_names=at)]
    return []


def read_columns(
    source: Source,
    wanted: Mapping[str, str],
    missing: Collection[str],
    keys: Collection[str] = (),
    every: bool = False,
) -> tuple[RawTable | None, list[Problem]]:
    """Read some columns of a file.

    Parameters
    ----------
    source : Source
        The file.
    wanted : mapping of str to str
        Name of each column -> the key of dataset.yaml that asks for it.
    missing : collection of str
        Cells that mean "not known", besides the empty cell.
    keys : collection of str
        Columns of ids, sessions and dates. In them a code such as 99 is what it says; words and
        negative numbers mean "not known" there as well.
    every : bool
        Whether to read the other columns as well, into `unused`.

    Returns
    -------
    RawTable or None, list of Problem
        The columns that exist; None if there is none or no row. Problems E214 and E220 (cells
        without a value), E302 (no rows), E306 (ragged rows), E307 (no such column), E308 (column
        twice), E314, E329 and E335 (quotation marks), E322 (a title); warnings W305 (rows without
        any value in these columns, which are left out) and W308 (trailing delimiters).
    """
    found: list[Problem] = []
    present = _present(source, wanted, found)
    if not present:
        found = _names_below(source, wanted) or found
    quotes, readable = strict_csv.faults(source)
    found += quotes
    if not readable or not present:
        return None, found
    names = list(enumerate(source.header)) if every else [(at, "") for at in present.values()]
    try:
        parsed = _parse(source, sorted({at for at, _ in names}))
        parsed, found = _with_trailing(source, parsed, found)
    except (pa.ArrowInvalid, csv.Error) as error:
        what = " ".join(str(error).split())
        return None, [
            *found,
            problem("E305", file=source.file, found=f"not a table ({what})", advice=AS_CSV),
        ]
    unknown = _Unknown(frozenset({*missing, ""}), frozenset(keys))
    table = _filled(source, parsed, present, unknown, found)
    if table is not None:
        for column in table.columns.values():
            found += column.value_faults()
    return table, found


def _filled(
    source: Source,
    parsed: _Parsed,
    present: Mapping[str, int],
    unknown: _Unknown,
    found: list[Problem],
) -> RawTable | None:
    """Make the table without its blank rows; those before the end of the file are reported."""
    coded = {
        at: _encode(parsed.cells.column(str(at)), unknown.codes(source.header[at]))
        for at in map(int, parsed.cells.column_names)
    }
    filled = np.zeros(len(parsed.rows), bool)
    for at in present.values():
        filled |= coded[at][0] >= 0
    if not filled.any():
        if not found:
            what = "the file has a header but no rows"
            found.append(problem("E302", file=source.file, found=what))
        return None
    within = np.flatnonzero(~filled[: np.flatnonzero(filled)[-1]])
    if len(within):
        rows = parsed.rows[within]
        more = len(within) - 1
        found.append(problem("W305", file=source.file, row=int(rows[0]), more=more, rows=rows))
    return _table(source, parsed, coded, present, unknown, filled)


def _with_coded(column: RawColumn, parsed: _Parsed, at: int, unknown: _Unknown) -> RawColumn:
    """Note in which rows of a column a number stands for "not known"."""
    if not column.missing:
        return column
    cells = parsed.cells.column(str(at)).chunk(0)
    trimmed = pc.utf8_trim_whitespace(cells.dictionary)
    codes = [code for code in unknown.codes(column.name) if re.fullmatch(NUMBER, code)]
    listed = pc.is_in(trimmed, pa.array(codes, pa.string())).to_numpy(zero_copy_only=False)
    rows = parsed.rows[listed.astype(bool)[cells.indices.to_numpy()]]
    return replace(column, coded=rows[np.isin(rows, column.rows)])


def _table(
    source: Source,
    parsed: _Parsed,
    coded: Mapping[int, tuple[Integers, pa.Array]],
    present: Mapping[str, int],
    unknown: _Unknown,
    filled: Flags,
) -> RawTable:
    rows = parsed.rows
    keep = slice(None) if filled.all() else filled

    def column(at: int) -> RawColumn:
        codes, texts = coded[at]
        name, form = source.header[at], source.form
        numbers = unknown.numbers(name)
        return RawColumn(source.file, name, rows[keep], codes[keep], texts, form.decimal, numbers)

    used = {name: _with_coded(column(at), parsed, at, unknown) for name, at in present.items()}
    others = [at for at in coded if at not in set(present.values())]
    unused = {source.header[at] or f"(column {at + 1})": column(at) for at in others}
    last = coded.get(len(source.header) - 1)
    blank = np.zeros(len(rows), bool) if last is None else last[0] < 0
    return RawTable(source.file, rows[keep], used, unused, blank[keep])
