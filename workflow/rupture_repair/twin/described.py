"""A study in numbers by which it and its twins are compared, each quick and by the same rule."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from ..detection import detect
from ..detection.criteria import Criterion
from ..detection.ratings import arrange
from ..exposure.sessions import session_exposures
from ..project.arrays import Floats
from ..project.dataset import Dataset
from ..project.measures import Measures
from ..project.setting_groups import EdgeRules, ExposureRules
from ..simulation.forms import HIGHEST
from .scales import RatedScale

#: A course needs so many ratings for its own line, and so many to say how they vary.
_LINE, _SPREAD = 4, 6

#: Variances of courses are told apart from this share of the pooled one on.
_FLOOR = 0.05

#: A change from one rating to the next counts as a fall from so many within-course SD on.
_FALL = 1.5


@dataclass(frozen=True)
class Yardstick:
    """By what studies are described.

    Attributes
    ----------
    measure : str
    outcome : str or None
    measures : mapping of str to Measure
    scales : mapping of str to RatedScale
    criterion : Criterion
        Whose episodes are counted.
    edge_rules : EdgeRules
    exposure : ExposureRules
    """

    measure: str
    outcome: str | None
    measures: Measures
    scales: dict[str, RatedScale]
    criterion: Criterion
    edge_rules: EdgeRules
    exposure: ExposureRules


@dataclass(frozen=True)
class CourseLines:
    """Ratings of one measure around the line of each course; arrays over ratings or courses."""

    course: np.ndarray
    rating: Floats
    session: Floats
    rest: Floats
    number: Floats
    mean: Floats
    slope: Floats
    width: Floats


def lines(sessions: pd.DataFrame, total: Floats) -> CourseLines:
    """Return the least-squares line of each course, flat where there are few ratings."""
    known = np.isfinite(total)
    course, _ = pd.factorize(sessions["course"])
    course, rating = course[known], total[known]
    session = sessions["session"].to_numpy(dtype=np.float64)[known]
    size = int(course.max(initial=-1)) + 1

    def summed(values: Floats) -> Floats:
        return np.bincount(course, values, size).astype(np.float64)

    number = np.bincount(course, minlength=size).astype(np.float64)
    some = np.maximum(number, 1)
    mean = np.where(number > 0, summed(rating) / some, np.nan)
    time = session - (summed(session) / some)[course]
    width = np.where(number >= _LINE, summed(time**2), 0.0)
    slope = np.divide(summed(time * rating), width, out=np.zeros(size), where=width > 0)
    rest = rating - mean[course] - slope[course] * time
    return CourseLines(course, rating, session, rest, number, mean, slope, width)


def of_lines(one: CourseLines) -> dict[str, float]:
    """Return level, spread, trend, fluctuation and autocorrelation of one measure."""
    enough = one.number >= _LINE
    squares = np.bincount(one.course, one.rest**2, len(one.number))
    free = np.maximum(one.number - 2, 1)
    within = float(squares[enough].sum() / max(free[enough].sum(), 1))
    trend = float((one.width * one.slope).sum() / max(one.width.sum(), 1e-9))
    spread = float((one.width * (one.slope - trend) ** 2)[enough].sum() / max(enough.sum(), 1))
    many = (one.number >= _SPREAD) & (squares > 0)
    # Courses at an end of the scale hardly vary; without a floor they would be all that counts.
    own = np.log(squares[many] / free[many] + _FLOOR * within)
    unequal = float(np.var(own)) if many.sum() > 2 else 0.0
    near = (np.diff(one.course) == 0) & (np.diff(one.session) == 1) & enough[one.course[1:]]
    both = one.rest[1:][near] * one.rest[:-1][near]
    carry = float(both.mean() / within) if near.any() and within > 0 else 0.0
    return {
        "level": float(np.nanmean(one.mean)),
        "spread": float(np.nanvar(one.mean)),
        "trend": trend,
        "trends": spread,
        "within": float(np.log(max(within, 1e-6))),
        "unequal": unequal,
        "carry": carry,
    }


def of_items(items: Floats, course: np.ndarray, most: tuple[float, ...]) -> dict[str, float]:
    """Return how items lie around their share of the total."""
    whole = np.isfinite(items).all(axis=1)
    items, course = items[whole], course[whole]
    if not len(items):
        return {}
    apart = items - items.sum(axis=1, keepdims=True) * (np.array(most) / sum(most))
    mean = apart.mean(axis=0)
    counts = np.maximum(np.bincount(course), 1)[:, None]
    own = np.column_stack([np.bincount(course, one) for one in (apart - mean).T]) / counts
    rest = apart - mean - own[course]
    found = {f"item_{at}": float(one) for at, one in enumerate(mean)}
    there = np.unique(course)
    lasting, momentary = float((own[there] ** 2).mean()), float((rest**2).mean())
    logs = {"lasting": np.log(max(lasting, 1e-6)), "momentary": np.log(max(momentary, 1e-6))}
    return found | {name: float(one) for name, one in logs.items()}


def described(sessions: pd.DataFrame, courses: pd.DataFrame, by: Yardstick) -> dict[str, float]:
    """Describe a study.

    Parameters
    ----------
    sessions, courses : DataFrame
        Canonical tables.
    by : Yardstick

    Returns
    -------
    dict
        Name -> number; of a measure the name begins with it and a point.
    """
    found: dict[str, float] = {}
    every = {}
    numbers, _ = pd.factorize(sessions["course"])
    therapist = _therapists(sessions, courses)
    for name, scale in by.scales.items():
        items = scale.simulated(sessions)
        every[name] = one = lines(sessions, items.sum(axis=1))
        own = of_lines(one)
        own["between"] = _between(one, therapist)
        own["top"] = float((one.rating >= sum(scale.most) - 1e-6).mean())
        own["unrated"] = float(np.isnan(items).all(axis=1).mean())
        some = items[~np.isnan(items).all(axis=1)]
        own["missing_item"] = float(np.isnan(some).mean())
        if scale.items:
            own |= of_items(items, numbers, scale.most)
        found |= {f"{name}.{key}": value for key, value in own.items()}
    main = every[by.measure]
    found |= _of_courses(sessions, courses) | _of_falls(main)
    for name, one in every.items():
        if name != by.measure:
            found |= {f"{name}.{key}": value for key, value in _together(main, one).items()}
    return found | _of_states(sessions, courses, by)


def _therapists(sessions: pd.DataFrame, courses: pd.DataFrame) -> np.ndarray:
    """Return the number of the therapist of each course, in the order of the sessions; -1: none."""
    known = courses.set_index(courses["course"].astype("str"))["therapist"]
    return pd.factorize(known.reindex(pd.unique(sessions["course"].astype("str"))))[0]


def _between(one: CourseLines, therapist: np.ndarray) -> float:
    """Return the mean square of therapists' means, which their own level enlarges."""
    known = (therapist[: len(one.mean)] >= 0) & np.isfinite(one.mean)
    group, mean = therapist[: len(one.mean)][known], one.mean[known]
    if len(np.unique(group)) < 2:
        return 0.0
    size = np.bincount(group)
    means = np.bincount(group, mean - mean.mean()) / np.maximum(size, 1)
    return float((size * means**2).sum() / (np.count_nonzero(size) - 1))


