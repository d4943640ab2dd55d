"""Ratings in a table of pandas: which columns they are in, and what is wrong with them."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..ingest import spellings
from ..ingest.columns import RawColumn
from ..ingest.layouts import MOST_SESSIONS
from ..project.arrays import Flags, Floats, Integers
from ..project.file_rows import row_numbers
from ..project.problems import MOST_ROWS, Problem, did_you_mean, listing, problem


class Columns(NamedTuple):
    """The names of the columns."""

    course: str
    session: str
    rating: str


class Given(NamedTuple):
    """Ratings that can be analysed.

    Attributes
    ----------
    table : DataFrame
        Columns `course` (categories, numbers in ids by their value), `session` and `rating` (NaN
        where missing), sorted by course and session.
    ids : ndarray, shape (categories,)
        What the user calls each course, in the type of the column.
    """

    table: pd.DataFrame
    ids: Any

    def renamed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the user's ids in the column `course`."""
        at = self.table["course"].cat.categories.get_indexer(table["course"].astype(object))
        return table.assign(course=pd.Series(self.ids).take(at).set_axis(table.index))


def column_faults(header: Sequence[Any], columns: Columns) -> list[Problem]:
    """Return columns that are not there (E714), or there more than once (E715).

    Parameters
    ----------
    header : sequence
        Names of the columns of the table.
    columns : Columns

    Returns
    -------
    list of Problem
    """
    known = [name for name in header if name != ""]
    found = []
    for argument, name in columns._asdict().items():
        place: dict[str, Any] = {"file": f"{argument}=", "found": name}
        count = list(header).count(name)
        if count == 0:
            hint = did_you_mean(name, known)
            found.append(problem("E714", hint=hint, allowed=listing(known, 40), **place))
        elif count > 1:
            found.append(problem("E715", number=count, **place))
    return found


def natural(text: str) -> tuple[Any, ...]:
    """Return a key that sorts numbers within texts by their value: C2 before C10.

    Examples
    --------
    >>> sorted(["C10", "C2", "b", "1"], key=natural)
    ['1', 'C2', 'C10', 'b']
    """
    parts = [part for part in re.split(r"([0-9]+)", text) if part]
    key = [(int(part), "") if part.isdecimal() else (math.inf, part) for part in parts]
    return (*key, (-1, text))  # what ends sorts before what goes on; 01 and 1 have an order, too


def read(
    data: pd.DataFrame, columns: Columns, span: tuple[float, float] | None = None
) -> tuple[Given | None, list[Problem]]:
    """Take ratings out of a table, and check them.

    Parameters
    ----------
    data : DataFrame
        One row per session.
    columns : Columns
    span : tuple of float, optional
        Lowest and highest possible rating.

    Returns
    -------
    Given or None, list of Problem
        Every problem of the table (E206, E207, E219, E221, E302, E309, E714 to E719), rows as a
        spreadsheet shows them: the first is row 2. There are no ratings where there is an error.
    """
    if not isinstance(data, pd.DataFrame):
        kind, allowed = type(data).__name__, "a DataFrame of pandas"
        return None, [problem("E719", file="data=", found=kind, allowed=allowed)]
    found = column_faults(list(data.columns), columns)
    if not found and data.empty:
        found = [problem("E302", file="data=", found="the table has no rows")]
    if found:
        return None, found
    rows = row_numbers(data)
    rank, texts, ids = _courses(data[columns.course])
    found += _at(rows, "E206", columns.course, rank < 0)
    course = RawColumn(None, columns.course, rows, rank, pa.array(texts, pa.string()))
    found += spellings.id_faults(course, "course", accept=False)
    number = _sessions(data[columns.session], rows, found)
    values = _ratings(data[columns.rating], span, rows, found)
    found += _repeated(rank, number, texts, rows, columns.session)
    if found:
        return None, found
    order = np.lexsort((number, rank))
    table = pd.DataFrame(
        {
            "course": pd.Categorical.from_codes(rank[order], pd.Index(texts, dtype=object)),
            "session": number[order],
            "rating": values[order],
        }
    )
    return Given(table, ids), found


