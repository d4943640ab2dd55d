"""Faults that no single cell shows: moved rows, unturned items, copied courses, far gaps."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..project.arrays import Flags, Floats, Integers
from ..project.content_order import row_digests
from ..project.problems import Problem, problem
from .columns import NUMBER, RawColumn, RawTable
from .described_measures import SESSION
from .descriptor import ReadingPlan
from .layouts import MOST_SESSIONS, Frame, columns_of

#: An item is told only if the correlation is at most this, and below zero beyond chance.
HIGHEST_CORRELATION, FEWEST_COURSES = -0.2, 10

#: Copied courses are told where chance brings such a pair in fewer than this share of datasets.
BY_CHANCE, FEWEST_RATINGS = 0.01, 3

#: A gap between sessions is far beyond this many days or numbers, and this many times the median.
FAR_DAYS, FAR_NUMBERS, FAR_TIMES = 90, 20, 10

#: How many gaps are reported, the longest ones.
MOST_GAPS = 5

#: Rows are in the order of their dates if so many neighbours are, as a share.
IN_ORDER = 0.8

#: Rows that are tried, one column further right; no file with more columns is.
MOST_TRIED, MOST_TRIED_COLUMNS = 200, 200


# ---------------------------------------------------------------------------- moved rows


def moved_rows(
    plan: ReadingPlan, table: RawTable, header: Sequence[str]
) -> tuple[Integers, list[Problem]]:
    """Find rows that have moved one column to the left (E319).

    Such a row has a cell that does not fit its column, its last cell is empty, and every cell
    fits one column further right from some column on.

    Parameters
    ----------
    plan : ReadingPlan
        The dataset's description.
    table : RawTable
        The columns of the sessions table, all of them.
    header : sequence of str
        Names of the columns, in the order of the file.

    Returns
    -------
    ndarray of int, list of Problem
        The places of these rows in the table.
    """
    rules = _ranges(plan, header)
    rules = {name: span for name, span in rules.items() if name in table.columns}
    columns = {**table.columns, **table.unused}
    if set(columns) != set(header) or len(header) > MOST_TRIED_COLUMNS or not rules:
        return np.empty(0, np.int64), []
    misfit = {name: _misfits(table.columns[name], span) for name, span in rules.items()}
    bad = np.logical_or.reduce(list(misfit.values())) & table.last_blank
    needed = [name for name in _ids(plan) if name in columns]
    fits = _fitting(rules, needed, table.columns)
    moved, first = [], []
    for row in np.flatnonzero(bad)[:MOST_TRIED]:
        cells = [_cell(columns[name], row) for name in header]
        for at in range(len(header) - 1):
            if fits(dict(zip(header, [*cells[:at], "", *cells[at:-1]], strict=True))):
                moved.append(row)
                first.append(next(name for name in header if name in misfit and misfit[name][row]))
                break
    if not moved:
        return np.empty(0, np.int64), []
    place: dict[str, Any] = {"row": int(table.rows[moved[0]]), "column": first[0]}
    found = _cell(columns[first[0]], moved[0])[:60]
    place |= {"more": len(moved) - 1, "rows": table.rows[moved]}
    return np.array(moved), [problem("E319", file=table.file, found=found, **place)]


def _ids(plan: ReadingPlan) -> list[str]:
    keys = plan.sessions
    return [keys["course"], *filter(None, (keys["session"], keys["date"], keys["day"]))]


def _ranges(plan: ReadingPlan, header: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return column -> the range of its numbers."""
    spans: dict[str, tuple[float, float]] = {}
    for one in plan.measures.values():
        sources = dict(one.answers)
        if one.total:
            sources[one.total] = one.range
        for source, span in sources.items():
            names = columns_of(source, header).values() if SESSION in source else [source]
            spans |= dict.fromkeys(names, span)
    if plan.sessions["session"]:
        first = plan.sessions["first_session"]
        spans[plan.sessions["session"]] = (first, MOST_SESSIONS + first - 1)
    return spans


def _misfits(column: RawColumn, span: tuple[float, float]) -> Flags:
    number, _ = column.kinds
    unknown = np.isnan(column.distinct) & number
    fits = unknown | (np.isfinite(column.distinct) & ~column.outside(*span))
    return column.each(~fits, False)


def _cell(column: RawColumn, row: int) -> str:
    code = int(column.codes[row])
    return "" if code < 0 else column.texts[code].as_py()


def _fitting(
    rules: Mapping[str, tuple[float, float]],
    needed: Sequence[str],
    columns: Mapping[str, RawColumn],
) -> Callable[[Mapping[str, str]], bool]:
    """Return what says whether a row, by column, could stand as it is."""

    def fits(row: Mapping[str, str]) -> bool:
        if not all(row[name] for name in needed):
            return False
        for name, (low, high) in rules.items():
            text = row[name].replace(",", ".") if columns[name].decimal == "," else row[name]
            if text and not (re.fullmatch(NUMBER, text) and low <= float(text) <= high):
                return False
        return True

    return fits


