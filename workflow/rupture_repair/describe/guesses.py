"""From what the columns look like to a dataset.yaml with a reason for each guess."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ingest import value_labels
from ..ingest.columns import RawTable
from ..ingest.described_measures import SAFE, safe_name, taken
from ..ingest.layouts import columns_of
from ..project.problems import listing
from ..project.yaml_files import TODO, dotted
from . import columns, ratings
from .columns import Guess
from .file_format import Written
from .ratings import Rating, RatingGroup

Keys = tuple[str | int, ...]

#: Texts that mean "not known" in ratings.
UNKNOWN = frozenset(
    ("na", "n/a", "n.a.", "nan", ".", "-", "--", "null", "none", "missing", "fehlt", "k.a.", "n.d.")
)
#: How many labels of a column are named.
MOST_LABELS = 12

#: Numbers that do.
CODES = (-9, -99, -999, -9999, 99, 999, 9999)


@dataclass
class Described:
    """A dataset.yaml in the making.

    Attributes
    ----------
    content : dict
        What it says; ``TODO`` where nothing may be guessed.
    reasons : dict
        Path of a key -> why it was guessed so, or what to think of.
    used : dict
        Column -> what it is used for.
    """

    content: dict[str, Any]
    reasons: dict[Keys, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def put(self, path: Keys, guess: Guess, column: str | None = None) -> None:
        """Write a value, its reason, and the column that it names."""
        group: Any = self.content
        for key in path[:-1]:
            group = group.setdefault(key, {})
        group[path[-1]] = guess.value
        if guess.why:
            self.reasons[path] = guess.why
        if column is not None:
            self.used.setdefault(column, dotted(path))


def describe(
    name: str,
    file: str,
    written: Written,
    table: RawTable,
    labels: Mapping[str, str],
    known: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Mapping[Any, str]] | None = None,
) -> Described:
    """Return what a file seems to hold.

    Parameters
    ----------
    name, file : str
        The dataset, and the name of its file.
    written : Written
        How the file is written.
    table : RawTable
        Its columns.
    labels : mapping
        Column -> its label.
    known : mapping
        The instruments.
    values : mapping, optional
        Column -> the labels of its values.
    """
    made = Described({})
    _head(made, name, file)
    _form(made, file, written)
    found = columns.ids(table)
    sessions = ("tables", "sessions")
    course = found.pop("course", Guess(TODO, "no column is named like an id of clients or courses"))
    key = table.columns.get(str(course.value))
    wide = _layout(made, table, key, known)
    named = key.name if key is not None else None
    how = "" if key is None else f"{course.why}; {len(key.texts):,} different ones"
    made.put((*sessions, "course"), Guess(course.value, how or course.why), named)
    for kind, guess in found.items():
        made.put((*sessions, kind), guess, str(guess.value))
    if not wide:
        _when(made, table, key)
    find = ratings.of_patterns if wide else ratings.of_columns
    forms = ratings.grouped(find(table, made.used), labels)
    for group in forms:
        for one in group.ratings:
            _use(made, table, one, "measures", wide)
    _courses(made, table, file, None if wide else key, values or {})
    unclear = ratings.undecided(table.columns) if wide else {}
    MeasureWriter(made, wide, known, unclear).write(forms, find(table, made.used))
    _missing(made, forms)
    return made


def _use(made: Described, table: RawTable, one: Rating, what: str, wide: bool) -> None:
    names = columns_of(one.name, table.columns).values() if wide else [one.name]
    made.used |= {name: what for name in names if name not in made.used}


def _head(made: Described, name: str, file: str) -> None:
    title = name.replace("-", " ").replace("_", " ").capitalize()
    made.put(("title",), Guess(title, "guessed from the name; shown above the report"))
    made.put(("source",), Guess(file, "the file; write where it comes from (an address, a clinic)"))
    why = "under which terms may these data be used? For example CC-BY-4.0, or: not to be shared"
    made.put(("licence",), Guess(TODO, why))
    made.put(("citation",), Guess("not published", "guessed; write how to cite the data"))
    why = "ids are replaced by codes before anything is written; public keeps them as they are"
    made.put(("ids",), Guess("hashed", why))


def _form(made: Described, file: str, written: Written) -> None:
    place = ("tables", "sessions")
    made.put((*place, "file"), Guess(file, ""))
    for key, usual in (
        ("delimiter", ","), ("encoding", "utf-8"), ("decimal", "."), ("sheet", None)
    ):  # fmt: skip
        value = getattr(written.form, key)
        if value != usual:
            made.put((*place, key), Guess(value, written.reasons.get(key, "")))


def _layout(
    made: Described, table: RawTable, course: Any, known: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Write the layout, and return whether it is wide."""
    path = ("tables", "sessions", "layout")
    each = columns.rows_per(course) if course is not None else 0.0
    found = ratings.patterns(table.columns)
    most = max(found, key=lambda pattern: len(found[pattern]), default="")
    form = ratings.one_form(most, found[most], table, known) if most else None
    if form is not None:
        why = f"'{most}' stands for the {len(found[most])} items of one form ({form}), not sessions"
        made.put(path, Guess("long", why))
        return False
    numbered = "session" in columns.when(table, None, ())
    if most and (each < 1.2 if course is not None else len(found[most]) > 2 and not numbered):
        why = f"one row per course; {len(found[most])} columns follow '{most}'"
        doubtful = numbered or ratings.may_be_items(most, found, known)
        if doubtful:
            why += "; wide if its number is the session, long if it is the item of one form"
        made.put(path, Guess(TODO if doubtful else "wide", why))
        return True
    why = (
        f"a course has {each:.1f} rows on average" if each else "no columns differ by session only"
    )
    made.put(path, Guess("long", why))
    return False


