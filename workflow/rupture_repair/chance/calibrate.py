"""The k at which noise alone rarely makes an episode, solved for each dataset and criterion."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..detection.courses import Courses
from ..detection.criteria import Criterion
from ..detection.fall_rules import TOLERANCE, Scale
from ..detection.ratings import alliance, prepared
from ..detection.scan.falls import largest_z
from ..project.measures import Measures
from ..project.parallel import side_by_side, spread_out
from ..project.reasons import because
from ..project.setting_groups import EdgeRules
from .counts import CALIBRATION, Tally, joined, observed, simulated, tally
from .replicates import Null, find, prepare, refusal

#: A calibrated k lies between these, and is a whole multiple of the step.
LEAST_K, LARGEST_K, K_STEP = 1.0, 6.0, 0.01

#: k is solved for this part of the false alarms allowed: the null is an estimate, and what it errs
#: by (see docs/chance.md) should not break the promise.
MARGIN = 0.9

#: For a calibrated k about this many courses are simulated, in replicates from ... to ...
CALIBRATION_COURSES, CALIBRATION_REPLICATES = 40_000, (20, 4_000)


@dataclass(frozen=True)
class _Simulated:
    """Replicates of one block, stacked."""

    courses: Courses
    scale: Scale
    number: int


def _alarms(
    criterion: Criterion, k: float, blocks: Sequence[_Simulated], edge_rules: EdgeRules
) -> Tally:
    """Count what a criterion with this k finds in rupture-free courses."""
    rule = replace(criterion, k=k)
    return joined(
        [
            tally(block.courses, *find(block.courses, block.scale, rule, edge_rules), block.number)
            for block in blocks
        ]
    )


def _share(with_episode: NDArray, assessable: NDArray) -> tuple[float, float, float]:
    """Return the share of assessable courses with an episode.

    Parameters
    ----------
    with_episode, assessable : ndarray of int, shape (replicates,)

    Returns
    -------
    share, error : float
        The share, and its Monte Carlo standard error over replicates.
    assessable : float
        Assessable courses per replicate.
    """
    possible = assessable.sum()
    if not possible:
        return np.nan, np.nan, 0.0
    share = with_episode.sum() / possible
    # The share is a ratio of sums over replicates; this is its linearised standard error.
    rest = with_episode - share * assessable
    error = np.sqrt((rest**2).sum() * len(rest) / (len(rest) - 1)) / possible
    return float(share), float(error), float(assessable.mean())


#: Share of alarms at one k: the share, its error, and assessable courses per replicate.
Alarms = Callable[[float], tuple[float, float, float]]


def _of_windows(
    criterion: Criterion, blocks: Sequence[_Simulated], edge_rules: EdgeRules
) -> Alarms:
    """Return the share of courses with an episode as a function of k, from one scan."""
    largest = [
        largest_z(block.courses, criterion, block.scale, edge_rules.max_gap).reshape(
            block.number, -1
        )
        for block in blocks
    ]
    every = np.concatenate(largest)
    assessable = (~np.isnan(every)).sum(axis=1)
    return lambda k: _share((every >= k * (1 - TOLERANCE)).sum(axis=1), assessable)


def _of_courses(
    criterion: Criterion, blocks: Sequence[_Simulated], edge_rules: EdgeRules
) -> Alarms:
    """Return the share of rupture-free courses with an episode as a function of k."""
    if criterion.window is not None and blocks:
        return _of_windows(criterion, blocks, edge_rules)

    def share(k: float) -> tuple[float, float, float]:
        found = _alarms(criterion, k, blocks, edge_rules)
        return _share(found.courses, found.courses_assessable)

    return share


def _of_episodes(
    criterion: Criterion,
    null: Null,
    blocks: Sequence[_Simulated],
    edge_rules: EdgeRules,
) -> Alarms:
    """Return the share of the episodes found that noise alone would make, as a function of k."""

    def share(k: float) -> tuple[float, float, float]:
        seen = int(observed(null.ratings, replace(criterion, k=k), edge_rules).episodes[0])
        found = _alarms(criterion, k, blocks, edge_rules)
        each = found.episodes
        if not seen or not found.courses_assessable.sum():
            return np.nan, np.nan, 0.0
        error = each.std(ddof=1) / np.sqrt(len(each)) / seen
        return (
            min(1.0, float(each.mean() / seen)),
            float(error),
            float(found.courses_assessable.mean()),
        )

    return share


def _solve(
    criterion: Criterion,
    null: Null,
    blocks: Sequence[_Simulated],
    edge_rules: EdgeRules,
    false_alarm: float,
    of: str,
) -> dict[str, Any]:
    """Find the smallest k by bisection over multiples of the step."""
    unknown = {"k": np.nan, "false_alarm": np.nan, "false_alarm_error": np.nan,
               "n_courses_assessable": np.nan}  # fmt: skip
    why = refusal(null, replace(criterion, k=LEAST_K), edge_rules)
    if why is not None:
        return {**unknown, "status": "not_assessable", "reason": why}
    allowed = MARGIN * false_alarm
    share_at = (
        _of_courses(criterion, blocks, edge_rules)
        if of == "courses"
        else _of_episodes(criterion, null, blocks, edge_rules)
    )

    def at(step: int) -> tuple[float, float, float]:
        return share_at(round(step * K_STEP, 2))

    low, high = round(LEAST_K / K_STEP), round(LARGEST_K / K_STEP)
    status = "least" if at(low)[0] <= allowed else "solved"
    if status == "least":
        high = low
    # A share that is not known, since no course is assessable at so large a k, is low enough.
    elif at(high)[0] > allowed:
        facts = {"k": f"{LARGEST_K:g}", "percent": f"{false_alarm:.0%}", "of": of}
        reason = because("k_too_large", **facts)
        return {**unknown, "status": "not_assessable", "reason": reason}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle)[0] > allowed else (low, middle)
    share, error, courses = at(high)
    if not courses:
        name = "every_k_by_chance" if of == "episodes" else "too_short_for_k"
        reason = because(name, percent=f"{false_alarm:.0%}")
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
    false_alarm_of: str = "courses",
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
        Share of false alarms allowed.
    dataset : str
    false_alarm_of : {"courses", "episodes"}
        Of rupture-free courses those that show an episode, or of the episodes found those that
        noise alone would make.
    processes : int

    Returns
    -------
    DataFrame
        One row per criterion solved. Columns: `dataset`, `measure`, `criterion`, `target` (share
        asked for), `k` (NaN where there is none), `false_alarm` (share reached, of courses or of
        episodes), its Monte Carlo standard error `false_alarm_error`, `replicates`,
        `n_courses_assessable` (mean over replicates, at this k), `status` (solved; least: at
        :data:`LEAST_K` false alarms are rare already; not_assessable) and `reason`.
    """
    criteria = [criterion for criterion in criteria if criterion.needs_k]
    courses = max(1, len(null.courses.length))
    number = int(np.clip(-(-CALIBRATION_COURSES // courses), *CALIBRATION_REPLICATES))
    blocks: list[_Simulated] = []
    if criteria and len(null.courses.rating):
        blocks = [
            _Simulated(
                *simulated(null, "autoregressive", block, members, CALIBRATION), len(members)
            )
            for block, members in null.blocks(number)
        ]
    work = partial(_solve, null=null, blocks=blocks, edge_rules=edge_rules,
                   false_alarm=false_alarm, of=false_alarm_of)  # fmt: skip
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
    false_alarm_of: str = "courses",
    processes: int = 1,
) -> pd.DataFrame:
    """Solve for k in all alliance measures of a dataset.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    criteria, edge_rules, false_alarm, dataset, false_alarm_of, processes
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
        return calibrated_k(
            null, criteria, edge_rules, false_alarm,
            dataset=dataset, false_alarm_of=false_alarm_of, processes=processes,
        )  # fmt: skip

    if not criteria:
        return _table([])  # the model of the noise takes long
    return pd.concat(side_by_side(solve, alliance(measures), processes), ignore_index=True)
