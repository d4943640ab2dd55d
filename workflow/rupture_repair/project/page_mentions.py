"""Mentions of pages of the documentation, which those who get a single file do not have."""

import re

_MENTION = re.compile(r"(?:, | \()docs/\w+\.md\)?")


def without_mentions(text: str) -> str:
    """Return a text without mentions of pages of the documentation.

    Examples
    --------
    >>> without_mentions("This project, docs/chance.md")
    'This project'
    """
    return _MENTION.sub("", text)
