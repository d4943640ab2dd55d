"""Courses drawn from the hidden Markov model itself, with the true states."""

from dataclasses import dataclass

import numpy as np

from rupture_repair.detection.courses import Courses, arrange

POINTS, SHARES = np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6
TRUTH = {
    "level": 28.0, "trend": 0.05, "level_sd": 3.0, "trend_sd": 0.1, "noise": 1.3,
    "volatility": 0.3, "carry": 0.25, "depth": 7.0, "depth_spread": 0.35, "onset": 0.05,
    "lasting": 0.4, "recovery": 0.5, "late_recovery": 0.08,
}  # fmt: skip


@dataclass(frozen=True)
class Chain:
    """Rated sessions, and per rating whether ruptured or repaired, the fall, ordinary deviation."""

    courses: Courses
    ruptured: np.ndarray
    repaired: np.ndarray
    fall: np.ndarray
    deviation: np.ndarray


def draw(courses, sessions=14, seed=0, low=0.0, high=40.0, step=0.5, rated=0.95, **changes):
    """Return the rated sessions of courses drawn from the model, with the truth."""
    p, random = {**TRUTH, **changes}, np.random.default_rng(seed)
    level = p["level"] + p["level_sd"] * random.standard_normal(courses)
    trend = p["trend"] + p["trend_sd"] * random.standard_normal(courses)
    scale = p["noise"] * np.exp(p["volatility"] * random.choice(POINTS, courses, p=SHARES))
    depth, ends = np.zeros(courses), np.ones(courses)
    carried, since = np.zeros(courses), np.full(courses, np.inf)
    after = np.zeros(courses, dtype=bool)
    table = np.full((courses, sessions), np.nan)
    truth = np.zeros((4, courses, sessions))
    for t in range(sessions):
        here = random.random(courses) < rated
        # An end comes after the session; the next rupture begins one session later at the earliest.
        if t >= 2:
            chance, kind = random.random((2, courses))
            open_now = depth > 0
            ended, begins = open_now & (chance < ends), ~open_now & (chance < p["onset"])
            fresh = p["depth"] * np.exp(
                p["depth_spread"] * random.choice(POINTS, courses, p=SHARES)
            )
            depth = np.where(begins, fresh, np.where(ended, 0.0, depth))
            lasts = np.where(kind < p["lasting"], p["late_recovery"], p["recovery"])
            ends = np.where(begins, lasts, ends)
            after = np.where(begins, False, after | ended)
        line = level + trend * (t - (sessions - 1) / 2)
        kept = np.where(np.isinf(since), 0.0, p["carry"] ** np.minimum(since, 99))
        noise = scale * np.sqrt(1 - kept**2) * random.logistic(size=courses)
        usual = kept * carried + noise
        rating = np.clip(np.round((line - depth + usual) / step) * step, low, high)
        off = rating - line + depth
        off = np.where(rating >= high, np.maximum(off, 0), off)
        carried = np.where(here, np.where(rating <= low, np.minimum(off, 0), off), carried)
        since = np.where(here, 1, since + 1)
        table[:, t] = np.where(here, rating, np.nan)
        truth[:, :, t] = depth > 0, after & (depth == 0), depth, usual
    course, session = np.nonzero(np.isfinite(table))
    found, row = arrange(course, session + 1, table[course, session])
    ruptured, repaired, fall, usual = truth[:, course, session][:, row]
    return Chain(found, ruptured > 0, repaired > 0, fall, usual)
