"""From states of sessions to numbers that a model can use.

The exposure of a session is whether a rupture is *open* at it, or has been *repaired* by it, under
one criterion. It is linked to the outcome at the **next** session, so that what is explained comes
after what explains it. Outcome and alliance are turned here so that higher is better.

Within and between are always separated (Curran & Bauer 2011, Annu. Rev. Psychol. 62, 583-619):
`*_between` is the course's mean over its analysed rows, not centred at the grand mean, so that for
an exposure it is the share of the course's sessions; `*_within` is the session's value minus that
mean. `*_detrended` is the residual of the exposure from the course's own straight line over time:
it cannot carry a trend that the course has anyway.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

#: Groups of courses in the model of trajectories; the first is the reference.
GROUPS = ("none", "repaired only", "any unrepaired", "censored only")

EXPOSURES = ("repaired", "open")

SESSION_COLUMNS = (
    "course",
    "therapist",
    "session",
    "time",
    "outcome_next",
    "outcome_now",
    *EXPOSURES,
    *(
        f"{exposure}_{part}"
        for part in ("within", "between", "detrended")
        for exposure in EXPOSURES
    ),
    "n_sessions",
    "baseline",
)

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
)


def turned(table: pd.DataFrame, measures: Mapping[str, Any], measure: str) -> pd.DataFrame:
    """Return the ratings of a measure, turned so that higher is better.

    Parameters
    ----------
    table : DataFrame
        Canonical `sessions`.
    measures : mapping
        Content of measures.json.
    measure : str
        A measure of level "session".

    Returns
    -------
    DataFrame
        Columns `course`, `session`, `value`: one row per rated session, sorted so. `value` is in
        points of the instrument; negated where lower is better.
    """
    sign = -1.0 if measures[measure]["better"] == "lower" else 1.0
    ratings = table[["course", "session"]].assign(value=sign * table[measure].astype("float64"))
    ratings = ratings.dropna(subset="value").sort_values(["course", "session"], ignore_index=True)
    return ratings.astype({"course": "str", "session": "int64"})


def same_scores(table: pd.DataFrame, measure: str, outcome: str) -> bool:
    """Tell whether two measures are the same scores, one of them perhaps reversed.

    Parameters
    ----------
    table : DataFrame
        Canonical `sessions`.
    measure, outcome : str
        Two columns of it.

    Returns
    -------
    bool
        True if, over the sessions rated on both, one is an exact linear function of the other.
    """
    if measure not in table or outcome not in table:
        return False
    both = table[[measure, outcome]].dropna().to_numpy(float)
    if len(both) < 3 or np.ptp(both, axis=0).min() == 0:
        return False
    return abs(np.corrcoef(both.T)[0, 1]) > 1 - 1e-9


def sessions(
    states: pd.DataFrame,
    sessions: pd.DataFrame,
    courses: pd.DataFrame,
    measures: Mapping[str, Any],
    measure: str,
    outcome: str,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Return exposure and next outcome, one row per course and session where both are known.

    The next outcome is that of the next session with a rated outcome, at most `max_gap` session
    numbers later. The first rated outcome of a course is its baseline and never a next outcome.

    Parameters
    ----------
    states : DataFrame
        `session_states` of one criterion.
    sessions, courses : DataFrame
        Canonical tables.
    measures : mapping
        Content of measures.json.
    measure, outcome : str
        The alliance measure that `states` belongs to, and the outcome measure.
    settings : mapping
        Content of config.yaml; `edge_rules.max_gap` and `models.exposure` are used.

    Returns
    -------
    DataFrame
        Sorted by course and session, with the columns `course`, `therapist`, `session`, `time`
        (session numbers since the first), `outcome_next`, `outcome_now` (may be missing; both
        turned so that higher is better), `repaired`, `open` (0 or 1), their `_within`, `_between`
        and `_detrended` parts, `n_sessions` (sessions of the course with a rating of the
        alliance), `baseline` (first rated outcome). Without rows when the outcome is not measured
        at sessions.
    """
    if outcome not in sessions:
        return pd.DataFrame(columns=list(SESSION_COLUMNS))
    outcomes = turned(sessions, measures, outcome)
    first = outcomes.groupby("course", sort=False).first()
    table = _exposed(states, measure, settings)
    rated = turned(sessions, measures, measure)["course"].value_counts()
    table = table.assign(
        therapist=_therapist(table["course"], courses),
        time=table["session"] - 1.0,
        outcome_now=_at(table, outcomes),
        **_next(table, outcomes, int(settings.get("edge_rules", {}).get("max_gap", 2))),
        baseline=_by_course(table, first["value"]),
        n_sessions=_by_course(table, rated),
    )
    known = table["session_next"] > _by_course(table, first["session"])
    table = table[known].sort_values(["course", "session"], ignore_index=True)
    for exposure in EXPOSURES:
        parts = _within_and_between(table, exposure)
        table[[f"{exposure}_{part}" for part in ("within", "between", "detrended")]] = parts
    return table[list(SESSION_COLUMNS)]


