"""Which counts are too small, and which lie too near to each other."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rupture_repair.disclosure.limits import apart, min_cell, place_of_cells, small, spaced
from rupture_repair.project.setting_groups import ReportSettings


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(2, 8), st.sets(st.integers(9, 60)))
def test_counts_that_are_shown_together_are_equal_or_apart(counts, least, taken):
    taken = sorted(taken)[:1]
    found = spaced(list(enumerate(counts)), least, taken)
    shown = [counts[at] for at, fits in found.items() if fits]
    for one, other in itertools.product([*shown, *taken, 0], repeat=2):
        assert one == other or abs(one - other) >= least
    for at, fits in found.items():
        near = [one for one in [*shown, *taken, 0] if abs(one - counts[at]) < least]
        assert fits == (counts[at] in [*shown, *taken, 0])
        assert fits or near


def test_the_first_counts_come_first():
    assert spaced([("a", 12), ("b", 10), ("c", 7)], 5) == {"a": True, "b": False, "c": True}


def test_small_and_what_is_left():
    assert small([0, 1, 4, 5], 5).tolist() == [False, True, True, False]
    assert apart([38, 30, 3, 40, 0], 40, 5).tolist() == [True, False, True, False, False]
    # What is not known is not small.
    assert small([None, 4], 5).tolist() == [False, True]
    assert apart([None, 38, 38], [40, None, 40], 5).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("synthetic", "setting", "least"),
    [(True, "demo_only", 1), (False, "demo_only", 7), (False, "allowed", 1), (True, "never", 7)],
)
def test_counts_are_withheld_where_single_courses_are_not_shown(synthetic, setting, least):
    report = ReportSettings(individuals=setting, formats=("html",), min_cell=7)
    assert min_cell({"synthetic": synthetic}, report) == least
    place = place_of_cells("clinic", synthetic, report).as_posix()
    assert place == ("reports" if least == 1 else "data/processed/clinic")
