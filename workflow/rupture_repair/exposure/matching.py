"""Stretches that are like an episode: the nearest in level and session number.

Ratings are given in steps, so that many stretches are equally near. All of them are taken (Abadie
& Imbens 2006, Econometrica 74, 235-267, section 2): which of them come first in a file, or by
name, makes no difference.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse, spatial

from ..detection.courses import Courses
from ..project.arrays import Floats, Integers

#: Distances that differ by less, relative to their size, are the same: the rest is rounding.
SAME = 1e-9


@dataclass(frozen=True)
class Matches:
    """Which stretches are matched with which episodes.

    Stretches that begin at the same level and session number are one place.

    Attributes
    ----------
    place : ndarray of int, shape (stretches,)
        Place of each stretch.
    taken : sparse array, shape (episodes, places)
        1 where the stretches of a place are matched with an episode.
    own : ndarray of int, shape (2, pairs)
        Episode and stretch of the same course in such a place: no match.
    """

    place: Integers
    taken: sparse.csr_array
    own: Integers

    def _sums(self, values: Floats) -> Floats:
        """Return the sum over the stretches matched with each episode."""
        episodes, places = self.taken.shape
        every = self.taken @ np.bincount(self.place, values, places)
        return every - np.bincount(self.own[0], values[self.own[1]], episodes)

    @property
    def number(self) -> Floats:
        """How many stretches are matched with each episode."""
        return self._sums(np.ones(len(self.place)))

    def mean(self, values: Floats) -> Floats:
        """Return the mean of a value of stretches for each episode, NaN where none is matched."""
        number = self.number
        sums = self._sums(values)
        return np.divide(sums, number, out=np.full(len(number), np.nan), where=number > 0)

    def weights(self) -> Floats:
        """Return how much each stretch counts, where every matched episode counts 1."""
        number = self.number
        share = np.divide(1.0, number, out=np.zeros(len(number)), where=number > 0)
        weight = (self.taken.T @ share)[self.place]
        weight -= np.bincount(self.own[1], share[self.own[0]], len(self.place))
        return np.where(weight > SAME, weight, 0.0)


def nearest(
    flat: Courses,
    stretches: tuple[Integers, Floats],
    episodes: tuple[Integers, Floats],
    scale: Floats,
    controls: int,
) -> Matches:
    """Match each episode with the nearest stretches of other courses.

    Parameters
    ----------
    flat : Courses
        All ratings.
    stretches, episodes : tuple of ndarray
        Rating at which each begins, as an index into `flat`, and its level before.
    scale : ndarray, shape (2,)
        One unit of distance in level and in session number.
    controls : int
        How many stretches are wanted; all that are as near as the last of them are taken as well.

    Returns
    -------
    Matches
        With fewer stretches where other courses have no more.
    """
    at, level = stretches
    keys = np.column_stack([np.round(level / scale[0], 9), flat.session[at] / scale[1]])
    places, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    wanted = np.column_stack([episodes[1], flat.session[episodes[0]]]) / scale
    course = flat.course[episodes[0]]
    # A course has one stretch in a place at most, since it has each session number once.
    pair = flat.course[at] * len(places) + place
    order = np.argsort(pair)
    pair = np.append(pair[order], -1)

    def own_at(rows: Integers, near: Integers) -> Integers:
        """Return the stretch of the own course in each place, -1 where there is none."""
        asked = course[rows, None] * len(places) + near
        found = np.searchsorted(pair[:-1], asked)
        return np.where(pair[found] == asked, np.append(order, -1)[found], -1)

    parts: list[tuple[Integers, Integers, Integers]] = []
    rows, tree = np.arange(len(wanted)), spatial.KDTree(places) if len(places) else None
    number = min(2 * controls, len(places))
    while tree is not None and len(rows):
        distance, near = tree.query(wanted[rows], k=np.arange(1, number + 1))
        own = own_at(rows, near)
        so_far = (count[near] - (own >= 0)).cumsum(axis=1)
        enough = so_far >= controls
        last = np.where(enough.any(axis=1), enough.argmax(axis=1), number - 1)
        radius = np.take_along_axis(distance, last[:, None], axis=1) * (1 + SAME) + SAME
        ended = (number == len(places)) | (enough[:, -1] & (distance[:, -1:] > radius)[:, 0])
        row, column = np.nonzero((distance <= radius) & ended[:, None])
        parts.append((rows[row], near[row, column], own[row, column]))
        rows, number = rows[~ended], min(2 * number, len(places))
    row, column, own = (
        np.concatenate([np.empty(0, dtype=np.int64), *part])
        for part in (zip(*parts, strict=True) if parts else ((), (), ()))
    )
    taken = sparse.csr_array((np.ones(len(row)), (row, column)), (len(wanted), len(places)))
    return Matches(place, taken, np.stack([row, own])[:, own >= 0])
