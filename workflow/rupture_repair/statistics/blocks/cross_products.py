"""One pass over the rows of a mixed model: products by course, and lagged ones by gap length.

The mathematics is in :mod:`rupture_repair.statistics.blocks.likelihood`.
"""

from copy import copy

import numpy as np
from scipy import sparse

from ...project.arrays import Floats, Integers


class CrossProducts:
    """What the likelihood needs of the rows: products by course, from one pass.

    Arrays over courses have the course last, so that small matrices are handled elementwise.

    Parameters
    ----------
    both : ndarray, shape (rows, s + m)
        [E, U] with E = [Z, t] and U = [X, y].
    effects : int
        s, the number of columns of E.
    order : ndarray of int, shape (rows,)
        Rows sorted by course, and by position where that is given.
    course : ndarray of int, shape (rows,)
        Of the sorted rows, from 0.
    position : ndarray of int, shape (rows,), optional
        Session numbers of the sorted rows, for autocorrelated residuals.
    """

    def __init__(
        self,
        both: Floats,
        effects: int,
        order: Integers,
        course: Integers,
        position: Integers | None = None,
    ):
        self.effects, self.courses = effects, int(course[-1]) + 1
        self.rows_of_course = np.bincount(course)
        sums = _products(both, effects, _ends(course, self.courses), [(order, order)])
        self.plain = _courses_last(sums)
        columns = both[:, effects:]
        self.total = columns.T @ columns
        self.gaps = np.empty(0, dtype=np.int64)
        if position is not None:
            self._lag(both, order, course, position)

    def _lag(self, both, order, course, position) -> None:
        """Prepare the lagged products, one set per course and gap length."""
        later = np.flatnonzero(np.diff(course) == 0) + 1
        self.gaps, which = np.unique(position[later] - position[later - 1], return_inverse=True)
        pair = course[later] * len(self.gaps) + which
        by_pair = np.argsort(pair, kind="stable")
        pairs, code = np.unique(pair[by_pair], return_inverse=True)
        ends = _ends(code, len(pairs))
        now, before = order[later[by_pair]], order[later[by_pair] - 1]
        self.summed = _products(both, self.effects, ends, [(now, now), (before, before)])
        self.lagged = _products(both, self.effects, ends, [(now, before), (before, now)])
        self.gap_of_pair = pairs % max(len(self.gaps), 1)
        self._index_pairs(pairs // max(len(self.gaps), 1), np.diff(ends))
        columns, shape = both[:, self.effects :], (len(self.gaps), *self.total.shape)
        self.summed_total, self.lagged_total = np.empty(shape), np.empty(shape)
        for index in range(len(self.gaps)):
            here = later[which == index]
            now, before = columns[order[here]], columns[order[here - 1]]
            self.summed_total[index] = now.T @ now + before.T @ before
            self.lagged_total[index] = now.T @ before + before.T @ now

    def _index_pairs(self, course_of_pair: Integers, number: Integers) -> None:
        """Note which pairs of course and gap length, sorted, are whose, and their numbers of rows.

        A gap length is the difference of the session numbers of neighbouring rows.
        """
        self.pairs_of_rows = number
        self.gap_count = np.bincount(self.gap_of_pair, number, len(self.gaps))
        self.pair_ends = _ends(course_of_pair, self.courses)
        pairs = len(course_of_pair)
        # Sums by course; the weights of the pairs depend on rho.
        self.sum_of_pairs = sparse.csr_matrix(
            (np.ones(pairs), np.arange(pairs), self.pair_ends), shape=(self.courses, pairs)
        )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.rows_of_course.sum())

    def changed(self, change: Floats) -> "CrossProducts":
        """Return the products with the columns U @ change instead of U."""
        result, s = copy(self), self.effects
        new = np.einsum("smc,mk->skc", self.plain[:, s:], change)
        result.plain = np.concatenate([self.plain[:, :s], new], axis=1)
        result.total = change.T @ self.total @ change
        if len(self.gaps):
            for name in ("summed", "lagged"):
                old = getattr(self, name)
                setattr(result, name, np.concatenate([old[..., :s], old[..., s:] @ change], axis=2))
            result.summed_total = change.T @ self.summed_total @ change
            result.lagged_total = change.T @ self.lagged_total @ change
        return result

    def drawn(self, courses: Integers, effects: int) -> "CrossProducts":
        """Return the products of a sample of courses, perhaps with repetitions.

        Parameters
        ----------
        courses : ndarray of int
        effects : int
            How many of the effects of these products are E; the others are U.
        """
        result = copy(self)
        result.effects, result.courses = effects, len(courses)
        result.rows_of_course = self.rows_of_course[courses]
        plain = self.plain[..., courses]
        result.plain, result.total = plain[:effects], plain[effects:, effects:].sum(axis=-1)
        if not len(self.gaps):
            return result
        number = np.diff(self.pair_ends)[courses]
        first = self.pair_ends[:-1][courses] - np.cumsum(number) + number
        pairs = np.repeat(first, number) + np.arange(number.sum())
        result.gap_of_pair = self.gap_of_pair[pairs]
        result._index_pairs(np.repeat(np.arange(len(courses)), number), self.pairs_of_rows[pairs])
        for name in ("summed", "lagged"):
            every = getattr(self, name)[pairs]
            totals = [
                every[result.gap_of_pair == gap, effects:, effects:].sum(axis=0)
                for gap in range(len(self.gaps))
            ]
            setattr(result, name, np.ascontiguousarray(every[:, :effects]))
            setattr(result, f"{name}_total", np.stack(totals))
        return result

    def at(self, rho: float) -> tuple[Floats, Floats, float]:
        """Return E'R^-1[E, U] by course, the sum of U'R^-1U, and log|C|."""
        if rho == 0.0 or not len(self.gaps):
            return self.plain, self.total, 0.0
        power = rho ** self.gaps.astype(float)
        remain = 1 - power**2
        products, total = self._combined(power**2 / remain, -power / remain)
        return self.plain + products, self.total + total, float(self.gap_count @ np.log(remain))

    def slope(self, rho: float, products: Floats, total: Floats) -> float:
        """Return the derivative of the deviance to rho, given those to what `at` returns."""
        power = rho ** self.gaps.astype(float)
        step, remain = self.gaps * rho ** (self.gaps - 1.0), 1 - power**2
        by_course, by_gap = self._combined(
            2 * power / remain**2 * step, -(1 + power**2) / remain**2 * step
        )
        determinant = -2 * self.gap_count @ (power / remain * step)
        return float(np.vdot(products, by_course) + np.vdot(total, by_gap) + determinant)

    def _combined(self, summed: Floats, lagged: Floats) -> tuple[Floats, Floats]:
        """Return lagged products, with a coefficient per gap length for each kind of them."""
        sums = np.zeros((self.courses, self.plain.shape[0] * self.plain.shape[1]))
        totals = np.zeros(self.total.size)
        for coefficient, kind in ((summed, "summed"), (lagged, "lagged")):
            values, every = getattr(self, kind), getattr(self, f"{kind}_total")
            weighted = copy(self.sum_of_pairs)  # shares all but the weights
            weighted.data = coefficient[self.gap_of_pair]
            sums += weighted @ values.reshape(len(values), -1)
            totals += coefficient @ every.reshape(len(every), -1)
        sums = sums.reshape(-1, *self.plain.shape[:2])
        return _courses_last(sums), totals.reshape(self.total.shape)


def _ends(code: Integers, count: int) -> Integers:
    """Return where each of a sorted code begins, and where the last one ends."""
    return np.append(0, np.cumsum(np.bincount(code, minlength=count)))


def _courses_last(products: Floats) -> Floats:
    return np.ascontiguousarray(np.moveaxis(products, 0, -1))


def _products(both: Floats, effects: int, ends: Integers, pairs_of_rows: list) -> Floats:
    """Return sums by segment of E'[E, U] over pairs of rows, shape (segments, s, s + m)."""
    result = np.zeros((len(ends) - 1, effects, both.shape[1]))
    shape = (len(ends) - 1, len(both))
    for left, right in pairs_of_rows:
        for place in range(effects):
            weighted = sparse.csr_matrix((both[left, place], right, ends), shape=shape)
            result[:, place] += weighted @ both
    return result
