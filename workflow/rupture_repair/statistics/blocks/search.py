"""The optimum of the deviance, its boundary included, and what follows from its curvature.

The mathematics is in :mod:`rupture_repair.statistics.blocks.likelihood`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize

from ...project.arrays import Floats
from ...project.reasons import because
from ..no_result import NoOptimum
from ..solution import ZERO
from .likelihood import Likelihood, Value

#: A point is an optimum when a Newton step from it would gain less log-likelihood than this.
GAIN = 1e-8

#: Steps of the central differences of the gradient, in standardised units.
STEP = 1e-4


class Curvature(NamedTuple):
    """Second derivatives of the deviance in the parameters and, last, log sigma."""

    hessian: Floats  # shape (parameters + 1, parameters + 1)
    slopes: Floats  # of the estimates' covariance, shape (parameters + 1, p, p)

    def profiled(self) -> Floats:
        """Return the Hessian with sigma profiled out."""
        last = self.hessian[:-1, -1]
        return self.hessian[:-1, :-1] - np.outer(last, last) / self.hessian[-1, -1]


@dataclass(frozen=True)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    point : ndarray, shape (parameters,)
    value : Value
        The deviance there and what follows from it.
    curvature : Curvature
    optimiser : str
    attempts : tuple of str
        What went wrong on the way.
    """

    point: Floats
    value: Value
    curvature: Curvature
    optimiser: str
    attempts: tuple[str, ...]


def find(likelihood: Likelihood, start: Floats | None = None) -> Optimum:
    """Return the optimum over the whole parameter space.

    Parameters
    ----------
    likelihood : Likelihood
        On standardised columns.
    start : ndarray, shape (parameters,), optional
        Where to begin.

    Raises
    ------
    NoOptimum
        If no attempt ends at a point where a Newton step gains next to nothing.
    """
    attempts: list[str] = []
    point = _start(likelihood) if start is None else start
    for _ in range(2 * likelihood.parameters + 2):
        point, value, curvature, method = _minimum(likelihood, point, attempts)
        point, value, snapped = _on_boundary(likelihood, point, value)
        better = _way_out(likelihood, point, value)
        if better is None:
            if snapped:
                curvature = curve(likelihood, point, value)
            return Optimum(point, value, curvature, method, tuple(attempts))
        point = better
    raise NoOptimum("; ".join([*attempts, "every stop could be left for a better one"]))


def curve(likelihood: Likelihood, point: Floats, value: Value) -> Curvature:
    """Return the curvature at a stop, by central differences of the exact gradient."""
    number, variance = len(point), value.rest / likelihood.divisor
    hessian = np.empty((number + 1, number + 1))
    slopes = np.empty((number + 1, *value.precision.shape))
    for place in range(number):
        shift = np.zeros(number)
        shift[place] = STEP
        above, below = (likelihood.value(point + sign * shift, variance) for sign in (1, -1))
        hessian[place, :-1] = (above.gradient - below.gradient) / (2 * STEP)
        # The derivative to log sigma is 2 (divisor - rest / sigma^2).
        slope = -2 / variance * (above.rest - below.rest) / (2 * STEP)
        hessian[place, -1] = hessian[-1, place] = slope
        change = np.linalg.inv(above.precision) - np.linalg.inv(below.precision)
        slopes[place] = variance * change / (2 * STEP)
    hessian[-1, -1] = 4 * value.rest / variance
    slopes[-1] = 2 * variance * np.linalg.inv(value.precision)
    hessian[:-1, :-1] = (hessian[:-1, :-1] + hessian[:-1, :-1].T) / 2
    return Curvature(hessian, slopes)


def inverse_information(hessian: Floats) -> Floats:
    """Return the covariance of parameters, leaving out directions without information."""
    values, vectors = np.linalg.eigh(hessian)
    known = values > 1e-8 * max(values[-1], 0.0)
    return 2 * (vectors[:, known] / values[known]) @ vectors[:, known].T


def _start(likelihood: Likelihood) -> Floats:
    """Return the most likely of a few starting points."""
    factor = np.eye(likelihood.size)[likelihood.entries]
    trials = []
    rhos = (0.0, 0.3, 0.6, -0.3) if likelihood.autocorrelated else (0.0,)
    for spread in (0.2, 0.7):
        for rho in rhos:
            tail = [] if likelihood.upper is None else [spread / 2]
            tail += [np.arctanh(rho)] if likelihood.autocorrelated else []
            trials.append(np.concatenate([spread * factor, tail]))
    deviances = [likelihood.value(trial).deviance for trial in trials]
    if not np.isfinite(deviances).any():
        raise NoOptimum("the likelihood cannot be computed at any starting point")
    return trials[int(np.nanargmin(deviances))]


