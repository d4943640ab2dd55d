"""Reasons whose facts stay apart from their words.

A reason is made by its name in :mod:`.reason_catalogue` and its facts. Tables keep it as text in
which each fact is in braces: ``too few events: {3} in {15} rows for {4} terms``. So nothing has to
be guessed from words: who may see all facts reads :func:`in_full`, and for others the gate builds
the sentence from the facts that they may see (:mod:`rupture_repair.disclosure.reasons`).
"""

import re
from typing import NamedTuple

from .reason_catalogue import WITH_FACTS, WITHOUT_FACTS

#: What joins the sentences of a message; no sentence holds it.
JOIN = "; "


class Sentence(NamedTuple):
    """A reason of the catalogue.

    Attributes
    ----------
    owner, others : str
        Its text for the owner of the data, and for others; with fields for facts.
    fields : tuple of str
        The facts of `owner`, in their order.
    """

    owner: str
    others: str
    fields: tuple[str, ...]


def _sentence(text: str) -> Sentence:
    owner = re.sub(r"<([^|>]*)(?:\|[^>]*)?>", r"\1", text)
    others = re.sub(r"<[^|>]*\|?([^>]*)>", r"\1", text)
    return Sentence(owner, others, tuple(re.findall(r"{(\w+)}", owner)))


_BY_NAME = {name: _sentence(text) for name, text in WITH_FACTS.items()}
_BY_SHAPE = {re.sub(r"{\w+}", "{}", one.owner): one for one in _BY_NAME.values()}
_BY_SHAPE |= {text: Sentence(text, text, ()) for text in WITHOUT_FACTS}


def because(name: str, **facts: object) -> str:
    """Return a reason.

    Parameters
    ----------
    name : str
        In the catalogue.
    **facts
        What the fields of its text stand for; `reason` is another reason.

    Returns
    -------
    str
        With each fact in braces; braces within a fact become parentheses.

    Raises
    ------
    KeyError
        If there is no such reason, or a fact is missing.

    Examples
    --------
    >>> because("few_pairs", pairs=3)
    '{3} pairs are too few'
    """
    marked = {key: str(fact) for key, fact in facts.items()}
    for key in marked.keys() - {"reason"}:
        marked[key] = marked[key].replace("{", "(").replace("}", ")")
    return _BY_NAME[name].owner.format_map({key: f"{{{fact}}}" for key, fact in marked.items()})


def in_full(reason: str) -> str:
    """Return a reason as the owner of the data reads it.

    Examples
    --------
    >>> in_full("{3} pairs are too few")
    '3 pairs are too few'
    """
    return reason.replace("{", "").replace("}", "")


def taken_apart(message: str) -> list[tuple[Sentence | None, list[str]]]:
    """Return the sentences of a message, each with its facts; None for one that is not known.

    Examples
    --------
    >>> [(known, facts)] = taken_apart(because("few_pairs", pairs=3))
    >>> known.others, facts
    ('too few pairs', ['3'])
    """
    found: list[tuple[Sentence | None, list[str]]] = []
    shape, facts, depth, begin = "", list[str](), 0, 0
    for mark in re.finditer(r"[{}]|; |$", message):
        end = mark[0] in (JOIN, "") and depth == 0
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if end or (mark[0], depth) == ("{", 1):
            shape += message[begin : mark.start()] + ("" if end else "{}")
            begin = mark.end()
        elif (mark[0], depth) == ("}", 0):
            facts.append(message[begin : mark.start()])
            begin = mark.end()
        if end:
            found.append((_BY_SHAPE.get(shape), facts))
            shape, facts = "", []
    return found if found and depth == 0 else [(None, [])]


def reads_as(text: str, name: str) -> bool:
    """Return whether one of the sentences of a text on a page is the reason of this name.

    Parameters
    ----------
    text : str
        A message as its owner or as others read it, where facts have no braces any more.
    name : str
        In the catalogue; of a reason without facts its text.

    Raises
    ------
    KeyError
        If there is no such reason.

    Examples
    --------
    >>> reads_as("3 pairs are too few", "few_pairs"), reads_as("too few pairs", "few_pairs")
    (True, True)
    """
    known = _BY_NAME.get(name) or _BY_SHAPE[name]
    shapes = (re.sub(r"\\{\w+\\}", ".*", re.escape(one)) for one in (known.owner, known.others))
    return re.fullmatch(f"(.*{JOIN})?({'|'.join(shapes)})({JOIN}.*)?", text) is not None


def says(message: str, name: str) -> bool:
    """Return whether one of the sentences of a message is the reason of this name."""
    return any(known is _BY_NAME[name] for known, _ in taken_apart(message))
