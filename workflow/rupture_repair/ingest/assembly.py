"""Put columns of files together as the canonical tables, and check rows, courses and days."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import Problem, problem
from . import implausible, spellings, summaries
from .accepted import settled
from .columns import RawColumn, RawTable
from .described_measures import ENDINGS, KINDS, RATERS
from .descriptor import ReadingPlan
from .items import points
from .layouts import MOST_DAYS, Frame, long, session_numbers, wide


class CanonicalTables(NamedTuple):
    """The canonical tables."""

    sessions: pd.DataFrame
    courses: pd.DataFrame
    events: pd.DataFrame


class _Courses(NamedTuple):
    """The courses that have a session: sorted ids, and the place of each code among them."""

    ids: NDArray[Any]
    rank: Integers


def assemble(
    plan: ReadingPlan, tables: Mapping[str, RawTable], failed: bool = False
) -> tuple[CanonicalTables | None, list[Problem]]:
    """Make the canonical tables of a dataset.

    Parameters
    ----------
    plan : ReadingPlan
        The dataset's description.
    tables : mapping of str to RawTable
        What was read for sessions, courses and events.
    failed : bool
        Whether problems were found before; then rows are checked, but no table is made.

    Returns
    -------
    CanonicalTables or None, list of Problem
        The tables if there is no error. Errors E201 to E212 (cells), E309 to E313 and E318 (rows);
        warnings W202, W301 to W307.
    """
    problems: list[Problem] = []
    frame = (wide if plan.wide else long)(plan, tables["sessions"], problems)
    if frame is None:
        return None, settled(plan.accepted, problems)
    courses = _known_courses(frame)
    if not len(courses.ids):
        if not failed and not problems:
            problems.append(problem("E318", file=tables["sessions"].file))
        return None, settled(plan.accepted, problems)
    _check_rows(plan, frame, courses, problems)
    problems += implausible.unreversed_items(plan, frame)
    problems += implausible.repeated_courses(frame, courses.rank[frame.course.codes], courses.ids)
    problems += summaries.named(frame.course)
    problems += implausible.mixed_numbering(plan, frame, courses.rank[frame.course.codes])
    problems += implausible.far_sessions(frame, courses.rank[frame.course.codes], courses.ids)
    problems += implausible.swapped_dates(frame, courses.rank[frame.course.codes])
    for name, column in {"course": frame.course, **frame.persons}.items():
        problems += spellings.id_faults(column, name)
    persons = {
        name: _constant(column, courses.rank[frame.course.codes], courses, name, problems)
        for name, column in frame.persons.items()
    }
    of_courses = _courses_table(plan, tables.get("courses"), courses, frame, problems)
    events = _events_table(plan, tables.get("events"), courses, frame, problems)
    problems = settled(plan.accepted, problems)
    if failed or any(one.is_error for one in problems):
        return None, problems
    named = {name: (persons | of_courses).get(name) for name in ("client", "therapist")}
    sessions = _sessions_table(plan, frame, courses, named, problems)
    made = _finish_courses(plan, courses, named, of_courses)
    _remark(plan, tables, sessions, events, problems)
    return CanonicalTables(sessions, made, events.reset_index(drop=True)), problems


# ---------------------------------------------------------------------------- rows and courses


def _known_courses(frame: Frame) -> _Courses:
    """Return the courses that have a row, sorted by id."""
    texts = np.array(frame.course.texts.to_pylist(), dtype=object)
    used = np.unique(frame.course.codes[frame.course.codes >= 0])
    order = used[np.argsort(texts[used])] if len(used) else used
    rank = np.full(len(texts) + 1, -1)
    rank[order] = np.arange(len(order))
    return _Courses(texts[order], rank)


def _check_rows(
    plan: ReadingPlan, frame: Frame, courses: _Courses, problems: list[Problem]
) -> None:
    """Report two rows for one session (E309) or, unless their mean is taken, one day (E310)."""
    if plan.wide or plan.sessions["same_day"] == "mean" or frame.when is None:
        return
    place = np.floor(frame.place) if frame.by_day else frame.place
    rank = courses.rank[frame.course.codes]
    fit = np.flatnonzero((rank >= 0) & np.isfinite(place))
    key = rank[fit] * (4 * MOST_DAYS) + place[fit].astype(np.int64) + 2 * MOST_DAYS
    if (np.diff(key) > 0).all():
        return
    again = pd.Series(key).duplicated().to_numpy()
    if not again.any():
        return
    at = fit[again]
    first = fit[np.argmax(key == key[np.argmax(again)])]
    code = "E310" if frame.by_day else "E309"
    facts = {"course": courses.ids[rank[at[0]]], "first": int(frame.course.rows[first])}
    problems += frame.when.faults_at(code, at, **facts)


def _constant(
    column: RawColumn, rank: Integers, courses: _Courses, what: str, problems: list[Problem]
) -> RawColumn:
    """Return one row per course of a column that may not vary within courses (E312)."""
    known = np.append(~column.no_value, False)  # cells without a value are reported by themselves
    fit = np.flatnonzero((rank >= 0) & known[column.codes])
    source = np.full(len(courses.ids), -1)
    source[rank[fit[::-1]]] = fit[::-1]  # written from the end: the first row of a course stays
    changed = fit[column.codes[fit] != column.codes[source[rank[fit]]]]
    if len(changed):
        course = rank[changed[0]]
        first = column.texts[int(column.codes[source[course]])].as_py()
        row = int(column.rows[source[course]])
        facts = {"course": courses.ids[course], "first": first, "first_row": row, "what": what}
        problems += column.faults_at("E312", changed, **facts)
    codes = np.where(source >= 0, column.codes[source], -1)
    rows = np.where(source >= 0, column.rows[source], 0)
    return RawColumn(
        column.file, column.name, rows, codes, column.texts, column.decimal, column.missing
    )


def _rank_of(column: RawColumn, courses: _Courses) -> Integers:
    """Return for each row of another table the place of its course, -1 if that has no session."""
    texts = column.texts.to_pylist()
    found = pd.Index(courses.ids).get_indexer(pd.Index(texts, dtype=object))
    return column.each(found.astype(np.int64), -1)


def _without_partner(
    column: RawColumn, sessions: RawColumn, rank: Integers
) -> tuple[list[Problem], Flags]:
    """Report ids of another table that the sessions spell in another way, or do not have at all.

    Returns
    -------
    list of Problem, ndarray of bool
        Problems E219 (spelled in another way) and E332 (none of the ids is that of a course), and
        which of the distinct ids have one.
    """
    found, flags = spellings.between_tables(column, sessions, "course")
    given = column.codes >= 0
    if found or not given.any() or (rank >= 0).any():
        return found, flags
    first = sessions.texts[int(sessions.codes[np.argmax(sessions.codes >= 0)])].as_py()
    facts = {"count": len(column.texts), "first": first, "other": sessions.file}
    return column.faults_at("E332", np.flatnonzero(given)[:1], **facts), ~flags


def _courses_table(
    plan: ReadingPlan,
    table: RawTable | None,
    courses: _Courses,
    frame: Frame,
    problems: list[Problem],
) -> dict[str, Any]:
    """Return what the courses table says, one entry per column and course."""
    keys = plan.table("courses")
    if table is None or keys is None or keys["course"] not in table.columns:
        return {}
    course = table.columns[keys["course"]]
    same_file = keys["file"] == plan.sessions["file"]
    rank = _rank_of(course, courses)
    if not same_file:
        problems += course.faults_at("E206", np.flatnonzero(course.codes < 0))
        again = pd.Series(course.codes).duplicated().to_numpy() & (course.codes >= 0)
        problems += course.faults_at("E311", np.flatnonzero(again))
        rank = np.where(again, -1, rank)
        problems += spellings.id_faults(course, "course")
    found, _ = _without_partner(course, frame.course, rank)
    problems += found
    if not found:
        _unmatched(course, rank, courses, frame, problems)

    def once(name: str | None, what: str) -> RawColumn | None:
        column = table.columns.get(name) if name else None
        return None if column is None else _constant(column, rank, courses, what, problems)

    known: dict[str, Any] = {name: once(keys[name], name) for name in ("client", "therapist")}
    for name, column in known.items():
        problems += [] if column is None else spellings.id_faults(column, name)
    ending = once(keys["ending"], "ending")
    known["ending"] = None if ending is None else _endings(keys, ending, problems)
    for name, column in plan.covariates.items():
        known[name] = once(column, "covariate")
        if known[name] is not None:
            problems += _covariate_faults(known[name])
    for one in plan.measures.values():
        for when in ("first", "last"):
            if one.level == "course":
                scores = once(getattr(one, when), one.label)
                if scores is not None:
                    known[f"{one.name}__{when}"] = points(scores, one.range, one, problems)
    return {name: values for name, values in known.items() if values is not None}


def _unmatched(
    course: RawColumn, rank: Integers, courses: _Courses, frame: Frame, problems: list[Problem]
) -> None:
    """Warn of courses that only one of the two tables has (W303, W304)."""
    unknown = np.flatnonzero((rank < 0) & ~pd.Series(course.codes).duplicated().to_numpy())
    problems += course.faults_at("W303", unknown[course.codes[unknown] >= 0])
    absent = np.setdiff1d(np.arange(len(courses.ids)), rank)
    if len(absent):
        of_first = frame.course.rows[courses.rank[frame.course.codes] == absent[0]]
        place: dict[str, Any] = {"file": frame.course.file, "row": int(of_first[0])}
        problems.append(problem("W304", found=course.file, more=len(absent) - 1, **place))


def _endings(keys: Mapping[str, Any], column: RawColumn, problems: list[Problem]) -> NDArray[Any]:
    """Return how each course ended."""
    meaning = {**{word: word for word in ENDINGS}, **keys["ending_codes"]}
    problems += column.not_among("E209", meaning)
    words = [meaning.get(text, "unknown") for text in column.texts.to_pylist()]
    return column.each(np.array(words, dtype=object), "unknown")


def _events_table(
    plan: ReadingPlan,
    table: RawTable | None,
    courses: _Courses,
    frame: Frame,
    problems: list[Problem],
) -> pd.DataFrame:
    """Return the coded events by course and session; the index is their place in the file."""
    names = ("course", "session", "kind", "code", "reporter")
    empty = {name: pd.Series(dtype="int32" if name == "session" else "str") for name in names}
    keys = plan.table("events")
    if table is None or keys is None or any(keys[name] not in table.columns for name in names):
        return pd.DataFrame(empty)
    columns = {name: table.columns[keys[name]] for name in names}
    rank = _rank_of(columns["course"], courses)
    needed = {"course": "E206", "session": "E207", "kind": "E213", "code": "E213"}
    for name, code in needed.items():
        column = columns[name]
        problems += column.faults_at(code, np.flatnonzero(column.codes < 0), what=name)
    problems += spellings.two_spellings(columns["code"], "code")
    problems += spellings.id_faults(columns["course"], "course")
    found, respelled = _without_partner(columns["course"], frame.course, rank)
    problems += found
    lost = (rank < 0) & ~columns["course"].each(respelled, True)
    problems += columns["course"].faults_at("E313", np.flatnonzero(lost))
    number = session_numbers(plan, columns["session"], problems)
    for name, allowed in (("kind", KINDS), ("reporter", RATERS)):
        problems += columns[name].not_among("E210", allowed, what=name)
    order = np.lexsort((number, rank))
    made = {name: _texts(columns[name].texts, columns[name].codes[order]) for name in names}
    made["session"] = pd.Series(np.nan_to_num(number[order])).astype("int32")
    return pd.DataFrame({name: made[name] for name in names}).set_index(pd.Index(order))


# ---------------------------------------------------------------------------- tables


def _texts(values: Any, codes: Integers) -> pd.Series:
    """Return texts by their codes, missing where a code is -1."""
    texts = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    return pd.Series(
        pd.array([*texts, None], dtype="str").take(np.where(codes < 0, len(texts), codes))
    )


def _sessions_table(
    plan: ReadingPlan,
    frame: Frame,
    courses: _Courses,
    persons: Mapping[str, RawColumn | None],
    problems: list[Problem],
) -> pd.DataFrame:
    """Return the canonical sessions, sorted by course and session."""
    rank = courses.rank[frame.course.codes]
    scores = pd.DataFrame(frame.scores)
    if frame.by_day:
        rank, number, day, scores = _by_day(plan, frame, rank, scores, problems)
    else:
        number, day = frame.place.astype(np.int64), np.full(len(rank), np.nan)
        order = np.lexsort((number, rank))
        rank, number, scores = rank[order], number[order], scores.iloc[order]
    head = {"course": _texts(courses.ids, rank), **_persons(courses, persons, rank)}
    head |= {"session": pd.Series(number.astype(np.int32)), "day": pd.Series(day)}
    return pd.concat([pd.DataFrame(head), scores.reset_index(drop=True)], axis=1)


def _persons(
    courses: _Courses, persons: Mapping[str, RawColumn | None], rank: Integers
) -> dict[str, pd.Series]:
    """Return client (the course, where none is named) and therapist by course."""
    found = {}
    for name, ids in (("client", courses.ids), ("therapist", np.array([], object))):
        column = persons.get(name)
        if column is not None:
            found[name] = _texts(column.texts, column.codes[rank])
        else:
            found[name] = _texts(ids, rank if len(ids) else np.full(len(rank), -1))
    return found


def _by_day(
    plan: ReadingPlan, frame: Frame, rank: Integers, scores: pd.DataFrame, problems: list[Problem]
) -> tuple[Integers, Integers, Floats, pd.DataFrame]:
    """Sort sessions by day, take the mean of the rows of one day, and number them."""
    order = np.lexsort((frame.place, rank))
    rank, day, scores = rank[order], frame.place[order], scores.iloc[order].reset_index(drop=True)
    whole = np.floor(day)
    new = np.append(True, (np.diff(rank) != 0) | (np.diff(whole) != 0))
    if not new.all():
        rows = frame.course.rows[order][~new]
        file, more = frame.course.file, len(rows) - 1
        problems.append(problem("W306", file=file, row=int(rows.min()), more=more))
        group = np.cumsum(new) - 1
        scores = _whole_forms(plan, scores, group).groupby(group).mean()
        rank, day = rank[new], day[new]
    opens = np.append(True, np.diff(rank) != 0)
    start = np.flatnonzero(opens)[np.cumsum(opens) - 1]
    return rank, np.arange(len(rank)) - start + 1, day - day[start], scores


def _whole_forms(plan: ReadingPlan, scores: pd.DataFrame, group: Integers) -> pd.DataFrame:
    """Drop items of forms without a total where another form of that day has one.

    So the mean of the totals stays the total of the means of the items.
    """
    scores = scores.copy()
    for one in plan.measures.values():
        parts = [f"{one.name}__{part}" for part in one.components]
        if one.level == "session" and parts:
            gone = scores[one.name].isna()
            other = (~gone).groupby(group).transform("any")
            scores.loc[gone & other, parts] = np.nan
    return scores


def _finish_courses(
    plan: ReadingPlan,
    courses: _Courses,
    persons: Mapping[str, RawColumn | None],
    found: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the canonical courses, sorted."""
    every = np.arange(len(courses.ids))
    made = {"course": _texts(courses.ids, every), **_persons(courses, persons, every)}
    ending = found.get("ending", np.full(len(every), "unknown", dtype=object))
    made["ending"] = pd.Series(ending, dtype="str")
    for name in plan.covariates:
        made[name] = _covariate(found[name])
    for one in plan.measures.values():
        if one.level == "course":
            for when in ("first", "last"):
                column = f"{one.name}__{when}"
                made[column] = pd.Series(found.get(column, np.full(len(every), np.nan)))
    return pd.DataFrame(made)


