"""Chance: what noise alone makes, checked on ratings whose noise is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import calibrate, compare_with_chance, noise, planted_falls, replicates
from rupture_repair.chance.counts import Tally, compared, simulated, tally
from rupture_repair.chance.replicates import Null, prepare
from rupture_repair.chance.smallest_found import smallest_found
from rupture_repair.detection import courses as flat
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.courses import grid_step
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel
from rupture_repair.detection.ratings import arrange
from rupture_repair.detection.scan.falls import population_of
from rupture_repair.explorer import grid
from rupture_repair.project.reasons import in_full

SETTINGS = chance_settings(
    replicates=60, slow_replicates=2, null_models=("autoregressive", "shuffle"), false_alarm=0.05,
    depths=(1, 2, 3), duration=2, courses=2000,
)  # fmt: skip
MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 5.0})


def series(courses: int, ratings: int, rho: float, seed: int) -> np.ndarray:
    """AR(1) series of unit variance, by the recursion that defines it."""
    shocks = np.random.default_rng(seed).standard_normal((courses, ratings))
    for t in range(1, ratings):
        shocks[:, t] = rho * shocks[:, t - 1] + np.sqrt(1 - rho**2) * shocks[:, t]
    return shocks


def sessions(rating: np.ndarray, **columns) -> pd.DataFrame:
    courses, ratings = rating.shape
    return pd.DataFrame(
        {
            "course": [f"c{number:04}" for number in np.repeat(np.arange(courses), ratings)],
            "session": np.tile(np.arange(1, ratings + 1), courses),
            "srs": rating.ravel(),
            **columns,
        }
    )


def prepared(table: pd.DataFrame, measure=MEASURE, seed: int = 1) -> Null:
    return prepare(arrange(table, "srs", measure), "srs", measure, seed=seed)


def number_of(model: Null) -> np.ndarray:
    """Return which of the courses of :func:`sessions` each course of a model is."""
    return np.array([int(name[1:]) for name in model.ratings.course_ids])


def rules(*names: str, **settings) -> list[criteria.Criterion]:
    calibrated = {"k": 2, "unit": "larger_sd"}
    changes = {
        name: (calibrated if name in ("dip_simple", "tooth_simple") else {}) | settings
        for name in names
    }
    return criteria.load(names, changes)


def expected(model: Null, criteria_, **settings) -> pd.DataFrame:
    settings = replace(SETTINGS, **{"null_models": ("autoregressive",), **settings})
    return compare_with_chance.expected(model, criteria_, EDGE_RULES, settings, dataset="made")[0]


# ------------------------------------------------------------------------------ the form


@pytest.mark.parametrize(
    ("ratings", "step"),
    [
        ([1, 2, 5, 7], 1.0),
        ([3.0, 4.5, 7.0], 0.5),
        (np.arange(0, 400) / 10, 0.1),
        (np.round(np.arange(0, 30) / 3, 2), 0.01),
        (np.arange(0, 30) / 3, 1 / 3),
        ([0.0, 2.0, 5.0], 1.0),
        ([4.0, 4.0], 0.0),
        (np.random.default_rng(1).normal(size=200), 0.0),
    ],
)
@pytest.mark.parametrize("times", [1, 10, -1, 1e12, 1e300, 1e-6, 1e-300])
def test_the_step_is_that_on_which_all_ratings_lie(ratings, step, times):
    found = grid_step(times * np.asarray(ratings, dtype=float))
    assert found / abs(times) == pytest.approx(step, rel=1e-9)


def test_a_form_rounds_cuts_and_bends():
    hard = noise.RatingForm(0, 40, step=0.5, anchor=0.0)
    assert hard.rate(np.array([-3, 12.3, 55])).tolist() == [0, 12.5, 40]
    soft = replace(hard, step=0.0, soft=1.0)
    latent = np.array([2.0, 20.0, 38.5, 40.0, 41.0])
    draws = latent + np.random.default_rng(1).standard_normal((400_000, 1))
    assert soft.bent(latent) == pytest.approx(np.clip(draws, 0, 40).mean(axis=0), abs=0.01)


# ------------------------------------------------------------------------- the noise


def test_series_have_unit_variance_and_the_autocorrelation_of_their_gaps():
    session = np.tile([1, 2, 4, 5], 50_000)
    courses = flat.Courses(np.zeros(200_000), session, np.arange(0, 200_001, 4))
    carry = noise.carry_over(0.6, noise.gaps(courses))[None]
    shocks = np.random.default_rng(1).standard_normal(carry.shape)
    drawn = noise.autoregressive(carry, shocks, 4).reshape(-1, 4)
    gap = np.abs(np.subtract.outer([1, 2, 4, 5], [1, 2, 4, 5]))
    assert np.cov(drawn.T) == pytest.approx(0.6**gap, abs=0.02)


# ------------------------------------------------------------------------- replicates


@pytest.mark.parametrize("model", replicates.MODELS)
def test_replicates_keep_sessions_range_and_grid(model):
    rating = np.clip(37 + 3 * series(80, 9, 0.3, seed=7), 0, 40)
    table = sessions((2 * rating).round() / 2)
    made = prepared(table[np.random.default_rng(2).random(len(table)) < 0.8])
    values = replicates.simulate(made, model, np.arange(20), np.random.default_rng(1))
    assert made.form.step == 0.5
    assert values.max() == 40
    assert values.min() >= 0
    assert (values * 2 == np.rint(values * 2)).all()
    stacked = replicates.stacked(made, values)
    assert (stacked.session.reshape(20, -1) == made.courses.session).all()
    assert (stacked.length.reshape(20, -1) == made.courses.length).all()


def test_shuffled_ratings_of_a_course_without_trend_are_its_own_in_another_order():
    table = sessions((20 + 2 * series(50, 8, 0.0, seed=8)).round())
    made = replace(prepared(table), line=np.repeat(20.0, 400))
    own = made.courses.rating
    assert (np.sort(own) == np.sort(table.srs)).all()
    values = replicates.simulate(made, "shuffle", np.arange(3), np.random.default_rng(1))
    for replicate in values:
        assert (np.sort(replicate.reshape(50, 8)) == np.sort(own.reshape(50, 8))).all()
    assert (values != own).any(axis=1).all()


def test_each_replicate_has_its_own_pooled_sd():
    made = prepared(sessions(20 + 2 * series(30, 8, 0.3, seed=9)))
    values = replicates.simulate(made, "autoregressive", np.arange(4), np.random.default_rng(1))
    scale = replicates.scale_of(made, replicates.stacked(made, values))
    for number, replicate in enumerate(values):
        one = flat.Courses(replicate, made.courses.session, made.courses.start)
        for around in ("mean", "trend"):
            pooled = getattr(scale, f"sample_sd_{around}").reshape(4, 30)[number]
            assert pooled == pytest.approx(flat.pooled_sd(one, around))
    assert scale.reliable_change == 5.0


def test_a_replicate_is_read_by_what_is_ordinary_in_itself():
    made, rule = prepared(sessions(30 + 2 * series(30, 8, 0.3, seed=5).round(1))), rules("dip")[0]
    rule = replace(rule, k=2.0)
    courses, scale = simulated(
        made, "autoregressive", 0, np.arange(4), compare_with_chance.EXPECTED
    )
    found, _ = replicates.find(courses, scale, rule, EDGE_RULES)
    variances = set()
    for one, rating in enumerate(courses.rating.reshape(4, -1)):
        alone = arrange(sessions(rating.reshape(30, 8)), "srs", MEASURE)
        own, _ = replicates.find(alone.courses, alone.scale, rule, EDGE_RULES)
        assert (found.low.reshape(4, -1)[one] == own.low).all()
        assert found.unit.reshape(4, -1)[one] == pytest.approx(own.unit)
        variances.add(population_of(rule, alone.scale).variance)
    assert len(variances) == 4
    assert found.low.any()


# --------------------------------------------------------------------------- expected


def test_expected_agrees_with_the_published_null_table():
    """Shares of courses with a rupture among 12 independent ratings, see tests/golden."""
    made = prepared(sessions(20 + 2 * series(1500, 12, 0.0, seed=10)))
    table = expected(made, rules("v_1sd", "v_2sd", "own_mean_2sd", "shewhart_3"), replicates=20)
    share = 100 * (table.expected_courses / 1500).to_numpy()
    assert share == pytest.approx([99.6, 72.4, 17, 1.4], abs=1.5)


#: Few short courses near the ceiling: at first sight ordinary ups and downs, none at the second.
FEW = pd.DataFrame(
    {
        "course": [f"c{number}" for number in (0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 7)],
        "session": [1, 1, 2, 1, 2, 1, 2, 3, 1, 2, 1, 2, 3, 1, 1],
        "srs": [0.794435, 0.378449, 0.0, 1.0, 0.957452, 0.678224, 0.30597, 0.576714, 0.809371,
                0.803553, 0.975007, 0.984143, 0.79544, 0.366694, 0.375954],
    }
)  # fmt: skip


@pytest.mark.parametrize("table", [FEW, sessions(np.tile([30.0, 34.0], (20, 1)))])
def test_without_ordinary_ups_and_downs_nothing_is_compared_with_noise(table):
    measure = replace(MEASURE, better="lower", range=(0.0, 1.0)) if table is FEW else MEASURE
    made = prepared(table, measure)
    found = expected(made, rules("v_2sd", "own_mean_2sd"), replicates=5)
    assert (found["status"] == "not_assessable").all()
    assert found["reason"].str.contains("ordinary ups and downs are not known").all()
    assert found["expected"].isna().all()
    kept = replicates.kept_replicates(made, SETTINGS, 1, dataset="made")
    assert kept.empty
    stacked = grid.replicates_of(kept, made.ratings, measure)
    offered = grid.offer(made.ratings, stacked, rules("v_2sd")[0], EDGE_RULES, measure)
    assert all(one.noise is None for one in offered.found)


def test_shares_by_course_sum_to_the_courses_expected():
    made = prepared(sessions(20 + 2 * series(60, 8, 0.3, seed=9)))
    settings = replace(SETTINGS, null_models=("autoregressive", "shuffle"), replicates=20)
    table, courses = compare_with_chance.expected(
        made, rules("v_2sd"), EDGE_RULES, settings, dataset="made"
    )
    assert list(courses["course"]) == sorted(made.ratings.course_ids)
    assert courses["expected"].sum() == pytest.approx(table["expected_courses"][0])


def test_expected_agrees_with_the_published_null_table_for_correlated_ratings():
    made = prepared(sessions(20 + 2 * series(1500, 20, 0.6, seed=11)))
    table = expected(made, rules("own_mean_2sd", "shewhart_3"), replicates=20)
    assert (100 * table.expected_courses / 1500).to_numpy() == pytest.approx([31, 28], abs=2.5)


def test_what_is_observed_is_what_detection_finds():
    table = sessions(np.clip(36 + 3 * series(60, 10, 0.3, seed=12), 0, 40).round(1))
    made = prepared(table)
    for rule in rules("dip_simple", "tooth_simple", "v_2sd", "reliable_drop"):
        row = expected(made, [rule], replicates=2).iloc[0]
        found = detect.detect_one(made.ratings, rule, EDGE_RULES, dataset="made", name="srs",
                                  measure=MEASURE).summary  # fmt: skip
        assert row.observed == found["n_episodes"]
        assert row.observed_courses == found["n_courses_with_episode"]
        assert row.n_courses_assessable == found["n_courses_assessable"]
        assert row.n_sessions_assessable == found["n_sessions_assessable"]
        ended = found["n_repaired"] + found["n_unrepaired"]
        assert row.observed_repaired == pytest.approx(found["n_repaired"] / ended)


def tables_of(found) -> tuple:
    return found if isinstance(found, tuple) else (found,)


def test_numbers_do_not_depend_on_the_number_of_processes():
    made = prepared(sessions(np.clip(36 + 3 * series(40, 9, 0.3, seed=13), 0, 40).round(1)))
    chosen = [*rules("v_2sd"), replace(rules("dip_simple")[0], k="calibrated")]
    for function, asked, settings in (
        (calibrate.calibrated_k, chosen, SETTINGS.false_alarm),
        (compare_with_chance.expected, chosen[:1], SETTINGS),
        (planted_falls.sensitivity, chosen[:1], SETTINGS.planted_falls),
    ):
        one, two = (
            function(made, asked, EDGE_RULES, settings, dataset="made", processes=processes)
            for processes in (1, 2)
        )
        for alone, shared in zip(tables_of(one), tables_of(two), strict=True):
            pd.testing.assert_frame_equal(alone, shared)


def test_measures_side_by_side_give_the_numbers_of_one_after_the_other():
    rating = (30 + 3 * series(40, 9, 0.3, seed=26)).round(1)
    table = sessions(rating, other=(rating[::-1] - 1).ravel())
    measures = {
        "srs": MEASURE,
        "other": replace(MEASURE, name="other"),
        "ors": replace(MEASURE, name="ors", role="outcome"),
    }
    # That calibrated k do not depend on the processes is tested with the step that solves for them.
    how = {"dataset": "made", "seed": 1}
    solved = calibrate.calibrate(table, measures, rules("v_2sd"), EDGE_RULES, 0.05, **how)
    one, two = (
        compare_with_chance.compare_with_chance(
            table,
            measures,
            rules("v_2sd"),
            solved,
            EDGE_RULES,
            SETTINGS,
            **how,
            most_courses=3000,
            processes=processes,
        )
        for processes in (1, 2)
    )  # fmt: skip
    for alone, shared in zip(one, two, strict=True):
        assert alone["measure"].unique().tolist() == ["srs", "other"]
        pd.testing.assert_frame_equal(alone, shared)


def test_the_seed_decides_the_numbers():
    table = sessions((30 + 3 * series(40, 9, 0.3, seed=14)).round(1))
    first, again, other = (
        expected(prepared(table, seed=seed), rules("v_2sd")) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert first.expected[0] != other.expected[0]


def test_better_lower_is_the_mirror_image():
    rating = np.clip(36 + 3 * series(60, 9, 0.3, seed=15), 0, 40).round(1)
    chosen = rules("dip_simple", "tooth_simple", "own_mean_2sd", "reliable_drop", "v_2sd")
    higher = prepared(sessions(rating))
    lower = prepared(sessions(-rating), replace(MEASURE, better="lower", range=(-40, 0)))
    for function, settings in (
        (compare_with_chance.expected, SETTINGS),
        (planted_falls.sensitivity, SETTINGS.planted_falls),
    ):
        pair = (
            function(made, chosen, EDGE_RULES, settings, dataset="made") for made in (higher, lower)
        )
        for one, other in zip(*map(tables_of, pair), strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_a_criterion_that_is_not_assessable_has_its_reason_and_no_numbers():
    made = prepared(
        sessions(20 + series(20, 8, 0.0, seed=16)), replace(MEASURE, reliable_change=None)
    )
    table = expected(made, rules("reliable_drop", "v_2sd"))
    assert table.status.tolist() == ["not_assessable", "assessed"]
    assert "no reliability" in table.reason[0]
    numbers = ["observed", "expected", "ratio", "p", "n_courses_assessable"]
    assert table.loc[0, numbers].isna().all()
    assert table.loc[1, numbers].notna().all()
    seen = planted_falls.sensitivity(
        made, rules("reliable_drop"), EDGE_RULES, SETTINGS.planted_falls, dataset="made"
    )
    assert seen.status.tolist() == ["not_assessable"]
    assert smallest_found(seen).text.tolist() == [table.reason[0]]


def test_p_counts_replicates_with_as_many_episodes_or_more():
    counts = np.array([3, 5, 5, 8])
    zero = np.zeros(4, dtype=int)
    seen = Tally(*([np.array([5])] + [np.array([1])] * 7))
    row = compared(seen, Tally(*[counts, counts, zero, zero] + [counts] * 4))
    assert row["p"] == (1 + 3) / 5
    assert row["p_error"] == pytest.approx(np.sqrt(0.8 * 0.2 / 4))
    assert row["expected"] == 5.25
    assert row["excess"] == -0.25


@pytest.mark.parametrize(
    "rating",
    [
        np.full((6, 1), 30.0),
        np.array([[30.0, 28.0], [31.0, 35.0], [22.0, 30.0]]),
        np.full((5, 8), 40.0),
        np.vstack([np.full((5, 8), 40.0), 30 + np.arange(8) * np.ones((2, 1))]),
        np.array([[30.0, 25, 31, 30, 22, 30, 31, 28]]),
    ],
    ids=["one rating", "two ratings", "all constant", "some constant", "one course"],
)
def test_small_and_constant_courses_give_numbers_or_reasons(rating):
    made = prepared(sessions(rating))
    chosen = rules("dip_simple", "v_2sd", "own_mean_2sd", "reliable_drop", "srs_cutoff")
    table = expected(made, chosen, null_models=list(replicates.MODELS), replicates=20)
    assert (table.reason.notna() == (table.status == "not_assessable")).all()
    assert (table.expected.isna() == (table.status == "not_assessable")).all()
    values = replicates.simulate(made, "autoregressive", np.arange(5), np.random.default_rng(1))
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 40
    planted_falls.sensitivity(made, chosen, EDGE_RULES, SETTINGS.planted_falls, dataset="made")
    tooth = [replace(rules("tooth_simple")[0], k="calibrated")]
    calibrate.calibrated_k(made, tooth, EDGE_RULES, SETTINGS.false_alarm, dataset="made")


def test_reports_cannot_be_simulated_and_slow_rules_get_fewer_replicates():
    table = sessions((30 + 3 * series(12, 9, 0.3, seed=24)).round(1))
    base = rules("v_2sd")[0]
    reported = replace(base, id="a", run="reported")
    slow = replace(base, id="b", run="rupture_probability", k=0.5)
    parameters = Parameters(30, 0, np.eye(2), 1.5, depth=6.0, onset=0.1, recovery=0.3)
    model = HiddenMarkovModel(parameters, 5.0, 0.0, 40.0, 0.1, identified=True)
    made = prepared(table)
    courses = replace(made.courses, reported=np.zeros(108, dtype=bool))
    scale = replace(made.ratings.scale, model=model)
    made = replace(made, ratings=replace(made.ratings, courses=courses, scale=scale))
    found = expected(made, [reported, slow, base])
    assert "cannot be simulated" in found.reason[0]
    assert found.replicates[1:].tolist() == [SETTINGS.slow_replicates, SETTINGS.replicates]
    assert found.loc[1:, "expected"].notna().all()


def test_a_scale_without_known_ends_has_neither_floor_nor_ceiling():
    made = prepared(sessions(20 + 2 * series(40, 8, 0.3, seed=25)), replace(MEASURE, range=None))
    assert (made.form.low, made.form.high, made.form.soft) == (-np.inf, np.inf, 0.0)
    assert expected(made, rules("v_2sd")).expected[0] > 0


def test_a_measure_without_ratings_is_not_assessable():
    table = sessions(np.full((3, 2), np.nan))
    made = prepared(table)
    assert expected(made, rules("v_2sd")).reason.tolist() == ["the measure has no rating"]


# ----------------------------------------------------------------------- calibrated k


def calibrated(made, name="dip_simple", **settings) -> pd.Series:
    rule = replace(rules(name, **settings)[0], k="calibrated")
    return calibrate.calibrated_k(
        made, [rule], EDGE_RULES, SETTINGS.false_alarm, dataset="made"
    ).iloc[0]


def test_the_calibrated_k_keeps_false_alarms_rare_in_fresh_simulations():
    made = prepared(sessions((30 + 2 * series(300, 12, 0.3, seed=18)).round(1)))
    row = calibrated(made, floor=None)
    assert row.status == "solved"
    fresh = replace(made, entropy=(12345,))
    blocks = [
        calibrate._Simulated(*simulated(fresh, "autoregressive", block, members, 0), len(members))
        for block, members in fresh.blocks(100)
    ]
    rule = rules("dip_simple", floor=None)[0]
    share, error, _ = calibrate._of_courses(rule, blocks, EDGE_RULES)(row.k)
    assert share <= 0.05 + 3 * np.hypot(error, row.false_alarm_error)
    below, error, _ = calibrate._of_courses(rule, blocks, EDGE_RULES)(row.k - 0.15)
    assert below > 0.05 + 3 * error


def test_the_calibrated_k_holds_for_courses_from_the_true_process():
    row = calibrated(prepared(sessions((30 + 2 * series(400, 12, 0.3, seed=19)).round(1))),
                     "tooth_simple", floor=None)  # fmt: skip
    table = sessions((30 + 2 * series(4000, 12, 0.3, seed=20)).round(1))
    ratings = arrange(table, "srs", MEASURE)
    rule = replace(rules("tooth_simple", floor=None)[0], k=row.k)
    found = tally(
        ratings.courses, *replicates.find(ratings.courses, ratings.scale, rule, EDGE_RULES)
    )
    assert found.courses[0] / 4000 == pytest.approx(0.05, abs=0.012)


def test_where_the_floor_keeps_false_alarms_rare_k_is_the_least():
    made = prepared(sessions((30 + 0.8 * series(200, 10, 0.0, seed=21)).round(1)))
    row = calibrated(made)
    assert (row.status, row.k) == ("least", calibrate.LEAST_K)
    assert row.false_alarm < 0.05


def test_a_k_that_no_course_allows_is_refused_with_its_reason():
    made = prepared(sessions((30 + 2 * series(200, 5, 0.0, seed=22)).round(1)))
    row = calibrated(made, "own_mean_2sd")
    assert row.status == "not_assessable" or row.false_alarm <= 0.05
    made = prepared(sessions((30 + 2 * series(200, 10, 0.0, seed=23)).round(1)))
    row = calibrated(made, "srs_cutoff")  # its k is in points, and six below 36 is usual here
    assert row.status == "not_assessable"
    assert "up to k = 6" in in_full(row.reason)
    assert np.isnan(row.k)


def test_only_what_asks_for_a_k_gets_one():
    dip, fixed = replace(rules("dip_simple")[0], k="calibrated"), rules("v_2sd")[0]
    table = pd.DataFrame({"criterion": ["dip_simple"], "k": [2.34]})
    assert [rule.k for rule in criteria.with_calibrated_k([dip, fixed], table)] == [2.34, 2]


# ------------------------------------------------------------------------ sensitivity
