r"""The hidden Markov chain: states of all courses at once.

The model is described in :mod:`rupture_repair.detection.hidden_markov.rupture_probability`.

Courses of similar length are side by side in blocks. At each node of a grid of level and trend
the forward and backward recursions are exact; the nodes are then weighted and summed. The
recursion over sessions is the chain itself and cannot be vectorised: each of its steps serves all
courses, nodes and states of a block. The axes of arrays are, where they occur, in this order:
part (steady, then the falls of a ruptured session), state before, state now, volatility, node,
course.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...project.arrays import Flags, Floats, Integers
from ..courses import Courses

#: Standard deviation of the standard logistic distribution.
LOGISTIC_SD = np.pi / np.sqrt(3.0)
#: Points and shares of Gauss and Hermite: of volatility, depth, and trend.
POINTS = np.array([-np.sqrt(3.0), 0.0, np.sqrt(3.0)])
SHARES = np.array([1.0, 4.0, 1.0]) / 6.0
#: In this many sessions the chain has forgotten its state.
LONGEST_GAP = 64
#: Order of the parameters that are estimated by scoring.
DEPTH, SPREAD, CARRY, NOISE, VOLATILITY = range(5)

_LEVELS, _FEW_LEVELS = np.arange(-3.0, 4.0), np.arange(-2.5, 2.6, 1.25)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the dataset, in points of the measure and session numbers.

    Attributes
    ----------
    level, trend : float
        Mean level at the central session, and mean trend per session (higher is better).
    covariance : ndarray, shape (2, 2)
        Of level and trend between courses.
    noise, volatility : float
        Logistic scale of the ratings of a typical course; log SD of it between courses.
    carry : float
        What is left of a deviation one session later.
    depth, depth_spread : float
        Median fall of a ruptured session; log SD of it.
    onset, recovery : float
        Probability per session that a steady course ruptures, and a ruptured one recovers; an
        onset of 0 is the one-state model.
    """

    level: float
    trend: float
    covariance: Floats
    noise: float
    volatility: float = 0.3
    carry: float = 0.2
    depth: float = 0.0
    depth_spread: float = 0.4
    onset: float = 0.0
    recovery: float = 1.0

    @property
    def states(self) -> int:
        """Number of states."""
        return 2 if self.onset > 0 else 1

    @property
    def noise_sd(self) -> float:
        """Standard deviation of the ratings of a typical steady course around its line."""
        return LOGISTIC_SD * self.noise

    def at(self, theta: Floats) -> "Parameters":
        """Return the parameters with depth, spread, carry-over, log noise and volatility set."""
        return replace(
            self,
            depth=float(theta[DEPTH]),
            depth_spread=float(theta[SPREAD]),
            carry=float(theta[CARRY]),
            noise=float(np.exp(theta[NOISE])),
            volatility=float(theta[VOLATILITY]),
        )

    def theta(self) -> Floats:
        """Return what :meth:`at` sets."""
        values = (self.depth, self.depth_spread, self.carry, np.log(self.noise), self.volatility)
        return np.array(values)


@dataclass(frozen=True)
class CourseBlock:
    """Courses of similar length side by side, the shorter ones padded.

    Attributes
    ----------
    course : ndarray of int, shape (courses,)
    index : ndarray of int, shape (ratings, courses)
        Where the ratings are; the following attributes have this shape, too.
    rating, time : ndarray of float
        Time is the session number from the centre.
    gap : ndarray of int
        Sessions since the previous rating (first rating: since session 1); 0 in padding.
    rated, top, bottom : ndarray of bool
        Not padding; at the top or bottom of the range.
    step : float
    """

    course: Integers
    index: Integers
    rating: Floats
    time: Floats
    gap: Integers
    rated: Flags
    top: Flags
    bottom: Flags
    step: float


