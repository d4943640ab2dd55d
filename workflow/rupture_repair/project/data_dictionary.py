"""The data dictionary: what each column of each table means, and how it goes into the files.

One file of ``knowledge/tables`` describes one table, and a step reads only those of its tables.
The numbers drawn in figures are tables too, as ``figures/<figure>``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from .package_files import KNOWLEDGE

if TYPE_CHECKING:
    import pyarrow as pa

#: Where the tables are described.
FOLDER = KNOWLEDGE / "tables"

#: Columns that mean the same in every table; a table refers to them by this word.
SHARED = "shared"

#: That of libyaml is ten times as fast, and not everywhere.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Types of columns, as CSV on the Web calls them.
TYPES: dict[str, Any] = {
    "text": "string",
    "whole number": "integer",
    "number": "number",
    "yes or no": {"base": "boolean", "format": "True|False"},
    "text or number": "string",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Words in angle brackets stand for a name that a dataset gives.
    type : str
        One of :data:`TYPES`.
    meaning : str
    needed_by : str
        Who reads it: a step, a claim, a figure, a person.
    unit : str
        Empty for what has none.
    allowed : str or tuple of str
        The values, or in words the range; empty where there are no limits.
    missing : str
        When a value is missing; empty for never.
    """

    name: str
    type: str
    meaning: str
    needed_by: str
    unit: str = ""
    allowed: str | tuple[str, ...] = ""
    missing: str = ""

    @property
    def pattern(self) -> str:
        """What names of this column match."""
        return "".join(
            ".+" if part.startswith("<") else re.escape(part)
            for part in re.split(r"(<\w+>)", self.name)
        )

    @property
    def allowed_in_words(self) -> str:
        """The values with commas between them, or the range."""
        return self.allowed if isinstance(self.allowed, str) else ", ".join(self.allowed)

    @property
    def limits(self) -> dict[str, float]:
        """Limits of numbers under their names in CSV on the Web.

        Examples
        --------
        >>> Column("p", "number", "A share.", "all", allowed="0 to 1").limits
        {'minimum': 0.0, 'maximum': 1.0}
        >>> Column("sd", "number", "An SD.", "all", allowed="above 0").limits
        {'minExclusive': 0.0}
        """
        words = r"(?:(?P<minimum>-?[\d.]+) to |up to )(?P<maximum>[\d.]+)"
        words += r"|at least (?P<at_least>\d+)|above (?P<minExclusive>\d+)"
        found = re.fullmatch(words, self.allowed) if isinstance(self.allowed, str) else None
        given = found.groupdict() if found else {}
        known = {key: float(value) for key, value in given.items() if value is not None}
        return {"minimum" if key == "at_least" else key: value for key, value in known.items()}


@dataclass(frozen=True)
class Table:
    """One table that the workflow writes.

    Attributes
    ----------
    name : str
        That of its files without their suffix; of the numbers of a figure ``figures/<figure>``.
    holds, rows : str
        What it is about, and what a row is.
    folder : str
    formats : tuple of str
        ``parquet``, ``csv`` or both.
    written_by : str
        The step.
    needed_by : str
        Who reads it.
    columns : tuple of Column
    """

    name: str
    holds: str
    rows: str
    folder: str
    formats: tuple[str, ...]
    written_by: str
    needed_by: str
    columns: tuple[Column, ...]

    @property
    def stem(self) -> str:
        """Name of its files without their suffix."""
        return self.name.rpartition("/")[2]

    def column(self, name: str) -> Column | None:
        """Return what is known of a column, None where nothing is."""
        matching = (one for one in self.columns if re.fullmatch(one.pattern, name))
        # A name that is written out comes before those that stand for many.
        return min(matching, key=lambda one: "<" in one.name, default=None)


def names() -> list[str]:
    """Return the tables that are described, sorted, those of figures last."""
    files = [*sorted(FOLDER.glob("*.yaml")), *sorted(FOLDER.glob("figures/*.yaml"))]
    every = [file.relative_to(FOLDER).with_suffix("").as_posix() for file in files]
    return [name for name in every if name != SHARED]


@cache
def _content(name: str) -> dict[str, Any]:
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=_LOADER)


def _column(name: str, told: dict[str, Any] | str) -> Column:
    facts = dict(_content(SHARED)["columns"][name] if isinstance(told, str) else told)
    allowed = facts.pop("allowed", "")
    allowed = tuple(allowed) if isinstance(allowed, list) else allowed
    return Column(name=name, needed_by=facts.pop("for"), allowed=allowed, **facts)


@cache
def find(name: str) -> Table | None:
    """Return what is known of a table, None where nothing is.

    Parameters
    ----------
    name : str
        As :attr:`Table.name`.

    Examples
    --------
    >>> find("episodes").column("nadir").meaning
    'Session with the lowest rating of the episode.'
    >>> find("sessions").column("alliance__bond").name
    '<measure>__<component>'
    """
    if not (FOLDER / f"{name}.yaml").is_file():
        return None
    facts = dict(_content(name))
    columns = tuple(_column(*one) for one in facts.pop("columns").items())
    formats, needed_by = tuple(facts.pop("formats")), facts.pop("for")
    return Table(name=name, formats=formats, needed_by=needed_by, columns=columns, **facts)


def described(schema: "pa.Schema", name: str) -> "pa.Schema":
    """Return the schema of a Parquet file with what is known of its columns.

    Parameters
    ----------
    schema : pyarrow.Schema
    name : str
        The table; one that is not known is left as it is.

    Returns
    -------
    pyarrow.Schema
        The metadata of each field hold `description` and, where there is something to say, `unit`,
        `allowed` and `missing`.
    """
    table = find(name)
    if table is None:
        return schema
    for place, field in enumerate(schema):
        column = table.column(field.name)
        if column:
            facts = {"description": column.meaning, "unit": column.unit}
            facts |= {"allowed": column.allowed_in_words, "missing": column.missing}
            told = {key: words for key, words in facts.items() if words}
            schema = schema.set(place, field.with_metadata(told))
    return schema


def csv_on_the_web(table: Table, columns: Iterable[str]) -> dict[str, Any]:
    """Describe a CSV file as the W3C's recommendation "CSV on the Web" (2015) asks for.

    Parameters
    ----------
    table : Table
    columns : iterable of str
        Those of the file, in its order.

    Returns
    -------
    dict
        The content of ``<table>.csv-metadata.json``.
    """
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": f"{table.stem}.csv",
        "dc:title": table.stem,
        "dc:description": f"{table.holds} It has {table.rows}.",
        "tableSchema": {"columns": [_on_the_web(name, table.column(name)) for name in columns]},
    }


def _on_the_web(name: str, column: Column | None) -> dict[str, Any]:
    """Describe one column of a CSV file."""
    told: dict[str, Any] = {"name": name, "titles": name}
    if column is None:
        return told
    kind = TYPES[column.type]
    told["datatype"] = {"base": kind, **column.limits} if column.limits else kind
    words = column.meaning
    words += f" Allowed: {column.allowed_in_words}." if column.allowed else ""
    words += f" Missing where: {column.missing}." if column.missing else ""
    told["dc:description"] = words
    return told | ({"schema:unitText": column.unit} if column.unit else {})
