r"""The hidden Markov chain: states of all courses at once.

The model is described in :mod:`rupture_repair.detection.hidden_markov.rupture_probability`.

Courses of similar length are side by side in blocks. At each node of a grid of level and trend
the forward and backward recursions are exact; the nodes are then weighted and summed. The
recursion over sessions is the chain itself and cannot be vectorised: each of its steps serves all
courses, nodes and states of a block. The axes of arrays, where they occur, and their letters in
sums (``einsum``): course (b), fall before (e) and kind before (d), fall now (f) and kind now (k),
node (n). A node is a volatility (v), a level and a trend, the volatility first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...project.arrays import Flags, Floats, Integers
from ..courses import Courses
from .parameters import LONGEST_GAP, POINTS, SHARES, Parameters, chain_time

#: Levels of a grid, in standard errors.
LEVELS = np.linspace(-3.0, 3.0, 7)
#: Coarser levels, to find where the grid should lie and to estimate.
FEW_LEVELS = np.linspace(-2.8, 2.8, 5)


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
    gap, moves : ndarray of int
        Sessions since the previous rating, and those of them in which the state could change
        (first rating: since the beginning); 0 in padding.
    rated, top, bottom : ndarray of bool
        Not padding; at the top or bottom of the range.
    step : float
    """

    course: Integers
    index: Integers
    rating: Floats
    time: Floats
    gap: Integers
    moves: Integers
    rated: Flags
    top: Flags
    bottom: Flags
    step: float


