"""The oracle, told how the simulator makes ruptures: what any method can hope for."""

import numpy as np
from scipy.special import expit

from rupture_repair.chance.noise import RatingForm
from rupture_repair.chance.oracle import OrdinaryFluctuation, grid_of, posterior
from rupture_repair.chance.rupture_law import RuptureKind, RuptureLaw
from rupture_repair.detection.courses import Courses
from rupture_repair.simulation.settings import SimulationSettings

#: Histories that are followed for each course and SD; more where the SD is known.
PARTICLES = 60

#: Four items reach their ends one after the other: width of the bend of a total, in points.
SOFT = 0.9


def repaired(s: SimulationSettings, confrontation: bool) -> float:
    """Return the share of ruptures of a type that is repaired."""
    share = 0.0
    for noticed, of_all in ((True, s.noticed), (False, 1 - s.noticed)):
        tried = s.strategy_noticed if noticed else s.strategy_unnoticed
        for strategy, of_these in ((True, tried), (False, 1 - tried)):
            log_odds = s.repair_log_odds + s.repair_confrontation * confrontation
            log_odds += s.repair_noticed * noticed + s.repair_strategy * strategy
            share += of_all * of_these * expit(log_odds)
    return float(share)


def law_of(s: SimulationSettings) -> RuptureLaw:
    """Return the law of the simulator's ruptures."""
    kinds = (
        RuptureKind(1 - s.confrontation, s.depth, repaired(s, False)),
        RuptureKind(s.confrontation, s.depth * s.confrontation_depth, repaired(s, True)),
    )
    return RuptureLaw(
        s.rupture_rate, kinds, s.rupture_rate_sigma, s.depth_sigma, s.depth_min, s.depth_max,
        s.first_rupture, s.rupture_gap, s.gradual_onset, s.gradual_repair,
        s.regain_repaired, s.regain_unrepaired,
    )  # fmt: skip


def ordinary_of(
    s: SimulationSettings, courses: Courses, known: np.ndarray | None
) -> OrdinaryFluctuation:
    """Return ordinary ups and downs.

    Parameters
    ----------
    s : SimulationSettings
    courses : Courses
    known : ndarray, shape (courses, 3), optional
        Level at session 1, trend and SD of each course; without them those of all courses.
    """
    session = courses.session.astype(float)
    middle = courses.total(session) / courses.length - 1
    none = np.zeros(len(middle))
    if known is None:
        levels = s.alliance_sd_course**2 + s.alliance_sd_therapist**2 + 4 * s.item_sd_course**2
        levels = levels + (middle * s.alliance_trend_sd) ** 2
        level = np.stack([s.alliance_level + s.alliance_trend * middle, levels], axis=1)
        trend = np.stack([none + s.alliance_trend, none + s.alliance_trend_sd**2], axis=1)
        log_sd = np.stack([none + np.log(s.alliance_sd_within), none + s.volatility_sigma], axis=1)
    else:
        level = np.stack([known[:, 0] + known[:, 1] * middle, none], axis=1)
        trend = np.stack([known[:, 1], none], axis=1)
        log_sd = np.stack([np.log(known[:, 2]), none], axis=1)
    form = RatingForm(-np.inf, np.inf)
    if s.ends_of_scale:
        form = RatingForm(0.0, 40.0, 0.1, 0.0, SOFT)
    error = 4 * s.item_noise**2 + 0.1**2 / 12
    return OrdinaryFluctuation(level, trend, log_sd, s.autocorrelation, error, form)


def scores(
    s: SimulationSettings,
    courses: Courses,
    known: np.ndarray | None,
    seed: int,
    particles: int = PARTICLES,
) -> np.ndarray:
    """Return how surely each rating lies in an open rupture, by an oracle.

    Parameters as for :func:`ordinary_of`: (a) knows level, trend and SD of each course, (b) does
    not. `particles` is the number of histories for each course and SD, more where this is known.
    """
    ordinary = ordinary_of(s, courses, known)
    many = particles if known is None else 6 * particles
    found = posterior(courses, ordinary, law_of(s), particles=many,
                      entropy=np.random.SeedSequence(seed))  # fmt: skip
    return found.score[courses.course, grid_of(courses, ordinary.form).place]
