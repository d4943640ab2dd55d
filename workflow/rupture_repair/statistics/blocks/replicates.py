r"""Data drawn from a fitted model, and what the model makes of them.

What is seen in data is compared with what the fitted model itself produces. For given variances
residuals and random effects are linear in the outcome: with :math:`\hat u(U)` and :math:`\hat b(U)`
of :mod:`rupture_repair.statistics.blocks.random_effects` for every column of :math:`U=[X,Y]`, many
outcomes :math:`Y` side by side,

.. math:: M(U)=U-Z\hat b(U)-t\hat u(U)=RV^{-1}U,\qquad
          \hat\beta=(X'WM(X))^{-1}X'WM(Y),\qquad e=M(Y)-M(X)\hat\beta,

so that one pass serves them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...project.arrays import Floats, Integers
from .fit import Fit
from .random_effects import effects

#: Most numbers (rows x outcomes) and most outcomes held at a time.
_NUMBERS, _OUTCOMES = 4_000_000, 200


@dataclass(frozen=True)
class Replicates:
    """Residuals and random effects of several outcomes, one column each.

    Attributes
    ----------
    fitted, residuals : ndarray, shape (rows, outcomes)
        In the order of the rows analysed.
    effects : dict of (str, str) to ndarray, shape (units, outcomes)
        Conditional means by level and name, units in the order of the level's labels.
    """

    fitted: Floats
    residuals: Floats
    effects: dict[tuple[str, str], Floats]


def of_outcomes(found: Fit, outcomes: Floats) -> Replicates:
    """Return residuals and random effects of other outcomes, the variances held.

    Parameters
    ----------
    found : Fit
        With independent residuals.
    outcomes : ndarray, shape (rows, outcomes)
        Outcomes of the rows analysed.

    Returns
    -------
    Replicates

    Raises
    ------
    ValueError
        If residuals of the model are autocorrelated.
    """
    design, standard = found.design, found.standard
    if design.position is not None:
        raise ValueError("replicates are of models with independent residuals only")
    many = replace(standard, design=replace(design, outcome=outcomes))
    linear = effects(many, found.optimum)
    fixed, lower = design.fixed @ standard.back, design.levels[0]
    left = np.column_stack([fixed, (outcomes - standard.shift) / standard.scale])
    for column, effect in zip(
        (lower.columns @ standard.effects_back).T, linear.course, strict=True
    ):
        left -= column[:, None] * effect.T[lower.codes]
    if standard.upper is not None:
        left -= linear.upper.T[design.levels[1].codes]
    weights = 1.0 if design.weights is None else design.weights[:, None]
    terms = fixed.shape[1]
    products = (weights * fixed).T @ left
    estimate = np.linalg.solve(products[:, :terms], products[:, terms:])
    residuals = standard.scale * (left[:, terms:] - left[:, :terms] @ estimate)
    contrast = np.vstack([-estimate, np.eye(outcomes.shape[1])])
    course = np.einsum("bmc,ms->bcs", linear.course, contrast, optimize=True)
    course = standard.scale * np.einsum("ab,bcs->acs", standard.effects_back, course)
    means = {(lower.factor, name): course[place] for place, name in enumerate(lower.names)}
    if standard.upper is not None:
        upper = design.levels[1]
        means[upper.factor, "Intercept"] = standard.scale * linear.upper.T @ contrast
    return Replicates(outcomes - residuals, residuals, means)


def _by_appearance(codes: Integers) -> Integers:
    """Return which place each unit has in the order of the rows, so that names do not matter."""
    first = np.unique(codes, return_index=True)[1]
    return np.argsort(np.argsort(first))


def draw(found: Fit, number: int, seed: int | list[int]) -> Iterator[Replicates]:
    """Draw outcomes from a fitted model, with its own rows and columns.

    Parameters
    ----------
    found : Fit
        With independent residuals.
    number : int
        Of outcomes.
    seed : int or list of int

    Yields
    ------
    Replicates
        Some of the outcomes at a time, so that large data fit into memory.
    """
    design, solution = found.design, found.solution
    random = np.random.default_rng(seed)
    rows = len(design.outcome)
    at_once = max(1, min(_OUTCOMES, _NUMBERS // rows))
    expected = (design.fixed @ solution.estimate)[:, None]
    scale = np.sqrt(solution.residual) * np.ones((rows, 1))
    if design.weights is not None:
        scale /= np.sqrt(design.weights)[:, None]
    roots = []
    for spread in solution.random:
        values, vectors = np.linalg.eigh(spread)
        roots.append(vectors * np.sqrt(values.clip(0.0)))
    for start in range(0, number, at_once):
        size = min(at_once, number - start)
        outcomes = expected + scale * random.standard_normal((rows, size))
        for level, root in zip(design.levels, roots, strict=True):
            units = random.standard_normal((level.units, size, len(root))) @ root.T
            units = units[_by_appearance(level.codes)]
            for place, column in enumerate(level.columns.T):
                outcomes += column[:, None] * units[level.codes, :, place]
        yield of_outcomes(found, outcomes)
