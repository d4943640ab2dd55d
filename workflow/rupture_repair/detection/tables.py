"""Tables of detection: the state of each session, and one row per episode."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from . import episodes as ep
from . import fall_rules
from .courses import Courses
from .fall_rules import Falls
from .ratings import Ratings

#: Severity of an episode, by its fall in pooled within-course SD of the dataset: from ... on.
SEVERITY = {"mild": 0.0, "moderate": 2.0, "severe": 4.0}

_TEXTS = ("dataset", "measure", "criterion", "course", "status", "onset_shape", "repair_shape",
          "component", "severity")  # fmt: skip


class _EverySession:
    """All sessions from first to last rating of each course, unrated ones included."""

    def __init__(self, courses: Courses):
        first = courses.session[courses.start[:-1]]
        length = courses.session[courses.start[1:] - 1] - first + 1
        offset = np.concatenate([[0], np.cumsum(length)])
        self.number = int(offset[-1])
        self.course = np.repeat(np.arange(len(length)), length)
        self.session = np.arange(self.number) + np.repeat(first - offset[:-1], length)
        self.complete = self.number == len(courses.rating)
        self.row = courses.session + courses.spread(offset[:-1] - first)

    def fill(self, values: NDArray, empty: Any) -> NDArray:
        """Lay out values given per rating; `empty` where a session was not rated."""
        if self.complete:
            return values
        filled = np.full(self.number, empty, dtype=values.dtype)
        filled[self.row] = values
        return filled


def _coded(codes: NDArray, words: Iterable[str], mask: NDArray | None = None) -> pa.Array:
    """Return a column of words, stored as codes."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=mask), pa.array(list(words), type=pa.string())
    )


def states(
    names: Mapping[str, str],
    ratings: Ratings,
    found: Falls,
    episodes: ep.Episodes,
    state: NDArray[np.int8],
    reasons: Sequence[str] = fall_rules.REASONS,
) -> pa.Table:
    """Write out the state of each session.

    Parameters
    ----------
    names : dict
        `dataset`, `measure` and `criterion`, the same in each row.
    ratings : Ratings
    found : Falls
    episodes : Episodes
    state : ndarray of int8, shape (ratings,)
        From :func:`rupture_repair.detection.episodes.states`.
    reasons : sequence of str
        What the codes of ``found.reason`` mean.

    Returns
    -------
    pyarrow.Table
        One row per course and session from the first to the last rating. Columns: `dataset`,
        `measure`, `criterion`, `course`, `session`, `state`, `reason` (null unless the state is
        not_assessable), `episode` (its number in the course, or null), `censored` (whether that
        episode's outcome is not known), `reference` (in the original direction of the measure),
        `unit`, `threshold` and `fall` (points; positive is below the reference; with a window the
        threshold is about that of a single rating), `z` (of the lowest run of ratings that begins
        here; null unless the criterion has a window), `probability` (of the ruptured state; null
        unless the criterion is a model).
    """
    courses, sessions = ratings.courses, _EverySession(ratings.courses)
    sign = -1.0 if ratings.scale.better == "lower" else 1.0
    reason = np.where(state == ep.NOT_ASSESSABLE, found.reason, 0)
    reason[(state == ep.NOT_ASSESSABLE) & (found.reason == 0)] = fall_rules.OUTCOME_UNKNOWN
    reason = sessions.fill(reason, fall_rules.NOT_RATED)

    index = ep.episode_of_each_rating(courses, episodes)
    # The last entry answers for index -1: no episode.
    number = np.append(ep.number_within_course(courses, episodes), 0)[index]
    censored = np.append(episodes.status == ep.CENSORED, False)[index]
    number = sessions.fill(number, 0)
    threshold = np.maximum(found.threshold, found.floor)
    every = np.zeros(sessions.number)

    def of_some(values: NDArray | None) -> pa.Array:
        """Return a column that only some criteria have."""
        if values is None:
            return pa.nulls(sessions.number, pa.float64())
        return pa.array(sessions.fill(values, np.nan), from_pandas=True)

    return pa.table(
        {
            **{name: _coded(every, [word]) for name, word in names.items()},
            "course": _coded(sessions.course, ratings.course_ids),
            "session": pa.array(sessions.session.astype(np.int32)),
            "state": _coded(sessions.fill(state, ep.NOT_ASSESSABLE), ep.STATES),
            "reason": _coded(reason, reasons, mask=reason == 0),
            "episode": pa.array(number.astype(np.int32), mask=number == 0),
            "censored": pa.array(sessions.fill(censored, False)),
            "reference": pa.array(sessions.fill(sign * found.reference, np.nan)),
            "unit": pa.array(found.unit[sessions.course]),
            "threshold": pa.array(threshold[sessions.course]),
            "fall": pa.array(sessions.fill(found.fall, np.nan)),
            "z": of_some(found.z),
            "probability": of_some(found.probability),
        }
    )


