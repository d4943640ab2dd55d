"""The step that solves for k in all alliance measures of a dataset."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from rupture_repair.chance import calibrate as solver
from rupture_repair.chance.calibrate import calibrate, calibrated_k
from rupture_repair.chance.counts import simulated
from rupture_repair.chance.replicates import Null, find, prepare
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import arrange
from rupture_repair.project.reasons import in_full
from rupture_repair.project.setting_groups import EdgeRules

EDGE_RULES = EdgeRules(max_gap=2, onset_inside_episode=False)
MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 5.0})


def test_each_alliance_measure_has_a_k_whatever_the_number_of_processes():
    rating = 25 + 4 * np.random.default_rng(1).standard_normal((60, 8))
    table = pd.DataFrame(
        {
            "course": np.repeat([f"c{number:02}" for number in range(60)], 8),
            "session": np.tile(np.arange(1, 9), 60),
            "srs": rating.clip(0, 40).round(1).ravel(),
        }
    )
    rules = criteria.load(["v_2sd"], {"v_2sd": {"k": "calibrated"}})
    given = (table, {"srs": MEASURE}, rules, EDGE_RULES, 0.05)
    one, two = (calibrate(*given, dataset="made", seed=1, processes=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one[["measure", "criterion"]].to_numpy().tolist() == [["srs", "v_2sd"]]
    assert one["k"].between(0.5, 4).all()


def test_the_error_of_a_share_is_that_of_a_mean_where_replicates_are_of_one_size():
    found, assessable = np.array([1, 3, 2, 6]), np.full(4, 10)
    share, error, courses = solver._share(found, assessable)
    assert (share, courses) == (0.3, 10)
    assert error == pytest.approx((found / 10).std(ddof=1) / 2)


def test_without_any_assessable_course_there_is_no_share():
    nothing = solver._share(np.zeros(3, dtype=int), np.zeros(3, dtype=int))
    assert np.isnan(nothing[:2]).all()
    assert nothing[2] == 0
    few = solver._share(np.array([0, 1]), np.array([0, 1]))
    assert (few[0], few[2]) == (1.0, 0.5)


@pytest.fixture(scope="module")
def null() -> Null:
    """Thirty courses, of three to eight ratings; the shortest cannot have a dip."""
    rating = 25 + 4 * np.random.default_rng(2).standard_normal((30, 8))
    rating[np.arange(8) >= np.repeat([2, 4, 8, 8, 8], 6)[:, None]] = np.nan
    table = pd.DataFrame({"course": np.repeat([f"c{number:02}" for number in range(30)], 8),
                          "session": np.tile(np.arange(1, 9), 30),
                          "srs": rating.clip(0, 40).round(1).ravel()})  # fmt: skip
    return prepare(arrange(table, "srs", MEASURE), "srs", MEASURE, seed=1)


def rules(*names):
    return criteria.load(names, {name: {"k": "calibrated"} for name in names if name != "reported"})


def solved(null, monkeypatch, share, names=("v_2sd",), of="courses"):
    """Solve where the share of false alarms at each k is known."""
    for name in ("_of_courses", "_of_episodes"):
        said = share if name == f"_of_{of}" else None
        monkeypatch.setattr(solver, name, lambda *_, said=said: said)
    return calibrated_k(null, rules(*names), EDGE_RULES, 0.05, dataset="made",
                        false_alarm_of=of).iloc[0]  # fmt: skip


@pytest.mark.parametrize("of", ["courses", "episodes"])
def test_k_is_the_smallest_hundredth_with_nine_tenths_of_the_alarms_allowed(null, monkeypatch, of):
    row = solved(null, monkeypatch, lambda k: (float(np.exp(-k)), 0.001, 24.0), of=of)
    # exp(-3.10) = 0.04505, exp(-3.11) = 0.04460, and 0.045 are allowed
    assert (row["k"], row["status"]) == (3.11, "solved")
    assert row["false_alarm"] == pytest.approx(np.exp(-3.11))
    assert (row["false_alarm_error"], row["n_courses_assessable"]) == (0.001, 24.0)
    assert (row["dataset"], row["measure"], row["criterion"]) == ("made", "srs", "v_2sd")
    assert row["target"] == 0.05
    assert pd.isna(row["reason"])


@pytest.mark.parametrize(
    ("last", "k", "status"),
    [(0.0, 1.0, "least"), (1.0, 1.01, "solved"), (2.995, 3.0, "solved"), (5.985, 5.99, "solved"),
     (5.995, 6.0, "solved"), (6.0, None, "not_assessable")],
)  # fmt: skip
def test_k_lies_between_one_and_six(null, monkeypatch, last, k, status):
    """Above `last` exactly as many alarms are made as are allowed, up to there more."""
    row = solved(null, monkeypatch, lambda at: (0.9 * 0.05 if at > last else 0.0451, 0.0, 24.0))
    assert row["status"] == status
    assert pd.isna(row["k"]) if k is None else row["k"] == k
    if k is None:
        assert in_full(row["reason"]) == "up to k = 6 more than 5% of courses are false alarms"


@pytest.mark.parametrize(
    ("of", "said"),
    [("courses", "no course is long enough for a k with at most 5% false alarms"),
     ("episodes", "at every k that finds an episode more than 5% are by chance")],
)  # fmt: skip
def test_no_k_is_taken_at_which_nothing_can_be_assessed(null, monkeypatch, of, said):
    def share(k):
        return (0.5, 0.0, 24.0) if k < 3 else (np.nan, np.nan, 0.0)

    row = solved(null, monkeypatch, share, of=of)
    assert row["status"] == "not_assessable"
    assert in_full(row["reason"]) == said
    assert row[["k", "false_alarm", "false_alarm_error", "n_courses_assessable"]].isna().all()


def test_a_criterion_that_cannot_be_simulated_has_the_reason(null):
    rule = replace(criteria.load(["reported"])[0], k="calibrated")
    row = calibrated_k(null, [rule], EDGE_RULES, 0.05, dataset="made").iloc[0]
    assert row["status"] == "not_assessable"
    assert "cannot be simulated" in in_full(row["reason"])


def test_a_measure_without_ratings_has_no_k():
    table = pd.DataFrame({"course": ["a", "a"], "session": [1, 2], "srs": [np.nan, np.nan]})
    empty = prepare(arrange(table, "srs", MEASURE), "srs", MEASURE, seed=1)
    row = calibrated_k(empty, rules("v_2sd"), EDGE_RULES, 0.05, dataset="made").iloc[0]
    assert (row["status"], row["reason"]) == ("not_assessable", "the measure has no rating")


def test_each_criterion_that_asks_for_a_k_has_one_row(null, monkeypatch):
    asked = [*rules("v_1sd"), *criteria.load(["own_mean_2sd"]), *rules("v_2sd")]
    monkeypatch.setattr(solver, "_of_courses", lambda *_: lambda k: (0.0, 0.0, 24.0))
    table = calibrated_k(null, asked, EDGE_RULES, 0.05, dataset="made")
    assert table["criterion"].tolist() == ["v_1sd", "v_2sd"]


@pytest.mark.parametrize(("courses", "number"), [(700, 24), (720, 24), (90, 20), (10**6, 4000)])
def test_replicates_make_up_the_courses_asked_for(null, monkeypatch, courses, number):
    drawn = []

    def draw(null, model, block, members, purpose):
        drawn.extend(members.tolist())
        return null.courses, null.ratings.scale

    monkeypatch.setattr(solver, "CALIBRATION_COURSES", courses)
    monkeypatch.setattr(solver, "simulated", draw)
    row = solved(null, monkeypatch, lambda k: (0.0, 0.0, 24.0))
    assert row["replicates"] == number
    assert drawn == list(range(number))


def blocks_of(null, number):
    return [
        solver._Simulated(*simulated(null, "autoregressive", block, members, 1), len(members))
        for block, members in null.blocks(number)
    ]


@pytest.mark.parametrize("name", ["dip", "tooth", "v_2sd"])
def test_the_share_of_courses_is_that_of_detection_at_each_k(null, name):
    """Criteria that look at windows are scanned once for all k."""
    rule, blocks = rules(name)[0], blocks_of(null, 130)
    assert len(blocks) == 2
    share = solver._of_courses(rule, blocks, EDGE_RULES)
    for k in (1.2, 2.0):
        hit = assessable = 0
        for block in blocks:
            falls, these = find(block.courses, block.scale, replace(rule, k=k), EDGE_RULES)
            hit += len(np.unique(block.courses.course[these.first_low]))
            possible = block.courses.total((falls.reason == 0).astype(float)) > 0
            assessable += possible.sum()
        assert 0 < hit < assessable
        assert share(k)[0] == pytest.approx(hit / assessable)
        assert share(k)[2] == pytest.approx(assessable / 130)


def test_a_fall_that_reaches_k_up_to_rounding_is_an_alarm(null, monkeypatch):
    z = np.array([2.0, 2.0 * (1 - 1e-12), 1.999, np.nan])
    monkeypatch.setattr(solver, "largest_z", lambda *_: z)
    block = SimpleNamespace(courses=None, scale=None, number=2)
    share, _, assessable = solver._of_courses(rules("dip")[0], [block], EDGE_RULES)(2.0)
    assert share == pytest.approx(2 / 3)
    assert assessable == 1.5


def test_the_share_of_episodes_is_that_which_noise_makes_of_those_found(null, monkeypatch):
    def share(seen, noise, assessable=(10, 12)):
        tallies = SimpleNamespace(episodes=np.array(noise),
                                  courses_assessable=np.array(assessable))  # fmt: skip
        asked = []
        monkeypatch.setattr(solver, "observed", lambda null, rule, _:
                            asked.append(rule.k) or SimpleNamespace(episodes=[seen]))  # fmt: skip
        monkeypatch.setattr(solver, "_alarms", lambda rule, k, *_: asked.append(k) or tallies)
        found = solver._of_episodes(rules("dip")[0], null, [], EDGE_RULES)(2.5)
        assert asked == [2.5, 2.5]
        return found

    assert share(8, [2, 4]) == (3 / 8, pytest.approx(np.sqrt(2) / np.sqrt(2) / 8), 11)
    assert share(1, [2, 4])[0] == 1  # more by noise than were found
    for nothing in (share(0, [2, 4]), share(8, [0, 0], (0, 0))):
        assert np.isnan(nothing[:2]).all()
        assert nothing[2] == 0


def test_what_noise_makes_is_counted_with_the_k_asked_for(null):
    rule, blocks = rules("v_2sd")[0], blocks_of(null, 110)
    few, many = (solver._alarms(rule, k, blocks, EDGE_RULES) for k in (2.0, 1.0))
    assert len(few.episodes) == 110
    assert few.episodes.sum() < many.episodes.sum()


def test_each_measure_is_solved_as_asked(null, monkeypatch):
    asked = []

    def solve(null, rules, edge_rules, false_alarm, **how):
        asked.append((null.name, [rule.id for rule in rules], edge_rules, false_alarm, how))
        return solver._table([])

    monkeypatch.setattr(solver, "calibrated_k", solve)
    monkeypatch.setattr(solver, "prepare", lambda ratings, name, measure, seed: replace(
        null, name=f"{name} {seed}"))  # fmt: skip
    table = pd.DataFrame({"course": ["a"] * 3, "session": [1, 2, 3], "srs": [30.0, 32, 31],
                          "other": [20.0, 21, 25]})  # fmt: skip
    measures = {"srs": MEASURE, "other": made_measure("other")}
    calibrate(table, measures, rules("v_2sd"), EDGE_RULES, 0.07, dataset="made", seed=8,
              false_alarm_of="episodes")  # fmt: skip
    how = {"dataset": "made", "false_alarm_of": "episodes", "processes": 1}
    assert asked == [(f"{name} 8", ["v_2sd"], EDGE_RULES, 0.07, how) for name in measures]


def test_without_criteria_there_are_no_rows_and_no_model_of_the_noise(monkeypatch):
    monkeypatch.setattr(solver, "prepare", None)
    table = calibrate(pd.DataFrame(), {"srs": MEASURE}, [], EDGE_RULES, 0.05,
                      dataset="made", seed=1)  # fmt: skip
    assert table.empty
    assert list(table.columns)[:5] == ["dataset", "measure", "criterion", "target", "k"]