def blocks(
    courses: Courses, *, centre: float, low: float, high: float, step: float, widest: int = 32
) -> Iterator[CourseBlock]:
    """Yield the courses in blocks that fit into the processor's cache.

    Ratings from `high` on, and up to `low`, are those: they mean all beyond.
    """
    order = np.argsort(courses.length, kind="stable")
    begin = 0
    while begin < len(order):
        chosen = order[begin : begin + widest]
        begin += len(chosen)
        length = courses.length[chosen]
        position = np.arange(length.max())[:, None]
        # Padding repeats the last rating: no session passes, and its emission is set to 1.
        index = courses.start[chosen] + np.minimum(position, length - 1)
        rating = np.clip(courses.rating[index], low, high)
        session = courses.session[index]
        gap = np.diff(session, axis=0, prepend=1).clip(0, LONGEST_GAP)
        moves = np.diff(chain_time(session), axis=0, prepend=0).clip(0, LONGEST_GAP)
        yield CourseBlock(
            chosen, index, rating, (session - centre).astype(np.float64), gap, moves,
            position < length, rating >= high - step / 2, rating <= low + step / 2, step,
        )  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Nodes of volatility, level and trend; all arrays have the shape (courses, nodes).

    Attributes
    ----------
    level, trend : ndarray
    place : tuple of ndarray
        Where a node lies in the law of levels and trends: two independent standard normal values.
        The nodes move with that law where its parameters change.
    log : ndarray
        Logarithm of prior x area.
    """

    level: Floats
    trend: Floats
    place: tuple[Floats, Floats]
    log: Floats


def grid(mean: Floats, covariance: Floats, p: Parameters, levels: Floats = LEVELS) -> Grid:
    """Lay nodes around places `mean` (courses, volatilities, 2), scaled by their `covariance`.

    Gauss-Hermite in the trend given the level; equal steps in the level, whose posterior may have
    two tops.
    """
    root = np.linalg.cholesky(covariance)[:, :, None]
    along, across = (x.ravel() for x in np.meshgrid(levels, POINTS, indexing="ij"))
    # The area of a trend lacks the root of 2 pi that the prior lacks as well.
    area = np.tile(SHARES * np.exp(POINTS**2 / 2), len(levels)) * (levels[1] - levels[0])
    first = mean[..., :1] + root[..., 0, 0] * along
    second = mean[..., 1:] + root[..., 1, 0] * along + root[..., 1, 1] * across
    log = np.log(area * root[..., 0, 0] * root[..., 1, 1] * SHARES[:, None])
    log = log - 0.5 * (first * first + second * second + np.log(2 * np.pi))
    first, second, log = (values.reshape(len(values), -1) for values in (first, second, log))
    law = p.root
    level, trend = p.level + law[0, 0] * first, p.trend + law[1, 0] * first + law[1, 1] * second
    return Grid(level, trend, (first, second), log)


def grid_of_prior(p: Parameters, courses: int) -> Grid:
    """Lay nodes over the whole prior, whatever the ratings: they must not tell of the future."""
    number = int(8 * p.root[0, 0] / (0.4 * p.noise_sd)) + 9
    mean = np.zeros((courses, len(POINTS), 2))
    covariance = np.broadcast_to(np.eye(2), (*mean.shape, 2))
    return grid(mean, covariance, p, np.linspace(-4.0, 4.0, number))


def regression(block: CourseBlock, p: Parameters) -> tuple[Floats, Floats]:
    """Return mean and covariance of places given the volatility, were all sessions steady."""
    # A rating at an end of the range says little of how far beyond it the level lies.
    weight = np.where(block.rated, np.where(block.top | block.bottom, 0.25, 1.0), 0.0)
    variance = (p.noise_sd * np.exp(p.volatility * POINTS)) ** 2 * (1 + p.carry) / (1 - p.carry)
    design = np.einsum("ji,jnb->inb", p.root, np.stack([np.ones_like(block.time), block.time]))
    known = np.einsum("inb,jnb,nb->bij", design, design, weight)[:, None]
    covariance = np.linalg.inv(np.eye(2) + known / variance[:, None, None])
    off = block.rating - p.level - p.trend * block.time
    right = np.einsum("inb,nb,nb->bi", design, weight, off)[:, None] / variance[:, None]
    return np.einsum("bvij,bvj->bvi", covariance, right), covariance


@dataclass
class Nodes:
    """Posterior of volatility, level and trend in one block.

    Attributes
    ----------
    weight : ndarray, shape (courses, volatilities)
        Probability of each volatility.
    mean, covariance : ndarray, shapes (courses, volatilities, 2), (courses, volatilities, 2, 2)
        Of the places of level and trend given the volatility.
    loglik : ndarray, shape (courses,)
    """

    weight: Floats
    mean: Floats
    covariance: Floats
    loglik: Floats


def recentred(block: CourseBlock, p: Parameters, nodes: Nodes) -> tuple[Floats, Floats]:
    """Return where the grid should lie next; never narrower than half the regression's."""
    return nodes.mean, (nodes.covariance + regression(block, p)[1]) / 2


def centred(block: CourseBlock, p: Parameters) -> tuple[Floats, Floats]:
    """Return mean and covariance for the grid, by two coarse passes from a wide beginning."""
    mean, covariance = regression(block, p)
    if p.ruptures:  # they can only have lowered the line
        mean = mean + np.sqrt(covariance[..., 0, :1]) * [1.0, 0.0]
    covariance = 4 * covariance
    for _ in range(2):
        chain = Chain(block, p, grid(mean, covariance, p, FEW_LEVELS))
        mean, covariance = recentred(block, p, chain.forward())
    return mean, covariance


@dataclass
class SessionPosterior:
    """What is known of one session of all courses of a block.

    Attributes
    ----------
    number : int
        The rating, counted from 0.
    weight : ndarray, shape (courses, falls before, falls now, nodes)
        Joint probability.
    state : ndarray, shape (courses, falls now, kinds now)
        Probability of each state.
    pairs : ndarray, shape (courses, states before, states now)
        Probability of the states at the rating before and at this one; empty where filtered.
    """

    number: int
    weight: Floats
    state: Floats
    pairs: Floats