def _covariate_faults(column: RawColumn) -> list[Problem]:
    """Return what is wrong with a covariate of numbers (E223) or words (E219), or a mixture (E222).

    As it may be what a column of numbers becomes by one word in it, a mixture is a problem.
    """
    number, _ = column.kinds
    number = number & column.each_used()
    words = ~column.kinds[0] & ~column.no_value & column.each_used()
    if not words.any():
        return column.thousands_faults()
    found = spellings.two_spellings(column, "category")
    if not number.any():
        return found
    facts: dict[str, Any] = {"numbers": int(number.sum()), "finding": "numbers_and_words"}
    facts["words"] = int(words.sum())
    fewer = words if words.sum() <= number.sum() else number
    return found + column.faults("E222", fewer, **facts)


def _covariate(column: RawColumn) -> pd.Series:
    """Return a covariate as numbers if all its texts are numbers, else as text."""
    number, _ = column.kinds
    if number.all() and np.isfinite(column.distinct).any():
        return pd.Series(column.numbers())
    return _texts(column.texts, column.codes)


def _remark(
    plan: ReadingPlan,
    tables: Mapping[str, RawTable],
    sessions: pd.DataFrame,
    events: pd.DataFrame,
    problems: list[Problem],
) -> None:
    """Warn of what limits any analysis: one course, one session each, events outside sessions."""
    file, count = tables["sessions"].file, sessions["course"].nunique()
    if count == 1:
        problems.append(problem("W301", file=file))
    if count == len(sessions):
        problems.append(problem("W302", file=file))
    if len(events):
        held = pd.MultiIndex.from_frame(sessions[["course", "session"]])
        beside = ~pd.MultiIndex.from_frame(events[["course", "session"]]).isin(held)
        if beside.any():
            first = events[beside].iloc[0]
            rows = tables["events"].rows[np.sort(events.index[beside].to_numpy())]
            place: dict[str, Any] = {"file": tables["events"].file, "row": int(rows[0])}
            more = int(beside.sum()) - 1
            problems.append(problem("W307", found=first["session"], more=more, rows=rows, **place))
