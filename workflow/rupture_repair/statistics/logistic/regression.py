r"""Logistic mixed models with one random intercept, by Laplace or adaptive quadrature.

The likelihood and its exact gradient are in :mod:`rupture_repair.statistics.logistic.likelihood`;
here its maximum is searched, over the standard deviation :math:`\theta` of the intercepts and the
coefficients together, by BFGS and then by Newton's method with central differences of the gradient.

*Boundary.* :math:`\ell` is even in :math:`\theta`, which is searched without bounds; zero is always
stationary, with the second derivative :math:`\sum_i [(\sum (y - \mu))^2 - \sum w]` and none shared
with :math:`\beta`. If that is positive, zero is no optimum and never reported; if not, zero is
reported unless a search from inside ends higher (Commenges et al. 1994 on that derivative).

*Scale.* Columns are centred, scaled and made orthogonal first; results are brought back exactly.

*Standard errors* come from the observed Hessian of :math:`(\theta, \beta)` together, as in lme4's
``glmer``; on the boundary they are those of the model without the level.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import linalg, optimize
from scipy.special import expit

from ...project.arrays import Floats, Integers
from ...project.problems import ProblemsFound, listing, problem
from ...project.reasons import because
from ..design import Design
from ..no_result import NoOptimum, NotAssessable
from ..solution import Solution
from . import separation
from .likelihood import LogisticLikelihood, log1p_exp, quadrature

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
        self, fixed: Floats, codes: Integers | None = None, *, population: bool = False
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
        nodes, weights = quadrature(51)
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
        For an outcome that is not 0 or 1 (E510); for a random part other than one intercept,
        weights or autocorrelated residuals (E511).
    NotAssessable
        If the outcome does not vary, within no unit, or is separated by the terms.
    NoOptimum
        If the search did not end in an optimum.
    """
    if quadrature_points < 1:
        raise ValueError(f"quadrature_points must be 1 or more, not {quadrature_points}")
    _check_support(design)
    check_outcome(design)
    columns, back = orthogonal(design)
    plain = _plain(design, columns)
    if not design.levels:
        return _without_level(design, back, plain, quadrature_points)
    likelihood = LogisticLikelihood(design, columns, quadrature_points)
    best, attempts = _search(likelihood, plain, _curvature_at_zero(design, plain))
    if best is None:
        return _without_level(design, back, plain, quadrature_points, attempts)
    return _with_level(design, back, likelihood, best, attempts)


def check_outcome(design: Design) -> None:
    """Raise unless the outcome is 0 and 1, varies, and does so within units.

    Parameters
    ----------
    design : Design
    """
    values = np.unique(design.outcome)
    if not np.isin(values, (0.0, 1.0)).all():
        other = [f"{value:g}" for value in values if value not in (0.0, 1.0)]
        raise ProblemsFound([problem("E510", key=design.formula, found=listing(other, 3))])
    if len(values) == 1:
        facts = {"value_of_all": f"{values[0]:g}", "rows": len(design.outcome)}
        raise NotAssessable(because("same_outcome", **facts))
    for level in design.levels:
        share = np.bincount(level.codes, design.outcome) / np.bincount(level.codes)
        if np.isin(share, (0.0, 1.0)).all():
            raise NotAssessable(because("none_within", level=level.factor))


def check_separation(design: Design) -> None:
    """Raise NotAssessable if the terms separate the outcome.

    Parameters
    ----------
    design : Design
        With an outcome of 0 and 1.
    """
    _plain(design, orthogonal(design)[0])


def _check_support(design: Design) -> None:
    """Raise for what a formula or options may ask for and this engine does not have."""
    wrong = [f"({' + '.join(level.names)} | {level.factor})" for level in design.levels]
    if len(wrong) == 1 and design.levels[0].names == ("Intercept",):
        wrong = []
    wrong += ["observation weights"] if design.weights is not None else []
    wrong += ["autocorrelated residuals"] if design.position is not None else []
    if wrong:
        raise ProblemsFound([problem("E511", key=design.formula, found=" and ".join(wrong))])


