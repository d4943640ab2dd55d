r"""The line of each course, drawn towards that of the dataset, and the ratings behind a ceiling.

With the session :math:`t` from its mean of the course, the line :math:`a + b t` is a ridge
regression: levels and trends are normal over courses, so a course with few ratings leans on the
others. A rating at the top of the scale says only that the client would have gone there or beyond.
It is replaced by its expectation, given the line and the SD of the course, and what remains
unknown of it counts as variance (expectation step of Dempster, Laird & Rubin 1977). All courses at
once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from ...project.arrays import Floats, Integers
from ..courses import Courses

#: How often ratings at the top, line and SD are computed in turn.
ROUNDS = 5

#: Gaps of session numbers from here on are taken as equal.
LONGEST_GAP = 60


@dataclass(frozen=True)
class Population:
    """What is ordinary in a dataset: how courses differ, and how ratings go up and down.

    Attributes
    ----------
    level, level_variance : float
        Mean and variance of the courses' levels at their mean session; an infinite variance draws
        no course towards the others.
    trend, trend_variance : float
        Of the courses' trends, points per session.
    pooled : float
        Pooled variance of ratings around the line of their course.
    variance, degrees : float
        Prior of the courses' own variances, and its degrees of freedom
        (:func:`rupture_repair.detection.courses.shrinkage`).
    carry : float
        Autocorrelation from one session number to the next.
    unbounded : tuple of float
        For comparisons with simulated courses, without bounds: variance of trends as a share of
        `pooled`, variance of log variances beyond chance, autocorrelation, and mean log variance.
    top : float
        Ratings from here on lie at the top of the scale; infinite where no top is known.
    """

    level: float
    level_variance: float
    trend: float
    trend_variance: float
    pooled: float
    variance: float
    degrees: float
    carry: float
    unbounded: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    top: float = np.inf

    @property
    def known(self) -> bool:
        """Whether ordinary ups and downs are known at all."""
        return bool(self.pooled > 0)


def centred_sessions(courses: Courses) -> Floats:
    """Return session numbers from their mean of the course."""
    session = courses.session.astype(np.float64)
    return session - courses.spread(courses.total(session) / courses.length)


@dataclass(frozen=True)
class Settled:
    """Ratings with those at the top replaced, and what their courses amount to.

    Attributes
    ----------
    rating, hidden : ndarray, shape (ratings,)
        The rating or its expectation, and the variance that remains of it.
    line : ndarray, shape (ratings,)
        The line of the course.
    squares, free : ndarray, shape (courses,)
        Sum of squares around the line, the hidden variance included, and its degrees of freedom.
    variance : ndarray, shape (courses,)
        Of the course, drawn towards that of the dataset.
    """

    rating: Floats
    hidden: Floats
    line: Floats
    squares: Floats
    free: Floats
    variance: Floats


def _beyond(above: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of a standard normal value that lies above the given ones."""
    mean = np.exp(-above * above / 2 - log_ndtr(-above)) / np.sqrt(2 * np.pi)
    return mean, np.clip(1 + above * mean - mean * mean, 0.0, 1.0)


def settle(
    courses: Courses, population: Population, weight: Floats | None = None, *, degrees: float
) -> Settled:
    """Replace the ratings at the top, and return line and variance of each course.

    Only sums per course and the ratings at the top change from round to round.

    Parameters
    ----------
    courses : Courses
    population : Population
    weight : ndarray of float, shape (ratings,), optional
        0 for ratings that are left out, 1 for the others.
    degrees : float
        Of the prior of the variance.

    Returns
    -------
    Settled
    """
    p, total, spread = population, courses.total, courses.spread
    time = centred_sessions(courses)
    expected = p.level + p.trend * time
    weight = np.ones(len(time)) if weight is None else weight
    for_level, for_trend = p.pooled / p.level_variance, p.pooled / p.trend_variance
    number, first, second = total(weight), total(weight * time), total(weight * time * time)
    p11, p12, p22 = number + for_level, first, second + for_trend
    inverse = 1 / np.where(p11 * p22 > p12 * p12, p11 * p22 - p12 * p12, np.inf)
    free = number - (number * p22 - 2 * p12 * p12 + second * p11) * inverse
    free = np.maximum(free, 0.0)

    at_top = np.flatnonzero(courses.rating >= p.top)
    course, when, counts = courses.course[at_top], time[at_top], weight[at_top]
    rating, hidden = courses.rating.copy(), np.zeros(len(time))
    value, known = rating - expected, weight.copy()
    known[at_top] = 0.0
    q1, q2, q0 = (total(known * value * power) for power in (1.0, time, value))
    expectation, unknown = value[at_top], np.zeros(len(at_top))

    def summed(values: Floats) -> Floats:
        sums = np.bincount(course, weights=counts * values, minlength=len(number))
        return sums.astype(np.float64, copy=False)

    for step in range(ROUNDS + 1 if len(at_top) else 1):
        if len(at_top):
            s1, s2 = q1 + summed(expectation), q2 + summed(expectation * when)
            s0 = q0 + summed(expectation**2 + unknown)
        else:
            s1, s2, s0 = q1, q2, q0
        a, b = (p22 * s1 - p12 * s2) * inverse, (p11 * s2 - p12 * s1) * inverse
        around = s0 - 2 * (a * s1 + b * s2) + number * a * a + 2 * first * a * b + second * b * b
        squares = np.maximum(around, 0.0)
        variance = (degrees * p.variance + squares) / np.maximum(degrees + free, 1e-9)
        if step == ROUNDS or not len(at_top):
            break
        sd = np.sqrt(np.maximum(variance[course], 1e-12 * p.pooled))
        line = a[course] + b[course] * when
        mean, left = _beyond((p.top - expected[at_top] - line) / sd)
        expectation, unknown = line + sd * mean, sd**2 * left
    rating[at_top], hidden[at_top] = expectation + expected[at_top], unknown
    return Settled(rating, hidden, expected + spread(a) + spread(b) * time, squares, free, variance)


