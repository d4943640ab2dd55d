"""What a spreadsheet shows of a number, by the number format of its cell.

A cell may hold 0.78 and show 78 %, hold 7 and show C007, or hold 12000 and show 12. What people
read, and mean, is what is shown. Digits that a format rounds away are kept.
"""

import re
from functools import lru_cache
from typing import NamedTuple

#: The parts of a section of a number format.
_PARTS = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[\$(?P<currency>[^\]-]*)[^\]]*\]'
    r"|\[(?P<bracket>[^\]]*)\]|(?P<exponent>[eE][+-][0#?]+)|(?P<general>(?i:General))"
    r"|(?P<digits>[0#?]|(?<=[0#?]),(?=.*[0#?])|\.)|(?P<percent>%)|(?P<scale>,)|(?P<text>@)"
    r"|(?P<fraction>/)|(?P<sign>.)",
    re.DOTALL,
)

_COLOURS = re.compile(r"(?i)(black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)")

#: Signs next to a number that do not change what it is.
_HARMLESS = re.compile(r"[\s()+€$£¥%\-]|(EUR|USD|CHF|GBP)\b")


class Section(NamedTuple):
    """One section of a format: for positive numbers, negative ones, zero, or text.

    Attributes
    ----------
    before, after : str
        Signs around the number, or all that is shown where there is no number.
    digits : str
        Its places; empty where the section shows no number.
    percent : int
        How often it is multiplied by 100.
    text : bool
        Whether it shows the text of the cell.
    readable : bool
        Whether all of it is understood.
    """

    before: str
    after: str
    digits: str
    percent: int
    text: bool
    readable: bool


def _section(code: str) -> Section:
    """Take one section apart."""
    around, digits, percent, text, readable = ["", ""], "", 0, False, True
    for part in _PARTS.finditer(code):
        kind, value = part.lastgroup, part.group()
        place = 1 if digits or text else 0
        if kind in ("digits", "general", "text"):
            # Signs between two runs of places, as in 00-00, are shown within the number.
            readable &= not around[1].strip() or kind == "text"
            digits += {"digits": value, "general": "0", "text": ""}[kind]
            text |= kind == "text"
        elif kind == "percent":
            percent += 1
        elif kind in ("quoted", "escaped", "sign", "currency"):
            around[place] += part[kind]
        elif kind == "bracket":
            readable &= bool(_COLOURS.fullmatch(value[1:-1]))
        elif kind in ("scale", "fraction"):
            readable &= kind == "fraction" and "?" in code
    return Section(around[0], around[1], digits, percent, text, readable)


def _shown(text: str) -> str:
    """Return the signs that are more than a sign of a currency, a minus or a parenthesis."""
    return _HARMLESS.sub("", text)


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[Section, ...]:
    parts = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    return tuple(map(_section, parts))


def of_number(value: float, code: str) -> tuple[str, int] | None:
    """Return how a number is shown.

    Parameters
    ----------
    value : float
        What the cell holds.
    code : str
        The number format of the cell.

    Returns
    -------
    (str, int) or None
        A pattern with ``{}`` for the number, and the power of ten that it is multiplied by; None
        where the format hides the number or is not understood.

    Examples
    --------
    >>> of_number(0.78, "0%"), of_number(7, '"C"000'), of_number(12000, "0,")
    (('{}', 2), ('C{:03d}', 0), None)
    """
    sections = _sections(code)
    numeric = [one for one in sections if not one.text or one.digits]
    if not numeric:  # a format for text
        return None if _shown(sections[0].before + sections[0].after) else ("{}", 0)
    at = 1 if value < 0 and len(numeric) > 1 else 2 if value == 0 and len(numeric) > 2 else 0
    one = numeric[at]
    if not one.readable:
        return None
    if not one.digits:
        if not _shown(one.before) and "-" in one.before and value == 0:
            return "{}", 0  # accountants write - for 0
        return (_escaped(one.before.strip()), 0) if _shown(one.before) else None
    sign_lost = at == 1 and not set(one.before) & set("-(")
    if sign_lost or (value == 0 and not set(one.digits) & set("0?")):
        return None
    zeros = len(re.match(r"[^.]*", one.digits)[0].replace(",", "").lstrip("#?"))  # type: ignore[index]
    padded = zeros > 1 and "." not in one.digits and value >= 0 and value == int(value)
    number = f"{{:0{zeros}d}}" if padded else "{}"
    before = one.before.lstrip() if _shown(one.before) else ""
    after = one.after.rstrip() if _shown(one.after) else ""
    return f"{_escaped(before)}{number}{_escaped(after)}", 2 * one.percent


def of_text(code: str) -> str | None:
    """Return how a text is shown, with ``{}`` for the text; None where it is hidden.

    Examples
    --------
    >>> of_text("General"), of_text('"C"@'), of_text(";;;")
    ('{}', 'C{}', None)
    """
    sections = _sections(code)
    texts = [one for one in sections if one.text and not one.digits] or list(sections[3:4])
    if not texts:
        return "{}"
    one = texts[-1]
    if not one.text:
        return None
    return f"{_escaped(one.before.strip())}{{}}{_escaped(one.after.strip())}"


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