def _when(made: Described, table: RawTable, course: Any) -> None:
    found = columns.when(table, course, set(made.used))
    session = table.columns.get(str(found["session"].value)) if "session" in found else None
    if session is not None and course is not None:
        others = [one for name, one in table.columns.items() if name not in made.used]
        doubts = columns.doubts_of_numbers(session, course, others)
        found["session"] = Guess(session.name, found["session"].why + doubts)
    if not found:
        why = "no column looks like the number or date of sessions; name one (or use date: or day:)"
        made.put(("tables", "sessions", "session"), Guess(TODO, why))
    for key, guess in found.items():
        column = str(guess.value) if key in ("session", "date", "day") else None
        made.put(("tables", "sessions", key), guess, column)


def _courses(
    made: Described,
    table: RawTable,
    file: str,
    course: Any,
    values: Mapping[str, Mapping[Any, str]],
) -> None:
    """Describe what is known once per course, in the same file."""
    ending, covariates = columns.once(table, course, made.used)
    if not ending and not covariates:
        return
    place = ("tables", "courses")
    made.put((*place, "file"), Guess(file, "the same in all rows of a course, so known once"))
    sessions = made.content["tables"]["sessions"]
    if "sheet" in sessions:
        made.put((*place, "sheet"), Guess(sessions["sheet"], ""))
    made.put((*place, "course"), Guess(sessions["course"], ""))
    if ending:
        made.put((*place, "ending"), Guess(ending, "its name says how courses ended"), ending)
        labels = value_labels.of_texts(values.get(ending, {}))
        for text, guess in columns.ending_codes(table.columns[ending], labels).items():
            why = guess.why or "completed, dropped_out, ongoing or unknown?"
            made.put((*place, "ending_codes", text), Guess(guess.value, why))
    if covariates:
        names = {_free(safe_name(name)): name for name in covariates}
        why = "named like facts about clients; leave out what is not needed"
        for name in covariates:
            labels = value_labels.of_texts(values.get(name, {}))
            shown = listing((f"{text} = {word}" for text, word in labels.items()), MOST_LABELS)
            why += f"; the file labels {name}: {shown}" if labels else ""
        made.put((*place, "covariates"), Guess(names, why))
        made.used |= dict.fromkeys(covariates, "tables.courses.covariates")


def _free(name: str) -> str:
    return f"{name}_of_client" if taken(name) else name


