"""Watching courses as they go on: what is known after each session, and when to raise a flag.

After each session the hidden Markov model gives the probability of an open rupture by the ratings
so far. A flag is raised where it reaches a threshold that at most a promised share of rupture-free
courses ever reaches: courses drawn from the noise of the dataset, freed of ruptures. What this
would have shown is found in courses drawn from the fitted model, next to rules that clinicians use.
A research tool: nobody has tried it in a clinic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from ..detection import criteria, run_rules
from ..detection.courses import Courses, chosen, content
from ..detection.hidden_markov import rupture_probability
from ..detection.hidden_markov.draw import DrawnCourses, draw
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import Ratings, alliance, arrange, scale_of, why_not_assessable
from ..project.arrays import Flags, Floats
from ..project.measures import Measure, Measures
from .replicates import prepare, simulate

#: Share of rupture-free courses that may ever be flagged.
FALSE_ALARM = 0.05
#: Courses that are simulated for each of the three purposes.
SIMULATED = 600
#: Rules of clinicians that look back only, for comparison.
CLINICAL = ("srs_cutoff", "srs_drop_1")
#: The rule that is watched by.
WATCHED = "filtered_probability"
#: Shares of courses with a rupture at which the predictive value is stated.
STATED = (0.1, 0.3, 0.5)
_NUMBERS = (
    *("threshold", "false_alarm", "found", "found_error", "delay", "courses_ruptured", "ppv"),
    *(f"ppv_{share * 100:.0f}" for share in STATED),
    "calibration_slope",
)
COLUMNS = ("dataset", "measure", "rule", "simulated", *_NUMBERS, "status", "reason")


@dataclass(frozen=True)
class LiveModel:
    """What courses of one measure are watched with.

    Attributes
    ----------
    model : HiddenMarkovModel
    threshold : float
        Probability from which on a session is flagged.
    """

    model: HiddenMarkovModel
    threshold: float

    def judged(self, courses: Courses) -> tuple[Floats, Flags]:
        """Return the probability of an open rupture by the ratings so far, and the flags."""
        probability = rupture_probability.posterior(courses, self.model, past_only=True)
        return probability, probability >= self.threshold


def threshold_of(highest: Floats, false_alarm: float = FALSE_ALARM) -> float:
    """Return the lowest threshold that at most a share of courses reaches.

    Parameters
    ----------
    highest : ndarray, shape (courses,)
        The highest value of each course.
    false_alarm : float

    Examples
    --------
    >>> float(threshold_of(np.array([0.1, 0.2, 0.3, 0.9]), 0.25)) > 0.3
    True
    """
    allowed = int(false_alarm * len(highest))
    return float(np.nextafter(np.sort(highest)[::-1][allowed], 2.0))


def rupture_free(ratings: Ratings, name: str, measure: Measure, seed: int) -> list[Courses]:
    """Return two sets of rupture-free courses of a measure, each of about :data:`SIMULATED`."""
    null = prepare(ratings, name, measure, seed=seed)
    number = len(null.courses.length)
    replicates = -(-SIMULATED // number)
    random = np.random.default_rng([seed, crc32(f"watch {name}".encode())])
    drawn = simulate(null, "autoregressive", np.arange(2 * replicates), random)
    repeated = _repeated(null.courses, replicates)
    return [replace(repeated, rating=half.ravel()) for half in np.split(drawn, 2)]


def _repeated(courses: Courses, times: int) -> Courses:
    """Return courses several times, one after the other, in an order that does not hang on ids."""
    return chosen(courses, np.tile(np.argsort(content(courses), kind="stable"), times))[0]


def live_model(free: Courses, model: HiddenMarkovModel) -> LiveModel:
    """Return what to watch with: the threshold comes from rupture-free courses."""
    probability = rupture_probability.posterior(free, model, past_only=True)
    return LiveModel(model, threshold_of(np.maximum.reduceat(probability, free.start[:-1])))


def watch(
    sessions: pd.DataFrame,
    measures: Measures,
    models: Mapping[str, HiddenMarkovModel],
    *,
    dataset: str,
    seed: int,
) -> pd.DataFrame:
    """Say what watching the courses of a dataset would have shown.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    models : mapping of str to HiddenMarkovModel
        From :func:`rupture_repair.detection.fit_hidden_markov.fit_hidden_markov`.
    dataset : str
    seed : int

    Returns
    -------
    DataFrame
        One row per measure and rule (:data:`WATCHED`, then :data:`CLINICAL`). Columns: `dataset`,
        `measure`, `rule`, `simulated` (courses), `threshold` (of the probability), `false_alarm`
        (share of rupture-free courses that are ever flagged, in courses that the threshold does not
        come from), `found` (share of ruptures with a flag while they are open) and `found_error`,
        `delay` (mean sessions from the first of a rupture to the first flag, of those found),
        `courses_ruptured` (share of courses with a rupture, by the model), `ppv` (share of flagged
        courses whose first flag is in an open rupture) and `ppv_10`, `ppv_30`, `ppv_50` (the same,
        were so many per cent of courses ruptured), `calibration_slope` (of the logistic regression
        of open ruptures on the log odds of the probability), `status` (assessed, not_assessable)
        and `reason`.
    """
    rows = []
    for name in alliance(measures):
        ratings, model = arrange(sessions, name, measures[name]), models.get(name)
        names = {"dataset": dataset, "measure": name}
        if model is None or not model.identified:
            why = "no model was fitted" if model is None else model.message
            rows += [{**names, **_refused(rule, why)} for rule in (WATCHED, *CLINICAL)]
            continue
        rows += [
            {**names, **row} for row in _of_measure(ratings, name, measures[name], model, seed)
        ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = dict.fromkeys(("dataset", "measure", "rule", "status", "reason"), "str")
    return table.astype({**texts, **dict.fromkeys(_NUMBERS, "float64"), "simulated": "int64"})


def _refused(rule: str, why: str) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(_NUMBERS, np.nan)
    return {"rule": rule, "simulated": 0, **blank, "status": "not_assessable", "reason": why}


def _of_measure(
    ratings: Ratings, name: str, measure: Measure, model: HiddenMarkovModel, seed: int
) -> list[dict[str, Any]]:
    """Return the rows of one measure."""
    first, second = rupture_free(ratings, name, measure, seed)
    watched = live_model(first, model)
    random = np.random.default_rng([seed, crc32(f"watch {name}".encode()), 1])
    true = draw(
        _repeated(ratings.courses, -(-SIMULATED // len(ratings.courses.length))), model, random
    )
    probability, flags = watched.judged(true.courses)
    row = performance(true, flags, second, watched.judged(second)[1])
    row["calibration_slope"] = calibration_slope(probability, true.ruptured)
    rows = [{"rule": WATCHED, **row, "threshold": watched.threshold}]
    for rule in criteria.load(CLINICAL):
        why = why_not_assessable(rule, measure, ratings)
        if why is not None:
            rows.append(_refused(rule.id, why))
            continue
        both = [
            run_rules.falls(courses, rule, scale_of(courses, measure), 1).low
            for courses in (true.courses, second)
        ]
        rows.append({"rule": rule.id, **performance(true, both[0], second, both[1])})
    return rows


def performance(
    true: DrawnCourses, flags: Flags, free: Courses, false_flags: Flags
) -> dict[str, Any]:
    """Return what flags show in courses drawn with ruptures and in others without."""
    courses = true.courses
    begins = true.begins & true.ruptured
    rupture = np.where(true.ruptured, np.cumsum(begins) - 1, -1)
    number = int(begins.sum())
    hits = np.flatnonzero(flags & true.ruptured)
    found, first_hit = np.unique(rupture[hits], return_index=True)
    since = courses.session[hits[first_hit]] - courses.session[np.flatnonzero(begins)[found]]
    share = len(found) / number if number else np.nan
    ruptured = np.maximum.reduceat(true.ruptured, courses.start[:-1])
    first_flag = np.flatnonzero(flags & (courses.total(flags.astype(float))[courses.course] > 0))
    of_course, at = np.unique(courses.course[first_flag], return_index=True)
    in_rupture = np.zeros(len(courses.length), dtype=bool)
    in_rupture[of_course] = true.ruptured[first_flag[at]]
    flagged = np.zeros(len(courses.length), dtype=bool)
    flagged[of_course] = True
    alarm = float(np.maximum.reduceat(false_flags, free.start[:-1]).mean())
    right, wrong = (
        float(some[ruptured].mean()) if ruptured.any() else np.nan
        for some in (flagged & in_rupture, flagged & ~in_rupture)
    )
    rate = float(ruptured.mean())

    def value(rate: float) -> float:
        every = rate * (right + wrong) + (1 - rate) * alarm
        return rate * right / every if every > 0 else np.nan

    return {
        "simulated": len(courses.length),
        "false_alarm": alarm,
        "found": share,
        "found_error": float(np.sqrt(share * (1 - share) / number)) if number else np.nan,
        "delay": float(since.mean()) if len(found) else np.nan,
        "courses_ruptured": rate,
        "ppv": value(rate),
        **{f"ppv_{stated * 100:.0f}": value(stated) for stated in STATED},
        "status": "assessed",
        "reason": None,
    }


def calibration_slope(probability: Floats, true: Flags) -> float:
    """Return the slope of a logistic regression of the truth on the log odds; 1 is calibrated.

    Sessions with a probability of 0 (no rupture may begin there) are left out.
    """
    kept = probability > 0
    if not true[kept].any() or true[kept].all():
        return float("nan")
    odds = np.clip(probability[kept], 1e-9, 1 - 1e-9)
    design = np.stack([np.ones(kept.sum()), np.log(odds / (1 - odds))], axis=1)
    slopes = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-design @ slopes))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        step = np.linalg.lstsq(information, design.T @ (true[kept] - fitted))[0]
        slopes += step
        if np.abs(step).max() < 1e-8:
            break
    return float(slopes[1])
