"""All diagnostics of one model, and of one dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..exposure.sessions import session_exposures
from ..models.definitions import MODELS
from ..project.arrays import Floats
from ..project.content_order import in_order
from ..project.dataset import Dataset, Detected
from ..project.headline import resolved
from ..project.parallel import one_thread
from ..project.reasons import because
from ..project.setting_groups import ExposureRules
from ..statistics.blocks.fit import Fit, fit
from ..statistics.blocks.replicates import draw, of_outcomes
from ..statistics.no_result import NoOptimum, NotAssessable
from .columns import COLUMNS, DIAGNOSTICS, KEYS, MODEL, REPLICATES, VARIANT
from .curves import Curves, held_against
from .ends import ends_of_scale
from .influence import influence


def diagnose(
    dataset: Dataset,
    detected: Detected,
    estimates: pd.DataFrame,
    rules: ExposureRules,
    default_criterion: str,
    seed: int,
    most_courses: int,
) -> pd.DataFrame:
    """Look at the main model of every alliance measure that has an outcome.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
    estimates : DataFrame
        The table of this name.
    rules : ExposureRules
    default_criterion : str
    seed : int
        Of everything random.
    most_courses : int
        Of a larger dataset the model is looked at in so many courses, see
        :meth:`rupture_repair.project.dataset.Dataset.sampled`; the ends of scales in all.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, sorted by measure (as in `detection`) and :data:`DIAGNOSTICS`. The
        criterion is the default one, or, where that is not assessable, the first that is.
        `value` with its interval `low` to `high` is what was found at `x`; `reference` is the mean
        of the same in :data:`REPLICATES` outcomes drawn from the model, 95 % of which lie between
        `reference_low` and `reference_high`; `p` is the share of them that lie at least as far
        from their mean over the whole curve. What
        the rows of each `diagnostic` hold is explained in :mod:`rupture_repair.diagnostics`.

        What cannot be assessed is a row without value and with its reason in `message`.
    """
    measures, detection = dataset.measures, detected.detection
    sample, tables = dataset.sampled(most_courses), []
    present = list(dict.fromkeys(detection["measure"].astype("str")))
    for place, measure in enumerate(present):
        outcome = measures[measure].outcome
        if not outcome or outcome not in measures:
            continue
        criterion = criterion_of(detection, measure, default_criterion)
        keys = dict(zip(KEYS, (dataset.name, measure, outcome, criterion), strict=True))
        fits = _fits(estimates, keys)
        reason = _no_model(fits)
        if reason is None:
            states = detected.of(measure, criterion).states
            states = states[states["course"].isin(sample.courses["course"])]
            table = session_exposures(states, sample, measure, outcome, rules)
            numbers = table.select_dtypes("number").drop(columns="session")
            table = table.iloc[in_order(table, list(numbers.to_numpy().T))]
            rows = _of_model(table, fits, [seed, place], measures[str(outcome)].turned_range)
        else:
            rows = pd.DataFrame({"diagnostic": DIAGNOSTICS[:-1], "message": reason})
        ends = [ends_of_scale(dataset.sessions, measures, one) for one in (measure, outcome)]
        tables.append(pd.concat([rows, *ends], ignore_index=True).assign(**keys))
    return _typed(pd.concat(tables, ignore_index=True) if tables else pd.DataFrame())


def criterion_of(detection: pd.DataFrame, measure: str, default: str) -> str:
    """Return the default criterion, or the first assessable one where it is not assessable."""
    rows = detection[detection["measure"].astype("str") == measure]
    usable = list(rows.loc[rows["assessable"].astype(bool), "criterion"].astype("str"))
    default = resolved(default, detection, measure)
    return default if default in usable or not usable else usable[0]


def _fits(estimates: pd.DataFrame, keys: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of estimates of the model looked at, all variants."""
    own = estimates["model"] == MODEL
    for column in ("measure", "criterion"):
        own &= estimates[column].astype("str") == keys[column]
    return estimates[own]


