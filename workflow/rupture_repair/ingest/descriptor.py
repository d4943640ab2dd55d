"""What a dataset.yaml means: measures with their scales, and the columns that hold them."""

import codecs
import keyword
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .. import instruments
from ..problems import Problem, did_you_mean, listing, problem
from .files import Form

Range = tuple[float, float]

#: Stands in column names of the wide layout for the number of the session.
SESSION = "{session}"

#: Columns of the canonical tables; measures and covariates have other names.
RESERVED = (
    "course", "client", "therapist", "session", "day", "ending", "dataset", "measure", "criterion",
    "state", "episode",
)  # fmt: skip

ENDINGS = ("completed", "dropped_out", "ongoing", "unknown")
KINDS = ("rupture", "cause", "repair", "type")
RATERS = ("client", "therapist", "observer", "partner")

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Measure:
    """One measure as dataset.yaml describes it, with what its instrument adds.

    Attributes
    ----------
    name, label, role, instrument, rater, timing, better, outcome, stands_in
        As in measures.json.
    level : {"session", "course"}
        Rated at sessions, or once before and once after.
    range : (low, high)
        Of the total.
    components : dict of str to str
        Component -> column, which contains ``{session}`` in the wide layout.
    parts : dict of str to (low, high)
        Component -> its range.
    complete : bool
        Whether the components make up the total.
    total : str or None
        Column of the total.
    scored : {"sum", "mean"}
        How components make up the total.
    first, last : str or None
        Columns of the courses table.
    published_scale : str or None
        The instrument, if the total is on the scale of its published constants.
    reliability, reliable_change, cut_off : dict or None
        As stated in dataset.yaml.
    """

    name: str
    label: str
    role: str
    rater: str
    timing: str
    level: str
    range: Range
    better: str
    instrument: str | None = None
    components: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Range] = field(default_factory=dict)
    complete: bool = True
    total: str | None = None
    scored: str = "sum"
    first: str | None = None
    last: str | None = None
    published_scale: str | None = None
    outcome: str | None = None
    stands_in: str | None = None
    reliability: dict[str, Any] | None = None
    reliable_change: dict[str, Any] | None = None
    cut_off: dict[str, Any] | None = None

    @property
    def scale_name(self) -> str:
        """Say whose range it is, for messages: `` (SRS)`` or nothing."""
        return f" ({self.instrument})" if self.instrument else ""


@dataclass(frozen=True)
class Plan:
    """A checked dataset.yaml."""

    file: str
    raw: Mapping[str, Any]
    measures: dict[str, Measure]
    covariates: dict[str, str]
    missing: frozenset[str]

    @property
    def sessions(self) -> Mapping[str, Any]:
        """The description of the sessions table."""
        return self.raw["tables"]["sessions"]

    def table(self, name: str) -> Mapping[str, Any] | None:
        """Return the description of a table, or None."""
        return self.raw["tables"].get(name)

    def form(self, name: str) -> Form:
        """Return how the file of a table is written."""
        return _form(self.raw["tables"], name)

    @property
    def wide(self) -> bool:
        """Whether the sessions table has one row per course."""
        return self.sessions["layout"] == "wide"


class _Reader:
    """Collects problems of one dataset.yaml."""

    def __init__(self, raw: Mapping[str, Any], file: str, known: Mapping[str, Any]):
        self.raw, self.file, self.known = raw, file, known
        self.problems: list[Problem] = []
        self.tables = raw["tables"]
        self.wide = self.tables["sessions"]["layout"] == "wide"

    def report(self, code: str, key: str, **facts: Any) -> None:
        self.problems.append(problem(code, file=self.file, key=key, **facts))

    def unfit(self, key: str, context: str, remedy: str) -> None:
        self.report("E115", key, found=key.rsplit(".", 1)[-1], context=context, advice=remedy)


