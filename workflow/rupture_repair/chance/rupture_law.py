"""How ruptures come, go and leave something behind: a law, and histories drawn from it.

A rupture begins with a small probability at each session, lasts up to three sessions, is repaired
or stays open, and some of the fall remains. Many histories are drawn side by side, session by
session.
"""

from dataclasses import dataclass

import numpy as np

from ..project.arrays import Flags, Floats, Integers

#: Sessions from the first low one to the repair, or to the end of the window without a repair.
LONGEST = 3


@dataclass(frozen=True)
class RuptureKind:
    """A kind of rupture.

    Attributes
    ----------
    share : float
        Of all ruptures.
    depth : float
        Median fall in points.
    repaired : float
        Share that is repaired.
    """

    share: float
    depth: float
    repaired: float


@dataclass(frozen=True)
class RuptureLaw:
    """The law of ruptures.

    Attributes
    ----------
    rate, rate_spread : float
        Probability that a session begins a rupture where one may begin: mean over courses, and SD
        of its logarithm between courses.
    kinds : tuple of RuptureKind
    spread : float
        SD of the logarithm of the fall within a kind.
    least, most : float
        Bounds of the fall in points.
    first, gap : int
        Earliest session of a rupture; fewest sessions between the end of one and the next.
    gradual_onset, gradual_repair : float
        Share of ruptures that fall in two steps, and of repairs that climb step by step.
    regain, regain_open : tuple of float
        Bounds of the fraction of the fall won back: repaired, and not.
    """

    rate: float
    kinds: tuple[RuptureKind, ...]
    rate_spread: float = 0.5
    spread: float = 0.55
    least: float = 0.0
    most: float = np.inf
    first: int = 3
    gap: int = 2
    gradual_onset: float = 0.25
    gradual_repair: float = 0.5
    regain: tuple[float, float] = (0.8, 1.2)
    regain_open: tuple[float, float] = (0.0, 0.3)


# What is kept of each history, one row each.
(_RATE, _PHASE, _START, _LENGTH, _NADIR, _REPAIRED, _GRADUAL, _NEXT, _DEPTH, _REGAIN, _EARLIER,
 _LAST, ONSETS, CHANCES, LOG_DEPTHS, SQUARES, REPAIRS) = range(17)  # fmt: skip

# Phases: nothing or repaired, in an episode, open after it.
_STEADY, _INSIDE, _OPEN = 0.0, 1.0, 2.0

#: No rate is larger.
_MOST_RATE = 0.9


class RuptureHistories:
    """Histories of ruptures, side by side, at one session.

    Parameters
    ----------
    law : RuptureLaw
    number : int
    random : Generator

    Attributes
    ----------
    values : ndarray, shape (17, number)
        What is known of each; the last five rows sum up: ruptures, sessions at which one could
        begin, log falls, their squares, and repaired ruptures.
    """

    def __init__(self, law: RuptureLaw, number: int, random: np.random.Generator):
        self.law, self.random = law, random
        self.values = np.zeros((17, number))
        own = law.rate_spread * random.standard_normal(number) - law.rate_spread**2 / 2
        self.values[_RATE] = np.minimum(law.rate * np.exp(own), _MOST_RATE)
        shares = np.array([kind.share for kind in law.kinds])
        self._shares = np.cumsum(shares / shares.sum())
        self._depths = np.array([kind.depth for kind in law.kinds])
        self._repaired = np.array([kind.repaired for kind in law.kinds])

    @property
    def rate(self) -> Floats:
        """Probability that a session begins a rupture where one may begin."""
        rate: Floats = self.values[_RATE]
        return rate

    def reach(self, session: float, going_on: Flags | None = None) -> Flags:
        """End the episodes that are over; return which histories may begin one at this session.

        Of those that are `going_on`, if that is said.
        """
        v = self.values
        over = np.flatnonzero((v[_PHASE] == _INSIDE) & (session > v[_START] + v[_LENGTH]))
        v[_LAST, over] = v[_EARLIER, over] + (1 - v[_REGAIN, over]) * v[_DEPTH, over]
        v[_NEXT, over] = v[_START, over] + v[_LENGTH, over] + 1 + self.law.gap
        v[_PHASE, over] = np.where(v[_REPAIRED, over] > 0, _STEADY, _OPEN)
        possible = (v[_PHASE] != _INSIDE) & (session >= self.law.first) & (session >= v[_NEXT])
        if going_on is not None:
            possible &= going_on
        v[CHANCES] += possible
        return possible

    def begin(self, which: Integers, session: Floats) -> None:
        """Begin a rupture in some histories.

        Parameters
        ----------
        which : ndarray of int
        session : ndarray, shape (which,)
        """
        v, law, random, number = self.values, self.law, self.random, len(which)
        kind = np.searchsorted(self._shares, random.random(number)).clip(max=len(law.kinds) - 1)
        repaired = random.random(number) < self._repaired[kind]
        length = np.where(repaired, 1 + random.integers(LONGEST, size=number), LONGEST)
        nadir = (random.random(number) < law.gradual_onset) & (length > 1)
        gradual = (random.random(number) < law.gradual_repair) & repaired & (length - nadir > 1)
        depth = self._depths[kind] * np.exp(law.spread * random.standard_normal(number))
        depth = np.clip(depth, law.least, law.most)
        low, high = (np.where(repaired, *ends)
                     for ends in zip(law.regain, law.regain_open, strict=True))  # fmt: skip
        v[_EARLIER, which] = v[_LAST, which]
        v[_PHASE, which], v[_START, which], v[_LENGTH, which] = _INSIDE, session, length
        v[_NADIR, which], v[_REPAIRED, which], v[_GRADUAL, which] = nadir, repaired, gradual
        v[_DEPTH, which] = depth
        v[_REGAIN, which] = low + (high - low) * random.random(number)
        v[ONSETS, which] += 1
        v[REPAIRS, which] += repaired
        v[LOG_DEPTHS, which] += np.log(depth)
        v[SQUARES, which] += np.log(depth) ** 2

    def depth(self, which: Integers) -> Floats:
        """Return the falls of the latest ruptures, in points."""
        depth: Floats = self.values[_DEPTH, which]
        return depth

    def deepen(self, which: Integers, depth: Floats) -> None:
        """Give the latest ruptures other falls."""
        self.values[_DEPTH, which] = depth

    def falls(self, session: Floats | float) -> tuple[Floats, Floats, Flags, Flags]:
        """Return how far the histories have fallen at this session.

        Returns
        -------
        fall, before : ndarray, shape (number,)
            Points, all in all, and what was lost before the latest rupture.
        opened, inside : ndarray of bool, shape (number,)
            Whether a rupture is open, and whether the session lies in an episode.
        """
        v = self.values
        fall, inside, opened = v[_LAST].copy(), v[_PHASE] == _INSIDE, v[_PHASE] == _OPEN
        now = np.flatnonzero(inside)
        length, nadir, regain = v[_LENGTH, now], v[_NADIR, now], v[_REGAIN, now]
        since = np.broadcast_to(session, inside.shape)[now] - v[_START, now]
        lost = np.ones(len(now))
        climbs = v[_GRADUAL, now] > 0
        steps = np.maximum(length - nadir, 1)
        lost[climbs] = (1 - regain * np.maximum(since - nadir, 0) / steps)[climbs]
        mended = (since == length) & (v[_REPAIRED, now] > 0)
        lost[mended] = 1 - regain[mended]
        lost[since < nadir] = 0.5
        fall[now] = v[_EARLIER, now] + lost * v[_DEPTH, now]
        opened[now] = ~mended
        return fall, v[_EARLIER], opened, inside
