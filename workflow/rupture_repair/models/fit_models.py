"""Fit every model and variant for every alliance measure and criterion of a dataset."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd

from ..exposure.courses import GROUPS, course_exposures, recovery_reason
from ..exposure.episodes import growth_exposures, moderator_exposures
from ..exposure.sessions import (
    leaving_exposures,
    session_exposures,
    trajectories_after,
    trajectory_exposures,
)
from ..exposure.shared import same_scores
from ..project.dataset import Dataset, Detected
from ..project.headline import resolved
from ..project.measures import Measure
from ..project.parallel import spread_out
from ..project.problems import ProblemsFound
from ..project.reasons import because
from ..project.setting_groups import EdgeRules, ExposureRules, ModelSettings
from ..statistics import estimates
from ..statistics.estimates import KEYS, FormulaFit, typed, without_result
from ..statistics.statuses import STATUSES
from .definitions import (
    MODELS,
    PROBABLE_CRITERION,
    PROBABLE_VARIANTS,
    SAME_SCORES,
    Model,
    Variant,
)
from .expected_share import expected_shares
from .probable import Probabilities, fit_probable

log = logging.getLogger(__name__)


#: Models and variants whose estimates show a known share of the effects of the states.
_SHARED = [("next_session", name) for name in ("main", MODELS["next_session"].rests_on)]

_RETROSPECTIVE = (
    "the criterion uses later ratings, so that what it says of the time before the landmark was "
    "not known then"
)
_NO_AR1 = "the engine statsmodels has no autocorrelated residuals in mixed models"


def fit_models(
    dataset: Dataset,
    detected: Detected,
    models: ModelSettings,
    edge_rules: EdgeRules,
    default_criterion: str,
    processes: int = 1,
    probabilities: Probabilities | None = None,
) -> pd.DataFrame:
    """Fit every model and variant for every alliance measure and criterion of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Each alliance measure names its `outcome`.
    detected : Detected
        Its table `detection` says which measures and criteria there are.
    models : ModelSettings
    edge_rules : EdgeRules
    default_criterion : str
        The criterion that gets all variants where `models` says so.
    processes : int
        Processes that share the criteria; the result does not depend on it.
    probabilities : Probabilities, optional
        What the hidden Markov models say: without it no variant with probabilities is fitted.

    Returns
    -------
    DataFrame
        The table of estimates: columns :data:`COLUMNS`, one row per term, sorted by measure,
        criterion, model and variant (in the order of :data:`MODELS`), terms in the order of the
        formula. A model without result is one row without a term and with its reason in `message`.
    """
    rules = ExposureRules.of(models.exposure, edge_rules)
    given = _GivenForModels(dataset, detected, models, rules, default_criterion, probabilities)
    parts = spread_out(partial(_fit_task, given), sorted(detected.pairs()), processes)
    return typed([row for part in parts for row in part])


def status_counts(estimates: pd.DataFrame) -> pd.DataFrame:
    """Count how the fits ended.

    Parameters
    ----------
    estimates : DataFrame
        The table of estimates.

    Returns
    -------
    DataFrame
        One row per model and variant, in the order of :data:`MODELS`, with the columns `model`,
        `variant`, one count per status of :data:`STATUSES`, and `fits`, their sum.
    """
    fits = estimates.drop_duplicates(list(KEYS))
    counts = pd.crosstab([fits["model"], fits["variant"]], fits["status"])
    counts = counts.reindex(columns=list(STATUSES), fill_value=0).rename_axis(columns=None)
    order = {pair: place for place, pair in enumerate(_variants())}
    counts = counts.loc[sorted(counts.index, key=lambda pair: order.get(pair, len(order)))]
    return counts.assign(fits=counts.sum(axis=1)).reset_index()


@dataclass(frozen=True)
class _GivenForModels:
    """What :func:`fit_models` was given."""

    dataset: Dataset
    detected: Detected
    models: ModelSettings
    rules: ExposureRules
    default_criterion: str
    probabilities: Probabilities | None


@dataclass(frozen=True)
class _Table:
    """A table of exposure; variants that it cannot answer, and why; what is to be said of it."""

    rows: pd.DataFrame
    reasons: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _fit_task(given: _GivenForModels, task: tuple[str, str]) -> list[dict[str, Any]]:
    """Do the task of one measure and criterion."""
    return _fit_criterion(given, *task)


def _variants() -> Iterator[tuple[str, str]]:
    """Yield model and variant, in the order of the report."""
    for model in MODELS.values():
        for variant in model.variants:
            yield model.id, variant


def _variants_of(measure: str, criterion: str, given: _GivenForModels) -> list[tuple[str, str]]:
    """Return the models and variants to fit for a criterion, as config.yaml says."""
    default = resolved(given.default_criterion, given.detected.detection, measure)
    every = given.models.variants_for == "all_criteria" or criterion == default
    return [
        (model, variant)
        for model, variant in _variants()
        if every or variant == "main" or MODELS[model].variants[variant].always
        if MODELS[model].variants[variant].view is None or _probabilities(criterion, given)
    ]


def _probabilities(criterion: str, given: _GivenForModels) -> Probabilities | None:
    """Return the probabilities that a criterion rests on, if so."""
    return given.probabilities if criterion == PROBABLE_CRITERION else None


def _fit_criterion(given: _GivenForModels, measure: str, criterion: str) -> list[dict[str, Any]]:
    """Return the rows of all models and variants for one measure and criterion."""
    outcome = given.dataset.measures[measure].outcome
    engine = given.models.engine
    reason = _no_exposure(given, measure, criterion, outcome)
    tables = {} if reason else _tables(given, measure, criterion, str(outcome))
    same = not reason and same_scores(given.dataset.sessions, measure, str(outcome))
    probable: dict[str, FormulaFit] = {}
    probabilities = _probabilities(criterion, given)
    if probabilities and not reason:
        probable = _by_probability(given, probabilities, measure, tables["sessions"], same)
    shares: dict[str, float] = {}
    if given.probabilities and tables:
        shares = expected_shares(tables["sessions"].rows, given.probabilities, measure)
    rows = []
    for model, name in _variants_of(measure, criterion, given):
        variant = MODELS[model].variants[name]
        made = tables.get(variant.table)
        why_not = reason or (made.reasons.get(name) if made else None)
        if why_not or made is None:
            result = without_result(variant.formula, "not_assessable", str(why_not), engine)
        elif variant.view:
            result = probable[name]
        else:
            result = _fit_variant(MODELS[model], name, made, engine)
        if same and model not in ("growth", "moderation") and not variant.view:
            result = result.noted(SAME_SCORES)
        keys = (given.dataset.name, measure, outcome, criterion, model, name)
        row = dict(zip(KEYS, keys, strict=True)) | result.rows
        if (model, name) in _SHARED:
            row["expected_share"] = [shares.get(term) for term in result.rows["term"]]
        rows.append(row)
    return rows


def _by_probability(
    given: _GivenForModels, said: Probabilities, measure: str, made: _Table, same: bool
) -> dict[str, FormulaFit]:
    """Return the fits of the variants whose exposures are probabilities."""
    engine = given.models.engine

    def without(status: str, reason: str) -> dict[str, FormulaFit]:
        return {
            name: without_result(variant.formula, status, reason, engine)
            for name, variant in PROBABLE_VARIANTS.items()
        }

    if same:
        return without("not_assessable", SAME_SCORES)
    if engine == "statsmodels":
        return without("not_assessable", _NO_AR1)
    if made.rows.empty:
        return without("not_assessable", MODELS["next_session"].empty)
    try:
        return fit_probable(PROBABLE_VARIANTS, made.rows, given.dataset, measure, said)
    except Exception as error:
        log.exception("%s could not be fitted by probabilities", measure)
        return without("failed", f"{type(error).__name__}: {error}")


def _no_exposure(
    given: _GivenForModels, measure: str, criterion: str, outcome: str | None
) -> str | None:
    """Say why no model can be fitted for a measure and criterion, if so."""
    found = given.detected.of(measure, criterion).detection.iloc[0]
    if not bool(found["assessable"]):
        return because("criterion", reason=found["reason"])
    if not outcome or outcome not in given.dataset.measures:
        return because("no_outcome", measure=measure)
    return None


def _tables(
    given: _GivenForModels, measure: str, criterion: str, outcome: str
) -> dict[str, _Table]:
    """Return the tables of exposure by their names in the variants of the models."""
    dataset, detected = given.dataset, given.detected.of(measure, criterion)
    states, episodes = detected.states, detected.episodes
    courses = course_exposures(episodes, states, dataset, measure, outcome)
    landmark = given.models.landmark
    later = trajectories_after(courses, episodes, dataset, measure, outcome, landmark)
    moderation, cannot = moderator_exposures(episodes, dataset, measure)
    retrospective = bool(detected.detection.iloc[0].get("uses_future", False))
    at_landmark = (
        because("at_landmark", session=landmark),
        *([_RETROSPECTIVE] if retrospective else []),
    )
    made = {
        "sessions": _Table(session_exposures(states, dataset, measure, outcome, given.rules)),
        "trajectories": _Table(trajectory_exposures(courses, dataset, outcome)),
        "trajectories_after": _Table(later, notes=at_landmark),
        "courses": _Table(courses, _no_recovery(dataset.measures[outcome], outcome)),
        "leaving": _leaving_table(given, states, measure, outcome),
        "growth": _Table(growth_exposures(episodes, states, dataset, measure)),
        "moderation": _Table(moderation, cannot),
    }
    if outcome not in dataset.sessions:
        reason = because("before_and_after", outcome=outcome)
        for name in ("sessions", "trajectories", "trajectories_after"):
            every = dict.fromkeys([*MODELS["next_session"].variants, "landmark"], reason)
            made[name] = _Table(made[name].rows, every)
    return made


def _no_recovery(attributes: Measure, outcome: str) -> dict[str, str]:
    """Say why the variants of recovery cannot be fitted, if so."""
    reason = recovery_reason(attributes)
    text = because("recovery_on", outcome=outcome, reason=reason)
    return {} if reason is None else {"recovered": text, "recovered_gee": text}


def _leaving_table(
    given: _GivenForModels, states: pd.DataFrame, measure: str, outcome: str
) -> _Table:
    """Return the sessions at which a course could end."""
    rows = leaving_exposures(states, given.dataset, measure, outcome, given.rules)
    endings = given.dataset.courses.get("ending", pd.Series(dtype="str")).astype("str")
    known = endings.isin(["completed", "dropped_out", "ongoing"])
    reason = ""
    if not known.any():
        reason = (
            "it is not known of any course how it ended: leaving cannot be distinguished from "
            "finishing"
        )
    elif not (endings == "dropped_out").any():
        reason = "no course was dropped out of"
    unknown = int((~known).sum())
    notes = (because("unknown_endings", courses=unknown),)
    variants = MODELS["ending"].variants
    return _Table(rows, dict.fromkeys(variants, reason) if reason else {}, notes if unknown else ())


def _fit_variant(model: Model, name: str, made: _Table, engine: str) -> FormulaFit:
    """Fit one variant; whatever goes wrong becomes the status of this fit alone."""
    variant = model.variants[name]
    formula, table = variant.formula, made.rows
    if table.empty:
        return without_result(formula, "not_assessable", model.empty, engine)
    try:
        result = _fitted(variant, table, engine)
    except ProblemsFound as error:
        message = " ".join(problem.text for problem in error.problems)
        return without_result(formula, "failed", message, engine)
    except Exception as error:
        log.exception("%s, %s could not be fitted", model.id, name)
        return without_result(formula, "failed", f"{type(error).__name__}: {error}", engine)
    if result.status in ("failed", "not_assessable"):
        return result
    if not any(term.startswith(variant.answers or model.answers) for term in result.rows["term"]):
        reason = "; ".join(["there is nothing to compare", *result.notes])
        return without_result(formula, "not_assessable", reason, engine)
    notes = [*made.notes, *(_group_notes(table) if model.id == "trajectory" else [])]
    result = result.noted(*notes)
    # Rows that are no sessions must not pass for some.
    counts: dict[str, Any] = {}
    if model.rows != "session":
        counts["n_sessions"] = None
    if model.rows == "episode":
        counts["n_episodes"] = result.rows["n_sessions"]
    return replace(result, rows=result.rows | counts)


def _fitted(variant: Variant, table: pd.DataFrame, engine: str) -> FormulaFit:
    """Fit a variant as it says."""
    if variant.ar1 and engine == "statsmodels":
        return without_result(variant.formula, "not_assessable", _NO_AR1, engine)
    if variant.group:
        return estimates.fit_gee(variant.formula, table, variant.group)
    return estimates.fit(
        variant.formula, table, engine=engine, ar1=variant.ar1, family=variant.family,
        contrasts=variant.contrasts,
    )  # fmt: skip


def _group_notes(table: pd.DataFrame) -> list[str]:
    """Say which group is the reference if it is not the usual one, and which groups are small."""
    courses = (
        table.dropna(subset="outcome").drop_duplicates("course")["group"].value_counts(sort=False)
    )
    notes = []
    if courses.index[0] != GROUPS[0]:
        notes.append(because("other_reference", reference=courses.index[0]))
    small = [f"{number} in '{group}'" for group, number in courses.items() if number < 5]
    if small:
        notes.append(because("few_courses", groups=", ".join(small)))
    return notes
