"""Courses drawn from the hidden Markov model itself, with the true states."""

import numpy as np

from rupture_repair.detection.courses import arrange

POINTS, SHARES = np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6
TRUTH = {
    "level": 28.0, "trend": 0.05, "level_sd": 3.0, "trend_sd": 0.1, "noise": 1.3,
    "volatility": 0.3, "carry": 0.25, "depth": 7.5, "depth_spread": 0.25, "onset": 0.04,
    "recovery": 0.25,
}  # fmt: skip


def draw(courses, sessions=14, seed=0, low=0.0, high=40.0, step=0.5, rated=0.95, **changes):
    """Return the rated sessions as Courses, and whether each is ruptured."""
    p, random = {**TRUTH, **changes}, np.random.default_rng(seed)
    level = p["level"] + p["level_sd"] * random.standard_normal(courses)
    trend = p["trend"] + p["trend_sd"] * random.standard_normal(courses)
    scale = p["noise"] * np.exp(p["volatility"] * random.choice(POINTS, courses, p=SHARES))
    ruptured = np.zeros(courses, dtype=bool)
    carried, since = np.zeros(courses), np.full(courses, np.inf)
    table = np.full((courses, sessions), np.nan)
    states = np.zeros((courses, sessions), dtype=bool)
    for t in range(sessions):
        if t:
            chance = random.random(courses)
            ruptured = np.where(ruptured, chance >= p["recovery"], chance < p["onset"])
        line = level + trend * (t - (sessions - 1) / 2)
        depth = p["depth"] * np.exp(p["depth_spread"] * random.choice(POINTS, courses, p=SHARES))
        kept = np.where(np.isinf(since), 0.0, p["carry"] ** np.minimum(since, 99))
        noise = scale * np.sqrt(1 - kept**2) * random.logistic(size=courses)
        latent = line - depth * ruptured + kept * carried + noise
        rating = np.clip(np.round(latent / step) * step, low, high)
        here = random.random(courses) < rated
        off = rating - line + p["depth"] * ruptured
        off = np.where(rating >= high, np.maximum(off, 0), off)
        carried = np.where(here, np.where(rating <= low, np.minimum(off, 0), off), carried)
        since = np.where(here, 1, since + 1)
        table[:, t], states[:, t] = np.where(here, rating, np.nan), ruptured
    course, session = np.nonzero(np.isfinite(table))
    found, row = arrange(course, session + 1, table[course, session])
    return found, states[course, session][row]
