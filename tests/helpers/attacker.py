"""What a reader can work out: bounds of counts from what pages print, by linear programming.

Nothing of the library's own protection is used: counts, links and what is known of hidden counts
are stated here anew.
"""

import numpy as np
from scipy import optimize

#: No count of a small dataset is larger.
MOST = 10_000


class Attacker:
    """Counts that a reader knows, and how they hang together."""

    def __init__(self):
        self.place, self.rows, self.limits = {}, [], []
        self.low, self.high = [], []

    def _at(self, name):
        if name not in self.place:
            self.place[name] = len(self.low)
            self.low.append(0.0)
            self.high.append(float(MOST))
        return self.place[name]

    def know(self, name, count):
        """Read a printed count, None or NaN where it is withheld."""
        at = self._at(name)
        if count is not None and not np.isnan(count):
            self.low[at] = self.high[at] = float(count)

    def at_least(self, name, count):
        at = self._at(name)
        self.low[at] = max(self.low[at], float(count))

    def link(self, whole, parts, rest=True):
        """The parts do not overlap and lie in the whole; without `rest` they are all of it."""
        row = {self._at(whole): -1.0}
        for part in parts:
            row[self._at(part)] = row.get(self._at(part), 0.0) + 1.0
        self.rows.append(row)
        self.limits.append((-np.inf if rest else 0.0, 0.0))

    def bounds(self, sums):
        """Smallest and largest value of a sum of counts: {name: factor}."""
        cost = np.zeros(len(self.low))
        for name, factor in sums.items():
            cost[self._at(name)] += factor
        matrix = np.zeros((len(self.rows), len(self.low)))
        for at, row in enumerate(self.rows):
            for column, value in row.items():
                matrix[at, column] = value
        low, high = (np.array(side) for side in zip(*self.limits, strict=True))
        equal = low == high
        ends = []
        for sign in (1, -1):
            found = optimize.linprog(
                sign * cost,
                A_ub=matrix[~equal], b_ub=high[~equal], A_eq=matrix[equal], b_eq=high[equal],
                bounds=list(zip(self.low, self.high, strict=True)),
            )  # fmt: skip
            assert found.status == 0, found.message
            ends.append(sign * found.fun)
        # Counts are whole.
        return np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)
