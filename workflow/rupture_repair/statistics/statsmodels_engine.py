r"""Linear mixed models on the likelihood of statsmodels' MixedLM.

For the rows of one block of the data (a therapist, or a few courses) the model is

.. math:: y = X \beta + \sum_l Z_l b_l + e, \quad b_l \sim N(0, \sigma^2 \Sigma_l),
          \quad e \sim N(0, \sigma^2 I),

with one :math:`\Sigma_l` per level, relative to the residual variance. MixedLM supplies the
(restricted) log-likelihood, profiled over :math:`\beta` and :math:`\sigma^2`, and its gradient; the
search is done here, because ``MixedLM.fit`` has faults that matter (measured with 0.15.0): it ends
by inverting a Hessian, which fails in many small data sets; it calls a variance of zero "not
converged"; it takes a stationary point at zero for an optimum; its standard errors come from the
joint Hessian, not from :math:`(X'V^{-1}X)^{-1}`; and a level above courses allows no correlation of
intercept and slope. What is done instead:

*Parameters.* A level with one random effect has :math:`\Sigma = s^2`. A level with intercept and
slope has :math:`\Sigma = r^2 d d' + c^2 e_2 e_2'` with :math:`d = (\cos\varphi, \sin\varphi)'`,
which reaches every covariance matrix and gives two uncorrelated variance components for any
:math:`\varphi`; the derivative to :math:`\varphi` is taken numerically. Columns are put to a
common scale first, and results are brought back exactly.

*Boundary.* :math:`s = 0` is always stationary. Where a level is nearly of lower rank, the model of
lower rank is fitted; it is accepted if it is as likely, and if leaving the boundary in any
direction gains nothing. So "singular" is an optimum that was checked, not a search that stopped.

*Validity.* A stop with a gradient, a non-finite value, or a covariance of estimates that is not
positive definite is a failed attempt; the next optimiser of :data:`OPTIMISERS` starts.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, optimize

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import ProblemsFound, problem
from ..project.reasons import because
from .design import Design, Level
from .no_result import NoOptimum
from .solution import Solution, least_squares, on_boundary

#: Optimisers of scipy in the order in which they are tried.
OPTIMISERS = ("BFGS", "L-BFGS-B", "CG", "Powell", "Nelder-Mead")

_OPTIONS = {
    "BFGS": {"gtol": 1e-6, "maxiter": 200},
    "L-BFGS-B": {"gtol": 1e-6, "ftol": 1e-14, "maxiter": 500},
    "CG": {"gtol": 1e-6, "maxiter": 500},
    "Powell": {"xtol": 1e-7, "ftol": 1e-12, "maxiter": 100},
    "Nelder-Mead": {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000},
}

#: A stop with a larger gradient of the log-likelihood (to standard deviation ratios scaled by the
#: square root of twice the number of units) is no optimum.
GRADIENT = 1e-2

#: Smallest ratio of a standard deviation to the residual's at which the likelihood is evaluated.
SMALLEST = 1e-4

#: A model of lower rank that costs less log-likelihood than this, before it is fitted, is fitted.
NEAR = 1e-2

#: Differences of log-likelihood below this are none.
EQUAL = 1e-6

#: Rows in a block of courses when no level lies above them; only speed depends on it.
BLOCK_ROWS = 120


@dataclass(frozen=True)
class _Stop:
    """A stop of an optimiser: parameters, log-likelihood, and the optimiser's name."""

    ranks: tuple[int, ...]
    theta: Floats
    loglik: float
    optimiser: str


def solve(design: Design, reml: bool = True) -> Solution:
    """Fit a linear mixed model, or a linear model where there is no random part.

    Parameters
    ----------
    design : Design
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.

    Returns
    -------
    Solution

    Raises
    ------
    NoOptimum
        If no optimiser ended in a valid optimum.
    ProblemsFound
        If the engine does not support the model (E505).
    """
    _check_supported(design)
    if not design.levels:
        return least_squares(design, reml)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        likelihood = _Likelihood(design, reml)
        attempts: list[str] = []
        best = _search(likelihood, attempts)
        return _solution(likelihood, best, attempts)


