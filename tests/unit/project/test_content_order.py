"""An order that hangs on what the data say, not on names, order, scale or direction."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_measures import made_measure
from rupture_repair.detection.courses import arrange, chosen, content
from rupture_repair.project.content_order import (
    by_content,
    in_order,
    levels,
    mixed,
    row_digests,
    turned_columns,
)
from rupture_repair.project.dataset import Dataset
from rupture_repair.project.measures import Measure


def sessions(seed=1, courses=30):
    random = np.random.default_rng(seed)
    course = np.repeat(np.arange(courses), random.integers(1, 8, courses))
    session = pd.Series(course).groupby(course).cumcount().to_numpy() + 1
    return pd.DataFrame(
        {
            "course": [f"c{one:02}" for one in course],
            "therapist": [f"t{one % 5}" for one in course],
            "session": session,
            "alliance": random.integers(0, 40, len(course)) / 3,
            "mood": np.where(random.random(len(course)) < 0.2, np.nan, session / 7),
        }
    )


def content_of(table, order):
    rows = table.iloc[order]
    return rows[["session", "alliance", "mood"]].reset_index(drop=True)


def order_of(table):
    return in_order(table, [table["alliance"], table["mood"]])


def test_names_and_order_of_rows_make_no_difference():
    table = sessions()
    expected = content_of(table, order_of(table))
    names = {name: f"x{place}" for place, name in enumerate(reversed(table["course"].unique()))}
    therapists = {f"t{one}": f"t{(one * 3) % 5}" for one in range(5)}
    renamed = table.assign(
        course=table["course"].map(names), therapist=table["therapist"].map(therapists)
    )
    for other in (renamed, renamed.sort_values("course"), table.sample(frac=1, random_state=3)):
        other = other.reset_index(drop=True)
        pd.testing.assert_frame_equal(content_of(other, order_of(other)), expected)


@pytest.mark.parametrize("times", [10, 1e12, 1e-9, 1 / 3])
def test_scale_and_shift_make_no_difference(times):
    table = sessions()
    scaled = table.assign(alliance=table["alliance"] * times + 7 * times)
    assert order_of(scaled).tolist() == order_of(table).tolist()


def test_every_cell_counts():
    table = sessions()
    before = row_digests([table["session"], table["alliance"], table["mood"]])
    for row, column, value in ((3, "session", 99), (4, "alliance", 0.5), (5, "mood", 0.3)):
        changed = table.copy()
        changed.loc[row, column] = value
        after = row_digests([changed["session"], changed["alliance"], changed["mood"]])
        assert np.flatnonzero(before != after).tolist() == [row]


def test_courses_that_are_equal_are_ordered_by_their_therapists():
    """Two courses with the same ratings: the order does not hang on whose name comes first."""
    rows = {"session": [1, 1, 1, 1, 1], "alliance": [5.0, 5.0, 1.0, 2.0, 3.0]}
    one = pd.DataFrame({"course": list("abcde"), "therapist": list("xyxyy"), **rows})
    two = pd.DataFrame({"course": list("bacde"), "therapist": list("xyxyy"), **rows})
    whose = [
        [table["therapist"].iloc[at] for at in in_order(table, [table["alliance"]]) if at < 2]
        for table in (one, two)
    ]
    assert whose[0] == whose[1]


def test_canonical_ratings_are_turned():
    measures = {
        "alliance": Measure("alliance", role="alliance", better="higher"),
        "mood": Measure("mood", role="outcome", better="lower"),
    }
    table = pd.DataFrame({"course": ["a"], "alliance__bond": [2.0], "mood": [3.0]})
    assert [list(column) for column in turned_columns(table, measures)] == [[2.0], [-3.0]]


def test_levels_of_missing_and_constant_values():
    assert levels([np.nan, np.nan]).tolist() == [-1, -1]
    assert levels([4.0, np.nan, 4.0]).tolist() == [0, -1, 0]
    assert levels([]).tolist() == []


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=50, unique=True))
def test_mixing_keeps_different_numbers_different(numbers):
    assert len(np.unique(mixed(np.array(numbers, dtype=np.uint64)))) == len(numbers)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_rows_are_ordered_by_their_numbers(rows, random):
    shuffled = random.sample(rows, len(rows))
    one, two = (np.array(some, dtype=float) for some in (rows, shuffled))
    assert one[by_content(one)].tolist() == two[by_content(two)].tolist()
    assert one[by_content(one)].tolist() == sorted(map(list, one.tolist()))


def test_chosen_courses_bring_their_ratings():
    courses, _ = arrange([0, 0, 1, 2, 2, 2], [1, 2, 1, 1, 3, 4], [5, 6, 7, 8, 9, 10])
    some, rating = chosen(courses, [2, 0])
    assert some.rating.tolist() == [8, 9, 10, 5, 6]
    assert some.session.tolist() == [1, 3, 4, 1, 2]
    assert some.start.tolist() == [0, 3, 5]
    assert rating.tolist() == [3, 4, 5, 0, 1]
    assert content(some).tolist() == content(courses)[[2, 0]].tolist()


def _dataset(names: Sequence[str]) -> Dataset:
    """Courses of 2 to 9 sessions, the ratings of each its own."""
    random = np.random.default_rng(5)
    length = random.integers(2, 10, len(names))
    sessions = pd.DataFrame(
        {
            "course": np.repeat(list(names), length),
            "session": np.concatenate([np.arange(1, number + 1) for number in length]),
            "bond": random.normal(30, 4, length.sum()),
        }
    )
    events = pd.DataFrame({"course": [names[0], names[1]], "session": 1, "kind": "rupture"})
    measures = {"bond": made_measure("bond")}
    return Dataset("made", measures, sessions, pd.DataFrame({"course": list(names)}), events)


def test_a_sample_of_courses_is_even_over_lengths_and_whole():
    dataset = _dataset([f"c{number:03}" for number in range(200)])
    sample = dataset.sampled(50)
    length = np.sort(dataset.sessions["course"].value_counts())
    drawn = sample.sessions["course"].value_counts()
    assert (np.sort(drawn) == length[::4]).all()
    assert set(sample.courses["course"]) == set(drawn.index) >= set(sample.events["course"])
    every = dataset.sessions[dataset.sessions["course"].isin(drawn.index)]
    pd.testing.assert_frame_equal(sample.sessions, every.reset_index(drop=True))
    assert dataset.sampled(200) is dataset


def test_a_sample_of_courses_does_not_hang_on_their_names():
    names = [f"c{number:03}" for number in range(200)]
    others = [f"x{999 - number}" for number in range(200)]
    one, other = (set(_dataset(each).sampled(50).courses["course"]) for each in (names, others))
    assert {others[names.index(name)] for name in one} == other
