"""Every message that a user's mistake can produce, in one catalogue.

A problem has a code, a place (file, row, column or key), a text that says what was
found and what is allowed, and a remedy. Problems are collected and shown together;
:class:`ProblemsFound` is the only exception raised for a user's mistake, so that the
command line and the workflow can print it without a traceback.
"""

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .invisible import visible
from .messages.catalogue import CATALOGUE
from .user_mistake import UserMistake

__all__ = [
    "CATALOGUE",
    "Problem",
    "ProblemsFound",
    "did_you_mean",
    "listing",
    "problem",
]

#: Of how many cells with one problem the rows are kept.
MOST_ROWS = 20


@dataclass(frozen=True)
class Problem:
    """One problem at one place.

    Attributes
    ----------
    code : str
        Key of :data:`CATALOGUE`.
    file, row, column, key, line : str or int, optional
        The place: `row` and `column` of a table, where `row` is the row as a spreadsheet shows
        it (the header is row 1); `line` and `key` of a YAML file.
    message : str
        What is wrong, and what to do.
    more : int
        How many further cells of the same column have the same problem.
    rows : tuple of int
        The first rows of such cells, `row` among them, :data:`MOST_ROWS` at most.
    finding : str, optional
        The name by which ``accepted`` of dataset.yaml can let the problem pass.
    """

    code: str
    message: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    key: str | None = None
    line: int | None = None
    more: int = 0
    rows: tuple[int, ...] = ()
    finding: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the problem stops the dataset; warnings do not."""
        return not self.code.startswith("W")

    @property
    def cells(self) -> int:
        """How many cells, rows or keys have the problem."""
        return self.more + 1

    @property
    def text(self) -> str:
        """Code, place, message and count, in one line."""
        place = [str(self.file)] if self.file is not None else []
        place += [f"row {self.row}"] if self.row is not None else []
        place += [f"column {self.column}"] if self.column is not None else []
        place += [f"line {self.line}"] if self.line is not None else []
        place += [f"key {self.key}"] if self.key is not None else []
        where = f" {', '.join(place)}:" if place else ":"
        more = f" (and {self.more} more)" if self.more else ""
        return f"{self.code}{where} {self.message}{more}"

    def in_file(self, file: str | Path) -> "Problem":
        """Return the problem with the file that it is in."""
        return replace(self, file=str(file))

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as plain data, for JSON."""
        return asdict(self)


class ProblemsFound(UserMistake):
    """One or more problems in what the user gave us.

    Parameters
    ----------
    problems : iterable of Problem
        All problems found, in the order in which they should be read.
    """

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__([problem.text for problem in self.problems])

    def __reduce__(self):
        """Keep the problems when the exception crosses a process boundary."""
        return (type(self), (self.problems,))


def problem(
    code: str,
    *,
    file: str | Path | None = None,
    row: int | None = None,
    column: str | None = None,
    key: str | None = None,
    line: int | None = None,
    more: int = 0,
    rows: Iterable[int] = (),
    finding: str | None = None,
    **facts: Any,
) -> Problem:
    """Make a problem from the catalogue.

    Parameters
    ----------
    code : str
        Key of :data:`CATALOGUE`.
    file, row, column, key, line
        The place, as far as it is known.
    more : int
        How many further cells have the same problem.
    rows : iterable of int
        The rows of the first cells that have it; `row` by default.
    finding : str, optional
        The name by which dataset.yaml can accept it.
    **facts
        The values that the texts of the catalogue name.

    Returns
    -------
    Problem

    Raises
    ------
    KeyError
        If the code or one of the facts that its text needs is missing: our mistake.
    """
    entry = CATALOGUE[code]
    facts = {"hint": "", "column": column, "finding": finding, **facts}
    facts = {name: visible(one) if isinstance(one, str) else one for name, one in facts.items()}
    message = " ".join(f"{entry.text} {entry.remedy}".format(**facts).split())
    shown = tuple(int(one) for one in rows)[:MOST_ROWS] or (() if row is None else (row,))
    place = (None if file is None else str(file), row, column, key, line)
    return Problem(code, message, *place, more, shown, finding)


def did_you_mean(word: object, allowed: Iterable[object]) -> str:
    """Return a hint with the nearest allowed word, or an empty text.

    Examples
    --------
    >>> did_you_mean("sesions", ["sessions", "courses"])
    " Did you mean 'sessions'?"
    """
    by_lower = {str(candidate).lower(): str(candidate) for candidate in allowed}
    near = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""


def listing(words: Iterable[object], most: int = 12) -> str:
    """Return words joined by commas, shortened after `most` of them."""
    every = [str(word) for word in words]
    shown = ", ".join(every[:most])
    return f"{shown}, … ({len(every)} in all)" if len(every) > most else shown or "(none)"
