"""The block engine: from the matrices of a design to estimates in the units of the data."""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from scipy import linalg

from ...project.arrays import Flags, Floats, Integers
from ...project.problems import ProblemsFound, problem
from ...project.reasons import because
from ..design import Design, crossed
from ..no_result import NotAssessable
from ..solution import Solution, least_squares, on_boundary
from . import search
from .cross_products import CrossProducts
from .likelihood import Likelihood

#: Where terms, or terms and an effect of every course, leave a smaller share of the sum of squares,
#: the outcome is explained.
LEFT, LEFT_WITHIN = 1e-12, 1e-6

_SUPPORTED = (
    "two nested levels, as in (1 + x + z | course) + (1 | therapist): below any random effects, "
    "correlated (|) or not (||), above an intercept; ar1 with at least one level. More levels, "
    "crossed ones and slopes above by engine: statsmodels"
)


# A fit makes and drops arrays of a few megabytes. glibc gives such memory back to the system, which
# zeroes it anew each time (a quarter of the time of a fit of 2,000 courses), until one array of up
# to 32 MB was dropped: mallopt(3), M_MMAP_THRESHOLD. This one is never written to and takes none.
np.empty(2**25 - 2**16, dtype=np.uint8)


@dataclass(frozen=True)
class Standardised:
    """A design with standardised columns, rows sorted by course.

    Attributes
    ----------
    design : Design
    reml : bool
    order : ndarray of int, shape (rows,)
        Rows in the order of therapists, courses and positions.
    course : ndarray of int, shape (rows,)
        Course of the sorted rows, numbered so that courses of one therapist are neighbours.
    courses : ndarray of int, shape (courses,)
        Code, in the design's level, of each course so numbered.
    upper : ndarray of int, shape (courses,), or None
        Therapist of each course so numbered, where there are therapists.
    back : ndarray, shape (p, p)
        Standardised X is X @ back.
    effects_back : ndarray, shape (q, q)
        Standardised Z is Z @ effects_back.
    shift, scale : float
        The standardised outcome is (y - shift) / scale.
    """

    design: Design
    reml: bool
    order: Integers
    course: Integers
    courses: Integers
    upper: Integers | None
    back: Floats
    effects_back: Floats
    shift: float
    scale: float

    @cached_property
    def products(self) -> CrossProducts:
        """Products by course."""
        return self._products(sum(len(level.names) for level in self.design.levels))

    def whole_products(self) -> CrossProducts:
        """Return products by course of all columns, U among the effects, to draw courses from."""
        return self._products(self.columns.shape[1])

    @cached_property
    def columns(self) -> Floats:
        """Standardised [Z, t, X, y], times the root of the weights."""
        design = self.design
        lower, *upper = design.levels
        parts = [lower.columns @ self.effects_back, *[level.columns for level in upper]]
        outcomes = design.outcome.reshape(len(design.outcome), -1)
        parts += [design.fixed @ self.back, (outcomes - self.shift) / self.scale]
        ends = np.cumsum([0, *[part.shape[1] for part in parts]])
        # Filled in place: stacking takes several times as long.
        columns = np.empty((len(outcomes), ends[-1]))
        for part, (begin, end) in zip(parts, pairwise(ends), strict=True):
            columns[:, begin:end] = part
        if design.weights is not None:
            columns *= np.sqrt(design.weights)[:, None]
        return columns

    def _products(self, effects: int) -> CrossProducts:
        position = self.design.position
        place = None if position is None else position[self.order]
        return CrossProducts(self.columns, effects, self.order, self.course, place)

    @cached_property
    def likelihood(self) -> Likelihood:
        """The deviance of the standardised problem."""
        free = linalg.block_diag(
            *[np.tril(np.ones((size, size), bool)) for size in self.design.levels[0].blocks]
        ).astype(bool)
        rows, fixed = self.design.fixed.shape
        return Likelihood(self.products, free, self.upper, rows, fixed, self.reml)

    def loglik(self, deviance: float) -> float:
        """Return the log-likelihood in the units of the data."""
        divisor = self.likelihood.divisor
        result = -deviance / 2 - divisor * np.log(self.scale)
        if self.reml:
            result += np.linalg.slogdet(self.back)[1]
        if self.design.weights is not None:
            result += np.log(self.design.weights).sum() / 2
        return float(result)

    def estimate(self, standardised: Floats) -> Floats:
        """Return estimates in the units of the data."""
        result = self.scale * self.back @ standardised
        result[self._intercepts] += self.shift
        return result

    def covariance(self, standardised: Floats) -> Floats:
        """Return a covariance of estimates in the units of the data."""
        return self.scale**2 * self.back @ standardised @ self.back.T

    @property
    def _intercepts(self) -> Flags:
        return np.array(self.design.terms) == "Intercept"


