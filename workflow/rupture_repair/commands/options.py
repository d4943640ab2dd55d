"""What the options of several commands have in common."""

import argparse
from collections.abc import Sequence
from typing import Any

from ..project.problems import ProblemsFound, problem


def add_delimiter(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--delimiter`` of a command that reads a CSV file."""
    parser.add_argument(
        "--delimiter", default=",", metavar="SIGN", help="between columns (,), or tab"
    )


def delimiter(text: str) -> str:
    r"""Return the sign that ``--delimiter`` names.

    Examples
    --------
    >>> delimiter("tab"), delimiter(";")
    ('\t', ';')
    """
    return "\t" if text in ("tab", "\\t") else text


def assignments(texts: Sequence[str], example: str, keys: int = 1) -> dict[tuple[str, ...], Any]:
    """Return what ``--set KEY.KEY=VALUE`` sets, read as YAML.

    Parameters
    ----------
    texts : sequence of str
        As given.
    example : str
        How it is written, for the message.
    keys : int
        Fewest keys, separated by points, that name a setting.

    Returns
    -------
    dict
        Path of keys -> value.

    Raises
    ------
    ProblemsFound
        For a text that is not written so (E719).

    Examples
    --------
    >>> assignments(["dip.k=1.5"], "CRITERION.SETTING=VALUE", keys=2)
    {('dip', 'k'): 1.5}
    """
    from ..project import yaml_files

    found = {}
    for text in texts:
        place, equals, value = text.partition("=")
        path = tuple(key.strip() for key in place.split("."))
        try:
            read = yaml_files.value(value)
        except ValueError:
            equals = ""
        if not equals or len(path) < keys or not all(path) or not value.strip():
            raise ProblemsFound([problem("E719", file="--set", found=text, allowed=example)])
        found[path] = read
    return found