class Chain:
    """The chain of a block of courses at all nodes of a grid."""

    def __init__(self, block: CourseBlock, p: Parameters, nodes: Grid):
        self.block, self.p, self.nodes = block, p, nodes
        each = nodes.level.shape[1] // len(POINTS)
        #: The place of each node in the law of volatilities.
        self.volatile = np.repeat(POINTS, each)
        gap = np.maximum(block.gap, 1)
        begins = np.arange(len(gap))[:, None] == 0
        self.kept = np.where(begins, 0.0, p.carry**gap)
        # Derivatives by the carry-over: of what is kept, and of the log scale.
        self.kept_slope = np.where(begins, 0.0, gap * p.carry ** (gap - 1.0))
        self.scale_slope = -self.kept * self.kept_slope / (1 - self.kept**2)
        typical = p.noise * np.exp(p.volatility * self.volatile)
        self.scale = np.sqrt(1 - self.kept**2)[..., None] * typical
        self.half = block.step / 2 / self.scale
        self.above = np.where(block.top[..., None], 0.0, np.exp(-self.half))
        self.below = np.where(block.bottom[..., None], 1e100, np.exp(self.half))
        falls, kinds = p.shape
        self.move = p.powers[block.moves].reshape(*gap.shape, falls, kinds, falls * kinds)
        self.back = np.ascontiguousarray(np.swapaxes(self.move, -1, -2))

    def line(self, t: int) -> Floats:
        """Return the undisturbed level at a rating, shape (courses, nodes)."""
        return self.nodes.level + self.nodes.trend * self.block.time[t][:, None]

    def carried(self, t: int) -> Floats:
        """Return the deviation of the previous rating, shape (courses, falls before, nodes).

        0 where it is not known: at the first rating, and beyond an end of the scale.
        """
        if t == 0:
            return np.zeros((len(self.block.course), len(self.p.falls), self.nodes.level.shape[1]))
        top, bottom = (end[t - 1][:, None, None] for end in (self.block.top, self.block.bottom))
        off = self.block.rating[t - 1][:, None] - self.line(t - 1)
        off = off[:, None] + self.p.falls[:, None]
        if top.any():
            off = np.where(top, np.maximum(off, 0.0), off)
        return np.where(bottom, np.minimum(off, 0.0), off) if bottom.any() else off

    def residual(self, t: int, carried: Floats) -> Floats:
        """Return the standardised residual (courses, falls before, nodes), were it steady now."""
        plain = (self.block.rating[t][:, None] - self.line(t))[:, None]
        residual = (plain - self.kept[t][:, None, None] * carried) / self.scale[t][:, None]
        return np.clip(residual, -100, 100, out=residual)

    def emission(self, t: int, odds: Floats) -> Floats:
        """Return the probability of the rating by both falls; `odds` = exp(-residual)."""
        above, below = self.above[t][:, None], self.below[t][:, None]
        factor = np.exp(-self.p.falls[:, None] / self.scale[t][:, None])
        # E w / ((1 + below E)(1 + above E)), multiplied out and evaluated in place
        odds = odds[:, :, None]
        under = odds * (factor**2 * (below * above))[:, None]
        under += (factor * (below + above))[:, None]
        under *= odds
        under += 1.0
        chance = odds * (factor * (below - above))[:, None]
        chance /= under
        chance[~self.block.rated[t]] = 1.0
        return chance

    def deviation_beyond(self, t: int) -> Floats:
        """Return the mean deviation by both falls where a rating at an end means all beyond it.

        Of a logistic u above a: a + (1 + exp(a)) log(1 + exp(-a)); below, its mirror image. Where
        the rating is not at an end, the value has no meaning.
        """
        carried = self.carried(t)
        scale, half = (values[t][:, None, None] for values in (self.scale, self.half))
        z = self.residual(t, carried)[:, :, None] + self.p.falls[:, None] / scale
        side = np.where(self.block.top[t], 1.0, -1.0)[:, None, None, None]
        least = np.clip(side * z - half, -50, 50)
        mean = least + (1 + np.exp(least)) * np.log1p(np.exp(-least))
        return self.kept[t][:, None, None, None] * carried[:, :, None] + side * scale * mean

    def _arrived(self, t: int) -> Floats:
        """Return the probability of the states so far, each moved on, (b, e, f, k, n)."""
        moved = self.back[t] @ self.alpha[t]
        return moved.reshape(*moved.shape[:2], *self.p.shape, -1)

    def forward(self) -> Nodes:
        """Run from the first to the last rating; keep what `smoothed` and `filtered` need."""
        n, (courses, nodes) = len(self.block.rating), self.nodes.level.shape
        self.loglik = self.nodes.log.max(axis=1)
        self.alpha = np.zeros((n + 1, courses, *self.p.shape, nodes))
        self.alpha[0, :, 0, 0] = np.exp(self.nodes.log - self.loglik[:, None])
        falls = self.p.shape[0]
        self.chance = np.empty((n, courses, falls, falls, nodes))
        for t in range(n):
            self.chance[t] = self.emission(t, np.exp(-self.residual(t, self.carried(t))))
            new = np.einsum("befkn,befn->bfkn", self._arrived(t), self.chance[t])
            most = new.max(axis=(1, 2, 3))
            np.divide(new, most[:, None, None, None], out=self.alpha[t + 1])
            self.loglik = self.loglik + np.log(most)
        whole = self.alpha[n].sum(axis=(1, 2, 3))
        self.loglik = self.loglik + np.log(whole)
        return self._moments(self.alpha[n].sum(axis=(1, 2)) / whole[:, None])

    def _moments(self, weight: Floats) -> Nodes:
        """Sum up the weights of the nodes."""
        weight = self.by_volatility(weight)
        total = weight.sum(axis=-1)
        both = np.stack([self.by_volatility(place) for place in self.nodes.place])
        share = weight / np.maximum(total, 1e-300)[..., None]
        mean = np.einsum("bvg,ibvg->bvi", share, both)
        off = both - np.moveaxis(mean, -1, 0)[..., None]
        covariance = np.einsum("bvg,ibvg,jbvg->bvij", share, off, off)
        return Nodes(total, mean, covariance, self.loglik)

    def by_volatility(self, values: Floats) -> Floats:
        """Return values of nodes with an axis of volatilities before that of levels and trends."""
        return values.reshape(*values.shape[:-1], len(POINTS), -1)

    def filtered(self) -> Iterator[SessionPosterior]:
        """Yield each session given the ratings up to it, from the first on, after `forward`."""
        for t in range(len(self.block.rating)):
            weight = self._arrived(t).sum(axis=3) * self.chance[t]
            weight /= weight.sum(axis=(1, 2, 3), keepdims=True)
            state = self.alpha[t + 1].sum(axis=-1)
            state /= state.sum(axis=(1, 2), keepdims=True)
            yield SessionPosterior(t, weight, state, np.empty((0, 0, 0)))

    def smoothed(self) -> Iterator[SessionPosterior]:
        """Yield each session given all ratings, from the last on, after `forward`."""
        falls, kinds = self.p.shape
        courses, nodes = self.nodes.level.shape
        ahead = np.ones((courses, falls, kinds, nodes))
        for t in range(len(self.block.rating) - 1, -1, -1):
            path = self.chance[t][:, :, :, None] * ahead[:, None]
            weight = np.einsum("befkn,befkn->befn", self._arrived(t), path)
            path = path.reshape(courses, falls, falls * kinds, nodes)
            pairs = (self.alpha[t] @ np.swapaxes(path, -1, -2)) * self.move[t]
            pairs = pairs.reshape(courses, falls * kinds, falls * kinds)
            whole = pairs.sum(axis=(1, 2))[:, None, None]
            pairs /= whole
            state = pairs.sum(axis=1).reshape(courses, falls, kinds)
            yield SessionPosterior(t, weight / whole[..., None], state, pairs)
            ahead = self.move[t] @ path
            ahead /= ahead.max(axis=(1, 2, 3), keepdims=True)
