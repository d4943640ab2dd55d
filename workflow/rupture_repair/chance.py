"""How many episodes noise alone makes in a dataset, and how large a fall has to be to be seen.

The kernel that reads the observed ratings reads rupture-free replicates of the same dataset
(:mod:`rupture_repair.null`), stacked as if they were further courses. docs/chance.md gives the
model and how to read the results.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import episodes as ep
from .courses import Courses
from .criteria import Criterion, with_calibrated_k
from .detect import alliance, prepared
from .episodes import Episodes
from .kernel import Falls, Scale
from .null import (
    MODELS,
    SLOW,
    Null,
    find,
    kept_replicates,
    prepare,
    refusal,
    scale_of,
    simulate,
    stacked,
)
from .parallel import side_by_side, spread_out
from .probability import Model
from .sensitivity import sensitivity, smallest_found

__all__ = [
    "Null",
    "assess_each",
    "expected",
    "prepare",
    "sensitivity",
    "smallest_found",
]

#: Purposes of random numbers; each has its own stream.
EXPECTED, CALIBRATION = 0, 1


@dataclass(frozen=True)
class Tally:
    """What one criterion found in each replicate; arrays of shape (replicates,).

    Attributes
    ----------
    episodes, courses : ndarray
        Episodes, and courses with at least one.
    repaired, unrepaired : ndarray
        Episodes by what became of them; the others are censored.
    courses_assessable, sessions_assessable : ndarray
    by_course, assessable_by_course : ndarray, shape (courses of one replicate,)
        Replicates in which each course has an episode, and in which it can be assessed.
    """

    episodes: NDArray[np.int64]
    courses: NDArray[np.int64]
    repaired: NDArray[np.int64]
    unrepaired: NDArray[np.int64]
    courses_assessable: NDArray[np.int64]
    sessions_assessable: NDArray[np.int64]
    by_course: NDArray[np.int64]
    assessable_by_course: NDArray[np.int64]


def tally(courses: Courses, found: Falls, these: Episodes, replicates: int = 1) -> Tally:
    """Count per replicate what was found in stacked courses."""
    each = len(courses.length) // replicates
    course = courses.course[these.first_low]
    replicate = course // each

    def count(which: NDArray) -> NDArray[np.int64]:
        return np.bincount(replicate[which], minlength=replicates)

    assessable = courses.total((found.reason == 0).astype(np.float64)).reshape(replicates, each)
    first_of_course = np.diff(course, prepend=-1) > 0
    return Tally(
        episodes=np.bincount(replicate, minlength=replicates),
        courses=count(first_of_course),
        repaired=count(these.status == ep.REPAIRED),
        unrepaired=count(these.status == ep.UNREPAIRED),
        courses_assessable=(assessable > 0).sum(axis=1),
        sessions_assessable=assessable.sum(axis=1).astype(np.int64),
        by_course=np.bincount(course[first_of_course] % each, minlength=each),
        assessable_by_course=(assessable > 0).sum(axis=0),
    )


def joined(parts: Sequence[Tally]) -> Tally:
    """Put the replicates of several tallies of the same courses one after the other."""

    def put(name: str) -> NDArray[np.int64]:
        every = [getattr(part, name) for part in parts]
        return np.sum(every, axis=0) if name.endswith("by_course") else np.concatenate(every)

    return Tally(*(put(field.name) for field in fields(Tally)))


def observed(null: Null, criterion: Criterion, edge_rules: Mapping[str, Any]) -> Tally:
    """Count what a criterion finds in the ratings as observed."""
    courses = null.courses
    return tally(courses, *find(courses, null.ratings.scale, criterion, edge_rules))


def simulated(
    null: Null, model: str, block: int, replicates: NDArray, purpose: int
) -> tuple[Courses, Scale]:
    """Draw one block of replicates, stacked, with its scale."""
    random = np.random.default_rng(null.seed(purpose, MODELS.index(model), block))
    courses = stacked(null, simulate(null, model, replicates, random))
    return courses, scale_of(null, courses)


def _tallies(
    item: tuple[str, int, NDArray],
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: Mapping[str, Any],
) -> list[Tally]:
    """Simulate one block and count what each criterion finds in it."""
    model, block, replicates = item
    courses, scale = simulated(null, model, block, replicates, EXPECTED)
    return [
        tally(courses, *find(courses, scale, criterion, edge_rules), len(replicates))
        for criterion in criteria
    ]


def _noise(
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: Mapping[str, Any],
    settings: Mapping[str, Any],
    processes: int,
) -> dict[tuple[str, str], Tally]:
    """Count what each criterion (id) finds in the replicates of each null model."""
    found = {}
    for slow in (False, True):
        rules = [rule for rule in criteria if (rule.run in SLOW) == slow]
        number = settings["slow_replicates" if slow else "replicates"]
        number = min(number, settings["replicates"])
        items = [(model, *block) for model in settings["null_models"]
                 for block in null.blocks(number)]  # fmt: skip
        work = partial(_tallies, null=null, criteria=rules, edge_rules=edge_rules)
        blocks = spread_out(work, items if rules else [], processes)
        for position, rule in enumerate(rules):
            for model in settings["null_models"]:
                parts = [tallies[position] for item, tallies in zip(items, blocks, strict=True)
                         if item[0] == model]  # fmt: skip
                found[rule.id, model] = joined(parts)
    return found


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _compared(seen: Tally, noise: Tally) -> dict[str, Any]:
    """Hold what was observed against what noise alone makes."""
    number, count = len(noise.episodes), int(seen.episodes[0])
    mean = float(noise.episodes.mean())
    p = (1 + int((noise.episodes >= count).sum())) / (number + 1)
    known, known_noise = seen.repaired + seen.unrepaired, noise.repaired + noise.unrepaired
    return {
        "replicates": number,
        "n_courses_assessable": int(seen.courses_assessable[0]),
        "n_sessions_assessable": int(seen.sessions_assessable[0]),
        "observed": count,
        "expected": mean,
        "expected_sd": float(noise.episodes.std(ddof=1)) if number > 1 else np.nan,
        "ratio": _share(count, mean),
        "excess": count - mean,
        "p": p,
        "p_error": float(np.sqrt(p * (1 - p) / number)),
        "observed_courses": int(seen.courses[0]),
        "expected_courses": float(noise.courses.mean()),
        "observed_repaired": _share(seen.repaired[0], known[0]),
        "expected_repaired": _share(noise.repaired.sum(), known_noise.sum()),
        "status": "assessed",
        "reason": None,
    }


#: Columns of the table of :func:`expected`, where a criterion is not assessable NaN.
_NUMBERS = (
    "replicates",
    "n_courses_assessable", "n_sessions_assessable", "observed", "expected", "expected_sd",
    "ratio", "excess", "p", "p_error", "observed_courses", "expected_courses",
    "observed_repaired", "expected_repaired",
)  # fmt: skip


def expected(
    null: Null,
    criteria: Iterable[Criterion],
    edge_rules: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    dataset: str,
    processes: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold the episodes of each criterion against those that noise alone makes.

    Parameters
    ----------
    null : Null
        From :func:`prepare`.
    criteria : iterable of Criterion
        With numbers for k; see :func:`with_calibrated_k`.
    edge_rules : dict
    settings : dict
        `null_models`, `replicates` and `slow_replicates` (for the rules in
        :data:`rupture_repair.null.SLOW`), see config.schema.yaml.
    dataset : str
    processes : int
        Changes null but the time.

    Returns
    -------
    chance : DataFrame
        One row per criterion and null model. Columns: `dataset`, `measure`, `criterion`,
        `null_model`, `k`, `replicates`; `n_courses_assessable`, `n_sessions_assessable` and
        `observed` (episodes) as in ``detection.parquet``; `expected` and `expected_sd` (mean and
        SD of the number of episodes over replicates); `ratio` and `excess` (observed over, and
        less, expected); `p` (one-sided: (1 + replicates with as many or more) / (replicates + 1))
        and its Monte Carlo standard error `p_error`; `observed_courses` and `expected_courses`
        (courses with an episode); `observed_repaired` and `expected_repaired` (share repaired of
        the episodes that are not censored); `status` (assessed, not_assessable) and `reason`.
    chance_courses : DataFrame
        One row per criterion that could be assessed and course, by the first null model: `dataset`,
        `measure`, `criterion`, `course`, `expected` (share of the replicates in which the course
        can be assessed that show an episode; missing where there are none).
    """
    criteria = list(criteria)
    reasons = {rule.id: refusal(null, rule, edge_rules) for rule in criteria}
    usable = [rule for rule in criteria if reasons[rule.id] is None]
    noise = _noise(null, usable, edge_rules, settings, processes)
    seen = {rule.id: observed(null, rule, edge_rules) for rule in usable}

    def compare(rule: Criterion, model: str) -> dict[str, Any]:
        if reasons[rule.id] is not None:
            blank = dict.fromkeys(_NUMBERS, np.nan)
            return {**blank, "status": "not_assessable", "reason": reasons[rule.id]}
        return _compared(seen[rule.id], noise[rule.id, model])

    rows = [
        {
            "dataset": dataset,
            "measure": null.name,
            "criterion": rule.id,
            "null_model": model,
            "k": float(rule.k),
            **compare(rule, model),
        }
        for rule in criteria
        for model in settings["null_models"]
    ]
    tallies = {rule.id: noise[rule.id, settings["null_models"][0]] for rule in usable}
    by_course = _by_course(tallies, {"dataset": dataset, "measure": null.name}, null)
    return pd.DataFrame(rows).astype({"reason": "str"}), by_course


