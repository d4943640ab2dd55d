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
same sessions share :math:`K_i` and so :math:`P_i`; as their :math:`Z_i'R_i^{-1}U_i` enter by second
moments only, sums of these by pattern of sessions are enough.

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

*Search.* L-BFGS-B over the unbounded factor :math:`\Lambda` (and :math:`\tau`, and the inverse
hyperbolic tangent of :math:`\rho`), then Newton steps with a Hessian from central differences of
the gradient. Where a variance is zero the gradient to its factor vanishes whether that is the
optimum or not. So at a stop with :math:`D` of lower rank the derivative to :math:`D` itself is
looked at (Karush-Kuhn-Tucker): if it is negative in a direction that leads out of the boundary,
the search goes on there; otherwise the fit is singular. Columns are standardised first, and
results brought back exactly.

*Degrees of freedom* are Satterthwaite's: :math:`2(c'Vc)^2/g'Ag` with :math:`A` twice the inverse
Hessian of the deviance in :math:`(\Lambda,\tau,\rho,\sigma)` and :math:`g` the gradient of
:math:`c'Vc` in these.

Sources: Bates, Maechler, Bolker & Walker (2015), doi 10.18637/jss.v067.i01 (profiled criterion);
Pinheiro & Bates (2000) (autocorrelated residuals); Kuznetsova, Brockhoff & Christensen (2017), doi
10.18637/jss.v082.i13 (degrees of freedom).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ...project.arrays import Flags, Floats, Integers
from .cross_products import CrossProducts


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
    moments: Floats  # Z'R^-1U, shape (q, m, patterns): only where each course is its own pattern
    squares: Floats | None  # else sums of their second moments, see `_second_moments`
    total: Floats  # sum of U'R^-1U
    determinant: float  # log|C|
    across: "_Across | None"  # where there are therapists


class _Across(NamedTuple):
    """Products that cross from courses to their therapist."""

    column: Floats  # Z'R^-1t by pattern, shape (q, patterns)
    beside: Floats  # Z'R^-1[U, t] by course, shape (q, m + 1, courses)
    own: Floats  # t'R^-1[U, t] by therapist, shape (m + 1, therapists)
    upper: Integers  # therapist of each course
    first: Integers  # first course of each therapist
    pattern: Integers | None  # of each course, unless each has its own


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
        free: Flags,
        upper: Integers | None,
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
        q, s = self.size, self.products.effects
        inner, moments = products[:q, :q], products[:q, s:]
        column, pattern, squares = products[:q, q:s], None, None
        count = np.ones(products.shape[-1])
        if not self.autocorrelated:
            found = _patterns(products[:, :s])
            if _collapse(moments.shape, len(found[1])):
                pattern, first, count = found
                inner, column = inner[..., first], column[..., first]
                squares = _second_moments(moments, pattern, len(first))
        across = None
        if self.upper is not None:
            across = self._across(products, self.upper, column[:, 0], pattern)
        return _Parts(inner, count, moments, squares, total, determinant, across)

    def _across(
        self,
        products: Floats,
        upper: Integers,
        column: Floats,
        pattern: Integers | None,
    ) -> "_Across":
        q, s = self.size, self.products.effects
        starts = np.flatnonzero(np.diff(upper, prepend=-1))
        own = np.concatenate([products[q, s:], products[q, q : q + 1]])
        own = np.add.reduceat(own, starts, axis=1)
        beside = np.concatenate([products[:q, s:], products[:q, q : q + 1]], axis=1)
        return _Across(column, beside, own, upper, starts, pattern)

    def value(self, point: Floats, variance: float | None = None) -> Value:
        """Return the deviance and its derivatives.

        Parameters
        ----------
        point : ndarray, shape (parameters,)
        variance : float, optional
            Residual variance; by default the one that maximises the likelihood.
        """
        factor, tau, rho = self.split(point)
        if not abs(rho) < 1 - 1e-9 or not np.abs(point).max(initial=0.0) < 1e8:
            return self._nowhere()
        parts = self._fixed_parts or self._parts(rho)
        identity = np.eye(self.size)[..., None]
        inverse, determinants = inverses(_congruence(factor.T, parts.inner) + identity)
        shrink = _congruence(factor, inverse)  # P
        total = parts.total - _courses(parts, shrink)
        deviance = parts.determinant + float(parts.number @ determinants)
        therapists = None
        if parts.across is not None:
            therapists = _therapists(parts.across, shrink, tau)
            total = total - (therapists.share * therapists.own) @ therapists.own.T
            deviance += float(np.log(therapists.grown).sum())
        ends = self._profile(total, variance)
        if ends is None:
            return self._nowhere()
        # Backwards from here on; `outer` is the derivative to S.
        added, outer, precision, estimate, rest = ends
        to_shrink = -_courses_backwards(parts, outer)
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
            slopes = self._product_slopes(parts, shrink, to_shrink, outer, back)
            gradient[-1] = self.products.slope(rho, slopes, outer) * (1 - rho**2)
        return Value(deviance + added, gradient, to_spread, to_upper, precision, estimate, rest)

    def _nowhere(self) -> Value:
        """Return the value of a point at which there is no likelihood."""
        unknown = np.full((self.size, self.size), np.nan)
        gradient, estimate = np.full(self.parameters, np.nan), np.full(self.fixed, np.nan)
        precision = np.full((self.fixed, self.fixed), np.nan)
        return Value(np.inf, gradient, unknown, np.nan, precision, estimate, np.nan)

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
        self, parts: _Parts, shrink: Floats, to_shrink: Floats, outer: Floats, back: "_Back | None"
    ) -> Floats:
        """Return the derivatives to each course's E'R^-1[E, U] (every course its own pattern)."""
        q, s = self.size, self.products.effects
        slopes = np.zeros_like(self.products.plain)
        slopes[:q, :q] = shrink - multiply(multiply(shrink, to_shrink), shrink)
        slopes[:q, s:] = -2 * multiply(shrink, outer @ parts.moments)
        if back is not None and self.upper is not None:
            by_course = back.weights[:, self.upper]
            slopes[:q, s:] -= back.across[:, None] * by_course[:-1]
            slopes[:q, q] = -multiply(shrink, back.met[:, None])[:, 0]
            slopes[:q, q] -= back.across * by_course[-1]
            slopes[q, s:], slopes[q, q] = by_course[:-1], by_course[-1]
        return slopes


