"""Why a run of ratings is, or is not, a rupture: every run of one course that is considered."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ..project.measures import Measures
from .courses import chosen
from .explain import AppliedCriterion
from .ratings import arrange, why_not_assessable
from .scan.falls import considered


def runs_considered(
    sessions: pd.DataFrame,
    measures: Measures,
    rule: AppliedCriterion,
    max_gap: int,
    *,
    course: str,
    measure: str,
) -> pd.DataFrame:
    """Return every run of a course that a criterion with a window considers.

    Parameters
    ----------
    sessions : DataFrame
        Ratings of all courses of the dataset: they say what is ordinary.
    measures : mapping of str to Measure
    rule : AppliedCriterion
        The criterion as it was applied.
    max_gap : int
        Edge rule, see config.schema.yaml.
    course, measure : str

    Returns
    -------
    DataFrame
        One row per run: `first` and `last` (sessions), `ratings` (in words), `level` (mean of the
        ratings, those at the top of the scale replaced by what they stand for), `line` (that the
        level is compared with), both in the direction of the measure, `fall` and `unit` (points),
        `z` (missing where the run does not lie low) and `found`. Empty where the criterion cannot
        be applied.
    """
    about = replace(measures[measure], components=())
    ratings = arrange(sessions.astype({"course": "str"}), measure, about)
    criterion = replace(rule.criterion, k=rule.k)
    place = np.flatnonzero(ratings.course_ids == course)
    if why_not_assessable(criterion, about, ratings) is not None or not len(place):
        return pd.DataFrame(columns=_COLUMNS)
    own, _ = chosen(ratings.courses, place)
    runs, sign = considered(own, criterion, ratings.scale, max_gap), about.sign
    shown = [
        ", ".join(f"{value:.10g}" for value in sign * own.rating[first : last + 1])
        for first, last in zip(runs["first"], runs["last"], strict=True)
    ]
    runs = runs.assign(
        level=sign * runs["level"],
        line=sign * (runs["level"] + runs["fall"]),
        ratings=shown,
        first=own.session[runs["first"]],
        last=own.session[runs["last"]],
    )
    return runs[_COLUMNS]


_COLUMNS = ["first", "last", "ratings", "level", "line", "fall", "unit", "z", "found"]


def runs_as_text(runs: pd.DataFrame, k: float) -> list[str]:
    """Return runs as lines for the terminal, one sentence each.

    Parameters
    ----------
    runs : DataFrame
        From :func:`runs_considered`.
    k : float

    Returns
    -------
    list of str
    """
    if runs.empty:
        return ["No run of ratings could be considered."]
    lines = [f"Runs of ratings that were considered ({len(runs)}); a rupture needs z >= {k:g}:"]
    for run in runs.itertuples():
        when = (
            f"session {run.first}" if run.first == run.last else f"sessions {run.first}-{run.last}"
        )
        said = f"  {when}: {run.ratings}; "
        if pd.isna(run.z):
            said += f"not below the line of the other ratings ({run.line:.1f})"
        else:
            compared = ">=" if run.z >= k * (1 - 1e-9) else "<"
            said += (
                f"{run.fall:.1f} points below the line of the other ratings ({run.line:.1f}), "
                f"unit {run.unit:.2f}, z = {run.z:.2f} {compared} {k:g}"
            )
            said += ": a rupture" if run.found else ""
            said += ": overlaps a lower run" if compared == ">=" and not run.found else ""
        lines.append(said)
    return lines
