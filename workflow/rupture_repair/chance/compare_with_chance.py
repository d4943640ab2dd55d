"""How many episodes noise alone makes in a dataset, and how large a fall has to be to be seen.

The kernel that reads the observed ratings reads rupture-free replicates of the same dataset
(:mod:`rupture_repair.chance.replicates`), stacked as if they were further courses. docs/chance.md
gives the model and how to read the results.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..detection.courses import content
from ..detection.criteria import Criterion, with_calibrated_k
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import Ratings, alliance, prepared
from ..project.measures import Measures
from ..project.parallel import side_by_side, spread_out
from ..project.setting_groups import ChanceSettings, EdgeRules
from .counts import EXPECTED, Tally, compared, enlarged, joined, observed, simulated, tally
from .planted_falls import sensitivity
from .replicates import (
    SLOW,
    Null,
    find,
    kept_replicates,
    prepare,
    refusal,
    sampled,
)
from .smallest_found import smallest_found

__all__ = [
    "Null",
    "compare_with_chance",
    "expected",
    "prepare",
    "sensitivity",
    "smallest_found",
]


def _tallies(
    item: tuple[str, int, NDArray],
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: EdgeRules,
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
    edge_rules: EdgeRules,
    settings: ChanceSettings,
    processes: int,
) -> dict[tuple[str, str], Tally]:
    """Count what each criterion (id) finds in the replicates of each null model."""
    found = {}
    for slow in (False, True):
        rules = [rule for rule in criteria if (rule.run in SLOW) == slow]
        number = settings.slow_replicates if slow else settings.replicates
        number = min(number, settings.replicates)
        items = [(model, *block) for model in settings.null_models
                 for block in null.blocks(number)]  # fmt: skip
        work = partial(_tallies, null=null, criteria=rules, edge_rules=edge_rules)
        blocks = spread_out(work, items if rules else [], processes)
        for position, rule in enumerate(rules):
            for model in settings.null_models:
                parts = [tallies[position] for item, tallies in zip(items, blocks, strict=True)
                         if item[0] == model]  # fmt: skip
                found[rule.id, model] = joined(parts)
    return found


#: Columns of the table of :func:`expected`, where a criterion is not assessable NaN.
_NUMBERS = (
    "replicates", "n_courses_simulated",
    "n_courses_assessable", "n_sessions_assessable", "observed", "expected", "expected_sd",
    "expected_low", "expected_high", "ratio", "excess", "false_discovery_rate", "p", "p_error",
    "observed_courses", "expected_courses", "observed_repaired", "expected_repaired",
)  # fmt: skip


def expected(
    null: Null,
    criteria: Iterable[Criterion],
    edge_rules: EdgeRules,
    settings: ChanceSettings,
    *,
    dataset: str,
    whole: Ratings | None = None,
    processes: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the episodes of each criterion with those that noise alone makes.

    Parameters
    ----------
    null : Null
        From :func:`prepare`.
    criteria : iterable of Criterion
        With numbers for k; see :func:`with_calibrated_k`.
    edge_rules : EdgeRules
    settings : ChanceSettings
        `slow_replicates` is for the rules in :data:`rupture_repair.chance.replicates.SLOW`.
    dataset : str
    whole : Ratings, optional
        Of the dataset, where the null is of a sample of its courses: counts are enlarged to it.
    processes : int
        Changes nothing but the time.

    Returns
    -------
    chance : DataFrame
        One row per criterion and null model. Columns: `dataset`, `measure`, `criterion`,
        `null_model`, `k`, `replicates`, `n_courses_simulated` (courses of a replicate where they
        are a sample: expected counts are then enlarged to the whole dataset, see
        :func:`rupture_repair.chance.counts.enlarged`; else missing); `n_courses_assessable`,
        `n_sessions_assessable` and `observed` (episodes) as in ``detection.parquet``; `expected`
        and `expected_sd` (mean and SD of the number of episodes over replicates), `expected_low`
        and `expected_high` (between which the middle 90 % of these numbers lie); `ratio` and
        `excess` (observed over, and less, expected); `false_discovery_rate` (expected over
        observed, at most 1: as if no course had a rupture, hence an upper estimate of the share of
        the episodes found that noise made; missing where none was found); `p` (one-sided: (1 +
        replicates with as many or more) / (replicates + 1)) and its Monte Carlo standard error
        `p_error`; `observed_courses` and `expected_courses` (courses with an episode);
        `observed_repaired` and `expected_repaired` (share repaired of the episodes that are not
        censored); `status` (assessed, not_assessable) and `reason`.
    chance_courses : DataFrame
        One row per criterion that could be assessed and course, by the first null model: `dataset`,
        `measure`, `criterion`, `course`, `expected` (share of the replicates in which the course,
        or one with the same ratings, can be assessed that show an episode; missing where there are
        none).
    """
    criteria, ratings = list(criteria), whole or null.ratings
    reasons = {rule.id: refusal(null, rule, edge_rules) for rule in criteria}
    usable = [rule for rule in criteria if reasons[rule.id] is None]
    noise = _noise(null, usable, edge_rules, settings, processes)
    seen = {rule.id: observed(ratings, rule, edge_rules) for rule in usable}
    simulated_courses = len(null.courses.length)
    times = len(ratings.courses.length) / max(1, simulated_courses)

    def compare(rule: Criterion, model: str) -> dict[str, Any]:
        if reasons[rule.id] is not None:
            blank = dict.fromkeys(_NUMBERS, np.nan)
            return {**blank, "status": "not_assessable", "reason": reasons[rule.id]}
        found = compared(seen[rule.id], enlarged(noise[rule.id, model], times))
        return found | {"n_courses_simulated": simulated_courses if times > 1 else np.nan}

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
        for model in settings.null_models
    ]
    tallies = {rule.id: noise[rule.id, settings.null_models[0]] for rule in usable}
    by_course = _by_course(tallies, {"dataset": dataset, "measure": null.name}, null)
    columns = ["dataset", "measure", "criterion", "null_model", "k", *_NUMBERS, "status", "reason"]
    return pd.DataFrame(rows, columns=columns).astype({"reason": "str"}), by_course


