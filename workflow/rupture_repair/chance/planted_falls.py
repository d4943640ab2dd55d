"""How well criteria would see a rupture in a dataset: falls of known depth planted into noise.

One fall per course is put into rupture-free replicates of the dataset (:mod:`.null`): it begins
at a random session, lasts a stated number of sessions, and is won back in full.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..detection import episodes as ep
from ..detection.courses import Courses
from ..detection.criteria import Criterion
from ..detection.episodes import Episodes
from ..detection.fall_rules import Falls
from ..project.arrays import Flags, Floats, Integers
from ..project.parallel import spread_out
from ..project.setting_groups import EdgeRules, PlantedFallSettings
from .replicates import SLOW, Null, Plant, find, latent, rated, refusal, scale_of, stacked

#: The fall is won back within this many sessions after the first low one, at a rated session.
REPAIR_WINDOW = 3

#: Ratings before a planted fall, at the least.
EARLIER_RATINGS = 2

#: How many sessions before the planted fall a found episode may begin and still be the same.
EARLY = 1

_PURPOSE = 2

#: What is summed over replicates.
_SUMS = ("planted", "found", "episodes", "matched", "onset_error", "right", "courses", "alarms")


def eligible(courses: Courses, duration: int) -> Flags:
    """Say at which ratings a fall may begin.

    There are at least two ratings before it, and a rating after it that can show the repair.
    """
    session, possible = courses.session, np.zeros(len(courses.session), dtype=bool)
    for step in range(1, REPAIR_WINDOW + 1):
        later = np.append(session[step:], np.zeros(step, dtype=session.dtype))
        same = courses.position + step < courses.spread(courses.length)
        ahead = later - session
        possible |= same & (ahead >= duration) & (ahead <= REPAIR_WINDOW)
    return possible & (courses.position >= EARLIER_RATINGS)


def chosen_sessions(
    courses: Courses, possible: Flags, replicates: int, random: np.random.Generator
) -> Integers:
    """Draw the session of each course at which its fall begins.

    Returns
    -------
    ndarray of int, shape (replicates, courses)
        Session numbers; -1 for courses where no fall can begin.
    """
    keys = np.where(possible, random.random((replicates, len(possible))), -1.0)
    highest = np.maximum.reduceat(keys, courses.start[:-1], axis=1)
    chosen = (keys == highest[:, courses.course]) & possible
    session = np.where(chosen, courses.session, 0)
    begins = np.add.reduceat(session, courses.start[:-1], axis=1)
    return np.where(highest >= 0, begins, -1)


def score(
    courses: Courses,
    found: Falls,
    these: Episodes,
    begins: Integers,
    duration: int,
    group: Integers,
) -> dict[str, NDArray]:
    """Compare the episodes found with the falls planted.

    Parameters
    ----------
    courses : Courses
        Stacked replicates with planted falls.
    found : Falls
    these : Episodes
    begins : ndarray of int, shape (courses,)
        First session of the planted fall, -1 for none.
    duration : int
        Sessions that it lasts.
    group : ndarray of int, shape (courses,)
        Quartile of volatility, 0 to 3.

    Returns
    -------
    dict of ndarray, shape (4,)
        Per group: `planted` (courses with a fall that could be assessed), `found` (of these, those
        with an episode that begins at most one session before the fall or while it lasts),
        `episodes` and `matched` (all episodes in these courses; those that match), `onset_error`
        (sum of sessions between the first low session planted and found), `right` (found and
        called repaired).
    """
    assessable = courses.total((found.reason == 0).astype(np.float64)) > 0
    planted = (begins >= 0) & assessable
    course = courses.course[these.first_low]
    distance = courses.session[these.first_low] - begins[course]
    inside = planted[course]
    matched = inside & (distance >= -EARLY) & (distance < duration)
    # Of several episodes that match, the first one is compared with the fall.
    first = np.zeros(len(course), dtype=bool)
    first[np.flatnonzero(matched)[np.unique(course[matched], return_index=True)[1]]] = True

    def count(groups: NDArray, weights: NDArray | None = None) -> NDArray:
        return np.bincount(groups, weights=weights, minlength=4)

    of = group[course]
    return {
        "planted": count(group[planted]),
        "found": count(of[first]),
        "episodes": count(of[inside]),
        "matched": count(of[matched]),
        "onset_error": count(of[first], np.abs(distance[first]).astype(np.float64)),
        "right": count(of[first & (these.status == ep.REPAIRED)]),
    }


def _alarms(courses: Courses, found: Falls, these: Episodes, group: Integers) -> dict[str, NDArray]:
    """Count, per group, assessable courses without a fall and those with an episode."""
    assessable = courses.total((found.reason == 0).astype(np.float64)) > 0
    alarmed = np.unique(courses.course[these.first_low])
    return {
        "courses": np.bincount(group[assessable], minlength=4),
        "alarms": np.bincount(group[alarmed], minlength=4),
    }


def _block(
    item: tuple[int, NDArray],
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: EdgeRules,
    depths: Sequence[float],
    duration: int,
) -> Floats:
    """Simulate one block without and with falls.

    Returns
    -------
    ndarray, shape (criteria, depths, 4, sums)
    """
    block, replicates = item
    random = np.random.default_rng(null.seed(_PURPOSE, block))
    value, sd = latent(null, replicates, random)
    at, session = null.courses, null.courses.session
    begins = chosen_sessions(at, eligible(at, duration), len(replicates), random)
    since = session - begins[:, at.course]
    low = (since >= 0) & (since < duration) & (begins[:, at.course] >= 0)
    quartiles = [null.noise.sd_quantile(share) for share in (0.25, 0.5, 0.75)]
    group = np.searchsorted(quartiles, sd[:, at.start[:-1]].ravel())

    quiet = stacked(null, rated(null, value, sd))
    scale = scale_of(null, quiet)  # of a dataset in which the other courses are quiet
    sums = np.zeros((len(criteria), len(depths), 4, len(_SUMS)))

    def add(where: tuple[Any, ...], counts: Mapping[str, NDArray]) -> None:
        for name, values in counts.items():
            sums[(*where, slice(None), _SUMS.index(name))] += values

    for i, criterion in enumerate(criteria):
        add(
            (i, slice(None)),
            _alarms(quiet, *find(quiet, scale, criterion, edge_rules), group),
        )
    for j, depth in enumerate(depths):
        fallen = stacked(null, rated(null, value, sd, Plant(depth, low)))
        for i, criterion in enumerate(criteria):
            result = find(fallen, scale, criterion, edge_rules)
            add((i, j), score(fallen, *result, begins.ravel(), duration, group))
    return sums


def _sums(
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: EdgeRules,
    settings: PlantedFallSettings,
    processes: int,
) -> dict[str, Floats]:
    """Return the sums of each criterion (id), shape (depths, 4, sums).

    Empty where no course is long enough for a fall.
    """
    depths, duration = list(settings.depths), settings.duration
    if not criteria:
        return {}
    begin = eligible(null.courses, duration).astype(np.float64)
    possible = int(np.count_nonzero(null.courses.total(begin)))
    if not possible:
        return {}
    found = {}
    for slow in (False, True):
        rules = [rule for rule in criteria if (rule.run in SLOW) == slow]
        wanted = settings.courses // (10 if slow else 1)
        blocks = list(null.blocks(-(-wanted // possible))) if rules else []
        work = partial(_block, null=null, criteria=rules, edge_rules=edge_rules, depths=depths,
                       duration=duration)  # fmt: skip
        parts = spread_out(work, blocks, processes)
        found.update({rule.id: sum(part[i] for part in parts) for i, rule in enumerate(rules)})
    return found


def _rates(sums: NDArray) -> dict[str, float]:
    """Turn sums into the columns of the table."""
    s = dict(zip(_SUMS, sums, strict=True))

    def share(part: str, whole: str) -> float:
        return float(s[part] / s[whole]) if s[whole] else np.nan

    sensitivity = share("found", "planted")
    error = np.sqrt(sensitivity * (1 - sensitivity) / s["planted"]) if s["planted"] else np.nan
    return {
        "planted": int(s["planted"]),
        "sensitivity": sensitivity,
        "sensitivity_error": float(error),
        "precision": share("matched", "episodes"),
        "onset_error": share("onset_error", "found"),
        "repair_accuracy": share("right", "found"),
        "false_alarm": share("alarms", "courses"),
    }


def sensitivity(
    null: Null,
    criteria: Iterable[Criterion],
    edge_rules: EdgeRules,
    settings: PlantedFallSettings,
    *,
    dataset: str,
    processes: int = 1,
) -> pd.DataFrame:
    """Plant falls of known depth into rupture-free courses and see which criteria find them.

    Parameters
    ----------
    null : Null
        From :func:`rupture_repair.chance.replicates.prepare`.
    criteria : iterable of Criterion
    edge_rules : EdgeRules
    settings : PlantedFallSettings
        Of `courses` a tenth is planted for the rules in
        :data:`rupture_repair.chance.replicates.SLOW`.
    dataset : str
    processes : int

    Returns
    -------
    DataFrame
        One row per criterion, volatility and depth. Columns: `dataset`, `measure`, `criterion`,
        `k`, `volatility` (all, or the quartile of the courses' SD: 1 calm to 4 volatile),
        `depth`, `planted` (assessable courses with a fall), `sensitivity` (share of them with an
        episode that begins at most one session before the fall or while it lasts) and its Monte
        Carlo standard error `sensitivity_error`, `precision` (share of the episodes in these
        courses that match the fall), `onset_error` (mean absolute, sessions), `repair_accuracy`
        (share of falls found that are called repaired, as they are), `false_alarm` (share of
        courses with an episode when no fall is planted), `status` (assessed, not_assessable) and
        `reason`. A criterion that is not assessable has one row with the volatility all.
    """
    criteria = list(criteria)
    reasons = {rule.id: refusal(null, rule, edge_rules) for rule in criteria}
    usable = [rule for rule in criteria if reasons[rule.id] is None]
    sums = _sums(null, usable, edge_rules, settings, processes)
    rows: list[dict[str, Any]] = []
    for rule in criteria:
        names: dict[str, Any] = {"dataset": dataset, "measure": null.name, "criterion": rule.id}
        names["k"] = float(rule.k)
        why = reasons[rule.id]
        if why is None and rule.id not in sums:
            why = "no course is long enough for a fall and its repair"
        if why is not None:
            rows.append({**names, "volatility": "all", "status": "not_assessable", "reason": why})
            continue
        mine = sums[rule.id]
        groups = {"all": mine.sum(axis=1), **{str(q + 1): mine[:, q] for q in range(4)}}
        rows += [
            {**names, "volatility": label, "depth": depth, **_rates(group[j]),
             "status": "assessed", "reason": None}
            for label, group in groups.items()
            for j, depth in enumerate(settings.depths)
        ]  # fmt: skip
    columns = [
        "dataset", "measure", "criterion", "k", "volatility", "depth", "planted", "sensitivity",
        "sensitivity_error", "precision", "onset_error", "repair_accuracy", "false_alarm",
        "status", "reason",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"reason": "str"})
