"""Columns of files, kept as distinct texts and one code per row.

Ratings have few distinct values, so each check and each conversion to numbers looks at some dozens
of texts, however long the file.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import MOST_ROWS, Problem, did_you_mean, listing, problem

#: Numbers as they are written with a point; nothing that is text to a reader passes.
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_INFINITE = r"(?i)[+-]?(inf|infinity|∞)"

#: What spreadsheets show where a formula failed, in any language: #VALUE!, #WERT!, #N/A, #NAME?.
SHEET_ERROR = r"\A#(N/?[AV]\.?|[^\s#!?]{1,14}[!?])\z"

#: From this whole number on, numbers near it may be thousands.
MANY = 100

#: A question mark in place of a value.
QUESTION = r"\A\?+\z"


@dataclass(frozen=True)
class RawColumn:
    """One column of a file.

    Attributes
    ----------
    file, name : str
        The place, for messages; no file where a table is not read from one.
    rows : ndarray of int, shape (n,)
        The rows as a spreadsheet shows them (the header is row 1).
    codes : ndarray of int, shape (n,)
        Index into `texts`; -1 where the cell is missing.
    texts : pyarrow.StringArray
        The distinct texts, without white space around them.
    decimal : str
        The decimal sign.
    missing : frozenset of float
        Numbers that mean "not known".
    coded : ndarray of int
        The rows whose cell holds such a number.
    """

    file: str | None
    name: str
    rows: Integers
    codes: Integers
    texts: pa.Array
    decimal: str = "."
    missing: frozenset[float] = frozenset()
    coded: Integers = field(default_factory=lambda: np.empty(0, np.int64))

    @cached_property
    def kinds(self) -> tuple[Flags, Flags]:
        """Which of the distinct texts are numbers, and which stand for infinity."""
        texts = self.texts
        if self.decimal == ",":
            # A point is no decimal sign here; '#' makes such a text no number.
            texts = pc.replace_substring(pc.replace_substring(texts, ".", "#"), ",", ".")
        number = pc.match_substring_regex(texts, rf"\A{NUMBER}\z").to_numpy(zero_copy_only=False)
        endless = pc.match_substring_regex(texts, rf"\A{_INFINITE}\z")
        return number.astype(bool), endless.to_numpy(zero_copy_only=False).astype(bool)

    @cached_property
    def distinct(self) -> Floats:
        """Return the distinct texts as numbers, NaN where a text is none or means "not known"."""
        number, _ = self.kinds
        texts = np.array(self.texts.to_pylist(), dtype=object)[number]
        if self.decimal == ",":
            texts = np.array([text.replace(",", ".") for text in texts], dtype=object)
        found = np.full(len(number), np.nan)
        found[number] = texts.astype(float)
        found[np.isin(found, list(self.missing))] = np.nan
        return found

    def like(self, pattern: str) -> Flags:
        """Return which of the distinct texts match a regular expression."""
        found = pc.match_substring_regex(self.texts, pattern)
        return found.to_numpy(zero_copy_only=False).astype(bool)

    @cached_property
    def no_value(self) -> Flags:
        """Which of the distinct texts are reported by :meth:`value_faults`."""
        return self.like(SHEET_ERROR) | self.like(QUESTION)

    def value_faults(self) -> list[Problem]:
        """Return the problems of cells that hold no value (E214, E220)."""
        return self.faults("E214", self.like(SHEET_ERROR)) + self.faults(
            "E220", self.like(QUESTION)
        )

    def each_used(self) -> Flags:
        """Return which of the distinct texts some row has."""
        used = np.zeros(len(self.texts) + 1, bool)
        used[self.codes] = True
        return used[:-1]

    def each(self, of_distinct: NDArray[Any], of_missing: Any) -> NDArray[Any]:
        """Spread one value per distinct text over the rows."""
        return np.append(of_distinct, of_missing)[self.codes]

    def numbers(self, low: float = -np.inf, high: float = np.inf) -> Floats:
        """Return one number per row, NaN where missing, no number or outside `low` to `high`."""
        fit = np.where(self.outside(low, high) | ~np.isfinite(self.distinct), np.nan, self.distinct)
        return self.each(fit, np.nan)

    def outside(self, low: float, high: float) -> Flags:
        """Return which of the distinct texts are numbers outside `low` to `high`."""
        slack = 1e-9 * max(1.0, abs(low), abs(high)) if np.isfinite([low, high]).all() else 0.0
        return (self.distinct < low - slack) | (self.distinct > high + slack)

    def faults(self, code: str, bad: Flags, **facts: Any) -> list[Problem]:
        """Return one problem for the first row whose text is `bad`, counting the others."""
        return self.faults_at(code, np.flatnonzero(self.each(bad, False)), **facts)

    def not_among(self, code: str, words: Collection[str], **facts: Any) -> list[Problem]:
        """Return one problem for the first row whose text is none of `words`."""
        texts = self.texts.to_pylist()
        strange = np.array([text not in words for text in texts], bool)
        at = np.flatnonzero(self.each(strange & ~self.no_value, False))
        if not len(at):
            return []
        hint = did_you_mean(texts[int(self.codes[at[0]])], words)
        return self.faults_at(code, at, hint=hint, allowed=listing(words), **facts)

    def faults_at(self, code: str, at: Integers, **facts: Any) -> list[Problem]:
        """Return one problem for the first of the places `at`, counting the others."""
        if not len(at):
            return []
        found = self.texts[int(self.codes[at[0]])].as_py() if self.codes[at[0]] >= 0 else ""
        facts = {"found": found if len(found) <= 60 else f"{found[:60]}…", **facts}
        row = int(self.rows[at[0]])
        more = len(at) - 1
        place: dict[str, Any] = {"file": self.file, "row": row, "column": self.name}
        return [problem(code, **place, more=more, rows=self.rows[at[:MOST_ROWS]], **facts)]

    def number_faults(
        self, low: float = -np.inf, high: float = np.inf, no_number: str = "E201"
    ) -> list[Problem]:
        """Return the problems of a column that should hold numbers (E201, E202, E223).

        Parameters
        ----------
        low, high : float
            Which numbers are possible; others are not taken for thousands.
        no_number : str
            The code of a text that is no number.
        """
        number, endless = self.kinds
        endless = endless | np.isinf(self.distinct)
        text = ~number & ~endless & ~self.no_value
        found = self.faults(no_number, text, advice=self._advice(text))
        return found + self.faults("E202", endless) + self.thousands_faults(low, high)

    def _advice(self, text: Flags) -> str:
        """Return what the texts of a column of numbers may mean."""
        other = "," if self.decimal == "." else "."
        sign = re.escape(other)
        signs = self.like(rf"\A[+-]?[0-9]+({sign}[0-9]+)+\z") & text
        if not signs.any():
            return ""
        groups = self.like(rf"\A[+-]?[0-9]{{1,3}}({sign}[0-9]{{3}})+\z")
        if (groups | ~signs).all():
            return f" If '{other}' separates thousands, remove it."
        return f" If '{other}' is the decimal sign, write decimal: '{other}' in dataset.yaml."

    def thousands_faults(self, low: float = -np.inf, high: float = np.inf) -> list[Problem]:
        """Return the problem of numbers that may have a sign between their thousands (E223)."""
        sign = re.escape(self.decimal)
        number = self.kinds[0]
        grouped = self.like(rf"\A[+-]?[1-9][0-9]{{0,2}}{sign}[0-9]{{3}}\z")
        fraction = number & self.like(sign)
        whole = number & ~fraction & (np.abs(self.distinct) >= MANY)
        large = whole.any() or 1000 <= high < np.inf
        if not grouped.any() or (fraction & ~grouped).any() or not large:
            return []
        possible = grouped & (1000 * self.distinct >= low) & (1000 * self.distinct <= high)
        at = np.flatnonzero(self.each(possible, False))
        if not len(at):
            return []
        found = self.texts[int(self.codes[at[0]])].as_py()
        facts = {"thousands": found.replace(self.decimal, ""), "longer": f"{found}0"}
        facts["other"] = f"the scale goes to {high:g}"
        if whole.any():
            facts["other"] = f"'{self.texts[int(np.flatnonzero(whole)[0])].as_py()}' has none"
        return self.faults_at("E223", at, sign=self.decimal, **facts)

    def missing_in_range(self, low: float, high: float) -> list[Problem]:
        """Return the warning of numbers that mean "not known" and can be ratings (W316)."""
        inside = sorted(code for code in self.missing if low <= code <= high)
        if not inside or not len(self.coded):
            return []
        facts: dict[str, Any] = {"found": listing(f"{code:g}" for code in inside)}
        facts |= {"low": f"{low:g}", "high": f"{high:g}", "rows": self.coded[:MOST_ROWS]}
        place: dict[str, Any] = {"file": self.file, "row": int(self.coded[0]), "column": self.name}
        return [problem("W316", **place, more=len(self.coded) - 1, **facts)]

    def take(self, index: Integers) -> "RawColumn":
        """Return the column with the rows at `index`, repeated or left out."""
        rows, codes = self.rows[index], self.codes[index]
        coded = self.coded[np.isin(self.coded, rows)]
        place = (self.file, self.name, rows, codes)
        return RawColumn(*place, self.texts, self.decimal, self.missing, coded)


@dataclass(frozen=True)
class RawTable:
    """Columns of one file, without the rows in which all that are used are empty.

    Attributes
    ----------
    file : str
        The file.
    rows : ndarray of int
        The rows as a spreadsheet shows them.
    columns, unused : mapping of str to RawColumn
        Those that dataset.yaml names, and the others, in the order of the file.
    last_blank : ndarray of bool
        Whether the last cell of each row is empty.
    """

    file: str
    rows: Integers
    columns: Mapping[str, RawColumn]
    unused: Mapping[str, RawColumn] = field(default_factory=dict)
    last_blank: Flags = field(default_factory=lambda: np.empty(0, bool))

    def without(self, rows: Integers) -> "RawTable":
        """Return the table without the rows at these places."""
        keep = np.delete(np.arange(len(self.rows)), rows)
        taken = [
            {name: column.take(keep) for name, column in group.items()}
            for group in (self.columns, self.unused)
        ]
        return RawTable(self.file, self.rows[keep], taken[0], taken[1], self.last_blank[keep])
