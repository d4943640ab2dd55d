from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import calibrate, noise, replicates
from rupture_repair.chance.counts import CALIBRATION, simulated
from rupture_repair.chance.replicates import prepare
from rupture_repair.detection import criteria
from rupture_repair.detection.scan.falls import largest_z
from simulated_courses import ratings_of, sessions_of

MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 4.8})


def null_of(rating, session=None, measure=MEASURE, seed=1):
    return prepare(ratings_of(rating, measure, session), "srs", measure, seed=seed)


def solved(null, name="dip", false_alarm=0.05, of="courses"):
    rules = criteria.load([name])
    how = {"dataset": "made", "false_alarm_of": of}
    return calibrate.calibrated_k(null, rules, EDGE_RULES, false_alarm, **how).iloc[0]


def alarms(null, k, name="dip"):
    """Share of the observed courses with an episode."""
    rule = criteria.load([name], {name: {"k": k}})[0]
    z = largest_z(null.courses, rule, null.ratings.scale, 2)
    return float(np.mean(z[~np.isnan(z)] >= k))


@pytest.fixture(scope="module")
def quiet():
    return null_of(sessions_of(1000, 12, seed=5))


@pytest.fixture(scope="module")
def fallen():
    return null_of(sessions_of(1000, 12, seed=5, fallen=0.6))


def test_ordinary_values_are_found_behind_the_ceiling(quiet):
    found = quiet.noise.ordinary
    assert (quiet.courses.rating == 40).mean() > 0.1
    assert found.level == pytest.approx(36, abs=1.0)
    assert np.sqrt(found.level_variance) == pytest.approx(4, abs=0.6)
    assert found.trend == pytest.approx(0.05, abs=0.06)
    assert quiet.noise.sd_quantile(0.5) == pytest.approx(2.5, abs=0.25)
    assert quiet.noise.volatility == pytest.approx(0.4, abs=0.1)
    assert found.carry == pytest.approx(0.3, abs=0.1)


def test_ruptures_hardly_change_the_ordinary_values(quiet, fallen):
    raw = [np.sqrt(one.ratings.scale.sample_sd_trend) for one in (quiet, fallen)]
    assert raw[1] > 1.1 * raw[0]
    one, other = quiet.noise.ordinary, fallen.noise.ordinary
    assert np.sqrt(other.variance) == pytest.approx(np.sqrt(one.variance), rel=0.2)
    assert other.level == pytest.approx(one.level, abs=1.0)


@pytest.mark.parametrize("name", ["dip", "tooth"])
def test_k_keeps_its_promise_with_and_without_ruptures(quiet, fallen, name):
    """5 % are aimed at; the standard error of the share of 1,000 courses is .007."""
    for null in (quiet, fallen):
        row = solved(null, name)
        assert row.status == "solved"
        assert row.false_alarm <= 0.05
        rule = criteria.load([name], {name: {"k": row.k}})[0]
        z = largest_z(quiet.courses, rule, null.ratings.scale, 2)
        assert 0.02 < np.mean(z[~np.isnan(z)] >= row.k) < 0.07


def test_ruptures_are_found_at_the_k_of_their_own_data(fallen):
    assert alarms(fallen, solved(fallen).k) > 0.3


@pytest.mark.usefixtures("roughly_calibrated")
def test_k_for_a_false_discovery_rate_lets_noise_make_few_of_the_episodes(fallen, quiet):
    row = solved(fallen, false_alarm=0.2, of="episodes")
    assert row.status == "solved"
    assert row.false_alarm <= 0.2
    assert row.k < solved(fallen, false_alarm=0.05, of="episodes").k
    nothing = solved(quiet, false_alarm=0.01, of="episodes")
    assert nothing.status == "not_assessable" or alarms(quiet, nothing.k) < 0.01


def test_levels_stay_with_their_courses_and_noise_is_new(quiet):
    values = replicates.simulate(quiet, "autoregressive", np.arange(40), np.random.default_rng(1))
    courses = quiet.courses
    means = np.add.reduceat(values.mean(axis=0), courses.start[:-1]) / courses.length
    assert np.corrcoef(means, courses.total(courses.rating) / courses.length)[0, 1] > 0.9
    assert np.abs(values[0] - values[1]).mean() > 1


def test_the_same_seed_gives_the_same_values_whatever_the_order(quiet):
    again = null_of(sessions_of(1000, 12, seed=5))
    assert again.noise.ordinary == quiet.noise.ordinary
    other = null_of(sessions_of(1000, 12, seed=5), seed=2)
    assert other.noise.ordinary != quiet.noise.ordinary
    assert np.sqrt(other.noise.ordinary.variance) == pytest.approx(
        np.sqrt(quiet.noise.ordinary.variance), rel=0.1
    )


