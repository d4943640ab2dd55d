"""Estimation of the hidden Markov model by maximum likelihood, and its standard errors.

The mathematics of the steps is in
:mod:`rupture_repair.detection.hidden_markov.rupture_probability`.
"""

from dataclasses import dataclass

import numpy as np

from ...project.arrays import Flags, Floats
from . import chain
from .chain import Chain, CourseBlock
from .parameters import Parameters, limits, prior
from .scores import scores

#: The gain of log likelihood that the slope still foretells, at which the climb stops.
GAIN = 0.05
#: Rounds, and steps of each, at most; and the gain of a round after which there is no other.
_MOST_ROUNDS, _MOST_STEPS, _LEAST_ROUND = 6, 15, 0.3
#: Damping of the first step and of the last that is tried.
_FIRST_DAMPING, _MOST_DAMPING = 0.01, 1e6
#: Longest step of a free parameter.
_LONGEST = 0.7

#: Of each block: mean and covariance of the places of its courses.
Places = list[tuple[Floats, Floats]]


@dataclass(frozen=True)
class MarkovFit:
    """Parameters of highest likelihood.

    Attributes
    ----------
    parameters : Parameters
    path : tuple of float
        The log likelihood and log density of the weak prior at each step of the last round.
    loglik : float
        The log likelihood.
    converged : bool
    information : ndarray, shape (parameters, parameters)
        Sum over courses of the outer products of their scores.
    held : ndarray of bool, shape (parameters,)
        Which parameters lie at a limit.
    places : list
        Where the grids lie.
    unit : float
        Of the free parameters.
    """

    parameters: Parameters
    path: tuple[float, ...]
    loglik: float
    converged: bool
    information: Floats
    held: Flags
    places: Places
    unit: float


def places_of(blocks: list[CourseBlock], p: Parameters) -> Places:
    """Return where the grids of the blocks should lie at first."""
    return [chain.centred(block, p) for block in blocks]


def evaluated(
    blocks: list[CourseBlock], p: Parameters, places: Places, unit: float
) -> tuple[float, Floats, Places]:
    """Return log likelihood, scores (parameters, courses), and where grids should lie next."""
    total, parts, moved = 0.0, [], []
    for block, place in zip(blocks, places, strict=True):
        steps = Chain(block, p, chain.grid(*place, p, chain.FEW_LEVELS))
        nodes = steps.forward()
        total += float(nodes.loglik.sum())
        parts.append(scores(steps, unit))
        moved.append(chain.recentred(block, p, nodes))
    return total, np.concatenate(parts, axis=1), moved


def _held(free: Floats, slope: Floats) -> Flags:
    """Say which parameters lie at a limit that the likelihood pushes them against."""
    low, high = limits(len(free))
    return ((free <= low + 1e-9) & (slope < 0)) | ((free >= high - 1e-9) & (slope > 0))


def maximise(
    blocks: list[CourseBlock],
    p: Parameters,
    unit: float,
    *,
    places: Places | None = None,
    most_steps: int | None = None,
) -> MarkovFit:
    """Climb to the highest likelihood from `p`.

    The grids are held where they are while the parameters climb, and laid anew when they are at
    the top, until that is where the new ones have it as well.

    Parameters
    ----------
    blocks : list of CourseBlock
    p : Parameters
    unit : float
        Of :meth:`Parameters.free`.
    places : list, optional
        Where the grids lie at first.
    most_steps : int, optional
        Of a trial, on grids that are laid only once.
    """
    places = places_of(blocks, p) if places is None else places
    if most_steps is not None:
        return _climbed(blocks, p, unit, places, most_steps)[0]
    for _ in range(_MOST_ROUNDS):
        fit, moved = _climbed(blocks, p, unit, places, _MOST_STEPS)
        if fit.converged and fit.path[-1] - fit.path[0] < _LEAST_ROUND:
            break
        p, places = fit.parameters, moved
    return fit


def _climbed(
    blocks: list[CourseBlock], p: Parameters, unit: float, places: Places, most_steps: int
) -> tuple[MarkovFit, Places]:
    """Climb on grids that are held; return also where they should lie next."""
    free = p.free(unit)
    loglik, found, moved = evaluated(blocks, p, places, unit)
    density, pull, firm = prior(free)
    path, damping, bend = [loglik + density], _FIRST_DAMPING, found @ found.T + np.diag(firm)
    slope = found.sum(axis=1) + pull
    while True:
        held = _held(free, slope)
        here = np.ix_(~held, ~held)
        scale = np.diag(np.diag(bend[here]) + 1e-12)
        foretold = slope[~held] @ np.linalg.lstsq(bend[here], slope[~held])[0]
        converged, better = bool(foretold < 2 * GAIN), None
        while not converged and len(path) <= most_steps and damping < _MOST_DAMPING:
            step = np.zeros(len(free))
            step[~held] = np.linalg.lstsq(bend[here] + damping * scale, slope[~held])[0]
            step *= min(1.0, _LONGEST / np.abs(step).max())
            tried = p.at(free + step, unit)
            density, pull, _ = prior(tried.free(unit))
            better = evaluated(blocks, tried, places, unit)
            if better[0] + density > path[-1]:
                break
            better, damping = None, max(damping, 0.01) * 10
        if better is None:
            information = found @ found.T + np.diag(firm)
            fit = MarkovFit(p, tuple(path), loglik, converged, information, held, places, unit)
            return fit, moved
        loglik, found, moved = better
        now, fell = tried.free(unit), slope
        slope = found.sum(axis=1) + pull
        bend = _updated(bend, now - free, fell - slope)
        p, free, damping = tried, now, damping / 10
        path.append(loglik + density)


def _updated(bend: Floats, change: Floats, fell: Floats) -> Floats:
    """Return how the slope bends, after it fell along a change (Broyden, Fletcher, ...)."""
    foretold = bend @ change
    length, expected = change @ fell, change @ foretold
    if length <= 0.1 * expected:  # not convex here: what is known of the bend is kept
        return bend
    return bend + np.outer(fell, fell) / length - np.outer(foretold, foretold) / expected


def standard_errors(fit: MarkovFit) -> dict[str, float]:
    """Return the standard errors of what :meth:`Parameters.natural` names.

    From the information by the outer products of the scores, by the delta method; without
    parameters at a limit, which count as known.
    """
    kept, free = np.flatnonzero(~fit.held), fit.parameters.free(fit.unit)
    covariance = np.linalg.pinv(fit.information[np.ix_(kept, kept)])
    slopes = []
    for place in kept:
        ends = []
        for side in (-1, 1):
            moved = free.copy()
            moved[place] += side * 1e-5
            ends.append(list(fit.parameters.at(moved, fit.unit).natural().values()))
        slopes.append((np.array(ends[1]) - np.array(ends[0])) / 2e-5)
    jacobian = np.array(slopes).T
    variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    names = list(fit.parameters.natural())
    return {names[i]: float(np.sqrt(variance[i])) for i in kept}