def _by_course(tallies: Mapping[str, Tally], names: Mapping[str, str], null: Null) -> pd.DataFrame:
    """Return the share of replicates in which each course shows an episode, by criterion.

    Courses with the same ratings at the same sessions are the same to chance: they share theirs.
    """
    ids, alike = null.ratings.course_ids, np.unique(content(null.courses), return_inverse=True)[1]
    order = np.argsort(ids, kind="stable")
    parts = []
    for criterion, noise in tallies.items():
        counts = (noise.by_course, noise.assessable_by_course)
        with np.errstate(invalid="ignore"):
            share = np.divide(*(np.bincount(alike, one) for one in counts))[alike]
        place = {**names, "criterion": criterion}
        part = pd.DataFrame({"course": ids[order], "expected": share[order]})
        parts.append(part.assign(**place))
    columns = ["dataset", "measure", "criterion", "course", "expected"]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    texts = dict.fromkeys(columns[:-1], "str")
    return table.reset_index(drop=True)[columns].astype({**texts, "expected": "float64"})


def compare_with_chance(
    sessions: pd.DataFrame,
    measures: Measures,
    criteria: Sequence[Criterion],
    calibrated: pd.DataFrame,
    edge_rules: EdgeRules,
    settings: ChanceSettings,
    *,
    dataset: str,
    seed: int,
    most_courses: int,
    models: Mapping[str, HiddenMarkovModel] | None = None,
    processes: int = 1,
) -> tuple[pd.DataFrame, ...]:
    """Compare all alliance measures of a dataset with chance, and plant falls in them.

    Parameters
    ----------
    sessions, measures, criteria, edge_rules, settings, dataset, seed, processes
        As for :func:`rupture_repair.chance.calibrate.calibrate`; `settings` is the group chance of
        config.yaml.
    calibrated : DataFrame
        From :func:`rupture_repair.chance.calibrate.calibrate`.
    most_courses : int
        Of a larger dataset so many are simulated.
    models : dict, optional
        From :func:`rupture_repair.detection.detect.hidden_markov_models`, else fitted here.

    Returns
    -------
    chance, sensitivity, chance_courses, replicates : DataFrame
        The rows of :func:`expected`, of :func:`sensitivity` and of
        :func:`rupture_repair.chance.replicates.kept_replicates`, of one measure after the other.
    """

    def assess(name: str, processes: int) -> tuple[pd.DataFrame, ...]:
        whole = prepared(sessions, name, measures[name], criteria, models=models)
        sample = sampled(whole, measures[name], most_courses)
        null = prepare(sample, name, measures[name], seed=seed)
        rules = with_calibrated_k(criteria, calibrated[calibrated["measure"] == name])
        how: dict[str, Any] = {"dataset": dataset, "processes": processes}
        by_chance, courses = expected(null, rules, edge_rules, settings, whole=whole, **how)
        planted = sensitivity(null, rules, edge_rules, settings.planted_falls, **how)
        kept = kept_replicates(null, settings, EXPECTED, dataset=dataset)
        return by_chance, planted, courses, kept

    tables = side_by_side(assess, alliance(measures), processes)
    return tuple(pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
