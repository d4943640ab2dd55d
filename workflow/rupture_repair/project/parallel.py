"""Processes, and threads within them: they change nothing but the time."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_work: Callable[[Any], Any]


def _receive(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work


def _perform(item: Any) -> Any:
    return _work(item)


def spread_out(
    work: Callable[[_Item], _Result], items: Iterable[_Item], processes: int
) -> list[_Result]:
    """Apply `work` to all items, in several processes; results in the order of the items."""
    return list(one_by_one(work, items, processes))


def one_by_one(
    work: Callable[[_Item], _Result], items: Iterable[_Item], processes: int
) -> Iterator[_Result]:
    """Yield the results as :func:`spread_out` returns them, so that progress can be reported."""
    items = list(items)
    if min(processes, len(items)) <= 1 or not _can_fork():
        yield from map(work, items)
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(min(processes, len(items)), context, _receive, (work,)) as pool:
        yield from pool.map(_perform, items)


def _can_fork() -> bool:
    """Return whether a process can be copied as it is.

    Windows has no fork. On macOS a copied process hangs or crashes once Accelerate or the
    Objective-C runtime was used.
    """
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(
    work: Callable[..., _Result], items: Sequence[_Item], processes: int
) -> list[_Result]:
    """Apply `work` to a few large items, and give each its share of the processes.

    `work` is called with the item and the keyword `processes`: how many it may use itself.
    """
    each = max(1, processes // max(1, len(items)))
    return spread_out(partial(work, processes=each), items, processes)


@cache
def _libraries() -> ThreadpoolController:
    """Look once for the libraries that have threads: it takes as long as a small model."""
    return ThreadpoolController()


def one_thread() -> AbstractContextManager:
    """Keep linear algebra in one thread: with small matrices more get in each other's way."""
    return _libraries().limit(limits=1, user_api="blas")
