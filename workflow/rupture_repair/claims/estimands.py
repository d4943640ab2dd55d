"""What each part of a claim is estimated by: a function of the tables of one dataset.

Each returns an :class:`Estimate`, or raises
:class:`~rupture_repair.statistics.design.NotAssessable` with what is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..exposure.courses import recovery_reason
from ..exposure.episodes import NOT_CODED
from ..exposure.sessions import session_exposures
from ..exposure.shared import turned
from ..models.definitions import REPAIRED_MINUS_OPEN
from ..project.reasons import because
from ..statistics.no_result import NotAssessable
from ..statistics.proportion import wilson
from ..statistics.reliability import intraclass
from . import mediation
from .context import DRAWS, Context, Estimate, estimate_row, fitted_rows, from_row, row_of
from .next_outcome import of_next_outcome
from .variance_shares import (
    added_correlation,
    all_correlations,
    bootstrapped,
    partial_correlation,
    products,
)

# ---------------------------------------------------------------- C1, C2: shares of variance


def _between_share(context: Context) -> Estimate:
    table = context.course_table
    if context.outcome in context.dataset.sessions:
        context.session_outcome()
    table = table.dropna(subset=["mean_alliance", "first_outcome", "last_outcome"])
    if len(table) < 20:
        raise NotAssessable(because("courses_with_outcome", courses=len(table), needed=20))
    columns = np.column_stack(
        [table["mean_alliance"], np.ones(len(table)), table["first_outcome"], table["last_outcome"]]
    )
    columns[:, [0, 2, 3]] -= columns[:, [0, 2, 3]].mean(axis=0)
    course = np.arange(len(table))
    found = bootstrapped(
        products(columns, course), context.cluster(table["course"]),
        lambda totals: added_correlation(totals, 4), DRAWS, context.seed,
    )  # fmt: skip
    return _share(found, n_courses=len(table), note=because("quoted", quoted=0.12))


def _within_share(context: Context) -> Estimate:
    outcome = context.session_outcome()
    every = context.detected.states.assign(state="steady", measure=context.measure)
    table = session_exposures(
        every, context.dataset, context.measure, outcome, context.rules
    )  # fmt: skip
    ratings = turned(context.dataset.sessions, context.dataset.measures, context.measure)
    table = table.merge(ratings, on=["course", "session"]).dropna(subset=["outcome_next", "value"])
    table = table[table.groupby("course")["course"].transform("size") >= 3]
    if table["course"].nunique() < 20:
        raise NotAssessable("fewer than 20 courses with three sessions followed by an outcome")
    by = table.groupby("course", sort=False)
    names = ["value", "time", "outcome_next"]
    columns = (table[names] - by[names].transform("mean")).to_numpy()
    course, ids = pd.factorize(table["course"])
    found = bootstrapped(
        products(columns, course), context.cluster(pd.Series(ids)),
        partial_correlation, DRAWS, context.seed,
    )  # fmt: skip
    return _share(found, n_courses=len(ids), n_sessions=len(table))


def _distinct_parts(context: Context) -> Estimate:
    components = context.dataset.measures[context.measure].components
    columns = [f"{context.measure}__{name}" for name in components]
    if len(columns) < 2:
        raise NotAssessable("the dataset has no components of the alliance")
    table = context.dataset.sessions[["course", *columns]].dropna()
    table = table[table.groupby("course")["course"].transform("size") >= 3]
    if table["course"].nunique() < 20:
        raise NotAssessable("fewer than 20 courses with three sessions with all components")
    deviations = table[columns] - table.groupby("course", sort=False)[columns].transform("mean")
    course, ids = pd.factorize(table["course"])
    number = len(columns)

    shared, error, low, high = bootstrapped(
        products(deviations.to_numpy(), course), context.cluster(pd.Series(ids)),
        lambda totals: all_correlations(totals, number), DRAWS, context.seed,
    )  # fmt: skip
    found = 1 - shared, error, 1 - high, 1 - low
    note = "error of measurement of single items counts as unshared"
    return _share(found, n_courses=len(ids), n_sessions=len(table), note=note)


def _share(found: tuple[float, float, float, float], **facts: Any) -> Estimate:
    estimate, error, low, high = found
    return Estimate(estimate, low, high, error, **facts)


# ---------------------------------------------------------------- C3, C4: episodes of courses


def _recovered_courses(context: Context) -> Estimate:
    table = context.course_table
    reason = recovery_reason(context.dataset.measures[str(context.outcome)])
    if reason:
        raise NotAssessable(because("recovery", reason=reason))
    recovered = table[table["recovered"] == 1]
    if len(recovered) < 5:
        raise NotAssessable(because("few_recovered", courses=len(recovered), least=5))
    expected = _expected_share(context, recovered["course"])
    with_episode = int((recovered["group"].astype("str") != "none").sum())
    low, high = wilson(with_episode, len(recovered))
    share = with_episode / len(recovered)
    groups = table.groupby(table["recovered"].map({1.0: "recovered", 0.0: "not recovered"}))
    shares = "; ".join(
        f"{name}: {(group['group'].astype('str') != 'none').mean():.2f} of {len(group)}"
        for name, group in groups
    )
    note = because("shares", shares=shares, estimate=f"{expected:.2f}")
    return Estimate(share - expected, low - expected, high - expected, n_courses=len(recovered),
                    n_with_episode=with_episode, note=note)  # fmt: skip


def _expected_share(context: Context, courses: pd.Series) -> float:
    """Return the share of courses that noise alone gives an episode."""
    if context.chance.empty:
        raise NotAssessable("the share expected by chance is not known for this criterion")
    by_course = context.chance.set_index("course")["expected"]
    # In a large dataset chance is known of a sample of the courses.
    expected = courses[courses.isin(by_course.index)].map(by_course)
    if expected.empty:
        raise NotAssessable("the share expected by chance is not known for any recovered course")
    if expected.isna().any():
        raise NotAssessable("the share expected by chance is not known for every recovered course")
    return float(expected.mean())


def _icc(values: pd.Series, group: pd.Series, what: str, unit: str, **facts: Any) -> Estimate:
    estimate, low, high, number, groups = intraclass(values, group)
    counted = {"number": number, "what": what, "groups": groups, "units": unit}
    if not np.isfinite(estimate):
        raise NotAssessable(because("not_told_apart", **counted))
    return Estimate(estimate, low, high, note=because("intraclass_of", **counted), **facts)


def _intensity(context: Context) -> Estimate:
    own = context.detected.episodes
    return _icc(own["fall"], own["course"], "episodes", "courses", n_episodes=len(own))


def _persistence(context: Context) -> Estimate:
    own = context.detected.episodes[context.detected.episodes["persistence"].notna()]
    values = own["persistence"].astype("float64")
    return _icc(values, own["course"], "repaired episodes", "courses", n_episodes=len(own))


def _frequency(context: Context) -> Estimate:
    states = context.detected.states
    states = states[states["state"].astype("str") != "not_assessable"]
    sessions = states["course"].astype("str").value_counts()
    number = context.detected.episodes["course"].astype("str").value_counts()
    rate = 10 * number.reindex(sessions.index, fill_value=0) / sessions
    rate = rate[sessions >= 5]
    therapist = context.dataset.courses.set_index("course").get("therapist")
    if therapist is None or therapist.isna().all():
        raise NotAssessable("no therapist is named")
    by = pd.Series(rate.index, index=rate.index).map(therapist)
    return _icc(rate, by, "courses", "therapists", n_courses=len(rate))


# ---------------------------------------------------------------- models that are fitted already


def _rows_of(context: Context, model: str) -> pd.DataFrame:
    """Return the rows of a model in the table of estimates."""
    return context.estimates[context.estimates["model"] == model]


def _of_model(model: str, variant: str, term: str, residual: bool = False) -> Callable:
    def estimand(context: Context) -> Estimate:
        if model == "trajectory":
            context.session_outcome()
        row = row_of(_rows_of(context, model), model, variant, term)
        return from_row(row, float(np.sqrt(row["var_residual"])) if residual else 1.0)

    return estimand


def _growth(term: str) -> Callable:
    def estimand(context: Context) -> Estimate:
        row = row_of(_rows_of(context, "growth"), "growth", "main", term)
        note = "falls by chance alone show a loss, so that zero is not neutral (docs/decisions.md)"
        return replace(from_row(row, context.within_sd, note), biased=-1)

    return estimand


# ---------------------------------------------------------------- models fitted here


def _mediated(context: Context) -> Estimate:
    if context.outcome in context.dataset.sessions:
        context.session_outcome()
    chosen = mediation.courses(
        context.detected.episodes, context.course_table, context.dataset, context.measure,
        str(context.outcome),
    )  # fmt: skip
    reason = chosen.why_not()
    if reason:
        raise NotAssessable(reason)
    found = mediation.paths(chosen.table, seed=context.seed)
    scale = float(chosen.table["last_outcome"].std(ddof=1))
    indirect, total, direct = (found.loc[name] for name in ("Indirect", "Total", "Direct"))
    past = {name: f"{value:.2f}" for name, value in (direct / scale).items()}
    ends = {"low": past["low"], "high": past["high"], "direct": past["coef"]}
    differ = because("paths", estimate=f"{total['coef'] / scale:.2f}", **ends)
    note = "; ".join([differ, chosen.flow(), mediation.ASSUMPTIONS])
    return Estimate(
        indirect["coef"], indirect["low"], indirect["high"], indirect["se"], scale,
        n_courses=len(chosen.table), note=note,
    )  # fmt: skip


def _moderation_table(context: Context, name: str) -> pd.DataFrame:
    table, reasons = context.moderation
    if name in reasons:
        raise NotAssessable(reasons[name])
    return table


def _causes(context: Context) -> Estimate:
    table = _moderation_table(context, "cause")
    coded = table[table["cause"].astype("str") != NOT_CODED]
    return _spread_between(coded.assign(cause=coded["cause"].astype("str")), "cause")


def _spread_between(table: pd.DataFrame, code: str) -> Estimate:
    from ..statistics import design
    from ..statistics.logistic import regression
    from ..statistics.no_result import NoOptimum

    if table[code].nunique() < 3 or len(table) < 30:
        few = {"episodes": len(table), "codes": table[code].nunique()}
        raise NotAssessable(because("few_coded", **few, needed=30, smallest=3))
    try:
        made = design.build(f"repaired ~ depth + (1 | {code})", table)
        found = regression.solve(made)
    except NoOptimum as reason:
        raise NotAssessable(reason.reason) from reason
    deviation = float(np.sqrt(found.random[0][0, 0])) if found.random else 0.0
    error = float(found.sd_error) if np.isfinite(found.sd_error) else np.nan
    if not np.isfinite(error):
        raise NotAssessable(because("codes_alike", episodes=len(table)))
    low, high = max(deviation - 1.96 * error, 0.0), deviation + 1.96 * error
    return Estimate(deviation, low, high, error, n_episodes=len(table))


def _strategies(context: Context) -> Estimate:
    table = _moderation_table(context, "strategy")
    coded = (table["strategy"].astype("str") != NOT_CODED).astype(float)
    formula = "repaired ~ coded + depth + session + (1 | therapist)"
    fit = fitted_rows(formula, table.assign(coded=coded), "binomial")
    note = "strategies are coded up to the repair: an association, not an effect"
    return _of_episodes(estimate_row(fit, "coded"), 1.0, note)


def _of_episodes(row: Mapping[str, Any], scale: float, note: str = "") -> Estimate:
    """Return the estimate of a model whose rows are episodes."""
    facts = {**row, "n_episodes": row["n_sessions"], "n_sessions": None}
    return from_row(facts, scale, note)


def _types(context: Context) -> pd.DataFrame:
    table = _moderation_table(context, "kind")
    kinds = table["kind"].astype("str")
    table = table.assign(confrontation=(kinds == "confrontation").astype(float))
    return table[kinds.isin(["confrontation", "withdrawal"])]


def _repair_by_type(context: Context) -> Estimate:
    formula = "repaired ~ confrontation + session + (1 | therapist)"
    fit = fitted_rows(formula, _types(context), "binomial")
    return _of_episodes(estimate_row(fit, "confrontation"), 1.0)


def _depth_by_type(context: Context) -> Estimate:
    fit = fitted_rows("depth ~ confrontation + session + (1 | course)", _types(context))
    return _of_episodes(estimate_row(fit, "confrontation"), context.within_sd)


def _next_session(context: Context) -> pd.DataFrame:
    return _rows_of(context, "next_session")


def _interpersonal(context: Context) -> pd.DataFrame:
    return context.interpersonal


#: Estimand of each part of a claim.
ESTIMANDS: dict[tuple[str, str], Callable[[Context], Estimate]] = {
    ("C1", "between"): _between_share,
    ("C1", "within"): _within_share,
    ("C2", "distinct"): _distinct_parts,
    ("C3", "recovered"): _recovered_courses,
    ("C4", "intensity"): _intensity,
    ("C4", "persistence"): _persistence,
    ("C4", "frequency"): _frequency,
    ("C5", "leaving"): _of_model("ending", "main", "open_prev"),
    ("C6", "alliance"): _growth("repaired"),
    ("C6", "outcome"): _of_model("trajectory", "landmark", "time:group[repaired only]", True),
    ("C6", "through_alliance"): _mediated,
    ("C7", "repaired"): of_next_outcome("repaired_within", _next_session, exploratory=True),
    ("C7", "open"): of_next_outcome("open_within", _next_session),
    ("C7", "repaired_against_open"): of_next_outcome(
        REPAIRED_MINUS_OPEN, _next_session, exploratory=True
    ),
    ("C8", "alliance"): _growth("unrepaired"),
    ("C9", "repaired"): of_next_outcome("repaired_within", _interpersonal, exploratory=True),
    ("C9", "open"): of_next_outcome("open_within", _interpersonal),
    ("C10", "disagreement"): _of_model("moderation", "disagreement", "disagreement"),
    ("C10", "noticed"): _of_model("moderation", "noticed", "noticed"),
    ("C11", "repair"): _causes,
    ("C12", "repair"): _strategies,
    ("C13", "repair"): _repair_by_type,
    ("C13", "depth"): _depth_by_type,
}
