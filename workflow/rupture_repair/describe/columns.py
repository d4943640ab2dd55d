"""Which columns say whose row it is and when: course, therapist, session, ending, covariates."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..ingest import dates
from ..ingest.columns import RawColumn, RawTable
from ..ingest.layouts import without_mark
from ..ingest.personal_data import plain_name

_NUMBER = r"(_?(id|nr|no|num|number|nummer|code|key))?"
_CLIENT = (
    "client|patient|pat|participant|subject|subj|person|proband|proband_in|teilnehmer|klient|klientin|"
    "klant|deelnemer|cliente|paciente|sujet|id|code|pid|cid|vp|vpn|dyad|couple"
)
#: What a column is used for -> names, as words in lower case joined by "_".
NAMES = {
    "course": rf"(course|case|episode|treatment|therapy|fall|behandlung){_NUMBER}",
    "client": rf"({_CLIENT}){_NUMBER}|(study|research)_(id|code)",
    "therapist": rf"(therapist|therapeut|therapeutin|counsell?or|clinician|provider|psychologist|"
    rf"behandler|behandelaar|therapeute|terapeuta|th){_NUMBER}",
    "session": r"(session|sess|sitzung|seance|séance|sesion|sesión|sessie|zitting|visit|"
    r"appointment|week|woche|wave|time|occasion|timepoint|time_point|messzeitpunkt|mzp|t)"
    r"(_?(nr|no|num|number|nummer|index|count))?",
    "date": r"(.*_)?(date|datum|fecha)(_.*)?",
    "day": r"(day|tag|dag|jour|days|day_(no|nr|number)|days_since_.*)",
    "ending": r"(.*_)?(ending|ended|end_reason|ending_reason|reason|dropout|drop_out|dropped_out|"
    r"completer|completed|completion|termination|abbruch|abschluss|end_status|status)(_.*)?",
}

#: What is known once of a client and may matter.
COVARIATES = (
    r"(.*_)?(age|alter|sex|gender|geschlecht|diagnosis|diagnose|diag|education|bildung|group|gruppe|"
    r"condition|arm|site|centre|center|employment|marital|ethnicity|previous_therapy|treatment|"
    r"setting)(_.*)?"
)

#: How dates are written.
DATE_FORMATS = (
    dates.ISO, "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%Y%m%d", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%Y%m%dT%H%M%S%z",
)  # fmt: skip

#: How many rows an id has at least, on average, where a row is a session.
REPEATED = 1.2

#: Which share of the cells must be of the kind that a column seems to hold.
MOST = 0.9


class Guess(NamedTuple):
    """What a key of dataset.yaml could be, and why."""

    value: object
    why: str


def share_of_numbers(column: RawColumn) -> float:
    """Return the share of the distinct texts that are numbers."""
    return float(column.kinds[0].mean()) if len(column.texts) else 0.0


def _named(table: RawTable, kind: str, but: Collection[object]) -> list[str]:
    return [
        name
        for name in table.columns
        if name not in but and re.fullmatch(NAMES[kind], plain_name(name))
    ]


def ids(table: RawTable) -> dict[str, Guess]:
    """Return the columns of course, client and therapist, as far as their names tell."""
    named = {kind: _named(table, kind, ()) for kind in ("course", "client", "therapist")}
    named["course"] = [
        name
        for name in named["course"]
        if _is_course(table.columns[name], [table.columns[one] for one in named["client"]])
    ]
    # An id that no two rows share numbers the rows, where another one names clients.
    clients = [name for name in named["client"] if rows_per(table.columns[name]) >= REPEATED]
    named["client"] = clients or named["client"]
    if clients:
        named["course"] = [
            name for name in named["course"] if rows_per(table.columns[name]) >= REPEATED
        ]
    found = {}
    if named["course"]:
        found["course"] = Guess(named["course"][0], "its name says course or case")
        if named["client"]:
            found["client"] = Guess(named["client"][0], "its name says client")
    elif named["client"]:
        # A course is one client with one therapist: without an id of its own the client's stands.
        found["course"] = Guess(named["client"][0], "its name is that of a client's id")
    if named["therapist"]:
        found["therapist"] = Guess(named["therapist"][0], "its name says therapist")
    return found


def _is_course(column: RawColumn, clients: Sequence[RawColumn]) -> bool:
    """Return whether a column can name courses: each of one client, and not a few for all rows."""
    if clients:
        return constant(clients[0], column)
    return not (len(column.texts) <= 5 and rows_per(column) > 12)


def rows_per(column: RawColumn) -> float:
    """Return how many rows an id has on average."""
    codes = column.codes[column.codes >= 0]
    return len(codes) / len(np.unique(codes)) if len(codes) else 0.0


def when(table: RawTable, course: RawColumn | None, but: Collection[object]) -> dict[str, Guess]:
    """Return the column that orders a course's rows: session, date (with its format) or day."""
    for name in _named(table, "session", but):
        column = without_mark(table.columns[name])
        if share_of_numbers(column) >= MOST and _whole(column):
            found = {"session": Guess(name, "its name says session, its cells are whole numbers")}
            low = np.nanmin(column.distinct)
            if low == 0:
                found["first_session"] = Guess(0, "the lowest number is 0")
            return found
    for name in _named(table, "date", but) or [n for n in table.columns if n not in but]:
        formats = date_formats(table.columns[name])
        if formats:
            found = {"date": Guess(name, "its cells are dates")}
            if len(formats) > 1:
                found["date_format"] = Guess("TODO", f"both fit: {' and '.join(formats)}")
            elif formats[0] != dates.ISO:
                found["date_format"] = Guess(formats[0], "all dates fit")
            return found
    for name in _named(table, "day", but):
        if share_of_numbers(table.columns[name]) >= MOST:
            return {"day": Guess(name, "its name says day, its cells are numbers")}
    for name, column in table.columns.items():
        if name not in but and course is not None and _counts(column, course):
            why = "its numbers count up by one in every course"
            return {"session": Guess(name, why)}
    return {}


