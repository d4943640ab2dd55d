r"""The detection kernel: which ratings lie low, by one criterion, for all courses at once.

Ratings of all courses stand one after the other in flat arrays, so that each step is one NumPy
pass over the sessions, whatever the lengths of the courses: a sum per course is
``np.add.reduceat``, the previous rating is a shift by one. Ratings are turned so that higher is
better before they come here; there is no mirrored kernel.

For a session with rating :math:`x` the fall is :math:`f = r - x` with the reference :math:`r`;
the session is low where :math:`f \ge k u` (or :math:`>`), with the unit :math:`u`, and
:math:`f` is no smaller than the floor.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .criteria import Criterion

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Why a session or course cannot be assessed; 0 means that it can.
REASONS = (
    "",
    "too few ratings",
    "no variation in the ratings of this course",
    "with so few ratings no rating can lie this far from the reference",
    "nothing to compare with",
    "the previous rating lies too many sessions back",
    "follows an episode whose outcome was not observed",
    "not rated",
)
_TOO_FEW, _FLAT, _CANNOT_FIRE, _NO_REFERENCE, _GAP, OUTCOME_UNKNOWN, NOT_RATED = range(1, 8)

#: Falls are compared with thresholds up to this share of their size, so that a fall of one point
#: between 36.3 and 35.3 is one point.
TOLERANCE = 1e-9

#: Sessions handled in one piece: small enough to stay in the processor's cache.
PIECE = 200_000


@dataclass(frozen=True)
class Courses:
    """Ratings of many courses, one after the other; unrated sessions are left out.

    Attributes
    ----------
    rating : ndarray of float, shape (ratings,)
        Turned so that higher is better; sorted by session within each course.
    session : ndarray of int, shape (ratings,)
        Session numbers.
    start : ndarray of int, shape (courses + 1,)
        Where each course begins; the last entry is the number of ratings. No course is empty.
    """

    rating: Floats
    session: Integers
    start: Integers

    @cached_property
    def length(self) -> Integers:
        """Number of ratings of each course."""
        return np.diff(self.start)

    @cached_property
    def course(self) -> Integers:
        """Index of the course of each rating."""
        return np.repeat(np.arange(len(self.length)), self.length)

    @cached_property
    def position(self) -> Integers:
        """How many ratings of the same course come before each rating."""
        return np.arange(len(self.rating)) - np.repeat(self.start[:-1], self.length)

    def total(self, values: Floats) -> Floats:
        """Sum `values` (one per rating) within each course."""
        return np.add.reduceat(values, self.start[:-1])

    def spread(self, values: NDArray) -> NDArray:
        """Repeat `values` (one per course) for each rating of the course."""
        return np.repeat(values, self.length)

    def earlier(self, steps: int, values: NDArray | None = None) -> Floats:
        """Return the rating (or value) `steps` ratings before, NaN where there is none."""
        values = self.rating if values is None else values
        shifted = np.full(len(values), np.nan)
        shifted[steps:] = values[:-steps] if steps else values
        shifted[self.position < steps] = np.nan
        return shifted

    def pieces(self, size: int = PIECE) -> Iterator[tuple[slice, "Courses"]]:
        """Yield runs of whole courses of about `size` ratings: which ratings, and the part."""
        cuts = np.searchsorted(self.start, np.arange(size, len(self.rating) + size, size))
        cuts = np.unique(np.minimum(np.concatenate([[0], cuts]), len(self.length)))
        for first, last in itertools.pairwise(cuts):
            ratings = slice(int(self.start[first]), int(self.start[last]))
            part = Courses(
                self.rating[ratings],
                self.session[ratings],
                self.start[first : last + 1] - self.start[first],
            )
            yield ratings, part


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
    """

    sample_sd_mean: float
    sample_sd_trend: float
    difference_error: float = np.nan
    reliable_change: float = np.nan
    better: str = "higher"


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
    """

    reference: Floats
    fall: Floats
    unit: Floats
    threshold: Floats
    floor: float
    low: Flags
    reason: NDArray[np.int8]


def arrange(course: ArrayLike, session: ArrayLike, rating: ArrayLike) -> tuple[Courses, NDArray]:
    """Arrange ratings for the kernel: sorted, unrated sessions left out.

    Parameters
    ----------
    course : array of int, shape (rows,)
        Code of the course of each row.
    session : array of int, shape (rows,)
    rating : array of float, shape (rows,)
        Turned so that higher is better; NaN where unrated.

    Returns
    -------
    courses : Courses
    row : ndarray of int, shape (ratings,)
        The row of each rating.
    """
    course, session = np.asarray(course), np.asarray(session, dtype=np.int64)
    rating = np.asarray(rating, dtype=np.float64)
    row = np.flatnonzero(~np.isnan(rating))
    step = np.diff(course[row])
    if ((step < 0) | ((step == 0) & (np.diff(session[row]) <= 0))).any():
        row = row[np.lexsort((session[row], course[row]))]
    codes = course[row]
    new = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1)) if len(codes) else row
    start = np.append(new, len(row)).astype(np.int64)
    return Courses(rating[row], session[row], start), row


def trend(courses: Courses) -> Floats:
    """Return the regression line of each course on session number, at each rating.

    A course with one rating has a line of that level.
    """
    length = courses.length
    session = courses.session.astype(np.float64)
    centred = session - courses.spread(courses.total(session) / length)
    mean = courses.total(courses.rating) / length
    spread = courses.total(centred**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = courses.total(centred * courses.rating) / spread
    slope = np.where(spread > 0, slope, 0.0)
    return courses.spread(mean) + courses.spread(slope) * centred


def squares(courses: Courses, around: str) -> tuple[Floats, Integers]:
    """Return sum of squares and degrees of freedom of each course around its mean or trend."""
    if around == "trend":
        level, used = trend(courses), 2
    else:
        level, used = courses.spread(courses.total(courses.rating) / courses.length), 1
    total = courses.total((courses.rating - level) ** 2)
    # What is left of a flat course is rounding error of the mean, not variation.
    size = courses.total(courses.rating**2)
    total = np.where(total <= 1e-20 * size, 0.0, total)
    return total, courses.length - used


def pooled_sd(courses: Courses, around: str = "mean") -> float:
    """Return the pooled within-course SD, NaN where no course has two (trend: three) ratings."""
    total = degrees = 0.0
    for _, part in courses.pieces():
        sums, free = squares(part, around)
        total += float(sums[free > 0].sum())
        degrees += float(free[free > 0].sum())
    return float(np.sqrt(total / degrees)) if degrees else float("nan")


def _own_sd(courses: Courses, around: str) -> Floats:
    total, free = squares(courses, around)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(free > 0, np.sqrt(total / np.maximum(free, 1)), np.nan)


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
        case "moving_range":
            step = np.abs(courses.rating - courses.earlier(1))
            with np.errstate(invalid="ignore", divide="ignore"):
                return courses.total(np.nan_to_num(step)) / (courses.length - 1) / 1.128
    raise KeyError(criterion.unit)


def _recent(courses: Courses, criterion: Criterion) -> Floats:
    """Return the previous rating, the highest or the mean of the last `span` ratings."""
    if criterion.reference == "previous" or criterion.span == 1:
        return courses.earlier(1)
    level, known = courses.earlier(1), courses.position.clip(0, criterion.span)
    for steps in range(2, criterion.span + 1):
        before = courses.earlier(steps)
        if criterion.reference == "recent_peak":
            level = np.fmax(level, before)
        else:
            level = level + np.nan_to_num(before)
    return level / known if criterion.reference == "recent_mean" else level


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
        case "course_mean":
            return courses.spread(courses.total(courses.rating) / courses.length)
        case "trend":
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
    bound = largest_fall(criterion, courses.length)
    slack = TOLERANCE * np.maximum(criterion.k, 1.0)
    cannot = bound <= criterion.k + slack if criterion.strict else bound < criterion.k - slack
    reason = np.zeros(len(unit), dtype=np.int8)
    reason[cannot] = _CANNOT_FIRE
    reason[~(unit > 0)] = _FLAT
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
    """Find the ratings that lie low by one criterion.

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
    reason[rated < criterion.min_ratings] = _TOO_FEW
    reason[np.isnan(reference) & (reason == 0)] = _NO_REFERENCE
    if not criterion.is_level:
        far = courses.session - courses.earlier(1, courses.session) > max_gap
        reason[far & (reason == 0)] = _GAP

    threshold, floor = criterion.k * unit, floor_in_points(criterion, scale)
    low = meets(fall, courses.spread(threshold), floor, criterion.strict) & (reason == 0)
    return Falls(reference, fall, unit, threshold, floor, low, reason)
