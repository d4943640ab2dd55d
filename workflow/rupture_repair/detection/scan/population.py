"""What is ordinary in a dataset, estimated without the falls themselves.

A rupture enlarges the variance that it should be compared with. So the windows that lie low are
left out, the dataset is described again, and low windows are looked for again, a few times.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...project.arrays import Flags, Floats
from ..courses import Courses, chosen, content, excess_of_log_variances, shrinkage
from .lines import Population, Settled, settle
from .windows import Windows, inside

#: The dataset is described by at most about this many courses, evenly spaced.
COURSES = 2_000

#: A course needs more ratings than this, left out ones not counted, to say how ratings vary.
_FEWEST = 2.5

#: The prior of the variances never counts for more ratings than this.
MOST_DEGREES = 200.0

#: How unequal courses are is told by those with at most this share of ratings at the top, if there
#: are so many of them.
_MOST_AT_TOP, _FEWEST_FREE_OF_TOP = 0.2, 10

#: No larger autocorrelation is believed.
MOST_CARRY = 0.9

#: At least this share of the ratings is kept: what most ratings do is ordinary.
LEAST_KEPT = 0.5

#: With fewer courses than this, how courses differ is not known: none is drawn to the others.
FEWEST_COURSES = 3


@dataclass(frozen=True)
class Purge:
    """How ordinary ups and downs are freed of falls.

    Attributes
    ----------
    z : float
        Windows that lie this low are left out.
    rounds : int
        How often; 0 leaves out nothing.
    """

    z: float = 2.0
    rounds: int = 4


def some_courses(courses: Courses, number: int = COURSES) -> Courses:
    """Return about `number` courses, evenly spaced in an order of their content."""
    order = np.lexsort((content(courses), courses.length))
    return chosen(courses, order[:: max(1, -(-len(order) // number))])[0]


def _moments(courses: Courses, rating: Floats, hidden: Floats, weight: Floats) -> Population:
    """Estimate level, trend and pooled variance from weighted sums; a prior is not known yet."""
    total, spread = courses.total, courses.spread
    number = total(weight)
    session = courses.session.astype(np.float64)
    middle = total(weight * session) / np.maximum(number, 1e-9)
    time = session - spread(middle)
    width = total(weight * time * time)
    steady = width > 1e-9
    mean = total(weight * rating) / np.maximum(number, 1e-9)
    slope = np.where(steady, total(weight * time * rating) / np.where(steady, width, 1.0), 0.0)
    rest = rating - spread(mean) - spread(slope) * time
    squares = total(weight * (rest * rest + hidden))
    enough = number > _FEWEST
    unknown = Population(np.nan, np.inf, 0.0, np.inf, np.nan, np.nan, 0.0, 0.0)
    if not enough.any():
        return unknown
    pooled = float(squares[enough].sum() / (number[enough] - 2).sum())
    # Where nothing varies, what is left is rounding error of the mean.
    if not pooled > 1e-18 * float(np.mean(rating**2)):
        return unknown
    if enough.sum() < FEWEST_COURSES:
        return replace(unknown, level=float(mean.mean()), pooled=pooled)
    information = np.where(steady, width / pooled, 0.0)
    summed = information.sum()
    trend = float((information * slope).sum() / summed)
    surplus = float((information * (slope - trend) ** 2).sum()) - (int(steady.sum()) - 1)
    between = surplus / float(summed - (information**2).sum() / summed)
    # The level at the middle of the course, not of the ratings that are kept.
    kept = number > 0.5
    level = (mean + trend * (total(session) / courses.length - middle))[kept]
    spread_of_levels = float(level.var() - (pooled / number[kept]).mean())
    return replace(
        unknown,
        level=float(level.mean()),
        level_variance=max(spread_of_levels, 0.01 * pooled),
        trend=trend,
        trend_variance=max(between, 1e-6 * pooled),
        pooled=pooled,
        unbounded=(between / pooled, 0.0, 0.0, 0.0),
    )


def _carry(courses: Courses, settled: Settled, weight: Floats) -> float:
    r"""Return the autocorrelation of neighbouring sessions.

    A line fitted to :math:`n` ratings takes part of it away: on average :math:`(2+4\rho)/n` is
    lost (Kendall 1954, Biometrika 41, 403-404, with a trend).
    """
    rest = settled.rating - settled.line
    neighbours = (np.diff(courses.course) == 0) & (np.diff(courses.session) == 1)
    pairs = weight[1:] * weight[:-1] * neighbours
    if not pairs.any():
        return 0.0
    both = (pairs * rest[1:] * rest[:-1]).sum() / pairs.sum()
    alone = (weight * (rest**2 + settled.hidden)).sum() / weight.sum()
    number = max(float(courses.length.mean()), 8.0)
    return float((both / alone + 2 / number) / (1 - 4 / number))


def _inequality(
    courses: Courses, top: float, own: Floats, free: Floats, enough: Flags
) -> tuple[float, float]:
    """Return variance beyond chance, and mean, of the log variances of courses below the top.

    Variances of courses at the ceiling are guesses in large part. NaN with fewer than three.
    """
    at_top = courses.total((courses.rating >= top).astype(float))
    below = (at_top <= _MOST_AT_TOP * courses.length)[enough]
    if below.sum() < _FEWEST_FREE_OF_TOP:
        below[:] = True
    return excess_of_log_variances(own[below], free[below])


def describe(courses: Courses, top: float, weight: Floats | None = None) -> Population:
    """Describe a dataset from the ratings that are not left out.

    Parameters
    ----------
    courses : Courses
    top : float
        Ratings from here on lie at the top of the scale.
    weight : ndarray of float, shape (ratings,), optional
        0 for ratings that are left out.

    Returns
    -------
    Population
        By moments: level and trend as in a meta-analysis (DerSimonian & Laird 1986), variances as
        limma has them (Smyth 2004). Not `known` where no course has three ratings that vary.
    """
    weight = np.ones(len(courses.rating)) if weight is None else weight
    rating, hidden = courses.rating, np.zeros(len(courses.rating))
    found = _moments(courses, rating, hidden, weight)
    if not found.known:
        return found
    found = replace(found, top=top, variance=found.pooled, degrees=4.0)
    for last in (False, False, True) if (courses.rating >= top).any() else (False, True):
        settled = settle(courses, found, weight, degrees=found.degrees)
        moments = _moments(courses, settled.rating, settled.hidden, weight)
        number = courses.total(weight)
        enough = (number > _FEWEST) & (settled.free > 0.3)
        free = np.maximum(settled.free, 0.3)
        own = (settled.squares / free)[enough]
        degrees, variance = shrinkage(own, free[enough])
        if not variance > 0:
            degrees, variance = 0.0, moments.pooled
        if last:
            unequal, typical = _inequality(courses, top, own, free[enough], enough)
        found = replace(moments, top=top, variance=variance, degrees=min(degrees, MOST_DEGREES))
    settled = settle(courses, found, weight, degrees=found.degrees)
    carry = _carry(courses, settled, weight)
    if np.isnan(typical):
        unequal, typical = 0.0, float(np.log(found.pooled))
    unbounded = (found.unbounded[0], unequal, carry, typical)
    return replace(found, carry=float(np.clip(carry, 0.0, MOST_CARRY)), unbounded=unbounded)


def purged(
    courses: Courses, top: float, windows: Windows, purge: Purge
) -> tuple[Population, Floats]:
    """Describe a dataset without the windows that lie low.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    top : float
    windows : Windows
        Which windows are looked at.
    purge : Purge

    Returns
    -------
    population : Population
    weight : ndarray of float, shape (ratings,)
        1 for the ratings that are kept.
    """
    weight = np.ones(len(courses.rating))
    found = describe(courses, top, weight)
    for _ in range(purge.rounds if found.known else 0):
        new = np.where(inside(courses, found, windows, purge.z), 0.0, 1.0)
        if (new == weight).all() or new.mean() < LEAST_KEPT:
            break
        weight, found = new, describe(courses, top, new)
    return found, weight


class Populations:
    """The population of a dataset for each way to purge it, estimated when first asked for.

    Parameters
    ----------
    courses : Courses
    top : float
        Ratings from here on lie at the top of the scale.
    """

    def __init__(self, courses: Courses, top: float):
        self.courses, self.top = courses, top
        self._known: dict[Any, Population] = {}

    def of(self, windows: Windows, purge: Purge) -> Population:
        """Return the population, purged of windows in this way."""
        key = (windows, purge)
        if key not in self._known:
            top = self.top if windows.censored else np.inf
            self._known[key] = purged(some_courses(self.courses), top, windows, purge)[0]
        return self._known[key]


@dataclass(frozen=True)
class PopulationsOfEach:
    """The populations of datasets whose courses are stacked, all of the same shape.

    Attributes
    ----------
    each : tuple of Populations
    """

    each: tuple[Populations, ...]

    @classmethod
    def of(cls, courses: Courses, number: int, top: float) -> "PopulationsOfEach":
        """Take `number` stacked datasets apart."""
        length, courses_of_one = len(courses.rating) // number, len(courses.length) // number
        start = courses.start[: courses_of_one + 1]
        cuts = (slice(i * length, (i + 1) * length) for i in range(number))
        parts = (Courses(courses.rating[cut], courses.session[cut], start) for cut in cuts)
        return cls(tuple(Populations(part, top) for part in parts))
