"""What is not known of the parameters of a hidden Markov model, for whoever uses its posterior.

A regression on posterior probabilities takes the parameters as known. Its standard errors are right
only if they know how far each course moved the parameters, and how far the parameters move the
posterior (Newey & McFadden 1994, Handbook of Econometrics 4, 2111-2245, section 6).
"""

from dataclasses import dataclass, replace

import numpy as np

from ...project.arrays import Floats, Integers
from ..courses import Courses, chosen
from . import estimation
from .parameters import limits, prior
from .rupture_probability import Assessment, HiddenMarkovModel, assess, blocks_of, sampled

#: Courses from which it is learnt how the posterior moves, at most: it is a small correction.
MOST_MOVED = 40
#: Step of a free parameter by which the posterior is moved.
_STEP = 0.01


@dataclass(frozen=True)
class Uncertainty:
    """How the parameters came about, and what hangs on them; parameters at a limit are left out.

    Attributes
    ----------
    influence : ndarray, shape (courses, parameters)
        How far each course moved the free parameters: information^-1 x score. Its sum is 0.
    slopes : dict of str to ndarray, shape (parameters, ratings)
        Derivatives of the probabilities `open` and `repaired` and of `deviation`, smoothed; 0 in
        courses from which it is not learnt.
    scale : float
        All courses by those from which it is learnt.
    """

    influence: Floats
    slopes: dict[str, Floats]
    scale: float


def uncertainty(courses: Courses, model: HiddenMarkovModel) -> Uncertainty:
    """Return what is not known of the parameters of a model that is identified.

    Parameters
    ----------
    courses : Courses
        Those that the model was fitted to.
    model : HiddenMarkovModel
    """
    p = model.parameters
    free = p.free(p.noise)
    low, high = limits(len(free))
    kept = np.flatnonzero((free > low + 1e-6) & (free < high - 1e-6))
    which, number = sampled(courses), len(courses.length)
    blocks = list(blocks_of(chosen(courses, which)[0], model))
    _, scores, _ = estimation.evaluated(blocks, p, estimation.places_of(blocks, p), p.noise)
    scores = scores[kept]
    information = scores @ scores.T + np.diag(prior(free)[2][kept])
    influence = np.zeros((number, len(kept)))
    order = which[np.concatenate([block.course for block in blocks])]
    influence[order] = scores.T @ np.linalg.pinv(information)
    # Evenly spaced in an order of their content: the order of the courses changes nothing.
    some = np.linspace(0, len(which) - 1, min(len(which), MOST_MOVED)).astype(int)
    few = np.unique(which[some])
    return Uncertainty(influence, _slopes(courses, model, few, kept), number / len(few))


def _slopes(
    courses: Courses, model: HiddenMarkovModel, few: Integers, kept: Integers
) -> dict[str, Floats]:
    """Return the derivatives of what the model says of the ratings of a few courses."""
    p = model.parameters
    free = p.free(p.noise)
    part, ratings = chosen(courses, few)
    here = _said(assess(part, model))
    slopes = {name: np.zeros((len(kept), len(courses.rating))) for name in here}
    for place, parameter in enumerate(kept):
        step = np.zeros(len(free))
        step[parameter] = _STEP
        there = replace(model, parameters=p.at(free + step, p.noise))
        for name, value in _said(assess(part, there)).items():
            slopes[name][place, ratings] = (value - here[name]) / _STEP
    return slopes


def _said(found: Assessment) -> dict[str, Floats]:
    return {"open": found.probability, "repaired": found.repaired, "deviation": found.deviation}