def courses(
    episodes: pd.DataFrame,
    states: pd.DataFrame,
    sessions: pd.DataFrame,
    courses: pd.DataFrame,
    measures: Mapping[str, Any],
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
    sessions, courses, measures, measure, outcome
        As for :func:`sessions`.

    Returns
    -------
    DataFrame
        Sorted by course, with the columns `course`, `therapist`, `first_outcome`, `last_outcome`
        (turned so that higher is better; the last one is missing where there is only one),
        `n_repaired`, `n_unrepaired`, `n_censored` (episodes), `n_sessions` (with a rating of the
        alliance), `mean_alliance` (turned likewise), `group` (ordered categories
        :data:`GROUPS`: "any unrepaired" wins over "repaired only", that over "censored only").
    """
    assessable = _of(states, measure)
    assessable = assessable[assessable["state"].astype("str") != "not_assessable"]
    table = pd.DataFrame({"course": np.sort(assessable["course"].astype("str").unique())})
    own = _of(episodes, measure)
    counts = pd.crosstab(own["course"].astype("str"), own["status"].astype("str"))
    for status in ("repaired", "unrepaired", "censored"):
        found = counts[status] if status in counts else pd.Series(dtype="float64")
        table[f"n_{status}"] = _by_course(table, found).fillna(0.0)
    table["group"] = _group(table)
    alliance = turned(sessions, measures, measure).groupby("course", sort=False)["value"]
    table["n_sessions"] = _by_course(table, alliance.size())
    table["mean_alliance"] = _by_course(table, alliance.mean())
    table["therapist"] = _therapist(table["course"], courses)
    first, last = _first_and_last(sessions, courses, measures, outcome)
    table["first_outcome"] = _by_course(table, first)
    table["last_outcome"] = _by_course(table, last)
    return table[list(COURSE_COLUMNS)]


def trajectories(
    course_table: pd.DataFrame, sessions: pd.DataFrame, measures: Mapping[str, Any], outcome: str
) -> pd.DataFrame:
    """Return the outcome at every session of the courses that could be assessed.

    Parameters
    ----------
    course_table : DataFrame
        What :func:`courses` returned.
    sessions, measures, outcome
        As for :func:`sessions`.

    Returns
    -------
    DataFrame
        Sorted by course and session, with the columns `course`, `therapist`, `session`, `time`
        (session numbers since the first), `outcome` (turned so that higher is better), `group`
        (categories of :data:`GROUPS` that occur).
    """
    columns = ["course", "therapist", "session", "time", "outcome", "group"]
    if outcome not in sessions:
        return pd.DataFrame(columns=columns)
    table = turned(sessions, measures, outcome).rename(columns={"value": "outcome"})
    table = table.merge(course_table[["course", "therapist", "group"]], on="course")
    table["time"] = table["session"] - 1.0
    table["group"] = table["group"].cat.remove_unused_categories()
    return table.sort_values(["course", "session"], ignore_index=True)[columns]


def _of(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of one measure, where the table has several."""
    return table[table["measure"] == measure] if "measure" in table else table


def _exposed(states: pd.DataFrame, measure: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return `course`, `session`, `repaired`, `open` of the assessable sessions."""
    own = _of(states, measure)
    own = own[own["state"].astype("str") != "not_assessable"]
    state = own["state"].astype("str")
    chosen = settings.get("models", {}).get("exposure", {})
    repaired = chosen.get("repaired", ["repaired_here", "after_repair"])
    open_ = chosen.get("open", ["ruptured", "after_unrepaired"])
    table = pd.DataFrame(
        {
            "course": own["course"].astype("str"),
            "session": own["session"].astype("int64"),
            "repaired": state.isin(repaired).astype("float64"),
            "open": state.isin(open_).astype("float64"),
        }
    )
    return table.sort_values(["course", "session"], ignore_index=True)


def _at(table: pd.DataFrame, ratings: pd.DataFrame) -> np.ndarray:
    """Return the rating at the very sessions of `table`, missing where there is none."""
    return table[["course", "session"]].merge(ratings, how="left")["value"].to_numpy()


def _next(table: pd.DataFrame, outcomes: pd.DataFrame, max_gap: int) -> dict[str, np.ndarray]:
    """Return the next outcome of each row and its session, at most `max_gap` numbers later."""
    later = outcomes.rename(columns={"value": "outcome_next"})
    later = later.assign(session_next=later["session"].astype("float64")).sort_values("session")
    found = pd.merge_asof(
        table[["course", "session"]].reset_index(names="row").sort_values("session"),
        later,
        on="session",
        by="course",
        direction="forward",
        allow_exact_matches=False,
        tolerance=max_gap,
    ).sort_values("row")
    return {name: found[name].to_numpy() for name in ("outcome_next", "session_next")}


def _by_course(table: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Return the number of each row's course, missing where there is none."""
    return table["course"].map(values).astype("float64")


def _therapist(course: pd.Series, courses: pd.DataFrame) -> pd.Series:
    """Return the therapist of each row's course, missing where the dataset does not say."""
    if "therapist" not in courses:
        return pd.Series(pd.NA, index=course.index, dtype="str")
    by_course = pd.Series(
        courses["therapist"].astype("str").to_numpy(), index=courses["course"].astype("str")
    )
    return course.map(by_course).astype("str")


def _within_and_between(table: pd.DataFrame, exposure: str) -> np.ndarray:
    """Return the within, between and detrended part of an exposure, shape (rows, 3)."""
    by_course = table.groupby("course", sort=False)
    between = by_course[exposure].transform("mean").to_numpy()
    within = table[exposure].to_numpy() - between
    time = (table["time"] - by_course["time"].transform("mean")).to_numpy()
    products = pd.DataFrame({"xt": within * time, "tt": time**2}).groupby(
        table["course"].to_numpy(), sort=False
    )
    xt, tt = products.transform("sum").to_numpy().T
    slope = np.divide(xt, tt, out=np.zeros_like(xt), where=tt > 0)
    detrended = within - slope * time
    # Rounding must not leave an exposure of 1e-17 where there is none.
    detrended[np.abs(detrended) < 1e-12] = 0.0
    return np.column_stack([within, between, detrended])


def _group(table: pd.DataFrame) -> pd.Categorical:
    """Return the group of each course from its numbers of episodes."""
    none, repaired, unrepaired, censored = GROUPS
    conditions = [table["n_unrepaired"] > 0, table["n_repaired"] > 0, table["n_censored"] > 0]
    group = np.select(conditions, [unrepaired, repaired, censored], default=none)
    return pd.Categorical(group, categories=list(GROUPS), ordered=True)


def _first_and_last(
    sessions: pd.DataFrame, courses: pd.DataFrame, measures: Mapping[str, Any], outcome: str
) -> tuple[pd.Series, pd.Series]:
    """Return first and last outcome by course, turned; from sessions, or from before and after."""
    if outcome in sessions:
        by_course = turned(sessions, measures, outcome).groupby("course", sort=False)["value"]
        return by_course.first(), by_course.last().where(by_course.size() > 1)
    sign = -1.0 if measures[outcome]["better"] == "lower" else 1.0
    own = courses.set_index(courses["course"].astype("str"))
    empty = pd.Series(np.nan, index=own.index)
    first, last = (own.get(f"{outcome}__{when}", empty) for when in ("first", "last"))
    return sign * first.astype("float64"), sign * last.astype("float64")
