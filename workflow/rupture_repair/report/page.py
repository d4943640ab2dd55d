"""One page: facts and captions laid into a template of report/templates."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
import pandas as pd
import yaml

from .markdown import FOLDER, Md, environment, figure, pipe_table, text

#: A mention of a table or figure whose number is not known yet. Texts of datasets never hold
#: these characters.
_MENTION = re.compile("\x02(.*?)\x04(.*?)\x04(.*?)\x03")


@cache
def words_of(name: str) -> dict[str, Any]:
    """Return a YAML file of words, which lies next to the templates."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@cache
def _compiled(words: str) -> jinja2.Template:
    return environment().from_string(words)


class Page:
    """One page in the making: numbers its tables and figures.

    Parameters
    ----------
    alt_text : callable, optional
        Says in words what a figure shows, from its name and its numbers; a page without figures
        needs none.
    **context
        What the template names.
    """

    def __init__(self, alt_text: Callable[[str, pd.DataFrame], str] | None = None, **context: Any):
        self.alt_text = alt_text
        self.captions = words_of("captions.yaml")
        self.context = context | {"phrases": words_of("phrases.yaml"), "nbsp": "\u00a0"}
        self.numbers = {"Table": 0, "Figure": 0}
        self.places: dict[str, str] = {}

    def filled(self, words: str, **context: Any) -> Md:
        """Fill in a short text, which is kept on one line."""
        context |= {"mention": self.mention}
        text = _compiled(words).render(self.context | context)
        return Md(re.sub(r"[ \t\r\n]+", " ", text).strip(" "))  # a space that holds a line stays

    def _caption(self, kind: str, name: str, **context: Any) -> tuple[str, str]:
        """Return the caption of the next table or figure, and its id."""
        self.numbers[kind] += 1
        title = f"{kind} {self.numbers[kind]}"
        place = first = f"{kind.lower()}-{name.replace('_', '-')}"
        again = 1
        while place in self.places:
            again += 1
            place = f"{first}-{again}"
        self.places[place] = title
        words = self.captions[kind.lower()][name]["caption"]
        return f"**{title}.** {self.filled(words, **context)}", place

    def table(self, name: str, rows: list[dict[str, Any]], rest: str = "", **context: Any) -> Md:
        """Return a table with its caption; `context`: what the caption names beyond the page."""
        columns = {
            key: column
            for key, column in self.captions["table"][name]["columns"].items()
            if not rows or key in rows[0]
        }
        caption, place = self._caption("Table", name, **context)
        return pipe_table(rows, columns, caption, rest, place)

    def figure(self, name: str, dataset: str, numbers: pd.DataFrame) -> Md:
        """Return a figure with its caption, and links to its files."""
        if self.alt_text is None:
            raise TypeError("a page with figures needs a function that says what they show")
        path = f"figures/{dataset}/{name}"
        caption, place = self._caption("Figure", name)
        return figure(path, self.alt_text(name, numbers), caption, place)

    def mention(self, kind: str, name: str, otherwise: str = "") -> Md:
        """Return the number of a table or figure of the page, which may follow later, as a link.

        Parameters
        ----------
        kind : {"Table", "Figure"}
        name : str
            As in captions.yaml.
        otherwise : str
            What is said where the page has none of this name.
        """
        return Md(f"\x02{kind}\x04{name}\x04{otherwise}\x03")

    def _mentioned(self, found: re.Match[str]) -> str:
        kind, name, otherwise = found.groups()
        place = f"{kind.lower()}-{name.replace('_', '-')}"
        return f"[{self.places[place]}](#{place})" if place in self.places else otherwise

    def render(self, template: str) -> str:
        """Return the page as Markdown."""
        functions: dict[str, Callable[..., Any]] = {
            "table": self.table,
            "figure": self.figure,
            "mention": self.mention,
        }
        page = environment().get_template(template).render(self.context | functions)
        page = _MENTION.sub(self._mentioned, page)
        return front_matter(self.context["title"], self.context["subtitle"]) + page


def front_matter(title: object, subtitle: object) -> str:
    """Return the head of a Markdown file; JSON is YAML, so no title can end it."""
    words = {"title": text(title), "subtitle": text(subtitle), "lang": "en"}
    return f"---\n{json.dumps(words, ensure_ascii=False)}\n---\n\n"
