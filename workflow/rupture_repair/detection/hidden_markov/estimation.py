"""Estimation of the hidden Markov model by accelerated EM.

The mathematics of the steps is in
:mod:`rupture_repair.detection.hidden_markov.rupture_probability`.
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from ...project.arrays import Floats
from . import chain
from .chain import LONGEST_GAP, Chain, CourseBlock, Parameters

#: EM steps at most, and the gain of log likelihood per rating at which it stops.
MOST_STEPS, GAIN = 100, 5e-6
#: Longest stride of an extrapolated step, in EM steps.
LONGEST_STRIDE = 16.0
#: Limits of the carry-over, and of the log SD of depth and of volatility.
CARRIES, SPREADS = (0.0, 0.95), (0.02, 1.0)


#: Of each block: mean and covariance of level and trend of its courses.
Places = list[tuple[Floats, Floats]]


class _Moments:
    """What an E step hands to the M step, summed over blocks."""

    def __init__(self, states: int):
        self.courses, self.loglik = 0, 0.0
        self.mean, self.square = np.zeros(2), np.zeros((2, 2))
        self.gradient, self.information = np.zeros(5), np.zeros((5, 5))
        self.counts = np.zeros((LONGEST_GAP + 1, states, states))

    def add(self, block: CourseBlock, nodes: chain.Nodes, states: chain.Smoothed) -> None:
        """Add a block."""
        self.courses += len(block.course)
        self.loglik += float(nodes.loglik.sum())
        self.mean += np.einsum("vb,vbi->i", nodes.weight, nodes.mean)
        self.square += np.einsum("vb,vbij->ij", nodes.weight, nodes.covariance)
        self.square += np.einsum("vb,vbi,vbj->ij", nodes.weight, nodes.mean, nodes.mean)
        self.gradient += states.gradient
        self.information += states.information
        np.add.at(self.counts, block.gap, np.moveaxis(states.pairs, -1, 1))


def _chances(counts: Floats, p: Parameters) -> tuple[float, float]:
    """Return onset and recovery from the expected transitions over each gap.

    A gap of g sessions hides g single steps; their expectation given the states at both ends has
    a closed form.
    """
    one = chain.transition(np.array(1), p)
    powers = np.moveaxis(chain.transition(np.arange(LONGEST_GAP + 1), p), -1, 0)
    singles = np.zeros((2, 2))
    for gap in np.flatnonzero(counts.sum(axis=(1, 2))):
        ratio = counts[gap] / np.maximum(powers[gap], 1e-300)
        after = powers[:gap][::-1]
        singles += one * np.einsum("uik,ij,ulj->kl", powers[:gap], ratio, after)
    onset = singles[0, 1] / max(singles[0].sum(), 1e-12)
    recovery = singles[1, 0] / max(singles[1].sum(), 1e-12)
    if onset > recovery:  # the likelihood is highest on the border of what is allowed
        onset = recovery = (singles[0, 1] + singles[1, 0]) / singles.sum()
    return float(np.clip(onset, 1e-6, 0.999)), float(np.clip(recovery, 1e-3, 0.999))


def _maximised(p: Parameters, found: _Moments, pace: float) -> Parameters:
    """Return the parameters after the M step; `pace` shortens the scoring step."""
    mean = found.mean / found.courses
    # Never singular, even where all courses are alike.
    least = np.diag([(p.noise / 100) ** 2, (p.noise / 1000) ** 2])
    covariance = found.square / found.courses - np.outer(mean, mean) + least
    free = slice(chain.DEPTH if p.states == 2 else chain.CARRY, None)
    step = np.zeros(5)
    step[free] = np.linalg.lstsq(found.information[free, free], found.gradient[free])[0]
    step[chain.DEPTH] = np.clip(step[chain.DEPTH], -p.depth / 2, p.depth)
    step[1:] = np.clip(step[1:], -0.3, 0.3)
    theta = p.theta() + pace * step
    theta[chain.SPREAD] = np.clip(theta[chain.SPREAD], *SPREADS)
    theta[chain.VOLATILITY] = np.clip(theta[chain.VOLATILITY], *SPREADS)
    theta[chain.CARRY] = np.clip(theta[chain.CARRY], *CARRIES)
    new = replace(p.at(theta), level=mean[0], trend=mean[1], covariance=covariance)
    if p.states == 2:
        onset, recovery = _chances(found.counts, p)
        new = replace(new, onset=onset, recovery=recovery)
    return new


def _free(p: Parameters, unit: float) -> Floats:
    """Return the parameters as numbers of similar size that may take nearly any value."""
    root = np.linalg.cholesky(p.covariance) / unit
    values = [p.level / unit, p.trend / unit]
    values += [np.log(root[0, 0]), root[1, 0] / root[0, 0], np.log(root[1, 1])]
    values += [p.carry, np.log(p.noise), np.log(p.volatility)]
    if p.states == 2:
        values += [np.log(p.depth), np.log(p.depth_spread), logit(p.onset), logit(p.recovery)]
    return np.array(values)


def _of_free(p: Parameters, free: Floats, unit: float) -> Parameters:
    """Return the parameters that :func:`_free` turns into `free`, within their limits."""
    level, trend, first, ratio, second, carry, noise, volatility = free[:8]
    root = unit * np.array([[np.exp(first), 0.0], [ratio * np.exp(first), np.exp(second)]])
    new = replace(
        p,
        level=float(unit * level),
        trend=float(unit * trend),
        covariance=root @ root.T,
        carry=float(np.clip(carry, *CARRIES)),
        noise=float(np.exp(noise)),
        volatility=float(np.clip(np.exp(volatility), *SPREADS)),
    )
    if p.states == 1:
        return new
    depth, spread, onset, recovery = free[8:]
    return replace(
        new,
        depth=float(np.exp(depth)),
        depth_spread=float(np.clip(np.exp(spread), *SPREADS)),
        onset=float(expit(min(onset, recovery))),
        recovery=float(expit(recovery)),
    )


def _extrapolated(steps: list[Parameters], unit: float) -> Parameters:
    """Return where two EM steps between three sets of parameters are heading (scheme S3)."""
    first, second, third = (_free(p, unit) for p in steps)
    change = second - first
    bend = (third - second) - change
    stride = np.linalg.norm(change) / max(float(np.linalg.norm(bend)), 1e-150)
    stride = np.clip(stride, 1.0, LONGEST_STRIDE)
    return _of_free(steps[-1], first + 2 * stride * change + stride**2 * bend, unit)


def _expected(blocks: list[CourseBlock], p: Parameters, grids: Places) -> tuple[_Moments, Places]:
    """Do the E step: return what the M step needs, and where the next grids should lie."""
    found, moved = _Moments(p.states), []
    for block, place in zip(blocks, grids, strict=True):
        steps = Chain(block, p, chain.grid(*place, p))
        nodes = steps.forward()
        found.add(block, nodes, steps.backward(learn=True))
        moved.append(chain.recentred(block, p, nodes))
    return found, moved


def maximise(blocks: list[CourseBlock], p: Parameters) -> tuple[Parameters, list[float], bool]:
    """Return the parameters of highest likelihood, the likelihoods, and whether EM converged.

    Only likelihoods of plain steps count: an extrapolated one may owe some of its height to a
    grid that is not yet where it should be.
    """
    unit = p.noise
    grids = [chain.centred(block, p) for block in blocks]
    least = GAIN * sum(int(block.rated.sum()) for block in blocks)
    best, path, pace, plain = (p, _Moments(p.states), grids), [-np.inf], 1.0, [p]
    for _ in range(MOST_STEPS):
        if len(plain) == 3:
            tried = _extrapolated(plain, unit)
            found, moved = _expected(blocks, tried, grids)
            plain = plain[-1:]
            if found.loglik >= path[-1]:
                grids, plain = moved, [_maximised(tried, found, pace)]
        p = plain[-1]
        found, grids = _expected(blocks, p, grids)
        gain = found.loglik - path[-1]
        if gain < -least:
            p, found, grids = best
            pace, plain = pace / 2, [p]
        else:
            path.append(found.loglik)
            best = (p, found, grids) if gain > 0 else best
        if len(path) > 6 and abs(gain) < least:
            return best[0], path[1:], True
        plain.append(_maximised(p, found, pace))
    return best[0], path[1:], False
