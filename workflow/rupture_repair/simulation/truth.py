"""What was planted: a table of episodes and a table of sessions."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .ratings import SimulatedCourses, SimulatedRatings
from .ruptures import (
    CAUSES,
    COMPONENTS,
    OPEN,
    REPAIRED,
    STATES,
    STRATEGIES,
    TYPES,
    Flags,
    Integers,
    shape_of_fall,
    states,
)
from .settings import REPAIR_WINDOW


def truth_table(
    clients: NDArray[np.str_], courses: SimulatedCourses, ratings: SimulatedRatings
) -> pd.DataFrame:
    """Return one row per episode that began before the course ended.

    Returns
    -------
    DataFrame
        - course, episode: the episode's number within the course, from 1.
        - onset, first_low, nadir: session numbers; onset is the last session before the fall.
        - half_back: first session after the nadir with at least half of the fall won back.
        - repair: session of the repair, when the planned part of the fall is won back.
        - end: repair, end of the window of 3 sessions, or last session of the course.
        - status: repaired, unrepaired, or censored (the course ended inside the window).
        - persistence: sessions from onset to repair.
        - depth_points, depth_sd: fall at the nadir, in points and in within-course SD without
          ruptures and ceiling (within_sd); depth_rated: the fall between ratings without noise,
          cut at the ends of the scale.
        - regain: fraction of the fall won back (null if censored).
        - onset_shape, repair_shape: sudden, gradual; repair_shape none without a repair.
        - component (bond, goals, tasks), type (withdrawal, confrontation), cause, strategy (null
          where none was tried), noticed (by the therapist).
        - observable: the client rated a session before the fall and a low one of the episode.
        - onset_rated: last session that the client rated before the fall; first_low_rated: first
          low one rated; nadir_rated: the nadir was rated; repair_rated: first rated session from
          the repair on. Null where there is none.
    """
    p = courses.planted
    length = courses.length[p.course]
    closed = p.end <= length
    repaired = p.repaired & closed
    half_back = p.first_low + _first_half_back(courses)
    table = {
        "course": clients[p.course],
        "episode": _count_within(p.course),
        "onset": p.first_low - 1,
        "first_low": p.first_low,
        "nadir": np.minimum(p.nadir, length),
        "half_back": _where(p.repaired & (half_back <= length), half_back),
        "repair": _where(repaired, p.end),
        "end": np.minimum(p.end, length),
        "status": np.select([repaired, closed], ["repaired", "unrepaired"], "censored"),
        "persistence": _where(repaired, p.end - p.first_low + 1),
        "depth_points": p.depth,
        "depth_sd": (p.depth / ratings.within_sd[p.course]).round(2),
        "depth_rated": ratings.depth_rated.round(1),
        "within_sd": ratings.within_sd[p.course].round(2),
        "regain": np.where(closed, p.regain, np.nan),
        "onset_shape": np.where(p.gradual_onset, "gradual", "sudden"),
        "repair_shape": np.select([~repaired, p.gradual_repair], ["none", "gradual"], "sudden"),
        "component": np.array(COMPONENTS)[p.component],
        "type": np.array(TYPES)[p.confrontation.astype(np.intp)],
        "cause": np.array(list(CAUSES))[p.cause],
        "strategy": pd.Series(np.array([*STRATEGIES, ""])[p.strategy]).replace("", pd.NA),
        "noticed": p.noticed,
        **_as_rated(courses, ratings),
    }
    return pd.DataFrame(table)[p.first_low <= length].reset_index(drop=True)


def _as_rated(courses: SimulatedCourses, ratings: SimulatedRatings) -> dict[str, Any]:
    """Return what the client's ratings show of the sessions of each episode."""
    p = courses.planted
    length = courses.length[p.course]
    nadir, end = np.minimum(p.nadir, length), np.minimum(p.end, length)
    repaired = p.repaired & (p.end <= length)
    last_low = np.where(repaired, p.end - 1, end)
    before = _rated_until(courses, ratings, p.first_low - 1)
    low = _rated_from(courses, ratings, p.first_low)
    after = _rated_from(courses, ratings, p.end)
    return {
        "observable": (before > 0) & (low <= last_low),
        "onset_rated": _where(before > 0, before),
        "first_low_rated": _where(low <= last_low, low),
        "nadir_rated": _rated_from(courses, ratings, nadir) == nadir,
        "repair_rated": _where(repaired & (after <= length), after),
    }


