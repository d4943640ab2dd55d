"""The rules over windows once more, course by course and window by window, by plain matrices.

Slow on purpose, and written without the kernel: what the kernel must agree with.
"""

import math

import numpy as np


def hazard(above):
    """Mean of a standard normal value that lies above `above`."""
    return (
        math.exp(-above * above / 2)
        / math.sqrt(2 * math.pi)
        / (math.erfc(above / math.sqrt(2)) / 2)
    )


def normal_score(t, free):
    return math.sqrt(free * math.log1p(t * t / free)) * (8 * free + 1) / (8 * free + 3)


def settled(time, rating, p, degrees, rounds=5):
    """Ratings with those at the top replaced, the variance hidden there, and the SD."""
    design = np.column_stack([np.ones(len(time)), time])
    prior = np.diag([p.pooled / p.level_variance, p.pooled / p.trend_variance])
    centre = np.array([p.level, p.trend])
    inverse = np.linalg.inv(design.T @ design + prior)
    free = len(time) - np.trace(design @ inverse @ design.T)
    value, hidden = rating.copy(), np.zeros(len(time))
    for step in range(rounds + 1):
        line = design @ (centre + inverse @ design.T @ (value - design @ centre))
        squares = ((value - line) ** 2 + hidden).sum()
        variance = (degrees * p.variance + squares) / (degrees + free)
        if step == rounds:
            break
        for i in np.flatnonzero(rating >= p.top):
            above = (p.top - line[i]) / math.sqrt(variance)
            mean = hazard(above)
            value[i] = line[i] + math.sqrt(variance) * mean
            hidden[i] = variance * (1 + above * mean - mean * mean)
    return value, hidden, variance


def windows(sessions, ratings, p, how, prior_times=2.0):
    """Return every window of one course: (first, stop, fall, information, z)."""
    number = len(ratings)
    sessions, ratings = np.asarray(sessions, float), np.asarray(ratings, float)
    time = sessions - sessions.mean()
    degrees = prior_times * p.degrees
    value, hidden, variance = settled(time, ratings, p, degrees)
    rho = how.carry_share * p.carry
    gap = np.abs(sessions[:, None] - sessions[None, :])
    weight = np.linalg.inv(rho**gap) if rho else np.eye(number)
    design = np.column_stack([np.ones(number), time])
    centre = np.array([p.level, p.trend])
    prior = np.diag([variance / p.level_variance, variance / p.trend_variance])
    free = number - np.trace(
        np.linalg.solve(design.T @ weight @ design + prior, design.T @ weight @ design)
    )
    around = value - design @ centre
    line = np.linalg.solve(design.T @ weight @ design + prior, design.T @ weight @ around)
    squares = around @ weight @ (around - design @ line) + hidden.sum()
    nu = degrees + free - 1
    found = []
    pairs = [(i, i + long) for long in range(1, how.longest + 1) for i in range(number - long + 1)]
    if how.to_end:
        pairs += [(i, number) for i in range(number - how.longest)]
    for i, j in pairs:
        if i < how.before:
            continue
        if how.span:
            earlier = value[max(0, i - how.span) : i]
            fall = earlier.mean() - value[i:j].mean()
            information = 1 / (1 / (j - i) + 1 / len(earlier))
        else:
            # One regression with a shift of its own for the window: level, trend, shift.
            wide = np.column_stack([design, ((np.arange(number) >= i) & (np.arange(number) < j))])
            penalty = np.zeros((3, 3))
            penalty[:2, :2] = prior
            covariance = np.linalg.inv(wide.T @ weight @ wide + penalty)
            fall = -(covariance @ wide.T @ weight @ around)[2]
            information = 1 / covariance[2, 2]
        left = max(squares - max(fall, 0) ** 2 * information, 0)
        t = fall * math.sqrt(information) / math.sqrt((degrees * p.variance + left) / nu)
        found.append((i, j, fall, information, math.copysign(normal_score(t, nu), t)))
    return found


def greedy(found, k):
    """The lowest window, then the lowest that does not overlap it, and so on, in order."""
    kept = []
    for window in sorted(found, key=lambda w: (-round(w[4], 9), w[0] - w[1], w[0])):
        apart = all(window[1] <= other[0] or window[0] >= other[1] for other in kept)
        if window[4] >= k and apart:
            kept.append(window)
    return sorted(kept)