# ---------------------------------------------------------------------------- unturned items


def unreversed_items(plan: ReadingPlan, frame: Frame) -> list[Problem]:
    """Find items that run against the others of their measure (E218).

    The direction of the first principal component says which items are in the minority; each of
    them is told if its correlation with the others, turned so that they agree, is below zero by
    more than chance. Chance is reckoned by courses, since ratings of one course resemble each
    other.
    """
    found = []
    for one in plan.measures.values():
        names = list(one.answers)
        if one.level == "course" or len(names) < 3:
            continue
        items = np.column_stack([frame.answers[one.name, name] for name in names])
        whole = np.isfinite(items).all(axis=1)
        courses = len(np.unique(frame.course.codes[whole]))
        if courses < FEWEST_COURSES:
            continue
        for at, correlation in _against(items[whole], courses).items():
            facts: dict[str, Any] = {"found": f"'{names[at]}'"}
            facts["key_named"] = f"measures.{one.name}"
            facts |= {"correlation": f"{correlation:.2f}", "courses": str(courses)}
            place: dict[str, Any] = {"file": frame.course.file, "column": names[at]}
            found.append(problem("E218", finding="unreversed_item", **place, **facts))
    return found


def _against(items: Floats, courses: int) -> dict[int, float]:
    """Return item -> its corrected correlation, for items that run against the others."""
    spread = items.std(axis=0)
    varied = np.flatnonzero(spread > 0)
    if len(varied) < 3:
        return {}
    scores = (items[:, varied] - items[:, varied].mean(axis=0)) / spread[varied]
    between = scores.T @ scores / len(scores)
    loading = np.linalg.eigh(between)[1][:, -1]
    sign = np.where(loading < 0, -1.0, 1.0)
    if sign.sum() < 0 or (sign.sum() == 0 and loading.sum() < 0):
        sign = -sign
    found = {}
    for at in np.flatnonzero(sign < 0):
        others = np.where(np.arange(len(sign)) == at, 0.0, sign)
        variance = others @ between @ others
        correlation = float(between[at] @ others / np.sqrt(variance)) if variance > 0 else 0.0
        correlation = max(correlation, -0.999999)
        upper = np.arctanh(correlation) + 1.96 / np.sqrt(courses - 3)
        if correlation <= HIGHEST_CORRELATION and upper < 0:
            found[int(varied[at])] = correlation
    return found


# ---------------------------------------------------------------------------- copied courses


def repeated_courses(frame: Frame, rank: Integers, ids: NDArray[Any]) -> list[Problem]:
    """Find courses with the very ratings of another course (E321).

    Parameters
    ----------
    frame : Frame
        The ratings.
    rank : ndarray of int
        The place of each row's course among `ids`, -1 without a course.
    ids : ndarray
        The courses.
    """
    values = np.column_stack([*frame.scores.values(), *frame.answers.values()])
    rated = np.flatnonzero((rank >= 0) & np.isfinite(values).any(axis=1))
    if not len(rated):
        return []
    order = rated[np.lexsort((frame.place[rated], rank[rated]))]
    pattern = row_digests(list(values[order].T))
    starts = np.flatnonzero(np.append(True, np.diff(rank[order]) != 0))
    length = np.diff(np.append(starts, len(order)))
    step = np.arange(len(order)) - np.repeat(starts, length)
    whole = np.add.reduceat(row_digests([pattern, step]), starts)
    chance = np.add.reduceat(_log_chance(pattern, step), starts)
    chance += np.log(len(starts) * (len(starts) - 1) / 2 + 1e-9)
    copies = pd.DataFrame({"whole": whole, "length": length}).duplicated().to_numpy()
    at = np.flatnonzero(copies & (length >= FEWEST_RATINGS) & (chance < np.log(BY_CHANCE)))
    if not len(at):
        return []
    one = at[0]
    twin = np.flatnonzero((whole == whole[one]) & (length == length[one]))[0]
    first, second = order[starts[twin]], order[starts[one]]
    facts = {"course": ids[rank[second]], "first": ids[rank[first]], "sessions": int(length[one])}
    facts |= {"first_row": int(frame.course.rows[first]), "finding": "repeated_course"}
    rows = frame.course.rows[order[starts[at]]]
    place: dict[str, Any] = {"file": frame.course.file, "row": int(rows[0]), "rows": rows}
    place |= {"column": frame.course.name, "more": len(at) - 1}
    return [problem("E321", **place, **facts)]


def _log_chance(pattern: NDArray[np.uint64], step: Integers) -> Floats:
    """Return how likely each answer is: after the same one, as likely as that is kept elsewhere.

    A course that stays at the top of the scale is like others that do, though nobody copied it.
    """
    _, kind, counts = np.unique(pattern, return_inverse=True, return_counts=True)
    follows = np.flatnonzero(step > 0)
    before = kind[follows - 1]
    kept = before == kind[follows]
    number = np.bincount(before, minlength=len(counts))
    times = np.bincount(before[kept], minlength=len(counts))
    chance = np.log(counts / len(pattern))[kind]
    again = follows[kept]
    chance[again] = np.log(times[kind[again]] / number[kind[again]])
    return chance


