r"""Values of ordinary fluctuation, freed of ruptures: indirect inference.

A dataset is described without the falls found in it. That description is too quiet: honest low
ratings are left out, too. So values are sought with which *simulated* rupture-free courses, freed
of falls in the same way, are described as the observed ones are (Gourieroux, Monfort & Renault
1993, doi 10.1002/jae.3950080507). What the description gets wrong (a ceiling, short courses, the
trimming) it gets wrong in both. Damped Gauss-Newton steps, the derivatives once by differences and
then corrected by what each step brings (Broyden 1965); the same random numbers serve all values.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..detection.courses import Courses, degrees_of
from ..detection.scan.lines import Population, settle
from ..detection.scan.population import MOST_CARRY, Purge, purged, some_courses
from ..detection.scan.windows import Windows
from ..project.arrays import Flags, Floats
from .noise import Noise, RatingForm, drawn

#: About so many times the observed ratings are simulated, within these numbers.
TIMES, RATINGS = 4, (12_000, 30_000)

#: Gauss-Newton steps, at most; a step that brings less than this is the last.
STEPS, _LITTLE = 10, 0.05

#: Widths of the bend that are tried, in within-course SD.
_WIDTHS = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.1, 1.5])

#: The bend matters, and can be estimated, where at least this share of ratings lies at the top.
TOP_REACHED = 0.01

# One entry per value: level, log variance of levels, trend, variance of trends (share of the pooled
# variance), log variance of ratings, variance of log variances, autocorrelation.
_LEVEL, _LEVELS, _TREND, _TRENDS, _VARIANCE, _UNEQUAL, _CARRY = range(7)
_LOWEST = np.array([-np.inf, -np.inf, -np.inf, 0.0, -np.inf, 0.02, 0.0])
_HIGHEST = np.array([np.inf, np.inf, np.inf, 1.0, np.inf, 1.5, MOST_CARRY])

#: What is known beforehand of two values that short courses hardly tell: mean and SD.
_EXPECTED = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.25])
_EXPECTED_SD = np.array([np.inf, np.inf, np.inf, np.inf, np.inf, 0.4, 0.15])

#: With this many courses the description of these two is as unsure as their tolerances say.
_USUAL = 240


@dataclass
class _Simulation:
    """Simulated courses of one dataset, described as the observed ones are.

    Attributes
    ----------
    pattern : Courses
        The sessions of the observed courses, several times.
    form : RatingForm
    top : float
        Ratings from here on lie at the top of the scale.
    share_at_top : float
        Of the observed ratings that are kept.
    pooled : float
        Pooled variance as observed.
    line : ndarray, shape (ratings of the pattern,)
    entropy : SeedSequence
    kept : ndarray of bool
        Simulated ratings that were kept last time.
    """

    pattern: Courses
    form: RatingForm
    top: float
    share_at_top: float
    pooled: float
    line: Floats
    entropy: np.random.SeedSequence
    kept: Flags

    def bend(self, latent: Floats) -> float:
        """Return the width of the bend at which as many kept ratings lie at the top as observed."""
        if not self.form.step or self.share_at_top < TOP_REACHED:
            return 0.0
        widths = _WIDTHS * np.sqrt(self.pooled)
        shares = [
            np.mean(replace(self.form, soft=float(width)).rate(latent[self.kept]) >= self.top)
            for width in widths
        ]
        return float(np.interp(-self.share_at_top, -np.minimum.accumulate(shares), widths))

    def described(self, ordinary: Population) -> tuple[Population, float]:
        """Simulate with these values; return the description and the width of the bend."""
        number = len(self.pattern.length)
        anywhere = np.zeros(number), np.ones(number)
        noise = Noise(ordinary, self.line, *anywhere, ordinary, np.nan)
        latent = drawn(self.pattern, noise, 1, np.random.default_rng(self.entropy))[0][0]
        soft = self.bend(latent)
        rating = replace(self.form, soft=soft).rate(latent)
        courses = Courses(rating, self.pattern.session, self.pattern.start)
        found, weight = purged(courses, self.top, Windows(), Purge())
        self.kept = weight > 0
        return found, soft


def _values(described: Population) -> Floats:
    """Return what simulated and observed courses are compared by."""
    p = described
    trends, unequal, carry, typical = p.unbounded
    return np.array([p.level, np.log(p.level_variance), p.trend, trends, typical, unequal, carry])


def _population(values: Floats, like: Population) -> Population:
    """Return values as a population; what is infinite in `like` stays so."""
    variance = float(np.exp(values[_VARIANCE]))
    found = replace(like, pooled=variance, variance=variance, carry=float(values[_CARRY]))
    if not np.isfinite(like.level_variance):
        return replace(found, degrees=0.0)
    return replace(
        found,
        level=float(values[_LEVEL]),
        level_variance=float(np.exp(values[_LEVELS])),
        trend=float(values[_TREND]),
        trend_variance=float(values[_TRENDS]) * variance,
        degrees=degrees_of(float(values[_UNEQUAL])),
    )


def _repeated(courses: Courses, line: Floats) -> tuple[Courses, Floats]:
    """Return the courses several times over, as many as are to be simulated."""
    number = len(courses.rating)
    times = max(1, round(float(np.clip(TIMES * number, *RATINGS)) / number))
    offset = np.arange(times)[:, None] * number
    start = np.append((offset + courses.start[:-1]).ravel(), times * number)
    pattern = Courses(np.tile(courses.rating, times), np.tile(courses.session, times), start)
    return pattern, np.tile(line, times)


class _ValueSearch:
    """Looks for the values whose simulated courses are described like the observed ones."""

    def __init__(self, simulation: _Simulation, seen: Population, number: int):
        self.simulation, self.seen = simulation, seen
        self.active = np.ones(7, dtype=bool)
        if not np.isfinite(seen.level_variance):
            self.active[:] = False
            self.active[[_VARIANCE, _CARRY]] = True
        self.goal = _values(seen)
        pooled = np.sqrt(seen.pooled)
        unsure = np.sqrt(_USUAL / number)
        # Differences of this size do not matter, or are no larger than chance makes them.
        self.tolerance = np.array(
            [0.07 * pooled, 0.1, 0.015 * pooled, 0.002 + 0.15 * abs(self.goal[_TRENDS]), 0.06,
             0.08 * unsure, 0.04 * unsure]
        )  # fmt: skip
        self.width = np.array([0.2 * pooled, 0.2, 0.01 * pooled, 0.004, 0.15, 0.1, 0.08])
        self.longest = np.array([0.7 * pooled, 0.6, 0.15 * pooled, 0.03, 0.5, 0.4, 0.3])

    def start(self) -> Floats:
        """Return first values: purged ratings are higher, and vary less, than ordinary ones."""
        pooled = np.sqrt(self.seen.pooled)
        shift = np.array([-0.15 * pooled, 0.3, -0.02 * pooled, 0.0, 0.5, 0.1, 0.05])
        lowest, highest = _LOWEST.copy(), _HIGHEST.copy()
        lowest[[_UNEQUAL, _CARRY]], highest[[_UNEQUAL, _CARRY]] = (0.1, 0.05), (1.0, 0.5)
        return np.clip(self.goal + shift, lowest, highest)

    def simulated(self, values: Floats) -> tuple[Floats, float]:
        """Return the description of courses simulated with these values, and the bend."""
        found, soft = self.simulation.described(_population(values, self.seen))
        return _values(found), soft

    def loss(self, values: Floats, reached: Floats) -> float:
        """Return the squared distance from the goal, and from what is known beforehand."""
        on = self.active
        from_goal = (self.goal - reached)[on] / self.tolerance[on]
        beforehand = (values - _EXPECTED)[on] / _EXPECTED_SD[on]
        return float((from_goal**2).sum() + (beforehand**2).sum())

    def derivatives(self, values: Floats, reached: Floats) -> NDArray[np.float64]:
        """Return how the description changes with each value."""
        result, kept = np.zeros((7, 7)), self.simulation.kept
        for j in np.flatnonzero(self.active):
            moved = values.copy()
            moved[j] += self.width[j]
            self.simulation.kept = kept
            change = self.simulated(moved)[0][self.active] - reached[self.active]
            result[self.active, j] = change / self.width[j]
        self.simulation.kept = kept
        return result

    def step(self, values: Floats, reached: Floats, slope: NDArray, damping: float) -> Floats:
        """Return a damped Gauss-Newton step."""
        on = np.flatnonzero(self.active)
        scaled = (slope / self.tolerance[:, None])[np.ix_(on, on)]
        beforehand = 1 / _EXPECTED_SD[on] ** 2
        left = scaled.T @ scaled + np.diag(beforehand + damping / self.longest[on] ** 2)
        right = scaled.T @ ((self.goal - reached)[on] / self.tolerance[on])
        right += beforehand * (_EXPECTED - values)[on]
        result = np.zeros(7)
        result[on] = np.clip(np.linalg.solve(left, right), -self.longest[on], self.longest[on])
        return result

    def run(self) -> tuple[Floats, float, float]:
        """Return the best values, the bend and the loss."""
        best = self.start()
        self.simulated(best)  # which ratings are kept, for the bend
        reached, soft = self.simulated(best)
        lowest, damping = self.loss(best, reached), 0.1
        slope = self.derivatives(best, reached)
        for _ in range(STEPS):
            further = np.clip(best + self.step(best, reached, slope, damping), _LOWEST, _HIGHEST)
            tried = np.where(self.active, further, best)
            moved = np.where(self.active, further, 0.0) - np.where(self.active, best, 0.0)
            if not moved.any():
                break
            now, bend = self.simulated(tried)
            on = self.active
            error = np.zeros(7)
            error[on] = (now - reached)[on] - (slope @ moved)[on]
            scaled = moved / self.longest**2
            slope += np.outer(error, scaled) / (moved @ scaled)
            loss = self.loss(tried, now)
            gained, damping = lowest - loss, damping / 3 if loss < lowest else damping * 5
            if gained > 0:
                best, reached, soft, lowest = tried, now, bend, loss
            if 0 <= gained < _LITTLE:
                break
        return best, soft, lowest


def _places(courses: Courses, line: Floats, seen: Population) -> tuple[Floats, Floats]:
    """Return where the level of each course lies among the others, in SD, and how unsure that is.

    Mean and SD of the level given the ratings, so that over courses they add up to variance 1.
    """
    if not np.isfinite(seen.level_variance):
        return np.zeros(len(courses.length)), np.zeros(len(courses.length))
    unsure = seen.pooled / (seen.pooled + courses.length * seen.level_variance)
    level = courses.total(line) / courses.length
    # From their own mean: lines of courses with a rupture lie lower than ordinary ones.
    place = level - level.mean()
    spread = np.sqrt((place**2).mean() / (1 - unsure.mean()))
    return place / (spread or 1.0), np.sqrt(unsure)


def matched(
    courses: Courses, form: RatingForm, top: float, seed: np.random.SeedSequence
) -> tuple[Noise, RatingForm]:
    """Find the values of ordinary fluctuation of a dataset.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    form : RatingForm
        Ends and step of the scale, turned likewise.
    top : float
        Ratings from here on lie at the top of the scale.
    seed : SeedSequence

    Returns
    -------
    noise : Noise
        Where no course has three ratings that vary, nothing varies in it.
    form : RatingForm
        With the bend at which as many ratings lie at the top as observed.
    """
    level = courses.spread(courses.total(courses.rating) / courses.length)
    observed = some_courses(courses)
    seen, weight = purged(observed, top, Windows(), Purge())
    if not seen.known:
        number = len(courses.length)
        nothing = replace(seen, pooled=0.0, variance=0.0, carry=0.0)
        return Noise(nothing, level, np.zeros(number), np.zeros(number), seen, 0.0), form
    line = settle(courses, seen, degrees=seen.degrees).line
    most = int(RATINGS[1] / courses.length.mean()) + 1
    some = some_courses(courses, most)
    pattern, lines = _repeated(some, settle(some, seen, degrees=seen.degrees).line)
    simulation = _Simulation(
        pattern, form, top, float((observed.rating[weight > 0] >= top).mean()), seen.pooled,
        lines, seed, np.ones(len(pattern.rating), dtype=bool),
    )  # fmt: skip
    values, soft, loss = _ValueSearch(simulation, seen, len(observed.length)).run()
    place, unsure = _places(courses, line, seen)
    ordinary = _population(values, seen)
    return Noise(ordinary, line, place, unsure, seen, loss), replace(form, soft=soft)
