"""Random numbers that are the same on every machine and with every version."""

from zlib import crc32

import numpy as np
from scipy.special import ndtri

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import ProblemsFound, problem


class Draws:
    """Independent, named streams of random numbers.

    NumPy guarantees the raw output of a seeded PCG64 for all versions, but not how its
    distributions use it: so only the raw output is taken, and turned here. A stream for each
    name means that changing one setting leaves all other draws as they were.

    Parameters
    ----------
    seed : int
        Not negative.

    Raises
    ------
    ProblemsFound
        E602 for a negative seed.
    """

    def __init__(self, seed: int):
        if seed < 0:
            raise ProblemsFound([problem("E602", key="seed", found=seed, allowed="0 or more")])
        self._seed = seed

    def uniform(self, name: str, *shape: int) -> Floats:
        """Return draws strictly between 0 and 1."""
        stream = np.random.PCG64(np.random.SeedSequence([self._seed, crc32(name.encode())]))
        raw = stream.random_raw(int(np.prod(shape)))
        upper = (raw >> np.uint64(11)).astype(np.float64)
        return (upper.reshape(shape) + 0.5) * 2.0**-53

    def normal(self, name: str, *shape: int) -> Floats:
        """Return standard normal draws, by inversion."""
        return ndtri(self.uniform(name, *shape))

    def flag(self, name: str, probability: float | Floats, *shape: int) -> Flags:
        """Return True with the given probability, which broadcasts to the shape."""
        return self.uniform(name, *shape) < probability

    def pick(self, name: str, weights: Floats, *shape: int) -> Integers:
        """Return positions in `weights`, with chances proportional to them."""
        upper = np.cumsum(weights) / np.sum(weights)
        return np.searchsorted(upper[:-1], self.uniform(name, *shape))


class EvenDraws(Draws):
    """Draws that fill their range evenly: of n numbers of one name one lies in each n-th part.

    What is made of them keeps to its distribution as closely as so many values can, so that two
    sets of few courses differ less than by independent numbers. Which course gets which is random.
    """

    def uniform(self, name: str, *shape: int) -> Floats:
        """Return draws strictly between 0 and 1: the ranks of independent ones."""
        raw = super().uniform(name, *shape).ravel()
        ranks = raw.argsort(kind="stable").argsort(kind="stable")
        return ((ranks + 0.5) / max(raw.size, 1)).reshape(shape)
