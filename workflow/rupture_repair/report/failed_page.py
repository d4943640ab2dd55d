"""The report of a dataset that could not be analysed, laid into failed.md."""

from collections.abc import Mapping
from typing import Any

from ..disclosure import problem_texts
from .page import Page


def failure_report(failure: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Return the report of a dataset that could not be analysed as Markdown.

    Parameters
    ----------
    failure : mapping
        From :func:`rupture_repair.project.step_log.failures`: dataset, step, problems (texts),
        traceback (empty for a user's mistake), log (path as text).
    about : mapping
        From :func:`rupture_repair.report.provenance`.
    """
    page = Page(
        title=f"{failure['dataset']} could not be analysed",
        subtitle=f"The step {failure['step']} failed",
        failure={**failure, "problems": without_ids(failure)},
        about=about,
    )
    return page.render("failed.md")


def without_ids(failure: Mapping[str, Any]) -> list[str]:
    """Return the problems of a failure without cells: a report may be passed on, the log is not."""
    return [problem_texts.public(said) for said in failure["problems"]]
