"""Counts at many settings: what one setting hides, no other one gives away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacker import Attacker
from rupture_repair.detection import criteria
from rupture_repair.disclosure.explored_counts import COLUMNS, explored_counts
from rupture_repair.disclosure.gate import Gate

RULES = criteria.load(["shewhart_2", "shewhart_3", "v_1sd"])
OF_DETECTION = ("n_episodes", "n_courses_with_episode", "n_repaired", "n_unrepaired",
                "n_censored", "n_courses_assessable")  # fmt: skip


def gate_of(rows, least, hidden=(), **more):
    """A gate that shows the detection rows given, by criterion, but for some columns."""
    shown = {("courses",): 60, ("rated courses", "a"): 60} | more
    for name, row in rows.items():
        for column, count in zip(OF_DETECTION, row, strict=True):
            if (name, column) not in hidden and (count == 0 or count >= least):
                shown["detection", "a", name, column] = count
    return Gate(least, shown)


def shown(row, least=5, hidden=(), settings=()):
    """Which columns of one criterion's own setting, and of others, are shown."""
    table = np.array([row, *settings])
    gate = gate_of({"v_1sd": row}, least, [("v_1sd", name) for name in hidden])
    found = explored_counts(gate, "a", [RULES[2]], [table], [0])[0]
    return [[name for name, count in zip(COLUMNS, one, strict=True) if not np.isnan(count)]
            for one in found]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, set()),
        ({"censored": 0, "unrepaired": 18}, set()),
        ({"censored": 4, "repaired": 16}, {"repaired", "unrepaired", "censored"}),
        ({"courses": 3}, {"episodes", "courses", "repaired", "unrepaired", "censored"}),
        ({"courses": 27}, {"episodes", "repaired", "unrepaired", "censored"}),
        ({"courses": 57, "episodes": 70, "repaired": 52}, {"courses"}),
        ({"assessable": 27, "courses": 25}, {"courses"}),
        ({"assessable": 58}, set()),
        ({"assessable": 57, "courses": 57, "episodes": 70, "repaired": 52}, {"courses"}),
        ({"assessable": 55, "courses": 55, "episodes": 70, "repaired": 52}, set()),
        ({"episodes": 5, "courses": 5, "repaired": 5, "unrepaired": 0, "censored": 0}, set()),
        ({"episodes": 5, "courses": 5, "repaired": 3, "unrepaired": 2, "censored": 0},
         {"repaired", "unrepaired", "censored"}),
    ],
)  # fmt: skip
def test_a_row_hides_small_counts_with_what_gives_them_away(changes, gone):
    row = {"episodes": 30, "courses": 25, "repaired": 12, "unrepaired": 10, "censored": 8,
           "assessable": 60}  # fmt: skip
    assert set(COLUMNS) - set(shown(list((row | changes).values()))[0]) == gone


def test_assessable_courses_are_shown_where_detection_shows_them():
    row, other = [30, 25, 12, 10, 8, 60], [30, 25, 12, 10, 8, 58]
    assert [("assessable" in one) for one in shown(row, settings=[other])] == [True, False]


def test_that_nothing_can_be_assessed_is_shown():
    assert shown([30, 25, 12, 10, 8, 60], settings=[[0] * 6])[1] == list(COLUMNS)


def test_assessable_courses_are_those_of_this_measure_and_of_no_other_count():
    rows = [[30, 25, 12, 10, 8, number] for number in (58, 60, 30, 44, 45)]
    others = {("ratings", "a"): 44, ("detection", "b", "v_1sd", "n_courses_assessable"): 45}
    gate = gate_of({"v_1sd": rows[0]}, 5, [("v_1sd", "n_courses_assessable")])
    found = explored_counts(
        Gate(5, {**gate.shown, **others}), "a", [RULES[2]], [np.array(rows)], [0]
    )[0]
    assert (~np.isnan(found[:, 5])).tolist() == [False, True, False, False, False]


def courses_shown(number, sawtooth=None, whole=None):
    """Whether another setting shows so many courses, where detection withholds 31 of 33."""
    table = np.array([[33, 31, 18, 6, 9, 60], [60, number, 30, 20, 10, 60]])
    given = gate_of({"v_1sd": table[0]}, 5, [("v_1sd", "n_courses_with_episode")]).shown
    if sawtooth is not None:
        given["detection", "a", "v_1sd", "n_sawtooth"] = sawtooth
    if whole is not None:
        del given["rated courses", "a"]
        given["courses",] = whole
    found = explored_counts(Gate(5, given), "a", [RULES[2]], [table], [0])[0]
    return not np.isnan(found[1, 1])


def test_the_most_common_number_of_courses_is_shown_of_several_near_ones():
    rows = [[60, number, 30, 20, 10, 60] for number in (40, 30, 32, 32, 20, 22)]
    gate = gate_of({"v_1sd": rows[0]}, 5)
    found = explored_counts(gate, "a", [RULES[2]], [np.array(rows)], [0])[0]
    # 32 twice, so that 30 lies too near; of 20 and 22 the larger one.
    np.testing.assert_array_equal(found[:, 1], [40, np.nan, 32, 32, np.nan, 22])


def test_no_setting_bounds_the_courses_that_detection_withholds():
    assert [courses_shown(number) for number in (28, 29, 30, 31, 32)] == [
        True, False, False, False, True,
    ]  # fmt: skip
    assert [courses_shown(number, sawtooth=6) for number in (22, 23, 28)] == [True, False, False]


