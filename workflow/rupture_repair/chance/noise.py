r"""The ordinary fluctuation of ratings: a model without ruptures, and draws from it.

The rating of course :math:`i` at session :math:`t` is a latent value, put on the form:

.. math::
    x_{it} = a_i + b_i (t - \bar t_i) + \sigma_i u_{it}, \qquad
    \operatorname{corr}(u_{is}, u_{it}) = \rho^{|t - s|},

bent towards the ends of the scale, rounded to its step and cut. Levels :math:`a_i` and trends
:math:`b_i` are normal over courses, and so are the :math:`\log\sigma_i`. Where the values come
from: :mod:`rupture_repair.chance.matching`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special
from scipy.special import ndtr

from ..detection.courses import Courses
from ..detection.scan.lines import Population, centred_sessions
from ..project.arrays import Floats, Integers

#: Session gaps from here on are taken as equal.
_LONGEST_GAP = 60


@dataclass(frozen=True)
class RatingForm:
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
        """Return latent values that show as these: the inverse of :meth:`bent`."""
        if not self.soft:
            return shown.astype(np.float64)
        latent, bent = self._bend
        return np.interp(shown, bent, latent)

    def rate(self, latent: Floats) -> Floats:
        """Put latent values on the form: bend them, round them, cut them at the ends."""
        shown = self.bent(latent)
        if self.step:
            shown = np.rint((shown - self.anchor) / self.step) * self.step + self.anchor
        return np.clip(shown, self.low, self.high)


@dataclass(frozen=True)
class Noise:
    """What ordinary ratings of a dataset are drawn from.

    Attributes
    ----------
    ordinary : Population
        Rupture-free courses with these values look like the observed ones; `degrees` of 0 is one
        SD for all.
    line : ndarray, shape (ratings,)
        The line of each course, for datasets of so few courses that nothing is known of how they
        differ (`ordinary` with an infinite variance of levels).
    place, unsure : ndarray, shape (courses,)
        Where the level of each course lies among the others, in SD of the levels, and how unsure
        that is: 0 and 1 where nothing is known of it.
    seen : Population
        The dataset as described without the falls found in it.
    distance : float
        How far the simulated courses are from the observed ones: sum of squares of the differences
        over their tolerances; about 1 or less is as good as can be told.
    """

    ordinary: Population
    line: Floats
    place: Floats
    unsure: Floats
    seen: Population
    distance: float

    def sd_quantile(self, share: float) -> float:
        """Return a quantile of the courses' SDs."""
        p = self.ordinary
        if not p.degrees:
            return float(np.sqrt(p.variance))
        return float(np.sqrt(p.variance) * np.exp(self.volatility * special.ndtri(share)))

    @property
    def volatility(self) -> float:
        """The SD of the logarithms of the courses' SDs."""
        degrees = self.ordinary.degrees
        return float(np.sqrt(special.polygamma(1, degrees / 2)) / 2) if degrees else 0.0


def drawn(
    courses: Courses, noise: Noise, number: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw latent values of rupture-free courses of the same sessions and levels.

    Parameters
    ----------
    courses : Courses
    noise : Noise
    number : int
        Replicates.
    random : Generator

    Returns
    -------
    latent, sd : ndarray, shape (number, ratings)
        Before they are put on the form; and the SD of the noise.
    """
    p, each, place = noise.ordinary, len(courses.length), courses.course
    # Each value has its own random number whatever the others are, so that draws with other values
    # differ as little as they can.
    levels, trends = random.standard_normal((2, number, each))
    places = random.random((number, each))
    shocks = random.standard_normal((number, len(courses.rating)))
    sd = np.full((number, each), np.sqrt(p.variance))
    if p.degrees:
        sd = np.sqrt(p.variance) * np.exp(noise.volatility * special.ndtri(places))
    sd = sd[:, place]
    carry = np.broadcast_to(carry_over(p.carry, gaps(courses)), shocks.shape)
    value = sd * autoregressive(carry, shocks, int(courses.length.max(initial=0)))
    if not np.isfinite(p.level_variance):
        return value + noise.line, sd
    level = p.level + np.sqrt(p.level_variance) * (noise.place + noise.unsure * levels)
    trend = p.trend + np.sqrt(p.trend_variance) * trends
    return value + level[:, place] + trend[:, place] * centred_sessions(courses), sd


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
