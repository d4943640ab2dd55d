"""Small pictures within a line: an interval, a share, a count against its range, and verdicts.

Each is a span without text, drawn by the style sheet of the page and by forms.lua in a PDF; the
numbers are in the words next to it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .markdown import Md, attribute, number, percent

#: How a verdict is drawn: a character that differs without colour, by verdict.
MARKS = {"supported": "■", "contradicted": "▧", "undecided": "□", "not assessable": "·"}


def _place(value: float, low: float, high: float) -> str:
    """Return a place on a scale in per cent of its length."""
    return f"{100 * min(max((value - low) / (high - low), 0.0), 1.0):.1f}%"


def _drawn(kind: str, words: str, places: Mapping[str, str]) -> Md:
    style = "; ".join(f"--{name}: {place}" for name, place in places.items())
    said = attribute(words)
    return Md(f'[]{{.{kind} role="img" aria-label="{said}" title="{said}" style="{style}"}}')


def interval_picture(row: Mapping[str, Any], reach: float, *, alone: bool = False) -> Md:
    """Return an estimate with its interval on a scale around zero.

    Parameters
    ----------
    row : mapping
        `estimate`, `ci_low`, `ci_high`.
    reach : float
        The ends of the scale are minus this and this.
    alone : bool
        Whether the ends of the interval are nowhere in words.

    Returns
    -------
    Md
        Empty where there is no estimate.
    """
    ends = {"low": row["ci_low"], "high": row["ci_high"], "at": row["estimate"]}
    if pd.isna(row["estimate"]) or not reach:
        return Md("")
    places = {name: _place(end, -reach, reach) for name, end in ends.items()}
    words = f"interval from {number(ends['low'])} to {number(ends['high'])}"
    kind = "interval .alone" if alone else "interval"
    return _drawn(kind, words, places | {"zero": _place(0, -reach, reach)})


def range_picture(value: float, low: float, high: float, most: float) -> Md:
    """Return a count and the range in which noise would lay it, on a scale from zero to `most`.

    The scale is that of square roots, on which counts spread evenly. A count that is withheld is
    not drawn.
    """
    if pd.isna(low) or pd.isna(high) or not most:
        return Md("")
    ends = {"low": low, "high": high} | ({} if pd.isna(value) else {"at": value})
    places = {name: _place(end**0.5, 0, most**0.5) for name, end in ends.items()}
    where = "withheld" if pd.isna(value) else number(value, 0)
    words = f"found: {where}; by noise alone from {number(low, 0)} to {number(high, 0)}"
    return _drawn("range", words, places)


def bar(share: Any) -> Md:
    """Return a share as a bar, empty where there is none."""
    if share is None or pd.isna(share):
        return Md("")
    return _drawn("bar", percent(share), {"share": _place(share, 0, 1)})


def squares(verdicts: Iterable[str]) -> Md:
    """Return one mark per verdict, those of a kind together."""
    given = list(verdicts)
    counts = {verdict: given.count(verdict) for verdict in MARKS}
    words = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    marks = "".join(
        f"[{MARKS[verdict] * n}]{{.{verdict.split()[0]}}}" for verdict, n in counts.items() if n
    )
    return Md(f'[{marks}]{{.squares role="img" aria-label="By criteria: {attribute(words)}"}}')
