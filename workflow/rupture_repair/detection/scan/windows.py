r"""The fall of every window of neighbouring ratings, and which windows are found.

A window is a run of one to `longest` ratings, or all ratings from one on. Its fall :math:`f` is
measured from the line of all *other* ratings: of the regression with one shift common to the
window's ratings, :math:`f = -\sum e / I`, with residuals :math:`e` around the line of all ratings
and the information :math:`I = L - L^2/(n+\lambda_a) - (\sum t)^2/(S_{tt}+\lambda_b)` (the formula
without autocorrelation). The SD of the course leaves the window out, too, and its variance is drawn
towards that of the dataset:

.. math::
    s_w^2 = \frac{d v + \max(RSS - f^2 I, 0)}{\nu}, \qquad t = f \sqrt I / s_w, \qquad
    z = \sqrt{\nu \log(1 + t^2/\nu)}\,\frac{8\nu+1}{8\nu+3},

with :math:`\nu` degrees of freedom (the map to z: Wallace 1959, Annals of Mathematical Statistics
30, 1121-1130). Within a course z grows with :math:`q = f^2 I`, so windows are compared by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...project.arrays import Flags, Floats, Integers
from ..courses import Courses
from .lines import LineFit, Population, Settled, centred_sessions, fit, settle

#: The prior of a course's variance counts so many times: moments find too few degrees of freedom
#: where ruptures make courses differ.
PRIOR_TIMES = 2.0

#: Smallest information of a window, in ratings.
_LEAST_INFORMATION = 1e-6

#: A course needs more degrees of freedom than this, a window left out, to have an SD.
_LEAST_FREE = 0.5

#: Windows of one course whose q differs by less, as a share, are equally low.
_TIE = 1e-9


@dataclass(frozen=True)
class Windows:
    """Which windows are looked at, and how.

    Attributes
    ----------
    longest : int
        Ratings of the longest run.
    to_end : bool
        Whether all ratings from one on are a window, however many.
    before : int
        Ratings of the course before the window, at the least.
    span : int or None
        None: the window is compared with the line of its course; a number: with the mean of so
        many ratings before it, or of as many as there are.
    deleted : bool
        Whether line and SD leave the window out.
    censored : bool
        Whether a rating at the top of the scale says only that it lies there or beyond.
    unit : {"shrunk_sd", "own_sd", "sample_sd"}
        The SD of the course drawn towards that of the dataset, left as it is, or replaced by it.
    carry_share : float
        Share of the estimated autocorrelation that is taken out.
    """

    longest: int = 4
    to_end: bool = True
    before: int = 2
    span: int | None = None
    deleted: bool = True
    censored: bool = True
    unit: Literal["shrunk_sd", "own_sd", "sample_sd"] = "shrunk_sd"
    carry_share: float = 0.5


@dataclass(frozen=True)
class Scan:
    """All that the windows of some courses are judged by.

    Attributes
    ----------
    courses : Courses
    windows : Windows
    population : Population
    settled : Settled
    fit : LineFit
    prior : ndarray, shape (courses,)
        Sum of squares that the dataset adds; infinite in courses that cannot be judged.
    free : ndarray, shape (courses,)
        Degrees of freedom of t.
    """

    courses: Courses
    windows: Windows
    population: Population
    settled: Settled
    fit: LineFit
    prior: Floats
    free: Floats

    @property
    def judged(self) -> Flags:
        """Which courses have enough ratings for an SD, shape (courses,)."""
        return np.isfinite(self.prior)

    def statistics(self) -> Iterator[tuple[int, Floats, Floats]]:
        """Yield for each kind of window its ratings (0: to the end), and fall and information.

        Both have one entry per rating, for the window that begins there; NaN information where
        none does.
        """
        return _means(self) if self.windows.span else _shifts(self)

    @cached_property
    def session(self) -> Floats:
        """Session numbers from their mean of the course."""
        return centred_sessions(self.courses)

    @cached_property
    def products(self) -> "_Products":
        """Sums over windows of constant, session, residual and weight."""
        return _Products(self)

    def pulls(self, found: "FoundWindows") -> tuple[Floats, Floats]:
        """Return the products of windows with constant and session."""
        constant, slope = (self.products.between(found.first, found.stop, c) for c in (0, 1))
        return constant, slope

    def levels_before(self) -> Floats:
        """Return the mean of up to `span` ratings before each rating, NaN where there is none."""
        sums, level, since = self._earlier
        index = np.arange(len(since))
        many = index - since
        with np.errstate(invalid="ignore"):
            return level + (sums[index] - sums[since]) / np.where(many > 0, many, np.nan)

    @cached_property
    def _earlier(self) -> tuple[Floats, Floats, Integers]:
        """Return running sums of ratings from their mean, that mean, and where means begin."""
        courses = self.courses
        level = courses.spread(courses.total(self.settled.rating) / courses.length)
        index = np.arange(len(level))
        since = np.maximum(index - (self.windows.span or 1), courses.spread(courses.start[:-1]))
        return _prefix(self.settled.rating - level), level, since

    def of_one_rating(self) -> Floats:
        """Return the information of a single rating in the middle of each course."""
        if self.windows.span:
            return np.full(len(self.free), 1 / (1 + 1 / self.windows.span))
        return np.clip(1 - self.fit.p11, 0.1, 1.0)

    def sd_without(self, squares: Floats, windows: Integers) -> Floats:
        """Return the SD of each course when windows that take `squares` are left out."""
        if not self.windows.deleted:
            return np.sqrt((self.prior + self.fit.squares) / self.free)
        # One window, found or only looked for, is left out of the degrees of freedom already.
        free = np.maximum(self.free + 1 - np.maximum(windows, 1), 0.5)
        return np.sqrt((self.prior + np.maximum(self.fit.squares - squares, 0.0)) / free)

    def limit(self, z: float) -> Floats:
        """Return the q = fall^2 x information at which the windows of a course reach z.

        The inverse of :func:`normal_score`, and of t given q.
        """
        squared = t_value(np.full(len(self.free), z), self.free) ** 2
        squares = self.fit.squares
        if not self.windows.deleted:
            return squared * (self.prior + squares) / self.free
        inner = squared * (self.prior + squares) / (self.free + squared)
        return np.where(inner <= squares, inner, squared * self.prior / self.free)

    def z(self, q: Floats, course: Integers | None = None) -> Floats:
        """Return z of windows from their q; `course` says whose they are, else one per rating."""
        prior, squares, free = (
            self.courses.spread(values) if course is None else values[course]
            for values in (self.prior, self.fit.squares, self.free)
        )
        left = np.maximum(squares - q, 0.0) if self.windows.deleted else squares
        with np.errstate(invalid="ignore", divide="ignore"):
            return normal_score(q * free / (prior + left), free)


def normal_score(squared: Floats, free: Floats) -> Floats:
    """Return the standard normal value that is as rare as the square root of `squared` as t."""
    return np.sqrt(free * np.log1p(squared / free)) * (8 * free + 1) / (8 * free + 3)


def t_value(z: Floats, free: Floats) -> Floats:
    """Return t that is as rare as z: the inverse of :func:`normal_score`."""
    return np.sqrt(free * np.expm1((z * (8 * free + 3) / (8 * free + 1)) ** 2 / free))


def scan(courses: Courses, population: Population, windows: Windows) -> Scan:
    """Fit the lines of courses and what their windows are judged by.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    population : Population
    windows : Windows

    Returns
    -------
    Scan
    """
    degrees = PRIOR_TIMES * population.degrees
    settled = settle(courses, population, degrees=degrees)
    fitted = fit(courses, settled, population, windows.carry_share * population.carry)
    lost = 1.0 if windows.deleted else 0.0
    if windows.unit == "own_sd":
        degrees = 0.0
    prior = np.full(len(courses.length), degrees * population.variance)
    free = np.maximum(degrees + fitted.free - lost, 0.0)
    if windows.unit == "sample_sd":
        many = 1e6
        prior, free = np.full(len(prior), many * population.variance), np.full(len(prior), many)
    # Without a degree of freedom what is left of a course is rounding error: no fall is large.
    judged = free > _LEAST_FREE
    prior, free = np.where(judged, prior, np.inf), np.where(judged, free, _LEAST_FREE)
    return Scan(courses, windows, population, settled, fitted, prior, free)


def _prefix(values: Floats) -> Floats:
    sums = np.empty(len(values) + 1)
    sums[0] = 0.0
    np.cumsum(values, out=sums[1:])
    return sums


def _begins(courses: Courses, windows: Windows, length: int) -> Flags:
    """Say at which ratings a window of `length` ratings (0: to the end) may begin."""
    after = courses.spread(courses.length) - courses.position
    possible = courses.position >= windows.before
    return possible & (after >= length if length else after > windows.longest)


def _lengths(windows: Windows) -> list[int]:
    return [*range(1, windows.longest + 1), *([0] if windows.to_end else [])]


class _Products:
    """Products of the indicator of a window with columns, all freed of what is carried over.

    Each is the entry of the window's first rating, a sum over its further ones, and the entry
    behind its last. Columns: 0 constant, 1 session, 2 residual, 3 the indicator itself.
    """

    def __init__(self, this: Scan):
        f = this.fit
        lost = f.carry * f.scale
        self.first = [f.scale * column for column in (f.one, f.time, f.rest, f.scale)]
        self.sums = [_prefix(f.one * column) for column in (f.one, f.time, f.rest, f.one)]
        self.behind = [np.append(lost * column, 0.0) for column in (f.one, f.time, f.rest, -lost)]
        self.end = this.courses.spread(this.courses.start[1:])

    def between(self, first: Integers, stop: Integers, column: int) -> Floats:
        """Return one product for windows from `first` to the rating before `stop`."""
        total = self.sums[column]
        whole = self.first[column][first] + total[stop] - total[first + 1]
        return whole - self.behind[column][stop]

    def of_length(self, length: int, column: int) -> Floats:
        """Return one product for the windows of one length, by their first rating."""
        entry, total, after = self.first[column], self.sums[column], self.behind[column]
        if not length:
            return entry + total[self.end] - total[1:] - after[self.end]
        result = np.zeros(len(entry))
        size = max(len(entry) - length + 1, 0)
        result[:size] = entry[:size] + total[length:] - total[1 : size + 1] - after[length:]
        return result


def _shifts(this: Scan) -> Iterator[tuple[int, Floats, Floats]]:
    """Yield fall and information below the line, by generalised least squares."""
    courses, f = this.courses, this.fit
    p11, p12, p22 = (courses.spread(p) for p in (f.p11, f.p12, f.p22))
    for length in _lengths(this.windows):
        constant, slope, score, weight = (this.products.of_length(length, c) for c in range(4))
        information = weight - (
            p11 * constant * constant + 2 * p12 * constant * slope + p22 * slope * slope
        )
        np.maximum(information, _LEAST_INFORMATION, out=information)
        fall = -score / information
        if not this.windows.deleted:
            # Residuals of the line of all ratings are smaller by the window's own pull.
            weight = np.maximum(weight, _LEAST_INFORMATION)
            fall, information = fall * information / weight, weight * weight / information
        information[~_begins(courses, this.windows, length)] = np.nan
        yield length, fall, information


def _means(this: Scan) -> Iterator[tuple[int, Floats, Floats]]:
    """Yield fall and information below the mean of the ratings before the window."""
    courses, number = this.courses, len(this.fit.line)
    sums, _, since = this._earlier
    index = np.arange(number)
    many = np.maximum(index - since, 1)
    before = (sums[index] - sums[since]) / many
    end = courses.spread(courses.start[1:])
    for length in _lengths(this.windows):
        stop = np.minimum(index + length, number) if length else end
        long = np.maximum(stop - index, 1)
        fall = before - (sums[stop] - sums[index]) / long
        information = 1 / (1 / long + 1 / many)
        information[~_begins(courses, this.windows, length)] = np.nan
        yield length, fall, information


@dataclass(frozen=True)
class FoundWindows:
    """Windows, sorted by course and first rating; arrays of shape (windows,).

    Attributes
    ----------
    first, stop : ndarray of int
        Index of the first rating, and of the rating behind the last.
    fall, information, q : ndarray of float
    """

    first: Integers
    stop: Integers
    fall: Floats
    information: Floats
    q: Floats

    def __len__(self) -> int:
        return len(self.first)

    def chosen(self, which: Integers) -> "FoundWindows":
        """Return some of the windows."""
        return FoundWindows(self.first[which], self.stop[which], self.fall[which],
                     self.information[which], self.q[which])  # fmt: skip


def low_windows(
    this: Scan, z: float, floor: float = 0.0, strict: bool = False, barred: Flags | None = None
) -> tuple[FoundWindows, Floats]:
    """Return all windows that reach z, and the largest q of those that begin at each rating.

    Parameters
    ----------
    this : Scan
    z : float
    floor : float
        The smallest fall in points that counts.
    strict : bool
        Whether z must be exceeded.
    barred : ndarray of bool, shape (ratings,), optional
        Where no window may begin.

    Returns
    -------
    found : FoundWindows
    best : ndarray of float, shape (ratings,)
        0 where no window begins or none lies low.
    """
    courses = this.courses
    limit = courses.spread(this.limit(z) * (1 + _TIE if strict else 1 - _TIE))
    best = np.zeros(len(limit))
    end = courses.spread(courses.start[1:])
    parts = []
    for length, fall, information in this.statistics():
        with np.errstate(invalid="ignore"):
            down = np.maximum(fall, 0.0)
            q = down * down * information
        q = np.nan_to_num(q, copy=False)
        if barred is not None:
            q[barred] = 0.0
        np.maximum(best, q, out=best)
        first = np.flatnonzero((q >= limit) & (q > 0))
        if floor:
            first = first[fall[first] >= floor * (1 - _TIE)]
        stop = first + length if length else end[first]
        parts.append((first, stop, fall[first], information[first], q[first]))
    return FoundWindows(*(np.concatenate(column) for column in zip(*parts, strict=True))), best


def separate(courses: Courses, found: FoundWindows) -> FoundWindows:
    """Return the lowest window of each course, then the lowest that does not overlap it, and so on.

    Of equally low windows the longest, then the earliest counts. Each pass serves all courses.
    """
    course = courses.course[found.first]
    # Equal up to rounding: q as a share of the largest of the course, in steps.
    top = np.zeros(len(courses.length))
    np.maximum.at(top, course, found.q)
    size = np.round(found.q / top[course] / _TIE)
    order = np.lexsort((found.first, found.first - found.stop, -size, course))
    left, kept = order, []
    while len(left):
        lead = np.ones(len(left), dtype=bool)
        lead[1:] = np.diff(course[left]) != 0
        best = left[lead]
        kept.append(best)
        mine = best[np.cumsum(lead) - 1]
        apart = (found.stop[left] <= found.first[mine]) | (found.first[left] >= found.stop[mine])
        left = left[apart]
    which = np.concatenate(kept) if kept else order
    return found.chosen(which[np.argsort(found.first[which], kind="stable")])


def inside(courses: Courses, population: Population, windows: Windows, z: float) -> Flags:
    """Say which ratings lie in a window that reaches z."""
    flags = np.zeros(len(courses.rating), dtype=bool)
    for ratings, part in courses.pieces(PIECE):
        found, _ = low_windows(scan(part, population, windows), z)
        change = np.bincount(found.first, minlength=len(part.rating) + 1)
        change -= np.bincount(found.stop, minlength=len(part.rating) + 1)
        flags[ratings] = np.cumsum(change)[:-1] > 0
    return flags


#: Ratings scanned in one piece: a dozen arrays of it fit into the processor's cache.
PIECE = 20_000
