r"""The parameters of the hidden Markov model, and the law by which its states follow each other.

The model is described in :mod:`rupture_repair.detection.hidden_markov.rupture_probability`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from ...project.arrays import Floats, Integers

#: Standard deviation of the standard logistic distribution.
LOGISTIC_SD = np.pi / np.sqrt(3.0)
#: Points and shares of Gauss and Hermite: of volatility, depth, and trend.
POINTS = np.array([-np.sqrt(3.0), 0.0, np.sqrt(3.0)])
SHARES = np.array([1.0, 4.0, 1.0]) / 6.0
#: No rupture begins before this session: before it nothing is known that could have fallen.
FIRST_ONSET = 3
#: In this many sessions the chain has forgotten its state.
LONGEST_GAP = 64
#: A state is a fall (none, shallow, middle, deep) and a kind. Without a fall the kinds are: steady
#: so far, and steady after a rupture; with one: a rupture that passes, and one that lasts.
FALLS, KINDS = 1 + len(POINTS), 2

#: What is estimated, in this order; the last six are of ruptures. Level and trend and their
#: covariance are counted in a unit that does not change while they are estimated.
NAMES = (
    *("level", "trend", "level_sd", "covariance", "trend_sd"),
    *("carry", "noise", "volatility"),
    *("depth", "depth_spread", "onset", "lasting", "recovery", "late_recovery"),
)
#: Number of parameters without ruptures, and with.
FEW, MANY = 8, len(NAMES)
CARRY, NOISE, VOLATILITY, DEPTH, SPREAD, ONSET, LASTS, RECOVERY, LATE = range(5, MANY)
_LIMITS = {
    2: (np.log(0.05), np.inf),
    4: (np.log(1e-3), np.inf),
    CARRY: (0.0, 0.95),
    VOLATILITY: tuple(np.log([0.02, 1.0])),
    SPREAD: tuple(np.log([0.05, 1.0])),
    ONSET: tuple(logit([1e-4, 0.3])),
    LASTS: tuple(logit([0.01, 0.99])),
    RECOVERY: tuple(logit([0.1, 0.95])),
    LATE: tuple(logit([1e-3, 0.5])),
}

#: A weak prior of what few courses say little about: place, mean and SD of the free parameter.
_PRIOR = np.array([
    (SPREAD, np.log(0.4), 0.5), (LASTS, logit(0.35), 1.0),
    (RECOVERY, logit(0.45), 1.0), (LATE, logit(0.06), 1.0),
])  # fmt: skip


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
        Median fall of a rupture; log SD of it between ruptures.
    onset : float
        Probability per session, from the third on, that a steady course ruptures; 0 is the model
        without ruptures.
    lasting : float
        Share of ruptures that last.
    recovery, late_recovery : float
        Probability per session that a passing and that a lasting rupture ends.
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
    lasting: float = 0.35
    recovery: float = 0.5
    late_recovery: float = 0.06

    @property
    def ruptures(self) -> bool:
        """Whether there are ruptures in the model."""
        return self.onset > 0

    @property
    def noise_sd(self) -> float:
        """Standard deviation of the ratings of a typical steady course around its line."""
        return LOGISTIC_SD * self.noise

    @cached_property
    def root(self) -> Floats:
        """Cholesky root of the covariance."""
        return np.asarray(np.linalg.cholesky(self.covariance), dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of falls and of kinds."""
        return (FALLS, KINDS) if self.ruptures else (1, 1)

    @cached_property
    def points(self) -> Floats:
        """The place of each fall in the law of depths, in SD of the log depth; NaN for none."""
        return np.append(np.nan, POINTS) if self.ruptures else np.array([np.nan])

    @cached_property
    def falls(self) -> Floats:
        """Falls in points: none, then shallow, middle and deep."""
        return np.nan_to_num(self.depth * np.exp(self.depth_spread * self.points))

    @property
    def mean_depth(self) -> float:
        """Mean fall of a rupture."""
        return float(self.falls[1:] @ SHARES) if self.ruptures else 0.0

    def open_share(self, session: Integers) -> float:
        """Return the expected share of some sessions that lie in a rupture."""
        if not self.ruptures:
            return 0.0
        states = self.powers[np.minimum(chain_time(session), LONGEST_GAP), 0]
        return float(1 - states.reshape(len(session), *self.shape)[:, 0].sum(axis=1).mean())

    def ended_within(self, sessions: int) -> float:
        """Return the share of ruptures that have ended so many sessions after their first."""
        passing, lasting = (1 - ends for ends in (self.recovery, self.late_recovery))
        return 1 - (1 - self.lasting) * passing**sessions - self.lasting * lasting**sessions

    def _chances(self) -> Floats:
        return np.array([self.onset, self.lasting, self.recovery, self.late_recovery])

    @cached_property
    def powers(self) -> Floats:
        """Transition over 0, 1, ... sessions, shape (gaps, states before, states now)."""
        if not self.ruptures:
            return np.ones((LONGEST_GAP + 1, 1, 1))
        one = _one_step(*self._chances())
        powers = np.empty((LONGEST_GAP + 1, *one.shape))
        powers[0] = np.eye(len(one))
        for gap in range(LONGEST_GAP):
            powers[gap + 1] = powers[gap] @ one
        return powers

    @cached_property
    def slopes(self) -> Floats:
        """Derivatives of the logarithms of :attr:`powers` by the last four parameters.

        Shape (4, gaps, states before, states now); 0 where a transition cannot be.
        """
        powers, chances = self.powers, self._chances()
        slopes = np.zeros((4, *powers.shape))
        for place, chance in enumerate(chances):
            # One step is linear in each chance, so its derivative is a difference.
            ends = [_one_step(*np.where(np.arange(4) == place, end, chances)) for end in (0, 1)]
            one = (ends[1] - ends[0]) * chance * (1 - chance)
            for gap in range(1, len(powers)):
                slopes[place, gap] = slopes[place, gap - 1] @ powers[1] + powers[gap - 1] @ one
        return np.divide(slopes, powers, out=np.zeros_like(slopes), where=powers > 0)

    def free(self, unit: float) -> Floats:
        """Return the parameters as numbers of similar size, in the order of :data:`NAMES`."""
        root = self.root / unit
        values = [self.level / unit, self.trend / unit]
        values += [np.log(root[0, 0]), root[1, 0] / root[0, 0], np.log(root[1, 1])]
        values += [self.carry, np.log(self.noise), np.log(self.volatility)]
        if self.ruptures:
            values += [np.log(self.depth), np.log(self.depth_spread), *logit(self._chances())]
        return np.array(values)

    def at(self, free: Floats, unit: float) -> "Parameters":
        """Return the parameters that :meth:`free` turns into `free`, within their limits."""
        low, high = limits(len(free))
        level, trend, first, ratio, second, carry, noise, volatility = np.clip(free, low, high)[:8]
        root = unit * np.array([[np.exp(first), 0.0], [ratio * np.exp(first), np.exp(second)]])
        new = replace(
            self,
            level=float(unit * level),
            trend=float(unit * trend),
            covariance=root @ root.T,
            carry=float(carry),
            noise=float(np.exp(noise)),
            volatility=float(np.exp(volatility)),
        )
        if not self.ruptures:
            return new
        depth, spread, *chances = np.clip(free, low, high)[8:]
        onset, lasting, recovery, late = (float(value) for value in expit(chances))
        return replace(
            new, depth=float(np.exp(depth)), depth_spread=float(np.exp(spread)),
            onset=onset, lasting=lasting, recovery=recovery, late_recovery=late,
        )  # fmt: skip

    def natural(self) -> dict[str, float]:
        """Return the values by :data:`NAMES`, as people read them: SDs and points."""
        level, trend = np.sqrt(np.diag(self.covariance))
        values = {
            **{name: getattr(self, name) for name in NAMES if hasattr(self, name)},
            **{"level_sd": level, "trend_sd": trend, "covariance": self.covariance[0, 1]},
        }
        return {name: float(values[name]) for name in NAMES[: MANY if self.ruptures else FEW]}


