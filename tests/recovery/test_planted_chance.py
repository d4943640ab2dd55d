"""Chance on synthetic courses: silent without ruptures, and not silent with them.

Replicates have to look like the rupture-free dataset that they stand for; p has to be roughly
uniform there; and falls that were planted have to be found as often as they are large.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import calibrate, compare_with_chance, noise, replicates
from rupture_repair.chance.planted_falls import sensitivity
from rupture_repair.chance.replicates import Null, prepare
from rupture_repair.chance.smallest_found import smallest_found
from rupture_repair.detection import courses as flat
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import arrange
from rupture_repair.simulation.files import DEFAULT_SEED
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset

MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 4.8})
SETTINGS = chance_settings(
    replicates=99, slow_replicates=5, null_models=("autoregressive",), false_alarm=0.05,
    depths=(0.5, 1, 2, 3, 4), duration=2, courses=6000,
)  # fmt: skip
#: With fixed thresholds, so that what is measured does not hang on the calibration as well.
FIXED = {name: {"k": 2, "unit": "larger_sd"} for name in ("dip_simple", "tooth_simple")}
NAMES = (
    "dip_simple",
    "tooth_simple",
    "own_mean_2sd",
    "shewhart_3",
    "reliable_drop",
    "v_2sd",
    "v_1sd",
)


def prepared(table: pd.DataFrame, seed: int = 1) -> Null:
    ratings = arrange(table, "srs", MEASURE)
    return prepare(ratings, "srs", MEASURE, seed=seed)


def demo(seed: int = DEFAULT_SEED, **settings) -> Null:
    table = simulate_dataset(SimulationSettings(**settings), seed=seed)["sessions"]
    names = {"client_id": "course", "session_no": "session", "srs_total": "srs"}
    return prepared(table.rename(columns=names)[list(names.values())])


@pytest.fixture(scope="module")
def quiet() -> Null:
    """A rupture-free dataset like the demo, with more courses, so that little is left to chance."""
    return demo(rupture_rate=0, n_courses=800, n_therapists=80)


@pytest.fixture(scope="module")
def planted() -> Null:
    return demo()


def features(courses: flat.Courses) -> dict[str, float]:
    """What replicates have to share with the observed ratings."""
    rest = courses.rating - flat.trend(courses)
    neighbours = (noise.gaps(courses) == 1) & (courses.position > 0)
    mean = courses.total(courses.rating) / courses.length
    total, free = flat.squares(courses, "trend")
    own = np.sqrt(total / np.maximum(free, 1))
    return {
        "mean": courses.rating.mean(),
        "SD between courses": mean.std(),
        "SD around course means": flat.pooled_sd(courses, "mean"),
        "SD around course trends": flat.pooled_sd(courses, "trend"),
        "SD of courses' SDs": own[free > 3].std(),
        "lag-1 autocorrelation": np.nansum((rest * courses.earlier(1, rest))[neighbours])
        / (rest[neighbours] ** 2).sum(),
        "share at the ceiling": (courses.rating == 40).mean(),
        "share within a point of it": (courses.rating >= 39).mean(),
    }


def test_replicates_look_like_the_rupture_free_dataset(quiet):
    simulated = replicates.simulate(
        quiet, "autoregressive", np.arange(60), np.random.default_rng(1)
    )
    courses = quiet.courses
    found = pd.DataFrame(
        [features(flat.Courses(row, courses.session, courses.start)) for row in simulated]
    ).mean()
    allowed = {
        "mean": 0.1, "SD between courses": 0.1, "SD around course means": 0.08,
        "SD around course trends": 0.08, "SD of courses' SDs": 0.08,
        "lag-1 autocorrelation": 0.03, "share at the ceiling": 0.012,
        "share within a point of it": 0.015,
    }  # fmt: skip
    for name, value in features(courses).items():
        assert found[name] == pytest.approx(value, abs=allowed[name]), name


def test_course_means_stay_with_their_courses(quiet):
    simulated = replicates.simulate(
        quiet, "autoregressive", np.arange(60), np.random.default_rng(1)
    )
    courses = quiet.courses
    means = np.add.reduceat(simulated.mean(axis=0), courses.start[:-1]) / courses.length
    observed = courses.total(courses.rating) / courses.length
    assert np.corrcoef(means, observed)[0, 1] > 0.95


def test_a_sharp_ceiling_would_not_do(quiet):
    """The share at the ceiling is what the bend is for: without it too many ratings lie there."""
    sharp = replace(quiet.form, soft=0.0)
    hard = replace(quiet, form=sharp)
    simulated = replicates.simulate(hard, "autoregressive", np.arange(30), np.random.default_rng(1))
    assert quiet.form.soft > 0.4
    assert (simulated == 40).mean() > (quiet.courses.rating == 40).mean() + 0.015


def test_without_ruptures_as_many_episodes_are_observed_as_expected(quiet):
    table, _ = compare_with_chance.expected(
        quiet, criteria.load(NAMES, FIXED), EDGE_RULES, SETTINGS, dataset="quiet"
    )
    assert table.ratio.to_numpy() == pytest.approx(1, abs=0.2)
    assert (table.p > 0.01).all()
    repaired = table.observed_repaired - table.expected_repaired
    assert repaired.abs().max() < 0.08


def test_with_ruptures_more_are_observed_than_expected(planted):
    rules = [
        replace(rule, k="calibrated")
        for rule in criteria.load(["dip_simple", "tooth_simple"], FIXED)
    ]
    solved = calibrate.calibrated_k(
        planted, rules, EDGE_RULES, SETTINGS.false_alarm, dataset="demo"
    )
    rules = criteria.with_calibrated_k(rules, solved)
    table, _ = compare_with_chance.expected(planted, rules, EDGE_RULES, SETTINGS, dataset="demo")
    assert (table.ratio > 1.3).all()
    assert (table.p <= 0.05).all()


def test_p_is_roughly_uniform_over_rupture_free_datasets():
    """Forty datasets of 50 courses: p <= .05 is as rare as it says, p on the whole about uniform.

    docs/chance.md has the same for more datasets and for rules with a window, which take longer.
    """
    found = []
    for seed in range(40):
        random = np.random.default_rng(1000 + seed)
        rating = random.standard_normal((50, 10))
        for t in range(1, 10):
            rating[:, t] = 0.3 * rating[:, t - 1] + np.sqrt(1 - 0.3**2) * rating[:, t]
        sd = 2 * np.exp(0.3 * random.standard_normal((50, 1)))
        rating = random.normal(25, 3, (50, 1)) + sd * rating
        table = pd.DataFrame(
            {
                "course": np.repeat(np.arange(50), 10),
                "session": np.tile(np.arange(1, 11), 50),
                "srs": rating.round(1).ravel(),
            }
        )
        made = prepared(table, seed=seed)
        rules = criteria.load(
            ["v_2sd", "own_mean_2sd", "dip_simple"],
            {"dip_simple": {"floor": None, "k": 1.8, "unit": "larger_sd"}},
        )
        table, _ = compare_with_chance.expected(made, rules, EDGE_RULES, SETTINGS, dataset="x")
        found.append(table.p.to_numpy())
    for p in np.transpose(found):
        assert (p <= 0.05).sum() <= stats.binom.ppf(0.995, 40, 0.05)
        assert stats.kstest(p, "uniform", alternative="greater").pvalue > 0.001
        assert 0.35 < p.mean() < 0.75


@pytest.fixture(scope="module")
def seen(planted) -> pd.DataFrame:
    rules = criteria.load(NAMES, FIXED)
    return sensitivity(
        planted, rules, EDGE_RULES, SETTINGS.planted_falls, dataset="demo", processes=2
    )


def test_deeper_falls_are_found_more_often_and_more_exactly(seen):
    every = seen[seen.volatility == "all"].set_index(["criterion", "depth"])
    for name in NAMES:
        rows = every.loc[name]
        assert rows.sensitivity.is_monotonic_increasing
        assert rows.sensitivity[4] > rows.sensitivity[0.5] + 0.1
        assert rows.precision.is_monotonic_increasing
        assert rows.onset_error[4] < rows.onset_error[0.5]
        assert (rows.repair_accuracy > 0.5).all()
    assert every.loc[("reliable_drop", 4), "sensitivity"] > 0.85
    assert every.loc[("v_2sd", 4), "onset_error"] < 0.05


def test_the_own_sd_treats_calm_and_volatile_courses_alike_and_points_do_not(seen):
    """Where a fall is measured in points, false alarms come from the volatile courses."""
    alarms = seen[seen.depth == 4].set_index(["criterion", "volatility"]).false_alarm
    assert alarms["reliable_drop", "4"] > 2 * alarms["reliable_drop", "1"]
    assert alarms["v_2sd", "4"] < 1.5 * alarms["v_2sd", "1"]


def test_own_sd_masks_the_fall_that_it_should_reveal(planted):
    """Specification: at an equal false-alarm share the pooled SD finds more than the larger SD."""
    base = criteria.load(["dip_simple"], {"dip_simple": {"floor": None}})[0]
    rules = [
        replace(base, id=unit, unit=unit, k="calibrated") for unit in ("sample_sd", "larger_sd")
    ]
    solved = calibrate.calibrated_k(
        planted, rules, EDGE_RULES, SETTINGS.false_alarm, dataset="demo"
    )
    aimed_at = calibrate.MARGIN * 0.05
    assert solved.false_alarm.to_numpy() == pytest.approx(aimed_at, abs=0.005)
    rules = criteria.with_calibrated_k(rules, solved)
    table = sensitivity(planted, rules, EDGE_RULES, SETTINGS.planted_falls, dataset="demo")
    at = table[(table.volatility == "all") & (table.depth == 3)].set_index("criterion")
    assert at.sensitivity["sample_sd"] > at.sensitivity["larger_sd"]


def test_the_smallest_fall_found_agrees_with_the_table(seen):
    found = smallest_found(seen).set_index(["criterion", "volatility"])
    every = seen[seen.volatility == "all"].set_index(["criterion", "depth"]).sensitivity
    at = found.depth["reliable_drop", "all"]
    below, above = np.floor(at), np.ceil(at)
    assert every["reliable_drop", below] < 0.8 <= every["reliable_drop", above]
    assert found.text["dip_simple", "all"] == "none up to 4 SD"