class _Likelihood:
    """The profiled log-likelihood of a design, for any ranks of its levels' covariances.

    Fixed columns are made orthonormal (times the square root of the rows) and slopes standardised.
    `ranks` says how many directions the covariance of each level has (0: no such random effects);
    `theta` holds the parameters of all levels, see :meth:`kinds`.
    """

    def __init__(self, design: Design, reml: bool):
        self.design, self.reml = design, reml
        q, r = np.linalg.qr(design.fixed)
        rows = np.sqrt(len(design.outcome))
        self.fixed, self.back = q * rows, r / rows
        self.sizes = tuple(len(level.names) for level in design.levels)
        self.block = _blocks(design.levels)
        self.maps = [_to_common_scale(level) for level in design.levels]
        self.columns = list(map(self._columns, design.levels, self.maps))
        self._first: dict[tuple[int, ...], Any] = {}
        self._last: tuple | None = None

    def _columns(self, level: Level, change: Floats) -> list[list[Floats]]:
        """Return the design of each random effect: effect -> block -> (rows, units)."""
        blocks = []
        scaled = level.columns @ change
        for block in range(self.block.max() + 1):
            rows = np.flatnonzero(self.block == block)
            unit = np.unique(level.codes[rows], return_inverse=True)[1]
            indicator = np.eye(unit.max() + 1)[unit]
            blocks.append([indicator * column[rows, None] for column in scaled.T])
        return [list(effect) for effect in zip(*blocks, strict=True)]

    def kinds(self, ranks: Sequence[int]) -> list[str]:
        """Say what the parameters of each level are: standard deviation ratios s, an angle a."""
        kinds = {(1, 1): "s", (2, 1): "sa", (2, 2): "sas"}
        return [kinds.get(pair, "") for pair in zip(self.sizes, ranks, strict=True)]

    def split(self, ranks: Sequence[int], theta: Floats) -> tuple[Floats, Floats, Flags]:
        """Return the ratios (away from zero), the angles, and which parameters are ratios."""
        is_ratio = np.array(list("".join(self.kinds(ranks)))) == "s"
        return np.hypot(theta[is_ratio], SMALLEST), theta[~is_ratio], is_ratio

    def model(self, ranks: tuple[int, ...], angles: Floats) -> Any:
        """Return statsmodels' model whose variance components are ours."""
        key = (ranks, *angles)
        if self._last != key:
            self._last, self._model = key, self._build(ranks, angles)
        return self._model

    def _build(self, ranks: tuple[int, ...], angles: Floats) -> Any:
        from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

        components, remaining = [], iter(angles)
        for effects, kinds in zip(self.columns, self.kinds(ranks), strict=True):
            if kinds == "s":
                components.append(effects[0])
            elif kinds:
                angle = next(remaining)
                cosine, sine = np.cos(angle), np.sin(angle)
                pairs = zip(*effects, strict=True)
                components.append([cosine * first + sine * second for first, second in pairs])
                components += [effects[1]] if kinds == "sas" else []
        names = [f"component {number}" for number in range(len(components))]
        labels = [[["unit"] * block.shape[1] for block in blocks] for blocks in components]
        spec = VCSpec(names, labels, components)
        if ranks not in self._first:
            model = MixedLM(self.design.outcome, self.fixed, self.block, exog_vc=spec)
            # What MixedLM.fit would set before it evaluates the likelihood.
            model.reml, model.cov_pen, model.fe_pen = self.reml, None, None
            model._cov_sing, model._freepat = 0, None
            self._first[ranks] = model
            return model
        # Only the components differ: sorting the rows into blocks again would cost as much as
        # the likelihood.
        model = copy(self._first[ranks])
        model.exog_vc = spec
        model._aex_r = list(map(model._augment_exog, range(model.n_groups)))
        model._aex_r2 = [block.T @ block for block in model._aex_r]
        return model

    def value(self, ranks: tuple[int, ...], theta: Floats) -> float:
        """Return the log-likelihood in the units of the data, -inf where it cannot be computed."""
        if not any(ranks):
            return least_squares(self.design, self.reml).loglik
        ratios, angles, _ = self.split(ranks, theta)
        try:
            value = float(self.model(ranks, angles).loglike(ratios))
        except (np.linalg.LinAlgError, FloatingPointError, ValueError):
            return -np.inf
        # The restricted likelihood depends on the scale of the fixed columns.
        value -= np.linalg.slogdet(self.back)[1] if self.reml else 0.0
        return value if np.isfinite(value) else -np.inf

    def gradient(self, ranks: tuple[int, ...], theta: Floats) -> Floats:
        """Return the gradient of :meth:`value`, NaN where it cannot be computed."""
        ratios, angles, is_ratio = self.split(ranks, theta)
        result = np.full(len(theta), np.nan)
        with suppress(np.linalg.LinAlgError, FloatingPointError, ValueError):
            score = self.model(ranks, angles).score(ratios)
            result[is_ratio] = score * theta[is_ratio] / ratios
        for position in np.flatnonzero(~is_ratio):
            shift = np.zeros(len(theta))
            shift[position] = 1e-4
            above, below = self.value(ranks, theta + shift), self.value(ranks, theta - shift)
            result[position] = (above - below) / 2e-4
        return result

    def units(self, ranks: Sequence[int]) -> Floats:
        """Return the number of units behind each parameter."""
        levels = zip(self.design.levels, self.kinds(ranks), strict=True)
        return np.concatenate([np.full(len(kinds), float(level.units)) for level, kinds in levels])

    def covariances(self, point: "_Stop") -> list[Floats]:
        """Return each level's covariance ratio, on the common scale."""
        kinds = self.kinds(point.ranks)
        parts = np.split(point.theta, np.cumsum(list(map(len, kinds)))[:-1])
        return [_covariance(size, *part) for size, part in zip(self.sizes, parts, strict=True)]


