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


class Versions(Draws):
    """Draws of further versions of the same courses, whose therapists stay as they are.

    Parameters
    ----------
    seed : int
    version : int
        Not negative; other numbers for all that is not of therapists.
    """

    def __init__(self, seed: int, version: int):
        super().__init__(seed)
        self._others = Draws(seed * 1000 + version + 1)

    def uniform(self, name: str, *shape: int) -> Floats:
        """Return draws strictly between 0 and 1."""
        if name in ("caseload", "therapist", "order") or name.endswith(" therapist"):
            return super().uniform(name, *shape)
        return self._others.uniform(name, *shape)
