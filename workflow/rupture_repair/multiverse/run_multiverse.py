"""Fit the specifications of a plan, and permute their exposures."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..detection import detect
from ..detection.criteria import Criterion
from ..detection.ratings import arrange
from ..exposure import shared
from ..exposure.sessions import session_exposures
from ..exposure.shared import EXPOSURES
from ..models.definitions import MODELS, SAME_SCORES
from ..project.arrays import Floats
from ..project.content_order import in_order, turned_columns
from ..project.dataset import Dataset
from ..project.parallel import one_by_one, one_thread
from ..project.problems import ProblemsFound
from ..project.processed import of_criterion
from ..project.reasons import because
from ..project.setting_groups import EdgeRules, ExposureRules, ExposureStates, PermutationSettings
from ..statistics import design, estimates
from ..statistics.blocks import engine, search
from ..statistics.no_result import NoOptimum, NotAssessable
from .permuting import Permutations, PermutedRows, Whitened

log = logging.getLogger(__name__)

#: The exposures whose estimates are followed through the multiverse.
TERMS = EXPOSURES

_NUMBERS = ("estimate", "std_error", "df", "p", "ci_low", "ci_high", "standardised")
_COUNTS = ("n_sessions", "n_courses")


@dataclass(frozen=True)
class Outcome:
    """What became of the specifications of a plan.

    Attributes
    ----------
    fits : DataFrame
        The columns of the plan, and `term` (:data:`TERMS`), `estimate`, `std_error`, `df`, `p`,
        `ci_low`, `ci_high`, `standardised`, `n_sessions`, `n_courses`, `status`, `message`; one row
        per specification and term, numbers missing where there is no result. `permuted` says
        whether the specification is part of the permutation test.
    standardised : ndarray, shape (specifications, 1 + permutations, terms)
        Standardised estimates of the permutation test; the first is of the data as they are.
        NaN where a specification has none.
    significant : ndarray of int8, same shape
        1 or -1 where an estimate differs from zero at the 5 % level, upwards or downwards.
    """

    fits: pd.DataFrame
    standardised: Floats
    significant: np.ndarray


@dataclass(frozen=True)
class _GivenForMultiverse:
    """What all specifications share."""

    dataset: Dataset
    states: pd.DataFrame
    rules: Mapping[str, Criterion]
    edge_rules: EdgeRules
    exposure: ExposureRules
    permutations: Permutations
    places: pd.MultiIndex  # the sessions of the dataset in their order
    same_scores: set[tuple[str, str]]  # pairs of measure and outcome that are one


def run_multiverse(
    plan: pd.DataFrame,
    *,
    dataset: Dataset,
    states: pd.DataFrame,
    criteria: Iterable[Criterion],
    edge_rules: EdgeRules,
    exposure: ExposureStates,
    permuting: PermutationSettings,
    seed: int,
    processes: int = 1,
    say: Callable[[str], None] = log.info,
) -> Outcome:
    """Fit every specification of a plan, and permute its exposure within courses.

    Parameters
    ----------
    plan : DataFrame
        From :func:`rupture_repair.multiverse.plan_multiverse`.
    dataset : Dataset
    states : DataFrame
        `session_states` of all measures and criteria: used where k is not changed.
    criteria : iterable of Criterion
        Those of the project; they are applied anew where k is changed.
    edge_rules : EdgeRules
    exposure : ExposureStates
    permuting : PermutationSettings
    seed : int
        Of the permutations.
    processes : int
        Processes that share the work; the result does not depend on it.
    say : callable
        Is told now and then how far the work is.

    Returns
    -------
    Outcome
        A specification that cannot be fitted is there with its status and message.
    """
    sessions = dataset.sessions
    keys = sessions[["course", "session"]].astype({"course": "str", "session": "int64"})
    keys = keys.iloc[in_order(sessions, turned_columns(sessions, dataset.measures))]
    given = _GivenForMultiverse(
        dataset=dataset,
        states=states,
        rules={rule.id: rule for rule in criteria},
        edge_rules=edge_rules,
        exposure=ExposureRules.of(exposure, edge_rules),
        permutations=Permutations(
            pd.factorize(keys["course"])[0],
            permuting.permutations,
            seed,
            permuting.scheme,
        ),
        places=pd.MultiIndex.from_frame(keys),
        same_scores={
            pair
            for pair in plan[["measure", "outcome"]]
            .dropna()
            .drop_duplicates()
            .itertuples(index=False, name=None)
            if shared.same_scores(dataset.sessions, *pair)
        },
    )
    groups = ["measure", "criterion", "k_factor"]
    tasks = [rows.to_dict("records") for _, rows in plan.groupby(groups, sort=False)]
    results: dict[int, _Specified] = {}
    next_tenth = 1
    for part in one_by_one(partial(_run_task, given), tasks, processes):
        results |= part
        if len(results) * 10 >= next_tenth * len(plan):
            said = f"{len(results)} of {len(plan)} specifications"
            say(f"{said}, each with {given.permutations.number} permutations")
            next_tenth = len(results) * 10 // len(plan) + 1
    return _gathered(plan, results, given.permutations.number)


@dataclass(frozen=True)
class _Specified:
    """What became of one specification."""

    rows: dict[str, dict[str, Any]]  # by term
    standardised: Floats | None = None
    significant: np.ndarray | None = None


def _run_task(given: _GivenForMultiverse, task: list[dict]) -> dict[int, _Specified]:
    """Fit the specifications of one measure, criterion and k."""
    states: pd.DataFrame | None = None
    tables: dict[tuple, pd.DataFrame] = {}
    results = {}
    with one_thread():
        for specification in task:
            number = int(specification["specification"])
            if pd.notna(specification["reason"]):
                results[number] = _without("not_assessable", str(specification["reason"]))
                continue
            try:
                states = _states(given, specification) if states is None else states
                key = (specification["outcome"], specification["censored"])
                if key not in tables:
                    tables[key] = _exposure(given, states, specification)
                results[number] = _one(given, specification, tables[key])
            except ProblemsFound as error:
                text = " ".join(problem.text for problem in error.problems)
                results[number] = _without("failed", text)
            except Exception as error:
                log.exception("specification %d could not be fitted", number)
                results[number] = _without("failed", f"{type(error).__name__}: {error}")
    return results


def _states(given: _GivenForMultiverse, specification: Mapping[str, Any]) -> pd.DataFrame:
    """Return the states of sessions by the criterion with the k of the specification."""
    name, criterion = str(specification["measure"]), str(specification["criterion"])
    if specification["k_factor"] == 1:
        return of_criterion(given.states, name, criterion)
    about = given.dataset.measures[name]
    found = detect.detect_one(
        arrange(given.dataset.sessions, name, about),
        replace(given.rules[criterion], k=float(specification["k"])),
        given.edge_rules,
        dataset="",
        name=name,
        measure=about,
    )
    columns = ["measure", "criterion", "course", "session", "state", "censored"]
    return found.states.select(columns).to_pandas()


def _exposure(
    given: _GivenForMultiverse, states: pd.DataFrame, specification: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the table of exposure of a specification, of all courses."""
    if specification["censored"] == "left_out":
        state = states["state"].astype("str").mask(states["censored"].astype(bool))
        states = states.assign(state=state.fillna("not_assessable"))
    names = str(specification["measure"]), str(specification["outcome"])
    return session_exposures(states, given.dataset, *names, given.exposure)


