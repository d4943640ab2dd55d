"""Ratings from columns: numbers, totals and session numbers, in the long and the wide layout."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..project.arrays import Flags, Floats
from ..project.problems import Problem, problem
from . import dates, items
from .columns import RawColumn, RawTable
from .described_measures import SESSION
from .descriptor import ReadingPlan

#: No course has a session with a higher number, no day lies further from zero: a slip of the
#: keyboard must not ask for a table of a million sessions.
MOST_SESSIONS, MOST_DAYS = 9_999, 100_000


#: Words before the number of a session.
SESSION_WORDS = frozenset(
    ("s", "session", "sess", "sitzung", "t", "time", "w", "week", "wk", "woche", "v", "visit",
     "wave", "m", "month", "seance", "séance", "sesion", "sesión", "sessie", "zitting", "nr",
     "no",)
)  # fmt: skip


@dataclass
class Frame:
    """Rows of ratings, one per course and session, in the order of the file.

    Attributes
    ----------
    course : RawColumn
        The course of each row.
    scores : dict of str to ndarray
        ``<measure>`` and ``<measure>__<component>`` -> points, NaN where missing.
    answers : dict of (str, str) to ndarray
        Measure and column -> answers to an item, turned where dataset.yaml says so.
    place : ndarray, shape (rows,)
        The session, counted from 1, or the day; NaN where not known.
    by_day : bool
        Which of the two `place` is.
    when : RawColumn, optional
        The column that `place` comes from, in the long layout.
    persons : dict of str to RawColumn
        client and therapist, as far as the sessions table names them.
    """

    course: RawColumn
    scores: dict[Any, Floats]
    place: Floats
    by_day: bool = False
    when: RawColumn | None = None
    persons: dict[str, RawColumn] = field(default_factory=dict)
    answers: dict[tuple[str, str], Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the answers apart from the scores."""
        for key in [key for key in self.scores if not isinstance(key, str)]:
            self.answers[key] = self.scores.pop(key)


def columns_of(pattern: str, header: Iterable[str]) -> dict[int, str]:
    """Return session number -> column for the columns that follow a pattern.

    Examples
    --------
    >>> columns_of("Week{session}", ["Id", "Week1", "Week2", "Week2_bin"])
    {1: 'Week1', 2: 'Week2'}
    """
    found: dict[int, str] = {}
    for number, name in _matching(pattern, header):
        found.setdefault(number, name)
    return dict(sorted(found.items()))


