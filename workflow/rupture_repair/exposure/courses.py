"""Episodes and outcome by course."""

import numpy as np
import pandas as pd

from ..project.dataset import Dataset
from ..project.measures import Measure
from ..project.reasons import because
from .shared import by_course, of_measure, therapist_of, turned

#: Groups of courses in the model of trajectories; the first is the reference.
GROUPS = ("none", "repaired only", "any unrepaired", "censored only")

COURSE_COLUMNS = (
    "course",
    "therapist",
    "first_outcome",
    "last_outcome",
    "n_repaired",
    "n_unrepaired",
    "n_censored",
    "n_sessions",
    "mean_alliance",
    "group",
    "recovered",
)


def course_exposures(
    episodes: pd.DataFrame,
    states: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    outcome: str,
) -> pd.DataFrame:
    """Return episodes and outcome of whole courses, one row per course that could be assessed.

    A censored episode (too few sessions left to know whether it was repaired) is counted on its
    own, never as unrepaired.

    Parameters
    ----------
    episodes, states : DataFrame
        `episodes` and `session_states` of one criterion.
    dataset, measure, outcome
        As for :func:`~rupture_repair.exposure.sessions.session_exposures`.

    Returns
    -------
    DataFrame
        Sorted by course, with the columns `course`, `therapist`, `first_outcome`, `last_outcome`
        (turned so that higher is better; the last one is missing where there is only one),
        `n_repaired`, `n_unrepaired`, `n_censored` (episodes), `n_sessions` (with a rating of the
        alliance), `mean_alliance` (turned likewise), `group` (ordered categories
        :data:`GROUPS`: "any unrepaired" wins over "repaired only", that over "censored only"),
        `recovered` (1 if the outcome began on the clinical side of the cut-off and ended beyond it
        with reliable change, 0 if it began there and did not; missing for other courses, and where
        cut-off or reliable change are not known; Jacobson & Truax 1991, doi
        10.1037/0022-006X.59.1.12).
    """
    assessable = of_measure(states, measure)
    assessable = assessable[assessable["state"].astype("str") != "not_assessable"]
    table = pd.DataFrame({"course": np.sort(assessable["course"].astype("str").unique())})
    own = of_measure(episodes, measure)
    _count(table, own["course"], own["status"])
    table["group"] = _group(table)
    rated = turned(dataset.sessions, dataset.measures, measure)
    alliance = rated.groupby("course", sort=False)["value"]
    table["n_sessions"] = by_course(table, alliance.size())
    table["mean_alliance"] = by_course(table, alliance.mean())
    table["therapist"] = therapist_of(table["course"], dataset.courses)
    first, last = first_and_last(dataset, outcome)
    table["first_outcome"] = by_course(table, first)
    table["last_outcome"] = by_course(table, last)
    table["recovered"] = _recovered(table, dataset.measures[outcome])
    return table[list(COURSE_COLUMNS)]


def _group(table: pd.DataFrame) -> pd.Categorical:
    """Return the group of each course from its numbers of episodes."""
    none, repaired, unrepaired, censored = GROUPS
    conditions = [table["n_unrepaired"] > 0, table["n_repaired"] > 0, table["n_censored"] > 0]
    group = np.select(conditions, [unrepaired, repaired, censored], default=none)
    return pd.Categorical(group, categories=list(GROUPS), ordered=True)


def first_and_last(dataset: Dataset, outcome: str) -> tuple[pd.Series, pd.Series]:
    """Return first and last outcome by course, turned; from sessions, or from before and after."""
    courses, measures = dataset.courses, dataset.measures
    if outcome in dataset.sessions:
        rated = turned(dataset.sessions, measures, outcome)
        by_course = rated.groupby("course", sort=False)["value"]
        return by_course.first(), by_course.last().where(by_course.size() > 1)
    sign = measures[outcome].sign
    own = courses.set_index(courses["course"].astype("str"))
    empty = pd.Series(np.nan, index=own.index)
    first, last = (own.get(f"{outcome}__{when}", empty) for when in ("first", "last"))
    return sign * first.astype("float64"), sign * last.astype("float64")


def recovery_reason(measure: Measure) -> str | None:
    """Say why recovery is not known for a measure, None where it is.

    Parameters
    ----------
    measure : Measure
    """
    constants = {"cut-off": measure.cut_off, "reliable change": measure.reliable_change}
    absent = [name for name, constant in constants.items() if constant is None]
    return because("not_known", names=" and ".join(absent)) if absent else None


def _recovered(table: pd.DataFrame, measure: Measure) -> pd.Series:
    """Return whether each course recovered, missing where that is not known or not asked."""
    border, change = measure.cut_off, measure.reliable_change
    if border is None or change is None:
        return pd.Series(np.nan, index=table.index)
    cut_off, inclusive = measure.sign * border.value, border.inclusive

    def clinical(outcome: pd.Series) -> pd.Series:
        return outcome <= cut_off if inclusive else outcome < cut_off

    first, last = table["first_outcome"], table["last_outcome"]
    changed = last - first >= change.value
    recovered = (changed & ~clinical(last)).astype("float64")
    return recovered.where(clinical(first) & last.notna())


def group_at(episodes: pd.DataFrame, courses: pd.Series, landmark: int) -> pd.Categorical:
    """Return the group of each course by what is known of it at a session number.

    Parameters
    ----------
    episodes : DataFrame
        Episodes of one criterion.
    courses : Series
        Ids.
    landmark : int
        Episodes that begin later do not count; one that is not repaired by then is unrepaired.

    Returns
    -------
    Categorical
        Of :data:`GROUPS`.
    """
    begun = episodes[episodes["first_low"] <= landmark]
    repaired = (begun["repair"] <= landmark).fillna(False).astype(bool)
    # Censored by the landmark: it had ended, without a rating to know by.
    censored = (begun["status"].astype("str") == "censored") & (begun["end"] <= landmark)
    status = np.select([repaired, censored], ["repaired", "censored"], default="unrepaired")
    table = pd.DataFrame({"course": courses.astype("str")})
    _count(table, begun["course"], status)
    return _group(table)


def _count(table: pd.DataFrame, course: pd.Series, status: pd.Series | np.ndarray) -> None:
    """Add the numbers of episodes of each status to a table of courses."""
    for name in ("repaired", "unrepaired", "censored"):
        found = course[status == name].astype("str").value_counts()
        table[f"n_{name}"] = by_course(table, found).fillna(0.0)
