r"""The detection kernel: which ratings lie low, by one criterion, for all courses at once.

Works on the flat arrays of :mod:`rupture_repair.detection.courses`, in a fixed number of passes.
Ratings are turned so that higher is better before they come here; there is no mirrored kernel.

For a session with rating :math:`x` the fall is :math:`f = r - x` with the reference :math:`r`;
the session is low where :math:`f \ge k u` (or :math:`>`), with the unit :math:`u`, and
:math:`f` is no smaller than the floor.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..project.arrays import Flags, Floats, Integers
from ..project.reason_catalogue import OF_SESSIONS
from .courses import Courses, arrange, moving_range, pooled_sd, quantile, squares, trend
from .criteria import Criterion

__all__ = [
    "GAP",
    "NOT_RATED",
    "NO_REFERENCE",
    "OUTCOME_UNKNOWN",
    "REASONS",
    "TOLERANCE",
    "TOO_FEW",
    "TOO_FEW_AROUND",
    "Courses",
    "Falls",
    "Flags",
    "Floats",
    "Integers",
    "Scale",
    "arrange",
    "decline_start",
    "falls",
    "floor_in_points",
    "largest_fall",
    "level_end",
    "meets",
    "pooled_sd",
    "squares",
    "trend",
]

#: Why a session or course cannot be assessed; 0 means that it can.
REASONS = ("", *OF_SESSIONS)
TOO_FEW, _FLAT, _CANNOT_FIRE, NO_REFERENCE, GAP, OUTCOME_UNKNOWN, NOT_RATED = range(1, 8)
TOO_FEW_AROUND, _NO_SPREAD = 8, 9

#: Falls are compared with thresholds up to this share of their size, so that a fall of one point
#: between 36.3 and 35.3 is one point.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Scale:
    """What a criterion may need to know of a measure and of the whole dataset.

    Attributes
    ----------
    sample_sd_mean, sample_sd_trend : float
        Pooled within-course SD of the dataset around course means and around course trends.
    difference_error : float
        Standard error of the difference of two ratings; NaN without a reliability.
    reliable_change : float
        Smallest reliable change in points; NaN without a reliability.
    better : {"higher", "lower"}
        The direction of the measure before it was turned; fixed levels are turned with it.
    worst : float
        The worst end of the range, turned; NaN where no range is known.
    prior_mean, prior_trend : tuple of float
        Degrees of freedom and variance that :func:`rupture_repair.detection.courses.shrinkage`
        finds around course means and around course trends.
    model : probability.Model, optional
        The hidden Markov model fitted to these ratings, where a criterion needs it.
    populations : Populations, optional
        What is ordinary in the dataset, for criteria that look at windows
        (:class:`rupture_repair.detection.scan.population.Populations`).

    Notes
    -----
    Pooled SDs may also be arrays with one entry per course, where the courses stem from several
    datasets.
    """

    sample_sd_mean: float | Floats
    sample_sd_trend: float | Floats
    difference_error: float = np.nan
    reliable_change: float = np.nan
    better: str = "higher"
    worst: float = np.nan
    prior_mean: tuple[float, float] = (0.0, np.nan)
    prior_trend: tuple[float, float] = (0.0, np.nan)
    model: Any = None
    populations: Any = None


@dataclass(frozen=True)
class Falls:
    """The fall of each rating below its reference, by one criterion.

    Attributes
    ----------
    reference, fall : ndarray of float, shape (ratings,)
        The level compared with, and how far the rating lies below it, in points.
    unit, threshold : ndarray of float, shape (courses,)
        The unit of the course, and k units in points.
    floor : float
        The smallest fall in points that counts, 0 for none.
    low : ndarray of bool, shape (ratings,)
        Where the criterion is met.
    reason : ndarray of int, shape (ratings,)
        Index into :data:`REASONS`: why the session cannot be assessed, 0 where it can.
    probability : ndarray of float, shape (ratings,), optional
        Of the ruptured state, where the criterion is a model.
    z : ndarray of float, shape (ratings,), optional
        Of the lowest window that begins at the rating, where the criterion looks at windows.
    begins : ndarray of bool, shape (ratings,), optional
        Where a window that was found begins.
    """

    reference: Floats
    fall: Floats
    unit: Floats
    threshold: Floats
    floor: float
    low: Flags
    reason: NDArray[np.int8]
    probability: Floats | None = None
    z: Floats | None = None
    begins: Flags | None = None


def _own_sd(courses: Courses, around: str) -> Floats:
    total, free = squares(courses, around)
    return np.where(free > 0, np.sqrt(total / np.maximum(free, 1)), np.nan)


def _shrunk_sd(courses: Courses, criterion: Criterion, scale: Scale) -> Floats:
    """Return the own SD, its variance shrunk to that of the dataset (limma)."""
    total, free = squares(courses, criterion.sd_around)
    degrees, prior = scale.prior_trend if criterion.sd_around == "trend" else scale.prior_mean
    if np.isinf(degrees):
        return np.full(len(free), np.sqrt(prior))
    known = np.maximum(free, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt((degrees * np.nan_to_num(prior) + total) / (degrees + known))


def _unit(courses: Courses, criterion: Criterion, scale: Scale) -> Floats:
    """Return the unit of each course."""
    around, number = criterion.sd_around, len(courses.length)
    sample_sd = scale.sample_sd_trend if around == "trend" else scale.sample_sd_mean
    match criterion.unit:
        case "raw":
            return np.ones(number)
        case "own_sd":
            return _own_sd(courses, around)
        case "sample_sd":
            return np.full(number, sample_sd)
        case "larger_sd":
            return np.fmax(_own_sd(courses, around), sample_sd)
        case "reliable_change":
            return np.full(number, scale.difference_error)
        case "shrunk_sd":
            return _shrunk_sd(courses, criterion, scale)
        case "moving_range":
            return moving_range(courses)
        case "noise_sd":
            return np.ones(number)  # known only to the model, which replaces it
        case "mad":
            deviation = np.abs(courses.rating - courses.spread(quantile(courses, 0.5)))
            # Times 1.4826 it estimates the SD of normal ratings.
            return 1.4826 * quantile(courses, 0.5, deviation)
        case "iqr":
            return quantile(courses, 0.75) - quantile(courses, 0.25)
    raise KeyError(criterion.unit)


def _recent(courses: Courses, criterion: Criterion) -> Floats:
    """Return the previous rating, the highest or the mean of the last `span` ratings."""
    if criterion.reference == "previous":
        return courses.earlier(1)
    level, known = courses.earlier(1), np.minimum(courses.position, criterion.span)
    for steps in range(2, criterion.span + 1):
        before = courses.earlier(steps)
        if criterion.reference == "recent_peak":
            level = np.fmax(level, before)
        else:
            level = level + np.nan_to_num(before)
    return level / known if criterion.reference == "recent_mean" else level


def decline_start(courses: Courses) -> Integers:
    """Return, for each rating, the index of the rating from which it has not risen since.

    A decline may build up over any number of sessions; where it begins with equal ratings, the
    last of them counts. A rating that rose is its own start.
    """
    index = np.arange(len(courses.rating))
    step = courses.rating - courses.earlier(1)
    # A decline goes on as long as no rating rises; its level ends where a rating first falls.
    begins = ~(step <= 0)
    start = np.maximum.accumulate(np.where(begins, index, 0))
    falls_here = (step < 0) & (courses.rating[np.maximum(index - 1, 0)] == courses.rating[start])
    last_level = np.maximum.accumulate(np.where(falls_here, index - 1, np.where(begins, index, 0)))
    on_level = courses.rating == courses.rating[start]
    return np.where(on_level, np.maximum(index - 1, start), last_level)


def level_end(courses: Courses) -> Integers:
    """Return, for each rating, the index of the last of the equal ratings that it begins."""
    index = np.arange(len(courses.rating))
    ends = np.ones(len(index), dtype=bool)
    ends[:-1] = courses.rating[1:] != courses.rating[:-1]
    ends[courses.start[1:] - 1] = True
    return np.minimum.accumulate(np.where(ends, index, len(index))[::-1])[::-1]


def _past_mean(courses: Courses) -> Floats:
    """Return the mean of all earlier ratings of the course."""
    # Deviations from the first rating keep the running sum exact over millions of ratings.
    first = courses.spread(courses.rating[courses.start[:-1]])
    running = np.cumsum(courses.rating - first)
    before = courses.spread(running[courses.start[:-1]])
    with np.errstate(invalid="ignore", divide="ignore"):
        past = (courses.earlier(1, running) - before) / courses.position
    return first + past


def _reference(courses: Courses, criterion: Criterion, scale: Scale) -> Floats:
    """Return the level that each rating is compared with, NaN where there is none."""
    match criterion.reference:
        case "previous" | "recent_peak" | "recent_mean":
            with np.errstate(invalid="ignore", divide="ignore"):
                return _recent(courses, criterion)
        case "past_mean":
            return _past_mean(courses)
        case "decline_start":
            return np.where(courses.position > 0, courses.rating[decline_start(courses)], np.nan)
        case "course_median":
            return courses.spread(quantile(courses, 0.5))
        case "first_quartile":
            return courses.spread(quantile(courses, 0.25))
        case "course_mean":
            return courses.spread(courses.total(courses.rating) / courses.length)
        case "trend" | "model":
            return trend(courses)
        case "fixed":
            level = criterion.value if criterion.value is not None else np.nan
            return np.full(len(courses.rating), -level if scale.better == "lower" else level)
    raise KeyError(criterion.reference)


def largest_fall(criterion: Criterion, length: Integers) -> Floats:
    r"""Return the largest fall in units that `length` ratings allow, whatever they are.

    A fall that is a contrast :math:`c'x` with :math:`c'1 = 0` cannot exceed
    :math:`\lVert c\rVert\sqrt{n-1}` sample SD (Cauchy-Schwarz): :math:`(n-1)/\sqrt n` below the
    course mean, :math:`\sqrt{2(n-1)}` below another rating, and
    :math:`\sqrt{(1-1/n)(n-2)}` residual SD below the trend. Below the mean, in moving-range sigma,
    the bound is :math:`1.128 (n-1)^2/n`, since the mean absolute step is at least the range
    over :math:`n-1`. The larger of two SDs only lowers the quotient.

    Parameters
    ----------
    criterion : Criterion
    length : ndarray of int, shape (courses,)
        Number of ratings.

    Returns
    -------
    ndarray of float, shape (courses,)
        Infinite where no bound holds.
    """
    number = length.astype(np.float64)
    own = criterion.unit in ("own_sd", "larger_sd")
    match criterion.reference, criterion.sd_around:
        case "course_mean", "mean" if own:
            return (number - 1) / np.sqrt(number)
        case "trend", "trend" if own:
            return np.sqrt((1 - 1 / number) * np.maximum(number - 2, 0))
        case (("previous" | "recent_peak"), "mean") if own:
            return np.sqrt(2 * (number - 1))
        case "course_mean", _ if criterion.unit == "moving_range":
            return 1.128 * (number - 1) ** 2 / number
    return np.full(len(number), np.inf)


def _course_reason(courses: Courses, criterion: Criterion, unit: Floats) -> NDArray[np.int8]:
    """Say for each course why it cannot be assessed at all."""
    bound, k = largest_fall(criterion, courses.length), float(criterion.k)
    slack = TOLERANCE * np.maximum(k, 1.0)
    cannot = bound <= k + slack if criterion.strict else bound < k - slack
    reason = np.zeros(len(unit), dtype=np.int8)
    reason[cannot] = _CANNOT_FIRE
    reason[~(unit > 0)] = _NO_SPREAD if criterion.unit in ("mad", "iqr") else _FLAT
    return reason


def floor_in_points(criterion: Criterion, scale: Scale) -> float:
    """Return the smallest fall in points that counts, 0 where the criterion has no floor."""
    if isinstance(criterion.floor, str):
        return scale.reliable_change
    return criterion.floor or 0.0


def meets(fall: Floats, threshold: Floats, floor: float, strict: bool) -> Flags:
    """Say where a fall in points reaches (`strict`: exceeds) the threshold, and the floor."""
    slack = TOLERANCE * (np.abs(threshold) + np.abs(fall))
    with np.errstate(invalid="ignore"):
        low = fall > threshold + slack if strict else fall >= threshold - slack
    return low & (fall >= floor * (1 - TOLERANCE)) if floor else low


def falls(courses: Courses, criterion: Criterion, scale: Scale, max_gap: int) -> Falls:
    """Find the ratings that lie low by one criterion that has no run rule.

    Parameters
    ----------
    courses : Courses
    criterion : Criterion
    scale : Scale
        Facts of the measure and the whole dataset.
    max_gap : int
        How many session numbers back the previous rated session may lie, for references that
        look back at ratings.

    Returns
    -------
    Falls
    """
    unit = _unit(courses, criterion, scale)
    reference = _reference(courses, criterion, scale)
    fall = reference - courses.rating

    reason = courses.spread(_course_reason(courses, criterion, unit))
    # A rule that knows only the past counts the ratings so far, else those of the whole course.
    rated = courses.spread(courses.length) if criterion.uses_future else courses.position + 1
    reason[rated < criterion.min_ratings] = TOO_FEW
    reason[np.isnan(reference) & (reason == 0)] = NO_REFERENCE
    if not criterion.is_level:
        most = max_gap if criterion.max_gap is None else criterion.max_gap
        far = courses.session - courses.earlier(1, courses.session) > most
        reason[far & (reason == 0)] = GAP

    threshold, floor = float(criterion.k) * unit, floor_in_points(criterion, scale)
    low = meets(fall, courses.spread(threshold), floor, criterion.strict)
    return Falls(reference, fall, unit, threshold, floor, low & (reason == 0), reason)