def resolve(
    raw: Mapping[str, Any], file: str, known: Mapping[str, Any]
) -> tuple[Plan | None, list[Problem]]:
    """Check what the schema of dataset.yaml cannot, and bring in the instruments.

    Parameters
    ----------
    raw : mapping
        The content of dataset.yaml, held against its schema, defaults filled in.
    file : str
        dataset.yaml, for messages.
    known : mapping
        The instruments.

    Returns
    -------
    Plan or None, list of Problem
        The plan if there is no error (E110 to E129); warning W101 (no outcome measure).
    """
    reader = _Reader(raw, file, known)
    _check_tables(reader)
    covariates = _covariates(reader)
    described = {name: _measure(reader, name, one) for name, one in raw["measures"].items()}
    measures = {name: one for name, one in described.items() if one is not None}
    if len(measures) == len(described):
        measures = _paired(reader, measures)
    if any(entry.code.startswith("E") for entry in reader.problems):
        return None, reader.problems
    missing = frozenset({"", *(str(code).strip() for code in raw["missing"])})
    return Plan(file, raw, measures, covariates, missing), reader.problems


def _check_tables(reader: _Reader) -> None:
    """Check the keys of the tables against each other."""
    sessions, courses = reader.tables["sessions"], reader.tables.get("courses")
    known_by = [key for key in ("session", "date", "day") if sessions[key]]
    place = "tables.sessions"
    if reader.wide:
        for key in known_by:
            advice = f"Remove it: the columns' names hold the session, for example 'Week{SESSION}'."
            reader.unfit(f"{place}.{key}", "the wide layout", advice)
    elif len(known_by) != 1:
        reader.report("E114", place, found=listing(known_by))
    if sessions["same_day"] == "mean" and not (sessions["date"] or sessions["day"]):
        advice = "Remove it, or name the column with the date or day."
        reader.unfit(f"{place}.same_day", "sessions known by their number", advice)
    if sessions["first_session"] != 1 and (sessions["date"] or sessions["day"]):
        advice = "Remove it: sessions are numbered in the order of their days."
        reader.unfit(f"{place}.first_session", "sessions known by date or day", advice)
    if sessions["date"] and not _is_date_format(sessions["date_format"]):
        reader.report("E128", f"{place}.date_format", found=sessions["date_format"])
    _check_forms(reader)
    if courses:
        for key in ("client", "therapist"):
            if sessions[key] and courses[key]:
                reader.report("E126", f"tables.courses.{key}", found=key)
        if courses["ending_codes"] and not courses["ending"]:
            advice = "Name the column that says how a course ended: ending: <column>."
            reader.unfit("tables.courses.ending_codes", "a courses table without ending", advice)


def _form(tables: Mapping[str, Any], name: str) -> Form:
    """Return how the file of a table is written: as it says, else as the sessions table says."""
    table, first = tables[name], tables["sessions"]
    given = {key: table[key] or first[key] for key in Form._fields if key in table}
    return Form(**{key: value for key, value in given.items() if value})


def _check_forms(reader: _Reader) -> None:
    """Check delimiters, decimal signs and encodings."""
    for name, table in reader.tables.items():
        if table is None:
            continue
        encoding = table.get("encoding")
        if encoding and not _is_encoding(encoding):
            common = ("utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-15", "mac-roman")
            hint = did_you_mean(encoding, common)
            key = f"tables.{name}.encoding"
            reader.report("E129", key, found=encoding, allowed=listing(common), hint=hint)
        form = _form(reader.tables, name)
        if form.delimiter == form.decimal:
            advice = "In files with decimal commas the delimiter is mostly ';'."
            reader.unfit(f"tables.{name}.delimiter", f"the decimal sign '{form.decimal}'", advice)


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
        b"a".decode(name)
    except UnicodeError:
        return True
    except (LookupError, ValueError):
        return False
    return True


def _is_date_format(text: str) -> bool:
    """Return whether a format tells day, month and year of any date."""
    try:
        days = [datetime(2001, 2, 3), datetime(2019, 12, 31)]
        return "%z" not in text and all(
            datetime.strptime(day.strftime(text), text).date() == day.date() for day in days
        )
    except (ValueError, re.error):
        return False


def _covariates(reader: _Reader) -> dict[str, str]:
    """Return name -> column of the covariates."""
    courses = reader.tables.get("courses")
    if not courses:
        return {}
    given, key = courses["covariates"], "tables.courses.covariates"
    if isinstance(given, list):
        for column in given:
            if not _SAFE.fullmatch(column):
                advice = f"Write covariates: {{{_safe(column)}: '{column}'}} instead of a list."
                reader.report("E120", key, found=column, advice=advice)
        given = dict(zip(given, given, strict=True))
    for name in given:
        if _taken(name) or name in reader.raw["measures"]:
            reader.report("E121", f"{key}.{name}", found=name, allowed=listing(RESERVED, 20))
    return dict(given)


