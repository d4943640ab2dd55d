from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of
from made_measures import made_measures
from made_settings import EXPOSURE_RULES
from rupture_repair.exposure.courses import course_exposures
from rupture_repair.exposure.sessions import (
    SESSION_COLUMNS,
    session_exposures,
    trajectory_exposures,
)
from rupture_repair.exposure.shared import same_scores
from rupture_repair.project.setting_groups import ExposureRules

NA = np.nan
MEASURES = made_measures(
    alliance={},
    distress={"better": "lower", "role": "outcome"},
    final={"better": "lower", "role": "outcome", "level": "course"},
)


def table_of(course, sessions, alliance, distress):
    return pd.DataFrame(
        {"course": course, "session": sessions, "alliance": alliance, "distress": distress}
    )


def states_of(course, sessions, states, measure="alliance"):
    return pd.DataFrame(
        {"measure": measure, "criterion": "dip", "course": course, "session": sessions,
         "state": states}
    )  # fmt: skip


SESSIONS = pd.concat(
    [
        table_of("a", [1, 2, 3, 4, 5, 8], [9, 9, 2, 8, 9, 9], [20, NA, 18, 16, NA, 12]),
        table_of("b", [2, 3, 4, 5], [5, 5, 1, 1], [NA, 10, 9, 8]),
    ],
    ignore_index=True,
)
STATES = pd.concat(
    [
        states_of("a", [1, 2, 3, 4, 5, 6, 7, 8],
                  ["not_assessable", "steady", "ruptured", "repaired_here", "after_repair",
                   "not_assessable", "not_assessable", "steady"]),
        states_of("b", [2, 3, 4, 5], ["steady", "steady", "ruptured", "after_unrepaired"]),
        states_of("a", [2], ["ruptured"], measure="other"),
    ],
    ignore_index=True,
)  # fmt: skip
COURSES = pd.DataFrame({"course": ["a", "b"], "therapist": ["t1", None]})


def given(**changed):
    return dataset_of({"measures": MEASURES, "sessions": SESSIONS, "courses": COURSES}, **changed)


def sessions(**changed):
    made = {"states": STATES, "sessions": SESSIONS, "courses": COURSES, "measures": MEASURES,
            "outcome": "distress", "rules": EXPOSURE_RULES} | changed  # fmt: skip
    names = ("alliance", made["outcome"])
    return session_exposures(made["states"], dataset_of(made), *names, made["rules"])


def test_next_outcome_is_the_next_rated_one_within_the_gap_and_turned():
    table = sessions().set_index(["course", "session"])
    # a5 has its next outcome three numbers later; b2 would meet its own baseline at session 3.
    assert list(table.index) == [("a", 2), ("a", 3), ("b", 3), ("b", 4)]
    assert list(table["outcome_next"]) == [-18, -16, -9, -8]
    assert list(table["baseline"]) == [-20, -20, -10, -10]
    np.testing.assert_array_equal(table["outcome_now"], [NA, -18, -10, -9])
    assert list(table["n_sessions"]) == [6, 6, 4, 4]
    assert list(table["time"]) == [1, 2, 2, 3]


@pytest.mark.parametrize("courses", [["a", "b"], ["a"], ["b"]])
def test_courses_without_a_rated_outcome_have_no_next_one(courses):
    unrated = SESSIONS["course"].isin(courses)
    table = sessions(sessions=SESSIONS.assign(distress=SESSIONS["distress"].mask(unrated)))
    expected = sessions()
    assert list(table.columns) == list(expected.columns)
    left = expected[~expected["course"].isin(courses)]
    np.testing.assert_array_equal(table["outcome_next"], left["outcome_next"])


def test_a_wider_gap_finds_later_outcomes():
    table = sessions(rules=replace(EXPOSURE_RULES, max_gap=4))
    after = table.set_index(["course", "session"])["outcome_next"]
    assert after["a", 5] == -12
    assert ("a", 4) not in after  # the same outcome must not count twice
    assert ("a", 8) not in after


def test_exposure_follows_the_states_that_are_set():
    table = sessions(rules=replace(EXPOSURE_RULES, max_gap=4)).set_index(["course", "session"])
    assert list(table.loc["a", "repaired"]) == [0, 0, 1]
    assert list(table.loc["a", "open"]) == [0, 1, 0]
    other = ExposureRules(open=("after_repair",), repaired=("ruptured",), max_gap=4)
    table = sessions(rules=other)
    assert list(table.loc[table["course"] == "a", "repaired"]) == [0, 1, 0]
    assert list(table.loc[table["course"] == "a", "open"]) == [0, 0, 1]


