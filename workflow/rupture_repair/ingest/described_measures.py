"""What dataset.yaml says of measures, with what their instruments add."""

import keyword
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..project.problems import Problem, did_you_mean, listing, problem
from . import instruments

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

SAFE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


#: Keys of the sessions table whose columns hold no ratings.
_NO_RATINGS = ("course", "client", "therapist", "session", "date", "day")


@dataclass(frozen=True)
class DescribedMeasure:
    """One measure as dataset.yaml describes it, with what its instrument adds.

    Attributes
    ----------
    name, label, role, instrument, rater, timing, better, outcome, stands_in
        As in measures.json.
    level : {"session", "course"}
        Rated at sessions, or once before and once after.
    range : (low, high)
        Of the total.
    components : dict of str to tuple of str
        Component -> its columns, which contain ``{session}`` in the wide layout.
    parts : dict of str to (low, high)
        Component -> its range.
    answers : dict of str to (low, high)
        Column of an item (or subscale) -> its range.
    reverse : frozenset of str
        Columns of items that are turned here.
    most_missing : int
        With how many blank items the total is made from the others.
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
    components: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parts: dict[str, Range] = field(default_factory=dict)
    answers: dict[str, Range] = field(default_factory=dict)
    reverse: frozenset[str] = frozenset()
    most_missing: int = 0
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


class Reader:
    """Collects problems of one dataset.yaml."""

    def __init__(self, raw: Mapping[str, Any], file: str, known: Mapping[str, Any]):
        self.raw, self.file, self.known = raw, file, known
        self.problems: list[Problem] = []
        self.tables = raw["tables"]
        self.wide = self.tables["sessions"]["layout"] == "wide"

    def report(self, code: str, key: str, **facts: Any) -> None:
        """Add a problem at a key."""
        self.problems.append(problem(code, file=self.file, key=key, **facts))

    def unfit(self, key: str, context: str, remedy: str) -> None:
        """Add the problem of a key that does not go with another (E115)."""
        self.report("E115", key, found=key.rsplit(".", 1)[-1], context=context, advice=remedy)


def taken(name: str) -> bool:
    """Return whether a name is used by the tables or by Python."""
    return name.lower() in RESERVED or keyword.iskeyword(name)


def safe_name(text: str) -> str:
    """Return the nearest name that a formula can use."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "_".join(words).lower() or "x"
    return name if name[0].isalpha() else f"x_{name}"