def _component_that_fell_most(ratings: Ratings, episodes: ep.Episodes) -> NDArray:
    """Name the component with the largest fall from onset to nadir, None where unknown."""
    names = np.array([*ratings.components, None], dtype=object)
    if len(names) == 1:
        return np.full(len(episodes), None, dtype=object)
    levels = np.stack(list(ratings.components.values()))
    fell = levels[:, episodes.onset] - levels[:, episodes.nadir]
    known = np.isfinite(fell).all(axis=0) & (episodes.onset >= 0)
    most = np.where(known, fell, 0.0).argmax(axis=0)
    return names[np.where(known, most, -1)]


def _numbers(values: NDArray, known: NDArray) -> pd.array:
    """Return whole numbers that are null where not known."""
    return pd.arrays.IntegerArray(np.where(known, values, 0).astype(np.int32), ~known)


def episodes(
    names: Mapping[str, str], ratings: Ratings, found: Falls, found_episodes: ep.Episodes
) -> pd.DataFrame:
    """Write out the episodes.

    Parameters
    ----------
    names : dict
        `dataset`, `measure` and `criterion`, the same in each row.
    ratings : Ratings
    found : Falls
    found_episodes : Episodes

    Returns
    -------
    DataFrame
        One row per episode. Columns: `dataset`, `measure`, `criterion`, `course`, `episode` (from
        1 within the course); the sessions `onset` (last before the fall; null if the first
        rating is low already), `first_low`, `nadir` (lowest rating), `repair` (null if none came)
        and `end`; `status` (repaired, unrepaired, censored); `fall` (points from the reference to
        the nadir) and `fall_units`; `persistence` (sessions from onset to repair); `regained`
        (share of the fall won back at the end); `level_change` (mean of up to three ratings after
        the episode minus mean of up to three up to its onset; positive is better); `onset_shape`
        and `repair_shape` (sudden, gradual; none without a repair); `component` (that fell most
        from onset to nadir); `severity` (mild, moderate, severe: :data:`SEVERITY`);
        `at_last_rating`.
    """
    courses, these = ratings.courses, found_episodes
    rating, session = courses.rating, courses.session
    course = courses.course[these.first_low]
    fall, unit = these.reference - rating[these.nadir], found.unit[course]
    repaired, observed = these.repair >= 0, these.onset >= 0
    before, after = ep.levels_around(courses, these)
    sudden_fall, sudden_repair = ep.shapes(courses, these)
    with np.errstate(invalid="ignore", divide="ignore"):
        regained = (rating[these.end] - rating[these.nadir]) / np.where(fall > 0, fall, np.nan)
        size = np.nan_to_num(fall / ratings.scale.sample_sd_mean, posinf=0.0)
    onset_shape = np.where(observed, sudden_fall.astype(int), 2)
    grade = np.searchsorted(list(SEVERITY.values()), size, side="right") - 1
    table = pd.DataFrame(
        {
            **{name: np.full(len(these), word, dtype=object) for name, word in names.items()},
            "course": ratings.course_ids[course],
            "episode": ep.number_within_course(courses, these).astype(np.int32),
            "onset": _numbers(session[these.onset], observed),
            "first_low": session[these.first_low].astype(np.int32),
            "nadir": session[these.nadir].astype(np.int32),
            "repair": _numbers(session[these.repair], repaired),
            "end": session[these.end].astype(np.int32),
            "status": np.array(ep.STATUSES, dtype=object)[these.status],
            "fall": fall,
            "fall_units": fall / np.where(unit > 0, unit, np.nan),
            "persistence": _numbers(
                session[these.repair] - session[these.onset], repaired & observed
            ),
            "regained": regained,
            "level_change": after - before,
            "onset_shape": np.array(["gradual", "sudden", None], dtype=object)[onset_shape],
            "repair_shape": np.where(
                repaired, np.where(sudden_repair, "sudden", "gradual"), "none"
            ),
            "component": _component_that_fell_most(ratings, these),
            "severity": np.array(list(SEVERITY), dtype=object)[grade],
            "at_last_rating": these.first_low == courses.start[course + 1] - 1,
        }
    )
    return table.astype(dict.fromkeys(_TEXTS, "str"))


def counts(ratings: Ratings, found: Falls, these: ep.Episodes) -> dict[str, int]:
    """Count what could be assessed and what was found.

    Returns
    -------
    dict
        `n_courses_assessable` (with at least one assessable session), `n_sessions_assessable`,
        `n_courses_with_episode`, `n_episodes`, `n_repaired`, `n_unrepaired`, `n_censored` and
        `n_sawtooth` (courses with two or more episodes).
    """
    courses = ratings.courses
    assessable = found.reason == 0
    per_course = np.bincount(courses.course[these.first_low], minlength=len(courses.length))
    by_status = np.bincount(these.status, minlength=len(ep.STATUSES))
    return {
        "n_courses_assessable": int(np.count_nonzero(courses.total(assessable.astype(float)))),
        "n_sessions_assessable": int(assessable.sum()),
        "n_courses_with_episode": int((per_course > 0).sum()),
        "n_episodes": len(these),
        **{f"n_{name}": int(n) for name, n in zip(ep.STATUSES, by_status, strict=True)},
        "n_sawtooth": int((per_course >= 2).sum()),
    }
