"""Rows of the page that lists all datasets."""

from typing import Any

from ..markdown import Md, count, escape, held, text
from ..rows import Rows

#: Other pages of a dataset, and what their names add to its own.
_FURTHER = {"Explorer": "-explorer.html", "Summary": "-summary.png"}


def _pages(entry: dict[str, Any]) -> Md:
    """Link the other forms of the report of a dataset, and its other pages."""
    forms = {"PDF": "pdf", "Word": "docx"}
    ends = {word: f".{form}" for word, form in forms.items() if form in entry["formats"]}
    links = [f"[{word}](<{entry['name']}{end}>)" for word, end in (ends | _FURTHER).items()]
    return Md(" · ".join(links))


def datasets(entries: list[dict[str, Any]]) -> Rows:
    """List the datasets of the index."""
    rows = []
    for entry in entries:
        mark = Md(" (synthetic)") if entry["synthetic"] else Md("")
        if entry["twin_of"]:
            mark = Md(f" (twin of {escape(entry['twin_of'])})")
        fits = f"{count(entry['n_models'])} models, {count(entry['n_failed'])} failed"
        found = f"{held(entry['n_episodes'])} in {held(entry['n_with_episode'])} courses"
        rows.append(
            {
                "dataset": Md(f"[{escape(entry['title'])}](<{entry['name']}.html>){mark}"),
                "pages": _pages(entry),
                "licence": text(entry["licence"]),
                "courses": held(entry["n_courses"]),
                "sessions": held(entry["n_sessions"]),
                "criterion": text(entry["criterion"]),
                "episodes": found if entry["assessable"] else "not assessable",
                "status": fits,
            }
        )
    return rows