def twice(pattern: str, header: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of columns that a pattern takes for the same session (Week1, Week01)."""
    first = columns_of(pattern, header)
    return [(first[at], name) for at, name in _matching(pattern, header) if first[at] != name]


def _matching(pattern: str, header: Iterable[str]) -> list[tuple[int, str]]:
    before, after = pattern.split(SESSION)
    rule = re.compile(rf"{re.escape(before)}([0-9]{{1,9}}){re.escape(after)}")
    matches = ((rule.fullmatch(name), name) for name in header)
    return [(int(match[1]), name) for match, name in matches if match]


def long(plan: ReadingPlan, table: RawTable, problems: list[Problem]) -> Frame | None:
    """Return the ratings of a table with one row per session.

    Parameters
    ----------
    plan : ReadingPlan
        The dataset's description.
    table : RawTable
        The columns.
    problems : list of Problem
        Problems are added here: E201 to E208, E211, E212, W202.

    Returns
    -------
    Frame or None
        None if the columns of course and session are not there.
    """
    columns, keys = table.columns, plan.sessions
    scores = _scores(plan, columns.get, len(table.rows), problems)
    course = columns.get(keys["course"])
    when = columns.get(keys["session"] or keys["date"] or keys["day"])
    if course is not None:
        problems += course.faults_at("E206", np.flatnonzero(course.codes < 0))
    place = np.empty(0)
    if when is not None:
        problems += when.faults_at("E207", np.flatnonzero(when.codes < 0))
        find = session_numbers if keys["session"] else _days
        place = find(plan, when, problems)
    if course is None or when is None:
        return None
    persons = {name: columns.get(keys[name]) for name in ("client", "therapist")}
    known = {name: column for name, column in persons.items() if column is not None}
    return Frame(course, scores, place, not keys["session"], when, known)


def wide(plan: ReadingPlan, table: RawTable, problems: list[Problem]) -> Frame | None:
    """Return the ratings of a table with one row per course, without sessions that have none.

    Parameters
    ----------
    plan, table
        As for :func:`long`.
    problems : list of Problem
        Problems are added here: E201 to E206, E211, E311, W202.

    Returns
    -------
    Frame or None
        None if the column of the course, or every column of a rating, is not there.
    """
    columns, keys = table.columns, plan.sessions
    patterns = {
        pattern: columns_of(pattern, columns)
        for one in plan.measures.values()
        for pattern in filter(None, (one.total, *one.answers))
    }
    numbers = sorted({number for found in patterns.values() for number in found})
    first, last = keys["first_session"], MOST_SESSIONS + keys["first_session"] - 1
    for number in numbers:
        if not first <= number <= last:
            column = next(found[number] for found in patterns.values() if number in found)
            facts = {"found": number, "low": first, "high": last}
            problems.append(problem("E205", file=table.file, column=column, **facts))
    slices = [
        _scores(
            plan,
            {name: columns.get(found.get(number, "")) for name, found in patterns.items()}.get,
            len(table.rows),
            problems,
        )
        for number in numbers
    ]
    course = columns.get(keys["course"])
    if course is None or not slices:
        return None
    problems += course.faults_at("E206", np.flatnonzero(course.codes < 0))
    again = np.flatnonzero(pd.Series(course.codes).duplicated() & (course.codes >= 0))
    problems += course.faults_at("E311", again)
    rated = [np.flatnonzero(_any_known(scores, len(course.rows))) for scores in slices]
    index = np.concatenate(rated)
    scores = {
        name: np.concatenate([one[name][at] for one, at in zip(slices, rated, strict=True)])
        for name in slices[0]
    }
    place = np.repeat(np.array(numbers) - first + 1.0, [len(at) for at in rated])
    persons = {name: columns.get(keys[name]) for name in ("client", "therapist")}
    known = {name: column.take(index) for name, column in persons.items() if column is not None}
    return Frame(course.take(index), scores, place, persons=known)


def _any_known(scores: Mapping[str, Floats], count: int) -> Flags:
    known = np.zeros(count, bool)
    for values in scores.values():
        known |= ~np.isnan(values)
    return known


def _scores(
    plan: ReadingPlan, find: Callable[[Any], RawColumn | None], count: int, problems: list[Problem]
) -> dict[Any, Floats]:
    """Return total, components and answers of each measure rated at sessions.

    Their names are ``<measure>``, ``<measure>__<component>`` and (measure, column).
    """
    scores: dict[Any, Floats] = {}
    for one in plan.measures.values():
        if one.level == "course":
            continue
        found = items.read(one, find, count, problems)
        scores[one.name] = found.total
        scores |= {f"{one.name}__{name}": values for name, values in found.components.items()}
        for name in one.answers:
            scores[one.name, name] = found.answers.get(name, np.full(count, np.nan))
    return scores


def session_numbers(plan: ReadingPlan, column: RawColumn, problems: list[Problem]) -> Floats:
    """Return the numbers of the sessions, counted from 1."""
    first = plan.sessions["first_session"]
    last = MOST_SESSIONS + first - 1
    column = without_mark(column)
    problems += column.number_faults(no_number="E228")
    number = column.distinct
    fraction = np.isfinite(number) & (number != np.floor(number))
    problems += column.faults("E204", fraction)
    outside = np.isfinite(number) & ~fraction & ((number < first) | (number > last))
    problems += column.faults("E205", outside, low=first, high=last)
    fit = np.isfinite(number) & ~fraction & ~outside
    return column.each(np.where(fit, number - first + 1, np.nan), np.nan)


def without_mark(column: RawColumn) -> RawColumn:
    """Return numbers such as S01 and Session 1 without the word, where no other word is there."""
    rule = re.compile(r"(?P<word>[^\W\d_]+)[ _.#-]*(?P<number>[0-9]{1,6})")
    texts = column.texts.to_pylist()
    matches = [rule.fullmatch(text) for text in texts]
    words = {match["word"].lower() for match in matches if match}
    if len(words) != 1 or not words <= SESSION_WORDS:
        return column
    plain = [match["number"] if match else text for match, text in zip(matches, texts, strict=True)]
    return replace(column, texts=pa.array(plain, pa.string()))


def _days(plan: ReadingPlan, column: RawColumn, problems: list[Problem]) -> Floats:
    """Return days as numbers, from dates or from a column of day numbers."""
    if plan.sessions["day"]:
        problems += column.number_faults()
        outside = column.outside(-MOST_DAYS, MOST_DAYS) & np.isfinite(column.distinct)
        problems += column.faults("E212", outside, most=MOST_DAYS)
        return column.numbers(-MOST_DAYS, MOST_DAYS)
    written = plan.sessions["date_format"]
    found = dates.read(column.texts.to_pylist(), written)
    problems += column.faults("E208", found.strange, written=written)
    years = {"first": dates.FIRST_YEAR, "last": dates.LAST_YEAR}
    problems += column.faults("E224", found.impossible, **years)
    return column.each(found.days, np.nan)
