"""The models that link rupture and repair to outcome, and one interface that fits them.

:data:`MODELS` holds each model as data: formula in lme4's notation, the question in words, what a
coefficient means. :func:`fit` fits any such formula and returns tidy rows with a status;
:func:`fit_all` does so for every alliance measure, criterion, model and variant of a dataset.
A model that cannot be fitted is a row with its reason, and never stops the others.
"""

import logging
import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from . import exposure
from .estimates import COLUMNS, KEYS, STATUSES, Fit, fit, typed, without_result
from .problems import ProblemsFound

__all__ = ["COLUMNS", "MODELS", "STATUSES", "Fit", "Model", "fit", "fit_all", "status_counts"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model as data, so that reports print what was fitted.

    Attributes
    ----------
    id : str
    question : str
        What is asked, in words.
    rows : str
        What one row of the analysis is: "session" or "course".
    variants : dict of str to str
        Formula of each variant in lme4's notation; `main` is the first.
    about : dict of str to str
        What a variant is for.
    reading : dict of str to str
        What the coefficient of a term means.
    answers : tuple of str
        Beginnings of the terms that answer the question; a fit without any is no answer.
    empty : str
        What it means that the table of the model has no rows.
    """

    id: str
    question: str
    rows: str
    variants: dict[str, str]
    about: dict[str, str]
    reading: dict[str, str]
    answers: tuple[str, ...]
    empty: str

    @property
    def formula(self) -> str:
        """Formula of the main variant."""
        return self.variants["main"]


_RANDOM = "(1 + time | course) + (1 | therapist)"
_CONTROLS = f"time + n_sessions + baseline + {_RANDOM}"
_NEXT = f"repaired_within + open_within + repaired_between + open_between + {_CONTROLS}"
_DETRENDED = f"repaired_detrended + open_detrended + repaired_between + open_between + {_CONTROLS}"

#: The models, in the order of the report.
MODELS: dict[str, Model] = {
    "next_session": Model(
        id="next_session",
        question="Does a repaired (an open) rupture now go with a better (a worse) outcome at the "
        "next session?",
        rows="session",
        variants={
            "main": f"outcome_next ~ {_NEXT}",
            "with_outcome_now": f"outcome_next ~ outcome_now + {_NEXT}",
            "detrended": f"outcome_next ~ {_DETRENDED}",
            "ar1": f"outcome_next ~ {_NEXT}",
        },
        about={
            "main": "as the formula says",
            "with_outcome_now": "with the outcome of the same session as a covariate: change from "
            "one session to the next",
            "detrended": "exposure as its residual from the course's own straight line over time, "
            "so that no trend of a course passes for an effect",
            "ar1": "with residuals that are autocorrelated over session numbers",
        },
        reading={
            "repaired_within": "difference in the next outcome, in points, between sessions of one "
            "course at or after a repair and its steady sessions",
            "open_within": "the same for sessions with a rupture that is not repaired so far",
            "repaired_between": "difference in outcome between a course with all and a course with "
            "none of its sessions at or after a repair",
            "open_between": "the same for sessions with a rupture that is not repaired so far",
            "repaired_detrended": "as repaired_within, without the course's own trend in exposure",
            "open_detrended": "as open_within, without the course's own trend in exposure",
            "outcome_now": "points of the next outcome for one point of the outcome now",
            "time": "points per session number",
            "n_sessions": "points for each further rated session of the course",
            "baseline": "points for one point of the first rated outcome",
        },
        answers=("repaired_within", "open_within", "repaired_detrended", "open_detrended"),
        empty="no session whose state is known is followed by a rated outcome soon enough",
    ),
    "trajectory": Model(
        id="trajectory",
        question="Do the slopes of courses with repaired and with unrepaired ruptures differ from "
        "those of courses without ruptures?",
        rows="session",
        variants={"main": f"outcome ~ time * group + {_RANDOM}"},
        about={"main": "as the formula says; the group of a course is known only at its end"},
        reading={
            "time": "points per session number in courses without ruptures",
            "group": "difference in outcome at the first session from courses without ruptures",
            "time:group": "difference in slope, points per session number, from courses without "
            "ruptures",
        },
        answers=("time:group",),
        empty="no course that could be assessed has a rated outcome",
    ),
    "final": Model(
        id="final",
        question="At the end of therapy, is the outcome better after repaired and worse after "
        "unrepaired ruptures?",
        rows="course",
        variants={
            "main": "last_outcome ~ first_outcome + n_repaired + n_unrepaired + n_censored + "
            "n_sessions + mean_alliance + (1 | therapist)"
        },
        about={"main": "as the formula says"},
        reading={
            "first_outcome": "points for one point of the first outcome",
            "n_repaired": "points for each repaired rupture of the course",
            "n_unrepaired": "points for each unrepaired rupture of the course",
            "n_censored": "points for each rupture with too few sessions left to know",
            "n_sessions": "points for each further rated session of the course",
            "mean_alliance": "points for one point of the course's mean alliance",
        },
        answers=("n_repaired", "n_unrepaired"),
        empty="no course could be assessed",
    ),
}

_SAME_SCORES = "rating and outcome are the same scores, so that an association is built in"
_NO_AR1 = "the engine statsmodels has no autocorrelated residuals in mixed models"


def fit_all(
    name: str,
    sessions: pd.DataFrame,
    courses: pd.DataFrame,
    measures: Mapping[str, Any],
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    detection: pd.DataFrame,
    settings: Mapping[str, Any],
    processes: int = 1,
) -> pd.DataFrame:
    """Fit every model and variant for every alliance measure and criterion of a dataset.

    Parameters
    ----------
    name : str
        The dataset.
    sessions, courses : DataFrame
        Canonical tables.
    measures : mapping
        Content of measures.json; each alliance measure names its `outcome`.
    states, episodes, detection : DataFrame
        What detection found; `detection` says which measures and criteria there are.
    settings : mapping
        Content of config.yaml.
    processes : int
        Processes that share the criteria; the result does not depend on it.

    Returns
    -------
    DataFrame
        The table of estimates: columns :data:`COLUMNS`, one row per term, sorted by measure,
        criterion, model and variant (in the order of :data:`MODELS`), terms in the order of the
        formula. A model without result is one row without a term and with its reason in `message`.
    """
    pairs = detection[["measure", "criterion"]].astype("str").drop_duplicates()
    tasks = sorted(pairs.itertuples(index=False, name=None))
    data = _Data(name, sessions, courses, measures, states, episodes, detection, settings)
    if processes > 1 and len(tasks) > 1:
        # A forked process shares the tables without a copy, and needs no importable main module.
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
        context = multiprocessing.get_context(method)
        workers = min(processes, len(tasks))
        with ProcessPoolExecutor(workers, context, _SHARED.append, (data,)) as pool:
            parts = list(pool.map(_fit_shared, tasks))
    else:
        parts = [_fit_criterion(data, *task) for task in tasks]
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
class _Data:
    """The tables of a dataset, as :func:`fit_all` takes them."""

    name: str
    sessions: pd.DataFrame
    courses: pd.DataFrame
    measures: Mapping[str, Any]
    states: pd.DataFrame
    episodes: pd.DataFrame
    detection: pd.DataFrame
    settings: Mapping[str, Any]


#: The dataset that a worker process works on, given once so that its tasks stay small.
_SHARED: list[_Data] = []


def _fit_shared(task: tuple[str, str]) -> list[dict[str, Any]]:
    """Do one task of a worker process."""
    return _fit_criterion(_SHARED[-1], *task)


def _variants() -> Iterator[tuple[str, str]]:
    """Yield model and variant, in the order of the report."""
    for model in MODELS.values():
        for variant in model.variants:
            yield model.id, variant


def _variants_of(criterion: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the models and variants to fit for a criterion, as config.yaml says."""
    models = settings.get("models", {})
    every = models.get("variants_for", "all_criteria") == "all_criteria"
    every = every or criterion == settings.get("default_criterion")
    return [pair for pair in _variants() if every or pair[1] == "main"]


def _fit_criterion(data: _Data, measure: str, criterion: str) -> list[dict[str, Any]]:
    """Return the rows of all models and variants for one measure and criterion."""
    outcome = data.measures[measure].get("outcome")
    engine = data.settings.get("models", {}).get("engine", "blocks")
    reason = _no_exposure(data, measure, criterion, outcome)
    tables = {} if reason else _tables(data, measure, criterion, outcome)
    same = not reason and exposure.same_scores(data.sessions, measure, outcome)
    rows = []
    for model, variant in _variants_of(criterion, data.settings):
        why_not = reason or _no_model(data, model, variant, outcome)
        if why_not:
            result = without_result(MODELS[model].formula, "not_assessable", why_not, engine)
        else:
            result = _fit_variant(MODELS[model], variant, tables[model], engine)
        if same:
            result = result.noted(_SAME_SCORES)
        keys = (data.name, measure, outcome, criterion, model, variant)
        rows.append(dict(zip(KEYS, keys, strict=True)) | result.terms.to_dict("list"))
    return rows


def _no_exposure(data: _Data, measure: str, criterion: str, outcome: str | None) -> str | None:
    """Say why no model can be fitted for a measure and criterion, if so."""
    detection = data.detection
    mine = (detection["measure"].astype("str") == measure) & (
        detection["criterion"].astype("str") == criterion
    )
    found = detection[mine].iloc[0]
    if not bool(found["assessable"]):
        reason = found.get("reason")
        return f"the criterion is not assessable{'' if pd.isna(reason) else f': {reason}'}"
    if not outcome or outcome not in data.measures:
        return f"no outcome measure is paired with {measure}"
    return None


def _no_model(data: _Data, model: str, variant: str, outcome: str) -> str | None:
    """Say why a model cannot be fitted whatever the criterion, if so."""
    if variant == "ar1":
        return _NO_AR1
    if MODELS[model].rows == "session" and outcome not in data.sessions:
        return f"{outcome} is measured before and after therapy only, not at sessions"
    return None


def _tables(data: _Data, measure: str, criterion: str, outcome: str) -> dict[str, pd.DataFrame]:
    """Return the table of each model."""
    states, episodes = (
        table[
            (table["measure"].astype("str") == measure)
            & (table["criterion"].astype("str") == criterion)
        ]
        for table in (data.states, data.episodes)
    )
    shared = (data.sessions, data.courses, data.measures, measure, outcome)
    courses = exposure.courses(episodes, states, *shared)
    return {
        "next_session": exposure.sessions(states, *shared, data.settings),
        "trajectory": exposure.trajectories(courses, data.sessions, data.measures, outcome),
        "final": courses,
    }


def _fit_variant(model: Model, variant: str, table: pd.DataFrame, engine: str) -> Fit:
    """Fit one variant; whatever goes wrong becomes the status of this fit alone."""
    formula = model.variants[variant]
    if table.empty:
        return without_result(formula, "not_assessable", model.empty, engine)
    try:
        result = fit(formula, table, engine=engine)
    except ProblemsFound as error:
        message = " ".join(problem.text for problem in error.problems)
        return without_result(formula, "failed", message, engine)
    except Exception as error:
        log.exception("%s, %s could not be fitted", model.id, variant)
        return without_result(formula, "failed", f"{type(error).__name__}: {error}", engine)
    if result.status in ("failed", "not_assessable"):
        return result
    if not result.terms["term"].str.startswith(model.answers).any():
        reason = "; ".join(["there is nothing to compare", *result.notes])
        return without_result(formula, "not_assessable", reason, engine)
    if model.id == "trajectory":
        result = result.noted(*_group_notes(table))
    if model.rows == "course":
        # Rows are courses here; their number must not pass for one of sessions.
        result = replace(
            result, terms=result.terms.assign(n_sessions=pd.array([pd.NA], "Int64")[0])
        )
    return result


def _group_notes(table: pd.DataFrame) -> list[str]:
    """Say which group is the reference if it is not the usual one, and which groups are small."""
    courses = (
        table.dropna(subset="outcome").drop_duplicates("course")["group"].value_counts(sort=False)
    )
    notes = []
    if courses.index[0] != exposure.GROUPS[0]:
        notes.append(f"no course is without ruptures: the reference is '{courses.index[0]}'")
    small = [f"{number} in '{group}'" for group, number in courses.items() if number < 5]
    if small:
        notes.append(f"few courses: {', '.join(small)}")
    return notes
