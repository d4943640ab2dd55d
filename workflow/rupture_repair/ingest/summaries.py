"""Rows of means and sums among the ratings, by their name or by their numbers."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import Problem, problem
from . import spellings
from .columns import RawColumn, RawTable
from .described_measures import SESSION
from .descriptor import ReadingPlan
from .layouts import columns_of

#: Words that name a row of means, sums and the like.
SUMMARIES = frozenset(
    ("mean", "means", "average", "avg", "sum", "total", "totals", "grand total", "sd", "std",
     "stdev", "std dev", "std.dev.", "se", "median", "min", "max", "minimum", "maximum",
     "variance", "range", "count", "n", "mittelwert", "mw", "summe", "gesamt",
     "standardabweichung", "durchschnitt", "anzahl", "moyenne", "somme", "écart type", "médiane",
     "media", "suma", "promedio", "gemiddelde", "som", "totaal", "standaarddeviatie",)
)  # fmt: skip

#: A mean or sum is one of at least so many rows.
FEWEST_ROWS = 3

#: Rows of means are told where chance brings one in fewer than this share of datasets.
BY_CHANCE = 0.01

#: Numbers beyond are no ratings; their squares are no numbers of a computer.
LARGEST = 1e100

#: How far beyond all others a sum lies.
BEYOND = 1.5


def named(column: RawColumn) -> list[Problem]:
    """Find rows that are named as means, sums and the like (E225)."""
    return column.faults("E225", _named(column), what="course", finding="summary_row")


def _named(column: RawColumn) -> Flags:
    keys = {spellings.folded(word) for word in SUMMARIES}
    plain = [text.replace(".", "").strip(": ") for text in column.texts.to_pylist()]
    return np.array([spellings.folded(text) in keys for text in plain], bool)


class _Block(NamedTuple):
    """For each row, the rows above it that it may sum up: from `first` to the one before it."""

    first: Integers
    candidates: Flags


def of_rows_above(plan: ReadingPlan, table: RawTable, header: Sequence[str]) -> list[Problem]:
    """Find rows whose ratings are the means, or the sums, of the rows above (E227).

    The rows above are all rows, or the rows of the course that ends there. A mean tells itself by
    more places than other ratings have, a sum by lying beyond all of them.

    Parameters
    ----------
    plan : ReadingPlan
        The dataset's description.
    table : RawTable
        The columns of the sessions table.
    header : sequence of str
        Names of the columns, in the order of the file.
    """
    course = table.columns.get(plan.sessions["course"])
    columns = [table.columns[name] for name in _ratings(plan, header) if name in table.columns]
    if course is None or not columns or len(table.rows) <= FEWEST_ROWS:
        return []
    values = np.column_stack([column.numbers(-LARGEST, LARGEST) for column in columns])
    places = np.column_stack([_places(column) for column in columns])
    told = course.each(_named(course), False)
    found: list[Problem] = []
    for block in _blocks(course.codes):
        for what, rows in (("mean", _means), ("sum", _sums)):
            for row in np.flatnonzero(rows(values, places, block) & ~told):
                told[row] = True
                code = course.codes[row]
                name = course.texts[int(code)].as_py() if code >= 0 else ""
                facts: dict[str, Any] = {"found": name, "what": what, "finding": "summary_row"}
                facts["first"] = int(table.rows[block.first[row]])
                facts["last"] = int(table.rows[row - 1])
                place: dict[str, Any] = {"row": int(table.rows[row]), "column": course.name}
                found.append(problem("E227", file=table.file, **place, **facts))
    return found


def _ratings(plan: ReadingPlan, header: Sequence[str]) -> list[str]:
    """Return the columns of ratings in the order of the file."""
    wanted: set[str] = set()
    for one in plan.measures.values():
        for source in filter(None, (one.total, *one.answers)):
            wanted |= set(columns_of(source, header).values() if SESSION in source else [source])
    return [name for name in header if name in wanted]


def _places(column: RawColumn) -> Integers:
    """Return how many places after the decimal sign each cell has."""
    count = [len(text.partition(column.decimal)[2]) for text in column.texts.to_pylist()]
    return column.each(np.array(count, dtype=np.int64), 0)


def _blocks(codes: Integers) -> Iterator[_Block]:
    """Return the blocks of rows that a row below them may sum up: all rows, and single courses."""
    rows = np.arange(len(codes))
    yield _Block(np.zeros(len(codes), np.int64), rows >= FEWEST_ROWS)
    starts = np.append(True, np.diff(codes) != 0)
    first = rows[starts][np.cumsum(starts) - 1]
    above = np.append(0, first[:-1])  # the first row of the course that the row above belongs to
    last = np.append(starts[1:], True)
    yield _Block(above, (rows - above >= FEWEST_ROWS) & (above > 0) & (starts | last))


def _sum(values: Floats, block: _Block) -> tuple[Floats, Floats, Floats]:
    """Return sum, number and sum of squares of the known values of each row's block."""
    known = np.isfinite(values)
    plain = np.where(known, values, 0.0)
    made = []
    for part in (plain, known.astype(float), plain**2):
        below = np.vstack([np.zeros(values.shape[1]), np.cumsum(part, axis=0)])
        made.append(below[:-1] - below[block.first])
    return made[0], made[1], made[2]


def _means(values: Floats, places: Integers, block: _Block) -> Flags:
    """Return which rows are means: by more places than others have, and beyond chance."""
    total, count, squares = _sum(values, block)
    known = np.isfinite(values)
    with np.errstate(all="ignore"):
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        unit = 10.0 ** -np.minimum(places, 12)
        fits = np.abs(values - mean) <= 0.5 * unit + 1e-9 * np.abs(mean)
        step = np.maximum(unit, _shares_of_parts(values))
        chance = np.where(spread > 0, np.minimum(0.4 * step / spread, 1.0), 1.0)
    usual = np.median(np.where(known, places, 0), axis=0)
    finer = known & (places > usual)
    tested = block.candidates & finer.any(axis=1) & (count >= FEWEST_ROWS).any(axis=1)
    every = (fits | ~known).all(axis=1) & tested
    best = np.where(finer & fits, chance, 1.0).min(axis=1)
    return np.asarray(every & (best * max(tested.sum(), 1) < BY_CHANCE))


def _shares_of_parts(values: Floats) -> Floats:
    """Return the share of the other ratings of its column that have each one's decimals.

    Ratings in thirds of a point have many places after the decimal sign, and few such parts.
    """
    shares = np.zeros(values.shape)
    for column, share in zip(values.T, shares.T, strict=True):
        known = np.flatnonzero(np.isfinite(column))
        parts = np.round(column[known] - np.floor(column[known]), 6)
        _, which, count = np.unique(parts, return_inverse=True, return_counts=True)
        share[known] = (count[which] - 1) / max(len(known) - 1, 1)
    return shares


def _sums(values: Floats, places: Integers, block: _Block) -> Flags:
    """Return which rows are sums that lie beyond all other ratings of a column."""
    total, count, _ = _sum(values, block)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        fits = known & (np.abs(values - total) <= 1e-9 * np.maximum(np.abs(total), 1.0))
    every = (fits | ~known).all(axis=1) & known.any(axis=1) & block.candidates
    others = np.where(known & ~every[:, None], values, -np.inf).max(axis=0)
    beyond = fits & (count >= FEWEST_ROWS) & (others > 0) & (values > BEYOND * others)
    return np.asarray(every & beyond.any(axis=1))