def _courses(parts: _Parts, shrink: Floats) -> Floats:
    """Return the sum over courses of U'R^-1Z P Z'R^-1U."""
    if parts.squares is None:
        shrunk = multiply(shrink, parts.moments)
        return (shrunk @ parts.moments.swapaxes(1, 2)).sum(axis=0)
    first, second = _pairs(len(shrink))
    sums = parts.squares @ shrink[first, second].ravel()
    m = parts.moments.shape[1]
    result = np.empty((m, m))
    one, other = _pairs(m)
    result[one, other] = result[other, one] = sums
    return result


def _courses_backwards(parts: _Parts, outer: Floats) -> Floats:
    """Return the derivative to P, given that to what `_courses` returns; shape (q, q, patterns)."""
    if parts.squares is None:
        return np.einsum("amg,bmg->abg", outer @ parts.moments, parts.moments)
    one, other = _pairs(len(outer))
    sums = (outer[one, other] * np.where(one == other, 1.0, 2.0)) @ parts.squares
    result = np.empty_like(parts.inner)
    first, second = _pairs(len(result))
    sums = sums.reshape(len(first), -1) * np.where(first == second, 1.0, 0.5)[:, None]
    result[first, second] = result[second, first] = sums
    return result


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
    of_course = reached if across.pattern is None else reached[:, across.pattern]
    taken = np.einsum("qmc,qc->mc", across.beside, of_course)
    own = across.own - np.add.reduceat(taken, across.first, axis=1)
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
    met = np.einsum("mc,qmc->qc", weights[:, across.upper], across.beside)
    if across.pattern is not None:
        number = shrink.shape[-1]
        met = np.stack([np.bincount(across.pattern, one, number) for one in met])
    return to_upper, _Back(forwards.across, weights, met)


@cache
def _pairs(number: int) -> tuple[Integers, Integers]:
    """Return the rows and columns of the upper triangle."""
    return np.triu_indices(number)


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


def _patterns(inner: Floats) -> tuple[Integers, Integers, Floats]:
    """Return the pattern of each course, the first course of each, and their numbers.

    Courses are of one pattern if their products are equal but for rounding.
    """
    flat = inner.reshape(-1, inner.shape[-1])
    flat = np.round(flat / np.abs(flat).max(axis=1, keepdims=True).clip(1e-300), 11)
    mixed = np.sqrt(np.arange(2.0, 2.0 + len(flat))) @ flat  # differs where products differ
    _, first, pattern, count = np.unique(
        mixed, return_index=True, return_inverse=True, return_counts=True
    )
    if np.array_equal(flat[:, first[pattern]], flat):
        return pattern, first, count.astype(float)
    return np.arange(flat.shape[-1]), np.arange(flat.shape[-1]), np.ones(flat.shape[-1])


def _collapse(shape: tuple[int, ...], patterns: int) -> bool:
    """Tell whether second moments by pattern are fewer numbers, or hardly more, than moments."""
    q, m, courses = shape
    return q * (q + 1) * m * (m + 1) // 4 * patterns <= 4 * q * m * courses


def _second_moments(moments: Floats, pattern: Integers, patterns: int) -> Floats:
    """Return sums by pattern of products of moments, shape (m (m + 1) / 2, q (q + 1) / 2 patterns).

    Pairs of effects and of columns are those of the upper triangle; the two products that are
    equal by symmetry are added up.
    """
    order = np.argsort(pattern, kind="stable")
    ends = np.append(0, np.cumsum(np.bincount(pattern)))
    ones = (np.ones(len(order)), order, ends)
    sums = sparse.csr_matrix(ones, shape=(patterns, len(order)))
    one, other = _pairs(moments.shape[1])
    parts = []
    for first, second in zip(*_pairs(len(moments)), strict=True):
        products = moments[first, one] * moments[second, other]
        if first != second:
            products += moments[first, other] * moments[second, one]
        parts.append((sums @ products.T).T)
    return np.concatenate(parts, axis=1)
