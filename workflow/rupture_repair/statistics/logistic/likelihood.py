r"""The likelihood of logistic models with one random intercept, and its gradient.

For row :math:`j` of unit :math:`i` (a therapist, or a course) the model is

.. math:: \mathrm{logit}\, P(y_{ij} = 1) = x_{ij}'\beta + \theta u_i, \quad u_i \sim N(0, 1),

so that :math:`\theta` is the standard deviation of the intercepts. With :math:`\mu = \mu(u)` the
probabilities, sums over the rows of a unit, and
:math:`h(u) = \sum (y\eta - \log(1 + e^\eta)) - u^2/2`, a unit's likelihood is
:math:`\int e^{h(u)} du / \sqrt{2\pi}`. (Read a subscript :math:`\xi` as a derivative.)

*Approximation.* :math:`\hat u` is the maximum of the concave :math:`h`, the conditional mode:
:math:`h_u = \theta \sum (y - \mu) - \hat u = 0`; and :math:`D = -h_{uu} = 1 + \theta^2 \sum w`
with :math:`w = \mu (1 - \mu)`. With nodes :math:`x_k` and weights :math:`w_k` of Gauss-Hermite
quadrature (for the standard normal density) and :math:`u_k = \hat u + x_k / \sqrt D`,

.. math:: \ell_i = -\tfrac12 \log D + \log \sum_k w_k \exp(h(u_k) + x_k^2/2).

One node (:math:`x = 0`) is Laplace's approximation, :math:`h(\hat u) - \tfrac12 \log D`.

*Gradient.* Both :math:`\hat u` and :math:`D` move with a parameter :math:`\xi` of
:math:`(\theta, \beta)`: by the implicit function theorem :math:`d\hat u = h_{u\xi} / D`, and
:math:`dD = D_\xi + D_u d\hat u`. Let :math:`p_k` be the terms of the sum, scaled to sum 1. Then

.. math:: d\ell_i &= \sum_k p_k h_\xi(u_k) + A D_\xi + C h_{u\xi}, \quad
    A = -\frac1{2D} - \frac{\sum_k p_k h_u(u_k) x_k}{2 D^{3/2}}, \quad
    C = \frac{A D_u + \sum_k p_k h_u(u_k)}{D}.

With :math:`v = w (1 - 2\mu)` and all without argument taken at :math:`\hat u`:

====================  =====================================  ===================================
..                    for :math:`\theta`                     for :math:`\beta`
====================  =====================================  ===================================
:math:`h_\xi(u)`      :math:`u \sum (y - \mu(u))`            :math:`\sum (y - \mu(u)) x`
:math:`h_{u\xi}`      :math:`\sum (y - \mu)                  :math:`-\theta \sum w x`
                      - \theta \hat u \sum w`
:math:`D_\xi`         :math:`2\theta \sum w                  :math:`\theta^2 \sum v x`
                      + \theta^2 \hat u \sum v`
====================  =====================================  ===================================

and :math:`D_u = \theta^3 \sum v`. For :math:`\beta` this is one weight per row, summed over
:math:`x` once. The Hessian is taken by central differences of this gradient.

The likelihood is that of 0 and 1, with no constant left out, as in lme4's ``glmer``. Source of the
approximations: Pinheiro & Chao 2006, doi 10.1198/106186006X96962.
"""

import numpy as np

from ...project.arrays import Floats, Integers
from ..design import Design

#: Rows times quadrature points that are worked on at a time; only speed depends on it.
PIECE = 16_000


def log1p_exp(linear: Floats) -> Floats:
    """Return log(1 + exp(linear)) without overflow; rounding is absolute, which is enough."""
    return np.maximum(linear, 0.0) + np.log(1.0 + np.exp(-np.abs(linear)))


