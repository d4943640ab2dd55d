"""Mixed models written out with the covariance of all rows, as slow and plain as can be."""

import numpy as np
import pandas as pd
from scipy import linalg


def sessions(seed=1, courses=14, therapists=4, longest=7, present=0.8):
    """Return unbalanced sessions, some missing, courses not in the order of therapists."""
    random = np.random.default_rng(seed)
    length = random.integers(1, longest + 1, courses)
    length[:2] = [1, longest]
    course = np.repeat(np.arange(courses), length)
    session = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length) + 1
    therapist = np.where(np.arange(courses) == 0, 0, random.integers(1, therapists, courses))
    effects = random.standard_normal((3, courses)) * [[2.0], [0.5], [1.0]]
    x, z = random.standard_normal((2, len(course)))
    y = 20 + 0.4 * session + x + effects[0, course] + effects[1, course] * session
    y = y + effects[2, course] * z + 1.5 * random.standard_normal(therapists)[therapist[course]]
    y = y + 2 * random.standard_normal(len(course))
    weight = random.uniform(0.3, 3, len(course))
    columns = {
        "course": [f"c{one:02d}" for one in course],
        "therapist": [f"t{one}" for one in therapist[course]],
        "session": session, "x": x, "z": z, "w": weight, "y": y,
    }  # fmt: skip
    table = pd.DataFrame(columns)
    kept = (random.random(len(course)) < present) | (session == 1)
    return table[kept].sample(frac=1, random_state=seed).reset_index(drop=True)


def units(level, more=0):
    """Return the design of the effects of all units of a level, unit by unit."""
    names = level.columns.shape[1]
    result = np.zeros((len(level.codes), (level.units + more) * names))
    for row, code in enumerate(level.codes):
        result[row, code * names : (code + 1) * names] = level.columns[row]
    return result


def residuals(design, rho):
    """Return the covariance of residuals relative to the residual variance."""
    rows = len(design.outcome)
    result = np.eye(rows)
    if design.position is not None:
        same = design.levels[0].codes[:, None] == design.levels[0].codes
        gap = np.abs(design.position[:, None] - design.position)
        result = np.where(same, float(rho) ** gap, 0.0)
    if design.weights is not None:
        result = result / np.sqrt(np.outer(design.weights, design.weights))
    return result


def spread(design, random, more=0):
    """Return the covariance of all effects, level after level."""
    blocks = [
        np.kron(np.eye(level.units + more), one)
        for level, one in zip(design.levels, random, strict=True)
    ]
    return linalg.block_diag(*blocks)


def covariance(design, random, residual, rho):
    """Return the covariance of the outcome."""
    effects = np.hstack([units(level) for level in design.levels])
    own = residual * residuals(design, rho)
    return effects @ spread(design, random) @ effects.T + own


def loglik(outcome, fixed, total, reml):
    """Return log-likelihood, estimates and their covariance, given that of the outcome."""
    root = np.linalg.cholesky(total)
    white = linalg.solve_triangular(root, np.column_stack([fixed, outcome]), lower=True)
    design, outcome = white[:, :-1], white[:, -1]
    precision = design.T @ design
    estimate = np.linalg.solve(precision, design.T @ outcome)
    rest = outcome - design @ estimate
    divisor = len(outcome) - (fixed.shape[1] if reml else 0)
    twice = divisor * np.log(2 * np.pi) + 2 * np.log(np.diag(root)).sum() + rest @ rest
    if reml:
        twice += np.linalg.slogdet(precision)[1]
    return -twice / 2, estimate, np.linalg.inv(precision)


def henderson(design, random, residual, rho, more=0):
    """Return estimates and effects of all units, and the covariance of their errors.

    `more` units of each level are without data.
    """
    effects = np.hstack([units(level, more) for level in design.levels])
    both = np.hstack([design.fixed, effects])
    weighted = np.linalg.solve(residual * residuals(design, rho), both)
    left = both.T @ weighted
    fixed = design.fixed.shape[1]
    left[fixed:, fixed:] += np.linalg.inv(spread(design, random, more))
    return np.linalg.solve(left, weighted.T @ design.outcome), np.linalg.inv(left)
