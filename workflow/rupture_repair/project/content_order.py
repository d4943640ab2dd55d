"""An order of courses that follows from what the data say of them, not from their names.

Random numbers are handed out in some order. Were it that of the ids, a dataset under other ids, or
under another key of its codes, would give other numbers; were it that of the file, a sorted copy
would. So courses are put in order of a number that is mixed from their rows. Only ranks and shares
of a range go into it: the points of a scale, and its direction once it is turned, make no
difference.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, Integers
from .measures import Measures

#: Values that differ by less than about this share of their range are the same. No fraction of
#: whole numbers lies on the border between two levels.
_LEVELS = 1e9 / np.sqrt(1.7)

Digests = NDArray[np.uint64]


def mixed(values: Digests) -> Digests:
    """Return numbers in which each bit hangs on all bits of the given ones.

    Source: the finaliser of splitmix64 (Steele, Lea & Flood 2014, doi 10.1145/2714064.2660195).

    Examples
    --------
    >>> mixed(np.array([1], dtype=np.uint64))
    array([6238072747940578789], dtype=uint64)
    """
    value = values.astype(np.uint64)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def levels(values: ArrayLike) -> Integers:
    """Return values as whole numbers: how far up their range they lie, -1 where missing.

    Examples
    --------
    >>> bool((levels([1.0, 2.0, 4.0]) == levels([10.0, 20.0, 40.0])).all())
    True
    """
    number = np.asarray(values, dtype=np.float64)
    known = np.isfinite(number)
    if not known.any():
        return np.full(len(number), -1)
    low, high = number[known].min(), number[known].max()
    share = (np.where(known, number, low) - low) / ((high - low) or 1.0)
    return np.where(known, np.rint(share * _LEVELS), -1.0).astype(np.int64)


def row_digests(columns: Sequence[ArrayLike]) -> Digests:
    """Mix one number from the cells of each row.

    Parameters
    ----------
    columns : sequence of array, shape (rows,) each
        Whole numbers count by their value, other numbers by :func:`levels`, texts by their letters.
    """
    result: Digests | None = None
    for column in columns:
        values = np.asarray(column)
        if values.dtype.kind == "f":
            values = levels(values)
        elif values.dtype.kind not in "iub":
            values = pd.util.hash_array(np.where(pd.isna(values), "", values).astype(object))
        part = mixed(values.astype(np.uint64))
        result = part if result is None else mixed(result * np.uint64(3) + part)
    assert result is not None, "a row without cells has no content"
    return result


def group_digests(rows: Digests, group: Integers, number: int) -> Digests:
    """Mix one number from the rows of each group, whatever their order."""
    sums = np.zeros(number, dtype=np.uint64)
    np.add.at(sums, group, mixed(rows))
    return mixed(sums)


def in_order(table: pd.DataFrame, columns: Sequence[ArrayLike]) -> Integers:
    """Return an order of the rows of a table of sessions that hangs on its content alone.

    Parameters
    ----------
    table : DataFrame
        With the columns `course`, `session`, and perhaps `therapist`: ids, of which only what they
        have in common counts.
    columns : sequence of array, shape (rows,) each
        The content, see :func:`row_digests`; the session is added.

    Returns
    -------
    ndarray of int, shape (rows,)
        Positions of rows: the courses in an order of their content and of that of their
        therapist, their sessions by number. Courses that are equal in all that stay in the order
        of the table.
    """
    session = table["session"].to_numpy(np.int64)
    course, ids = pd.factorize(table["course"])
    of_course = group_digests(row_digests([session, *columns]), course, len(ids))
    if "therapist" in table:
        first = np.unique(course, return_index=True)[1]
        therapist, names = pd.factorize(table["therapist"].to_numpy(object)[first])
        place = np.where(therapist < 0, len(names), therapist)
        above = group_digests(of_course, place, len(names) + 1)
        above[-1] = 0  # courses without a therapist have none in common
        of_course = mixed(of_course * np.uint64(3) + above[place])
    return np.lexsort((session, course, of_course[course]))


def turned_columns(table: pd.DataFrame, measures: Measures) -> list[Floats]:
    """Return the ratings of canonical sessions, turned so that higher is better."""
    columns = []
    for name in table.columns:
        measure = measures.get(str(name).split("__")[0])
        if measure is not None:
            columns.append(measure.sign * table[name].to_numpy(np.float64, na_value=np.nan))
    return columns


def by_content(columns: ArrayLike) -> Integers:
    """Return an order of rows of numbers: by the first column, within ties by the next.

    Parameters
    ----------
    columns : array, shape (rows, columns)

    Examples
    --------
    >>> by_content([[3.0, 1.0], [1.0, 5.0], [1.0 + 1e-13, 2.0]])
    array([2, 1, 0])
    """
    keys = [levels(column) for column in np.asarray(columns, dtype=np.float64).T]
    return np.lexsort(keys[::-1])
