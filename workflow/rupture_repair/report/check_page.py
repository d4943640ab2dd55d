"""The page of a check: every problem, with the offending cells in context."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..ingest import check_text
from ..project.problems import Problem
from .markdown import Md, attribute, escape
from .output_formats import render_html
from .page import Page


def _excerpt_table(excerpt: check_text.Excerpt) -> Md:
    """Return rows of a file as a table, the offending cell marked."""
    place = excerpt.columns.index(excerpt.column) if excerpt.column in excerpt.columns else None
    heading = ["Row", *excerpt.columns]
    lines = [
        "| " + " | ".join(escape(one or "(no name)") for one in heading) + " |",
        "| ---: |" + " :--- |" * len(excerpt.columns),
    ]
    for number, cells in excerpt.rows:
        shown = [escape(cell) for cell in cells]
        label = escape(number)
        if number == excerpt.row:
            label = Md(f"[{label}]{{.mark}}")
            if place is not None:
                shown[place] = Md(f"[{shown[place] or '(empty)'}]{{.mark}}")
        lines.append("| " + " | ".join([label, *shown]) + " |")
    name = attribute(f"Rows around row {excerpt.row}")
    frame = f'::: {{.scroll tabindex="0" role="region" aria-label="{name}"}}'
    return Md("\n".join([frame, "", *lines, "", ":::"]))


def check_report(
    name: str,
    problems: Sequence[Problem],
    excerpts: Mapping[Problem, Sequence[check_text.Excerpt]],
    about: Mapping[str, Any],
) -> str:
    """Return the page of a check as Markdown.

    Parameters
    ----------
    name : str
        The dataset.
    problems : sequence of Problem
        From :func:`rupture_repair.ingest.check.check`.
    excerpts : mapping
        From :func:`rupture_repair.ingest.check_text.excerpts`.
    about : mapping
        From :func:`rupture_repair.report.provenance`.
    """
    groups = check_text.grouped(problems)
    errors = sum(one.is_error for one in problems)
    kinds = [
        {
            "code": Md(f"[{group.code}](#{group.code})"),
            "stops": "yes" if group.is_error else "no",
            "cells": f"{group.cells:,}",
            "first": group.problems[0].text.split(":")[0].removeprefix(group.code).strip() or "–",
        }
        for group in groups
    ]
    page = Page(
        title=f"Check of the dataset {name}",
        subtitle="Every problem, the kinds with most cells first"
        if groups
        else "What was found in the files",
        errors=errors,
        warnings=len(problems) - errors,
        groups=groups,
        kinds=kinds,
        most=check_text.WORST,
        excerpts=excerpts,
        excerpt_table=_excerpt_table,
        about=about,
    )
    return page.render("check.md")


def write_check(
    name: str,
    problems: Sequence[Problem],
    forms: Mapping[str, Any],
    about: Mapping[str, Any],
    target: Path,
) -> Path:
    """Write the page of a check, with the cells of the files around each problem."""
    groups = check_text.grouped(problems)
    shown = [one for group in groups for one in group.problems[: check_text.WORST]]
    return render_html(
        check_report(name, problems, check_text.excerpts(shown, forms), about), target
    )
