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
from .answers import run_block
from .plan import StudyPlan
from .preparation import COURSES, solved, world_of
from .store import Store
from .studies import WAYS_IN_WORDS, World, blocks


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
    store = Store(Path(folder), plan.decisive(), plan.ways)
    if not store.solved:
        store.remember(solved(plan))
    world = world_of(plan, store.solved)
    steps, plan_sizes = [], search.sizes(plan)
    try:
        step, courses, replicates = next(plan_sizes)
        while True:
            simulate = partial(run_block, world, courses)
            there = store.finished(courses)
            missing = [number for number in range(replicates) if number not in there]
            parts = blocks(courses, missing, probable=plan.probable)
            _complete(store, simulate, courses, parts, processes, progress)
            found = search.shares(store.of_size(courses, replicates), plan)
            steps.append(found.assign(step=step))
            leading = found[found["detection"] == plan.lead].iloc[0].to_dict()
            step, courses, replicates = plan_sizes.send(leading)
    except StopIteration:
        pass
    return _result(pd.concat(steps, ignore_index=True), plan, world)


def _complete(
    store: Store,
    simulate: Callable[[Sequence[int]], pd.DataFrame],
    courses: int,
    parts: Sequence[Sequence[int]],
    processes: int,
    progress: IO[str] | None,
) -> None:
    """Simulate the studies of one size that are not there yet, and keep them as they come."""
    before, missing = len(store.finished(courses)), sum(map(len, parts))
    begin, done = time.monotonic(), 0
    for rows in one_by_one(simulate, parts, processes):
        store.add(rows)
        done += rows["replicate"].nunique()
        if progress is not None:
            left = (time.monotonic() - begin) / done * (missing - done)
            ready, of = before + done, before + missing
            end = "\n" if ready == of or not progress.isatty() else "\r"
            said = f"{courses} courses: {ready} of {of} studies, {left:.0f} s left"
            print(f"{said:<60}", end=end, file=progress, flush=True)


def _result(table: pd.DataFrame, plan: StudyPlan, world: World) -> Result:
    """Return shares, smallest numbers and what has to be known of them."""
    # A size of the rough search counts where it was not simulated in full.
    table = table.sort_values("replicates", kind="stable")
    table = table.drop_duplicates(["courses", "detection"], keep="last")
    table["place"] = table["detection"].map(plan.ways.index)
    table = table.sort_values(["place", "courses"], ignore_index=True).drop(columns="place")
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
    alarms = {
        "courses": f"{plan.false_alarm:.0%} of courses without a rupture show an episode",
        "episodes": f"noise alone would make {plan.false_alarm:.0%} of the episodes found",
    }
    notes += [
        f"{rule.id}: k = {rule.k:g} was solved on {COURSES} simulated courses, so that "
        f"{alarms[plan.false_alarm_of]}"
        for rule, before in zip(world.criteria, plan.criteria, strict=True) if before.needs_k
    ]  # fmt: skip
    question = plan.asked()
    notes += [question.caveat] * bool(question.caveat)
    if plan.probable:
        notes.append(
            "probabilities: significant and supported need the total effect and the one beyond the "
            "rating; estimate, SE and coverage are of the total"
        )
    elif not question.probable:
        notes.append(f"there is no estimate by probabilities: {question.without_probable}")
    without = table[table["not_assessable"] > 0].sort_values("not_assessable", ascending=False)
    for row in without.drop_duplicates("detection").itertuples():
        way = WAYS_IN_WORDS.get(row.detection, row.detection)
        notes.append(
            f"{way}: with {row.courses} courses {row.not_assessable:.0%} of the studies "
            "are not assessable, which count as not significant; most frequent reason: "
            f"{row.reason}"
        )
    return tuple(notes)