def doubts_of_numbers(session: RawColumn, course: RawColumn, others: Iterable[RawColumn]) -> str:
    """Return what the numbers of sessions make doubtful: courses that begin anew, or from 0.

    Parameters
    ----------
    session, course : RawColumn
        The numbers of sessions, and the ids of courses or clients.
    others : iterable of RawColumn
        Columns that may tell two courses of one client apart.
    """
    number = without_mark(session).numbers()
    table = pd.DataFrame({"course": course.codes, "number": number})
    apart = [
        one.name
        for one in others
        if 1 < len(one.texts) <= 20
        and not table.assign(other=one.codes).dropna().duplicated().any()
    ]
    table = table.dropna()
    table = table[table["course"] >= 0]
    said = ""
    again = table[table.duplicated(["course", "number"])]["course"].unique()
    if len(again):
        first = course.texts[int(again[0])].as_py()
        said += (
            f"; {len(again)} of {table['course'].nunique()} have a number twice ('{first}' is the "
            f"first). If a second course of therapy begins there, add a column with an id for each "
            f"course (such as {first}-1 and {first}-2), and name the clients under client"
        )
        said += f"; '{apart[0]}' tells the rows apart" if apart else ""
    lowest = table.groupby("course")["number"].min()
    zero, one = int((lowest == 0).sum()), int((lowest == 1).sum())
    if zero and one:
        said += (
            f"; {zero} begin with 0 and {one} with 1. If the first session has two numbers, number "
            "all courses alike"
        )
    return said


def _whole(column: RawColumn) -> bool:
    known = column.distinct[np.isfinite(column.distinct)]
    return bool(len(known)) and bool((known == np.floor(known)).mean() >= MOST)


def _counts(column: RawColumn, course: RawColumn) -> bool:
    """Return whether a column counts the rows of each course."""
    if share_of_numbers(column) < 1 or not _whole(column) or (course.codes < 0).any():
        return False
    steps = pd.Series(column.numbers()).groupby(course.codes).diff().dropna()
    return len(steps) > 2 and bool((steps == 1).all())


def date_formats(column: RawColumn) -> list[str]:
    """Return the forms that nearly all texts of a column have; several where days are below 13."""
    texts = column.texts.to_pylist()[:2000]
    if not texts or not all(re.search(r"\d", text) for text in texts):
        return []
    eight_digits = all(re.fullmatch(r"(19|20)\d{6}", text) for text in texts)
    if share_of_numbers(column) == 1 and not eight_digits:
        return []
    return [
        written
        for written in DATE_FORMATS
        if np.isfinite(dates.read(texts, written).days).mean() >= MOST
    ]


def constant(column: RawColumn, course: RawColumn) -> bool:
    """Return whether a column is the same in all rows of nearly every course."""
    known = (column.codes >= 0) & (course.codes >= 0)
    distinct = pd.Series(column.codes[known]).groupby(course.codes[known]).nunique()
    return len(distinct) > 0 and bool((distinct == 1).mean() >= MOST)


#: Ending -> words that mean it, as text in lower case.
ENDINGS = {
    "completed": r"complet\w*|regular|regulär|regular end|planned|finished|beendet|abgeschlossen",
    "dropped_out": r"drop\w*[ _-]?out|abbruch|abgebrochen|unplanned|premature|discontinued|dropped",
    "ongoing": r"ongoing|laufend|in treatment|in therapy|active",
    "unknown": r"unknown|unbekannt|not known|missing",
}


def ending_codes(column: RawColumn, labels: Mapping[str, str]) -> dict[str, Guess]:
    """Return what the words of the column of endings mean; TODO where they do not say it.

    The labels of the values, where the file has such, are read in place of the values.
    """
    codes = {}
    for text in column.texts.to_pylist():
        plain = " ".join(labels.get(text, text).lower().split())
        if (plain in ENDINGS and text not in labels) or set(text) == {"?"}:
            continue  # known, or reported by the check
        fits = [ending for ending, words in ENDINGS.items() if re.fullmatch(words, plain)]
        said = f"the file labels it '{labels[text]}'" if text in labels else "as the word says"
        asked = f"{said}; completed, dropped_out, ongoing or unknown?" if text in labels else ""
        codes[text] = Guess(*((fits[0], said) if fits else ("TODO", asked)))
    return codes


def once(
    table: RawTable, course: RawColumn | None, but: Mapping[str, object] | Collection[object]
) -> tuple[str | None, list[str]]:
    """Return the column of endings, and those of covariates."""

    def fits(names: str, name: str) -> bool:
        known = name not in but and re.fullmatch(names, plain_name(name))
        return bool(known) and (course is None or constant(table.columns[name], course))

    endings = [
        name
        for name, column in table.columns.items()
        if len(column.texts) <= 8 and fits(NAMES["ending"], name)
    ][:1]
    covariates = [name for name in table.columns if fits(COVARIATES, name)]
    return next(iter(endings), None), [name for name in covariates if name not in endings]
