r"""What the best possible method would say of each session: a particle filter that knows the law.

A particle is a history of ruptures (:mod:`rupture_repair.chance.rupture_law`). Given it, level,
trend and ordinary wave of a course are normal, and a Kalman filter integrates them out
(Rao-Blackwellised: Doucet, de Freitas, Murphy & Russell 2000); the SD of the course lies on nodes.
While a rupture is open its fall counts from the end of the scale. A rating at the top says only
that the latent value lies there or beyond: both are non-linear, and moments are matched. The
probability of no rupture at all is exact up to that. All courses, nodes and particles at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from ..detection.courses import Courses
from ..project.arrays import Flags, Floats, Integers
from .noise import RatingForm
from .rupture_law import RuptureHistories, RuptureLaw

#: Gaps of more sessions than this count as so many.
LONGEST_GAP = 4

#: Courses x nodes x particles that are filtered together.
_TOGETHER = 60_000

#: Farthest node of the SD, in SD of its logarithm, and the largest step between nodes.
_FARTHEST, _STEP = 2.4, 0.25

#: How often a particle begins a rupture where the rating lies above these z, at the most.
_TRIES = ((0.3, 0.03), (-1.0, 0.1), (-2.0, 0.3), (-np.inf, 0.5))

#: A session counts as found from this probability of an open rupture on.
_LIKELY = 0.5

# Rows of the state: means of level, trend and wave, then their covariance.
_A, _B, _W, _AA, _AB, _AW, _BB, _BW, _WW = range(9)


@dataclass(frozen=True)
class OrdinaryFluctuation:
    """Ordinary ups and downs, as the oracle knows them.

    Attributes
    ----------
    level, trend : ndarray, shape (courses, 2)
        Mean and variance of level and trend of each course.
    log_sd : ndarray, shape (courses, 2)
        Mean and SD of the logarithm of its SD.
    carry : float
        Autocorrelation from one session to the next.
    error : float
        Variance of a rating around its latent value.
    form : RatingForm
    """

    level: Floats
    trend: Floats
    log_sd: Floats
    carry: float
    error: float
    form: RatingForm

    def chosen(self, which: NDArray) -> "OrdinaryFluctuation":
        """Return some courses."""
        return replace(
            self, level=self.level[which], trend=self.trend[which], log_sd=self.log_sd[which]
        )


@dataclass(frozen=True)
class SessionGrid:
    """Ratings of courses on a grid of sessions.

    Attributes
    ----------
    rating : ndarray, shape (courses, sessions)
        NaN where there is none; put straight where the form bends.
    at_top : ndarray of bool, shape (courses, sessions)
    middle : ndarray, shape (courses,)
        The session that levels are meant for.
    place : ndarray of int, shape (ratings,)
        Column of each rating.
    """

    rating: Floats
    at_top: Flags
    middle: Floats
    place: Integers


def grid_of(courses: Courses, form: RatingForm) -> SessionGrid:
    """Return ratings on a grid of sessions, on which long gaps are shortened."""
    gap = np.diff(courses.session, prepend=courses.session[:1])
    gap = np.clip(gap, 0, LONGEST_GAP)
    gap[courses.start[:-1]] = 0
    place = np.cumsum(gap)
    place -= courses.spread(place[courses.start[:-1]])
    rating = np.full((len(courses.length), int(place.max(initial=0)) + 1), np.nan)
    rating[courses.course, place] = form.straightened(courses.rating)
    at_top = np.zeros(rating.shape, dtype=bool)
    at_top[courses.course, place] = courses.rating >= form.high - form.step / 2
    middle = courses.total(place.astype(float)) / courses.length
    return SessionGrid(rating, at_top, middle, place)


@dataclass
class RupturePosterior:
    """What the oracle says.

    Attributes
    ----------
    opened, inside : ndarray, shape (courses, sessions)
        Probability that a rupture is open, and that the session lies in an episode.
    none : ndarray, shape (courses,)
        Probability that the course has no rupture.
    sums : ndarray, shape (courses, 5)
        Expected ruptures, sessions at which one could begin, log falls, their squares, repairs.
    evidence : ndarray, shape (courses,)
        Log likelihood, up to a constant that hangs on the number of ratings alone.
    """

    opened: Floats
    inside: Floats
    none: Floats
    sums: Floats
    evidence: Floats

    @property
    def score(self) -> Floats:
        """How surely a session lies in an open rupture: what flags are to be raised by.

        The log of how much more probable it is than no rupture at all, where it is likely; else
        far below, in the order of its probability.
        """
        opened = np.clip(self.opened, 1e-9, 1 - 1e-9)
        ratio = np.log(opened) - np.log(np.maximum(self.none, 1e-300))[:, None]
        odds = np.log(opened / (1 - opened))
        return np.where(opened > _LIKELY, ratio, -1000 + odds)


class _Filter:
    """Filters rows (a course with one SD) with so many particles each."""

    def __init__(
        self,
        grid: SessionGrid,
        ordinary: OrdinaryFluctuation,
        sd: Floats,
        law: RuptureLaw,
        particles: int,
        random: np.random.Generator,
    ):
        self.grid, self.ordinary, self.law, self.random = grid, ordinary, law, random
        self.rows, self.each = len(sd), particles
        number = self.rows * particles
        self.sd = np.repeat(sd, particles)
        self.states = np.zeros((9, number))
        for mean, variance, given in ((_A, _AA, ordinary.level), (_B, _BB, ordinary.trend)):
            self.states[mean] = np.repeat(given[:, 0], particles)
            self.states[variance] = np.repeat(given[:, 1], particles)
        self.states[_WW] = 1.0
        self.histories = RuptureHistories(law, number, random)
        self.weight = np.zeros(number)
        self.evidence = np.zeros(self.rows)
        words = grid.rating.shape[1] // 62 + 1
        self.marks = np.zeros((2 * words, number), dtype=np.int64)

    def run(self) -> None:
        """Filter all sessions."""
        last = (~np.isnan(self.grid.rating)).cumsum(axis=1).argmax(axis=1)
        for session in range(self.grid.rating.shape[1]):
            self._session(session, last >= session)
        self._weigh(np.arange(self.rows), resample=False)

    def _session(self, session: int, running: Flags) -> None:
        s, carry = self.states, self.ordinary.carry
        if session:
            for row in (_W, _AW, _BW):
                s[row] *= carry
            s[_WW] *= carry * carry
            s[_WW] += 1 - carry * carry
        rating = np.repeat(self.grid.rating[:, session], self.each)
        time = np.repeat(session - self.grid.middle, self.each)
        level = s[_A] + time * s[_B]
        spread = s[_AA] + time * (2 * s[_AB] + time * s[_BB])
        self._begin(session, rating, level, spread, time, np.repeat(running, self.each))
        fall, before, opened, inside = self.histories.falls(session + 1)
        word, bit = divmod(session, 62)
        self.marks[2 * word] |= opened.astype(np.int64) << bit
        self.marks[2 * word + 1] |= inside.astype(np.int64) << bit
        rated = ~np.isnan(self.grid.rating[:, session])
        if rated.any():
            self._update(rating, time, level, spread, fall, before, opened, session)
            self._weigh(np.flatnonzero(rated & running), resample=True)

    def _begin(self, session: int, rating: Floats, level: Floats, spread: Floats, time: Floats,
               running: Flags) -> None:  # fmt: skip
        """Let ruptures begin, more often where the rating is low; weights make up for it."""
        s, sd = self.states, self.sd
        if not self.law.rate:
            return
        possible = np.flatnonzero(self.histories.reach(session + 1, running))
        fall = self.histories.falls(session + 1)[0][possible]
        rate = self.histories.rate[possible]
        both = s[_AW] + time * s[_BW]
        variance = spread + sd * (2 * both + sd * s[_WW]) + self.ordinary.error
        z = (rating - level - sd * s[_W])[possible] + fall
        z /= np.sqrt(variance[possible])
        tries = rate.copy()
        for at_least, share in reversed(_TRIES):
            tries[z >= at_least] = share
        begun = self.random.random(len(possible)) < tries
        change = np.where(begun, np.log(rate / tries), np.log1p(-rate) - np.log1p(-tries))
        self.weight[possible] += change
        which = possible[begun]
        self.histories.begin(which, np.full(len(which), session + 1.0))

    def _update(self, rating: Floats, time: Floats, level: Floats, spread: Floats, fall: Floats,
                before: Floats, opened: Flags, session: int) -> None:  # fmt: skip
        """Learn from the ratings of a session."""
        s, sd, form = self.states, self.sd, self.ordinary.form
        part, mean = np.ones(len(fall)), level - fall
        rest = np.full(len(fall), self.ordinary.error)
        if np.isfinite(form.high):
            part, mean, rest = self._capped(level, spread, fall, before, opened)
        mean = mean + sd * s[_W]
        gain = np.empty((3, len(fall)))
        gain[0] = part * (s[_AA] + time * s[_AB]) + sd * s[_AW]
        gain[1] = part * (s[_AB] + time * s[_BB]) + sd * s[_BW]
        gain[2] = part * (s[_AW] + time * s[_BW]) + sd * s[_WW]
        variance = part * (gain[0] + time * gain[1]) + sd * gain[2] + rest
        variance = np.maximum(variance, 1e-9)
        miss = rating - mean
        kept = np.ones(len(fall))
        log_weight = -0.5 * (miss * miss / variance + np.log(variance))
        top = np.flatnonzero(np.repeat(self.grid.at_top[:, session], self.each))
        if len(top):
            root = np.sqrt(variance[top])
            above = (self._bound - mean[top]) / root
            log_weight[top] = log_ndtr(-above)
            ratio = np.exp(-above * above / 2 - log_weight[top]) / np.sqrt(2 * np.pi)
            miss[top], kept[top] = root * ratio, ratio * (ratio - above)
        unrated = np.isnan(rating)
        miss[unrated], kept[unrated], log_weight[unrated] = 0.0, 0.0, 0.0
        self.weight += log_weight
        miss /= variance
        kept /= variance
        for i, row in enumerate((_A, _B, _W)):
            s[row] += gain[i] * miss
        pairs = ((_AA, 0, 0), (_AB, 0, 1), (_AW, 0, 2), (_BB, 1, 1), (_BW, 1, 2), (_WW, 2, 2))
        for row, i, j in pairs:
            s[row] -= gain[i] * gain[j] * kept

    @property
    def _bound(self) -> float:
        form = self.ordinary.form
        return float(form.straightened(np.array([form.high - form.step / 2]))[0])

    def _capped(self, level: Floats, spread: Floats, fall: Floats, before: Floats,
                opened: Flags) -> tuple[Floats, Floats, Floats]:  # fmt: skip
        """Count falls from the end of the scale: moments of the smaller of level and end.

        Returns how the mean changes with the level, the mean, and the variance left.
        """
        form, error = self.ordinary.form, self.ordinary.error
        part, mean, rest = np.ones(len(fall)), level - fall, np.full(len(fall), error)
        soft = form.soft**2
        excess = level - before - form.high
        near = np.flatnonzero(opened & (excess > -3 * np.sqrt(spread + soft)))
        if not len(near):
            return part, mean, rest
        wide = np.sqrt(spread[near] + soft + 1e-9)
        z = excess[near] / wide
        above = wide * (z * ndtr(z) + np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
        part[near] = ndtr(-z)
        mean[near] -= above
        # Variance of the smaller one beyond what its slope explains.
        second = (spread[near] + soft) * ((1 + z * z) * ndtr(z) + z * _density(z))
        capped = spread[near] + soft - 2 * wide**2 * ndtr(z) + second - above**2
        rest[near] += np.maximum(capped - part[near] ** 2 * (spread[near] + soft), 0.0)
        return part, mean, rest

    def _weigh(self, rows: Integers, *, resample: bool) -> None:
        """Draw particles anew where few count; at the end, normalise weights."""
        weight = self.weight.reshape(self.rows, self.each)
        some = weight[rows]
        largest = some.max(axis=1, keepdims=True)
        share = np.exp(some - largest)
        total = share.sum(axis=1, keepdims=True)
        if resample:
            few = total[:, 0] ** 2 < 0.5 * self.each * (share**2).sum(axis=1)
            rows, share, total, largest = rows[few], share[few], total[few], largest[few]
            if not len(rows):
                return
        self.evidence[rows] += largest[:, 0] + np.log(total[:, 0] / self.each)
        if not resample:
            self.weight = share / total
            return
        steps = (np.arange(self.each) + self.random.random((len(rows), 1))) / self.each
        ends = np.cumsum(share / total, axis=1)
        ends[:, -1] = 1.0
        order = np.arange(len(rows))[:, None]
        chosen = np.searchsorted((ends + order).ravel(), (steps + order).ravel())
        chosen = chosen.reshape(len(rows), -1) - order * self.each
        into = (rows[:, None] * self.each + np.arange(self.each)).ravel()
        source = (rows[:, None] * self.each + chosen).ravel()
        for array in (self.states, self.histories.values, self.marks):
            array[:, into] = array[:, source]
        weight[rows] = 0.0


def _density(z: Floats) -> Floats:
    density: Floats = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return density


def _nodes(log_sd: Floats) -> tuple[Floats, Floats]:
    """Return SDs, shape (courses, nodes), and the logs of their shares, shape (nodes,)."""
    most = float(log_sd[:, 1].max(initial=0.0))
    half = min(6, int(np.ceil(_FARTHEST * most / _STEP)))
    z = np.linspace(-_FARTHEST, _FARTHEST, 2 * half + 1) if half else np.zeros(1)
    share = np.exp(-z * z / 2)
    return np.exp(log_sd[:, :1] + log_sd[:, 1:] * z), np.log(share / share.sum())


def _no_rupture(law: RuptureLaw, sessions: Integers) -> Floats:
    """Return the log probability of no rupture in so many sessions."""
    z = np.linspace(-4, 4, 41)
    share = np.exp(-z * z / 2)
    rate = law.rate * np.exp(law.rate_spread * z - law.rate_spread**2 / 2)
    open_to = np.maximum(sessions - law.first + 1, 0)[:, None]
    none = np.exp(open_to * np.log1p(-np.minimum(rate, 0.9)))
    log_none: Floats = np.log(none @ (share / share.sum()))
    return log_none


def _filtered(grid: SessionGrid, ordinary: OrdinaryFluctuation, law: RuptureLaw, particles: int,
              random: np.random.Generator) -> RupturePosterior:  # fmt: skip
    """Run the filter for some courses."""
    number, sessions = grid.rating.shape
    sd, shares = _nodes(ordinary.log_sd)
    nodes = len(shares)
    which = np.repeat(np.arange(number), nodes)
    rows = SessionGrid(grid.rating[which], grid.at_top[which], grid.middle[which], grid.place)
    known = ordinary.chosen(which)
    steady = _Filter(rows, known, sd.ravel(), replace(law, rate=0.0), 1, random)
    steady.run()
    this = _Filter(rows, known, sd.ravel(), law, particles, random)
    this.run()
    evidence = this.evidence.reshape(number, nodes) + shares
    largest = evidence.max(axis=1, keepdims=True)
    node = np.exp(evidence - largest)
    total = node.sum(axis=1, keepdims=True)
    held = (~np.isnan(grid.rating)).cumsum(axis=1).argmax(axis=1) + 1
    quiet = np.exp(steady.evidence.reshape(number, nodes) + shares - largest).sum(axis=1)
    none = quiet / total[:, 0] * np.exp(_no_rupture(law, held))
    weight = (node / total)[:, :, None] * this.weight.reshape(number, nodes, particles)

    def mean(values: NDArray) -> Floats:
        shaped = values.reshape(number, nodes, particles)
        averaged: Floats = np.einsum("cnp,cnp->c", weight, shaped)
        return averaged

    found = np.empty((2, number, sessions))
    for session in range(sessions):
        word, bit = divmod(session, 62)
        for i in range(2):
            found[i, :, session] = mean((this.marks[2 * word + i] >> bit) & 1)
    sums = np.stack([mean(row) for row in this.histories.values[-5:]], axis=1)
    return RupturePosterior(found[0], found[1], np.minimum(none, 1.0), sums,
                     (largest + np.log(total))[:, 0])  # fmt: skip


def posterior(courses: Courses, ordinary: OrdinaryFluctuation, law: RuptureLaw, *, particles: int,
              entropy: np.random.SeedSequence) -> RupturePosterior:  # fmt: skip
    """Say of each session how probable a rupture is, given all ratings of its course.

    Parameters
    ----------
    courses : Courses
    ordinary : OrdinaryFluctuation
    law : RuptureLaw
    particles : int
        For each node of the SD.
    entropy : SeedSequence

    Returns
    -------
    RupturePosterior
        On the grid of :func:`grid_of`.
    """
    grid = grid_of(courses, ordinary.form)
    ends = (~np.isnan(grid.rating)).cumsum(axis=1).argmax(axis=1)
    order = np.argsort(ends, kind="stable")
    size = max(1, _TOGETHER // (particles * len(_nodes(ordinary.log_sd)[1])))
    number, sessions = grid.rating.shape
    result = RupturePosterior(np.zeros((number, sessions)), np.zeros((number, sessions)),
                       np.zeros(number), np.zeros((number, 5)), np.zeros(number))  # fmt: skip
    pieces = [order[first : first + size] for first in range(0, number, size)]
    for piece, seed in zip(pieces, entropy.spawn(len(pieces)), strict=True):
        last = int(ends[piece].max()) + 1
        part = SessionGrid(grid.rating[piece, :last], grid.at_top[piece, :last], grid.middle[piece],
                    grid.place)  # fmt: skip
        found = _filtered(part, ordinary.chosen(piece), law, particles, np.random.default_rng(seed))
        result.opened[piece, :last], result.inside[piece, :last] = found.opened, found.inside
        result.none[piece], result.sums[piece] = found.none, found.sums
        result.evidence[piece] = found.evidence
    return result
