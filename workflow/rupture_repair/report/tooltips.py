"""Tooltips of a page: words of the glossary say what they mean where one points at them."""

import html
import re
from collections.abc import Iterator
from functools import cache

from ..project.glossary import glossary

#: A paragraph, whose words are explained, and a heading, after which they are explained anew.
_PLACES = re.compile(r"(<h2\b)|<p>(.*?)</p>", re.DOTALL)

#: Tags, and elements inside which nothing is marked.
_TAGS = re.compile(r"(<(a|abbr|code|span|bdi|math|svg)\b.*?</\2>|<[^>]+>)", re.DOTALL)


def with_tooltips(page: str) -> str:
    """Return a page in which the first of each word of the glossary in a section is explained.

    Parameters
    ----------
    page : str
        HTML. Only paragraphs of its main part are changed, and none of their text.

    Returns
    -------
    str

    Examples
    --------
    >>> page = with_tooltips("<main><p>From onset to <b>nadir</b>.</p><p>The nadir.</p></main>")
    >>> page.count("<abbr")
    2
    """
    before, main, rest = page.partition("<main")
    told: set[str] = set()

    def explained(place: re.Match[str]) -> str:
        if place[1]:
            told.clear()
            return place[0]
        return f"<p>{''.join(_marked(place[2], told))}</p>"

    return before + main + _PLACES.sub(explained, rest)


def _marked(paragraph: str, told: set[str]) -> Iterator[str]:
    """Yield the parts of a paragraph, words of the glossary marked unless they were told."""
    meanings, pattern = _words()

    def mark(found: re.Match[str]) -> str:
        name, meaning = meanings[found[0].lower().replace("\u00a0", " ")]
        if name in told:
            return found[0]
        told.add(name)
        return f'<abbr title="{html.escape(meaning)}">{found[0]}</abbr>'

    at = 0
    for tag in _TAGS.finditer(paragraph):
        yield pattern.sub(mark, paragraph[at : tag.start()])
        yield tag[0]
        at = tag.end()
    yield pattern.sub(mark, paragraph[at:])


@cache
def _words() -> tuple[dict[str, tuple[str, str]], re.Pattern[str]]:
    """Return name and meaning of each form of each word, and what finds them."""
    meanings = {
        form.lower(): (word.name, word.meaning)
        for word in glossary()
        for form in (word.name, *word.forms)
    }
    longest = sorted(meanings, key=len, reverse=True)
    forms = "|".join(re.escape(form).replace(r"\ ", r"[ \u00a0]") for form in longest)
    return meanings, re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])", re.IGNORECASE)
