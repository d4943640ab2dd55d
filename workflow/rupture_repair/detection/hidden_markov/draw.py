"""Courses drawn from a fitted hidden Markov model, with their true states."""

from dataclasses import dataclass

import numpy as np

from ...project.arrays import Flags, Floats, Integers
from ..courses import Courses
from .parameters import LONGEST_GAP, POINTS, SHARES, Parameters, chain_time
from .rupture_probability import HiddenMarkovModel


@dataclass(frozen=True)
class DrawnCourses:
    """Ratings of the model with the truth; all arrays but `courses` have the shape (ratings,).

    Attributes
    ----------
    courses : Courses
    ruptured, lasting, repaired : ndarray of bool
        The session is in a rupture; in one that lasts; steady after a rupture.
    fall : ndarray of float
        Depth of the rupture that the session is in, 0 outside.
    begins : ndarray of bool
        First rated session of a rupture.
    """

    courses: Courses
    ruptured: Flags
    lasting: Flags
    repaired: Flags
    fall: Floats
    begins: Flags


def draw(
    pattern: Courses,
    model: HiddenMarkovModel,
    random: np.random.Generator,
    *,
    ruptures: bool = True,
) -> DrawnCourses:
    """Draw ratings for the rated sessions of some courses.

    Parameters
    ----------
    pattern : Courses
        Its sessions are rated; its ratings do not matter.
    model : HiddenMarkovModel
    random : Generator
    ruptures : bool
        False for the same model without any rupture.

    Returns
    -------
    DrawnCourses
    """
    p, number = model.parameters, len(pattern.length)
    root = np.linalg.cholesky(p.covariance)
    line = np.array([p.level, p.trend]) + random.standard_normal((number, 2)) @ root.T
    scale = p.noise * np.exp(p.volatility * POINTS[random.choice(3, number, p=SHARES)])
    state, moved = np.zeros(number, dtype=np.int64), np.zeros(len(pattern.rating), dtype=np.int64)
    rating = np.empty(len(pattern.rating))
    carried, last, fresh = np.zeros(number), np.ones(number, dtype=np.int64), moved.astype(bool)
    kinds, seen = p.shape[1], np.zeros(number, dtype=bool)
    least, most = model.ends
    for position in range(int(pattern.length.max(initial=0))):
        here = np.flatnonzero(pattern.length > position)
        at = pattern.start[here] + position
        session, uniform = pattern.session[at], random.random((2, len(here)))
        gap = np.minimum(session - last[here], LONGEST_GAP)
        steps = np.minimum(chain_time(session) - chain_time(last[here]), LONGEST_GAP)
        before = state[here]
        if ruptures and p.ruptures:
            state[here] = _next(p, before, steps, uniform[0])
        fall = p.falls[state[here] // kinds]
        kept = np.where(seen[here], p.carry**gap, 0.0)
        steady = line[here, 0] + line[here, 1] * (session - model.centre)
        noise = scale[here] * np.sqrt(1 - kept**2) * np.log(uniform[1] / (1 - uniform[1]))
        shown = _shown(steady - fall + kept * carried[here] + noise, model)
        off = np.clip(shown, least, most) - steady + fall
        off = np.where(shown >= most - model.step / 2, np.maximum(off, 0), off)
        at_bottom = shown <= least + model.step / 2
        carried[here] = np.where(at_bottom, np.minimum(off, 0), off)
        rating[at], moved[at], last[here], seen[here] = shown, state[here], session, True
        fresh[at] = (fall > 0) & (before != state[here])
    ruptured, late = moved // kinds > 0, moved % kinds == 1
    return DrawnCourses(
        Courses(rating, pattern.session, pattern.start),
        ruptured, ruptured & late, ~ruptured & late, p.falls[moved // kinds], fresh,
    )  # fmt: skip


def _next(p: Parameters, state: Integers, steps: Integers, uniform: Floats) -> Integers:
    """Move states on over some sessions, each by one uniform random number."""
    so_far = np.cumsum(p.powers[steps, state], axis=1)
    return np.minimum((uniform[:, None] > so_far).sum(axis=1), so_far.shape[1] - 1)


def _shown(latent: Floats, model: HiddenMarkovModel) -> Floats:
    """Put latent ratings on the form: rounded to its step, cut at its ends."""
    rounded = np.rint((latent - model.low) / model.step) * model.step + model.low
    return np.clip(rounded, model.low, model.high)