def test_the_scan_and_the_kernel_agree_on_which_courses_have_an_episode(fallen):
    block, members = next(fallen.blocks(5))
    courses, scale = simulated(fallen, "autoregressive", block, members, CALIBRATION)
    rule = criteria.load(["tooth"], {"tooth": {"k": 3.0}})[0]
    _, these = replicates.find(courses, scale, rule, EDGE_RULES)
    z = np.nan_to_num(largest_z(courses, rule, scale, 2))
    assert np.unique(courses.course[these.first_low]).tolist() == np.flatnonzero(z >= 3).tolist()


COARSE = replace(MEASURE, range=(1, 5))


@pytest.mark.parametrize(
    ("rating", "measure"),
    [
        (np.rint(sessions_of(300, 12, seed=7, fallen=0.3) / 8).clip(1, 5), COARSE),
        (sessions_of(300, 10, seed=8, fallen=1.0, lasting=True), MEASURE),
        (sessions_of(40, 100, seed=9), MEASURE),
        (sessions_of(1, 100, seed=10), MEASURE),
        (sessions_of(12, 6, seed=11), MEASURE),
    ],
    ids=["five steps", "half of the sessions in ruptures", "daily", "one course", "few"],
)
def test_unusual_data_keep_the_promise(rating, measure):
    """k is solved on these data and tried on fresh rupture-free courses of the values found."""
    null = null_of(rating, measure=measure)
    row = solved(null)
    assert row.status == "solved"
    fresh = replace(null, entropy=(99,))
    block, members = next(fresh.blocks(100))
    courses, scale = simulated(fresh, "autoregressive", block, members, 0)
    rule = criteria.load(["dip"], {"dip": {"k": row.k}})[0]
    z = largest_z(courses, rule, scale, 2)
    assert np.mean(z[~np.isnan(z)] >= row.k) < 0.08 + 2 / np.sqrt(len(z))


def test_points_of_the_scale_do_not_matter():
    rating = sessions_of(60, 10, seed=15)
    endless = replace(MEASURE, range=None)
    one, other = (null_of(times * rating, measure=endless).noise.ordinary for times in (1, 1e6))
    for name, power in (("level", 1), ("trend", 1), ("level_variance", 2), ("variance", 2)):
        assert getattr(other, name) == pytest.approx(1e6**power * getattr(one, name), rel=1e-6)
    assert (other.degrees, other.carry) == pytest.approx((one.degrees, one.carry), rel=1e-6)


def test_a_fall_that_all_courses_share_is_not_left_out():
    """With nothing left, k could not be solved."""
    random = np.random.default_rng(16)
    rating = 32 + 2 * random.normal(size=(60, 12)) - 10 * (np.arange(12) > 5)
    assert solved(null_of(rating.round(1))).status == "solved"


@pytest.mark.parametrize(
    ("rating", "reason"),
    [
        (np.full((20, 8), 40.0), "ordinary ups and downs are not known"),
        (sessions_of(20, 2, seed=12), "ordinary ups and downs are not known"),
        (sessions_of(20, 1, seed=13), "ordinary ups and downs are not known"),
    ],
    ids=["all at the ceiling", "two ratings each", "one rating each"],
)
def test_too_little_to_go_by_is_said(rating, reason):
    row = solved(null_of(rating))
    assert row.status == "not_assessable"
    assert reason in row.reason


def test_gaps_are_kept():
    session = np.sort(
        np.random.default_rng(1).permuted(np.tile(np.arange(1, 31), (400, 1)), axis=1)[:, :12]
    )
    null = null_of(sessions_of(400, 12, seed=14), session)
    assert solved(null).status == "solved"
    assert (noise.gaps(null.courses) > 1).any()


def test_the_estimated_false_discovery_rate_is_next_to_every_count(fallen):
    from rupture_repair.chance.compare_with_chance import expected

    how = chance_settings(null_models=("autoregressive",), replicates=40)
    rules = criteria.load(["dip", "v_2sd"], {"dip": {"k": 3.5}})
    table, _ = expected(fallen, rules, EDGE_RULES, how, dataset="made")
    rate = table["false_discovery_rate"]
    pd.testing.assert_series_equal(
        rate, (table["expected"] / table["observed"]).clip(upper=1), check_names=False
    )
    assert rate[0] < 0.3 < rate[1]