def test_within_and_between_add_up_and_detrended_has_no_trend():
    rng = np.random.default_rng(4)
    course = np.repeat(["a", "b", "c"], [9, 12, 2])
    number = np.concatenate([np.arange(9), np.arange(12), np.arange(2)]) + 1
    table = table_of(course, number, 5.0, rng.normal(size=23))
    state = rng.choice(["steady", "ruptured", "repaired_here"], 23)
    result = sessions(states=states_of(course, number, state), sessions=table)
    whole = result["open_within"] + result["open_between"]
    np.testing.assert_allclose(whole, result["open"], atol=1e-12)
    assert result.groupby("course")["open_between"].nunique().max() == 1
    np.testing.assert_allclose(result.groupby("course")["open_within"].sum(), 0, atol=1e-12)
    for _, own in result[result["course"] != "c"].groupby("course"):
        line = np.polyfit(own["time"], own["repaired"], 1)
        expected = own["repaired"] - np.polyval(line, own["time"])
        np.testing.assert_allclose(own["repaired_detrended"], expected, atol=1e-10)


def test_an_absent_row_is_the_same_as_an_empty_one():
    empty = pd.concat([SESSIONS, table_of("a", [6, 7], NA, NA)], ignore_index=True)
    pd.testing.assert_frame_equal(sessions(), sessions(sessions=empty))


def test_the_order_of_rows_does_not_matter():
    mixed = sessions(
        states=STATES.sample(frac=1, random_state=1),
        sessions=SESSIONS.sample(frac=1, random_state=2),
    )
    pd.testing.assert_frame_equal(sessions(), mixed)


def test_therapist_comes_from_the_courses_and_may_be_missing():
    table = sessions()
    assert table.loc[table["course"] == "a", "therapist"].eq("t1").all()
    assert table.loc[table["course"] == "b", "therapist"].isna().all()
    assert sessions(courses=COURSES[["course"]])["therapist"].isna().all()


@pytest.mark.parametrize("outcome", ["distress", "final"])
def test_nothing_to_follow_gives_no_rows_but_all_columns(outcome):
    first = SESSIONS[SESSIONS["session"] == 1]
    table = sessions(sessions=first, outcome=outcome)
    assert table.empty
    assert list(table.columns) == list(SESSION_COLUMNS)


def course_table(episodes, outcome="distress", courses=COURSES, states=STATES):
    episodes = pd.DataFrame(episodes, columns=["course", "status"])
    episodes = episodes.assign(measure="alliance", criterion="dip")
    return course_exposures(episodes, states, given(courses=courses), "alliance", outcome)


def test_courses_count_censored_episodes_on_their_own():
    table = course_table([("a", "repaired"), ("a", "repaired"), ("a", "censored")]).iloc[0]
    assert list(table[["n_repaired", "n_unrepaired", "n_censored"]]) == [2, 0, 1]
    assert list(table[["first_outcome", "last_outcome"]]) == [-20, -12]
    assert table["n_sessions"] == 6
    assert table["mean_alliance"] == pytest.approx(46 / 6)


@pytest.mark.parametrize(
    ("statuses", "group"),
    [
        ([], "none"),
        (["repaired"], "repaired only"),
        (["repaired", "censored"], "repaired only"),
        (["repaired", "unrepaired", "censored"], "any unrepaired"),
        (["censored"], "censored only"),
    ],
)
def test_groups(statuses, group):
    table = course_table([("a", status) for status in statuses]).set_index("course")
    assert table.loc["a", "group"] == group
    assert table.loc["b", "group"] == "none"


def test_a_course_that_was_not_assessable_is_left_out():
    states = STATES.assign(state=STATES["state"].where(STATES["course"] == "a", "not_assessable"))
    assert list(course_table([], states=states)["course"]) == ["a"]


def test_one_outcome_is_no_change():
    first = SESSIONS.assign(distress=SESSIONS["distress"].where(SESSIONS["session"] == 3))
    none = pd.DataFrame({"measure": [], "course": [], "status": []})
    result = course_exposures(none, STATES, given(sessions=first), "alliance", "distress")
    assert result["last_outcome"].isna().all()
    assert result["first_outcome"].notna().all()


def test_outcome_before_and_after_comes_from_the_courses():
    courses = COURSES.assign(final__first=[30.0, 20.0], final__last=[10.0, NA])
    table = course_table([], outcome="final", courses=courses)
    assert list(table["first_outcome"]) == [-30, -20]
    np.testing.assert_array_equal(table["last_outcome"], [-10, NA])


def test_trajectories_have_every_rated_outcome_and_the_group():
    table = course_table([("b", "unrepaired")])
    result = trajectory_exposures(table, given(), "distress")
    assert list(result["outcome"]) == [-20, -18, -16, -12, -10, -9, -8]
    assert list(result["group"].cat.categories) == ["none", "any unrepaired"]
    assert trajectory_exposures(table, given(), "final").empty


def test_same_scores_are_noticed_even_reversed():
    table = SESSIONS.assign(reversed=50 - 2 * SESSIONS["alliance"])
    assert same_scores(table, "alliance", "reversed")
    assert not same_scores(table, "alliance", "distress")
    assert not same_scores(table, "alliance", "absent")
