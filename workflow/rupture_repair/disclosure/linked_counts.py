"""Counts that are linked by sums, and which of them must be withheld to protect the small ones.

A small count that is withheld can come back: what is left of a total is known as soon as all its
other parts are. What has to be withheld as well is found for all tables together, by cell
suppression (Fischetti & Salazar 2001, doi 10.1287/mnsc.47.7.1008.9805): for every small count two
tables are looked for that agree with everything that is shown, and in which this count differs by
at least `least`. Where there are none, as few counts as possible are
withheld until there are. The two tables are the proof: nobody can tell the count more narrowly.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse

from ..project.arrays import Flags, Floats

#: Names a count: the table, what it is of, and what is counted.
Key = tuple[str, ...]

#: How far a count may move in a table that is looked for, in multiples of `least`.
REACH = 40

#: What it costs to withhold a count that everything else hangs on.
DEAR = 1000.0


class _Problem(NamedTuple):
    """Counts that hang together: their keys, and their sums (the whole first) as a matrix."""

    keys: list[Key]
    sums: sparse.csr_array


class LinkedCounts:
    """Counts of one dataset, and the sums that link them.

    Parameters
    ----------
    least : int
        The smallest count, other than 0, that may be shown.

    Attributes
    ----------
    counts : dict
        Count by key: those that are published, and those that a reader could work out.
    withheld : set
        Keys of published counts that may not be shown; complete after :meth:`protect`.

    Examples
    --------
    >>> endings = LinkedCounts(5)
    >>> for name, count in {"completed": 12, "left": 3, "ongoing": 7, "all": 22}.items():
    ...     endings.publish((name,), count, weight=DEAR if name == "all" else 1)
    >>> endings.total(("all",), [("completed",), ("left",), ("ongoing",)])
    >>> sorted(endings.protect())
    [('left',), ('ongoing',)]
    """

    def __init__(self, least: int):
        self.least = least
        self.counts: dict[Key, int] = {}
        self.withheld: set[Key] = set()
        self._weight: dict[Key, float] = {}
        self._positive: set[Key] = set()
        self._guarded: set[Key] = set()
        self._sums: list[tuple[Key, ...]] = []
        self._sums_of: defaultdict[Key, list[int]] = defaultdict(list)

    def publish(self, key: Key, count: int, weight: float = 1.0) -> None:
        """Add a count that pages show unless it is withheld.

        Parameters
        ----------
        key : tuple of str
            The same count has the same key wherever it is shown.
        count : int
        weight : float
            What is lost by withholding it; :data:`DEAR` where nothing else must help.
        """
        self.derive(key, count)
        self._weight[key] = weight
        if 0 < count < self.least:
            self.withheld.add(key)

    def derive(self, key: Key, count: int) -> None:
        """Add a count that is not shown itself.

        Raises
        ------
        ValueError
            If the key has another count already.
        """
        known = self.counts.setdefault(key, int(count))
        if known != count:
            raise ValueError(f"{key} is {known} in one place and {count} in another")

    def positive(self, key: Key) -> None:
        """Say that readers know of a count whether it is zero."""
        if self.counts[key]:
            self._positive.add(key)

    def total(self, whole: Key, parts: Sequence[Key]) -> None:
        """Say that a count is the sum of others.

        Raises
        ------
        ValueError
            If it is not.
        """
        if self.counts[whole] != sum(self.counts[part] for part in parts):
            raise ValueError(f"the parts of {whole} do not add up to it")
        for key in (whole, *parts):
            self._sums_of[key].append(len(self._sums))
        self._sums.append((whole, *parts))

    def part(self, whole: Key, *parts: Key) -> None:
        """Say that a count holds others, which do not overlap, and perhaps something else.

        Nothing is said where the counts themselves show that it is not so.
        """
        rest = self.counts[whole] - sum(self.counts[one] for one in parts)
        if rest >= 0:
            other = (*whole, "without", *(word for one in parts for word in one))
            self.derive(other, rest)
            self.total(whole, [*parts, other])

    def withhold(self, key: Key) -> None:
        """Withhold a published count, whatever its size, and protect it as if it were small."""
        self.withheld.add(key)
        self._guarded.add(key)

    def shown(self, key: Key) -> bool:
        """Return whether a count is published and not withheld."""
        return key in self._weight and key not in self.withheld

    def protect(self) -> set[Key]:
        """Withhold further counts until no small one can be told within `least`.

        Returns
        -------
        set of tuple of str
            Keys of all published counts that are withheld.

        Raises
        ------
        ValueError
            If a count cannot be protected even when all others are withheld.
        """
        small = {key for key, count in self.counts.items() if 0 < count < self.least}
        proven = set[Key]()
        for key in sorted(small | self._guarded, key=lambda one: (self.counts[one], one)):
            if key not in proven:
                more, differing = self._needed(key)
                self.withheld |= more
                proven |= differing
        return self.withheld

    # ------------------------------------------------------------------ one count

    def _fixed(self, key: Key) -> bool:
        return self._weight.get(key) == DEAR and key not in self.withheld

    def _around(self, key: Key, beyond_fixed: bool) -> _Problem:
        """Return what hangs together with a count; a count that is fixed links nothing."""
        place, chosen, waiting = {key: 0}, set[int](), [key]
        while waiting:
            for number in self._sums_of[waiting.pop()]:
                if number in chosen:
                    continue
                chosen.add(number)
                for one in self._sums[number]:
                    if one not in place:
                        place[one] = len(place)
                        if beyond_fixed or not self._fixed(one):
                            waiting.append(one)
        cells = [
            (row, place[one], 1.0 if at else -1.0)
            for row, number in enumerate(sorted(chosen))
            for at, one in enumerate(self._sums[number])
        ]
        rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
        shape = (len(chosen), len(place))
        return _Problem(list(place), sparse.coo_array((values, (rows, columns)), shape).tocsr())

    def _needed(self, key: Key) -> tuple[set[Key], set[Key]]:
        """Return the cheapest counts to withhold so that `key` can differ by `least`.

        And all counts that differ so far in the two tables: these are protected with it.
        """
        for fixed_too in (False, True):
            found = self._search(self._around(key, fixed_too), move_fixed=fixed_too)
            if found is not None:
                return found
        raise ValueError(f"nothing protects {key}")

    def _search(self, around: _Problem, *, move_fixed: bool) -> tuple[set[Key], set[Key]] | None:
        """Return what to withhold that two tables differ in the first count, and all that differ.

        None where nothing helps.

        Columns: the counts of a table with less of it, those of one with more, and for each count
        whether it is withheld.
        """
        keys, number = around.keys, len(around.keys)
        count = np.array([self.counts[one] for one in keys], dtype=float)
        hidden = np.array([not self.shown(one) for one in keys])
        fixed = np.array([self._fixed(one) and not move_fixed for one in keys])
        lower, upper = self._bounds(keys, count, fixed)
        switched = (~hidden & ~fixed).astype(float)
        weights = [self._weight.get(one, 0.0) for one in keys]
        differ = sparse.coo_array(([-1.0, 1.0], ([0, 0], [0, number])), (1, 3 * number))
        found = optimize.milp(
            np.concatenate([np.zeros(2 * number), weights]),
            integrality=np.ones(3 * number),
            bounds=optimize.Bounds(
                np.concatenate([lower, lower, np.zeros(number)]),
                np.concatenate([upper, upper, switched]),
            ),
            constraints=[
                optimize.LinearConstraint(differ, self.least, np.inf),
                *_sums(around.sums),
                *self._as_shown(count, hidden),
            ],
        )
        if found.x is None:
            return None
        less, more, withheld = found.x.round().reshape(3, number)
        differing = np.abs(more - less) >= self.least
        return ({keys[at] for at in np.flatnonzero(withheld)},
                {keys[at] for at in np.flatnonzero(differing)})  # fmt: skip

    def _bounds(self, keys: list[Key], count: Floats, fixed: Flags) -> tuple[Floats, Floats]:
        """Return how small and how large each count can be as far as readers know."""
        reach = REACH * self.least
        least = np.array([float(one in self._positive) for one in keys])
        return np.where(fixed, count, np.maximum(count - reach, least)), np.where(
            fixed, count, count + reach
        )

    def _as_shown(self, count: Floats, hidden: Flags) -> list[optimize.LinearConstraint]:
        """Return that counts are as they are shown in both tables, unless they are withheld."""
        number, reach = len(count), REACH * self.least
        rows = np.flatnonzero(~hidden)
        one = sparse.eye_array(number, format="csr")[rows]
        none = sparse.csr_array(one.shape)
        far = reach * one
        limits = []
        for side in ([one, none], [none, one]):
            below, above = (sparse.hstack([*side, sign * far]) for sign in (1, -1))
            limits.append(optimize.LinearConstraint(below, count[rows], np.inf))
            limits.append(optimize.LinearConstraint(above, -np.inf, count[rows]))
        return limits


def _sums(sums: sparse.csr_array) -> list[optimize.LinearConstraint]:
    """Return that both tables add up."""
    none = sparse.csr_array(sums.shape)
    sides = ([sums, none, none], [none, sums, none])
    return [optimize.LinearConstraint(sparse.hstack(side), 0, 0) for side in sides]
