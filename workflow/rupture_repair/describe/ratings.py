"""Which columns are ratings: items, totals, their instrument, and sessions in column names."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ingest.columns import RawTable
from ..ingest.described_measures import SESSION
from ..ingest.layouts import columns_of
from ..ingest.personal_data import plain_name
from .columns import share_of_numbers

#: Words of column names that name instruments -> ids of instruments.yaml that they can mean.
WORDS = {
    "srs": ("SRS",), "sai": ("SAI",), "wai": ("WAI", "WAI-S", "WAI-SR"), "wais": ("WAI-S",),
    "waisr": ("WAI-SR",), "arm": ("ARM-28", "ARM-12", "ARM-5"), "calpas": ("CALPAS-P",),
    "bpsr": ("BPSR-P",), "ors": ("ORS",), "phq": ("PHQ-9",), "gad": ("GAD-7",),
    "core": ("CORE-10", "CORE-OM"), "oq": ("OQ-45.2",), "bdi": ("BDI-II",), "bdiii": ("BDI-II",),
    "hscl": ("HSCL-11",), "pcl": ("PCL-5",),
}  # fmt: skip

#: Word and what follows it -> the version that is named so.
VERSIONS = {
    ("wai", "s"): "WAI-S", ("wai", "sf"): "WAI-S", ("wai", "short"): "WAI-S",
    ("wai", "sr"): "WAI-SR", ("wai", "36"): "WAI", ("arm", "28"): "ARM-28", ("arm", "12"): "ARM-12",
    ("arm", "5"): "ARM-5", ("calpas", "p"): "CALPAS-P", ("bpsr", "p"): "BPSR-P",
    ("phq", "9"): "PHQ-9", ("gad", "7"): "GAD-7", ("core", "10"): "CORE-10",
    ("core", "om"): "CORE-OM", ("oq", "45"): "OQ-45.2", ("bdi", "ii"): "BDI-II",
    ("bdi", "2"): "BDI-II", ("hscl", "11"): "HSCL-11", ("pcl", "5"): "PCL-5",
}  # fmt: skip

#: Words that are the name of one version only, whatever follows.
EXPLICIT = {"waisr": "WAI-SR", "wais": "WAI-S", "bdiii": "BDI-II"}

TOTALS = frozenset(
    ("total", "tot", "sum", "summe", "score", "gesamt", "gesamtwert", "mean", "mw", "mittelwert")
)
#: Ways to write components.
COMPONENTS = {
    "bond": "bond", "bonds": "bond", "relationship": "bond", "goal": "goals", "goals": "goals",
    "task": "tasks", "tasks": "tasks", "approach": "tasks", "overall": "overall",
    "individual": "individual", "individually": "individual", "interpersonal": "interpersonal",
    "interpersonally": "interpersonal", "social": "social", "socially": "social",
}  # fmt: skip
ITEM = frozenset(("item", "items", "i", "q", "frage", "question"))
#: Words in names that say who rated.
RATERS = {
    "client": "client", "c": "client", "cl": "client", "patient": "client", "pat": "client",
    "p": "client", "self": "client", "therapist": "therapist", "t": "therapist", "th": "therapist",
    "ther": "therapist", "observer": "observer", "o": "observer", "obs": "observer",
    "partner": "partner",
}  # fmt: skip
ROLES = {
    "alliance": r"alliance|allianz|alianza|alliantie|relationship|beziehung|rapport",
    "outcome": r"outcome|symptoms?|distress|depression|anxiety|wellbeing|functioning|severity",
}
#: Letters before a number in a column's name that make it the number of a session.
MARKS = frozenset(
    ("s", "session", "sess", "sitzung", "t", "time", "w", "week", "wk", "woche", "v", "visit",
     "wave", "day", "d", "tag", "seance", "sesion", "sessie", "m", "month")
)  # fmt: skip
MOST_ITEMS = 90


@dataclass
class Rating:
    """One column of ratings, or a pattern of columns in the wide layout.

    Attributes
    ----------
    name : str
        Column, or pattern with ``{session}``.
    words : list of str
        Words of its name without the session.
    low, high : float
        Lowest and highest number.
    texts : set of str
        What is no number in it.
    inner : (float, float)
        The second lowest and the second highest number.
    """

    name: str
    words: list[str]
    low: float
    high: float
    texts: set[str] = field(default_factory=set)
    inner: tuple[float, float] = (np.nan, np.nan)

    def stands_apart(self, code: float) -> bool:
        """Return whether a code is further from the other numbers than they are spread."""
        below, above = self.inner
        if code == self.high > above:
            return self.high - above > max(above - self.low, 1.0)
        return code == self.low < below and below - self.low > max(self.high - below, 1.0)


@dataclass
class RatingGroup:
    """The columns of one form."""

    key: tuple[str, ...]
    word: str | None = None
    version: str | None = None
    role: str | None = None
    rater: str | None = None
    items: list[tuple[str, Rating]] = field(default_factory=list)
    totals: list[Rating] = field(default_factory=list)

    @property
    def ratings(self) -> list[Rating]:
        """All columns of the group."""
        return [one for _, one in self.items] + self.totals


def patterns(header: Iterable[str]) -> dict[str, list[str]]:
    """Return pattern -> its columns, for names that differ in the number of a session only.

    Examples
    --------
    >>> patterns(["id", "srs1_s1", "srs1_s2", "srs2_s1", "srs2_s2", "age"])
    {'srs1_s{session}': ['srs1_s1', 'srs1_s2'], 'srs2_s{session}': ['srs2_s1', 'srs2_s2']}
    """
    names = [name for name in header if name and "{" not in name and "}" not in name]
    possible: dict[str, list[tuple[str, bool]]] = {}
    members: dict[str, int] = {}
    for name in names:
        for run in re.finditer(r"[0-9]+", name):
            pattern = name[: run.start()] + SESSION + name[run.end() :]
            before = re.search(r"([A-Za-zÀ-ÿ]+)[ _.-]*$", name[: run.start()])
            words = plain_name(before[1]).split("_") if before else [""]
            possible.setdefault(name, []).append((pattern, words[-1] in MARKS))
            members[pattern] = members.get(pattern, 0) + 1
    found: dict[str, list[str]] = {}
    for name, ways in possible.items():
        many = [way for way in ways if members[way[0]] > 1]
        if many:
            best = max(enumerate(many), key=lambda one: (one[1][1], members[one[1][0]], one[0]))
            found.setdefault(best[1][0], []).append(name)
    return {pattern: group for pattern, group in found.items() if len(group) > 1}


def undecided(header: Iterable[str]) -> dict[str, str]:
    """Return pattern -> the other way to read its columns, where nothing says which is right.

    Examples
    --------
    >>> undecided(["srs_1_1", "srs_1_2", "srs_2_1", "srs_2_2"])
    {'srs_1_{session}': 'srs_{session}_1', 'srs_2_{session}': 'srs_{session}_1'}
    """
    names = [name for name in header if name and "{" not in name and "}" not in name]
    found = {}
    chosen = patterns(names)
    for pattern, columns in chosen.items():
        runs = list(re.finditer(r"[0-9]+", columns[0]))
        before = [re.search(r"([A-Za-zÀ-ÿ]*)[ _.-]*$", columns[0][: run.start()]) for run in runs]
        words = [plain_name(match[1]).split("_")[-1] if match else "" for match in before]
        if len(runs) < 2 or any(word in MARKS or word in ITEM for word in words):
            continue
        for run in runs:
            other = columns[0][: run.start()] + SESSION + columns[0][run.end() :]
            if other != pattern and len(columns_of(other, names)) > 1:
                found[pattern] = other
    return found


def one_form(
    pattern: str, columns: Sequence[str], table: RawTable, known: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """Return the instrument whose items the columns of a pattern seem to be, filled in once."""
    words = _words(pattern)
    numbers = np.concatenate([table.columns[column].distinct for column in columns])
    numbers = numbers[np.isfinite(numbers)]
    plain = pattern.replace(SESSION, "").lower()
    named = [word for word in WORDS if word in words or plain.startswith(word)]
    if not named or not len(numbers) or _marked(pattern) or re.search(r"[0-9]", pattern):
        return None
    for version in WORDS[max(named, key=len)]:
        low, high = known[version]["item_range"]
        fits = low <= numbers.min() and numbers.max() <= high
        if fits and len(columns) == known[version]["items"]:
            return version
    return None


def may_be_items(
    pattern: str, found: Mapping[str, Sequence[str]], known: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Return whether the columns of a pattern may be the items of one form, filled in once.

    They are sessions where a word such as session or week says so, or their numbers have gaps,
    or another pattern has the same numbers; and where the instrument that the name names has
    another number of items.
    """
    columns = found[pattern]
    numbers = list(columns_of(pattern, columns))
    others = [
        one for one in found if one != pattern and list(columns_of(one, found[one])) == numbers
    ]
    if _marked(pattern) or others or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return False
    named = [word for word in WORDS if word in _words(pattern)]
    items = {known[version]["items"] for word in named for version in WORDS[word]}
    return not named or len(columns) in items


