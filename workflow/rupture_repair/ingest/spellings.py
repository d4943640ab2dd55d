"""Whether two texts are one id or one word that was written in two ways.

Every id, therapist, category and level goes through the one folding of this module: in the tables
of a dataset as in the files of `fit` and `episodes`. Nothing is merged: two spellings are a problem
that names both, because only the people who have the files know which is right.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..project.arrays import Flags, Integers
from ..project.invisible import is_invisible
from ..project.problems import Problem
from .columns import NUMBER, RawColumn
from .spreadsheets import EXACT

#: What a message says of a finding that dataset.yaml can accept.
ACCEPTABLE = ", or accept this in dataset.yaml (finding: {finding})"

#: How many pairs of spellings of one column are reported one by one.
MOST_PAIRS = 50

#: Greek and Cyrillic letters, and the Latin ones that they look like, at least as capitals.
_OTHERS, _LATIN = "асеіјорѕухвнкмтԛԝһαβεηικνορτυχı", "aceijopsyxbhkmtqwhabehikvoptyxi"
_LOOK_ALIKE = str.maketrans(_OTHERS + _OTHERS.upper(), _LATIN + _LATIN.upper())

#: Quotation marks, apostrophes and slashes.
_SIGNS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u0060\u02bc", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2044\u2215", "/")
)

#: Dashes that are not of the category of dashes.
_MORE_DASHES = "\u2212\u2043\u02d7\u2053\u23af\u2500\u2796"


#: Numbers are not rounded.
_ALL_DIGITS = Context(prec=1000)


def _letters(text: str) -> str:
    # NFKC makes a space and an accent of some signs that stand for an apostrophe.
    return unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)


def _visible(text: str) -> str:
    return "".join(sign for sign in text if not is_invisible(sign))


def _dashes(text: str) -> str:
    return "".join(
        "-" if unicodedata.category(sign) == "Pd" or sign in _MORE_DASHES else sign for sign in text
    )


def _digits(text: str) -> str:
    return "".join(
        str(unicodedata.digit(sign)) if unicodedata.category(sign) == "Nd" else sign
        for sign in text
    )


def _capitals(text: str) -> str:
    return text.casefold()


def _look_alike(text: str) -> str:
    return text.translate(_LOOK_ALIKE).replace("i\u0307", "i")


def _quoted(text: str) -> str:
    """Drop quotation marks around a text, and the one that spreadsheets put before it."""
    return text.strip("'\"") or text


def _separators(text: str) -> str:
    """Drop white space, dashes and underscores; between digits and before the first sign keep one.

    That between digits becomes a dash.
    """
    text = re.sub(r"(?<=[0-9])[\s_-]+(?=[0-9])", "-", " ".join(text.split()))
    return re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W\d_])|(?<=[^\W\d_])[\s_-]+(?=[^\W_])", "", text)


def _numbers(text: str) -> str:
    """Write numbers by their value: 7 for 007, 7.0 and +7; C7 for C007."""
    plain = text.replace(",", ".")
    if re.fullmatch(NUMBER, plain, re.ASCII) and len(plain) < 400:
        value = Decimal(plain)
        if abs(value.adjusted()) < 400:
            return f"{value.normalize(_ALL_DIGITS):f}"
    return re.sub(r"(?<![0-9.,])0+(?=[0-9])", "", text)


#: The steps of the folding, and what a difference that a step removes is called.
STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("the way in which one letter or digit is coded", _letters),
    ("invisible characters", _visible),
    ("the kind of dash", _dashes),
    ("digits of another script", _digits),
    ("capitals", _capitals),
    ("letters of another alphabet that look alike", _look_alike),
    ("quotation marks", _quoted),
    ("white space or dashes", _separators),
    ("leading or trailing zeros", _numbers),
)

#: What is left as it is by all steps.
_PLAIN = re.compile(r"[a-z]*(0|[1-9][0-9]*)?")


def folded(text: str) -> str:
    r"""Return what all spellings of one id have in common.

    Parameters
    ----------
    text : str
        An id, a category or another word.

    Returns
    -------
    str
        The text after NFKC, without invisible characters, with one kind of dash, ASCII digits,
        Latin letters for those that look alike, without capitals, marks of quotation around it,
        white space and dashes next to letters, and with numbers by value.

    Examples
    --------
    >>> {folded(text) for text in ("C07", "c 07", "C\u200b07", "Ｃ07", "C–7", "С7", "C٠٧")}
    {'c7'}
    >>> folded("007"), folded("7.0"), folded("-7"), folded("1-12") == folded("11-2")
    ('7', '7', '-7', False)
    """
    if _PLAIN.fullmatch(text):
        return text
    for _, step in STEPS:
        text = step(text)
    return text


def difference(first: str, second: str) -> str:
    r"""Return in words what separates two spellings.

    Examples
    --------
    >>> difference("C01", "c\u00a001"), difference("7", "007")
    ('capitals and white space or dashes', 'leading or trailing zeros')
    """

    def without(step: str, text: str) -> str:
        for name, change in STEPS:
            if name != step:
                text = change(text)
        return text

    needed = [name for name, _ in STEPS if without(name, first) != without(name, second)]
    # Some differences are removed by either of two steps, as a no-break space is.
    alone = [name for name, step in STEPS if step(first) == step(second)]
    return " and ".join(needed or alone[-1:]) or "the way in which they are written"


# ---------------------------------------------------------------------------- problems


def two_spellings(
    column: RawColumn, what: str, accept: bool = True, capitals: bool = True
) -> list[Problem]:
    """Find texts of a column that differ in their spelling only (E219).

    Parameters
    ----------
    column : RawColumn
        Ids or words.
    what : str
        What they stand for, in the singular: "course", "category".
    accept : bool
        Whether there is a dataset.yaml that can accept it.
    capitals : bool
        Whether texts that differ in capitals alone count.
    """
    firsts = _firsts(column.texts.to_pylist())
    found: list[Problem] = []
    for code, first in firsts.items():
        at = np.flatnonzero(column.codes == code)
        texts = column.texts[code].as_py(), column.texts[first].as_py()
        if len(at) and (capitals or difference(*texts) != "capitals"):
            facts = _pair(column, code, column, first, what)
            facts |= {} if accept else {"or_accept": ""}
            found += column.faults_at("E219", at, **facts)
        if len(found) == MOST_PAIRS:
            break
    return found


def _firsts(texts: Sequence[str]) -> dict[int, int]:
    """Return place of a text -> place of the first that is folded alike, where that is another."""
    keys = pd.Series([folded(text) for text in texts], dtype=object)
    again = np.flatnonzero(keys.duplicated().to_numpy())
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    return {int(place): first[keys[place]] for place in again}


def _pair(column: RawColumn, code: int, other: RawColumn, first: int, what: str) -> dict[str, Any]:
    """Return the facts of two spellings: what separates them, and where the first stands."""
    texts = column.texts[code].as_py(), other.texts[first].as_py()
    rows = other.rows[np.flatnonzero(other.codes == first)[:1]]
    place = f"row {rows[0]}" if len(rows) else "another row"
    if other.file != column.file:
        place += f" of {other.file}"
    return {
        "first": texts[1],
        "first_place": place,
        "what": what,
        "difference": difference(*texts),
        "finding": "mixed_case",
        "or_accept": ACCEPTABLE.format(finding="mixed_case"),
    }


def of_series(series: pd.Series, rows: Integers) -> RawColumn:
    """Return a column of pandas as one of a file, its values as texts.

    Parameters
    ----------
    series : Series
        Ids or words.
    rows : ndarray of int, shape (rows,)
        The rows as a spreadsheet shows them.
    """
    codes, values = pd.factorize(series)
    texts = pa.array([str(value) for value in values], pa.string())
    return RawColumn(None, str(series.name), rows, codes.astype(np.int64), texts)


def between_tables(column: RawColumn, other: RawColumn, what: str) -> tuple[list[Problem], Flags]:
    """Find ids of one table that another table spells in another way (E219).

    Parameters
    ----------
    column, other : RawColumn
        The ids of the two tables.
    what : str
        What they stand for, in the singular.

    Returns
    -------
    list of Problem, ndarray of bool
        The problems, and which of the distinct texts of `column` have one.
    """
    texts = other.texts.to_pylist()
    known = set(texts)
    by_key = {folded(text): place for place, text in reversed(list(enumerate(texts)))}
    found: list[Problem] = []
    flags = np.zeros(len(column.texts), bool)
    own = column.texts.to_pylist()
    matched = {folded(text) for text in own if text in known}
    for code, text in enumerate(own):
        key = folded(text)
        first = None if text in known else by_key.get(key)
        if first is None:
            continue
        flags[code] = True
        if key in matched:  # the column has both spellings: found where it is looked at alone
            continue
        at = np.flatnonzero(column.codes == code)
        if len(at) and len(found) < MOST_PAIRS:
            found += column.faults_at("E219", at, **_pair(column, code, other, first, what))
    return found, flags


# ---------------------------------------------------------------------------- changed ids

#: A number as spreadsheets and statistics programs shorten it.
_EXPONENT = r"\A[+-]?[0-9]+([.,][0-9]+)?[eE][+-][0-9]+\z|\A[+-]?[0-9]+[.,][0-9]+[eE][0-9]+\z"

_MONTH = (
    "jan|feb|mar|m[aä]r|mrz|mrt|apr|abr|avr|may|mai|mei|jun|jul|aug|ago|sep|set|oct|okt|nov|"
    "dec|dez|dic"
)
#: What a spreadsheet shows of an id such as 1-2 or MAR1.
_DAY_OF_MONTH = (
    rf"(?i)\A[0-9]{{1,2}}[-. /]{{1,2}}({_MONTH})\.?([-. /][0-9]{{2,4}})?\z|"
    rf"\A({_MONTH})\.?[-. /][0-9]{{1,4}}\z"
)
_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?\z"

#: Spreadsheets keep so many digits of a number; the others become 0.
_DIGITS_KEPT, _BY_CHANCE = 15, 0.011

#: Whole numbers up to this one are exact where a number has four bytes.
EXACT_IN_FOUR = 2**24


def changed_ids(column: RawColumn, what: str, accept: bool = True) -> list[Problem]:
    """Find ids that a program has rounded or turned into dates (E221).

    Parameters
    ----------
    column : RawColumn
        The ids.
    what : str
        What they stand for, in the singular.
    accept : bool
        Whether dataset.yaml can accept what may be right.
    """
    if not len(column.texts):
        return []
    found = column.faults("E221", column.like(_EXPONENT), what=what, or_accept="", how=_SHORTENED)
    dates = column.like(_DAY_OF_MONTH)
    iso = column.like(_DATE)
    dates |= iso if not iso.all() else dates
    facts: dict[str, Any] = {"what": what, "finding": "changed_id"}
    facts["or_accept"] = ACCEPTABLE.format(**facts) if accept else ""
    found += column.faults("E221", dates, how="it was turned into a date", **facts)
    cut, rounded = _cut_digits(column), _rounded(column)
    found += column.faults("E221", cut, how=_CUT, **facts)
    return found + column.faults("E221", rounded & ~cut, how=_ROUNDED, **facts)


_SHORTENED = "it is in exponent form, so its last digits may be lost"
_CUT = f"all ids of so many digits end in 0 after the {_DIGITS_KEPT}th digit"

_ROUNDED = "all long ids are numbers that a program keeps when it rounds"


def _rounded(column: RawColumn) -> Flags:
    """Return which ids are long numbers, where all of those are such as programs round to.

    Eight bytes hold whole numbers up to 2**53, four bytes up to 2**24; beyond, they hold every
    second, fourth or eighth. Numbers that end in 0 tell nothing: people like them.
    """
    texts = column.texts.to_pylist()
    for kept, limit in ((np.float64, EXACT), (np.float32, EXACT_IN_FOUR)):
        numbers = {text: int(text) for text in texts if re.fullmatch("[0-9]{8,30}", text)}
        long = {text: number for text, number in numbers.items() if number >= limit}
        telling = [number for number in long.values() if number % 10]
        steps = [limit.bit_length() - 1 - number.bit_length() for number in telling]
        if sum(steps) <= np.log2(_BY_CHANCE) and all(int(kept(one)) == one for one in telling):
            return np.array([text in long for text in texts], bool)
    return np.zeros(len(texts), bool)


def _cut_digits(column: RawColumn) -> Flags:
    """Return which ids have more digits than spreadsheets keep, where all of those end in 0."""
    long = column.like(rf"\A[0-9]{{{_DIGITS_KEPT + 1},}}\z")
    if not long.any():
        return long
    texts = [text for text, is_long in zip(column.texts.to_pylist(), long, strict=True) if is_long]
    rest = "".join(text[_DIGITS_KEPT:] for text in texts)
    by_chance = 0.1 ** len(rest)
    return long & (set(rest) == {"0"} and by_chance <= _BY_CHANCE)


def id_faults(column: RawColumn, what: str, accept: bool = True) -> list[Problem]:
    """Return all problems of the ids of one column (E219, E221)."""
    return two_spellings(column, what, accept) + changed_ids(column, what, accept)
