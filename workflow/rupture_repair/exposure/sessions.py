"""Exposure and outcome by session: the next outcome, trajectories, leaving."""

import numpy as np
import pandas as pd

from ..project.dataset import Dataset
from ..project.setting_groups import ExposureRules
from .courses import first_and_last, group_at
from .shared import EXPOSURES, by_course, exposed, of_measure, therapist_of, turned

SESSION_COLUMNS = (
    "course",
    "therapist",
    "session",
    "time",
    "session_next",
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


def session_exposures(
    states: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    outcome: str,
    rules: ExposureRules,
) -> pd.DataFrame:
    """Return exposure and next outcome, one row per course and session where both are known.

    The next outcome is that of the next session with a rated outcome, at most `max_gap` session
    numbers later. No outcome counts twice: where it is the next one of several sessions, the
    nearest before it is kept. The first rated outcome of a course is its baseline and never a next
    outcome.

    Parameters
    ----------
    states : DataFrame
        `session_states` of one criterion.
    dataset : Dataset
    measure, outcome : str
        The alliance measure that `states` belongs to, and the outcome measure.
    rules : ExposureRules

    Returns
    -------
    DataFrame
        Sorted by course and session, with the columns `course`, `therapist`, `session`, `time`
        (session numbers since the first), `session_next` (of the next outcome), `outcome_next`,
        `outcome_now` (may be missing; both turned so that higher is better), `repaired`, `open`
        (0 or 1), their `_within`, `_between` and `_detrended` parts, `n_sessions` (sessions of the
        course with a rating of the alliance), `baseline` (first rated outcome). Without rows when
        the outcome is not measured at sessions.
    """
    if outcome not in dataset.sessions:
        return pd.DataFrame(columns=list(SESSION_COLUMNS))
    sessions, measures = dataset.sessions, dataset.measures
    outcomes, rated = (turned(sessions, measures, name) for name in (outcome, measure))
    exposures = exposed(states, measure, rules)
    of_outcome, ids = pd.factorize(outcomes["course"])
    course, of_rated = (pd.Index(ids).get_indexer(some["course"]) for some in (exposures, rated))
    at, value = (outcomes[name].to_numpy("float64") for name in ("session", "value"))
    session = exposures["session"].to_numpy()
    max_gap = rules.max_gap
    known = _now_and_next(course, session, of_outcome, at, value, max_gap)
    # First outcome of each course; the last entry is for courses (-1) that have none.
    first = np.append(np.flatnonzero(np.diff(of_outcome, prepend=-1)), len(at))
    # Later than the baseline, and of the sessions before one outcome the nearest.
    later = np.flatnonzero(known["session_next"] > np.append(at, np.nan)[first][course])
    pairs = np.stack([course, known["session_next"]])[:, later]
    kept = later[np.append((pairs[:, 1:] != pairs[:, :-1]).any(axis=0), True)[: len(later)]]
    course, number = course[kept], np.bincount(of_rated[of_rated >= 0], minlength=len(ids))
    table = {
        "course": exposures["course"].array[kept],
        "therapist": therapist_of(pd.Series(ids, dtype="str"), dataset.courses).array[course],
        "session": session[kept],
        "time": session[kept] - 1.0,
        **{name: values[kept] for name, values in known.items()},
        "n_sessions": number[course].astype("float64"),
        "baseline": np.append(value, np.nan)[first][course],
    }
    for exposure in EXPOSURES:
        table[exposure] = exposures[exposure].to_numpy()[kept]
        parts = within_and_between(table[exposure], table["time"], course)
        for part, values in zip(("within", "between", "detrended"), parts, strict=True):
            table[f"{exposure}_{part}"] = values
    return pd.DataFrame({name: table[name] for name in SESSION_COLUMNS})


def trajectory_exposures(
    course_table: pd.DataFrame, dataset: Dataset, outcome: str
) -> pd.DataFrame:
    """Return the outcome at every session of the courses that could be assessed.

    Parameters
    ----------
    course_table : DataFrame
        What :func:`courses` returned.
    dataset, outcome
        As for :func:`session_exposures`.

    Returns
    -------
    DataFrame
        Sorted by course and session, with the columns `course`, `therapist`, `session`, `time`
        (session numbers since the first), `outcome` (turned so that higher is better), `group`
        (categories of :data:`GROUPS` that occur).
    """
    columns = ["course", "therapist", "session", "time", "outcome", "group"]
    if outcome not in dataset.sessions:
        return pd.DataFrame(columns=columns)
    table = turned(dataset.sessions, dataset.measures, outcome).rename(columns={"value": "outcome"})
    table = table.merge(course_table[["course", "therapist", "group"]], on="course")
    table["time"] = table["session"] - 1.0
    table["group"] = table["group"].cat.remove_unused_categories()
    return table.sort_values(["course", "session"], ignore_index=True)[columns]


def trajectories_after(
    course_table: pd.DataFrame,
    episodes: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    outcome: str,
    landmark: int,
) -> pd.DataFrame:
    """Return the outcome after a landmark, with the group that each course belonged to by then.

    Parameters
    ----------
    course_table : DataFrame
        What :func:`courses` returned.
    episodes : DataFrame
        Episodes of one criterion.
    dataset, measure, outcome
        As for :func:`session_exposures`.
    landmark : int
        Session number by which the group is fixed. Courses without a later outcome are left out.

    Returns
    -------
    DataFrame
        As :func:`trajectories`, of the later sessions, `time` counted from the landmark.
    """
    table = trajectory_exposures(course_table, dataset, outcome)
    if table.empty:
        return table
    fixed = course_table[["course"]].assign(
        group=group_at(of_measure(episodes, measure), course_table["course"], landmark)
    )
    later = table[table["session"] > landmark].drop(columns="group").merge(fixed, on="course")
    later["time"] = later["session"] - float(landmark)
    later["group"] = later["group"].cat.remove_unused_categories()
    return later[table.columns]


LEAVING_COLUMNS = (
    *("course", "therapist", "session", "time", "left"),
    *("open_prev", "repaired_prev", "baseline"),
)


def leaving_exposures(
    states: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    outcome: str,
    rules: ExposureRules,
) -> pd.DataFrame:
    """Return the sessions at which a course could end, and whether the client left with them.

    The status is that of the **previous** rated session, at most `max_gap` numbers back: a drop
    at the last session, which may be the leaving itself, does not count as exposure.

    Parameters
    ----------
    states, dataset, measure, outcome, rules
        As for :func:`session_exposures`.

    Returns
    -------
    DataFrame
        One row per rated session from the second on whose previous state is known: `course`,
        `therapist`, `session`, `time` (session numbers since the first), `left` (1 at the last
        rated session of a course that was dropped out of; 0 at others and at the end of completed
        and ongoing courses; missing at the last session of a course whose ending is unknown),
        `open_prev`, `repaired_prev` (0 or 1), `baseline` (first rated outcome, turned).
    """
    courses = dataset.courses
    rated = turned(dataset.sessions, dataset.measures, measure)[["course", "session"]]
    by = rated.groupby("course", sort=False)["session"]
    table = rated.assign(previous=by.shift().astype("float64"), last=by.transform("max"))
    gap = table["session"] - table["previous"]
    table = table[gap <= rules.max_gap]
    before = exposed(states, measure, rules).rename(
        columns={"session": "previous", "open": "open_prev", "repaired": "repaired_prev"}
    )
    table = table.astype({"previous": "int64"}).merge(before, on=["course", "previous"])
    ending = courses.set_index(courses["course"].astype("str")).get("ending")
    how = table["course"].map(pd.Series(dtype="str") if ending is None else ending)
    ends = table["session"] == table["last"]
    left = (ends & (how == "dropped_out")).astype("float64")
    table["left"] = left.mask(ends & (how.isna() | (how == "unknown")))
    table["therapist"] = therapist_of(table["course"], courses)
    table["time"] = table["session"] - 1.0
    first, _ = first_and_last(dataset, outcome)
    table["baseline"] = by_course(table, first)
    table = table.sort_values(["course", "session"], ignore_index=True)
    return table[list(LEAVING_COLUMNS)]


def _now_and_next(
    course: np.ndarray,
    session: np.ndarray,
    of_outcome: np.ndarray,
    at: np.ndarray,
    value: np.ndarray,
    max_gap: int,
) -> dict[str, np.ndarray]:
    """Return each row's outcome now, the next one at most `max_gap` numbers later, its session."""
    # One number for course and session, in the order of both: the next is the next larger one.
    wide = max(session.max(initial=0), at.max(initial=0)) + 1
    after = np.searchsorted(of_outcome * wide + at, course * wide + session, side="right")
    # Before the first outcome and after the last one stands one of no course (-1: one without).
    of_outcome, at, value = np.append(of_outcome, -2), np.append(at, -2), np.append(value, np.nan)
    same = (of_outcome[after - 1] == course) & (at[after - 1] == session)
    soon = (of_outcome[after] == course) & (at[after] - session <= max_gap)
    return {
        "outcome_now": np.where(same, value[after - 1], np.nan),
        "outcome_next": np.where(soon, value[after], np.nan),
        "session_next": np.where(soon, at[after], np.nan),
    }


def within_and_between(
    exposure: np.ndarray, time: np.ndarray, course: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the within, between and detrended part of an exposure; courses count from 0."""
    rows = np.maximum(np.bincount(course), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return (np.bincount(course, values) / rows)[course]

    between = mean(exposure)
    within, time = exposure - between, time - mean(time)
    covariance, variance = mean(within * time), mean(time**2)
    slope = np.divide(covariance, variance, out=np.zeros_like(between), where=variance > 0)
    detrended = within - slope * time
    # Rounding must not leave an exposure of 1e-17 where there is none.
    detrended[np.abs(detrended) < 1e-12] = 0.0
    return within, between, detrended
