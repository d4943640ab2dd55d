import dataclasses

import numpy as np
import pandas as pd
import pytest

from planted_chain import TRUTH, draw
from rupture_repair.detection import criteria, fall_rules
from rupture_repair.detection.courses import arrange, pooled_sd
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset

RANGE = {"low": 0.0, "high": 40.0, "step": 0.5}


@pytest.fixture(scope="module")
def planted():
    courses, ruptured = draw(800, seed=3)
    model = rupture_probability.fit(courses, **RANGE)
    return courses, ruptured, model, rupture_probability.assess(courses, model)


def flagged_share(courses, values, cut):
    return (np.maximum.reduceat(values, courses.start[:-1]) >= cut).mean()


def test_parameters_are_recovered(planted):
    p = planted[2].parameters
    assert planted[2].identified
    assert planted[2].converged
    assert p.depth == pytest.approx(TRUTH["depth"], rel=0.1)
    assert p.noise == pytest.approx(TRUTH["noise"], rel=0.1)
    assert p.carry == pytest.approx(TRUTH["carry"], abs=0.06)
    assert p.volatility == pytest.approx(TRUTH["volatility"], abs=0.07)
    assert p.depth_spread == pytest.approx(TRUTH["depth_spread"], abs=0.1)
    assert p.onset == pytest.approx(TRUTH["onset"], rel=0.25)
    assert p.recovery == pytest.approx(TRUTH["recovery"], rel=0.25)
    assert p.level == pytest.approx(TRUTH["level"], abs=0.5)
    assert np.sqrt(p.covariance[0, 0]) == pytest.approx(TRUTH["level_sd"], rel=0.12)
    assert np.sqrt(p.covariance[1, 1]) == pytest.approx(TRUTH["trend_sd"], rel=0.4)


def test_ruptured_sessions_are_found(planted):
    _, ruptured, _, found = planted
    low = found.probability >= 0.5
    assert low[ruptured].mean() > 0.65
    assert ruptured[low].mean() > 0.8


def test_posterior_is_calibrated(planted):
    _, ruptured, _, found = planted
    edges = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
    place = np.digitize(found.probability, edges[1:-1])
    for part in range(len(edges) - 1):
        here = place == part
        expected, seen = found.probability[here].mean(), ruptured[here].mean()
        # Sessions of one rupture come together: about three count as one.
        error = np.sqrt(3 * expected * (1 - expected) / here.sum())
        assert abs(seen - expected) < 3 * error + 0.02, (edges[part], expected, seen)


def test_filter_knows_less_than_smoother_but_is_calibrated(planted):
    courses, ruptured, model, found = planted
    filtered = rupture_probability.posterior(courses, model, past_only=True)
    assert np.mean((filtered - ruptured) ** 2) > np.mean((found.probability - ruptured) ** 2)
    likely = filtered >= 0.5
    assert ruptured[likely].mean() == pytest.approx(filtered[likely].mean(), abs=0.06)


def test_ratings_at_the_ceiling():
    courses, ruptured = draw(600, seed=5, level=38.0)
    assert (courses.rating == 40).mean() > 0.25
    model = rupture_probability.fit(courses, **RANGE)
    assert model.identified
    assert model.parameters.depth == pytest.approx(TRUTH["depth"], rel=0.15)
    assert model.parameters.level == pytest.approx(38, abs=0.7)
    low = rupture_probability.posterior(courses, model) >= 0.5
    assert ruptured[low].mean() > 0.75


@pytest.mark.parametrize("changes", [{}, {"carry": 0.6}, {"volatility": 0.6}, {"level": 38.5}])
def test_without_ruptures_hardly_any_course_is_flagged(changes):
    courses, _ = draw(400, seed=6, onset=0.0, **changes)
    model = rupture_probability.fit(courses, **RANGE)
    share = flagged_share(courses, rupture_probability.posterior(courses, model), 0.5)
    assert share < 0.05, model.message


def demo_like(seed, **changes):
    settings = SimulationSettings(n_courses=600, n_therapists=60, **changes)
    tables = simulate_dataset(settings, seed=seed)
    sessions = tables["sessions"]
    codes, ids = pd.factorize(sessions["client_id"])
    courses, _ = arrange(codes, sessions["session_no"], sessions["srs_total"])
    return courses, ids, tables


def test_finds_more_than_the_dip_at_the_same_false_alarm_rate():
    courses, ids, tables = demo_like(5)
    quiet, _, _ = demo_like(5, rupture_rate=0.0)
    dip = dataclasses.replace(criteria.load(["dip_simple"])[0], floor=None, k=0.0)

    def depth_in_units(these):
        scale = fall_rules.Scale(pooled_sd(these), pooled_sd(these, "trend"))
        found = fall_rules.falls(these, dip, scale, 2)
        return np.where(found.reason == 0, found.fall / these.spread(found.unit), -np.inf)

    model = rupture_probability.fit(courses, low=0, high=40, step=0.1)
    assert model.identified
    truth = tables["truth"]
    truth = truth[truth["observable"]]
    code = pd.Index(ids).get_indexer(truth["course"])
    share = {}
    for name, value in (
        ("dip", depth_in_units),
        ("probability", lambda these: rupture_probability.posterior(these, model)),
    ):
        cut = np.quantile(np.maximum.reduceat(value(quiet), quiet.start[:-1]), 0.95)
        low = np.zeros((len(ids), courses.session.max() + 1), dtype=int)
        low[courses.course, courses.session] = value(courses) > cut
        so_far = low.cumsum(axis=1)
        found = so_far[code, truth["end"]] > so_far[code, truth["onset"]]
        share[name] = found.mean()
    assert share["probability"] > 2 * share["dip"], share
    assert share["probability"] > 0.3


def test_rupture_free_demo_is_left_alone():
    courses, _, _ = demo_like(1, rupture_rate=0.0)
    model = rupture_probability.fit(courses, low=0, high=40, step=0.1)
    assert not model.identified
    assert model.message
    assert not rupture_probability.posterior(courses, model).any()
