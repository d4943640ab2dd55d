"""Markdown that holds what datasets say without obeying it.

Whatever a template prints is escaped, unless it is :class:`Md`, made by this program. So a title
with HTML, Markdown or LaTeX in it is shown as it was written.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import jinja2
import pandas as pd
import yaml

from ..disclosure.limits import WITHHELD
from ..project.package_files import PACKAGE
from ..project.page_mentions import without_mentions
from .terms import in_words, model_in_words

#: Templates, captions and phrases.
FOLDER = PACKAGE / "report" / "templates"

#: Tables longer than this are cut, with a note that says where the rest is.
MOST_ROWS = 50

_SPECIAL = re.compile(r"([!-$&-+\-.:->@\[-`{-~])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|[\ud800-\udfff]")


class Md(str):
    """Text that is Markdown already and is printed as it is."""

    __slots__ = ()


def escape(value: object) -> Md:
    """Return any value as one line of Markdown that shows its text and does nothing else."""
    if isinstance(value, Md):
        return value
    line = " ".join(_CONTROL.sub(" ", str(value)).split())
    return Md(_SPECIAL.sub(r"\\\1", line))


def text(value: object) -> Md:
    """Return the words of a dataset, kept apart so that their direction ends with them."""
    escaped = escape(value)
    return Md(f'[{escaped}]{{dir="auto"}}') if escaped else escaped


@cache
def _sources() -> dict[str, str]:
    """Citations by the words that name their source, the longest first."""
    found = yaml.safe_load((FOLDER / "sources.yaml").read_text(encoding="utf-8"))
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))


def sourced(value: object) -> Md:
    """Return text of this program in which sources that references.bib holds are cited."""
    names = "|".join(re.escape(name) for name in _sources())
    plain = without_mentions(str(value))
    parts = re.split(f"({names})", plain)
    if len(parts) == 1:
        return text(plain)
    said = []
    for part in parts:  # no spans here: brackets after a citation are part of it
        before, after = part[:1].isspace() and " ", part[-1:].isspace() and part.strip() and " "
        said.append(_sources().get(part) or f"{before or ''}{escape(part)}{after or ''}")
    return Md("".join(said))


def code(value: object) -> Md:
    """Return a name as code; one with a bar, which would end a cell of a table, as text."""
    line = " ".join(_CONTROL.sub(" ", str(value)).split())
    return escape(line) if "`" in line or "|" in line or not line else Md(f"`{line}`")


def formula(value: str) -> Md:
    """Return a formula of this program as code, outside tables."""
    return Md(f"`{value}`")


def attribute(value: object) -> str:
    """Return text for the inside of a quoted attribute."""
    line = " ".join(_CONTROL.sub(" ", str(value)).split())
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("\\", "&#92;"), ("<", "&lt;")):
        line = line.replace(character, entity)
    return line


def sentence(words: str) -> str:
    """Return words with a capital, as the begin of a sentence; Markdown stays Markdown."""
    return type(words)(words[:1].upper() + words[1:])


def verbatim(value: object) -> Md:
    """Return text of this program for a code block or an address, where nothing is escaped."""
    return Md(value)


def count(value: Any) -> str:
    """Return a whole number with separators, an en dash where it is missing."""
    return "–" if value is None or pd.isna(value) else f"{value:,.0f}"


def held(value: Any) -> str:
    """Return a count that disclosure control has passed, :data:`WITHHELD` where it did not."""
    return WITHHELD if value is None or pd.isna(value) else count(value)


def number(value: Any, digits: int = 2) -> str:
    """Return a number with a true minus sign, an en dash where it is missing."""
    if value is None or pd.isna(value):
        return "–"
    shown = f"{value:,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", "−")


def short(value: Any, digits: int = 6) -> str:
    """Return a number in as few digits as it needs, `digits` at most: 2, 1.96, 0.5."""
    return "–" if value is None or pd.isna(value) else f"{value:.{digits}g}".replace("-", "−")


def percent(part: Any, whole: Any = 1.0, digits: int = 0) -> str:
    """Return a share in per cent, an en dash where there is no whole."""
    if part is None or pd.isna(part) or pd.isna(whole) or not whole:
        return "–"
    return f"{100 * part / whole:.{digits}f}\u00a0%"


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """Return an estimate with its interval, as in tables: 0.41 [0.10, 0.72]."""
    if pd.isna(row["estimate"]):
        return "–"
    low, high = number(row["ci_low"], digits), number(row["ci_high"], digits)
    return f"{number(row['estimate'], digits)} [{low}, {high}]"


def listed(words: Iterable[object], last: str = "and") -> Md:
    """Return words as a list in a sentence: a, b and c."""
    escaped = [escape(word) for word in words]
    if len(escaped) < 2:
        return Md("".join(escaped))
    return Md(f"{', '.join(escaped[:-1])} {last} {escaped[-1]}")


def pipe_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Sequence[str]],
    caption: str,
    rest: str,
    place: str = "",
) -> Md:
    """Return a table with its caption, in a frame that scrolls on narrow screens.

    Parameters
    ----------
    rows : sequence of mappings
        One mapping of column key to cell per row.
    columns : mapping
        Key -> (heading, alignment l or r), in order.
    caption : str
        Markdown.
    rest : str
        Where the rows are that do not fit, if there are more than :data:`MOST_ROWS`.
    place : str
        The id of the table.
    """
    rules = {"l": ":---", "r": "---:"}
    lines = [
        "| " + " | ".join(escape(heading) for heading, _ in columns.values()) + " |",
        "| " + " | ".join(rules[align] for _, align in columns.values()) + " |",
    ]
    for row in rows[:MOST_ROWS]:
        lines.append("| " + " | ".join(escape(row[key]) for key in columns) + " |")
    more = len(rows) - MOST_ROWS
    if more > 0:
        caption += f" The first {MOST_ROWS} of {len(rows)} rows; all are in {code(rest)}."
    return _framed("scroll", place, caption, [f"Table: {caption}", "", *lines])


def figure(path: str, alt: str, caption: str, place: str) -> Md:
    """Return a figure with its caption and links to its files, in a frame that scrolls.

    Parameters
    ----------
    path : str
        Of the drawing, without suffix.
    alt : str
        What it shows, in words.
    caption : str
        Markdown.
    place : str
        The id of the figure.
    """
    files = " ".join(f"[{kind.upper()}](<{path}.{kind}>)" for kind in ("png", "svg", "csv"))
    image = f'![{caption} [{files}]{{.files}}](<{path}.svg>){{alt="{attribute(alt)}"}}'
    return _framed("scroll .drawn", place, caption, [image])


def _framed(kind: str, place: str, caption: str, lines: Sequence[str]) -> Md:
    """Return lines in a frame that the keyboard reaches, named by the begin of the caption."""
    words = re.sub(r"\]\(.*?\)|\{.*?\}|\x02.*?\x03|[\[\]\\*`]", "", caption)
    name = attribute(". ".join(words.split(". ")[:2]))
    of = f"#{place} " if place else ""
    frame = f'::: {{{of}.{kind} tabindex="0" role="region" aria-label="{name}"}}'
    return Md("\n".join([frame, "", *lines, "", ":::"]))


@cache
def environment() -> jinja2.Environment:
    """Return the environment of the templates: ``<< >>`` prints, ``<% %>`` decides."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=escape,
        autoescape=False,  # finalize escapes, for Markdown; pandoc escapes for HTML
    )
    made.filters |= {
        function.__name__: function
        for function in (
            text,
            sourced,
            code,
            formula,
            verbatim,
            count,
            held,
            number,
            short,
            percent,
            interval,
            listed,
            status,
            p_value,
            equals,
            sentence,
            in_words,
            model_in_words,
        )
    }
    return made


def status(word: str) -> str:
    """Return the status of a fit in words."""
    return str(word).replace("_", " ")


def p_value(p: Any) -> str:
    """Return a p value as APA style has it: .034, < .001."""
    if p is None or pd.isna(p):
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 0.9995 else "> .999"


def p_and_error(p: Any, error: Any) -> str:
    """Return a simulated p value with its Monte Carlo error."""
    return p_value(p) if p is None or pd.isna(p) else f"{p_value(p)} ± {number(error, 3)}"


def equals(p: Any) -> str:
    """Return a p value for a sentence: = .034, < .001."""
    said = p_value(p)
    return said if said[0] in "<>–" else f"= {said}"
