"""What a dataset.yaml means: measures with their scales, and the columns that hold them."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..project.problems import Problem, did_you_mean, listing
from . import dates
from .described_measures import (
    RESERVED,
    SAFE,
    SESSION,
    DescribedMeasure,
    Reader,
    paired,
    read_measure,
    safe_name,
    taken,
)
from .files import FileFormat


@dataclass(frozen=True)
class ReadingPlan:
    """A checked dataset.yaml."""

    file: str
    raw: Mapping[str, Any]
    measures: dict[str, DescribedMeasure]
    covariates: dict[str, str]
    missing: frozenset[str]

    @property
    def accepted(self) -> Sequence[Mapping[str, str]]:
        """What the check may find and let pass: finding, column and reason of each."""
        return self.raw["accepted"]

    @property
    def sessions(self) -> Mapping[str, Any]:
        """The description of the sessions table."""
        return self.raw["tables"]["sessions"]

    def table(self, name: str) -> Mapping[str, Any] | None:
        """Return the description of a table, or None."""
        return self.raw["tables"].get(name)

    def form(self, name: str) -> FileFormat:
        """Return how the file of a table is written."""
        return _form(self.raw["tables"], name)

    @property
    def wide(self) -> bool:
        """Whether the sessions table has one row per course."""
        return self.sessions["layout"] == "wide"


def resolve(
    raw: Mapping[str, Any], file: str, known: Mapping[str, Any]
) -> tuple[ReadingPlan | None, list[Problem]]:
    """Check what the schema of dataset.yaml cannot, and bring in the instruments.

    Parameters
    ----------
    raw : mapping
        The content of dataset.yaml, checked against its schema, defaults filled in.
    file : str
        dataset.yaml, for messages.
    known : mapping
        The instruments.

    Returns
    -------
    ReadingPlan or None, list of Problem
        The plan if there is no error (E110 to E129); warning W101 (no outcome measure).
    """
    reader = Reader(raw, file, known)
    _check_tables(reader)
    covariates = _covariates(reader)
    described = {name: read_measure(reader, name, one) for name, one in raw["measures"].items()}
    measures = {name: one for name, one in described.items() if one is not None}
    if len(measures) == len(described):
        measures = paired(reader, measures)
    if any(entry.code.startswith("E") for entry in reader.problems):
        return None, reader.problems
    missing = frozenset({"", *(str(code).strip() for code in raw["missing"])})
    return ReadingPlan(file, raw, measures, covariates, missing), reader.problems


def _check_tables(reader: Reader) -> None:
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
    if sessions["date"] and not dates.tells_the_day(sessions["date_format"]):
        reader.report("E128", f"{place}.date_format", found=sessions["date_format"])
    _check_forms(reader)
    if courses:
        for key in ("client", "therapist"):
            if sessions[key] and courses[key]:
                reader.report("E126", f"tables.courses.{key}", found=key)
        if courses["ending_codes"] and not courses["ending"]:
            advice = "Name the column that says how a course ended: ending: <column>."
            reader.unfit("tables.courses.ending_codes", "a courses table without ending", advice)


def _form(tables: Mapping[str, Any], name: str) -> FileFormat:
    """Return how the file of a table is written: as it says, else as the sessions table says."""
    table, first = tables[name], tables["sessions"]
    given = {key: table[key] or first[key] for key in FileFormat._fields if key in table}
    given["sheet"] = table["sheet"]
    return FileFormat(**{key: value for key, value in given.items() if value})


def _check_forms(reader: Reader) -> None:
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


def _covariates(reader: Reader) -> dict[str, str]:
    """Return name -> column of the covariates."""
    courses = reader.tables.get("courses")
    if not courses:
        return {}
    given, key = courses["covariates"], "tables.courses.covariates"
    if isinstance(given, list):
        for column in given:
            if not SAFE.fullmatch(column):
                advice = f"Write covariates: {{{safe_name(column)}: '{column}'}} instead of a list."
                reader.report("E120", key, found=column, advice=advice)
        given = dict(zip(given, given, strict=True))
    for name in given:
        if taken(name) or name in reader.raw["measures"]:
            reader.report("E121", f"{key}.{name}", found=name, allowed=listing(RESERVED, 20))
    return dict(given)
