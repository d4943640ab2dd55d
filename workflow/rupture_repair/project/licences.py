"""What a licence allows, as far as its words say."""

import re


def non_commercial(licence: str) -> bool:
    """Say whether a licence forbids commercial use.

    Examples
    --------
    >>> [non_commercial(words) for words in ("CC BY-NC 4.0", "MIT", "non-commercial use only")]
    [True, False, True]
    """
    return bool(re.search(r"\bNC\b|non-?\s?commercial", licence, re.I))