def orthogonal(design: Design) -> tuple[Floats, Floats]:
    """Return orthogonal columns with mean square 1, and how they come about.

    Parameters
    ----------
    design : Design

    Returns
    -------
    columns : ndarray, shape (rows, terms)
    change : ndarray, shape (terms, terms)
        Such that columns = fixed @ change; change @ their coefficients are those of the terms.
    """
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
    basis, triangle = np.linalg.qr((fixed - shift) / scale)
    root = np.sqrt(len(fixed))
    return basis * root, change @ linalg.solve_triangular(triangle, np.eye(len(scale))) * root


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
    return float((outcome * linear - log1p_exp(linear)).sum())


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
            because("zero_variance", names="intercepts", level=level.factor)
            for level in design.levels
        ),
        attempts=attempts,
        modes=np.zeros(sum(units)),
        mode_errors=np.zeros(sum(units)),
        quadrature_points=points,
    )


# ------------------------------------------------------------------ the search


def _curvature_at_zero(design: Design, plain: _Plain) -> float:
    """Return the second derivative in theta at zero, nought if it is only rounding."""
    codes, probability = design.levels[0].codes, plain.probability
    residuals = np.bincount(codes, design.outcome - probability) ** 2
    weights = np.bincount(codes, probability * (1.0 - probability))
    difference = float((residuals - weights).sum())
    return difference if abs(difference) > 1e-10 * (residuals + weights).sum() else 0.0


@dataclass(frozen=True)
class _InnerOptimum:
    """An optimum inside: parameters, log-likelihood, inverse of the negative Hessian."""

    parameters: Floats
    loglik: float
    covariance: Floats


def _search(
    likelihood: LogisticLikelihood, plain: _Plain, curvature_at_zero: float
) -> tuple[_InnerOptimum | None, tuple[str, ...]]:
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
            attempts.append(because("from_start", deviation=f"{start[0]:g}", reason=reason.reason))
            continue
        if curvature_at_zero > 0 or point.loglik > plain.loglik + EQUAL:
            return point, tuple(attempts)
        return None, tuple(attempts)
    raise NoOptimum("; ".join(attempts))


def _climb(likelihood: LogisticLikelihood, start: Floats, scale: Floats) -> _InnerOptimum:
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
            raise NotAssessable(because("unbounded", level=likelihood.factor))
        hessian = _differences(loss, steps)
        values, vectors = np.linalg.eigh(hessian)
        inverse = (vectors / np.maximum(np.abs(values), 1e-8)) @ vectors.T
        near = values[0] > 0 and gradient @ inverse @ gradient < 1e-8
        # So near to the optimum the Hessian serves for the last steps as well.
        for _ in range(4 if near else 1):
            decrement = float(gradient @ inverse @ gradient)
            if near and decrement < DECREMENT:
                covariance = scale @ inverse @ scale.T
                return _InnerOptimum(start + scale @ steps, -value, covariance)
            step = -inverse @ gradient
            if values[0] <= 0 and decrement < 0.01:  # a saddle point, as at a false zero
                step += vectors[:, 0] * (1.0 if step @ vectors[:, 0] >= 0 else -1.0)
            while not (after := loss(steps + step))[0] < value + 1e-11 * abs(value):
                step = step / 2
            steps, (value, gradient) = steps + step, after
    raise NoOptimum(because("stopped_away", errors=f"{np.sqrt(decrement):.2g}"))


def _differences(loss, steps: Floats, width: float = 1e-3) -> Floats:
    """Return the Hessian by central differences of the gradient."""
    shifts = width * np.eye(len(steps))
    rows = [(loss(steps + shift)[1] - loss(steps - shift)[1]) / (2.0 * width) for shift in shifts]
    return (np.array(rows) + np.array(rows).T) / 2.0


def _with_level(
    design: Design,
    back: Floats,
    likelihood: LogisticLikelihood,
    best: _InnerOptimum,
    attempts: tuple[str, ...],
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