def standardise(design: Design, reml: bool = True) -> Standardised:
    """Return a design with standardised columns.

    Parameters
    ----------
    design : Design
        With one or two levels.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.

    Raises
    ------
    ProblemsFound
        If the engine does not support the random part (E505).
    NotAssessable
        If the terms explain the outcome, so that there is no residual variance to estimate.
    """
    _check_supported(design)
    lower = design.levels[0]
    codes, courses, upper = lower.codes, np.arange(lower.units), None
    if len(design.levels) > 1:
        by_course = np.zeros(lower.units, dtype=np.intp)
        by_course[codes] = design.levels[1].codes
        courses = np.argsort(by_course, kind="stable")
        codes, upper = np.argsort(courses)[codes], by_course[courses]
    if design.position is not None:
        order = np.lexsort((design.position, codes))
    elif (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
    else:
        order = np.arange(len(codes))
    back = _back(design.fixed, design.terms)
    parts = [
        _back(lower.columns[:, start:end], lower.names[start:end])
        for start, end in pairwise(np.cumsum((0, *lower.blocks)))
    ]
    centred = "Intercept" in design.terms
    shift = float(design.outcome.mean()) if centred else 0.0
    scale = float(np.sqrt(((design.outcome - shift) ** 2).mean()))
    effects_back = linalg.block_diag(*parts)
    of_rows = (order, codes[order], courses, upper)
    result = Standardised(design, reml, *of_rows, back, effects_back, shift, scale)
    _check_residuals(result)
    return result


def solve(design: Design, reml: bool = True) -> Solution:
    """Fit a linear mixed model, or a linear model where there is no random part.

    Parameters
    ----------
    design : Design
        At most two nested levels; the upper one has an intercept only.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.

    Returns
    -------
    Solution
        `df` are Satterthwaite's.

    Raises
    ------
    NoOptimum
        If no search ends in an optimum.
    ProblemsFound
        If the engine does not support the random part (E505).
    """
    if not design.levels and design.position is None:
        return least_squares(design, reml)
    problem_here = standardise(design, reml)
    return solution(problem_here, search.find(problem_here.likelihood))


def solution(standard: Standardised, optimum: search.Optimum) -> Solution:
    """Return an optimum in the units of the data."""
    design, likelihood, value = standard.design, standard.likelihood, optimum.value
    variance = value.rest / likelihood.divisor
    factor, tau, rho = likelihood.split(optimum.point)
    half = standard.effects_back @ factor
    residual = standard.scale**2 * variance
    random = [residual * half @ half.T]
    if standard.upper is not None:
        random.append(np.array([[residual * tau**2]]))
    covariance = standard.covariance(np.asarray(variance * np.linalg.inv(value.precision)))
    zero = [
        text
        for level, spread in zip(design.levels, random, strict=True)
        for text in on_boundary(level, spread, residual)
    ]
    return Solution(
        standard.estimate(value.estimate),
        covariance,
        residual,
        tuple(random),
        standard.loglik(value.deviance),
        degrees_of_freedom(standard, optimum, np.eye(len(covariance))),
        optimum.optimiser,
        tuple(zero),
        optimum.attempts,
        rho if design.position is not None else None,
        df_of=partial(degrees_of_freedom, standard, optimum),
    )


def degrees_of_freedom(
    standard: Standardised, optimum: search.Optimum, contrasts: Floats
) -> Floats:
    """Return Satterthwaite's degrees of freedom of linear combinations of the estimates.

    Parameters
    ----------
    standard : Standardised
    optimum : Optimum
    contrasts : ndarray, shape (number, terms)
        Weights of the estimates.

    Returns
    -------
    ndarray, shape (number,)
    """
    value, curvature = optimum.value, optimum.curvature
    variance = value.rest / standard.likelihood.divisor
    across = contrasts @ standard.back
    spread = variance * np.einsum(
        "ca,ab,cb->c", across, np.linalg.inv(value.precision), across, optimize=True
    )
    slopes = np.einsum("ca,kab,cb->ck", across, curvature.slopes, across, optimize=True)
    information = search.inverse_information(curvature.hessian)
    uncertainty = np.einsum("ck,kl,cl->c", slopes, information, slopes, optimize=True)
    return 2 * spread**2 / uncertainty


def _back(columns: Floats, names: tuple[str, ...]) -> Floats:
    """Return B such that columns @ B are standardised; centred only next to an intercept."""
    number = columns.shape[1]
    back = np.eye(number)
    centre = names.index("Intercept") if "Intercept" in names else None
    mean = np.ones(len(columns)) @ columns / len(columns)
    for place in range(number):
        if place == centre:
            continue
        shift = mean[place] if centre is not None else 0.0
        scale = float(np.sqrt(np.square(columns[:, place] - shift).mean())) or 1.0
        back[place, place] = 1.0 / scale
        if centre is not None:
            back[centre, place] = -shift / scale
    return back


def _check_residuals(standard: Standardised) -> None:
    """Raise if fixed terms, alone or with an effect of every course, explain the outcome."""
    total = standard.products.total
    fixed, cross, square = total[:-1, :-1], total[:-1, -1], total[-1, -1]
    if square - cross @ np.linalg.solve(fixed, cross) < LEFT * square:
        raise NotAssessable("the terms explain the outcome completely, nothing is left to estimate")
    likelihood = standard.likelihood

    def rest(spread: float) -> float:
        point = np.zeros(likelihood.parameters)
        point[: len(likelihood.entries[0])] = spread * np.eye(likelihood.size)[likelihood.entries]
        return likelihood.value(point).rest

    # The residual sum of squares approaches its limit as 1 / variance. It is therefore evaluated
    # at SD ratios 100 and 300 and extrapolated; an infinite variance would be numerically
    # unstable where random effects are collinear.
    far, near = rest(300.0), rest(100.0)
    left = far - (near - far) / (3.0**2 - 1)
    if not left > LEFT_WITHIN * square:
        factor = standard.design.levels[0].factor
        raise NotAssessable(because("none_within_terms", level=factor))


def _check_supported(design: Design) -> None:
    """Raise for a random part that has another form than sessions in courses in therapists."""
    levels = design.levels
    found = ""
    if not levels:
        found = "autocorrelated residuals without a level"
    elif len(levels) > 2:
        found = f"{len(levels)} levels ({', '.join(level.factor for level in levels)})"
    elif len(levels) == 2 and levels[1].names != ("Intercept",):
        found = f"({' + '.join(levels[1].names)} | {levels[1].factor}) above {levels[0].factor}"
    elif crossed(levels[0], levels[-1]):
        raise ProblemsFound(
            [problem("E504", key=design.formula, lower=levels[0].factor, upper=levels[1].factor)]
        )
    if found:
        raise ProblemsFound(
            [problem("E505", key=design.formula, engine="blocks", found=found, allowed=_SUPPORTED)]
        )
