r"""The ordinary fluctuation of ratings: a model without ruptures, estimated from a dataset.

The rating of course :math:`i` at session :math:`t` is a latent value, put on the form:

.. math::
    x_{it} = a_i + b_i (t - \bar t_i) + \sigma_i u_{it}, \qquad
    \operatorname{corr}(u_{is}, u_{it}) = \rho^{|t - s|},

bent towards the ends of the scale, rounded to its step and cut. Levels :math:`a_i`, trends
:math:`b_i` and :math:`\log\sigma_i` are normal over courses, so that a course with few ratings is
shrunk towards the others. Parameters are drawn from their posterior by Gibbs sampling with data
augmentation (Chib 1992, Journal of Econometrics 51, 79-99): a rating at the end of the scale says
only that the latent value lies there or beyond. All courses are updated together.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ..detection.courses import Courses, chosen, pooled_sd
from ..project.arrays import Flags, Floats, Integers

#: Steps of the sampler before the first draw is kept, and between two that are kept.
BURN_IN, THIN = 250, 4

#: Draws of the parameters that are kept; replicates take them in turn.
DRAWS = 100

#: A grid coarser than this share of the within-course SD is modelled as rounding.
COARSE = 0.25

#: Session gaps from here on are taken as equal.
_LONGEST_GAP = 60

#: Values tried for the autocorrelation; what they carry over each gap, and what is new then.
_RHO = np.linspace(-0.95, 0.98, 194)
_CARRY = _RHO[:, None] ** np.arange(1, _LONGEST_GAP + 1)
_FRESH = 1 - _CARRY**2
_LOG_FRESH = np.log(_FRESH)

#: Widths of the bend that are tried, in within-course SD.
_WIDTHS = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.1])

#: The bend matters, and can be estimated, where at least this share of ratings lies at an end.
ENDS_REACHED = 0.01

#: For the bend at most about this many courses are looked at.
_COURSES_FOR_BEND = 1000


@dataclass(frozen=True)
class Form:
    r"""What a rating can be, turned so that higher is better.

    A total of several items nears the end of its scale softly, as one item after the other
    reaches its own end. Latent values are therefore bent as the mean of :math:`x + w z`, cut at
    the ends, over standard normal :math:`z` is; with :math:`w = 0` they are just cut.

    Attributes
    ----------
    low, high : float
        Ends of the scale.
    step : float
        Distance of neighbouring ratings; 0 where ratings lie on no grid.
    anchor : float
        A point of the grid.
    soft : float
        The width :math:`w` of the bend, in points.
    """

    low: float
    high: float
    step: float = 0.0
    anchor: float = 0.0
    soft: float = 0.0

    @cached_property
    def _bend(self) -> tuple[Floats, Floats]:
        """Return latent values, and what the bend makes of them."""
        reach = 7 * self.soft
        latent = np.linspace(self.low - reach, self.high + reach, 8001)

        def above(end: float) -> Floats:
            z = (latent - end) / self.soft
            return self.soft * (z * ndtr(z) + np.exp(-z * z / 2) / np.sqrt(2 * np.pi))

        return latent, self.low + above(self.low) - above(self.high)

    def bent(self, latent: Floats) -> Floats:
        """Return latent values as they show within the ends of the scale."""
        if not self.soft:
            return np.clip(latent, self.low, self.high)
        return np.interp(latent, *self._bend)

    def straightened(self, shown: Floats) -> Floats:
        """Return the latent values that show as these: the inverse of :meth:`bent`."""
        if not self.soft:
            return shown
        return np.interp(shown, *self._bend[::-1])

    def rate(self, latent: Floats) -> Floats:
        """Put latent values on the form: bend them, round them, cut them at the ends."""
        shown = self.bent(latent)
        if self.step:
            shown = np.rint((shown - self.anchor) / self.step) * self.step + self.anchor
        return np.clip(shown, self.low, self.high)

    def at_end(self, rating: Floats) -> tuple[Flags, Flags]:
        """Say which ratings lie at the lower, and which at the upper end of the scale."""
        near = 0.01 * self.step + 1e-9 * (self.high - self.low)
        return rating <= self.low + near, rating >= self.high - near

    def cells(self, rating: Floats) -> tuple[Floats, Floats]:
        """Return the bounds of the latent values that give each rating."""
        half = self.step / 2
        lowest, highest = self.at_end(rating)
        lower = np.where(lowest, -np.inf, self.straightened(rating - half))
        upper = np.where(highest, np.inf, self.straightened(rating + half))
        return lower, upper


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


@dataclass(frozen=True)
class Noise:
    """Draws of the parameters from their posterior.

    Attributes
    ----------
    level, slope, sd : ndarray of float32, shape (draws, courses)
        Latent level at the course's mean session number, trend per session, SD around it.
    rho : ndarray of float, shape (draws,)
        Autocorrelation from one session number to the next.
    mean_level, sd_level, mean_slope, sd_slope : ndarray of float, shape (draws,)
        Of the courses' levels and trends.
    sd_typical, volatility : ndarray of float, shape (draws,)
        Median of the courses' SDs, and the SD of their logarithms. A course with 1 / (2
        `volatility` squared) ratings is shrunk half-way.
    """

    level: NDArray[np.float32]
    slope: NDArray[np.float32]
    sd: NDArray[np.float32]
    rho: Floats
    mean_level: Floats
    sd_level: Floats
    mean_slope: Floats
    sd_slope: Floats
    sd_typical: Floats
    volatility: Floats


def centred_sessions(courses: Courses) -> Floats:
    """Return session numbers around their mean of the course."""
    session = courses.session.astype(np.float64)
    return session - courses.spread(courses.total(session) / courses.length)


def gaps(courses: Courses) -> Integers:
    """Return session numbers since the previous rating; 0 marks the first one of a course."""
    gap = np.diff(courses.session, prepend=courses.session[:1])
    gap[courses.start[:-1]] = 0
    return np.minimum(gap, _LONGEST_GAP)


def carry_over(rho: Floats | float, gap: Integers) -> Floats:
    """Return the correlation with the previous rating, 0 at the first one of a course.

    Parameters
    ----------
    rho : float or ndarray, shape (replicates, 1)
    gap : ndarray of int, shape (ratings,)

    Returns
    -------
    ndarray, shape (ratings,) or (replicates, ratings)
    """
    powers: Floats = np.asarray(rho, dtype=np.float64) ** np.arange(_LONGEST_GAP + 1)
    powers[..., 0] = 0.0
    carried: Floats = powers[..., gap]
    return carried


def truncated_normal(random: np.random.Generator, lower: Floats, upper: Floats) -> Floats:
    """Draw standard normal values between bounds, by inversion in the nearer tail."""
    flip = lower > -upper  # the bulk of the cell lies above 0
    low, high = np.where(flip, -upper, lower), np.where(flip, -lower, upper)
    below, inside = ndtr(low), ndtr(high) - ndtr(low)
    with np.errstate(divide="ignore"):
        drawn = ndtri(below + random.random(len(low)) * inside)
    drawn = np.clip(drawn, low, np.where(np.isfinite(high), high, 40.0))
    drawn = np.where(np.isfinite(drawn), drawn, np.where(np.isfinite(high), high, low))
    return np.where(flip, -drawn, drawn)


def _pick(random: np.random.Generator, log_weights: Floats) -> int:
    """Draw a position with chances proportional to ``exp(log_weights)``."""
    weights = np.cumsum(np.exp(log_weights - log_weights.max()))
    return int(np.searchsorted(weights, random.random() * weights[-1], side="right"))


class _Sampler:
    """One chain over all parameters; each method draws one group of them given the others."""

    def __init__(self, courses: Courses, form: Form, random: np.random.Generator):
        self.courses, self.form, self.random = courses, form, random
        self.centred, self.gap = centred_sessions(courses), gaps(courses)
        self.n_gap = np.bincount(self.gap, minlength=_LONGEST_GAP + 1)
        typical = pooled_sd(courses, "trend")
        self.typical = typical if typical > 0 else pooled_sd(courses, "mean")
        lower, upper = form.cells(courses.rating)
        hidden = upper - lower > COARSE * self.typical
        even = courses.position % 2 == 0
        self.parts = [np.flatnonzero(hidden & even), np.flatnonzero(hidden & ~even)]
        self.lower, self.upper = lower, upper
        inner = np.clip((lower + upper) / 2, form.low - form.soft, form.high + form.soft)
        self.latent = np.where(np.isfinite(inner), inner, courses.rating)
        self.level = courses.total(self.latent) / courses.length
        self.slope = np.zeros_like(self.level)
        self.log_sd = np.full_like(self.level, np.log(self.typical))
        self.mean_log_sd, self.var_log_sd, self.rho = float(np.log(self.typical)), 0.1, 0.2
        self.mean_level, self.var_level = float(self.level.mean()), self.typical**2
        self.mean_slope, self.var_slope = 0.0, (0.05 * self.typical) ** 2

    def step(self) -> None:
        """Draw all parameters once."""
        carry = carry_over(self.rho, self.gap)
        fresh = 1 - carry**2
        self._draw_latent(carry, fresh)
        self._draw_lines(carry, fresh)
        deviation = self.latent - self.line()
        self._draw_volatility(deviation, carry, fresh)
        self._draw_rho(deviation / self.courses.spread(self.sd))
        self.mean_level, self.var_level = self._draw_population(self.level, self.typical**2)
        self.mean_slope, self.var_slope = self._draw_population(
            self.slope, (0.02 * self.typical) ** 2
        )

    @property
    def sd(self) -> Floats:
        """The SD of each course."""
        return np.exp(self.log_sd)

    def simulated(self) -> Floats:
        """Return new ratings from the parameters as they are now."""
        carry = carry_over(self.rho, self.gap)[None]
        shocks = self.random.standard_normal(carry.shape)
        series = autoregressive(carry, shocks, int(self.courses.length.max()))[0]
        return self.form.rate(self.line() + self.courses.spread(self.sd) * series)

    def line(self) -> Floats:
        """Return the line of each course, at each rating."""
        spread = self.courses.spread
        return spread(self.level) + spread(self.slope) * self.centred

    def _draw_latent(self, carry: Floats, fresh: Floats) -> None:
        """Draw the latent values of ratings at the ends (or of all), neighbours held fixed."""
        line, sd = self.line(), self.courses.spread(self.sd)
        standard = (self.latent - line) / sd
        carry_next, fresh_next = np.append(carry[1:], 0.0), np.append(fresh[1:], 1.0)
        precision = 1 / fresh + carry_next**2 / fresh_next
        for here in self.parts:
            if not len(here):
                continue
            after = np.minimum(here + 1, len(standard) - 1)
            pull = carry[here] * standard[here - 1] / fresh[here]
            pull += carry_next[here] * standard[after] / fresh_next[here]
            mean, spread = pull / precision[here], 1 / np.sqrt(precision[here])
            low = ((self.lower[here] - line[here]) / sd[here] - mean) / spread
            high = ((self.upper[here] - line[here]) / sd[here] - mean) / spread
            standard[here] = mean + spread * truncated_normal(self.random, low, high)
            self.latent[here] = line[here] + sd[here] * standard[here]

    def _whitened(self, values: Floats, carry: Floats, fresh: Floats) -> Floats:
        """Take from each value what its predecessor foretells, in units of what is new."""
        before = np.roll(values, 1)  # the first rating of a course carries nothing over
        return (values - carry * before) / np.sqrt(fresh)

    def _draw_lines(self, carry: Floats, fresh: Floats) -> None:
        """Draw level and trend of each course: a regression with normal priors."""
        total, variance = self.courses.total, self.sd**2
        one = self._whitened(np.ones_like(carry), carry, fresh)
        time = self._whitened(self.centred, carry, fresh)
        value = self._whitened(self.latent, carry, fresh)
        p11 = total(one * one) / variance + 1 / self.var_level
        p12 = total(one * time) / variance
        p22 = total(time * time) / variance + 1 / self.var_slope
        q1 = total(one * value) / variance + self.mean_level / self.var_level
        q2 = total(time * value) / variance + self.mean_slope / self.var_slope
        determinant = p11 * p22 - p12**2
        z1, z2 = self.random.standard_normal((2, len(p11)))
        self.level = (p22 * q1 - p12 * q2) / determinant + np.sqrt(p22 / determinant) * z1
        # The trend given the level.
        self.slope = (q2 - p12 * self.level) / p22 + z2 / np.sqrt(p22)

    def _draw_volatility(self, deviation: Floats, carry: Floats, fresh: Floats) -> None:
        """Draw the SD of each course by a Metropolis step, then what the courses share."""
        squares = self.courses.total(self._whitened(deviation, carry, fresh) ** 2)

        def log_posterior(log_sd: Floats) -> Floats:
            prior = (log_sd - self.mean_log_sd) ** 2 / (2 * self.var_log_sd)
            return -self.courses.length * log_sd - squares * np.exp(-2 * log_sd) / 2 - prior

        width = 2.4 / np.sqrt(2 * self.courses.length + 1 / self.var_log_sd)
        for _ in range(2):
            tried = self.log_sd + width * self.random.standard_normal(len(width))
            gain = log_posterior(tried) - log_posterior(self.log_sd)
            accepted = np.log(self.random.random(len(width))) < gain
            self.log_sd = np.where(accepted, tried, self.log_sd)
        self.mean_log_sd, self.var_log_sd = self._draw_population(self.log_sd, 0.1**2)

    def _draw_rho(self, standard: Floats) -> None:
        """Draw the autocorrelation from its exact conditional distribution on a grid."""
        before = np.roll(standard, 1)
        now2, both, before2 = (
            np.bincount(self.gap, weights=part, minlength=_LONGEST_GAP + 1)[1:]
            for part in (standard**2, standard * before, before**2)
        )
        lost = (now2 - 2 * _CARRY * both + _CARRY**2 * before2) / _FRESH
        log_weights = -0.5 * (self.n_gap[1:] * _LOG_FRESH + lost).sum(axis=1)
        width = _RHO[1] - _RHO[0]
        jitter = (self.random.random() - 0.5) * width
        self.rho = float(_RHO[_pick(self.random, log_weights)] + jitter)

    def _draw_population(self, values: Floats, prior: float) -> tuple[float, float]:
        """Draw mean and variance of normal values, the prior worth one value."""
        number, mean = len(values), float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        variance = (prior + squares) / self.random.chisquare(max(number, 1))
        return mean + float(self.random.standard_normal()) * np.sqrt(variance / number), variance


def _chain(sampler: _Sampler, draws: int, burn_in: int = BURN_IN) -> Iterator[_Sampler]:
    """Yield the sampler at each draw that is kept."""
    for count in range(1, burn_in + draws * THIN + 1):
        sampler.step()
        if count > burn_in and (count - burn_in) % THIN == 0:
            yield sampler


def _share_at_ends(form: Form, rating: Floats) -> float:
    lowest, highest = form.at_end(rating)
    return float((lowest | highest).mean())


def _some_courses(courses: Courses, number: int) -> Courses:
    """Return about `number` courses, evenly spaced in the dataset."""
    every = np.arange(len(courses.length))
    return chosen(courses, every[:: max(1, len(every) // number)])[0]


def bend(courses: Courses, form: Form, seed: np.random.SeedSequence) -> float:
    """Return the width of the bend at which ratings lie at the ends as often as observed.

    Short chains with several widths show how the share of simulated ratings at the ends falls
    with the width; between them it is interpolated.

    Parameters
    ----------
    courses : Courses
    form : Form
    seed : SeedSequence
        The same random numbers serve all widths.

    Returns
    -------
    float
        Points; 0 where the ends are hardly reached, where ratings lie on no grid, or where even
        a sharp cut leaves fewer ratings at the ends than observed.
    """
    typical = pooled_sd(courses, "mean")
    if not form.step or not typical > 0 or _share_at_ends(form, courses.rating) < ENDS_REACHED:
        return 0.0
    courses = _some_courses(courses, _COURSES_FOR_BEND)
    widths, shares = _WIDTHS * typical, []
    for width in widths:
        tried = replace(form, soft=float(width))
        sampler = _Sampler(courses, tried, np.random.default_rng(seed))
        chain = _chain(sampler, draws=30, burn_in=80)
        shares.append(np.mean([_share_at_ends(tried, now.simulated()) for now in chain]))
    falling = np.minimum.accumulate(shares)
    observed = _share_at_ends(form, courses.rating)
    return float(np.interp(-observed, -falling, widths))


def estimate(
    courses: Courses, form: Form, seed: np.random.SeedSequence, draws: int = DRAWS
) -> Noise:
    """Draw the parameters of the noise from their posterior.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    form : Form
        Ends and step of the scale, turned likewise.
    seed : SeedSequence
    draws : int
        How many draws are kept.

    Returns
    -------
    Noise
        Where the ratings of no course vary, the level is that of the ratings and all else 0.
    """
    number = len(courses.length)
    lines = np.empty((3, draws, number), dtype=np.float32)
    shared = np.zeros((draws, 7))
    if not (number and pooled_sd(courses, "mean") > 0):
        lines[1:] = 0.0
        lines[0] = courses.total(courses.rating) / courses.length if number else 0.0
        return Noise(*lines, *shared.T)
    sampler = _Sampler(courses, form, np.random.default_rng(seed))
    for draw, now in enumerate(_chain(sampler, draws)):
        lines[:, draw] = now.level, now.slope, now.sd
        shared[draw] = (
            now.rho, now.mean_level, np.sqrt(now.var_level), now.mean_slope,
            np.sqrt(now.var_slope), np.exp(now.mean_log_sd), np.sqrt(now.var_log_sd),
        )  # fmt: skip
    return Noise(*lines, *shared.T)


def autoregressive(carry: Floats, shocks: Floats, length: int) -> Floats:
    """Return stationary series of unit variance, one after the other along the last axis.

    The recursion u(j) = carry(j) u(j-1) + sqrt(1 - carry(j)^2) shock(j) is solved by doubling:
    after each pass a value holds the shocks of twice as many ratings.

    Parameters
    ----------
    carry : ndarray, shape (replicates, ratings)
        From :func:`carry_over`.
    shocks : ndarray, shape (replicates, ratings)
        Standard normal.
    length : int
        Ratings of the longest course.

    Returns
    -------
    ndarray, shape (replicates, ratings)
    """
    value, carry = shocks * np.sqrt(1 - carry**2), carry.copy()
    reach = 1
    while reach < length:
        value[:, reach:] += carry[:, reach:] * value[:, :-reach]
        carry[:, reach:] = carry[:, reach:] * carry[:, :-reach]
        reach *= 2
    return value
