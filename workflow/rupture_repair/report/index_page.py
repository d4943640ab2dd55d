"""The overview of all datasets, laid into index.md."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..disclosure import tables
from ..disclosure.gate import Gate
from ..figures.alt_text import alt_text
from ..project.headline import what_to_show
from ..project.licences import non_commercial
from ..project.measures import Measures
from ..project.processed import of_criterion
from ..project.setting_groups import Settings
from .failed_page import without_ids
from .page import Page
from .rows import one_per_fit
from .sections import overview
from .sections import synthesis as pooled

#: What the template calls, by the name of the section.
SECTIONS = {"overview": overview, "synthesis": pooled}


def index_entry(
    dataset: Mapping[str, Any],
    measures: Measures,
    detection: pd.DataFrame,
    estimates: pd.DataFrame,
    sessions: pd.DataFrame,
    settings: Settings,
    gate: Gate,
) -> dict[str, Any]:
    """Return what the index says of a dataset whose report was made.

    Parameters
    ----------
    dataset : mapping
        dataset.json.
    measures : mapping of str to Measure
    detection, estimates, sessions : DataFrame
        The tables of these names; of `sessions` only the columns course and therapist are used.
    settings : Settings
    gate : Gate
        What may be shown.

    Returns
    -------
    dict
        name, title, synthetic, twin_of, licence, non_commercial, stands_in (the alliance measures
        that are none), n_courses, n_sessions, criterion, n_episodes and n_with_episode (of the
        measure and criterion shown), assessable, formats (of its report), n_models, n_failed.
    """
    measure, criterion = what_to_show(detection, measures, settings.default_criterion)
    row = of_criterion(tables.detection(gate, detection), measure, criterion).iloc[0]
    status = one_per_fit(estimates)["status"]
    return {
        "name": dataset["name"],
        "title": dataset["title"],
        "synthetic": bool(dataset["synthetic"]),
        "twin_of": dataset.get("twin_of"),
        "licence": dataset["licence"],
        "non_commercial": non_commercial(dataset["licence"]),
        "stands_in": [one for one in measures.values() if one.stands_in],
        "n_courses": gate.count(("courses",), int(sessions["course"].nunique())),
        "n_sessions": gate.count(("sessions",), len(sessions)),
        "criterion": str(row["name"]),
        "assessable": bool(row["assessable"]),
        "n_episodes": row["n_episodes"],
        "n_with_episode": row["n_courses_with_episode"],
        "formats": settings.report.formats,
        "n_models": len(status),
        "n_failed": int((status == "failed").sum()),
    }


def index(
    entries: Iterable[Mapping[str, Any]],
    failures: Iterable[Mapping[str, Any]],
    about: Mapping[str, Any],
    synthesis: Mapping[str, Any] | None = None,
) -> str:
    """Return the overview of all datasets as Markdown.

    Parameters
    ----------
    entries : iterable of mappings
        From :func:`index_entry`, in the order of config.yaml.
    failures : iterable of mappings
        One per step that failed, from :func:`rupture_repair.project.step_log.failures`: dataset,
        step, problems (texts), log (path as text).
    about : mapping
        From :func:`rupture_repair.report.provenance`.
    synthesis : mapping, optional
        `pooled` and `studies` of one criterion, its `criterion`, and `figure`, the numbers of the
        forest; without it the overview says that nothing was pooled because a step failed.
    """
    page = Page(
        alt_text,
        sections=SECTIONS,
        title="Rupture and repair",
        subtitle="Reports of all datasets",
        entries=list(entries),
        failures=[{**failure, "message": _first(without_ids(failure))} for failure in failures],
        about=about,
        synthesis=synthesis,
    )
    return page.render("index.md")


def _first(problems: Sequence[str]) -> str:
    """Return the first of some problems, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (problems[0] if problems else "The step left no message.") + more