def truth_of_sessions(
    clients: NDArray[np.str_], courses: SimulatedCourses, ratings: SimulatedRatings
) -> pd.DataFrame:
    """Return one row per session number of each course, held or not.

    Returns
    -------
    DataFrame
        - course, session.
        - state: steady, ruptured, repaired_here, after_repair, after_unrepaired.
        - episode: number within the course, null outside an episode.
        - open, repaired: the exposures that the effects in the settings belong to.
        - fall: points by which ruptures lower the alliance here; negative where a repair won more.
        - held, rated: the session took place; the client rated all items of the alliance.
        - left: the client left therapy after this session.
    """
    sessions = np.arange(1, courses.held.shape[1] + 1)
    course, column = np.nonzero(sessions <= courses.length[:, None])
    table = _state_columns(courses.state[course, column], courses.episode[course, column])
    return pd.DataFrame(
        {
            "course": clients[course],
            "session": sessions[column],
            **table,
            "fall": ratings.fall[course, column].round(2),
            "held": courses.held[course, column],
            "rated": _rated(courses, ratings)[course, column],
            "left": courses.left[course] & (sessions[column] == courses.length[course]),
        }
    )


def true_states(truth: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """Return the true state of each session from the tables truth.csv and sessions.csv.

    Parameters
    ----------
    truth : DataFrame
        With course, first_low, end and status, as :func:`truth_table` returns it.
    sessions : DataFrame
        With client_id and session_no; the first and the last session of a course have a row.

    Returns
    -------
    DataFrame
        course, session, state, episode, open, repaired, as :func:`truth_of_sessions` returns
        them: one row per session number of each course, held or not.
    """
    length = sessions.groupby("client_id")["session_no"].max()
    shape = (len(length), int(length.max()))
    state, episode = states(
        length.index.get_indexer(truth["course"]),
        truth["first_low"].to_numpy(),
        truth["end"].to_numpy(),
        (truth["status"] == "repaired").to_numpy(),
        shape,
    )
    numbers = np.arange(1, shape[1] + 1)
    course, column = np.nonzero(numbers <= length.to_numpy()[:, None])
    table = _state_columns(state[course, column], episode[course, column])
    return pd.DataFrame(
        {"course": length.index.to_numpy()[course], "session": numbers[column], **table}
    )


def _state_columns(state: Integers, episode: Integers) -> dict[str, Any]:
    """Return the state by its name, and what follows from it."""
    return {
        "state": np.array(STATES)[state],
        "episode": _where(episode > 0, episode),
        "open": OPEN[state],
        "repaired": REPAIRED[state],
    }


def _where(condition: Flags, values: Integers) -> pd.arrays.IntegerArray:
    """Return whole numbers, null where the condition does not hold."""
    return pd.arrays.IntegerArray(values.astype(np.int64), ~condition)


def _count_within(course: Integers) -> Integers:
    """Return 1, 2, ... within each run of equal values."""
    return np.arange(len(course)) - np.searchsorted(course, course) + 1


def _first_half_back(courses: SimulatedCourses) -> Integers:
    """Return sessions from the first low one to the first with half of the fall won back."""
    p = courses.planted
    step = np.arange(REPAIR_WINDOW + 1)
    half = (shape_of_fall(p) <= 0.5) & (step > (p.nadir - p.first_low)[:, None])
    return half.argmax(axis=1)


def _rated(courses: SimulatedCourses, ratings: SimulatedRatings) -> Flags:
    """Return where the client rated all items of the alliance."""
    return courses.held & ~np.isnan(ratings.alliance).any(axis=2)


def _rated_until(
    courses: SimulatedCourses, ratings: SimulatedRatings, session: Integers
) -> Integers:
    """Return the last rated session up to this one, 0 where there is none."""
    numbers = np.where(_rated(courses, ratings), np.arange(1, courses.held.shape[1] + 1), 0)
    return np.maximum.accumulate(numbers, axis=1)[courses.planted.course, session - 1]


def _rated_from(
    courses: SimulatedCourses, ratings: SimulatedRatings, session: Integers
) -> Integers:
    """Return the first rated session from this one on, a number beyond all where there is none."""
    beyond = courses.held.shape[1] + REPAIR_WINDOW + 2
    numbers = np.full((len(courses.length), beyond), beyond)
    rated = _rated(courses, ratings)
    numbers[:, : rated.shape[1]] = np.where(rated, np.arange(1, rated.shape[1] + 1), beyond)
    following = np.minimum.accumulate(numbers[:, ::-1], axis=1)[:, ::-1]
    return following[courses.planted.course, session - 1]
