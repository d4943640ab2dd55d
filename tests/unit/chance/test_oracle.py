"""The oracle, compared with what can be worked out without particles, and for calibration."""

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from rupture_repair.chance.noise import RatingForm
from rupture_repair.chance.oracle import OrdinaryFluctuation, grid_of, posterior
from rupture_repair.chance.rupture_law import RuptureHistories, RuptureKind, RuptureLaw
from rupture_repair.detection.courses import Courses

FREE = RatingForm(-np.inf, np.inf)
SEED = np.random.SeedSequence(1)
LEVEL, TREND, SD, CARRY, ERROR = (30.0, 9.0), (0.1, 0.04), 2.0, 0.4, 0.25


def ordinary(number: int, spread: float = 0.0, form: RatingForm = FREE) -> OrdinaryFluctuation:
    rows = np.ones((number, 1))
    return OrdinaryFluctuation(
        rows * LEVEL, rows * TREND, rows * (np.log(SD), spread), CARRY, ERROR, form
    )


def courses(rating, session) -> Courses:
    length = [len(one) for one in session]
    start = np.concatenate([[0], np.cumsum(length)])
    return Courses(np.concatenate(rating), np.concatenate(session), start)


def density(rating, session, fall, sd: float = SD) -> float:
    """Of ratings at these sessions, with these falls: level, trend and wave integrated out."""
    session = np.asarray(session)
    time = session - session.mean()
    covariance = LEVEL[1] + TREND[1] * np.outer(time, time)
    covariance = covariance + sd**2 * CARRY ** np.abs(np.subtract.outer(session, session))
    covariance = covariance + ERROR * np.eye(len(session))
    mean = LEVEL[0] + TREND[0] * time - fall
    return float(multivariate_normal(mean, covariance).pdf(rating))


@pytest.mark.parametrize("session", [[1, 2, 3, 4, 5], [1, 2, 4, 7, 8], [1]])
def test_without_ruptures_the_evidence_is_the_density_of_the_ratings(session):
    rating = 30 + np.random.default_rng(2).normal(size=len(session))
    law = RuptureLaw(0.0, (RuptureKind(1.0, 5.0, 0.5),))
    found = posterior(
        courses([rating], [np.array(session)]), ordinary(1), law, particles=5, entropy=SEED
    )
    exact = density(rating, session, np.zeros(len(session)))
    assert found.evidence[0] + np.log(2 * np.pi) * -len(session) / 2 == pytest.approx(
        np.log(exact), abs=1e-9
    )
    assert found.none[0] == pytest.approx(1)
    assert not found.opened.any()


def test_posterior_agrees_with_the_sum_over_all_histories():
    """Five sessions, one depth, all won back or nothing: histories can be counted."""
    law = RuptureLaw(
        0.2, (RuptureKind(1.0, 5.0, 0.5),), rate_spread=0.0, spread=0.0, gradual_onset=0.0,
        gradual_repair=0.0, regain=(1.0, 1.0), regain_open=(0.0, 0.0),
    )  # fmt: skip
    session, rating = np.arange(1, 6), np.array([31.0, 30.0, 30.5, 26.0, 27.0])
    # No second rupture fits: one may begin three sessions after the end of the first.
    histories = [(0.8**3, np.zeros(5))]
    for begins, length, repaired in itertools.product((3, 4, 5), (1, 2, 3), (True, False)):
        if not repaired and length != 3:
            continue
        chance = 0.8 ** (begins - 3) * 0.2 * (0.5 / 3 if repaired else 0.5)
        since = session - begins
        lost = (since >= 0) & ((since < length) | (not repaired))
        histories.append((chance, 5.0 * lost))
    weight = np.array([chance * density(rating, session, fall) for chance, fall in histories])
    opened = (weight[:, None] * (np.array([fall for _, fall in histories]) > 0)).sum(axis=0)
    number = 40  # the same course many times, to see the error of the particles as well
    many = courses([rating] * number, [session] * number)
    found = posterior(many, ordinary(number), law, particles=200, entropy=SEED)
    assert found.opened.mean(axis=0) == pytest.approx(opened / weight.sum(), abs=0.01)
    assert found.none.mean() == pytest.approx(weight[0] / weight.sum(), abs=0.01)
    evidence = np.log(weight.sum()) + 5 * np.log(2 * np.pi) / 2
    assert found.evidence.mean() == pytest.approx(evidence, abs=0.01)


def drawn(law: RuptureLaw, form: RatingForm, number: int, spread: float):
    """Courses of ten sessions by the model of the oracle, and where ruptures are open."""
    random = np.random.default_rng(3)
    session = np.arange(1, 11)
    wave = random.standard_normal((number, 10))
    for t in range(1, 10):
        wave[:, t] = CARRY * wave[:, t - 1] + np.sqrt(1 - CARRY**2) * wave[:, t]
    wave *= SD * np.exp(spread * random.standard_normal((number, 1)))
    wave += np.sqrt(ERROR) * random.standard_normal((number, 10))
    level = LEVEL[0] + np.sqrt(LEVEL[1]) * random.standard_normal((number, 1))
    trend = TREND[0] + np.sqrt(TREND[1]) * random.standard_normal((number, 1))
    line = level + trend * (session - 5.5)
    histories, opened = RuptureHistories(law, number, random), np.zeros((number, 10), dtype=bool)
    for t in range(10):
        possible = np.flatnonzero(histories.reach(t + 1))
        which = possible[random.random(len(possible)) < histories.rate[possible]]
        histories.begin(which, np.full(len(which), t + 1.0))
        fall, before, opened[:, t], _ = histories.falls(t + 1)
        capped = np.minimum(line[:, t] - before, form.high) - (fall - before)
        line[:, t] = np.where(opened[:, t], capped, line[:, t] - fall)
    rating = np.clip(line + wave, form.low, form.high)
    start = np.arange(0, number * 10 + 1, 10)
    return Courses(rating.ravel(), np.tile(session, number), start), opened


@pytest.mark.parametrize("high", [np.inf, 33.0])
def test_of_sessions_with_a_probability_as_many_are_open(high):
    law = RuptureLaw(0.08, (RuptureKind(0.6, 4.0, 0.7), RuptureKind(0.4, 6.0, 0.5)))
    form = RatingForm(-np.inf if np.isinf(high) else 0.0, high)
    made, opened = drawn(law, form, 600, 0.4)
    found = posterior(made, ordinary(600, 0.4, form), law, particles=40, entropy=SEED)
    for low, up in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        inside = (found.opened >= low) & (found.opened < up)
        error = 3 * np.sqrt(found.opened[inside].mean() / inside.sum()) + 0.02
        assert opened[inside].mean() == pytest.approx(found.opened[inside].mean(), abs=error)
    # How many courses have none is told, too.
    assert found.none.mean() == pytest.approx((~opened).all(axis=1).mean(), abs=0.06)


def test_the_filter_is_of_one_seed_and_long_gaps_are_shortened():
    made = courses([np.array([30.0, 31, 20, 30])] * 3, [np.array([1, 2, 60, 61])] * 3)
    law = RuptureLaw(0.1, (RuptureKind(1.0, 5.0, 0.5),))
    first, second = (
        posterior(made, ordinary(3), law, particles=10, entropy=np.random.SeedSequence(4))
        for _ in range(2)
    )
    assert (first.score == second.score).all()
    assert grid_of(made, FREE).rating.shape == (3, 7)
