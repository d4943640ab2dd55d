r"""Logistic mixed models with one random intercept, by Laplace or adaptive quadrature.

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

*Boundary.* :math:`\ell` is even in :math:`\theta`, which is searched without bounds; zero is always
stationary, with the second derivative :math:`\sum_i [(\sum (y - \mu))^2 - \sum w]` and none shared
with :math:`\beta`. If that is positive, zero is no optimum and never reported; if not, zero is
reported unless a search from inside ends higher.

*Scale.* Columns are centred, scaled and made orthogonal first; results are brought back exactly.

As in lme4's ``glmer``, the likelihood is that of 0 and 1, without a constant left out, and standard
errors come from the observed Hessian of :math:`(\theta, \beta)` together. Sources: Pinheiro & Chao
2006, doi 10.1198/106186006X96962 (approximations); Commenges et al. 1994 (second derivative at
zero).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize
from scipy.special import expit

from . import separation
from .design import Design, Floats, NotAssessable
from .problems import ProblemsFound, listing, problem
from .solution import NoOptimum, Solution

#: Variance of the standard logistic distribution, the residual of the latent outcome.
LATENT = np.pi**2 / 3

#: Standard deviations of the intercepts at which the search may start.
STARTS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)

#: A standard deviation (in logits) above this grows without bound.
LARGEST = 50.0

#: Search ends when the next Newton step, measured in standard errors and squared, is below this.
DECREMENT = 1e-12

#: Differences of log-likelihood below this are none.
EQUAL = 1e-8

#: Rows times quadrature points that are worked on at a time; only speed depends on it.
PIECE = 64000

#: Rows with a fitted logit beyond this call for a check for separation. (A search along a
#: separating direction goes on until these logits are beyond 27 = -log(DECREMENT).)
FAR = 15.0


@dataclass(frozen=True, kw_only=True)
class LogisticSolution(Solution):
    r"""A fitted logistic model.

    As :class:`Solution`, with `residual` :math:`\pi^2/3`, the residual variance of the latent
    outcome, which is fixed and not estimated.

    Attributes
    ----------
    sd_error : float
        Standard error of the standard deviation of the intercepts; NaN on the boundary.
    modes, mode_errors : ndarray, shape (units,)
        Conditional mode of the intercept of each unit and its standard deviation given the
        estimates (`condVar` of lme4's ranef).
    quadrature_points : int
    """

    sd_error: float = np.nan
    modes: Floats = field(default_factory=lambda: np.empty(0))
    mode_errors: Floats = field(default_factory=lambda: np.empty(0))
    quadrature_points: int = 1
    family: str = "binomial"

    def probabilities(
        self, fixed: Floats, codes: NDArray[np.intp] | None = None, *, population: bool = False
    ) -> Floats:
        """Return predicted probabilities.

        Parameters
        ----------
        fixed : ndarray, shape (rows, terms)
            Columns in the order of the terms.
        codes : ndarray of int, shape (rows,), optional
            Unit of each row: probabilities within these units. Without it, those in a unit whose
            intercept is average.
        population : bool
            Instead the mean over all units that there could be, which lies nearer to one half.
        """
        linear = fixed @ self.estimate
        if codes is not None and len(self.modes):
            return expit(linear + self.modes[codes])
        if not population or not self.random:
            return expit(linear)
        nodes, weights = _quadrature(51)
        sd = float(np.sqrt(self.random[0][0, 0]))
        return sum(
            weight * expit(linear + sd * node) for node, weight in zip(nodes, weights, strict=True)
        )


def solve(design: Design, quadrature_points: int = 1) -> LogisticSolution:
    """Fit a logistic model with one random intercept, or with none.

    Parameters
    ----------
    design : Design
        With an outcome of 0 and 1.
    quadrature_points : int
        Points of adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation.

    Returns
    -------
    LogisticSolution

    Raises
    ------
    ProblemsFound
        For an outcome that is not 0 or 1 (E510), a random part other than one intercept (E511).
    NotAssessable
        If the outcome does not vary, within no unit, or is separated by the terms.
    NoOptimum
        If the search did not end in an optimum.
    """
    if quadrature_points < 1:
        raise ValueError(f"quadrature_points must be 1 or more, not {quadrature_points}")
    _check(design)
    columns, back = _orthogonal(design)
    plain = _plain(design, columns)
    if not design.levels:
        return _without_level(design, back, plain, quadrature_points)
    with np.errstate(over="ignore", under="ignore"):
        likelihood = _Likelihood(design, columns, quadrature_points)
        best, attempts = _search(likelihood, plain, _curvature_at_zero(design, plain))
        if best is None:
            return _without_level(design, back, plain, quadrature_points, attempts)
        return _with_level(design, back, likelihood, best, attempts)


def _check(design: Design) -> None:
    """Raise unless the outcome is 0 and 1 and the random part one intercept."""
    values = np.unique(design.outcome)
    if not np.isin(values, (0.0, 1.0)).all():
        other = [f"{value:g}" for value in values if value not in (0.0, 1.0)]
        raise ProblemsFound([problem("E510", found=listing(other, 3))])
    if len(values) == 1:
        raise NotAssessable(f"the outcome is {values[0]:g} in all {len(design.outcome)} rows")
    random = [f"({' + '.join(level.names)} | {level.factor})" for level in design.levels]
    if len(random) > 1 or any(level.names != ("Intercept",) for level in design.levels):
        raise ProblemsFound([problem("E511", found=" + ".join(random))])
    for level in design.levels:
        ones = np.bincount(level.codes, design.outcome)
        if np.isin(ones / np.bincount(level.codes), (0.0, 1.0)).all():
            raise NotAssessable(f"the outcome does not vary within any {level.factor}")


def _orthogonal(design: Design) -> tuple[Floats, Floats]:
    """Return orthogonal columns with mean square 1, and M with: columns = fixed @ M."""
    fixed = design.fixed
    shift = np.zeros(fixed.shape[1])
    scale = np.sqrt((fixed**2).mean(axis=0))
    change = np.diag(1.0 / scale)
    if "Intercept" in design.terms:
        intercept = design.terms.index("Intercept")
        shift, scale = fixed.mean(axis=0), fixed.std(axis=0)
        shift[intercept], scale[intercept] = 0.0, 1.0
        change = np.diag(1.0 / scale)
        change[intercept] -= shift / scale
    orthogonal, triangle = np.linalg.qr((fixed - shift) / scale)
    root = np.sqrt(len(fixed))
    return orthogonal * root, change @ linalg.solve_triangular(triangle, np.eye(len(scale))) * root


# ------------------------------------------------------------------ without random part


@dataclass(frozen=True)
class _Plain:
    """Logistic regression: coefficients of the orthogonal columns and their information."""

    coefficients: Floats
    information: Floats
    probability: Floats
    loglik: float


def _plain(design: Design, columns: Floats) -> _Plain:
    """Fit the logistic regression by Newton's method; refuse separation."""
    outcome = design.outcome
    beta = np.zeros(columns.shape[1])
    linear = columns @ beta
    loglik, decrement = _loglik(outcome, linear), np.inf
    for _ in range(60):
        probability = expit(linear)
        weight = probability * (1.0 - probability)
        information = columns.T @ (weight[:, None] * columns)
        gradient = columns.T @ (outcome - probability)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        decrement = float(gradient @ step)
        while (after := _loglik(outcome, columns @ (beta + step))) < loglik - 1e-9 * abs(loglik):
            step = step / 2
        beta, loglik = beta + step, after
        linear = columns @ beta
        if decrement < DECREMENT:
            break
    if not np.abs(linear).max() < FAR:
        separation.check(design)
    if not decrement < DECREMENT:
        raise NoOptimum("the logistic regression without a random part did not converge")
    return _Plain(beta, information, probability, loglik)


def _loglik(outcome: Floats, linear: Floats) -> float:
    return float((outcome * linear - _log1p_exp(linear)).sum())


def _log1p_exp(linear: Floats) -> Floats:
    """Return log(1 + exp(linear)) without overflow; rounding is absolute, which is enough."""
    return np.maximum(linear, 0.0) + np.log(1.0 + np.exp(-np.abs(linear)))


def _probability(linear: Floats) -> Floats:
    """Return the logistic function; several times as fast as that of scipy."""
    return 1.0 / (1.0 + np.exp(-linear))


def _without_level(
    design: Design, back: Floats, plain: _Plain, points: int, attempts: tuple[str, ...] = ()
) -> LogisticSolution:
    """Return the solution without random part, or with one whose variance is zero."""
    units = [level.units for level in design.levels]
    return LogisticSolution(
        estimate=back @ plain.coefficients,
        covariance=back @ np.linalg.inv(plain.information) @ back.T,
        residual=LATENT,
        random=tuple(np.zeros((1, 1)) for _ in units),
        loglik=plain.loglik,
        df=None,
        optimiser="Newton",
        zero=tuple(
            f"the variance of intercepts given {level.factor} is zero" for level in design.levels
        ),
        attempts=attempts,
        modes=np.zeros(sum(units)),
        mode_errors=np.zeros(sum(units)),
        quadrature_points=points,
    )


# ------------------------------------------------------------------ the marginal likelihood


def _quadrature(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights for the standard normal density."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, weights / np.sqrt(2.0 * np.pi)


class _Piece:
    """Some units with all of their rows; small enough for what is computed to stay in the cache."""

    def __init__(self, outcome: Floats, columns: Floats, index: NDArray[np.intp], points: int):
        self.outcome, self.columns, self.index = outcome, columns, index
        self.start = np.flatnonzero(np.diff(index, prepend=-1))
        self.ones, self.rows = self.total(outcome), np.bincount(index)
        self.nodes, self.weights = (part[:, None] for part in _quadrature(points))
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
            probability = _probability(linear + theta * mode[self.index])
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
        at_mode = _probability(linear + theta * mode[self.index])
        weight = at_mode * (1.0 - at_mode)
        skew = weight * (1.0 - 2.0 * at_mode)
        weights, skews = self.total(weight), self.total(skew)
        curvature = 1.0 + theta**2 * weights

        u = mode + self.nodes / np.sqrt(curvature)
        eta = linear + theta * u[:, self.index]
        probability = _probability(eta)
        logs = self.total(self.outcome * eta - _log1p_exp(eta))
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


class _Likelihood:
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
            probability = _probability(linear + theta * mode[piece.index])
            modes.append(mode)
            curvatures.append(1.0 + theta**2 * piece.total(probability * (1.0 - probability)))
        return theta * np.concatenate(modes), theta / np.sqrt(np.concatenate(curvatures))


def _curvature_at_zero(design: Design, plain: _Plain) -> float:
    """Return the second derivative in theta at zero, nought if it is only rounding."""
    codes, probability = design.levels[0].codes, plain.probability
    residuals = np.bincount(codes, design.outcome - probability) ** 2
    weights = np.bincount(codes, probability * (1.0 - probability))
    difference = float((residuals - weights).sum())
    return difference if abs(difference) > 1e-10 * (residuals + weights).sum() else 0.0


# ------------------------------------------------------------------ the search


@dataclass(frozen=True)
class _Point:
    """An optimum inside: parameters, log-likelihood, inverse of the negative Hessian."""

    parameters: Floats
    loglik: float
    covariance: Floats


def _search(
    likelihood: _Likelihood, plain: _Plain, curvature_at_zero: float
) -> tuple[_Point | None, tuple[str, ...]]:
    """Return the optimum, None if the standard deviation is zero there, and failed attempts."""
    # In these units the information is near the identity, and a step of 1 a natural one.
    scale = linalg.block_diag(
        1.0 / np.sqrt(2.0 * likelihood.units),
        np.linalg.inv(np.linalg.cholesky(plain.information)).T,
    )
    # Coefficients within units are larger than without them (Zeger, Liang & Albert 1988).
    starts = [
        np.concatenate([[theta], plain.coefficients * np.sqrt(1.0 + 0.346 * theta**2)])
        for theta in STARTS
    ]
    attempts: list[str] = []
    for start in sorted(starts, key=lambda start: -likelihood(start)[0]):
        try:
            point = _climb(likelihood, start, scale)
        except NoOptimum as reason:
            attempts.append(f"from a standard deviation of {start[0]:g}: {reason}")
            continue
        if curvature_at_zero > 0 or point.loglik > plain.loglik + EQUAL:
            return point, tuple(attempts)
        return None, tuple(attempts)
    raise NoOptimum("; ".join(attempts))


def _climb(likelihood: _Likelihood, start: Floats, scale: Floats) -> _Point:
    """Return the optimum that is reached from a start: BFGS, then Newton's method."""

    def loss(steps: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(start + scale @ steps)
        return -value, -(gradient @ scale)

    found = optimize.minimize(
        loss, np.zeros(len(start)), jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 300}
    )
    steps, value, gradient = found.x, found.fun, found.jac
    for _ in range(30):
        theta = abs(float((start + scale @ steps)[0]))
        if theta > LARGEST:
            raise NotAssessable(
                f"the standard deviation of intercepts given {likelihood.factor} grows without "
                "bound: the terms and the units tell almost every outcome without error"
            )
        hessian = _differences(loss, steps)
        values, vectors = np.linalg.eigh(hessian)
        inverse = (vectors / np.maximum(np.abs(values), 1e-8)) @ vectors.T
        near = values[0] > 0 and gradient @ inverse @ gradient < 1e-8
        # So near to the optimum the Hessian serves for the last steps as well.
        for _ in range(4 if near else 1):
            decrement = float(gradient @ inverse @ gradient)
            if near and decrement < DECREMENT:
                covariance = scale @ inverse @ scale.T
                return _Point(start + scale @ steps, -value, covariance)
            step = -inverse @ gradient
            while not (after := loss(steps + step))[0] < value + 1e-11 * abs(value):
                step = step / 2
            steps, (value, gradient) = steps + step, after
    raise NoOptimum(f"stopped {np.sqrt(decrement):.2g} standard errors away from an optimum")


def _differences(loss, steps: Floats, width: float = 1e-3) -> Floats:
    """Return the Hessian by central differences of the gradient."""
    shifts = width * np.eye(len(steps))
    rows = [(loss(steps + shift)[1] - loss(steps - shift)[1]) / (2.0 * width) for shift in shifts]
    return (np.array(rows) + np.array(rows).T) / 2.0


def _with_level(
    design: Design, back: Floats, likelihood: _Likelihood, best: _Point, attempts: tuple[str, ...]
) -> LogisticSolution:
    """Return the solution at an optimum inside."""
    theta = abs(float(best.parameters[0]))
    modes, errors = likelihood.effects(theta, best.parameters[1:])
    return LogisticSolution(
        estimate=back @ best.parameters[1:],
        covariance=back @ best.covariance[1:, 1:] @ back.T,
        residual=LATENT,
        random=(np.array([[theta**2]]),),
        loglik=best.loglik,
        df=None,
        optimiser="BFGS",
        attempts=attempts,
        sd_error=float(np.sqrt(best.covariance[0, 0])),
        modes=modes,
        mode_errors=errors,
        quadrature_points=likelihood.points,
    )