def _to_common_scale(level: Level) -> Floats:
    """Return M such that columns @ M are standardised (one column: with mean square 1)."""
    columns = level.columns
    if columns.shape[1] == 1:
        return np.array([[1.0 / np.sqrt((columns**2).mean())]])
    mean, spread = columns[:, 1].mean(), columns[:, 1].std()
    return np.array([[1.0, -mean / spread], [0.0, 1.0 / spread]])


def _blocks(levels: Sequence[Level]) -> Integers:
    """Return the block of each row: rows that share no unit with others, small ones bundled."""
    from scipy import sparse

    rows = np.arange(len(levels[0].codes))
    ones, shape = np.ones(len(rows)), len(rows)
    by_unit = [
        sparse.csr_matrix((ones, (rows, level.codes)), (shape, level.units)) for level in levels
    ]
    units = sparse.hstack(by_unit).tocsr()
    _, of_unit = sparse.csgraph.connected_components(units.T @ units, directed=False)
    block = of_unit[levels[0].codes]
    sizes = np.bincount(block)
    before = np.cumsum(sizes) - sizes
    return np.unique((before // BLOCK_ROWS)[block], return_inverse=True)[1]


def _check_supported(design: Design) -> None:
    """Raise for what MixedLM cannot fit, or not with a search over every covariance."""
    found = []
    if design.weights is not None:
        found.append("observation weights")
    if design.position is not None:
        found.append("autocorrelated residuals")
    for level in design.levels:
        if level.names[1:] and (len(level.names) > 2 or level.names[0] != "Intercept"):
            found.append(f"({' + '.join(level.names)} | {level.factor})")
        elif len(level.blocks) > 1:
            found.append(f"({' + '.join(level.names)} || {level.factor})")
    allowed = (
        "(1 | level), (0 + x | level) or (1 + x | level), levels nested or crossed; more by the "
        "engine blocks"
    )
    if found:
        what = "; ".join(found)
        raise ProblemsFound(
            [problem("E505", key=design.formula, engine="statsmodels", found=what, allowed=allowed)]
        )


def _covariance(size: int, length: float = 0.0, angle: float = 0.0, rest: float = 0.0) -> Floats:
    """Return a level's covariance ratio from its parameters."""
    if size == 1:
        return np.array([[length**2]])
    direction = np.array([np.cos(angle), np.sin(angle)])
    return length**2 * np.outer(direction, direction) + np.diag([0.0, rest**2])


def _parameters_of(covariance: Floats, rank: int) -> Floats:
    """Return the parameters of a level's covariance ratio: the inverse of :func:`_covariance`."""
    if rank == 0:
        return np.empty(0)
    if len(covariance) == 1:
        return np.sqrt(covariance[0])
    intercept, both, slope = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    if rank == 2 and intercept > 0:
        angle = np.arctan(both / intercept)
        rest = max(slope - both**2 / intercept, 0.0)
        return np.array([np.sqrt(intercept) / np.cos(angle), angle, np.sqrt(rest)])
    values, vectors = np.linalg.eigh(covariance)
    line = [np.sqrt(max(values[-1], 0.0)), np.arctan2(vectors[1, -1], vectors[0, -1])]
    return np.array([*line, 0.0] if rank == 2 else line)


def _maximise(
    likelihood: _Likelihood, ranks: tuple[int, ...], start: Floats, attempts: list[str]
) -> _Stop | None:
    """Return the first valid optimum, or None; failed attempts are noted in `attempts`."""
    if not any(ranks):
        return _Stop(ranks, np.empty(0), likelihood.value(ranks, np.empty(0)), "none")
    # In these units the information is near the identity, and a step of 1 a natural one.
    units = likelihood.units(ranks)
    whole = 2.0 * units.max()
    scale = np.sqrt(units / units.max())

    def loss(scaled: Floats) -> float:
        return min(-likelihood.value(ranks, scaled / scale) / whole, 1e300)

    def slope(scaled: Floats) -> Floats:
        return -likelihood.gradient(ranks, scaled / scale) / scale / whole

    for method in OPTIMISERS:
        analytic = method not in ("Powell", "Nelder-Mead")
        try:
            found = optimize.minimize(
                loss,
                start * scale,
                jac=slope if analytic else None,
                method=method,
                options=_OPTIONS[method],
            )
        except (np.linalg.LinAlgError, FloatingPointError, ValueError) as error:
            attempts.append(because("broke_off", method=method, said=" ".join(str(error).split())))
            continue
        steepest = float(np.abs(slope(found.x)).max() * np.sqrt(whole))
        if np.isfinite(found.fun) and found.fun < 1e300 and steepest < GRADIENT:
            return _Stop(ranks, found.x / scale, -float(found.fun) * whole, method)
        attempts.append(because("steep", method=method, gradient=f"{steepest:.2g}"))
    return None


def _search(likelihood: _Likelihood, attempts: list[str]) -> _Stop:
    """Return the optimum over the whole parameter space, its boundary included."""
    full = likelihood.sizes
    start = np.concatenate([_parameters_of(0.5 * np.eye(size), size) for size in full])
    best = _maximise(likelihood, full, start, attempts)
    if best is None:
        best = _Stop(full, start, -np.inf, "none")
    for _ in range(2 * sum(full) + 2):
        reduced = next(_boundary(likelihood, best, attempts), None)
        if reduced is None:
            break
        best = _escape(likelihood, reduced, attempts) or reduced
    if not np.isfinite(best.loglik):
        raise NoOptimum("; ".join(attempts))
    return best


def _boundary(likelihood: _Likelihood, best: _Stop, attempts: list[str]) -> Iterator[_Stop]:
    """Yield the optimum of a model with a covariance of lower rank that is as likely as `best`."""
    covariances = likelihood.covariances(best)
    for level, rank in sorted(enumerate(best.ranks), key=lambda pair: -pair[0]):
        if rank == 0:
            continue
        ranks = tuple(r - (place == level) for place, r in enumerate(best.ranks))
        pairs = zip(covariances, ranks, strict=True)
        start = np.concatenate([_parameters_of(*pair) for pair in pairs])
        # Where the boundary is the optimum, the search has come so near to it that the step
        # itself costs nothing.
        if likelihood.value(ranks, start) < best.loglik - NEAR:
            continue
        reduced = _maximise(likelihood, ranks, start, attempts)
        if reduced is not None and reduced.loglik > best.loglik - EQUAL:
            yield reduced


def _escape(likelihood: _Likelihood, point: _Stop, attempts: list[str]) -> _Stop | None:
    """Return a better optimum inside, if leaving the boundary gains anything."""
    covariances = likelihood.covariances(point)
    best_value, best_start = point.loglik + EQUAL, None
    for level, (size, rank) in enumerate(zip(likelihood.sizes, point.ranks, strict=True)):
        if rank == size:
            continue
        ranks = tuple(r + (i == level) for i, r in enumerate(point.ranks))
        for direction in _directions(covariances[level], rank):
            for variance in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
                inside = list(covariances)
                inside[level] = covariances[level] + variance * np.outer(direction, direction)
                pairs = zip(inside, ranks, strict=True)
                theta = np.concatenate([_parameters_of(*pair) for pair in pairs])
                value = likelihood.value(ranks, theta)
                if value > best_value:
                    best_value, best_start = value, (ranks, theta)
    if best_start is None:
        return None
    better = _maximise(likelihood, *best_start, attempts)
    return better if better is not None and better.loglik > point.loglik + EQUAL else None


def _directions(covariance: Floats, rank: int) -> list[Floats]:
    """Return directions that lead out of a covariance of low rank."""
    if len(covariance) == 1:
        return [np.ones(1)]
    if rank == 1:
        return [np.linalg.eigh(covariance)[1][:, 0]]
    angles = np.pi / 4 * np.arange(4)
    return [np.array([np.cos(angle), np.sin(angle)]) for angle in angles]


def _solution(likelihood: _Likelihood, point: _Stop, attempts: list[str]) -> Solution:
    """Return estimates and covariances at an optimum, in the units of the data."""
    design = likelihood.design
    if any(point.ranks):
        estimate, precision, residual = _fixed_part(likelihood, point)
        inverse = linalg.solve_triangular(likelihood.back, np.eye(len(estimate)))
        estimate = inverse @ estimate
        covariance = residual * inverse @ np.linalg.inv(precision) @ inverse.T
    else:
        plain = least_squares(design, likelihood.reml)
        estimate, covariance, residual = plain.estimate, plain.covariance, plain.residual
    if not np.isfinite(estimate).all() or not (np.linalg.eigvalsh(covariance) > 0).all():
        raise NoOptimum("the covariance of the estimates is not positive definite")
    if (estimate == 0).any():
        names = [t for t, value in zip(design.terms, estimate, strict=True) if value == 0]
        raise NoOptimum(because("zero_estimate", terms=", ".join(names)))
    ratios = likelihood.covariances(point)
    pairs = zip(likelihood.maps, ratios, strict=True)
    random = tuple(residual * change @ ratio @ change.T for change, ratio in pairs)
    levels = zip(design.levels, random, strict=True)
    zero = [text for level, spread in levels for text in on_boundary(level, spread, residual)]
    return Solution(
        estimate,
        covariance,
        residual,
        random,
        point.loglik,
        None,
        point.optimiser,
        tuple(zero),
        tuple(attempts),
    )


def _fixed_part(likelihood: _Likelihood, point: _Stop) -> tuple[Floats, Floats, float]:
    """Return estimates, X'V^-1 X (V relative to the residual) and the residual variance."""
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    ratios, angles, _ = likelihood.split(point.ranks, point.theta)
    model = likelihood.model(point.ranks, angles)
    packed = MixedLMParams.from_packed(ratios, model.k_fe, model.k_re, True, False)
    packed.fe_params, _ = model.get_fe_params(packed.cov_re, packed.vcomp)
    residual = float(model.get_scale(packed.fe_params, packed.cov_re, packed.vcomp))
    hessian, _ = model.hessian(packed)
    terms = len(packed.fe_params)
    return packed.fe_params, -residual * hessian[:terms, :terms], residual
