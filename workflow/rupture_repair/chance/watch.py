"""Watching courses as they go on: what is known after each session, and when to raise a flag.

After each session the hidden Markov model gives the probability of an open rupture by the ratings
so far. A flag is raised where it reaches a threshold that is meant for at most 5 % of rupture-free
courses ever: courses drawn from the noise of the dataset, freed of ruptures. What this
would have shown is found in courses drawn from the fitted model, next to rules that clinicians use.
A research tool: nobody has tried it in a clinic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from ..detection import criteria, run_rules
from ..detection.courses import Courses
from ..detection.hidden_markov import rupture_probability
from ..detection.hidden_markov.draw import DrawnCourses, draw
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import alliance, scale_of, why_not_assessable
from ..project.arrays import Flags, Floats
from ..project.measures import Measures
from .calibrate import MARGIN
from .replicates import Null, evenly, null_of, simulate, stacked

#: Share of rupture-free courses that may ever be flagged; the threshold aims at a part of it, as
#: the calibration of k does.
FALSE_ALARM = 0.05
#: Courses that are simulated for each of the three purposes.
SIMULATED = 600
#: Of the seeds of these courses.
_PURPOSE = 4
#: Rules of clinicians that look back only, for comparison.
CLINICAL = ("srs_cutoff", "srs_drop_1")
#: The rule that is watched by.
WATCHED = "filtered_probability"
#: Shares of courses with a rupture at which the predictive value is stated.
STATED = (0.1, 0.3, 0.5)
_NUMBERS = (
    *(
        "threshold",
        "false_alarm",
        "false_alarm_error",
        "found",
        "found_error",
        "delay",
        "courses_ruptured",
        "ppv",
    ),
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


def threshold_of(highest: Floats, false_alarm: float = MARGIN * FALSE_ALARM) -> float:
    """Return the lowest threshold that a further course reaches with a probability of at most ...

    Parameters
    ----------
    highest : ndarray, shape (courses,)
        The highest value of each course. A further course lies above the j-th largest of n with
        a probability of j / (n + 1).
    false_alarm : float
        That probability.

    Returns
    -------
    float
        Above all values where the courses are too few for it.

    Examples
    --------
    >>> highest = np.array([0.1, 0.2, 0.3, 0.9])
    >>> 0.3 < threshold_of(highest, 0.4) < 0.31, threshold_of(highest, 0.1) > 0.9
    (True, True)
    """
    allowed = int(false_alarm * (len(highest) + 1))
    # With none, what even the largest of all does not reach.
    return float(np.nextafter(np.sort(highest)[::-1][max(allowed, 1) - 1], 2.0))


def rupture_free(null: Null, which: int) -> Courses:
    """Return :data:`SIMULATED` rupture-free courses of a measure.

    Parameters
    ----------
    null : Null
        From :func:`rupture_repair.chance.replicates.prepare`.
    which : int
        Of several sets of them.
    """
    replicates = np.arange(-(-SIMULATED // len(null.courses.length)))
    random = np.random.default_rng(null.seed(_PURPOSE, which))
    return evenly(stacked(null, simulate(null, "autoregressive", replicates, random)), SIMULATED)


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
        come from) and `false_alarm_error`, `found` (share of ruptures with a flag while they are
        open) and `found_error`, `delay` (mean sessions from the first of a rupture to the first
        flag, of those found),
        `courses_ruptured` (share of courses with a rupture, by the model), `ppv` (share of flagged
        courses whose first flag is in an open rupture) and `ppv_10`, `ppv_30`, `ppv_50` (the same,
        were so many per cent of courses ruptured), `calibration_slope` (of the logistic regression
        of open ruptures on the log odds of the probability), `status` (assessed, not_assessable)
        and `reason`.
    """
    rows = []
    for name in alliance(measures):
        model = models.get(name)
        names = {"dataset": dataset, "measure": name}
        if model is None or not model.identified:
            why = "no model was fitted" if model is None else model.message
            rows += [{**names, **_refused(rule, why)} for rule in (WATCHED, *CLINICAL)]
            continue
        null = null_of(sessions, name, measures, seed=seed)
        rows += [{**names, **row} for row in _of_measure(null, model)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = dict.fromkeys(("dataset", "measure", "rule", "status", "reason"), "str")
    return table.astype({**texts, **dict.fromkeys(_NUMBERS, "float64"), "simulated": "int64"})


def _refused(rule: str, why: str) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(_NUMBERS, np.nan)
    return {"rule": rule, "simulated": 0, **blank, "status": "not_assessable", "reason": why}


def _of_measure(null: Null, model: HiddenMarkovModel) -> list[dict[str, Any]]:
    """Return the rows of one measure."""
    watched, other = live_model(rupture_free(null, 0), model), rupture_free(null, 1)
    random = np.random.default_rng(null.seed(_PURPOSE, 2))
    true = draw(evenly(null.courses, SIMULATED), model, random)
    probability, flags = watched.judged(true.courses)
    row = performance(true, flags, other, watched.judged(other)[1])
    row["calibration_slope"] = calibration_slope(probability, true.ruptured)
    rows = [{"rule": WATCHED, **row, "threshold": watched.threshold}]
    for rule in criteria.load(CLINICAL):
        why = why_not_assessable(rule, null.measure, null.ratings)
        if why is not None:
            rows.append(_refused(rule.id, why))
            continue
        both = [
            run_rules.falls(courses, rule, scale_of(courses, null.measure), 1).low
            for courses in (true.courses, other)
        ]
        rows.append({"rule": rule.id, **performance(true, both[0], other, both[1])})
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
    first_flag = np.flatnonzero(flags)
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
        "false_alarm_error": float(np.sqrt(alarm * (1 - alarm) / len(free.length))),
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
        fitted = expit(design @ slopes)
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        step = np.linalg.lstsq(information, design.T @ (true[kept] - fitted))[0]
        slopes += step
        if np.abs(step).max() < 1e-8:
            return float(slopes[1])
    return float("nan")