def logistic(linear: Floats) -> Floats:
    """Return the logistic function; several times as fast as that of scipy."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-linear))


def quadrature(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights for the standard normal density."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, weights / np.sqrt(2.0 * np.pi)


class _Piece:
    """Some units with all of their rows; small enough for what is computed to stay in the cache."""

    def __init__(self, outcome: Floats, columns: Floats, index: Integers, points: int):
        self.outcome, self.columns, self.index = outcome, columns, index
        self.start = np.flatnonzero(np.diff(index, prepend=-1))
        self.ones, self.rows = self.total(outcome), np.bincount(index)
        self.nodes, self.weights = (part[:, None] for part in quadrature(points))
        self.last = np.zeros(len(self.start))

    def total(self, values: Floats) -> Floats:
        """Sum over the rows of each unit."""
        return np.add.reduceat(values, self.start, axis=-1)

    def modes(self, theta: float, linear: Floats) -> Floats:
        """Return the conditional modes by Newton steps that are kept within brackets."""
        low, high = -theta * (self.rows - self.ones), theta * self.ones
        mode = np.clip(self.last, low, high)
        previous = high - low
        for _ in range(200):
            probability = logistic(linear + theta * mode[self.index])
            slope = theta * (self.ones - self.total(probability)) - mode
            curvature = 1.0 + theta**2 * self.total(probability * (1.0 - probability))
            step = slope / curvature
            # The error after a Newton step is of the order of its square.
            small = np.abs(step) <= 1e-8 * (1.0 + np.abs(mode))
            if small.all():
                break
            low, high = np.where(slope > 0, mode, low), np.where(slope < 0, mode, high)
            outside = (mode + step < low) | (mode + step > high)
            slow = np.abs(step) > 0.5 * np.abs(previous)
            step = np.where((outside | slow) & ~small, (low + high) / 2 - mode, step)
            mode, previous = mode + step, step
        self.last = mode + step
        return self.last

    def evaluate(self, theta: float, beta: Floats) -> tuple[float, float, Floats]:
        """Return the log-likelihood and its derivatives; names as in the module's docstring."""
        linear = self.columns @ beta
        mode = self.modes(theta, linear)
        at_mode = logistic(linear + theta * mode[self.index])
        weight = at_mode * (1.0 - at_mode)
        skew = weight * (1.0 - 2.0 * at_mode)
        weights, skews = self.total(weight), self.total(skew)
        curvature = 1.0 + theta**2 * weights

        u = mode + self.nodes / np.sqrt(curvature)
        eta = linear + theta * u[:, self.index]
        probability = logistic(eta)
        logs = self.total(self.outcome * eta - log1p_exp(eta))
        logs += np.log(self.weights) + (self.nodes**2 - u**2) / 2
        peak = logs.max(axis=0)
        share = np.exp(logs - peak)
        total = share.sum(axis=0)
        share /= total
        value = (peak + np.log(total) - np.log(curvature) / 2).sum()

        residuals = self.ones - self.total(probability)
        slope = share * (theta * residuals - u)
        a = -0.5 / curvature - 0.5 * (slope * self.nodes).sum(axis=0) / curvature**1.5
        c = (a * theta**3 * skews + slope.sum(axis=0)) / curvature
        residual = self.ones - self.total(at_mode)
        by_theta = (share * u * residuals).sum(axis=0)
        by_theta += a * (2.0 * theta * weights + theta**2 * mode * skews)
        by_theta += c * (residual - theta * mode * weights)
        by_row = self.outcome - (share[:, self.index] * probability).sum(axis=0)
        by_row += theta**2 * a[self.index] * skew - theta * c[self.index] * weight
        return float(value), float(by_theta.sum()), self.columns.T @ by_row


class LogisticLikelihood:
    """The marginal log-likelihood of (theta, coefficients of the orthogonal columns)."""

    def __init__(self, design: Design, columns: Floats, points: int):
        level = design.levels[0]
        self.factor, self.units, self.points = level.factor, level.units, points
        order = np.argsort(level.codes, kind="stable")
        index, outcome, columns = level.codes[order], design.outcome[order], columns[order]
        first = np.searchsorted(index, np.arange(level.units + 1))
        piece_of = first[:-1] * points // PIECE
        begin = np.flatnonzero(np.diff(piece_of, prepend=-1))
        self.pieces = [
            _Piece(outcome[rows], columns[rows], index[rows] - index[rows.start], points)
            for rows in map(slice, first[begin], first[[*begin[1:], -1]])
        ]

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        theta, beta = abs(float(parameters[0])), parameters[1:]
        sign = 1.0 if parameters[0] >= 0 else -1.0
        parts = [piece.evaluate(theta, beta) for piece in self.pieces]
        values, by_theta, by_beta = zip(*parts, strict=True)
        return sum(values), np.concatenate([[sign * sum(by_theta)], np.sum(by_beta, axis=0)])

    def effects(self, theta: float, beta: Floats) -> tuple[Floats, Floats]:
        """Return the conditional modes and standard deviations of all units, in logits."""
        modes, curvatures = [], []
        for piece in self.pieces:
            linear = piece.columns @ beta
            mode = piece.modes(theta, linear)
            probability = logistic(linear + theta * mode[piece.index])
            modes.append(mode)
            curvatures.append(1.0 + theta**2 * piece.total(probability * (1.0 - probability)))
        return theta * np.concatenate(modes), theta / np.sqrt(np.concatenate(curvatures))