def _taken(name: str) -> bool:
    return name.lower() in RESERVED or keyword.iskeyword(name)


def _safe(text: str) -> str:
    """Return the nearest name that can stand in a formula."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "_".join(words).lower() or "x"
    return name if name[0].isalpha() else f"x_{name}"


def _measure(reader: _Reader, name: str, raw: Mapping[str, Any]) -> Measure | None:
    """Return one measure, or None where its description is not enough."""
    before, key = len(reader.problems), f"measures.{name}"
    if _taken(name):
        reader.report("E121", key, found=name, allowed=listing(RESERVED, 20))
    role = raw["role"] or (name if name in ("alliance", "outcome") else None)
    if role is None:
        reader.report("E111", key, found=name)
    instrument = raw["instrument"]
    if instrument is not None and instrument not in reader.known:
        hint, allowed = did_you_mean(instrument, reader.known), listing(reader.known, 30)
        reader.report("E110", f"{key}.instrument", found=instrument, hint=hint, allowed=allowed)
        return None
    components = _components(reader, key, raw["items"])
    level = _level(reader, key, raw, role)
    span, better = _scale(reader, key, raw, len(components))
    if span is None or better is None or role is None or len(reader.problems) > before:
        return None
    parts, complete = _parts(reader, key, raw, components, span)
    published = reader.known.get(instrument)
    on_scale = published and (list(span), better) == (published["range"], published["better"])
    return Measure(
        name=name,
        label=raw["label"] or name.replace("_", " ").capitalize(),
        role=role,
        rater=raw["rater"],
        timing=raw["timing"],
        level=level,
        range=span,
        better=better,
        instrument=instrument,
        components=components,
        parts=parts,
        complete=complete,
        total=raw["pattern"] if reader.wide else raw["total"],
        scored=_scored(raw, published),
        first=raw["first"],
        last=raw["last"],
        published_scale=instrument if on_scale else None,
        outcome=raw["outcome"],
        stands_in=raw["stands_in"],
        reliability=raw["reliability"],
        reliable_change=raw["reliable_change"],
        cut_off=raw["cut_off"],
    )


def _components(reader: _Reader, key: str, items: Any) -> dict[str, str]:
    """Return component -> column."""
    columns = list(items.values() if isinstance(items, dict) else items)
    for column in dict.fromkeys(one for one in columns if columns.count(one) > 1):
        reader.report("E127", f"{key}.items", found=column)
    if isinstance(items, dict):
        return items
    for column in items:
        bare = column.replace(SESSION, "").rstrip("_")
        if not _SAFE.fullmatch(bare):
            advice = f"Write items: {{{_safe(bare)}: '{column}', …}} instead of a list."
            reader.report("E120", f"{key}.items", found=column, advice=advice)
    return {column.replace(SESSION, "").rstrip("_"): column for column in items}


def _level(reader: _Reader, key: str, raw: Mapping[str, Any], role: str | None) -> str:
    """Return whether a measure is rated at sessions or per course, and check its columns."""
    at_sessions = [name for name in ("items", "total", "pattern") if raw[name]]
    per_course = [name for name in ("first", "last") if raw[name]]
    if bool(at_sessions) == bool(per_course):
        reader.report("E116", key, found=listing(at_sessions + per_course))
    if per_course:
        if not reader.tables.get("courses"):
            reader.report("E119", f"{key}.{per_course[0]}", found=per_course[0])
        if role == "alliance":
            reader.report("E125", f"{key}.{per_course[0]}")
        return "course"
    other, right = ("total", "pattern") if reader.wide else ("pattern", "total")
    if raw[other]:
        context = f"the {'wide' if reader.wide else 'long'} layout"
        reader.unfit(f"{key}.{other}", context, f"Write '{right}' instead.")
    columns = {f"{key}.{right}": raw[right]} if raw[right] else {}
    items = raw["items"].items() if isinstance(raw["items"], dict) else enumerate(raw["items"])
    columns |= {f"{key}.items.{name}": column for name, column in items}
    for place, column in columns.items():
        if reader.wide and column.count(SESSION) != 1:
            reader.report("E123", place, found=column)
        if not reader.wide and SESSION in column:
            advice = "Name one column, or write layout: wide under tables.sessions."
            reader.report("E115", place, found=column, context="the long layout", advice=advice)
    return "session"


def _scored(raw: Mapping[str, Any], published: Mapping[str, Any] | None) -> str:
    """Return how items make up the total."""
    return raw["scored"] or (published["scored"] if published else "sum")


def _proper(span: Iterable[float]) -> bool:
    low, high = span
    return math.isfinite(low) and math.isfinite(high) and low < high


def _scale(
    reader: _Reader, key: str, raw: Mapping[str, Any], count: int
) -> tuple[Range | None, str | None]:
    """Return the range and direction of the total."""
    published = reader.known.get(raw["instrument"])
    for name in ("range", "item_range"):
        if raw[name] is not None and not _proper(raw[name]):
            reader.report("E113", f"{key}.{name}", found=str(raw[name]))
    span, better = raw["range"], raw["better"]
    if published:
        better = better or published["better"]
        if span is None and raw["scored"] not in (None, published["scored"]):
            span = instruments.scale(published["items"], published["item_range"], raw["scored"])
        span = span or published["range"]
    elif span is None and raw["item_range"] is not None and count:
        span = instruments.scale(count, tuple(raw["item_range"]), _scored(raw, None))
    for name, value in (("range", span), ("better", better)):
        if value is None:
            reader.report("E112", key, found=name)
    return (tuple(span) if span else None), better


def _parts(
    reader: _Reader, key: str, raw: Mapping[str, Any], components: Mapping[str, str], span: Range
) -> tuple[dict[str, Range], bool]:
    """Return the range of each component, and whether they make up the total."""
    count, published = len(components), reader.known.get(raw["instrument"])
    if not count:
        return {}, True
    scored, given = _scored(raw, published), raw["item_range"]
    has_total = bool(raw["pattern"] or raw["total"])
    if published and (raw["range"] is None or scored == "other"):
        item = tuple(given or published["item_range"])
        whole = published["components"]
        if scored != "other" and count == published["items"]:
            return dict.fromkeys(components, item), True
        if scored == "sum" and set(components) == set(whole):
            return {name: instruments.scale(whole[name], item, "sum") for name in components}, True
        if not has_total:
            facts = {"found": count, "allowed": published["items"], "instrument": raw["instrument"]}
            reader.report("E122", f"{key}.items", **facts)
        return dict.fromkeys(components, item), False
    low, high = span
    derived = (low / count, high / count) if scored == "sum" else (low, high)
    return dict.fromkeys(components, tuple(given) if given else derived), True


def _paired(reader: _Reader, measures: dict[str, Measure]) -> dict[str, Measure]:
    """Pair each alliance measure with its outcome measure."""
    outcomes = [name for name, one in measures.items() if one.role == "outcome"]
    if not any(one.role == "alliance" for one in measures.values()):
        reader.report("E124", "measures", found=listing(measures))
    if not outcomes:
        reader.report("W101", "measures")
    return {
        name: replace(one, outcome=_outcome(reader, one, measures, outcomes))
        for name, one in measures.items()
    }


def _outcome(
    reader: _Reader, measure: Measure, measures: Mapping[str, Measure], outcomes: list[str]
) -> str | None:
    """Return the outcome measure that belongs to a measure."""
    key, named = f"measures.{measure.name}", measure.outcome
    if measure.role != "alliance":
        for name in ("outcome", "stands_in"):
            if getattr(measure, name):
                advice = "It belongs to a measure with role: alliance."
                reader.unfit(f"{key}.{name}", f"the role {measure.role}", advice)
        return None
    if named is None:
        if len(outcomes) > 1:
            reader.report("E117", key, found=listing(outcomes))
        return outcomes[0] if outcomes else None
    if named not in outcomes:
        hint, allowed = did_you_mean(named, outcomes), listing(outcomes)
        reader.report("E118", f"{key}.outcome", found=named, hint=hint, allowed=allowed)
    return named