def _marked(pattern: str) -> bool:
    """Return whether a word such as session or week is before the number of a pattern."""
    match = re.search(r"([A-Za-zÀ-ÿ]+)[ _.-]*$", pattern.split(SESSION)[0])
    return match is not None and plain_name(match[1]).split("_")[-1] in MARKS


def of_columns(table: RawTable, but: Iterable[str]) -> list[Rating]:
    """Return the columns of numbers that are used for nothing else."""
    found, taken = [], set(but)
    for name in table.columns:
        if name not in taken and "{" not in name:
            found += _rating(table, name, [name])
    return found


def of_patterns(table: RawTable, but: Iterable[str]) -> list[Rating]:
    """Return the patterns whose columns hold numbers."""
    taken = set(but)
    header = [name for name in table.columns if name not in taken]
    found = []
    for pattern in patterns(header):
        columns = columns_of(pattern, header)
        found += _rating(table, pattern, list(columns.values()))
    return found


def _rating(table: RawTable, name: str, columns: Sequence[str]) -> list[Rating]:
    """Return a rating if most of its texts are numbers."""
    parts = [table.columns[column] for column in columns]
    numbers = np.concatenate([one.distinct for one in parts])
    known = numbers[np.isfinite(numbers)]
    if not len(known) or np.mean([share_of_numbers(one) for one in parts if len(one.texts)]) < 0.5:
        return []
    texts = {
        text
        for one in parts
        for text, number in zip(one.texts.to_pylist(), one.kinds[0], strict=True)
        if not number
    }
    every = np.unique(known)
    inner = (float(every[min(1, len(every) - 1)]), float(every[max(len(every) - 2, 0)]))
    return [Rating(name, _words(name), float(every[0]), float(every[-1]), texts, inner)]


