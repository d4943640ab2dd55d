"""An independent reading of small tables of sessions, in plain Python, for comparison.

Nothing of the library is used. What can be read in one way only is read; all else raises.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MISSING = frozenset(("", "NA", "-99"))

#: Signs without a shape, other than white space.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
                     "\u2800\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]")  # fmt: skip

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Unreadable(Exception):
    """The table cannot be read in one way only."""


class Layout(NamedTuple):
    """Which columns hold what.

    Attributes
    ----------
    course, therapist : str
        Columns of ids.
    session : str or None
        The column of session numbers; None where there is one row per course.
    scores : mapping of str to str
        Name of a score -> its column, or a pattern with ``{session}``.
    """

    course: str
    therapist: str
    session: str | None
    scores: Mapping[str, str]


def csv_rows(data: bytes, encoding: str, delimiter: str) -> list[list[str]]:
    """Return the cells of a delimited text."""
    text = data.decode(encoding).removeprefix("\ufeff")
    if "\0" in text:
        raise Unreadable("no text")
    lines = io.StringIO(text if text.endswith("\n") else text + "\n", newline="")
    return list(csv.reader(lines, delimiter=delimiter, strict=True))


def records(rows: Sequence[Sequence[str]], used: Iterable[str]) -> list[dict[str, str]]:
    """Return column -> cell for each row that holds something in the columns used."""
    header = [name.strip() for name in rows[0]]
    used = list(used)
    if any(header.count(name) != 1 for name in used):
        raise Unreadable("a column is missing, or there twice")
    found = []
    for row in rows[1:]:
        cells = [cell.strip() for cell in row]
        cells = ["" if not _UNSEEN.sub("", cell).strip() else cell for cell in cells]
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise Unreadable("a ragged row")
        one = {name: cells[header.index(name)] for name in used}
        if not all(cell in MISSING for cell in one.values()):
            found.append(one)
    return found


def number(text: str, decimal: str) -> float:
    """Return a cell as a number, NaN where it means "not known"."""
    if text in MISSING:
        return math.nan
    if decimal != ".":
        text = text.replace(".", "#").replace(decimal, ".")
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"{text} is no number")
    return float(text)


def whole(text: str, decimal: str) -> int:
    """Return the number of a session, of which S1 is the first as well."""
    marked = re.fullmatch("[Ss]([0-9]+)", text)
    value = number(marked[1] if marked else text, decimal)
    if math.isnan(value) or value != math.floor(value):
        raise Unreadable(f"{text} is no session")
    return int(value)


def sessions(
    rows: Sequence[Sequence[str]], layout: Layout, decimal: str = "."
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return (course, session) -> therapist and scores of a table of sessions."""
    if layout.session is None:
        return _wide(rows, layout, decimal)
    used = (layout.course, layout.therapist, layout.session, *layout.scores.values())
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for one in records(rows, used):
        scores = {name: number(one[column], decimal) for name, column in layout.scores.items()}
        key = _id(one[layout.course]), whole(one[layout.session], decimal)
        if key in found:
            raise Unreadable("a session is there twice")
        found[key] = {"therapist": _or_none(one[layout.therapist]), **scores}
    return _with_therapists(found)


def _with_therapists(
    found: dict[tuple[str, int], dict[str, Any]],
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return sessions with the therapist of their course, also where a row does not name one."""
    named = {course: one["therapist"] for (course, _), one in found.items() if one["therapist"]}
    for (course, _), one in found.items():
        if one["therapist"] not in (None, named.get(course)):
            raise Unreadable("a course with two therapists")
        one["therapist"] = named.get(course)
    return found


def _wide(
    rows: Sequence[Sequence[str]], layout: Layout, decimal: str
) -> dict[tuple[str, int], dict[str, Any]]:
    columns: dict[tuple[str, int], str] = {}
    for name in (cell.strip() for cell in rows[0]):
        for score, pattern in layout.scores.items():
            before, after = map(re.escape, pattern.split("{session}"))
            match = re.fullmatch(f"{before}([0-9]+){after}", name)
            if match and (score, int(match[1])) in columns:
                raise Unreadable("two columns of one session")
            if match:
                columns[score, int(match[1])] = name
    if {score for score, _ in columns} != set(layout.scores):
        raise Unreadable("a pattern without columns")
    found: dict[tuple[str, int], dict[str, Any]] = {}
    seen = set()
    for one in records(rows, (layout.course, layout.therapist, *columns.values())):
        course = _id(one[layout.course])
        if course in seen:
            raise Unreadable("a course is there twice")
        seen.add(course)
        for at in sorted({at for _, at in columns}):
            scores = {
                score: number(one[columns[score, at]], decimal)
                if (score, at) in columns
                else math.nan
                for score in layout.scores
            }
            if not all(map(math.isnan, scores.values())):
                found[course, at] = {"therapist": _or_none(one[layout.therapist]), **scores}
    return found


def courses(rows: Sequence[Sequence[str]], decimal: str = ".") -> dict[str, tuple[str, Any]]:
    """Return course -> ending and sex of a table of courses."""
    found: dict[str, tuple[str, Any]] = {}
    for one in records(rows, ("client_id", "reason", "sex")):
        ending = "unknown" if one["reason"] in MISSING else one["reason"]
        course = _id(one["client_id"])
        if course in found:
            raise Unreadable("a course is there twice")
        found[course] = ending, _or_none(one["sex"])
    given = [sex for _, sex in found.values() if sex is not None]
    if given and all(_NUMBER.fullmatch(sex.replace(decimal, ".")) for sex in given):
        return {course: (end, number(sex or "", decimal)) for course, (end, sex) in found.items()}
    return found


def _id(text: str) -> str:
    if text in MISSING:
        raise Unreadable("no id")
    return text


def _or_none(text: str) -> str | None:
    return None if text in MISSING else text


def shown(value: Any, code: str = "General") -> str:
    """Return what a program shows of a cell with one of a few number formats."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float):
        return value.isoformat()[:10]
    if code == "0%":
        value = value * 100
    if isinstance(value, float) and math.isnan(value):
        return ""
    text = f"{value:.15g}"
    if value == math.floor(value) and abs(value) < 2**53:
        text = str(int(value))
    if code == '"C"0' and value >= 0:
        return f"C{text}"
    if code == "000" and value >= 0 and value == int(value):
        return f"{int(value):03d}"
    return text
