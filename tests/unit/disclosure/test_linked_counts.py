"""No count that is withheld can be told more narrowly than by the smallest count shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacker import Attacker
from rupture_repair.disclosure import linked_counts
from rupture_repair.disclosure.linked_counts import DEAR, LinkedCounts


def attacked(linked, sums, published):
    """Bounds of every small count, from those that are shown."""
    attacker = Attacker()
    for key in linked.counts:
        shown = key in published and key not in linked.withheld
        attacker.know(key, linked.counts[key] if shown else None)
    for whole, parts, rest in sums:
        attacker.link(whole, parts, rest)
    small = [key for key, count in linked.counts.items() if 0 < count < linked.least]
    return {key: attacker.bounds({key: 1}) for key in small}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 14), min_size=3, max_size=3), min_size=2, max_size=4),
    st.integers(2, 6),
)
def test_no_small_cell_of_a_table_with_margins_can_be_bounded(rows, least):
    linked, sums = LinkedCounts(least), []
    for at, row in enumerate(rows):
        for column, count in enumerate(row):
            linked.publish((str(at), str(column)), count)
        linked.publish((str(at), "all"), sum(row))
        sums.append(((str(at), "all"), [(str(at), str(column)) for column in range(3)], False))
    for column in (*range(3), "all"):
        cells = [(str(at), str(column)) for at in range(len(rows))]
        linked.publish(("all", str(column)), sum(linked.counts[cell] for cell in cells))
        sums.append((("all", str(column)), cells, False))
    for whole, parts, _ in sums:
        linked.total(whole, parts)
    withheld = linked.protect()
    assert withheld <= set(linked.counts)
    for key, (low, high) in attacked(linked, sums, set(linked.counts)).items():
        assert high - low >= least, key
    if not any(0 < count < least for count in linked.counts.values()):
        assert not withheld


def test_as_little_as_possible_is_withheld():
    linked = LinkedCounts(5)
    for name, count in {"all": 60, "a": 3, "b": 7, "c": 20, "d": 30}.items():
        linked.publish((name,), count, weight=DEAR if name == "all" else count)
    linked.total(("all",), [("a",), ("b",), ("c",), ("d",)])
    assert linked.protect() == {("a",), ("b",)}
    assert linked.shown(("c",))
    assert not linked.shown(("a",))


def test_a_count_that_everything_hangs_on_stays_whatever_else_is_lost():
    linked = LinkedCounts(5)
    for name, count in {"all": 60, "a": 3, "b": 57}.items():
        linked.publish((name,), count, weight=DEAR if name == "all" else 3 * DEAR)
    linked.total(("all",), [("a",), ("b",)])
    assert linked.protect() == {("a",), ("b",)}


def test_a_count_that_nothing_protects_is_an_error(monkeypatch):
    linked = LinkedCounts(5)
    linked.publish(("a",), 3)
    monkeypatch.setattr(linked_counts, "REACH", 0)
    with pytest.raises(ValueError, match=r"^nothing protects \('a',\)"):
        linked.protect()


def test_small_counts_are_withheld_and_zeros_are_not():
    linked = LinkedCounts(5)
    for count in (0, 1, 4, 5):
        linked.publish((str(count),), count)
    assert linked.withheld == {("1",), ("4",)}
    assert linked.shown(("0",))


def test_what_two_counts_leave_is_protected_as_well():
    linked = LinkedCounts(5)
    for name, count in {"all": 40, "with": 38}.items():
        linked.publish((name,), count, weight=DEAR if name == "all" else 1)
    linked.part(("all",), ("with",))
    assert linked.protect() == {("with",)}


def test_a_count_that_everything_hangs_on_is_withheld_where_nothing_else_helps():
    linked = LinkedCounts(5)
    linked.publish(("all",), 38, DEAR)
    linked.publish(("sub",), 38, DEAR)
    linked.derive(("rest",), 2)
    linked.derive(("whole",), 40)
    linked.publish(("known",), 40, DEAR)
    linked.total(("whole",), [("all",), ("rest",)])
    linked.total(("known",), [("whole",)])
    assert len(linked.protect()) == 1


def test_readers_who_know_that_a_count_is_not_zero_are_reckoned_with():
    """Three of five: from one to five is less than five."""
    known = {}
    for positive in (False, True):
        linked = LinkedCounts(5)
        linked.publish(("episodes",), 5)
        linked.publish(("courses",), 3)
        if positive:
            linked.positive(("courses",))
        linked.part(("episodes",), ("courses",))
        known[positive] = linked.protect()
    assert known == {False: {("courses",)}, True: {("courses",), ("episodes",)}}


def test_a_part_that_is_all_of_a_count_is_linked_with_it():
    """A part of one to five, in a count of none to five, is told more narrowly than that count."""
    linked = LinkedCounts(5)
    for name, count in {"all": 5, "whole": 4, "other": 1, "part": 4}.items():
        linked.publish((name,), count)
    linked.total(("all",), [("whole",), ("other",)])
    linked.positive(("part",))
    linked.part(("whole",), ("part",))
    assert ("all",) in linked.protect()


def test_counts_withheld_for_another_reason_are_protected_too():
    linked = LinkedCounts(5)
    for name, count in {"all": 30, "a": 10, "b": 20}.items():
        linked.publish((name,), count, weight=DEAR if name == "all" else 1)
    linked.total(("all",), [("a",), ("b",)])
    linked.withhold(("a",))
    assert linked.protect() == {("a",), ("b",)}


def test_parts_that_are_none_are_not_linked():
    linked = LinkedCounts(5)
    linked.publish(("few",), 3)
    linked.publish(("many",), 9)
    linked.part(("few",), ("many",))
    assert linked.protect() == {("few",)}


def test_contradictions_are_refused():
    linked = LinkedCounts(5)
    linked.publish(("a",), 12)
    with pytest.raises(ValueError, match="12 in one place and 13 in another"):
        linked.publish(("a",), 13)
    linked.publish(("b",), 5)
    with pytest.raises(ValueError, match="do not add up"):
        linked.total(("a",), [("b",)])


def test_the_attacker_finds_what_a_single_gap_gives_away():
    """The attack itself: the last part of a total, and what is left of one."""
    attacker = Attacker()
    for name, count in {"all": 40, "a": 30, "b": None, "c": 7}.items():
        attacker.know(name, count)
    attacker.link("all", ["a", "b", "c"], rest=False)
    assert attacker.bounds({"b": 1}) == (3, 3)
    attacker.link("a", ["d"])
    attacker.know("d", 28)
    assert attacker.bounds({"a": 1, "d": -1}) == (2, 2)
    assert np.isinf(attacker.limits[-1][0])