def carried(courses: Courses, carry: float) -> Floats:
    """Return the correlation of each rating with the one before it, 0 at the first of a course."""
    gap = np.diff(courses.session, prepend=courses.session[:1])
    powers = float(carry) ** np.arange(LONGEST_GAP + 1)
    found = powers[np.clip(gap, 0, LONGEST_GAP)]
    found[courses.start[:-1]] = 0.0
    return found


@dataclass(frozen=True)
class LineFit:
    """The line of each course, fitted to ratings freed of what they carry over.

    Attributes
    ----------
    carry, scale : ndarray, shape (ratings,)
        What is taken from the rating before, and what the difference is multiplied with.
    one, time, rest : ndarray, shape (ratings,)
        Constant, session and residual, freed likewise.
    p11, p12, p22 : ndarray, shape (courses,)
        Inverse of the matrix of the ridge regression.
    line : ndarray, shape (ratings,)
    squares, free : ndarray, shape (courses,)
        Sum of squares, the hidden variance included, and its degrees of freedom.
    """

    carry: Floats
    scale: Floats
    one: Floats
    time: Floats
    rest: Floats
    p11: Floats
    p12: Floats
    p22: Floats
    line: Floats
    squares: Floats
    free: Floats


def _freed(values: Floats, carry: Floats, scale: Floats) -> Floats:
    """Take from each value what its predecessor carries over, in units of what is new."""
    before = np.empty_like(values)
    before[:1], before[1:] = 0.0, values[:-1]
    return (values - carry * before) * scale


def fit(courses: Courses, settled: Settled, population: Population, carry: float) -> LineFit:
    """Fit the line of each course, its shrinkage by the course's own variance.

    Parameters
    ----------
    courses : Courses
    settled : Settled
    population : Population
    carry : float
        Autocorrelation that is taken out.

    Returns
    -------
    LineFit
    """
    p, total, spread = population, courses.total, courses.spread
    session = centred_sessions(courses)
    expected = p.level + p.trend * session
    value = settled.rating - expected
    if carry:
        share = carried(courses, carry)
        scale = 1 / np.sqrt(1 - share * share)
        one, time = (1 - share) * scale, _freed(session, share, scale)
        value = _freed(value, share, scale)
    else:
        share, scale = np.zeros(len(session)), np.ones(len(session))
        one, time = scale, session
    n11, n12, n22 = total(one * one), total(one * time), total(time * time)
    m11 = n11 + settled.variance / p.level_variance
    m22 = n22 + settled.variance / p.trend_variance
    inverse = 1 / np.where(m11 * m22 > n12 * n12, m11 * m22 - n12 * n12, np.inf)
    p11, p12, p22 = m22 * inverse, -n12 * inverse, m11 * inverse
    s1, s2 = total(one * value), total(time * value)
    a, b = p11 * s1 + p12 * s2, p12 * s1 + p22 * s2
    rest = value - spread(a) * one - spread(b) * time
    squares = total(value * rest) + total(settled.hidden)
    used = n11 * p11 + 2 * n12 * p12 + n22 * p22
    line = expected + spread(a) + spread(b) * session
    free = courses.length - used
    return LineFit(
        share, scale, one, time, rest, p11, p12, p22, line, np.maximum(squares, 0.0), free
    )


def first_of(courses: Courses) -> Integers:
    """Return the index of the first rating of its course, for each rating."""
    return courses.spread(courses.start[:-1])