def _words(name: str) -> list[str]:
    """Return the words of a name, without the session and its mark."""
    words = plain_name(name.replace(SESSION, " xxsession ")).split("_")
    if "xxsession" in words:
        at = words.index("xxsession")
        mark = at > 0 and words[at - 1] in MARKS and len(words) > 2
        words = words[: at - mark] + words[at + 1 :]
    return [word for word in words if word]


def grouped(ratings: Sequence[Rating], labels: Mapping[str, str]) -> list[RatingGroup]:
    """Return ratings by form.

    Parameters
    ----------
    ratings : sequence of Rating
        Columns or patterns.
    labels : mapping
        Column -> its label, from files that have such; read where the name says nothing.
    """
    groups: dict[tuple[str, ...], RatingGroup] = {}
    numbered = _first_numbers(ratings)
    for one in ratings:
        words = one.words if set(one.words) & set(WORDS) else _of_label(one, labels)
        _sort_in(one, words, numbered, groups)
    return [group for group in groups.values() if _is_form(group)]


def _of_label(one: Rating, labels: Mapping[str, str]) -> list[str]:
    """Return the words of a column's label that name its form and item, else those of its name."""
    said = plain_name(labels.get(one.name, "")).split("_")
    named = [word for word in said if word in WORDS]
    if not named:
        return one.words
    part = [word for word in said if word.isdigit() or word in TOTALS or word in COMPONENTS]
    return named[:1] + (part or [word for word in one.words if word.isdigit()])


def _first_numbers(ratings: Sequence[Rating]) -> dict[str, set[str]]:
    """Return word of an instrument -> the numbers that follow it at once."""
    found: dict[str, set[str]] = {}
    for one in ratings:
        for word, after in itertools.pairwise([*one.words, ""]):
            if word in WORDS:
                found.setdefault(word, set()).add(after)
    return found