def _of_courses(sessions: pd.DataFrame, courses: pd.DataFrame) -> dict[str, float]:
    """Return lengths, sessions left out, caseloads and endings."""
    last = sessions.groupby("course", observed=True)["session"].max()
    logs = np.log(last.to_numpy(dtype=np.float64))
    loads = courses["therapist"].value_counts()
    ending = courses.get("ending", pd.Series("unknown", courses.index)).astype("str")
    left = float((ending == "dropped_out").sum())
    known = float((~ending.isin(["dropped_out", "unknown", "<NA>", "nan"])).sum())
    return {
        "length": float(logs.mean()),
        "lengths": float(logs.var()),
        "skipped": float((last.sum() - len(sessions)) / max(last.sum() - 2 * len(last), 1)),
        "caseloads": float(np.log(loads).var()) if len(loads) > 1 else 0.0,
        "left": float(np.log((left + 0.5) / max(float(last.sum()), 1.0))),
        "ongoing": float((ending == "ongoing").sum() / max(known, 1.0)),
        "unknown": float(ending.isin(["unknown", "<NA>", "nan"]).mean()),
    }


def _of_falls(one: CourseLines) -> dict[str, float]:
    """Return how often ratings fall, in log odds, and how far."""
    sd = np.sqrt(max(float((one.rest**2).mean()), 1e-9))
    near = (np.diff(one.course) == 0) & (np.diff(one.session) <= 2)
    change = -np.diff(one.rating)[near] / sd
    fell = change[change > _FALL]
    share = (len(fell) + 0.5) / (len(change) + 1)
    return {"falls": float(logit(share)), "fall": float(fell.mean()) if len(fell) else _FALL}


