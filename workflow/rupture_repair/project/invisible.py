"""Characters that nobody sees: which they are, and how messages show them."""

import unicodedata

#: Signs without a shape, or with an empty one, that are not of the categories Cf and Cc.
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def is_invisible(sign: str) -> bool:
    r"""Return whether a character has no shape: a zero-width space, a mark of direction, a BOM.

    White space is not counted among them: it separates words.

    Examples
    --------
    >>> [is_invisible(sign) for sign in ("\u200b", "\ufeff", "\u00ad", " ", "a")]
    [True, True, True, False, False]
    """
    if sign.isspace():
        return False
    return (
        unicodedata.category(sign) in ("Cf", "Cc") or sign in _EMPTY or "\ufe00" <= sign <= "\ufe0f"
    )


def visible(text: str) -> str:
    r"""Return a text with invisible characters and unusual spaces written out.

    Examples
    --------
    >>> visible("C01\u200b"), visible("C\u00a001"), visible("C 01")
    ('C01<U+200B>', 'C<U+00A0>01', 'C 01')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"<U+{ord(sign):04X}>"
        if is_invisible(sign) or (sign.isspace() and sign not in " \t\r\n\v\f")
        else sign
        for sign in text
    )
