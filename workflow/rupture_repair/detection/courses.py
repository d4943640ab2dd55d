"""Ratings of many courses in flat arrays, and what a course as a whole amounts to.

Ratings of all courses stand one after the other, so that each step is one NumPy pass over the
sessions, whatever the lengths of the courses: a sum per course is ``np.add.reduceat``, the
previous rating is a shift by one.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..project.arrays import Flags, Floats, Integers
from ..project.content_order import group_digests, row_digests

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
    reported : ndarray of bool, shape (ratings,), optional
        Where a rupture was reported at the session; None without coded events.
    """

    rating: Floats
    session: Integers
    start: Integers
    reported: Flags | None = None

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
                None if self.reported is None else self.reported[ratings],
            )
            yield ratings, part


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


def evenly_spaced(courses: Courses, most: int) -> Integers:
    """Return the positions of at most so many courses, evenly spaced by length and content.

    They are in that order. The order of the courses themselves changes nothing.
    """
    number = len(courses.length)
    if not number:
        return np.arange(0)
    order = np.lexsort((content(courses), courses.length))
    wanted = min(number, most)
    return order[(np.arange(wanted) * number) // wanted]


def chosen(courses: Courses, which: ArrayLike) -> tuple[Courses, Integers]:
    """Return some courses, or all of them in another order.

    Parameters
    ----------
    courses : Courses
    which : array of int
        Their positions.

    Returns
    -------
    courses : Courses
    rating : ndarray of int
        Which of the ratings given are theirs, in their order.
    """
    which = np.asarray(which, dtype=np.int64)
    length = courses.length[which]
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    rating = np.arange(start[-1]) + np.repeat(courses.start[which] - start[:-1], length)
    reported = None if courses.reported is None else courses.reported[rating]
    return Courses(courses.rating[rating], courses.session[rating], start, reported), rating


def content(courses: Courses) -> NDArray[np.uint64]:
    """Return a number for each course that hangs on its sessions and ratings alone.

    The same ratings at the same sessions give the same number. Names, the order of the courses and
    the points of the scale make no difference. See :mod:`rupture_repair.project.content_order`.
    """
    rows = row_digests([courses.session, courses.rating])
    return group_digests(rows, courses.course, len(courses.length))


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


def quantile(courses: Courses, share: float, values: Floats | None = None) -> Floats:
    """Return a quantile of each course, by linear interpolation (type 7 of R).

    Parameters
    ----------
    courses : Courses
    share : float
        Between 0 and 1.
    values : ndarray of float, shape (ratings,), optional
        The ratings by default.

    Returns
    -------
    ndarray of float, shape (courses,)
    """
    values = courses.rating if values is None else values
    ordered = values[np.lexsort((values, courses.course))]
    place = courses.start[:-1] + share * (courses.length - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, courses.start[1:] - 1)
    weight = place - below
    return (1 - weight) * ordered[below] + weight * ordered[above]


def moving_range(courses: Courses) -> Floats:
    """Return the mean absolute step of each course over 1.128: sigma of a control chart."""
    step = np.abs(courses.rating - courses.earlier(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return courses.total(np.nan_to_num(step)) / (courses.length - 1) / 1.128


def shrinkage(variance: Floats, free: Integers) -> tuple[float, float]:
    r"""Estimate the prior of within-course variances, as limma does for genes.

    With :math:`s_i^2 \sim s_0^2 F_{d_i,d_0}` the mean and variance of :math:`\log s_i^2` give
    :math:`d_0` and :math:`s_0^2` by moments (Smyth 2004, doi 10.2202/1544-6115.1027).

    Parameters
    ----------
    variance, free : ndarray, shape (courses,)
        Variance of each course and its degrees of freedom.

    Returns
    -------
    degrees, variance : float
        Of the prior; infinite degrees where courses differ no more than chance makes them.
    """
    excess, mean = excess_of_log_variances(variance, free)
    if np.isnan(excess):
        return 0.0, float("nan")
    if excess <= 0:
        return float("inf"), float(np.exp(mean))
    prior = degrees_of(excess)
    level = mean + special.digamma(prior / 2) - np.log(prior / 2)
    return prior, float(np.exp(level))


def excess_of_log_variances(variance: Floats, free: Floats | Integers) -> tuple[float, float]:
    """Return by how much log variances of courses differ more than chance makes them.

    Returns
    -------
    excess, mean : float
        Variance beyond that of chance (it may be negative), and mean of the logarithms freed of
        their bias; NaN with fewer than three variances.
    """
    known = (free > 0) & (variance > 0)
    if known.sum() < 3:
        return float("nan"), float("nan")
    half = free[known] / 2
    log = np.log(variance[known]) - special.digamma(half) + np.log(half)
    # Many courses have equally many ratings, and polygamma is slow.
    different, times = np.unique(half, return_counts=True)
    by_chance = float((special.polygamma(1, different) * times).sum() / times.sum())
    return float(log.var(ddof=1)) - by_chance, float(log.mean())


def degrees_of(excess: float) -> float:
    """Return the degrees of freedom at which log variances differ this much."""
    # Newton's method on 1/trigamma, convex and nearly linear (appendix of Smyth 2004).
    half = 0.5 + 1 / excess
    for _ in range(50):
        value = special.polygamma(1, half)
        step = value * (1 - value / excess) / special.polygamma(2, half)
        half += step
        if abs(step) < 1e-12 * half:
            break
    return float(2 * half)


def grid_step(rating: Floats) -> float:
    """Return the step of the grid on which all ratings lie, 0 where there is none.

    The step is the largest number of which all distances are multiples, in decimals of about a
    millionth of the range; where ratings carry no such number (means of three items, say), the
    smallest distance, or a whole part of it down to a twelfth, if all distances are near its
    multiples.

    Examples
    --------
    >>> grid_step(np.array([3.0, 4.5, 7.0]))
    0.5
    """
    distances = rating - rating.min(initial=np.inf)
    if not distances.any():
        return 0.0
    # Seven digits, whatever the scale: 64 bits hold any number of them, and no rounding.
    decimals = 7 - math.ceil(math.log10(distances.max() * (1 - 1e-9)))
    unit, parts_of = (1, 10**decimals) if decimals > 0 else (10**-decimals, 1)
    distance = np.unique(np.round(distances / unit * parts_of).astype(np.int64))
    finest = 1e-4 * distance[-1]
    common = float(np.gcd.reduce(distance))
    if common > finest:
        return common * unit / parts_of
    smallest = float(np.diff(distance).min())
    for parts in range(1, 13):
        # Over the whole range, since the decimals of one step are rounded.
        number = np.rint(distance[-1] * parts / smallest)
        step = distance[-1] / number
        if step > finest and (np.abs(distance - np.rint(distance / step) * step) < 2).all():
            return float(distances.max() / number)
    return 0.0
