"""Reasons as others may read them: built from what each says, never from how a table says it.

A reason in a table holds counts, and values of single persons. It is read by the sentences of
:mod:`.sentences`; what others see is that sentence with those of its facts that may be shown. What
no sentence reads is not shown at all.
"""

import re
from collections.abc import Iterator
from functools import cache

from .sentences import SENTENCES

#: What is shown where a reason cannot be.
KEPT = "the reason is kept with the data"

#: What joins the sentences of a message.
_JOIN = "; "

#: A word that does not begin with a digit, whatever sign stands before it; a colon ends a sentence.
_WORD = r"(?!\W*\d)(?:[^\s;:<>{}]|:(?!\s|$))+"
_NUMBER = r"[-−+]?\d[\d.,]*(?:e[-+]?\d+)?"
_FIELDS = {
    "name": rf"({_WORD}(?: {_WORD})*?)",
    "chosen": rf"({_NUMBER})",
    "estimate": rf"({_NUMBER})",
    "reason": "(.+)",
}


@cache
def _readings() -> list[tuple[re.Pattern[str], list[str]]]:
    """Return how each sentence is read, and what others see of it: words, or {field}."""
    readings = []
    for sentence in SENTENCES:
        pattern, shown = "", []
        for part in re.split(r"(<[^>]*>|\{\w+\})", sentence):
            if part.startswith("<"):
                owners, _, others = part[1:-1].partition("|")
                words = re.split(r"\{\w+\}", owners)
                pattern += ".+?".join(re.escape(one) for one in words)
                shown.append(others)
            elif part.startswith("{"):
                pattern += _FIELDS[part[1:-1]]
                shown.append(part)
            else:
                pattern += re.escape(part)
                shown.append(part)
        readings.append((re.compile(pattern), shown))
    return readings


def public(said: str, *, estimates: bool = True) -> str:
    """Return what others may read of a reason.

    Parameters
    ----------
    said : str
        A reason, message or note of a table: one or more sentences.
    estimates : bool
        Whether the estimate that it speaks of is shown as well.

    Returns
    -------
    str
        Without anything that was counted; :data:`KEPT` where the reason is not known.

    Examples
    --------
    >>> public("too few events: 3 in 15 rows for 4 terms; no therapist is named")
    'too few data for this model; no therapist is named'
    >>> public("depth does not vary: it is 1.92333 in all 1 rows")
    'depth does not vary'
    >>> public("KeyError: 'Jane Smith'")
    'the reason is kept with the data'
    """
    return _public(str(said), estimates) or KEPT


def _public(said: str, estimates: bool) -> str | None:
    """Return the public form of sentences, None where one of them is not known."""
    for end in _ends(said):
        first = _sentence(said[:end], estimates)
        if first is None:
            continue
        if end == len(said):
            return first
        rest = _public(said[end + len(_JOIN) :], estimates)
        if rest is not None:
            return first + _JOIN + rest
    return None


def _ends(said: str) -> Iterator[int]:
    """Yield where the first sentence of a message may end, the whole message first."""
    yield len(said)
    for join in re.finditer(re.escape(_JOIN), said):
        yield join.start()


def _sentence(said: str, estimates: bool) -> str | None:
    """Return the public form of one sentence, None where it is not known."""
    for pattern, shown in _readings():
        found = pattern.fullmatch(said)
        if found is None or ("{estimate}" in shown and not estimates):
            continue
        facts = iter(found.groups())
        parts: list[str | None] = [
            part if not part.startswith("{") else
            _public(next(facts), estimates) if part == "{reason}" else next(facts)
            for part in shown
        ]  # fmt: skip
        if None not in parts:
            return "".join(part for part in parts if part is not None)
    return None
