r"""Scores of the hidden Markov model: derivatives of each course's log likelihood.

By Fisher's identity they are the expected derivatives of the logarithm of the joint density of
ratings, states, level and trend, given the ratings. With the nodes of the grid held where they are
they are exact derivatives of the likelihood as it is computed.
"""

import numpy as np

from ...project.arrays import Floats
from .chain import Chain, SessionPosterior
from .parameters import (
    CARRY,
    DEPTH,
    FEW,
    MANY,
    NOISE,
    ONSET,
    SPREAD,
    VOLATILITY,
)


def scores(chain: Chain, unit: float) -> Floats:
    """Return the scores of the courses of a block, shape (parameters, courses).

    Parameters
    ----------
    chain : Chain
        After `forward`.
    unit : float
        That of :meth:`Parameters.free`, in whose order the parameters are.
    """
    number = MANY if chain.p.ruptures else FEW
    found = np.zeros((number, len(chain.block.course)))
    lines = np.zeros((2, *chain.nodes.level.shape))
    for session in chain.smoothed():
        _add_rating(chain, session, found, lines)
        if chain.p.ruptures:
            slopes = chain.p.slopes[:, chain.block.moves[session.number]]
            found[ONSET:] += np.einsum("bij,pbij->pb", session.pairs, slopes)
    root, (first, second) = chain.p.root, chain.nodes.place
    found[:2] = unit * lines.sum(axis=2)
    found[2] = (first * (root[0, 0] * lines[0] + root[1, 0] * lines[1])).sum(axis=1)
    found[3] = (first * root[0, 0] * lines[1]).sum(axis=1)
    found[4] = (second * root[1, 1] * lines[1]).sum(axis=1)
    return found


def _add_rating(chain: Chain, session: SessionPosterior, found: Floats, lines: Floats) -> None:
    """Add the derivatives of the log probability of one rating of each course.

    Those by level and trend are kept for each node, in `lines`.
    """
    t, p, time = session.number, chain.p, chain.block.time
    carried, kept = chain.carried(t), chain.kept[t]
    weight = session.weight * chain.block.rated[t][:, None, None, None]
    shift, stretch = _slopes_of_rating(chain, t, weight, carried)
    before = shift.sum(axis=2)
    found[CARRY] += chain.kept_slope[t] * np.einsum("ben,ben->b", before, carried)
    found[CARRY] += chain.scale_slope[t] * stretch.sum(axis=1)
    found[NOISE] += stretch.sum(axis=1)
    found[VOLATILITY] += p.volatility * stretch @ chain.volatile
    # What an end of the scale has cut of a deviation does not depend on line and depth.
    before *= carried != 0
    now, then = shift.sum(axis=(1, 2)), kept[:, None] * before.sum(axis=1)
    lines[0] += now - then
    lines[1] += time[t][:, None] * now - time[t - 1][:, None] * then
    if p.ruptures:
        falls = np.array([p.falls, np.nan_to_num(p.points) * p.falls])
        slope = falls @ (kept * before.sum(axis=2).T - shift.sum(axis=(1, 3)).T)
        found[DEPTH] += slope[0]
        found[SPREAD] += p.depth_spread * slope[1]


def _slopes_of_rating(
    chain: Chain, t: int, weight: Floats, carried: Floats
) -> tuple[Floats, Floats]:
    """Return the weighted slopes by location, as `weight`, and by log scale (courses, nodes).

    With the tails F(-(z + h)) and F(-(z - h)) of the interval that a rating means. Large arrays
    are evaluated in place, which halves the time.
    """
    scale, half = (values[t][:, None, None] for values in (chain.scale, chain.half))
    above, below = (values[t][:, None, None] for values in (chain.above, chain.below))
    fall = chain.p.falls[:, None] / scale
    z = chain.residual(t, carried)[:, :, None]
    upper = np.exp(-z) * np.exp(-fall)
    lower = upper * below
    upper *= above
    for tail in (lower, upper):
        tail += 1
        np.divide(1, tail, out=tail)
    shift = lower + upper
    shift -= 1
    shift *= weight
    shift /= scale
    z = z + fall
    stretch = z - half
    z += half
    for side, tail in ((stretch, lower), (z, upper)):
        side *= tail
        side *= np.subtract(1, tail, out=tail)
    stretch -= z
    stretch *= weight
    stretch /= np.maximum(chain.chance[t], 1e-300)
    return shift, stretch.sum(axis=(1, 2))