def read_measure(reader: Reader, name: str, raw: Mapping[str, Any]) -> DescribedMeasure | None:
    """Return one measure, or None where its description is not enough."""
    before, key = len(reader.problems), f"measures.{name}"
    if taken(name):
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
    columns = [column for group in components.values() for column in group]
    level = _level(reader, key, raw, role, columns)
    span, better = _scale(reader, key, raw, len(columns))
    if span is None or better is None or role is None or len(reader.problems) > before:
        return None
    parts, answers, complete = _parts(reader, key, raw, components, span)
    published = reader.known.get(instrument)
    _check_reverse(reader, key, raw, columns)
    on_scale = published and (list(span), better) == (published["range"], published["better"])
    return DescribedMeasure(
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
        answers=answers,
        reverse=frozenset(raw["reverse"] or ()),
        most_missing=_most_missing(raw, published, columns) if complete else 0,
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


def _components(reader: Reader, key: str, items: Any) -> dict[str, tuple[str, ...]]:
    """Return component -> its columns."""
    given = list(items.values() if isinstance(items, dict) else items)
    groups = [(one,) if isinstance(one, str) else tuple(one) for one in given]
    columns = [column for group in groups for column in group]
    for column in dict.fromkeys(one for one in columns if columns.count(one) > 1):
        reader.report("E127", f"{key}.items", found=column)
    if isinstance(items, dict):
        return dict(zip(items, groups, strict=True))
    for column in items:
        bare = column.replace(SESSION, "").rstrip("_")
        if not SAFE.fullmatch(bare):
            advice = f"Write items: {{{safe_name(bare)}: '{column}', …}} instead of a list."
            reader.report("E120", f"{key}.items", found=column, advice=advice)
    return {column.replace(SESSION, "").rstrip("_"): (column,) for column in items}


def _check_reverse(
    reader: Reader, key: str, raw: Mapping[str, Any], columns: Sequence[str]
) -> None:
    """Check the columns of reverse (E132), and warn where the instrument asks for them (W104)."""
    for column in raw["reverse"] or ():
        if column not in columns:
            facts = {"hint": did_you_mean(column, columns), "allowed": listing(columns, 50)}
            reader.report("E132", f"{key}.reverse", found=column, **facts)
    published = reader.known.get(raw["instrument"])
    keyed = (published or {}).get("reverse_keyed")
    whole = published and len(columns) == published["items"]
    if published and whole and keyed and keyed["items"] and raw["reverse"] is None:
        facts = {"items": published["items"], "instrument": raw["instrument"]}
        facts["numbers"] = listing(keyed["items"], 50)
        reader.report("W104", f"{key}.reverse", found=len(keyed["items"]), **facts)


def _most_missing(
    raw: Mapping[str, Any], published: Mapping[str, Any] | None, columns: Sequence[str]
) -> int:
    """Return how many missing items a total tolerates: as stated, else as published."""
    if raw["prorating"]:
        return min(raw["prorating"]["most_missing"], max(len(columns) - 1, 0))
    rule = (published or {}).get("prorating")
    return rule["most_missing"] if published and rule and len(columns) == published["items"] else 0


def _level(
    reader: Reader, key: str, raw: Mapping[str, Any], role: str | None, items: Sequence[str]
) -> str:
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
    columns = [(f"{key}.{right}", raw[right])] if raw[right] else []
    columns += [(f"{key}.items", column) for column in items]
    for place, column in columns:
        if reader.wide and column.count(SESSION) != 1:
            reader.report("E123", place, found=column)
        if not reader.wide and SESSION in column:
            advice = "Name one column, or write layout: wide under tables.sessions."
            reader.report("E115", place, found=column, context="the long layout", advice=advice)
        sessions = reader.tables["sessions"]
        same = [f"tables.sessions.{name}" for name in _NO_RATINGS if sessions[name] == column]
        for other in same:
            context = f"{other}, which names the same column"
            advice = "Name the column of the ratings."
            reader.report("E115", place, found=column, context=context, advice=advice)
    return "session"


def _scored(raw: Mapping[str, Any], published: Mapping[str, Any] | None) -> str:
    """Return how items make up the total."""
    return raw["scored"] or (published["scored"] if published else "sum")


def _proper(span: Iterable[float]) -> bool:
    low, high = span
    return math.isfinite(low) and math.isfinite(high) and low < high


def _scale(
    reader: Reader, key: str, raw: Mapping[str, Any], count: int
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
    reader: Reader,
    key: str,
    raw: Mapping[str, Any],
    components: Mapping[str, tuple[str, ...]],
    span: Range,
) -> tuple[dict[str, Range], dict[str, Range], bool]:
    """Return the range of each component and of each column, and whether they make the total."""
    if not components:
        return {}, {}, True
    columns = [column for group in components.values() for column in group]
    count, published = len(columns), reader.known.get(raw["instrument"])
    scored, given = _scored(raw, published), raw["item_range"]
    single, complete = len(columns) == len(components), True
    if published and (raw["range"] is None or scored == "other"):
        item = tuple(given or published["item_range"])
        whole = published["components"]
        subscales = single and scored == "sum" and set(components) == set(whole)
        if subscales and count != published["items"]:
            sums = {name: instruments.scale(whole[name], item, "sum") for name in components}
            return sums, {components[name][0]: sums[name] for name in components}, True
        complete = scored != "other" and count == published["items"]
        if not complete and not (raw["pattern"] or raw["total"]):
            facts = {"found": count, "allowed": published["items"], "instrument": raw["instrument"]}
            reader.report("E122", f"{key}.items", **facts)
    else:
        low, high = span
        times = instruments.scale(count, (0, 1), scored)[1]
        derived = (low / times, high / times)
        item = tuple(given) if given else derived
    answers: dict[str, Range] = dict.fromkeys(columns, item)
    parts = {
        name: instruments.scale(len(group), item, scored) for name, group in components.items()
    }
    return parts, answers, complete


def paired(reader: Reader, measures: dict[str, DescribedMeasure]) -> dict[str, DescribedMeasure]:
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
    reader: Reader,
    measure: DescribedMeasure,
    measures: Mapping[str, DescribedMeasure],
    outcomes: list[str],
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