def test_all_courses_are_the_whole_where_the_rated_ones_are_not_shown():
    table = np.array([[70, 57, 52, 10, 8, 57]])
    shown = gate_of({"v_1sd": table[0]}, 5).shown
    found = {}
    for whole in (60, 62):
        given = {**shown, ("courses",): whole}
        del given["rated courses", "a"]
        counts = explored_counts(Gate(5, given), "a", [RULES[2]], [table], [0])[0]
        found[whole] = not np.isnan(counts[0, 1])
    assert found == {60: False, 62: True}


def test_episodes_are_shown_where_they_leave_room_for_withheld_courses():
    row, near = [31, 25, 15, 10, 6, 60], [30, 30, 20, 10, 0, 33]
    assert "episodes" in shown(row, settings=[near])[1]
    assert "courses" not in shown(row, settings=[near])[1]
    assert "episodes" not in shown(row, settings=[[29, 29, 19, 10, 0, 33]])[1]


def test_what_detection_withholds_is_withheld_at_every_setting_with_that_count():
    row = [30, 20, 12, 10, 8, 60]
    others = [[30, 20, 10, 12, 8, 60], [36, 26, 16, 10, 10, 60]]
    found = shown(row, hidden=["n_episodes", "n_courses_with_episode"], settings=others)
    assert found[0] == ["assessable"]
    assert found[1] == ["assessable"]
    assert found[2] == list(COLUMNS)
    assert shown(row, hidden=["n_repaired"])[0] == ["episodes", "courses", "assessable"]


def test_numbers_of_courses_at_two_settings_are_equal_or_apart():
    rows = [[40, 30, 20, 10, 10, 60], [38, 28, 20, 10, 8, 60], [34, 24, 18, 8, 8, 60]]
    strict = [[30, 22, 12, 10, 8, 60], [26, 19, 12, 6, 8, 60]]
    gate = gate_of({"shewhart_2": rows[0], "shewhart_3": strict[0]}, 5)
    tables = explored_counts(gate, "a", RULES[:2], [np.array(rows), np.array(strict)], [0, 0])
    courses = [table[:, 1].tolist() for table in tables]
    # Detection shows 30 and 22: 28, 24 and 19 lie too near.
    assert np.isnan(courses[0][1:]).all()
    assert courses[0][0] == 30
    assert courses[1][0] == 22
    assert np.isnan(courses[1][1])


def test_where_single_courses_are_shown_everything_is():
    rows = np.array([[3, 2, 1, 1, 1, 9]])
    assert explored_counts(Gate(), "a", RULES[2:], [rows], [0])[0].tolist() == rows.tolist()


def test_without_a_gate_of_these_data_nothing_is_shown_of_the_own_settings():
    rows = np.array([[30, 25, 12, 10, 8, 60]])
    assert np.isnan(explored_counts(Gate(5), "a", RULES[2:], [rows], [0])[0]).all()


@st.composite
def nested(draw):
    """Rows of stricter and stricter settings: assessable 60, courses with an episode nested."""
    rows, most = [], draw(st.integers(5, 60))
    for _ in range(draw(st.integers(2, 6))):
        most = draw(st.integers(max(0, most - 9), most))
        parts = draw(st.lists(st.integers(0, 12), min_size=2, max_size=2))
        more = draw(st.integers(0, 12)) if most else 0
        episodes = most + more
        repaired = min(parts[0], episodes)
        unrepaired = min(parts[1], episodes - repaired)
        rows.append([episodes, most, repaired, unrepaired, episodes - repaired - unrepaired, 60])
    return rows


@settings(deadline=None, max_examples=60)
@given(nested(), st.integers(2, 6), st.data())
def test_no_small_count_of_any_setting_can_be_bounded(rows, least, data):
    own = data.draw(st.integers(0, len(rows) - 1))
    # Of detection less is shown than could be, as after protecting other tables.
    courses, *parts, _ = rows[own][1:]
    hidden = set()
    if 0 < courses < least or 0 < 60 - courses < least or any(0 < p < least for p in parts):
        hidden = set(OF_DETECTION[:5])
    gate = gate_of({"v_1sd": rows[own]}, least, {("v_1sd", name) for name in hidden})
    table = explored_counts(gate, "a", RULES[2:], [np.array(rows)], [own])[0]
    attacker = Attacker()
    attacker.know("all", 60)
    for at, row in enumerate(table):
        names = dict(zip(COLUMNS, [(at, name) for name in COLUMNS], strict=True))
        for name, count in zip(names.values(), row, strict=True):
            attacker.know(name, count)
        attacker.link("all", [names["assessable"]])
        attacker.link(names["assessable"], [names["courses"]])
        attacker.link(names["episodes"], [names["courses"]])
        attacker.link(names["episodes"], [names[one] for one in COLUMNS[2:5]], rest=False)
        if at:
            attacker.link((at - 1, "courses"), [names["courses"]])
        if row[0] > 0:
            attacker.at_least(names["courses"], 1)
    for at, row in enumerate(rows):
        sums = [({(at, name): 1}, count) for name, count in zip(COLUMNS, row, strict=True)]
        sums.append(({(at, "assessable"): 1, (at, "courses"): -1}, row[5] - row[1]))
        sums.append(({(at, "episodes"): 1, (at, "courses"): -1}, row[0] - row[1]))
        if at:
            earlier = rows[at - 1][1]
            sums.append(({(at - 1, "courses"): 1, (at, "courses"): -1}, earlier - row[1]))
        for names, count in sums:
            if 0 < count < least:
                low, high = attacker.bounds(names)
                assert high - low >= least, (names, count, rows)