def _at(
    rows: Integers, code: str, column: str, bad: Flags, values: Any = None, **facts: Any
) -> list[Problem]:
    """Return one problem for the first bad row, counting the others."""
    at = np.flatnonzero(bad)
    if not len(at):
        return []
    if values is not None:
        facts["found"] = _shown(values.iloc[at[0]])
    place: dict[str, Any] = {"row": int(rows[at[0]]), "column": column, "more": len(at) - 1}
    return [problem(code, rows=rows[at[:MOST_ROWS]], **place, **facts)]


def _shown(value: Any) -> str:
    """Return a cell as a message shows it: 3 for 3.0, and not more than 60 signs."""
    text = f"{value:.12g}" if isinstance(value, float | np.floating) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _courses(column: pd.Series) -> tuple[Integers, list[str], Any]:
    """Return rank (-1 where there is no id), texts in order, and ids in their own type."""
    codes, found = pd.factorize(column)
    texts = [str(value) for value in found]
    empty = [not text.strip() for text in texts]
    ordered = sorted((text for text, gone in zip(texts, empty, strict=True) if not gone),
                     key=natural)  # fmt: skip
    ordered = list(dict.fromkeys(ordered))
    place = {text: at for at, text in enumerate(ordered)}
    ranks = np.array([place.get(text, -1) for text in texts], dtype=np.int64)
    first = {text: at for at, text in reversed(list(enumerate(texts)))}
    ids = pd.Series(found).take([first[text] for text in ordered]).array
    return np.append(ranks, -1)[codes], ordered, ids


def _numbers(column: pd.Series) -> tuple[Floats, Flags]:
    """Return numbers, NaN where there is none, and where something else than a number is."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        numbers = pd.Series(np.nan, index=column.index)
    else:
        numbers = pd.to_numeric(column, errors="coerce")
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    return values, np.isnan(values) & column.notna().to_numpy()


def _ratings(
    column: pd.Series, span: tuple[float, float] | None, rows: Integers, found: list[Problem]
) -> Floats:
    """Return the ratings; report what is no number (E716) or out of range (E717)."""
    values, text = _numbers(column)
    found += _at(rows, "E716", str(column.name), text | np.isinf(values), column)
    if span is not None:
        low, high = span
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        outside = ((values < low - slack) | (values > high + slack)) & np.isfinite(values)
        facts: dict[str, Any] = {"low": f"{low:g}", "high": f"{high:g}"}
        found += _at(rows, "E717", str(column.name), outside, column, **facts)
    return values


def _sessions(column: pd.Series, rows: Integers, found: list[Problem]) -> Integers:
    """Return the numbers of the sessions, -1 where there is none (E207, E718)."""
    values, text = _numbers(column)
    missing = np.isnan(values) & ~text
    found += _at(rows, "E207", str(column.name), missing)
    with np.errstate(invalid="ignore"):
        fits = (values == np.floor(values)) & (values >= 0) & (values <= MOST_SESSIONS)
    wrong = ~fits & ~missing
    found += _at(rows, "E718", str(column.name), wrong, column, most=MOST_SESSIONS)
    return np.where(fits, values, -1.0).astype(np.int64)


def _repeated(
    rank: Integers, number: Integers, texts: list[str], rows: Integers, column: str
) -> list[Problem]:
    """Report two rows for one session (E309)."""
    fit = np.flatnonzero((rank >= 0) & (number >= 0))
    key: NDArray[np.int64] = rank[fit] * (MOST_SESSIONS + 1) + number[fit]
    again = pd.Series(key).duplicated().to_numpy()
    if not again.any():
        return []
    at = int(np.argmax(again))
    first = int(rows[fit[np.argmax(key == key[at])]])
    course, session = texts[rank[fit[at]]], int(number[fit[at]])
    bad = np.zeros(len(rows), dtype=bool)
    bad[fit[again]] = True
    return _at(rows, "E309", column, bad, found=session, course=course, first=first)