def limits(number: int) -> tuple[Floats, Floats]:
    """Return the least and the largest values of free parameters."""
    low, high = np.full(number, -np.inf), np.full(number, np.inf)
    for place, ends in _LIMITS.items():
        if place < number:
            low[place], high[place] = ends
    return low, high


def prior(free: Floats) -> tuple[float, Floats, Floats]:
    """Return the log density of the weak prior, its slope, and how the slope bends."""
    slope, bend = np.zeros(len(free)), np.zeros(len(free))
    if len(free) < MANY:
        return 0.0, slope, bend
    place, (mean, sd) = _PRIOR[:, 0].astype(int), _PRIOR[:, 1:].T
    off = (free[place] - mean) / sd
    slope[place], bend[place] = -off / sd, 1 / sd**2
    return float(-0.5 * (off**2).sum()), slope, bend


def chain_time(session: Integers) -> Integers:
    """Return how many sessions with a possible onset there were, up to each session."""
    return np.maximum(session - (FIRST_ONSET - 1), 0)


def _one_step(onset: float, lasting: float, recovery: float, late: float) -> Floats:
    """Return the transition matrix of one session over the states, fall by fall."""
    one = np.zeros((FALLS, KINDS, FALLS, KINDS))
    for kind in range(KINDS):
        one[0, kind, 0, kind] = 1 - onset
        one[0, kind, 1:, 0] = onset * (1 - lasting) * SHARES
        one[0, kind, 1:, 1] = onset * lasting * SHARES
    deep = np.arange(1, FALLS)
    for kind, ends in enumerate((recovery, late)):
        one[deep, kind, deep, kind] = 1 - ends
        one[deep, kind, 0, 1] = ends
    return one.reshape(FALLS * KINDS, FALLS * KINDS)