def _minimum(likelihood: Likelihood, start: Floats, attempts: list[str]):
    """Return a stationary point: the point, its value and curvature, and who found it."""
    if not len(start):
        value = likelihood.value(start)
        return start, value, curve(likelihood, start, value), "least squares"
    units = likelihood.products.courses
    # In these units the information of every parameter is of the order of 1.
    scale = np.ones(len(start))
    if likelihood.upper is not None:
        scale[len(likelihood.entries[0])] = np.sqrt((likelihood.upper.max() + 1) / units)
    if likelihood.autocorrelated:
        scale[-1] = np.sqrt(likelihood.divisor / units)

    def loss(scaled: Floats) -> tuple[float, Floats]:
        value = likelihood.value(scaled / scale)
        if not np.isfinite(value.deviance):
            return 1e300, np.zeros(len(scaled))
        return value.deviance / (2 * units), value.gradient / scale / (2 * units)

    settings: dict[str, dict[str, float]] = {
        "L-BFGS-B": {"gtol": 3e-7, "ftol": 1e-13},
        "BFGS": {"gtol": 3e-7},
        "Nelder-Mead": {"xatol": 1e-7, "fatol": 1e-12},
    }
    for method, options in settings.items():
        exact = method != "Nelder-Mead"
        try:
            found = optimize.minimize(
                loss if exact else lambda scaled: loss(scaled)[0],
                start * scale,
                jac=exact,
                method=method,
                options=options,
            )
            point, value, curvature, gain = _polished(likelihood, found.x / scale)
        except np.linalg.LinAlgError as error:
            attempts.append(because("broke_off", method=method, said=error))
            continue
        if gain < GAIN:
            return point, value, curvature, method
        attempts.append(because("could_gain", method=method, gain=f"{gain:.2g}"))
    raise NoOptimum("; ".join(attempts))


def _polished(likelihood: Likelihood, point: Floats):
    """Improve a stop by Newton steps; return it, its value and curvature, and the gain left."""
    value = likelihood.value(point)
    # After so small a step the curvature is the same to five digits.
    small = 1e-12 * likelihood.products.courses
    for _ in range(20):
        curvature = curve(likelihood, point, value)
        gain, step = _newton(curvature, value)
        if gain < small / 10:
            break
        for part in (1.0, 0.25, 0.05):
            after = likelihood.value(point + part * step)
            if after.deviance < value.deviance:
                break
        else:
            break
        point, value, before = point + part * step, after, gain
        gain, _ = _newton(curvature, value)
        if gain < small / 10 and before < small:
            break
    return point, value, curvature, gain


def _newton(curvature: Curvature, value: Value) -> tuple[float, Floats]:
    """Return what a Newton step would gain in log-likelihood, and the step."""
    values, vectors = np.linalg.eigh(curvature.profiled())
    along = vectors.T @ value.gradient
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max() + 1e-300)
    return float((along**2 / size).sum()) / 4, -vectors @ (along / size)


def _on_boundary(likelihood: Likelihood, point: Floats, value: Value) -> tuple[Floats, Value, bool]:
    """Set what is nearly zero to zero; return point, value, and whether anything was."""
    factor, tau, _ = likelihood.split(point)
    snapped = point.copy()
    values, vectors = np.linalg.eigh(factor @ factor.T)
    if len(values) and values[0] < ZERO:
        spread = vectors * np.sqrt(np.where(values < ZERO, 0.0, values))
        spread[np.square(spread).sum(axis=1) < ZERO] = 0.0
        snapped[: len(likelihood.entries[0])] = _factor(likelihood, spread @ spread.T)
    if likelihood.upper is not None and tau**2 < ZERO:
        snapped[len(likelihood.entries[0])] = 0.0
    if np.array_equal(snapped, point):
        return point, value, False
    return snapped, likelihood.value(snapped), True


def _factor(likelihood: Likelihood, spread: Floats) -> Floats:
    """Return the free entries of a lower triangular factor of a covariance, perhaps singular."""
    rest, root = spread.copy(), np.zeros_like(spread)
    for place in range(len(rest)):
        if rest[place, place] > ZERO / 100:
            root[place:, place] = rest[place:, place] / np.sqrt(rest[place, place])
            rest -= np.outer(root[:, place], root[:, place])
    return root[likelihood.entries]


def _way_out(likelihood: Likelihood, point: Floats, value: Value) -> Floats | None:
    """Return a better start inside, where leaving the boundary gains anything, else None."""
    factor, tau, _ = likelihood.split(point)
    spread, entries = factor @ factor.T, len(likelihood.entries[0])
    trials = []
    allowed = np.zeros_like(spread, dtype=bool)
    allowed[likelihood.entries] = True
    slope = np.where(allowed | allowed.T, value.slope, 0.0)
    values, vectors = np.linalg.eigh(spread)
    outside = vectors[:, values < ZERO]
    if outside.shape[1]:
        steepest, directions = np.linalg.eigh(outside.T @ slope @ outside)
        if steepest[0] < 0:
            direction = outside @ directions[:, 0]
            for size in (1e-4, 1e-3, 1e-2, 1e-1):
                trial = point.copy()
                wider = spread + size * np.outer(direction, direction)
                trial[:entries] = _factor(likelihood, np.where(allowed | allowed.T, wider, 0.0))
                trials.append(trial)
    if likelihood.upper is not None and tau**2 < ZERO and value.slope_upper < 0:
        trials += [_replaced(point, entries, np.sqrt(size)) for size in (1e-4, 1e-3, 1e-2, 1e-1)]
    deviances = [likelihood.value(trial).deviance for trial in trials]
    if not trials or min(deviances) > value.deviance - GAIN:
        return None
    return trials[int(np.argmin(deviances))]


def _replaced(point: Floats, place: int, entry: float) -> Floats:
    """Return a point with one parameter replaced."""
    result = point.copy()
    result[place] = entry
    return result
