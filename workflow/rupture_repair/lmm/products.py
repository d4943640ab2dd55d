"""One pass over the rows of a mixed model: products by course, and lagged ones by gap length.

The mathematics is in :mod:`rupture_repair.lmm.likelihood`.
"""

from copy import copy

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..design import Floats


class CrossProducts:
    """What the likelihood needs of the rows: products by course, from one pass.

    Arrays over courses have the course last, so that small matrices are handled elementwise.

    Parameters
    ----------
    effects : ndarray, shape (rows, s)
        E = [Z, t]; rows sorted by course, and by position where that is given.
    columns : ndarray, shape (rows, m)
        U = [X, y].
    course : ndarray of int, shape (rows,)
        Sorted, from 0.
    position : ndarray of int, shape (rows,), optional
        Session numbers for autocorrelated residuals.
    """

    def __init__(
        self,
        effects: Floats,
        columns: Floats,
        course: NDArray[np.intp],
        position: NDArray[np.int64] | None = None,
    ):
        self.effects, self.courses = effects.shape[1], int(course[-1]) + 1
        self.rows_of_course = np.bincount(course)
        both = np.hstack([effects, columns])
        self.plain = _products(effects, both, segments(course, self.courses), [(0, 0)])
        self.total = columns.T @ columns
        self.gaps = np.empty(0, dtype=np.int64)
        if position is not None:
            self._lag(effects, both, course, position)

    def _lag(self, effects, both, course, position) -> None:
        """Prepare the lagged products, one set per course and gap length."""
        later = np.flatnonzero(np.diff(course) == 0) + 1
        self.gaps, which = np.unique(position[later] - position[later - 1], return_inverse=True)
        pair = course[later] * len(self.gaps) + which
        order = np.argsort(pair, kind="stable")
        pairs, code = np.unique(pair[order], return_inverse=True)
        by_pair, rows = segments(code, len(pairs)), later[order]
        self.summed = _products(effects, both, by_pair, [(rows, rows), (rows - 1, rows - 1)])
        self.lagged = _products(effects, both, by_pair, [(rows, rows - 1), (rows - 1, rows)])
        self.gap_of_pair = pairs % max(len(self.gaps), 1)
        self._index_pairs(pairs // max(len(self.gaps), 1), np.bincount(code))
        columns, shape = both[:, self.effects :], (len(self.gaps), *self.total.shape)
        self.summed_total, self.lagged_total = np.empty(shape), np.empty(shape)
        for index in range(len(self.gaps)):
            here = later[which == index]
            now, before = columns[here], columns[here - 1]
            self.summed_total[index] = now.T @ now + before.T @ before
            self.lagged_total[index] = now.T @ before + before.T @ now

    def _index_pairs(self, course_of_pair: NDArray[np.intp], number: NDArray[np.intp]) -> None:
        """Note which courses have which pairs of gap length and course, sorted by course."""
        self.course_of_pair, self.pairs_of_rows = course_of_pair, number
        self.gap_count = np.bincount(self.gap_of_pair, number, len(self.gaps))
        self.with_pairs, self.first_pair = np.unique(course_of_pair, return_index=True)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.rows_of_course.sum())

    def changed(self, change: Floats) -> "CrossProducts":
        """Return the products with the columns U @ change instead of U."""
        result, s = copy(self), self.effects
        names = ["plain", *(["summed", "lagged"] if len(self.gaps) else [])]
        for name in names:
            old = getattr(self, name)
            new = np.einsum("smc,mk->skc", old[:, s:], change)
            setattr(result, name, np.concatenate([old[:, :s], new], axis=1))
        result.total = change.T @ self.total @ change
        if len(self.gaps):
            result.summed_total = change.T @ self.summed_total @ change
            result.lagged_total = change.T @ self.lagged_total @ change
        return result

    def drawn(self, courses: NDArray[np.intp], effects: int) -> "CrossProducts":
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
        sizes = np.bincount(self.course_of_pair, minlength=self.courses)
        first, number = (np.cumsum(sizes) - sizes)[courses], sizes[courses]
        pairs = np.repeat(first - np.cumsum(number) + number, number) + np.arange(number.sum())
        result.gap_of_pair = self.gap_of_pair[pairs]
        result._index_pairs(np.repeat(np.arange(len(courses)), number), self.pairs_of_rows[pairs])
        for name in ("summed", "lagged"):
            every = getattr(self, name)[..., pairs]
            totals = [
                every[effects:, effects:, result.gap_of_pair == gap].sum(axis=-1)
                for gap in range(len(self.gaps))
            ]
            setattr(result, name, every[:effects])
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
        pairs = summed[self.gap_of_pair] * self.summed + lagged[self.gap_of_pair] * self.lagged
        if len(self.first_pair) < pairs.shape[-1] or len(self.first_pair) < self.courses:
            sums = np.zeros_like(self.plain)
            sums[..., self.with_pairs] = np.add.reduceat(pairs, self.first_pair, axis=-1)
            pairs = sums
        totals = np.tensordot(summed, self.summed_total, 1)
        totals += np.tensordot(lagged, self.lagged_total, 1)
        return pairs, totals


def segments(code: NDArray[np.intp], count: int) -> sparse.csr_matrix:
    """Return the matrix that sums rows by a sorted code."""
    ends = np.searchsorted(code, np.arange(count + 1))
    values, rows = np.ones(len(code)), np.arange(len(code))
    return sparse.csr_matrix((values, rows, ends), shape=(count, len(code)))


def _products(
    effects: Floats, both: Floats, segments: sparse.csr_matrix, pairs_of_rows: list
) -> Floats:
    """Return sums by segment of E'[E, U], shape (s, s + m, segments); (0, 0) means all rows."""
    result = np.zeros((effects.shape[1], both.shape[1], segments.shape[0]))
    for left, right in pairs_of_rows:
        every = isinstance(left, int)
        for place, effect in enumerate(effects.T):
            values = np.ascontiguousarray(effect if every else effect[left])
            weighted = sparse.csr_matrix(
                (values, segments.indices, segments.indptr), shape=segments.shape
            )
            result[place] += (weighted @ (both if every else both[right])).T
    return result