def blocks(
    courses: Courses, *, centre: float, low: float, high: float, step: float
) -> Iterator[CourseBlock]:
    """Yield the courses in blocks that fit into the processor's cache."""
    order = np.argsort(courses.length, kind="stable")
    widest = int(np.clip(len(order) // 4, 32, 96))
    begin = 0
    while begin < len(order):
        size = max(8, min(widest, 3000 // courses.length[order[begin]]))
        chosen = order[begin : begin + size]
        begin += len(chosen)
        length = courses.length[chosen]
        position = np.arange(length.max())[:, None]
        # Padding repeats the last rating: no session passes, and its emission is set to 1.
        index = courses.start[chosen] + np.minimum(position, length - 1)
        rating, session = courses.rating[index], courses.session[index]
        gap = np.diff(session, axis=0, prepend=1).clip(0, LONGEST_GAP)
        yield CourseBlock(
            chosen, index, rating, (session - centre).astype(np.float64), gap, position < length,
            rating >= high - step / 2, rating <= low + step / 2, step,
        )  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Nodes of level and trend, shape (volatilities, nodes, courses), and log prior x area."""

    level: Floats
    trend: Floats
    log: Floats


def grid(mean: Floats, covariance: Floats, p: Parameters, levels: Floats = _LEVELS) -> Grid:
    """Lay nodes around `mean` (volatilities, courses, 2), scaled by `covariance`.

    Gauss-Hermite in the trend given the level; equal steps in the level, whose posterior may have
    two tops.
    """
    root = np.linalg.cholesky(covariance)[:, None]
    along, across = (x.reshape(-1, 1) for x in np.meshgrid(levels, POINTS, indexing="ij"))
    area = np.tile(SHARES * np.exp(POINTS**2 / 2), len(levels))[:, None] * (levels[1] - levels[0])
    level = mean[:, None, :, 0] + root[..., 0, 0] * along
    trend = mean[:, None, :, 1] + root[..., 1, 0] * along + root[..., 1, 1] * across
    prior = np.linalg.inv(p.covariance)
    a, b = level - p.level, trend - p.trend
    log = -0.5 * (prior[0, 0] * a * a + 2 * prior[0, 1] * a * b + prior[1, 1] * b * b)
    log += np.log(area * root[..., 0, 0] * root[..., 1, 1] * SHARES[:, None, None])
    return Grid(level, trend, log + 0.5 * np.log(np.linalg.det(prior) / (2 * np.pi)))


def grid_of_prior(p: Parameters, courses: int) -> Grid:
    """Lay nodes over the whole prior, whatever the ratings: they must not tell of the future."""
    sd = np.sqrt(p.covariance[0, 0])
    levels = np.linspace(-4.5, 4.5, int(9 * sd / (0.3 * p.noise_sd)) + 9)
    mean = np.broadcast_to([p.level, p.trend], (3, courses, 2))
    return grid(mean, np.broadcast_to(p.covariance, (3, courses, 2, 2)), p, levels)


def regression(block: CourseBlock, p: Parameters) -> tuple[Floats, Floats]:
    """Return mean and covariance of level and trend given the volatility, were all steady."""
    # A rating at an end of the range says little of how far beyond it the level lies.
    weight = np.where(block.rated, np.where(block.top | block.bottom, 0.25, 1.0), 0.0)
    variance = (p.noise_sd * np.exp(p.volatility * POINTS)) ** 2 * (1 + p.carry) / (1 - p.carry)
    design = np.stack([np.ones_like(block.time), block.time])
    prior = np.linalg.inv(p.covariance)
    known = np.einsum("inb,jnb,nb->bij", design, design, weight)
    covariance = np.linalg.inv(prior + known / variance[:, None, None, None])
    right = np.einsum("inb,nb,nb->bi", design, weight, block.rating) / variance[:, None, None]
    right = right + prior @ [p.level, p.trend]
    return np.einsum("vbij,vbj->vbi", covariance, right), covariance


@dataclass
class Nodes:
    """Posterior of volatility, level and trend in one block.

    Attributes
    ----------
    weight : ndarray, shape (volatilities, courses)
        Probability of each volatility.
    mean, covariance : ndarray, shapes (volatilities, courses, 2), (volatilities, courses, 2, 2)
        Of level and trend given the volatility.
    loglik : ndarray, shape (courses,)
    """

    weight: Floats
    mean: Floats
    covariance: Floats
    loglik: Floats


@dataclass
class Smoothed:
    """Posterior of the states in one block.

    Attributes
    ----------
    pairs : ndarray, shape (ratings, states before, states now, courses)
    filtered : ndarray, shape (ratings, courses)
        Probability of the ruptured state given the ratings so far.
    gradient, information : ndarray, shapes (5,), (5, 5)
        Of the scored parameters; zero unless asked for.
    """

    pairs: Floats
    filtered: Floats
    gradient: Floats
    information: Floats

    @property
    def ruptured(self) -> Floats:
        """Probability of the ruptured state, shape (ratings, courses)."""
        return self.pairs[:, :, 1:].sum(axis=(1, 2))


def recentred(block: CourseBlock, p: Parameters, nodes: Nodes) -> tuple[Floats, Floats]:
    """Return where the grid should lie next; never narrower than half the regression's."""
    return nodes.mean, (nodes.covariance + regression(block, p)[1]) / 2


def centred(block: CourseBlock, p: Parameters) -> tuple[Floats, Floats]:
    """Return mean and covariance for the grid, by two coarse passes from a wide beginning."""
    mean, covariance = regression(block, p)
    if p.states == 2:  # ruptures can only have lowered the line
        mean = mean + np.sqrt(covariance[..., 0, :1]) * [1.0, 0.0]
    covariance = 4 * covariance
    for _ in range(2):
        chain = Chain(block, p, grid(mean, covariance, p, _FEW_LEVELS))
        mean, covariance = recentred(block, p, chain.forward())
    return mean, covariance


def transition(gap: NDArray, p: Parameters) -> Floats:
    """Return the transition matrices over gaps, shape (states, states, *gap.shape)."""
    if p.states == 1:
        return np.ones((1, 1, *gap.shape))
    forgotten = 1 - (1 - p.onset - p.recovery) ** gap
    on = p.onset / (p.onset + p.recovery) * forgotten
    off = p.recovery / (p.onset + p.recovery) * forgotten
    return np.array([[1 - on, on], [off, 1 - off]])


class Chain:
    """The chain of a block of courses at all nodes of a grid."""

    def __init__(self, block: CourseBlock, p: Parameters, nodes: Grid):
        self.block, self.p, self.nodes = block, p, nodes
        gap = np.maximum(block.gap, 1)
        begins = np.arange(len(gap))[:, None] == 0
        self.kept = np.where(begins, 0.0, p.carry**gap)
        # Derivatives by the carry-over: of what is kept, and of the log scale.
        self.kept_slope = np.where(begins, 0.0, gap * p.carry ** (gap - 1.0))
        self.scale_slope = -self.kept * self.kept_slope / (1 - self.kept**2)
        volatile = p.noise * np.exp(p.volatility * POINTS)[:, None, None]
        self.scale = volatile * np.sqrt(1 - self.kept**2)[:, None, None]
        self.half = block.step / 2 / self.scale
        self.above = np.where(block.top[:, None, None], 0.0, np.exp(-self.half))
        self.below = np.where(block.bottom[:, None, None], 1e100, np.exp(self.half))
        parts = 1 if p.states == 1 else 1 + len(POINTS)
        self.point = np.append(0.0, POINTS)[:parts]
        self.share = np.append(1.0, SHARES)[:parts]
        self.fall = np.append(0.0, p.depth * np.exp(p.depth_spread * POINTS))[:parts]
        self.before = np.arange(p.states)
        self.move = transition(block.gap, p)

    def carried(self, t: int) -> Floats:
        """Return the deviation of the previous rating from what its state (before) foretells."""
        if t == 0:
            return np.zeros((self.p.states, *self.nodes.level.shape))
        block = self.block
        line = self.nodes.level + self.nodes.trend * block.time[t - 1]
        off = block.rating[t - 1] - line + self.p.depth * self.before[:, None, None, None]
        if block.top[t - 1].any():
            off = np.where(block.top[t - 1], np.maximum(off, 0.0), off)
        if block.bottom[t - 1].any():
            off = np.where(block.bottom[t - 1], np.minimum(off, 0.0), off)
        return off

    def residual(self, t: int, carried: Floats) -> Floats:
        """Return the standardised residual (before, ...) of the rating, were it steady."""
        line = self.nodes.level + self.nodes.trend * self.block.time[t]
        residual = (self.block.rating[t] - line - self.kept[t] * carried) / self.scale[t]
        return np.clip(residual, -100, 100, out=residual)

    def emission(self, t: int, odds: Floats) -> Floats:
        """Return share x probability of the rating, (part, before, ...); odds = exp(-residual)."""
        above, below, width = self.above[t], self.below[t], self.below[t] - self.above[t]
        factor = np.exp(-self.fall[:, None, None, None, None] / self.scale[t])
        # E w / ((1 + below E)(1 + above E)), multiplied out and evaluated in place
        under = odds * (factor**2 * below * above)
        under += factor * (below + above)
        under *= odds
        under += 1.0
        chance = odds * (self.share[:, None, None, None, None] * factor * width)
        chance /= under
        return chance

    def forward(self) -> Nodes:
        """Run from the first to the last rating; keep what `backward` needs."""
        n, states = len(self.block.rating), self.p.states
        shape = self.nodes.level.shape
        self.loglik = self.nodes.log.max(axis=(0, 1))
        self.alpha = np.zeros((n + 1, states, *shape))
        self.alpha[0, 0] = np.exp(self.nodes.log - self.loglik)
        self.joint = np.empty((n, states, states, *shape))
        for t in range(n):
            chance = self.emission(t, np.exp(-self.residual(t, self.carried(t))))
            if not self.block.rated[t].all():
                chance[..., ~self.block.rated[t]] = self.share[:, None, None, None, None]
            joint = self.joint[t]
            for now, parts in enumerate([slice(0, 1), slice(1, None)][:states]):
                np.sum(chance[parts], axis=0, out=joint[:, now])
            joint *= self.move[:, :, t, None, None]
            new = np.einsum("ivgb,ijvgb->jvgb", self.alpha[t], joint)
            most = new.max(axis=(0, 1, 2))
            np.divide(new, most, out=self.alpha[t + 1])
            self.loglik = self.loglik + np.log(most)
        whole = self.alpha[n].sum(axis=(0, 1, 2))
        self.loglik = self.loglik + np.log(whole)
        return self._moments(self.alpha[n].sum(axis=0) / whole)

    def _moments(self, weight: Floats) -> Nodes:
        """Sum up the weights of the nodes."""
        total = weight.sum(axis=1)
        both = np.stack([self.nodes.level, self.nodes.trend])
        share = weight / np.maximum(total, 1e-300)[:, None]
        mean = np.einsum("vgb,ivgb->vbi", share, both)
        off = both - np.moveaxis(mean, -1, 0)[:, :, None]
        covariance = np.einsum("vgb,ivgb,jvgb->vbij", share, off, off)
        return Nodes(total, mean, covariance, self.loglik)

    def backward(self, learn: bool = False) -> Smoothed:
        """Run back from the last rating, after `forward`; `learn` adds what the M step needs."""
        n, states = len(self.block.rating), self.p.states
        pairs = np.zeros((n, states, states, len(self.block.course)))
        filtered = self.alpha[1:, 1:].sum(axis=(1, 2, 3)) / self.alpha[1:].sum(axis=(1, 2, 3))
        found = Smoothed(pairs, filtered, np.zeros(5), np.zeros((5, 5)))
        ahead = np.ones((states, *self.nodes.level.shape))
        for t in range(n - 1, -1, -1):
            path = self.joint[t] * ahead
            both = self.alpha[t][:, None] * path
            both /= both.sum(axis=(0, 1, 2, 3))
            pairs[t] = both.sum(axis=(2, 3))
            if learn:
                self._score(t, both * self.block.rated[t], found)
            ahead = path.sum(axis=1)
            ahead /= ahead.max(axis=(0, 1, 2))
        return found

    def _score(self, t: int, weight: Floats, found: Smoothed) -> None:
        """Add gradient and expected information of the scored parameters at one rating.

        The derivative of the location is `plain` + `wave` x carried deviation, that of the log
        scale is `size`; each of shape (parameter, part, before, volatility, course).
        """
        scale, half = self.scale[t], self.half[t]
        fall = self.fall[:, None, None, None, None]
        carried = self.carried(t)
        z = self.residual(t, carried)
        odds = np.exp(-z)
        chance = self.emission(t, odds)
        # Posterior weight of each part; large arrays are evaluated in place, which halves the time.
        part = np.empty_like(chance)
        for now, parts in enumerate([slice(0, 1), slice(1, None)][: self.p.states]):
            np.multiply(weight[:, now], chance[parts], out=part[parts])
            part[parts] /= np.maximum(chance[parts].sum(axis=0), 1e-300)
        # Tail probabilities below and above.
        upper = odds * np.exp(-fall / scale)
        lower = upper * self.below[t]
        upper *= self.above[t]
        for tail in (lower, upper):
            tail += 1
            np.divide(1, tail, out=tail)
        shift = lower + upper
        shift -= 1
        shift *= part
        shift /= scale
        z = z + fall / scale
        stretch = z - half
        z += half
        for side, tail in ((stretch, lower), (z, upper)):
            side *= tail
            side *= np.subtract(1, tail, out=tail)
        stretch -= z
        density = part * self.share[:, None, None, None, None]
        density /= np.maximum(chance, 1e-300, out=chance)
        stretch *= density

        shape = (5, len(fall), *part.shape[1:3], part.shape[-1])
        plain, wave, size = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        fall, before = fall[:, :, 0], self.before[:, None, None]
        plain[DEPTH] = self.kept[t] * before - fall / (self.p.depth or 1.0)
        plain[SPREAD] = -fall * self.point[:, None, None, None]
        wave[CARRY], size[CARRY] = self.kept_slope[t], self.scale_slope[t]
        size[NOISE], size[VOLATILITY] = 1.0, POINTS[:, None]

        sums = [x.sum(axis=3) for x in (part, shift, stretch)]
        waves = [np.einsum("psvgb,svgb->psvb", x, carried) for x in (part, shift)]
        second = np.einsum("psvgb,svgb,svgb->psvb", part, carried, carried)
        found.gradient += (plain * sums[1] + wave * waves[1] + size * sums[2]).sum((1, 2, 3, 4))
        location, log_scale = 1 / (3 * scale[:, 0] ** 2), (np.pi**2 + 3) / 9
        for left, right, mass in (
            (plain, plain, sums[0] * location),
            (plain, wave, waves[0] * location),
            (wave, plain, waves[0] * location),
            (wave, wave, second * location),
            (size, size, sums[0] * log_scale),
        ):
            found.information += np.einsum("ipsvb,jpsvb->ij", left, right * mass)
