"""Rows of the page that lists all datasets."""

from typing import Any

from ..markdown import Md, count, escape, held, text
from ..rows import Rows


def datasets(entries: list[dict[str, Any]]) -> Rows:
    """List the datasets of the index."""
    rows = []
    for entry in entries:
        mark = Md(" (synthetic)") if entry["synthetic"] else Md("")
        fits = f"{count(entry['n_models'])} models, {count(entry['n_failed'])} failed"
        found = f"{held(entry['n_episodes'])} in {held(entry['n_with_episode'])} courses"
        rows.append(
            {
                "dataset": Md(f"[{escape(entry['title'])}](<{entry['name']}.html>){mark}"),
                "licence": text(entry["licence"]),
                "courses": held(entry["n_courses"]),
                "sessions": held(entry["n_sessions"]),
                "criterion": text(entry["criterion"]),
                "episodes": found if entry["assessable"] else "not assessable",
                "status": fits,
            }
        )
    return rows