def _by_course(tallies: Mapping[str, Tally], names: Mapping[str, str], null: Null) -> pd.DataFrame:
    """Return the share of replicates in which each course shows an episode, by criterion."""
    ids = null.ratings.course_ids
    parts = []
    for criterion, noise in tallies.items():
        with np.errstate(invalid="ignore"):
            share = noise.by_course / noise.assessable_by_course
        place = {**names, "criterion": criterion}
        parts.append(pd.DataFrame({"course": ids, "expected": share}).assign(**place))
    columns = ["dataset", "measure", "criterion", "course", "expected"]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    texts = dict.fromkeys(columns[:-1], "str")
    return table.reset_index(drop=True)[columns].astype({**texts, "expected": "float64"})


def assess_each(
    sessions: pd.DataFrame,
    measures: Mapping[str, Mapping[str, Any]],
    criteria: Sequence[Criterion],
    calibrated: pd.DataFrame,
    edge_rules: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    dataset: str,
    seed: int,
    models: Mapping[str, Model] | None = None,
    processes: int = 1,
) -> tuple[pd.DataFrame, ...]:
    """Hold all alliance measures of a dataset against chance, and plant falls in them.

    Parameters
    ----------
    sessions, measures, criteria, edge_rules, settings, dataset, seed, processes
        As for :func:`calibrate_each`; `settings` is the group chance of config.yaml.
    calibrated : DataFrame
        From :func:`calibrate_each`.
    models : dict, optional
        From :func:`rupture_repair.detect.hidden_markov_models`, else fitted here.

    Returns
    -------
    chance, sensitivity, chance_courses, replicates : DataFrame
        The rows of :func:`expected`, of :func:`sensitivity` and of
        :func:`rupture_repair.null.kept_replicates`, of one measure after the other.
    """

    def assess(name: str, processes: int) -> tuple[pd.DataFrame, ...]:
        ratings = prepared(sessions, name, measures[name], criteria, models=models)
        null = prepare(ratings, name, measures[name], seed=seed)
        rules = with_calibrated_k(criteria, calibrated[calibrated["measure"] == name])
        how: dict[str, Any] = {"dataset": dataset, "processes": processes}
        by_chance, courses = expected(null, rules, edge_rules, settings, **how)
        planted = sensitivity(null, rules, edge_rules, settings["sensitivity"], **how)
        kept = kept_replicates(null, settings, EXPECTED, dataset=dataset)
        return by_chance, planted, courses, kept

    tables = side_by_side(assess, alliance(measures), processes)
    return tuple(pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
