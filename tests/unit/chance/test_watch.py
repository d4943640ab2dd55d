"""Watching courses: thresholds that keep their promise, and what flags would have shown."""

import time

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as statsmodels

from made_measures import made_measure
from rupture_repair.chance import watch as watching
from rupture_repair.chance.watch import (
    COLUMNS,
    LiveModel,
    calibration_slope,
    live_model,
    threshold_of,
    watch,
)
from rupture_repair.detection.courses import Courses
from rupture_repair.detection.hidden_markov.draw import DrawnCourses, draw
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel

LAW = Parameters(
    30.0, 0.0, np.diag([9.0, 0.01]), 1.2, depth=7.0, onset=0.06, lasting=0.3, recovery=0.5
)
MODEL = HiddenMarkovModel(LAW, 5.0, 0.0, 40.0, 1.0, identified=True)


def pattern(number, sessions=10):
    session = np.tile(np.arange(1, sessions + 1), number)
    return Courses(np.zeros(number * sessions), session, np.arange(number + 1) * sessions)


@pytest.mark.parametrize(("share", "flagged"), [(0.05, 4), (0.039, 2), (0.0, 0)])
def test_no_more_courses_reach_the_threshold_than_promised(share, flagged):
    highest = np.random.default_rng(1).random(100)
    assert (highest >= threshold_of(highest, share)).sum() == flagged
    # Where many courses have the same highest value, none of them is flagged.
    assert (np.full(100, 0.3) >= threshold_of(np.full(100, 0.3), share)).sum() == 0


def test_a_further_course_reaches_the_threshold_as_seldom_as_promised():
    random = np.random.default_rng(1)
    further = [1 - threshold_of(random.random(100), 0.05) for _ in range(4000)]
    assert np.mean(further) <= 0.05 + 3 * np.std(further) / np.sqrt(4000)
    assert np.mean(further) > 0.045


def test_other_rupture_free_courses_are_flagged_as_seldom_as_promised():
    free = [
        draw(pattern(250), MODEL, np.random.default_rng(seed), ruptures=False).courses
        for seed in (1, 2)
    ]
    watched = live_model(free[0], MODEL)
    flags = watched.judged(free[1])[1].reshape(250, 10).any(axis=1)
    assert 0 < flags.mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 250)


def test_a_course_is_judged_in_less_than_50_milliseconds():
    courses = draw(pattern(40), MODEL, np.random.default_rng(3)).courses
    begin = time.process_time()
    LiveModel(MODEL, 0.5).judged(courses)
    assert (time.process_time() - begin) / 40 < 0.05


def test_what_flags_show_is_counted_by_rupture_and_by_course():
    # Three courses of four sessions: a rupture at 3 and 4, one at 2 to 4, and none.
    ruptured = np.array([0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    begins = np.zeros(12, dtype=bool)
    begins[[2, 5]] = True
    true = DrawnCourses(pattern(3, 4), ruptured, ruptured, ~ruptured, ruptured * 5.0, begins)
    flags = np.zeros(12, dtype=bool)
    flags[[1, 3, 7, 10]] = True
    free = pattern(4, 4)
    alarms = np.zeros(16, dtype=bool)
    alarms[[0, 1]] = True
    found = watching.performance(true, flags, free, alarms)
    assert found["found"] == 1
    assert found["delay"] == pytest.approx((1 + 2) / 2)
    assert found["false_alarm"] == 0.25
    assert found["courses_ruptured"] == pytest.approx(2 / 3)
    # Of two courses with a rupture one is flagged first in it, one before it.
    assert found["ppv"] == pytest.approx((2 / 3 * 0.5) / (2 / 3 * 1.0 + 1 / 3 * 0.25))
    assert found["ppv_10"] == pytest.approx(0.05 / (0.1 + 0.9 * 0.25))
    nothing = watching.performance(true, np.zeros(12, dtype=bool), free, np.zeros(16, dtype=bool))
    assert nothing["found"] == 0
    assert np.isnan(nothing["ppv"])
    assert np.isnan(nothing["delay"])


def test_the_slope_of_calibrated_probabilities_is_one():
    random = np.random.default_rng(5)
    probability = 1 / (1 + np.exp(-random.normal(-1, 2, 20_000)))
    true = random.random(20_000) < probability
    assert calibration_slope(probability, true) == pytest.approx(1, abs=0.06)
    extreme = 1 / (1 + np.exp(-2 * np.log(probability / (1 - probability))))
    assert calibration_slope(extreme, true) == pytest.approx(0.5, abs=0.03)
    assert np.isnan(calibration_slope(probability, np.zeros(20_000, dtype=bool)))
    design = statsmodels.add_constant(np.log(probability / (1 - probability)))
    expected = statsmodels.Logit(true.astype(float), design).fit(disp=0).params[1]
    assert calibration_slope(probability, true) == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def sessions():
    drawn = draw(pattern(40), MODEL, np.random.default_rng(6)).courses
    ids = np.char.add("c", np.repeat(np.arange(40), 10).astype(str))
    return pd.DataFrame({"course": ids, "session": drawn.session, "srs": drawn.rating})


def test_the_table_of_a_dataset(sessions, monkeypatch):
    monkeypatch.setattr(watching, "SIMULATED", 80)
    measures = {"srs": made_measure("srs", instrument="SRS")}
    table = watch(sessions, measures, {"srs": MODEL}, dataset="d", seed=1)
    assert list(table.columns) == list(COLUMNS)
    assert table["rule"].tolist() == ["filtered_probability", "srs_cutoff", "srs_drop_1"]
    own, cutoff, drop = (row for _, row in table.iterrows())
    assert own["found"] > 0.2
    assert own["false_alarm"] < 0.2
    # Rules of clinicians flag nearly everybody at some session.
    assert min(cutoff["false_alarm"], drop["false_alarm"]) > 0.5
    assert np.isnan(cutoff["calibration_slope"])


def test_without_a_model_the_reason_is_said(sessions):
    refused = HiddenMarkovModel(LAW, 5.0, 0.0, 40.0, 1.0, message="no evidence")
    measures = {"srs": made_measure("srs")}
    for models, why in (({}, "no model was fitted"), ({"srs": refused}, "no evidence")):
        table = watch(sessions, measures, models, dataset="d", seed=1)
        assert (table["status"] == "not_assessable").all()
        assert (table["reason"] == why).all()
        assert table["found"].isna().all()
