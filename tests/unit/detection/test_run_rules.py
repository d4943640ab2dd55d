"""Run rules against values worked out by hand from the stated rules; the arithmetic is shown."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import oracle
from made_measures import made_measure
from made_settings import EDGE_RULES
from rupture_repair.detection import detect, episodes, fall_rules, run_rules
from rupture_repair.detection.courses import arrange
from rupture_repair.detection.ratings import scale_of

SCALE = fall_rules.Scale(3.0, 3.0, worst=0.0)
RULE = {rule.id: rule for rule in oracle.rules_of_ratings() if rule.run != "rupture_probability"}


def low_of(name, ratings, sessions=None, **changes):
    rule = dataclasses.replace(RULE[name], **changes)
    sessions = np.arange(1, len(ratings) + 1) if sessions is None else np.array(sessions)
    courses, _ = arrange(np.zeros(len(ratings)), sessions, np.array(ratings, float))
    return run_rules.falls(courses, rule, SCALE, 2)


def flagged(name, ratings, **how):
    return (np.flatnonzero(low_of(name, ratings, **how).low) + 1).tolist()


def chart(deviations):
    """Ratings with a mean of 0 and a moving-range sigma of 1 that deviate as given.

    The deviations themselves, then a tail that brings the mean to 0 and sigma to 1: a zigzag
    of an even number of steps whose size is solved for.
    """
    head = np.array(deviations, float)
    tail = 400
    lift = -head.sum() / tail
    wanted = 1.128 * (len(head) + tail - 1) - np.abs(np.diff(head)).sum()
    size = wanted / tail / 2
    for _ in range(50):
        ratings = np.concatenate([head, lift + size * np.tile([1, -1], tail // 2)])
        sigma = np.abs(np.diff(ratings)).mean() / 1.128
        size /= sigma
    return ratings


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ([0, -3.1, 0], [2]),  # one beyond 3 sigma
        ([0, -2.9, 0], []),
        ([0, -2.1, -2.1, 0], [3]),  # two of three beyond 2 sigma, at the second
        ([0, -2.1, 0, -2.1, 0], [4]),
        ([0, -2.1, 0, 0, -2.1, 0], []),
        ([0, -1.1, -1.1, 0, -1.1, -1.1, 0], [6]),  # four of five beyond 1 sigma
        ([0, -1.1, -1.1, 0, 0, -1.1, -1.1, 0], []),
        ([0.5, *[-0.5] * 8, 0.5], [9]),  # eight in a row below the centre
        ([0.5, *[-0.5] * 7, 0.5], []),
        ([0, 3.1, 3.1, 0], []),  # the high side is no rupture
    ],
)
def test_western_electric_on_the_low_side(deviations, expected):
    ratings = chart(deviations)
    assert ratings.mean() == pytest.approx(0, abs=1e-9)
    assert np.abs(np.diff(ratings)).mean() / 1.128 == pytest.approx(1)
    found = [
        session for session in flagged("western_electric", ratings) if session <= len(deviations)
    ]
    assert found == expected


def test_limits_of_the_run_chart_as_tabled():
    # By R: round(log2(n)) + 3 and qbinom(.05, n - 1, .5) for n useful observations.
    table = {10: (6, 2), 12: (7, 3), 15: (7, 4), 20: (7, 6), 24: (8, 8), 30: (8, 10), 50: (9, 19)}
    useful = np.array(list(table))
    assert run_rules.longest_run(useful).tolist() == [run for run, _ in table.values()]
    assert run_rules.fewest_crossings(useful).tolist() == [few for _, few in table.values()]


def test_run_chart_flags_a_run_below_the_median_that_is_too_long():
    # 20 useful points: the limit is round(log2 20) + 3 = 7, so that 8 in a row signal.
    ratings = [5, 6, 4, 6, 4, 6, *[3] * 8, 6, 7, 6, 7, 6, 7]
    median = np.median(ratings)
    assert (np.array(ratings) == median).sum() == 0
    assert flagged("anhoej", ratings) == list(range(7, 15))


def test_run_chart_without_a_signal_flags_nothing():
    assert flagged("anhoej", [5, 3] * 10) == []
    # A run of 7 is the longest that chance allows among 20, and 8 crossings are enough.
    assert flagged("anhoej", [7, 3, 7, 3, 7, *[3] * 7, 7, 7, 7, 3, 7, 7, 7, 7]) == []


def test_points_on_the_median_neither_make_nor_break_a_run():
    # 21 points with one on the median 5; the run of 8 below it goes on across that point.
    ratings = [6, 4, 6, 4, 6, 6, 3, 3, 3, 3, 5, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6]
    assert np.median(ratings) == 5
    assert flagged("anhoej", ratings) == list(range(7, 16))


def test_too_few_crossings_flag_the_longest_run_below():
    # 12 useful points in two blocks of 6: runs of 6 are allowed (limit 7), 1 crossing is not (3).
    ratings = [8, 9, 8, 9, 8, 9, 2, 1, 2, 1, 2, 1]
    assert flagged("anhoej", ratings) == list(range(7, 13))


def test_sudden_loss_needs_two_ratings_on_each_side_and_neighbouring_sessions():
    ratings = [30, 30, 10, 10]
    found = low_of("sudden_loss", ratings, floor=7.0)
    assert found.low.tolist() == [False, False, True, False]
    assert fall_rules.REASONS[found.reason[1]] == "too few ratings before or after this session"
    apart = low_of("sudden_loss", ratings, sessions=[1, 2, 4, 5], floor=7.0)
    assert not apart.low.any()
    assert fall_rules.REASONS[apart.reason[2]] == "the previous rating lies too many sessions back"


def test_change_point_finds_a_lasting_shift_and_not_a_single_low_rating():
    random = np.random.default_rng(5)
    noise = random.normal(0, 1, 20)
    shifted = 30 + noise - np.where(np.arange(20) >= 10, 6, 0)
    found = low_of("change_point", shifted)
    assert np.flatnonzero(found.low).min() == 10
    assert found.reference[10] == pytest.approx(shifted[:10].mean())
    outlier = 30 + noise
    outlier[10] -= 3
    assert not low_of("change_point", outlier).low.any()


def test_reported_sessions_come_from_the_coded_events():
    sessions = pd.DataFrame(
        {"course": ["a"] * 6, "session": range(1, 7), "srs": [36.0, 35, 30, 31, 36, 36]}
    )
    events = pd.DataFrame(
        {"course": ["a", "a"], "session": [3, 5], "kind": ["rupture", "cause"], "code": ["x", "y"]}
    )
    measure = made_measure("srs", instrument="SRS")

    def run(events):
        found = detect.detect(
            sessions, {"srs": measure}, [RULE["reported"]], EDGE_RULES, dataset="d", events=events
        )
        return next(found)

    found = run(events)
    assert found.episodes[["onset", "first_low", "repair"]].to_numpy().tolist() == [[2, 3, 5]]
    for none in (None, events[events["kind"] == "cause"]):
        found = run(none)
        assert found.summary["reason"] == "no coded events: no rupture was reported"
        assert found.summary["n_episodes"] == 0


def test_shrunk_sd_lies_between_the_own_and_that_of_the_dataset():
    random = np.random.default_rng(2)
    sd = np.repeat(np.exp(random.normal(0, 0.5, 300)), 10)
    courses, _ = arrange(
        np.repeat(np.arange(300), 10), np.tile(np.arange(10), 300), random.normal(0, sd)
    )
    scale = scale_of(courses, made_measure())
    degrees, variance = scale.prior_mean
    # log-normal with sigma .5 of the SD is sigma 1 of the variance: trigamma(d/2) = 1, d = 2.85.
    assert degrees == pytest.approx(2.85, rel=0.4)
    rule = dataclasses.replace(RULE["own_mean_2sd"], unit="shrunk_sd")
    own = fall_rules.falls(courses, RULE["own_mean_2sd"], scale, 2).unit
    shrunk = fall_rules.falls(courses, rule, scale, 2).unit
    typical = np.sqrt(variance)
    assert ((shrunk - own) * (typical - own) >= 0).all()
    assert (np.abs(shrunk - typical) <= np.abs(own - typical)).all()


def test_every_row_runs_on_awkward_courses():
    random = np.random.default_rng(11)
    lengths = [1, 2, 3, 4, 5, 6, 9, 12, 20, 40]
    code = np.repeat(np.arange(10), lengths)
    session = np.concatenate([np.cumsum(random.choice([1, 1, 2, 5], n)) for n in lengths])
    rating = np.round(random.normal(34, 4, len(code)), 1)
    rating[code == 8] = 40.0
    courses, _ = arrange(code, session, np.clip(rating, 0, 40))
    scale = fall_rules.Scale(4.0, 4.0, 2.0, 3.9, worst=0.0)
    for rule in RULE.values():
        found = run_rules.falls(courses, rule, scale, 2)
        assert not found.low[found.reason > 0].any(), rule.id
        these = episodes.find_episodes(courses, found, rule)
        state = episodes.states(courses, found, these)
        assert len(state) == len(rating)
        flat = courses.course == 8
        if rule.id != "reported":
            assert not found.low[flat].any(), rule.id
