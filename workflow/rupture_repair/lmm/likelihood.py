r"""Linear mixed models for sessions in courses in therapists, by blocks.

The model of course :math:`i`, its sessions stacked, is

.. math:: y_i = X_i\beta + Z_i b_i + t_i u_{h(i)} + e_i,\quad b_i\sim N(0,\sigma^2 D),\quad
          u_h\sim N(0,\sigma^2\tau^2),\quad e_i\sim N(0,\sigma^2 R_i),

with :math:`h(i)` the course's therapist, :math:`t_i` a column of ones, and
:math:`R_i=W_i^{-1/2}C_i W_i^{-1/2}` for observation weights :math:`W` and the correlation
:math:`C_{jk}=\rho^{|s_j-s_k|}` of session numbers :math:`s` (without `ar1` :math:`C=I`).

*One pass over the rows.* With :math:`E=[Z,t]` and :math:`U=[X,y]` the likelihood needs only each
course's :math:`E_i'R_i^{-1}E_i` and :math:`E_i'R_i^{-1}U_i`, and the sum of
:math:`U_i'R_i^{-1}U_i`. :math:`C_i^{-1}` is tridiagonal: over pairs of neighbouring rows with gap
:math:`d` each product is

.. math:: \sum_j e_ju_j' + \sum_d \tfrac{\rho^{2d}}{1-\rho^{2d}}\sum_{j\in d}
          (e_ju_j'+e_{j-1}u_{j-1}') - \tfrac{\rho^{d}}{1-\rho^{2d}}\sum_{j\in d}
          (e_ju_{j-1}'+e_{j-1}u_j'),

so that lagged products per gap length are enough for every :math:`\rho`.

*Courses.* With :math:`K_i=Z_i'R_i^{-1}Z_i`, :math:`D=\Lambda\Lambda'`,
:math:`M_i=I+\Lambda'K_i\Lambda` and :math:`P_i=\Lambda M_i^{-1}\Lambda'` (Woodbury), integrating
the course effects out turns any product :math:`A'R^{-1}B` into
:math:`A'R^{-1}B-A'R^{-1}ZPZ'R^{-1}B` and adds :math:`\log|M_i|` to the deviance. Courses with the
same sessions share :math:`K_i` and so :math:`P_i`; their :math:`Z_i'R_i^{-1}U_i` enter by second
moments only and collapse to at most as many pseudo-courses as these have entries (a QR
decomposition).

*Therapists.* With :math:`a_h=\sum t_i'V_i^{-1}t_i` and :math:`v_h=\sum t_i'V_i^{-1}U_i`, each
therapist is a rank-one change: :math:`S=U'V^{-1}U-\sum_h \kappa_hv_h'v_h`,
:math:`\kappa_h=\tau^2/(1+\tau^2a_h)`, and :math:`\log(1+\tau^2a_h)` in the deviance.

*Profiling.* From :math:`S` follow :math:`\hat\beta=S_{XX}^{-1}S_{Xy}`,
:math:`r=S_{yy}-S_{yX}\hat\beta`, and, with :math:`m=n-p` (REML) or :math:`n` (ML),

.. math:: -2\ell=\log|C|-\log|W|+\sum\log|M_i|+\sum\log(1+\tau^2a_h)
          +[\log|S_{XX}|]_{REML}+m\,(1+\log(2\pi r/m)).

*Gradient.* The derivative to :math:`S` is
:math:`\Gamma=[S_{XX}^{-1}]_{REML}+(m/r)\eta\eta'`, :math:`\eta=(-\hat\beta,1)`; everything else
is the chain rule backwards through the steps above, with
:math:`dP=(I-PK)\,dD\,(I-KP)-P\,dK\,P` and
:math:`d\log|M|=\mathrm{tr}((I-KP)K\,dD)+\mathrm{tr}(P\,dK)`.

*Search.* BFGS over the unbounded factor :math:`\Lambda` (and :math:`\tau`, and the inverse
hyperbolic tangent of :math:`\rho`), then Newton steps with a Hessian from central differences of
the gradient. Where a variance is zero the gradient to its factor vanishes whether that is the
optimum or not. So at a stop with :math:`D` of lower rank the derivative to :math:`D` itself is
looked at (Karush-Kuhn-Tucker): if it is negative in a direction that leads out of the boundary,
the search goes on there; otherwise the fit is singular. Columns are standardised first, and
results
brought back exactly.

*Degrees of freedom* are Satterthwaite's: :math:`2(c'Vc)^2/g'Ag` with :math:`A` twice the inverse
Hessian of the deviance in :math:`(\Lambda,\tau,\rho,\sigma)` and :math:`g` the gradient of
:math:`c'Vc` in these.

Sources: Bates, Maechler, Bolker & Walker (2015), doi 10.18637/jss.v067.i01 (profiled criterion);
Pinheiro & Bates (2000) (autocorrelated residuals); Kuznetsova, Brockhoff & Christensen (2017), doi
10.18637/jss.v082.i13 (degrees of freedom).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..design import Floats
from .products import CrossProducts


class Value(NamedTuple):
    """The deviance at a point, and what follows from it."""

    deviance: float
    gradient: Floats  # to the parameters
    slope: Floats  # to D, shape (q, q)
    slope_upper: float  # to tau^2
    precision: Floats  # S_XX
    estimate: Floats
    rest: float  # r


class _Parts(NamedTuple):
    """Products by pattern of sessions, as the deviance uses them (see :class:`Likelihood`)."""

    inner: Floats  # K, shape (q, q, patterns)
    number: Floats  # courses of each pattern
    moments: Floats  # Z'R^-1U of (pseudo-)courses, shape (q, m, number)
    place: NDArray[np.intp] | None  # their pattern; None: each course is its own
    total: Floats  # sum of U'R^-1U
    determinant: float  # log|C|
    across: "_Across | None"  # where there are therapists


class _Across(NamedTuple):
    """Products that cross from courses to their therapist."""

    column: Floats  # Z'R^-1t by pattern, shape (q, patterns)
    beside: Floats  # Z'R^-1[U, t] summed by cell of pattern and therapist, shape (q, m + 1, cells)
    pattern: NDArray[np.intp]  # of each cell
    upper: NDArray[np.intp]  # of each cell, sorted
    starts: NDArray[np.intp]  # first cell of each therapist
    own: Floats  # t'R^-1[U, t] by therapist, shape (m + 1, therapists)


class Likelihood:
    r"""Deviance (-2 log-likelihood) with exact gradient, profiled over beta and sigma.

    The parameters are the free entries of :math:`\Lambda`, row by row, then :math:`\tau` where
    there are therapists, then the inverse hyperbolic tangent of rho where residuals are
    autocorrelated.

    Parameters
    ----------
    products : CrossProducts
    free : ndarray of bool, shape (q, q)
        Entries of :math:`\Lambda` that are free: the lower triangle of each correlated block.
    upper : ndarray of int, shape (courses,), optional
        Therapist of each course, from 0, sorted; the last of the effects is then t.
    rows, fixed : int
        Numbers of rows and of columns of X.
    reml : bool
    """

    def __init__(
        self,
        products: CrossProducts,
        free: NDArray[np.bool_],
        upper: NDArray[np.intp] | None,
        rows: int,
        fixed: int,
        reml: bool,
    ):
        self.products, self.free, self.upper, self.reml = products, free, upper, reml
        self.size, self.fixed = len(free), fixed
        self.entries = np.nonzero(free)
        self.autocorrelated = bool(len(products.gaps))
        self.divisor = rows - fixed if reml else rows
        self.parameters = len(self.entries[0]) + (upper is not None) + self.autocorrelated
        self._fixed_parts = None if self.autocorrelated else self._parts(0.0)

    def split(self, point: Floats) -> tuple[Floats, float, float]:
        """Return the factor of D, tau, and rho."""
        factor = np.zeros((self.size, self.size))
        factor[self.entries] = point[: len(self.entries[0])]
        tau = 0.0 if self.upper is None else float(point[len(self.entries[0])])
        return factor, tau, float(np.tanh(point[-1])) if self.autocorrelated else 0.0

    def _parts(self, rho: float) -> _Parts:
        products, total, determinant = self.products.at(rho)
        q, s, collapse = self.size, self.products.effects, not self.autocorrelated
        number = products.shape[-1]
        pattern = first = np.arange(number)
        inner, moments, place = products[:q, :q], products[:q, s:], None
        count = np.ones(number)
        if collapse:
            pattern, first, count = _patterns(products[:, :s])
            inner, moments, place = inner[..., first], *_collapsed(moments, pattern)
        across = None
        if self.upper is not None:
            across = self._across(products, self.upper, pattern, first)
        return _Parts(inner, count, moments, place, total, determinant, across)

    def _across(
        self,
        products: Floats,
        upper: NDArray[np.intp],
        pattern: NDArray[np.intp],
        first: NDArray[np.intp],
    ) -> "_Across":
        q, s = self.size, self.products.effects
        number, uppers = products.shape[-1], int(upper[-1]) + 1
        beside = np.concatenate([products[:q, s:], products[:q, q : q + 1]], axis=1)
        own = np.concatenate([products[q, s:], products[q, q : q + 1]])
        own = np.add.reduceat(own, np.searchsorted(upper, np.arange(uppers)), axis=1)
        if not self.autocorrelated:
            patterns = len(first)
            cells, cell = np.unique(upper * patterns + pattern, return_inverse=True)
            beside = _sums(beside.reshape(-1, number), cell, len(cells)).reshape(q, -1, len(cells))
            upper, pattern = np.divmod(cells, patterns)
        starts = np.searchsorted(upper, np.arange(uppers))
        return _Across(products[:q, q][:, first], beside, pattern, upper, starts, own)

    def value(self, point: Floats, variance: float | None = None) -> Value:
        """Return the deviance and its derivatives.

        Parameters
        ----------
        point : ndarray, shape (parameters,)
        variance : float, optional
            Residual variance; by default the one that maximises the likelihood.
        """
        factor, tau, rho = self.split(point)
        parts = self._fixed_parts or self._parts(rho)
        identity = np.eye(self.size)[..., None]
        inverse, determinants = inverses(_congruence(factor.T, parts.inner) + identity)
        shrink = _congruence(factor, inverse)  # P
        placed = shrink if parts.place is None else shrink[..., parts.place]
        shrunk = multiply(placed, parts.moments)  # P Z'R^-1U
        total = parts.total - (shrunk @ parts.moments.swapaxes(1, 2)).sum(axis=0)
        deviance = parts.determinant + float(parts.number @ determinants)
        therapists = None
        if parts.across is not None:
            therapists = _therapists(parts.across, shrink, tau)
            total = total - (therapists.share * therapists.own) @ therapists.own.T
            deviance += float(np.log(therapists.grown).sum())
        ends = self._profile(total, variance)
        if ends is None:
            nowhere = np.full(self.parameters, np.nan)
            return Value(np.inf, nowhere, factor, np.nan, total, nowhere, np.nan)
        # Backwards from here on; `outer` is the derivative to S.
        added, outer, precision, estimate, rest = ends
        moved = outer @ parts.moments
        to_shrink = -_summed(np.einsum("amJ,bmJ->abJ", moved, parts.moments), parts)
        to_upper, back = 0.0, None
        if parts.across is not None and therapists is not None:
            to_upper, back = _therapists_backwards(parts.across, therapists, outer, shrink)
            both = parts.across.column[:, None] * back.met
            to_shrink -= (both + both.swapaxes(0, 1)) / 2
        kept = identity - multiply(parts.inner, shrink)  # I - KP
        to_spread = multiply(multiply(kept, to_shrink), kept.swapaxes(0, 1)).sum(axis=-1)
        to_spread += multiply(kept, parts.inner) @ parts.number
        gradient = np.empty(self.parameters)
        gradient[: len(self.entries[0])] = 2 * (to_spread @ factor)[self.entries]
        if back is not None:
            gradient[len(self.entries[0])] = 2 * tau * to_upper
        if self.autocorrelated:
            slopes = self._product_slopes(parts, shrink, to_shrink, moved, back)
            gradient[-1] = self.products.slope(rho, slopes, outer) * (1 - rho**2)
        return Value(deviance + added, gradient, to_spread, to_upper, precision, estimate, rest)

    def _profile(self, total: Floats, variance: float | None):
        """Profile out beta and sigma: what they add, the derivative to S, S_XX, beta, r."""
        p = self.fixed
        precision, cross = total[:p, :p], total[:p, p]
        try:
            root = np.linalg.cholesky(precision)
        except np.linalg.LinAlgError:
            return None
        inverse = np.linalg.inv(root)
        inverse = inverse.T @ inverse
        estimate = inverse @ cross
        rest = float(total[p, p] - cross @ estimate)
        if not rest > 0:
            return None
        variance = rest / self.divisor if variance is None else variance
        contrast = np.append(-estimate, 1.0)
        outer = np.outer(contrast, contrast) / variance
        added = self.divisor * np.log(2 * np.pi * variance) + rest / variance
        if self.reml:
            outer[:p, :p] += inverse
            added += 2 * float(np.log(np.diag(root)).sum())
        return added, outer, precision, estimate, rest

    def _product_slopes(
        self, parts: _Parts, shrink: Floats, to_shrink: Floats, moved: Floats, back: "_Back | None"
    ) -> Floats:
        """Return the derivatives to each course's E'R^-1[E, U] (every course its own pattern)."""
        q, s = self.size, self.products.effects
        slopes = np.zeros_like(self.products.plain)
        slopes[:q, :q] = shrink - multiply(multiply(shrink, to_shrink), shrink)
        slopes[:q, s:] = -2 * multiply(shrink, moved)
        if back is not None and self.upper is not None:
            by_course = back.weights[:, self.upper]
            slopes[:q, s:] -= back.across[:, None] * by_course[:-1]
            slopes[:q, q] = -multiply(shrink, back.met[:, None])[:, 0]
            slopes[:q, q] -= back.across * by_course[-1]
            slopes[q, s:], slopes[q, q] = by_course[:-1], by_course[-1]
        return slopes


class _Therapists(NamedTuple):
    """What therapists add on the way forwards."""

    across: Floats  # t'R^-1Z P by pattern, shape (q, patterns)
    own: Floats  # v, shape (m, therapists)
    level: Floats  # a
    grown: Floats  # 1 + tau^2 a
    share: Floats  # kappa


class _Back(NamedTuple):
    """Derivatives on the way backwards through the therapists."""

    across: Floats
    weights: Floats  # to v and, last, to a, shape (m + 1, therapists)
    met: Floats  # to t'R^-1Z P, negative, shape (q, patterns)


def _therapists(across: _Across, shrink: Floats, tau: float) -> _Therapists:
    reached = multiply(across.column[None], shrink)[0]
    sums = multiply(reached[None, :, across.pattern], across.beside)[0]
    own = across.own - np.add.reduceat(sums, across.starts, axis=1)
    grown = 1 + tau**2 * own[-1]
    return _Therapists(reached, own[:-1], own[-1], grown, tau**2 / grown)


def _therapists_backwards(
    across: _Across, forwards: _Therapists, outer: Floats, shrink: Floats
) -> tuple[float, _Back]:
    """Return the derivative to tau^2, and those that go on to the courses."""
    share, grown = forwards.share, forwards.grown
    pushed = outer @ forwards.own
    squares = (forwards.own * pushed).sum(axis=0)
    to_upper = float((forwards.level / grown - squares / grown**2).sum())
    weights = np.vstack([-2 * share * pushed, share + share**2 * squares])
    met = (across.beside * weights[:, across.upper]).sum(axis=1)
    met = _sums(met, across.pattern, shrink.shape[-1])
    return to_upper, _Back(forwards.across, weights, met)


def _sums(values: Floats, code: NDArray[np.intp], count: int) -> Floats:
    """Return the sums by code of each row of a matrix."""
    return np.stack([np.bincount(code, row, count) for row in values])


def _summed(values: Floats, parts: _Parts) -> Floats:
    """Return sums by pattern of values of (pseudo-)courses, shape (q, q, number)."""
    if parts.place is None:
        return values
    flat = _sums(values.reshape(-1, values.shape[-1]), parts.place, parts.inner.shape[-1])
    return flat.reshape(*values.shape[:2], -1)


def _congruence(left: Floats, middle: Floats) -> Floats:
    """Return left @ middle[..., g] @ left' for every g."""
    half = (left @ middle.reshape(len(left), -1)).reshape(middle.shape)
    return np.matmul(left, half)