def _together(main: CourseLines, other: CourseLines) -> dict[str, float]:
    """Return how levels, slopes and fluctuation of a measure go with those of the main one."""
    size = min(len(main.mean), len(other.mean))
    both = np.isfinite(main.mean[:size]) & np.isfinite(other.mean[:size])
    sloped = both & (other.width[:size] > 0)
    wide = 1e6
    key, keys = main.course * wide + main.session, other.course * wide + other.session
    _, at, to = np.intersect1d(key, keys, return_indices=True)
    _, before, after = np.intersect1d(key + 1, keys, return_indices=True)
    return {
        "levels": _correlation(main.mean[:size][both], other.mean[:size][both]),
        "slopes": _correlation(main.mean[:size][sloped], other.slope[:size][sloped]),
        "together": _correlation(main.rest[at], other.rest[to]),
        "next": _correlation(main.rest[before], other.rest[after]),
    }


def _correlation(first: Floats, other: Floats) -> float:
    """Return a correlation, 0 where one side does not vary."""
    if len(first) < 3 or not np.ptp(first) > 0 or not np.ptp(other) > 0:
        return 0.0
    return float(np.corrcoef(first, other)[0, 1])


def _of_states(sessions: pd.DataFrame, courses: pd.DataFrame, by: Yardstick) -> dict[str, float]:
    """Return episodes by the criterion, how they end, and what outcome and leaving go with them."""
    measure = by.measures[by.measure]
    ratings = arrange(sessions, by.measure, measure)
    states = detect.states_of_ratings(ratings, by.criterion, by.edge_rules, measure)
    state = states["state"].astype("str")
    before = state.shift().where(states["course"].eq(states["course"].shift()), "")
    begun = (state == "ruptured") & (before != "ruptured")
    mended = (state == "repaired_here").sum()
    found = {
        "episodes": float(np.log((begun.sum() + 0.5) / max(len(state), 1))),
        "repaired": float(logit((mended + 0.5) / (max(begun.sum(), mended) + 1))),
    }
    dataset = Dataset("study", by.measures, sessions, courses)
    if by.outcome is not None:
        table = session_exposures(states, dataset, by.measure, by.outcome, by.exposure)
        low, high = by.scales[by.outcome].ends
        points = HIGHEST / (high - low)
        found |= {name: points * one for name, one in _effects(table).items()}
    found["left_open"] = _left_open(states, courses, by)
    return found


def _effects(table: pd.DataFrame) -> dict[str, float]:
    """Return least-squares differences within courses in the next outcome, by state."""
    course, _ = pd.factorize(table["course"])
    if len(table) < 10:
        return {"open": 0.0, "mended": 0.0}
    columns = table[["outcome_next", "repaired_within", "open_within", "time"]].to_numpy(float)
    count = np.maximum(np.bincount(course), 1)
    centred = (
        columns - np.column_stack([np.bincount(course, one) / count for one in columns.T])[course]
    )
    found = np.linalg.lstsq(centred[:, 1:], centred[:, 0], rcond=None)[0]
    return {"mended": float(found[0]), "open": float(found[1])}


def _left_open(states: pd.DataFrame, courses: pd.DataFrame, by: Yardstick) -> float:
    """Return the log odds ratio of leaving after a session with an open rupture."""
    if "ending" not in courses:
        return 0.0
    ending = courses.set_index(courses["course"].astype("str"))["ending"].astype("str")
    last = ~states["course"].duplicated(keep="last")
    gone = last & (states["course"].astype("str").map(ending) == "dropped_out")
    of_open: list[Any] = list(by.exposure.open)
    opened = states["state"].astype("str").isin(of_open)
    opened = opened.shift(fill_value=False) & states["course"].duplicated()
    cells = [float((gone == left).mul(opened == state).sum()) + 0.5
             for left in (True, False) for state in (True, False)]  # fmt: skip
    return float(np.log(cells[0] * cells[3] / cells[1] / cells[2]))