def _sort_in(
    one: Rating,
    words: list[str],
    numbered: Mapping[str, set[str]],
    groups: dict[tuple[str, ...], RatingGroup],
) -> None:
    """Put a rating into the group of its form, as an item or a total."""
    at = next((place for place, word in enumerate(words) if word in WORDS), None)
    word = None if at is None else words[at]
    version, rest = EXPLICIT.get(word or ""), words
    if at is not None:
        rest = words[:at] + words[at + 1 :]
        named = VERSIONS.get((words[at], rest[at])) if len(rest) > at else None
        # A number is part of the instrument's name only if no other number stands there.
        digits = {number for number in numbered.get(words[at], ()) if number.isdigit()}
        if named and (not rest[at].isdigit() or len(digits) == 1):
            version = named
            rest = rest[:at] + rest[at + 1 :]
            if named == "OQ-45.2" and rest[at : at + 1] == ["2"]:
                rest = rest[:at] + rest[at + 1 :]
    total = [part for part in rest if part in TOTALS]
    number = [part for part in rest if part.isdigit()]
    component = [COMPONENTS[part] for part in rest if part in COMPONENTS]
    drop = {*TOTALS, *COMPONENTS, *number, *(ITEM if number else ())}
    others = [part for part in rest if part not in drop]
    key = tuple(filter(None, (word, version, *others)))
    group = groups.setdefault(key, RatingGroup(key, word, version))
    group.rater = next((RATERS[part] for part in others if part in RATERS), group.rater)
    for role, pattern in ROLES.items():
        if any(re.fullmatch(pattern, part) for part in words):
            group.role = role
    if total or not (number or component):
        group.totals.append(one)
    else:
        group.items.append((component[0] if component else number[-1], one))


def _is_form(group: RatingGroup) -> bool:
    """Return whether columns belong together as a form or a scale."""
    if len(group.items) > MOST_ITEMS:
        return False
    spans = {(one.low, one.high) for _, one in group.items}
    alike = len(group.items) > 2 and max(high for _, high in spans) <= 100
    return bool(group.word or group.role or alike)


@dataclass(frozen=True)
class Instrument:
    """Which instrument a form seems to be.

    Attributes
    ----------
    id : str or None
        The one that the names and numbers leave; None where several or none are left.
    possible : tuple of str
        Those that are left.
    certain : bool
        Whether names or the number of items tell the version.
    why : str
        What speaks for it, or against it.
    """

    id: str | None
    possible: tuple[str, ...]
    certain: bool
    why: str


def instrument(group: RatingGroup, known: Mapping[str, Mapping[str, Any]]) -> Instrument:
    """Return which of the known instruments a form can be."""
    if group.word is None:
        return Instrument(None, (), False, "no column name names a known instrument")
    named = (group.version,) if group.version else WORDS[group.word]
    fits = tuple(name for name in named if not _against(group, known[name]))
    why = f"the column names say '{group.version or group.word}'"
    if not fits:
        against = "; ".join(f"{name}: {_against(group, known[name])}" for name in named)
        return Instrument(None, tuple(named), False, f"{why}, but not all fits ({against})")
    if len(fits) > 1:
        return Instrument(None, fits, False, f"{why}, which several versions share")
    count, items = len(group.items), known[fits[0]]["items"]
    if count == items:
        low, high = known[fits[0]]["item_range"]
        why += f", and there are {items} items, all between {low} and {high}"
    certain = bool(group.version) or count == items
    return Instrument(fits[0], fits, certain, why if certain else f"{why}, which tells no version")


def _against(group: RatingGroup, known: Mapping[str, Any]) -> str:
    """Return what speaks against an instrument: a number of items, or numbers out of range."""
    count = len(group.items)
    whole = {count} == {known["items"]} or count == 0
    parts = known.get("components") or {}
    if not whole and {name for name, _ in group.items} != set(parts):
        return f"{count} items, not {known['items']}"
    low, high = known["item_range"]
    if whole and count:
        outside = sum(not low <= one.low <= one.high <= high for _, one in group.items)
        if 2 * outside > count:
            return f"answers outside {low} to {high}"
    return ""
