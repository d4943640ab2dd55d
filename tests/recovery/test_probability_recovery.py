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
    true = draw(300, seed=3)
    model = rupture_probability.fit(true.courses, **RANGE)
    return true, model, rupture_probability.assess(true.courses, model)


def flagged_share(courses, values, cut):
    return (np.maximum.reduceat(values, courses.start[:-1]) >= cut).mean()


def test_parameters_are_recovered(planted):
    _, model, _ = planted
    found = model.parameters.natural()
    assert model.identified
    assert model.converged
    near = {
        **{"depth": 0.15, "noise": 0.1, "volatility": 0.25, "onset": 0.25, "recovery": 0.35},
        **{"late_recovery": 0.5, "depth_spread": 0.3, "level_sd": 0.12, "trend_sd": 0.4},
    }
    for name, share in near.items():
        assert found[name] == pytest.approx(TRUTH[name], rel=share), name
    assert found["level"] == pytest.approx(TRUTH["level"], abs=0.5)
    assert found["carry"] == pytest.approx(TRUTH["carry"], abs=0.06)
    assert found["lasting"] == pytest.approx(TRUTH["lasting"], abs=0.2)
    # Within what their standard errors foretell, all of them: level and trend included.
    known = [name for name in model.errors if name != "covariance"]
    off = [(found[name] - TRUTH[name]) / model.errors[name] for name in known]
    assert np.abs(off).max() < 3.5
    assert 0.3 < np.sqrt(np.mean(np.square(off))) < 1.7


def test_ruptured_sessions_are_found(planted):
    true, _, found = planted
    low = found.probability >= 0.5
    assert low[true.ruptured].mean() > 0.6
    assert true.ruptured[low].mean() > 0.8


@pytest.mark.parametrize("name", ["ruptured", "repaired"])
def test_posterior_is_calibrated(planted, name):
    true, _, found = planted
    said = found.probability if name == "ruptured" else found.repaired
    place = np.digitize(said, [0.1, 0.3, 0.5, 0.7, 0.9])
    for part in range(6):
        here = place == part
        expected, seen = said[here].mean(), getattr(true, name)[here].mean()
        # Sessions of one rupture come together: about three count as one, of repairs six.
        each = 3 if name == "ruptured" else 6
        error = np.sqrt(each * expected * (1 - expected) / here.sum())
        assert abs(seen - expected) < 3 * error + 0.02, (part, expected, seen)


def test_expected_falls_and_lines_are_right_on_average(planted):
    true, _, found = planted
    assert found.fall.mean() == pytest.approx(true.fall.mean(), rel=0.1)
    assert np.corrcoef(found.fall, true.fall)[0, 1] > 0.75
    assert found.deviation.mean() == pytest.approx(0, abs=0.1)


def test_filter_knows_less_than_smoother_but_is_calibrated(planted):
    true, model, found = planted
    filtered = rupture_probability.posterior(true.courses, model, past_only=True)
    ruptured = true.ruptured
    assert np.mean((filtered - ruptured) ** 2) > np.mean((found.probability - ruptured) ** 2)
    likely = filtered >= 0.5
    assert ruptured[likely].mean() == pytest.approx(filtered[likely].mean(), abs=0.06)


def test_ratings_at_the_ceiling():
    true = draw(300, seed=5, level=38.0)
    assert (true.courses.rating == 40).mean() > 0.25
    model = rupture_probability.fit(true.courses, **RANGE)
    assert model.identified
    assert model.parameters.depth == pytest.approx(TRUTH["depth"], rel=0.25)
    assert model.parameters.level == pytest.approx(38, abs=0.9)
    low = rupture_probability.posterior(true.courses, model) >= 0.5
    assert true.ruptured[low].mean() > 0.75


@pytest.mark.parametrize("changes", [{}, {"carry": 0.6}, {"volatility": 0.6}, {"level": 38.5}])
def test_without_ruptures_hardly_any_course_is_flagged(changes):
    courses = draw(200, seed=6, onset=0.0, **changes).courses
    model = rupture_probability.fit(courses, **RANGE)
    share = flagged_share(courses, rupture_probability.posterior(courses, model), 0.5)
    assert share < 0.05, model.message


def demo_like(seed, **changes):
    settings = SimulationSettings(n_courses=300, n_therapists=30, **changes)
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