def _one(
    given: _GivenForMultiverse, specification: Mapping[str, Any], table: pd.DataFrame
) -> _Specified:
    """Fit one specification and permute its exposure."""
    variant = MODELS["next_session"].variants[str(specification["variant"])]
    detrended = specification["trend"] == "removed"
    part = "detrended" if detrended else "within"
    formula = variant.formula.replace("_within", f"_{part}")
    table = table[table["n_sessions"] >= specification["minimum_sessions"]]
    if table.empty:
        return _without("not_assessable", MODELS["next_session"].empty)
    try:
        matrices = design.build(formula, table, ar1=variant.ar1)
        estimates.check_information(matrices)
        if not matrices.levels or matrices.levels[0].factor != "course":
            reason = "; ".join(
                ["effects of courses cannot be distinguished from the residual", *matrices.notes]
            )
            return _without("not_assessable", reason)
        standard = engine.standardise(matrices)
        optimum = search.find(standard.likelihood)
    except NotAssessable as reason:
        return _without("not_assessable", reason.reason)
    except NoOptimum as reason:
        return _without("failed", reason.reason)
    solution = engine.solution(standard, optimum)
    fit = estimates.of_solution(formula, matrices, solution, "blocks")
    pair = str(specification["measure"]), str(specification["outcome"])
    if pair in given.same_scores:
        fit = fit.noted(SAME_SCORES)
    rows = {term: _row(fit, f"{term}_{part}") for term in TERMS}
    present = tuple(term for term in TERMS if rows[term]["status"] == fit.status)
    result = _Specified(rows)
    if not given.permutations.number or not present:
        return result
    try:
        whitened = Whitened(standard, [f"{term}_{part}" for term in present], optimum.point)
    except NoOptimum as reason:
        log.warning("specification %s is not permuted: %s", specification["specification"], reason)
        return result
    kept = table.iloc[matrices.rows[whitened.order]]
    return _permuted(
        given, result, whitened, _rows(given, kept, present, whitened.start, detrended)
    )


