"""Problems of a dataset as others may read them: kind and place, nothing of what was found."""

import re
from collections.abc import Iterable

from ..project.messages.catalogue import CATALOGUE

#: Kinds of problems that tell of settings, descriptors and runs, not of data.
_OF_SETTINGS = ("E1", "W1", "E4", "E73", "E9")

_CODE = re.compile(r"([EW]\d{3})( [^:]*(?::\S[^:]*)*)?: ")


def public(said: str) -> str:
    """Return the text of a problem without any cell of a data file, and without any count.

    Parameters
    ----------
    said : str
        The text of a :class:`~rupture_repair.project.problems.Problem`, or of an exception.

    Returns
    -------
    str
        Code and place, and what the catalogue says of this kind, with an ellipsis for each fact.
        Of an exception its type alone.

    Examples
    --------
    >>> public("E202 a.csv, row 4, column x: 'inf of Jane' is not a finite number. (and 2 more)")
    "E202 a.csv, row 4, column x: '…' is not a finite number."
    >>> public("KeyError: 'Jane'")
    'KeyError'
    """
    found = _CODE.match(said)
    if found is None or found[1] not in CATALOGUE:
        return re.split(r"\W", said)[0] or "The log says more."
    if found[1].startswith(_OF_SETTINGS):
        return said
    text = CATALOGUE[found[1]].text.replace("{hint}", "")
    return found[0] + re.sub(r"…[….]*…", "…", re.sub(r"{[a-z_]+}", "…", text))


def kinds(said: Iterable[str]) -> list[str]:
    """Return which kinds of problems there are, each once and without its places.

    How often a warning occurs counts courses or sessions.

    Examples
    --------
    >>> kinds(["W305 a.csv, row 4: the row is empty.", "W305 a.csv, row 9: the row is empty."])
    ['W305: the row is empty.']
    """
    found = [_CODE.sub(lambda code: f"{code[1]}: ", public(one)) for one in said]
    return list(dict.fromkeys(found))
