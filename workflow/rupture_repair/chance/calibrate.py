"""The k at which noise alone rarely makes an episode, solved for each dataset and criterion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..detection.courses import Courses
from ..detection.criteria import Criterion
from ..detection.fall_rules import Scale
from ..detection.ratings import alliance, prepared
from ..project.measures import Measures
from ..project.parallel import side_by_side, spread_out
from ..project.setting_groups import EdgeRules
from .counts import CALIBRATION, joined, simulated, tally
from .replicates import Null, find, prepare, refusal

#: A calibrated k lies between these, and is a whole multiple of the step.
LEAST_K, LARGEST_K, K_STEP = 1.0, 6.0, 0.01

#: For a calibrated k about this many courses are simulated, in replicates from ... to ...
CALIBRATION_COURSES, CALIBRATION_REPLICATES = 40_000, (20, 4_000)


def _false_alarms(
    criterion: Criterion,
    k: float,
    blocks: Sequence[tuple[Courses, Scale, int]],
    edge_rules: EdgeRules,
) -> tuple[float, float, float]:
    """Return the share of rupture-free assessable courses with an episode at one k.

    Returns
    -------
    share, error : float
        The share, and its Monte Carlo standard error over replicates.
    assessable : float
        Assessable courses per replicate.
    """
    rule = replace(criterion, k=k)
    found = joined(
        [
            tally(courses, *find(courses, scale, rule, edge_rules), number)
            for courses, scale, number in blocks
        ]
    )
    possible = found.courses_assessable.sum()
    if not possible:
        return np.nan, np.nan, 0.0
    share = found.courses.sum() / possible
    # The share is a ratio of sums over replicates; this is its linearised standard error.
    rest = found.courses - share * found.courses_assessable
    error = np.sqrt((rest**2).sum() * len(rest) / (len(rest) - 1)) / possible
    return float(share), float(error), float(found.courses_assessable.mean())


def _solve(
    criterion: Criterion,
    null: Null,
    blocks: Sequence[tuple[Courses, Scale, int]],
    edge_rules: EdgeRules,
    false_alarm: float,
) -> dict[str, Any]:
    """Find the smallest k by bisection over multiples of the step."""
    unknown = {"k": np.nan, "false_alarm": np.nan, "false_alarm_error": np.nan,
               "n_courses_assessable": np.nan}  # fmt: skip
    why = refusal(null, replace(criterion, k=LEAST_K), edge_rules)
    if why is not None:
        return {**unknown, "status": "not_assessable", "reason": why}

    def at(step: int) -> tuple[float, float, float]:
        return _false_alarms(criterion, round(step * K_STEP, 2), blocks, edge_rules)

    low, high = round(LEAST_K / K_STEP), round(LARGEST_K / K_STEP)
    status = "least" if at(low)[0] <= false_alarm else "solved"
    if status == "least":
        high = low
    # A share that is not known, since no course is assessable at so large a k, is low enough.
    elif at(high)[0] > false_alarm:
        reason = f"up to k = {LARGEST_K:g} more than {false_alarm:.0%} of courses give an alarm"
        return {**unknown, "status": "not_assessable", "reason": reason}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle)[0] > false_alarm else (low, middle)
    share, error, courses = at(high)
    if not courses:
        reason = f"no course is long enough for a k with at most {false_alarm:.0%} false alarms"
        return {**unknown, "status": "not_assessable", "reason": reason}
    return {
        "k": round(high * K_STEP, 2),
        "false_alarm": share,
        "false_alarm_error": error,
        "n_courses_assessable": courses,
        "status": status,
        "reason": None,
    }


def calibrated_k(
    null: Null,
    criteria: Iterable[Criterion],
    edge_rules: EdgeRules,
    false_alarm: float,
    *,
    dataset: str,
    processes: int = 1,
) -> pd.DataFrame:
    """Solve for the smallest k at which rupture-free courses rarely show an episode.

    One set of replicates of the autoregressive model serves all values of k, so that the share
    of courses with an episode falls as k grows. k is at least :data:`LEAST_K`: where the floor of
    a criterion alone keeps false alarms rare, any smaller k would do, and a fall within one
    ordinary deviation is no rupture whatever its frequency.

    Parameters
    ----------
    null : Null
    criteria : iterable of Criterion
        Those for which :attr:`Criterion.needs_k` holds are solved.
    edge_rules : EdgeRules
    false_alarm : float
        Share of rupture-free courses that may show an episode.
    dataset : str
    processes : int

    Returns
    -------
    DataFrame
        One row per criterion solved. Columns: `dataset`, `measure`, `criterion`, `target` (share
        asked for), `k` (NaN where there is none), `false_alarm` (share reached), its Monte Carlo
        standard error `false_alarm_error`, `replicates`, `n_courses_assessable` (mean over
        replicates, at this k), `status` (solved; least: at :data:`LEAST_K` false alarms are rare
        already; not_assessable) and `reason`.
    """
    criteria = [criterion for criterion in criteria if criterion.needs_k]
    courses = max(1, len(null.courses.length))
    number = int(np.clip(-(-CALIBRATION_COURSES // courses), *CALIBRATION_REPLICATES))
    blocks: list[tuple[Courses, Scale, int]] = []
    if criteria and len(null.courses.rating):
        blocks = [
            (*simulated(null, "autoregressive", block, members, CALIBRATION), len(members))
            for block, members in null.blocks(number)
        ]
    work = partial(_solve, null=null, blocks=blocks, edge_rules=edge_rules, false_alarm=false_alarm)
    solved = spread_out(work, criteria, processes)
    names = {"dataset": dataset, "measure": null.name}
    rows = [
        {**names, "criterion": rule.id, "target": false_alarm, "replicates": number, **result}
        for rule, result in zip(criteria, solved, strict=True)
    ]
    return _table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns = ["dataset", "measure", "criterion", "target", "k", "false_alarm",
               "false_alarm_error", "replicates", "n_courses_assessable", "status",
               "reason"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"reason": "str"})


def calibrate(
    sessions: pd.DataFrame,
    measures: Measures,
    criteria: Sequence[Criterion],
    edge_rules: EdgeRules,
    false_alarm: float,
    *,
    dataset: str,
    seed: int,
    processes: int = 1,
) -> pd.DataFrame:
    """Solve for k in all alliance measures of a dataset.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    criteria, edge_rules, false_alarm, dataset, processes
        As for :func:`calibrated_k`.
    seed : int

    Returns
    -------
    DataFrame
        The rows of :func:`calibrated_k` of one measure after the other.
    """

    def solve(name: str, processes: int) -> pd.DataFrame:
        ratings = prepared(sessions, name, measures[name], criteria)
        null = prepare(ratings, name, measures[name], seed=seed)
        how: dict[str, Any] = {"dataset": dataset, "processes": processes}
        return calibrated_k(null, criteria, edge_rules, false_alarm, **how)

    if not criteria:
        return _table([])  # the model of the noise takes long
    return pd.concat(side_by_side(solve, alliance(measures), processes), ignore_index=True)