def multiply(left: Floats, right: Floats) -> Floats:
    """Return left[..., g] @ right[..., g] for every g."""
    result = left[:, 0, None] * right[0]
    for place in range(1, len(right)):
        result += left[:, place, None] * right[place]
    return result


def inverses(matrices: Floats) -> tuple[Floats, Floats]:
    """Return inverses and log-determinants of positive definite matrices, shape (q, q, number)."""
    result = matrices.copy()
    determinants = np.zeros(matrices.shape[-1])
    for place in range(len(result)):
        pivot = result[place, place].copy()
        determinants += np.log(pivot)
        row, column = result[place] / pivot, result[:, place].copy()
        row[place] = 1 / pivot
        result[:, place] = 0.0
        result -= column[:, None] * row
        result[place] = row
    return result, determinants


def _patterns(inner: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return the pattern of each course, the first course of each, and their numbers.

    Courses are of one pattern if their products are equal to the last digit.
    """
    flat = inner.reshape(-1, inner.shape[-1])
    mixed = np.sqrt(np.arange(2.0, 2.0 + len(flat))) @ flat  # differs where products differ
    _, first, pattern, count = np.unique(
        mixed, return_index=True, return_inverse=True, return_counts=True
    )
    if np.array_equal(flat[:, first[pattern]], flat):
        return pattern, first, count.astype(float)
    return np.arange(flat.shape[-1]), np.arange(flat.shape[-1]), np.ones(flat.shape[-1])


def _collapsed(moments: Floats, pattern: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """Return as few pseudo-courses with the same second moments as each pattern needs."""
    q, m, number = moments.shape
    order = np.argsort(pattern, kind="stable")
    flat, place = moments.reshape(q * m, number).T[order], pattern[order]
    ends = np.cumsum(np.bincount(pattern))
    large = np.flatnonzero(np.diff(ends, prepend=0) > 2 * q * m)
    if not len(large):
        return moments, pattern
    keep = ~np.isin(place, large)
    rows, places = [flat[keep]], [place[keep]]
    for one in large:
        start = ends[one - 1] if one else 0
        rows.append(np.asarray(np.linalg.qr(flat[start : ends[one]], mode="r")))
        places.append(np.full(len(rows[-1]), one))
    order = np.argsort(np.concatenate(places), kind="stable")
    flat = np.vstack(rows)[order]
    return np.ascontiguousarray(flat.T).reshape(q, m, -1), np.concatenate(places)[order]