def _row(fit: estimates.FormulaFit, term: str) -> dict[str, Any]:
    """Return the row of one exposure, missing where it is not among the terms."""
    row = fit.row(term)
    if row is None:
        why = fit.message or because("no_variation", term=term)
        return {"status": "not_assessable", "message": why}
    return {name: row[name] for name in (*_NUMBERS, *_COUNTS, "status", "message")}


def _without(status: str, message: str) -> _Specified:
    """Return a specification without result."""
    return _Specified({term: {"status": status, "message": message} for term in TERMS})


def _permuted(
    given: _GivenForMultiverse, result: _Specified, whitened: Whitened, rows: PermutedRows
) -> _Specified:
    """Add the permutations of the exposures to a specification."""
    present = [term for term in TERMS if "estimate" in result.rows[term]]
    shape = (1 + given.permutations.number, len(TERMS))
    values, statistics = np.full(shape, np.nan), np.full(shape, np.nan)
    columns, done = [TERMS.index(term) for term in present], 0
    for exposures in given.permutations.exposures(rows):
        found, statistic = whitened.estimates(exposures)
        values[done : done + len(found), columns] = found
        statistics[done : done + len(found), columns] = statistic
        done += len(found)
    # The same factor standardises the estimate and its permutations.
    spread, limit = np.full(len(TERMS), np.nan), np.full(len(TERMS), np.nan)
    for place in columns:
        row = result.rows[TERMS[place]]
        spread[place] = row["standardised"] / row["estimate"]
        limit[place] = special.stdtrit(row["df"], 0.975)
    clear = (statistics > limit).astype(np.int8) - (statistics < -limit).astype(np.int8)
    return replace(result, standardised=values * spread, significant=clear)


def _rows(
    given: _GivenForMultiverse,
    kept: pd.DataFrame,
    present: tuple[str, ...],
    start: np.ndarray,
    detrended: bool,
) -> PermutedRows:
    """Return the rows of a specification in the order of the engine."""
    time = kept["time"].to_numpy(float)
    mean = np.add.reduceat(time, start[:-1]) / np.diff(start)
    return PermutedRows(
        exposures=kept[[f"{term}_within" for term in present]].to_numpy(float),
        place=given.places.get_indexer(pd.MultiIndex.from_frame(kept[["course", "session"]])),
        start=start,
        time=time - np.repeat(mean, np.diff(start)) if detrended else None,
    )


def _gathered(plan: pd.DataFrame, results: Mapping[int, _Specified], number: int) -> Outcome:
    """Put the results together in the order of the plan."""
    shape = (len(plan), 1 + number, len(TERMS))
    standardised = np.full(shape, np.nan)
    significant = np.zeros(shape, dtype=np.int8)
    rows = []
    for place, specification in enumerate(plan.to_dict("records")):
        result = results[int(specification["specification"])]
        if result.standardised is not None and result.significant is not None:
            standardised[place], significant[place] = result.standardised, result.significant
        for at, term in enumerate(TERMS):
            tested = bool(np.isfinite(standardised[place, 0, at]))
            rows.append(specification | {"term": term, "permuted": tested} | result.rows[term])
    columns = [*plan.columns, "term", *_NUMBERS, *_COUNTS, "status", "message", "permuted"]
    fits = pd.DataFrame(rows, columns=columns)
    kinds = {name: plan[name].dtype for name in plan.columns}
    kinds |= dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_COUNTS, "Int64")
    kinds |= {"term": "str", "status": "str", "message": "str", "permuted": "bool"}
    return Outcome(fits.astype(kinds), standardised, significant)