def _no_model(fits: pd.DataFrame) -> str | None:
    """Say why there is no fit to look at, if so."""
    main = fits[fits["variant"] == VARIANT]
    if main.empty:
        return because("not_fitted", model=MODEL)
    first = main.iloc[0]
    if first["status"] not in ("converged", "singular"):
        return because("no_estimates", model=MODEL, reason=first["message"])
    return None


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reindex(columns=list(COLUMNS))
    texts = (*KEYS, "diagnostic", "of", "part", "message")
    types = {column: "str" if column in texts else "float64" for column in COLUMNS}
    return table.astype(types | {"n": "Int64"})


def _of_model(
    table: pd.DataFrame, fits: pd.DataFrame, seed: list[int], ends: tuple[float, float]
) -> pd.DataFrame:
    """Return all diagnostics of the model on its table."""
    try:
        with one_thread():
            found = fit(MODELS[MODEL].formula, table)
            rows = diagnose_measure(found, table, seed, _rested_on(fits, table))
    except (NotAssessable, NoOptimum) as reason:
        return pd.DataFrame({"diagnostic": DIAGNOSTICS[:-1], "message": reason.reason})
    parts = rows.groupby("diagnostic", sort=False)
    autoregressive = fits[(fits["variant"] == "ar1") & fits["rho"].notna()]
    if len(autoregressive):
        rho: dict[str, Any] = {"value": autoregressive["rho"].iloc[0]}
    else:
        rho = {"message": "there is no fit with autocorrelated residuals"}
    outside = (found.fitted() < ends[0]) | (found.fitted() > ends[1])
    beyond = {"of": "fitted", "part": "beyond the scale", "n": len(outside)}
    added = {
        "rho": pd.DataFrame([rho | {"diagnostic": "rho"}]),
        "ends": pd.DataFrame([beyond | {"diagnostic": "ends", "value": outside.mean()}]),
    }
    every = {str(name): part for name, part in parts} | added
    return pd.concat([every[name] for name in DIAGNOSTICS if name in every], ignore_index=True)


def _rested_on(fits: pd.DataFrame, table: pd.DataFrame) -> Fit | None:
    """Return the fit that statements rest on, None where there is no result by it."""
    model = MODELS[MODEL]
    variant = model.variants[model.rests_on]
    if not fits.loc[fits["variant"] == model.rests_on, "estimate"].notna().any():
        return None
    return fit(variant.formula, table, ar1=variant.ar1)


def diagnose_measure(
    found: Fit,
    table: pd.DataFrame,
    seed: int | list[int],
    rested_on: Fit | None = None,
) -> pd.DataFrame:
    """Return the diagnostics of a fitted model that need no other table.

    Parameters
    ----------
    found : lmm.Fit
        With independent residuals.
    table : DataFrame
        The table that was fitted, with `course` and the session number of the outcome,
        `session_next`; `therapist` where there are some.
    seed : int or list of int
    rested_on : lmm.Fit, optional
        The fit of the same rows that statements rest on, whose influential parts are looked for;
        by default `found`.

    Returns
    -------
    DataFrame
        Columns of :data:`COLUMNS` from `diagnostic` on, as :func:`diagnose`: residual, mean,
        spread, time, quantiles, shape, autocorrelation, influence.
    """
    analysed = table.iloc[found.design.rows]
    curves = Curves(found, analysed)
    observed = curves.of(of_outcomes(found, found.design.outcome[:, None]))
    drawn: dict[str, list[Floats]] = {name: [] for name in observed}
    for replicates in draw(found, REPLICATES, seed):
        for name, values in curves.of(replicates).items():
            drawn[name].append(values)
    rows = [curves.points(seed)]
    for name, values in observed.items():
        against = held_against(values[:, 0], np.hstack(drawn[name]))
        rows.append(curves.frames[name].assign(value=values[:, 0], **against))
    rows += [pd.DataFrame(curves.missing), influence(rested_on or found, analysed, seed)]
    result = pd.concat([part for part in rows if len(part)], ignore_index=True)
    place = result["diagnostic"].map(DIAGNOSTICS.index)
    lag = result["x"].where(result["diagnostic"] == "autocorrelation", 0.0)
    return result.iloc[np.lexsort([lag, place])].reset_index(drop=True)