@dataclass
class MeasureWriter:
    """Writes the measures."""

    made: Described
    wide: bool
    known: Mapping[str, Mapping[str, Any]]
    unclear: Mapping[str, str]

    def write(self, forms: list[RatingGroup], others: list[Rating]) -> None:
        """Describe each form; an alliance measure with TODO where none is found."""
        measures: dict[str, tuple[RatingGroup, ratings.Instrument]] = {}
        for group in forms:
            found = ratings.instrument(group, self.known)
            measures[self._name(group, found, measures)] = group, found
        roles = {name: self._role(*both) for name, both in measures.items()}
        if "alliance" not in roles.values():
            self._nothing(others, list(measures))
        outcomes = [name for name, role in roles.items() if role in ("outcome", TODO)]
        for name, (group, found) in measures.items():
            self._measure(name, group, found, roles[name])
            if roles[name] == "alliance" and len(outcomes) > 1:
                why = f"which of these belongs to it: {listing(outcomes)}?"
                self.made.put(("measures", name, "outcome"), Guess(TODO, why))

    def _role(self, group: RatingGroup, found: ratings.Instrument) -> str:
        rated = {self.known[one]["rates"] for one in found.possible}
        if rated:
            return "alliance" if rated == {"alliance"} else "outcome"
        return group.role or TODO

    def _name(self, group: RatingGroup, found: ratings.Instrument, used: Mapping[str, Any]) -> str:
        role = self._role(group, found)
        if role != TODO and role not in used:
            return role
        name = _free(safe_name("_".join(group.key) or "ratings"))
        while name in used or not SAFE.fullmatch(name):
            name = f"{safe_name(name)}_other"
        return name

    def _nothing(self, others: list[Rating], measures: Collection[str]) -> None:
        """Describe an alliance measure of which nothing is known."""
        key = "pattern" if self.wide else "total"
        names = [one.name for one in others] or ["(no other column holds numbers)"]
        path = ("measures", "alliance" if "alliance" not in measures else "alliance_rating")
        why = f"no column is known as an alliance scale; columns of numbers: {listing(names, 20)}"
        self.made.put((*path, "role"), Guess("alliance", "ruptures are looked for in it"))
        self.made.put((*path, key), Guess(TODO, why))
        self._scale(path)
        self._about(path, None)

    def _scale(self, path: Keys) -> None:
        why = "lowest and highest possible total; or write instrument: and one of " + listing(
            self.known, 40
        )
        self.made.put((*path, "range"), Guess(TODO, why))
        self.made.put((*path, "better"), Guess(TODO, "higher or lower: which is the better end?"))

    def _about(self, path: Keys, rater: str | None) -> None:
        hint = f" The name suggests {rater}." if rater else ""
        why = f"who rates: client, therapist, observer or partner?{hint}"
        self.made.put((*path, "rater"), Guess(TODO, why))
        why = "rated at the start or the end of the session, or once a day? start, end or day"
        self.made.put((*path, "timing"), Guess(TODO, why))

    def _measure(self, name: str, group: RatingGroup, found: ratings.Instrument, role: str) -> None:
        path = ("measures", name)
        if name != role:
            why = "alliance, outcome or other?" if role == TODO else "by its name"
            self.made.put((*path, "role"), Guess(role, why))
        if found.id and found.certain:
            better = self.known[found.id]["better"]
            why = f"{found.why}. {better.capitalize()} is better by the instrument"
            self.made.put((*path, "instrument"), Guess(found.id, why))
        elif found.possible:
            why = f"{found.why}: {' or '.join(found.possible)}? Constants differ between versions"
            self.made.put((*path, "instrument"), Guess(TODO, why))
        else:
            self._scale(path)
            lows, highs = zip(*((one.low, one.high) for one in group.ratings), strict=True)
            seen = f". Seen: {min(lows):g} to {max(highs):g}"
            self.made.reasons[(*path, "range")] += seen
        self._about(path, group.rater)
        self._columns(path, group, found)

    def _columns(self, path: Keys, group: RatingGroup, found: ratings.Instrument) -> None:
        unclear = {one.name: self.unclear.get(one.name) for one in group.ratings}
        doubt = next(((one, other) for one, other in unclear.items() if other), None)
        if doubt is not None:
            why = f"which number is the session: {doubt[0]} or {doubt[1]}? Both vary"
            self.made.put((*path, "items"), Guess(TODO, why))
            return
        if group.items:
            self.made.put((*path, "items"), Guess(_items(group), f"{len(group.items)} items"))
            keyed = (self.known.get(found.id or "", {}).get("reverse_keyed") or {}).get("items")
            if keyed:
                why = f"items {listing(keyed, 40)} are reverse-keyed: [] if they are turned in the "
                why += "file already, else their columns"
                self.made.put((*path, "reverse"), Guess(TODO, why))
        if group.totals:
            key = "pattern" if self.wide else "total"
            why = "the total" if group.items else "one score per session"
            if len(group.totals) > 1:
                rest = listing(one.name for one in group.totals[1:])
                why += f"; not used: {rest}"
            self.made.put((*path, key), Guess(group.totals[0].name, why))


def _items(group: RatingGroup) -> dict[str, Any]:
    """Return component -> column, under names that a formula can use."""
    found: dict[str, Any] = {}
    for part, one in group.items:
        name = part if not part.isdigit() else f"item_{int(part)}"
        while name in found:
            name += "_again"
        found[name] = one.name
    return found


#: Why something was taken for a code of "not known".
AMONG_RATINGS = "is among the ratings and seems to mean 'not known'; take out what is a rating"


def _missing(made: Described, forms: list[RatingGroup]) -> None:
    """Write what means "not known" in the ratings."""
    texts = {text for group in forms for one in group.ratings for text in one.texts}
    words = sorted(text for text in texts if text.lower() in UNKNOWN)
    codes = sorted(
        {
            code
            for group in forms
            for code in CODES
            if any(one.stands_apart(code) for one in group.ratings)
        }
    )
    found: list[Any] = [*words, *codes]
    if found:
        texts_found = [one for one in found if one != "NA"]
        made.put(("missing",), Guess(["", "NA", *texts_found], AMONG_RATINGS))


def keep_ratings(made: Described, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Take codes out of `missing` that can be ratings of a measure whose range is known."""
    path = ("missing",)
    if made.reasons.get(path) != AMONG_RATINGS:
        return
    spans = []
    for one in made.content["measures"].values():
        published = known.get(str(one.get("instrument")), {})
        spans += [one.get("range") or published.get("range")]
        spans += [one.get("item_range") or published.get("item_range")]
    ranges = [span for span in spans if isinstance(span, list | tuple) and len(span) == 2]

    def possible(code: Any) -> bool:
        return isinstance(code, int | float) and any(low <= code <= high for low, high in ranges)

    left = [code for code in made.content["missing"] if not possible(code)]
    if left == ["", "NA"]:
        del made.content["missing"]
    else:
        made.content["missing"] = left
