"""One page: facts and captions laid into a template of report/templates."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
import pandas as pd
import yaml

from .markdown import FOLDER, Md, environment, figure, pipe_table, text


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

    def filled(self, words: str, **context: Any) -> Md:
        """Fill in a short text, which is kept on one line."""
        text = _compiled(words).render(self.context | context)
        return Md(" ".join(text.split()))

    def _caption(self, kind: str, name: str) -> str:
        self.numbers[kind] += 1
        words = self.captions[kind.lower()][name]["caption"]
        return f"**{kind} {self.numbers[kind]}.** {self.filled(words)}"

    def table(self, name: str, rows: list[dict[str, Any]], rest: str = "") -> Md:
        """Return a table with its caption."""
        columns = {
            key: column
            for key, column in self.captions["table"][name]["columns"].items()
            if not rows or key in rows[0]
        }
        return pipe_table(rows, columns, self._caption("Table", name), rest)

    def figure(self, name: str, dataset: str, numbers: pd.DataFrame) -> Md:
        """Return a figure with its caption."""
        if self.alt_text is None:
            raise TypeError("a page with figures needs a function that says what they show")
        path = f"figures/{dataset}/{name}.svg"
        alt = self.alt_text(name, numbers)
        return figure(path, alt, self._caption("Figure", name), name.replace("_", " "))

    def render(self, template: str) -> str:
        """Return the page as Markdown."""
        functions: dict[str, Callable[..., Any]] = {"table": self.table, "figure": self.figure}
        page = environment().get_template(template).render(self.context | functions)
        return front_matter(self.context["title"], self.context["subtitle"]) + page


def front_matter(title: object, subtitle: object) -> str:
    """Return the head of a Markdown file; JSON is YAML, so no title can end it."""
    words = {"title": text(title), "subtitle": text(subtitle), "lang": "en"}
    return f"---\n{json.dumps(words, ensure_ascii=False)}\n---\n\n"
