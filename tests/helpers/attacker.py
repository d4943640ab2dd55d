"""What a reader can work out: bounds of counts from what pages print, by integer programming.

Nothing of the library's own protection is used: counts, links and what is known of hidden counts
are stated here anew.
"""

from collections import defaultdict

import numpy as np
from scipy import optimize, sparse

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
            assert self.low[at] <= count <= self.high[at], f"{name}: pages contradict each other"
            self.low[at] = self.high[at] = float(count)

    def at_least(self, name, count):
        at = self._at(name)
        self.low[at] = max(self.low[at], float(count))

    def limit(self, sums, low, high):
        """A sum of counts, {name: factor}, lies between two numbers."""
        row = defaultdict(float)
        for name, factor in sums.items():
            row[self._at(name)] += factor
        self.rows.append(row)
        self.limits.append((low, high))

    def link(self, whole, parts, rest=True):
        """The parts do not overlap and lie in the whole; without `rest` they are all of it."""
        sums = defaultdict(float, {whole: -1.0})
        for part in parts:
            sums[part] += 1.0
        self.limit(sums, -np.inf if rest else 0.0, 0.0)

    def share(self, part, whole, printed, half):
        """A printed share of a whole, which is a sum of counts, is exact to `half`."""
        if printed is None or np.isnan(printed):
            return
        for sign, share in ((1.0, printed + half), (-1.0, printed - half)):
            sums = defaultdict(float, {part: sign})
            for one in whole:
                sums[one] -= sign * share
            self.limit(sums, -np.inf, 1e-9)

    def _around(self, names):
        """Return the counts that hang together with some, through counts that are not known."""
        rows_of = defaultdict(list)
        for number, row in enumerate(self.rows):
            for at in row:
                rows_of[at].append(number)
        seen, waiting, rows = set(names), list(names), set()
        while waiting:
            for number in rows_of[waiting.pop()]:
                if number in rows:
                    continue
                rows.add(number)
                for one in set(self.rows[number]) - seen:
                    seen.add(one)
                    if self.low[one] < self.high[one]:
                        waiting.append(one)
        return sorted(seen), sorted(rows)

    def bounds(self, sums):
        """Smallest and largest value of a sum of counts: {name: factor}."""
        asked = {self._at(name): factor for name, factor in sums.items()}
        columns, rows = self._around(asked)
        column = {at: new for new, at in enumerate(columns)}
        cost = np.array([asked.get(at, 0.0) for at in columns])
        low, high = (np.array(side)[columns] for side in (self.low, self.high))
        cells = [(new, column[at], factor) for new, number in enumerate(rows)
                 for at, factor in self.rows[number].items()]  # fmt: skip
        limits = []
        if cells:
            at, of, factor = zip(*cells, strict=True)
            matrix = sparse.coo_array((factor, (at, of)), (len(rows), len(columns))).tocsr()
            least, most = zip(*(self.limits[number] for number in rows), strict=True)
            limits = [optimize.LinearConstraint(matrix, least, most)]
        ends = []
        for sign in (1, -1):
            found = optimize.milp(
                sign * cost, integrality=np.ones(len(columns)),
                bounds=optimize.Bounds(low, high), constraints=limits,
            )  # fmt: skip
            assert found.status == 0, f"{sums}: {found.message}"
            ends.append(round(sign * found.fun))
        return tuple(ends)
