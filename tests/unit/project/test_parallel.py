"""Work in several processes."""

import os

import pytest
from threadpoolctl import threadpool_info

from rupture_repair.project.parallel import one_thread, side_by_side, spread_out, usable_cores
from rupture_repair.statistics import estimates  # noqa: F401  # its libraries are those that have threads


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_results_stand_in_the_order_of_the_items(processes):
    assert spread_out(lambda item: item * item, range(7), processes) == [
        number * number for number in range(7)
    ]
    assert spread_out(lambda item: item, [], processes) == []


def test_several_processes_are_used_only_where_there_are_several_items():
    here = os.getpid()
    assert spread_out(lambda item: os.getpid(), [1], 2) == [here]
    assert here not in spread_out(lambda item: os.getpid(), [1, 2], 2)


@pytest.mark.parametrize(("processes", "each"), [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_each_large_item_gets_its_share_of_the_processes(processes, each):
    def work(item, processes):
        return item, processes

    assert side_by_side(work, ["a", "b"], processes) == [("a", each), ("b", each)]


def test_a_mistake_in_a_process_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        spread_out(lambda item: 1 / item, [1, 0], 2)


def threads():
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_linear_algebra_has_one_thread_inside_and_as_many_as_before_afterwards():
    before = threads()
    for _ in range(2):
        with one_thread():
            assert set(threads()) == {1}
        assert threads() == before


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_processes_cannot_be_copied_the_work_is_done_in_one(monkeypatch, platform):
    """Copies of a process crash on macOS, and Windows has none."""
    monkeypatch.setattr("sys.platform", platform)
    here = os.getpid()
    assert spread_out(lambda item: os.getpid(), [1, 2], 2) == [here, here]


def test_cores_are_counted_on_every_system(monkeypatch):
    assert usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr("os.sched_getaffinity")
    assert usable_cores() == os.cpu_count()
