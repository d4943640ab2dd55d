"""Run a power analysis: simulate where the search asks for it, keep, count, summarise."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import pandas as pd

from ..project.parallel import one_by_one
from . import search
from .plan import StudyPlan
from .preparation import COURSES, solved, world_of
from .store import Store
from .studies import World, blocks, run_block


@dataclass(frozen=True)
class Result:
    """What a power analysis found.

    Attributes
    ----------
    power : DataFrame
        :func:`.search.shares`, with the `step` that each size belongs to and, as `fitted`, the
        power by the curve.
    smallest : DataFrame
        :func:`.search.smallest`.
    notes : tuple of str
        What has to be known of the simulation.
    """

    power: pd.DataFrame
    smallest: pd.DataFrame
    notes: tuple[str, ...]


def run_plan(
    plan: StudyPlan, folder: Path, *, processes: int = 1, progress: IO[str] | None = None
) -> Result:
    """Find the smallest number of courses for a power.

    Parameters
    ----------
    plan : StudyPlan
        From :func:`.plan.make`.
    folder : path
        Where finished replicates are kept. A run that was interrupted goes on from them, and a run
        that asks for more replicates or other numbers of courses takes up those that are there.
    processes : int
        Processes that share the work; the result does not depend on it.
    progress : file, optional
        Where progress is written, for example `sys.stderr`.

    Returns
    -------
    Result

    Raises
    ------
    ProblemsFound
        If the folder holds replicates of other settings (E806) or is damaged (E807), or the
        criterion cannot be applied to simulated studies (E808).
    """
    store = Store(Path(folder), plan.decisive())
    if not store.solved:
        store.remember(solved(plan))
    world = world_of(plan, store.solved)
    steps, plan_sizes = [], search.sizes(plan)
    try:
        step, courses, replicates = next(plan_sizes)
        while True:
            simulate = partial(run_block, world, courses)
            _complete(store, simulate, courses, replicates, processes, progress)
            found = search.shares(store.of_size(courses, replicates), plan)
            steps.append(found.assign(step=step))
            by_criterion = found[found["detection"] == "criterion"].iloc[0].to_dict()
            step, courses, replicates = plan_sizes.send(by_criterion)
    except StopIteration:
        pass
    return _result(pd.concat(steps, ignore_index=True), plan, world)


def _complete(
    store: Store,
    simulate: Callable[[Sequence[int]], pd.DataFrame],
    courses: int,
    replicates: int,
    processes: int,
    progress: IO[str] | None,
) -> None:
    """Simulate the studies of one size that are not there yet, and keep them as they come."""
    there = store.finished(courses)
    missing = [number for number in range(replicates) if number not in there]
    parts = blocks(courses, missing)
    begin, done = time.monotonic(), 0
    for rows in one_by_one(simulate, parts, processes):
        store.add(rows)
        done += rows["replicate"].nunique()
        if progress is not None:
            left = (time.monotonic() - begin) / done * (len(missing) - done)
            ready = replicates - len(missing) + done
            end = "\n" if ready == replicates or not progress.isatty() else "\r"
            said = f"{courses} courses: {ready} of {replicates} studies, {left:.0f} s left"
            print(f"{said:<60}", end=end, file=progress, flush=True)


def _result(table: pd.DataFrame, plan: StudyPlan, world: World) -> Result:
    """Return shares, smallest numbers and what has to be known of them."""
    # A size of the rough search counts where it was not simulated in full.
    table = table.sort_values("replicates", kind="stable")
    table = table.drop_duplicates(["courses", "detection"], keep="last")
    table = table.sort_values(["detection", "courses"], ignore_index=True)
    full = table[table["step"] != "rough"]
    parts = []
    for way, mine in table.groupby("detection", sort=False):
        fitted = search.curve(full[(full["detection"] == way) & (full["step"] != "check")])
        known = fitted is not None and plan.effect > 0
        power = fitted.power(mine["courses"].to_numpy(float)) if known and fitted else float("nan")
        parts.append(mine.assign(fitted=power))
    notes = _notes(plan, world, table)
    return Result(pd.concat(parts, ignore_index=True), search.smallest(full, plan), notes)


def _notes(plan: StudyPlan, world: World, table: pd.DataFrame) -> tuple[str, ...]:
    """Say what has to be known of the simulation."""
    notes = [f"values {plan.source}"]
    rule = world.criterion
    if plan.criterion.needs_k:
        alarms = {
            "courses": f"{plan.false_alarm:.0%} of courses without a rupture show an episode",
            "episodes": f"noise alone would make {plan.false_alarm:.0%} of the episodes found",
        }
        notes.append(
            f"{rule.id}: k = {rule.k:g} was solved on {COURSES} simulated courses, so "
            f"that {alarms[plan.false_alarm_of]}"
        )
    without = table[table["without_result"] > 0]
    for row in without[without["detection"] == "criterion"].itertuples():
        notes.append(
            f"{row.courses} courses: {row.without_result:.1%} of the studies could not be fitted "
            "and count as not significant"
        )
    return tuple(notes)