# ---------------------------------------------------------------------------- gaps


def far_sessions(frame: Frame, rank: Integers, ids: NDArray[Any]) -> list[Problem]:
    """Find sessions that lie much further from the one before than others do (W314).

    Parameters
    ----------
    frame : Frame
        The ratings of a long table.
    rank : ndarray of int
        The place of each row's course among `ids`, -1 without a course.
    ids : ndarray
        The courses.
    """
    known = np.flatnonzero((rank >= 0) & np.isfinite(frame.place))
    if frame.when is None or len(known) < 2:
        return []
    order = known[np.lexsort((frame.place[known], rank[known]))]
    gaps = np.diff(frame.place[order])
    within = (np.diff(rank[order]) == 0) & (gaps > 0)
    if not within.any():
        return []
    median = float(np.median(gaps[within]))
    least = FAR_DAYS if frame.by_day else FAR_NUMBERS
    far = np.flatnonzero(within & (gaps > max(least, FAR_TIMES * median)))
    if not len(far):
        return []
    far = far[np.argsort(-gaps[far], kind="stable")]
    facts: dict[str, Any] = {"median": f"{median:g}"}
    facts["unit"] = "days" if frame.by_day else "session numbers"
    found: list[Problem] = []
    for at in far[:MOST_GAPS]:
        here, before = order[at + 1], order[at]
        facts |= {"course": ids[rank[here]], "first_row": int(frame.course.rows[before])}
        place: dict[str, Any] = {"file": frame.when.file, "column": frame.when.name}
        place["more"] = max(len(far) - MOST_GAPS, 0) if len(found) == MOST_GAPS - 1 else 0
        row = int(frame.course.rows[here])
        found.append(problem("W314", row=row, gap=f"{gaps[at]:g}", **place, **facts))
    return found


def swapped_dates(frame: Frame, rank: Integers) -> list[Problem]:
    """Find dates that leave the order of their rows, but not with day and month swapped (W320).

    Parameters
    ----------
    frame : Frame
        The ratings of a long table. Where most rows are in no order nothing is found.
    rank : ndarray of int
        The place of each row's course, -1 without a course.
    """
    known = np.flatnonzero((rank >= 0) & np.isfinite(frame.place))
    order = known[np.argsort(rank[known], kind="stable")]
    within = np.diff(rank[order]) == 0
    if frame.when is None or not frame.by_day or not within.any():
        return []
    day = np.floor(frame.place[order]).astype(np.int64).astype("datetime64[D]")
    if np.mean((np.diff(day) >= np.timedelta64(0))[within]) < IN_ORDER:
        return []
    above, here, below, turned = day[:-2], day[1:-1], day[2:], _swapped(day)[1:-1]
    fits = (above <= turned) & (turned <= below) & within[:-1] & within[1:]
    found = np.flatnonzero(fits & ((here < above) | (here > below)))
    if not len(found):
        return []
    rows, at = frame.course.rows[order[found + 1]], found[0]
    facts = {"found": here[at], "above": above[at], "below": below[at], "swapped": turned[at]}
    place: dict[str, Any] = {"file": frame.when.file, "column": frame.when.name}
    place |= {"row": int(rows[0]), "rows": rows, "more": len(found) - 1}
    return [problem("W320", **place, **facts)]


def _swapped(day: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return dates with day and month swapped; no date where there is no such month."""
    month = day.astype("datetime64[M]")
    of_year, of_month = month.astype(np.int64) % 12, (day - month).astype(np.int64)
    turned = (month - of_year + of_month).astype("datetime64[D]") + of_year
    return np.where(of_month < 12, turned, np.datetime64("NaT"))


# ---------------------------------------------------------------------------- numbers


def mixed_numbering(plan: ReadingPlan, frame: Frame, rank: Integers) -> list[Problem]:
    """Find courses that are numbered from 0 where others are from 1 (E226, W319)."""
    known = np.flatnonzero((rank >= 0) & np.isfinite(frame.place))
    if frame.when is None or frame.by_day or plan.sessions["first_session"] != 0 or not len(known):
        return []
    first = pd.Series(frame.place[known]).groupby(rank[known]).min()
    from_zero, from_one = first.index[first == 1], first.index[first == 2]
    if not len(from_zero) or not len(from_one):
        return []
    zero = len(from_zero) <= len(from_one)
    fewer, start = (from_zero, 1) if zero else (from_one, 2)
    at = known[np.isin(rank[known], fewer) & (frame.place[known] == start)]
    facts: dict[str, Any] = {"fewer": len(fewer), "courses": len(first)}
    if zero:
        return frame.when.faults_at("E226", at, finding="mixed_numbering", **facts)
    return frame.when.faults_at("W319", at, **facts)
