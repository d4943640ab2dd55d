"""The world of a processed dataset, as settings of the simulation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from ..chance.replicates import prepare
from ..detection.courses import Courses
from ..detection.hidden_markov import rupture_probability
from ..detection.ratings import arrange
from ..ingest import ingest
from ..project.dataset import Dataset
from ..project.headline import what_to_show
from ..project.measures import Measure
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.reasons import in_full
from ..project.setting_groups import Settings
from ..simulation.forms import HIGHEST, OUTCOME_COMPONENTS, OUTCOME_ITEM_SD
from ..simulation.settings import REPAIR_WINDOW, SimulationSettings
from ..statistics import estimates
from .plan import Base

#: Where processed datasets are.
PROCESSED = Path("data/processed")

#: Ends of the simulated scale; ratings of other scales are mapped onto it.
LOW, HIGH = 0.0, HIGHEST

#: Share of courses that may be longer than the longest simulated one.
_TAIL = 0.02


def base_of(name: str, settings: Settings, root: Path = Path()) -> Base:
    """Return the world of a processed dataset without any effect.

    Both measures are turned so that higher is better and mapped linearly from their range onto
    0 to 40. Fitted are: numbers of sessions and their spread, sessions skipped and forms blank,
    the hazard of leaving, courses per therapist; level, spread, trend, fluctuation and
    autocorrelation of the alliance, how often ruptures come, how deep they are and how often they
    are repaired (by the hidden Markov model, where it finds ruptures; else ruptures are as stated,
    and the alliance is that of the model of the noise); level, growth, spread and fluctuation of
    the outcome (by a mixed model with autocorrelated residuals). All allow for the ends of the
    scale, except the last.

    Parameters
    ----------
    name : str
        The dataset.
    settings : Settings
    root : Path
        The folder of the project.

    Returns
    -------
    Base

    Raises
    ------
    ProblemsFound
        If the dataset was not built (E701), or cannot be simulated (E809).
    """
    folder = root / PROCESSED / name
    built = sorted(path.parent.name for path in (root / PROCESSED).glob("*/detection.parquet"))
    if name not in built:
        hint, allowed = did_you_mean(name, built), listing(built, 40)
        facts: dict[str, Any] = {"folder": PROCESSED.as_posix(), "hint": hint, "allowed": allowed}
        raise ProblemsFound([problem("E701", found=name, **facts)])
    dataset = ingest.load(folder)
    detection = pd.read_parquet(folder / "detection.parquet")
    measure, _ = what_to_show(detection, dataset.measures, settings.default_criterion)
    outcome = dataset.measures[measure].outcome
    _check(name, dataset, measure, outcome)
    return fitted(dataset, measure, str(outcome), seed=settings.seed)


def _check(name: str, dataset: Dataset, measure: str, outcome: str | None) -> None:
    """Raise where a dataset cannot be simulated."""
    measures = dataset.measures
    why = None
    if outcome is None or outcome not in dataset.sessions:
        why = "no outcome is rated at its sessions"
    elif measures[measure].range is None or measures[outcome].range is None:
        why = "the range of a scale is not known"
    elif dataset.sessions[measure].notna().sum() < rupture_probability.FEWEST_RATINGS:
        why = f"it has fewer than {rupture_probability.FEWEST_RATINGS} ratings of {measure}"
    elif dataset.courses["course"].nunique() < 10:
        why = "it has fewer than 10 courses"
    if why is not None:
        raise ProblemsFound([problem("E809", found=name, why=why)])


def fitted(dataset: Dataset, measure: str, outcome: str | None, *, seed: int) -> Base:
    """Return the settings of the simulation that resemble a dataset.

    Parameters
    ----------
    dataset : Dataset
    measure : str
    outcome : str or None
        Both of level session, with known range. Without an outcome its values are those of the
        demo.
    seed : int
        Of the sampler of the noise model.

    Returns
    -------
    Base

    Raises
    ------
    ProblemsFound
        If the model of the outcome has no result (E809).
    """
    measures = dataset.measures
    named = {"alliance": measure} | ({"outcome": outcome} if outcome else {})
    tables = dataset.sessions.assign(
        **{key: _mapped(dataset.sessions[name], measures[name]) for key, name in named.items()}
    )
    on_scale = replace(measures[measure], range=(LOW, HIGH), better="higher", components=())
    ratings = arrange(tables, "alliance", on_scale)
    values, unknown = _courses(tables, dataset.courses)
    values |= _alliance(ratings, on_scale, seed)
    ruptures, why = _ruptures(ratings.courses)
    values |= ruptures
    values |= _outcome(tables, dataset.courses, dataset.name) if outcome else {}
    notes = [*unknown, *([f"ruptures as stated: {why}"] if why else [])]
    said = f"fitted to the dataset {dataset.name} ({', '.join(named.values())})"
    reliability = measures[measure].reliability
    same_scale = measures[measure].range == (LOW, HIGH)
    return Base(
        _possible(values),
        "; ".join([said, *notes]),
        _per_therapist(dataset.courses),
        None if reliability is None else float(reliability.value),
        measures[measure].instrument if same_scale else None,
    )


def _mapped(rating: pd.Series, measure: Measure) -> pd.Series:
    """Return ratings turned so that higher is better, on the scale of the simulation."""
    low, high = measure.range or (LOW, HIGH)
    share = (rating.astype("float64") - low) / (high - low)
    return HIGH * (1 - share if measure.better == "lower" else share)


def _courses(tables: pd.DataFrame, courses: pd.DataFrame) -> tuple[dict[str, Any], list[str]]:
    """Return numbers of sessions, what is missing, and who leaves."""
    last = tables.groupby("course", observed=True)["session"].max()
    held = len(tables)
    between = int(last.sum()) - 2 * len(last)
    logs = np.log(last)
    rated = tables[[name for name in ("alliance", "outcome") if name in tables]].notna().to_numpy()
    values: dict[str, Any] = {
        "median_sessions": float(np.exp(logs.mean())),
        "sessions_sigma": float(logs.std(ddof=1)),
        "min_sessions": int(max(1, last.quantile(_TAIL))),
        "max_sessions": int(max(4, last.quantile(1 - _TAIL))),
        "skipped": float((int(last.sum()) - held) / max(between, 1)),
        "unrated": float(1 - rated.mean()),
        "missing_item": 0.0,
    }
    ending = courses.get("ending", pd.Series(dtype="str")).astype("str")
    known = ending.isin(["completed", "dropped_out", "ongoing"])
    if not (ending == "dropped_out").any():
        return values, ["leaving as stated: no course is known to have been dropped out of"]
    at_risk = last[courses.loc[known, "course"].astype("str")] - values["min_sessions"]
    hazard = int((ending == "dropped_out").sum()) / max(float(at_risk.clip(lower=1).sum()), 1.0)
    # Leaving shortens courses: the planned number lies above the number held.
    stretch = float(
        np.exp(logs[courses.loc[ending != "dropped_out", "course"].astype("str")].mean())
    )
    values["median_sessions"] = max(values["median_sessions"], stretch)
    values["leave_log_odds"] = float(logit(np.clip(hazard, 1e-4, 0.5)))
    values["ending_unknown"] = float(1 - known.mean())
    values["ongoing"] = float((ending == "ongoing").sum() / max((known).sum(), 1))
    return values, []


def _alliance(ratings: Any, measure: Measure, seed: int) -> dict[str, Any]:
    """Return level, spread, trend, fluctuation and autocorrelation of the alliance."""
    noise = prepare(ratings, "alliance", measure, seed=seed).noise
    centre = float(ratings.courses.session.mean())
    ordinary = noise.ordinary
    level, slope = ordinary.level, ordinary.trend
    # Of one or two courses it is not known how courses differ.
    level_sd, slope_sd = (
        float(np.sqrt(value)) if np.isfinite(value) else 0.0
        for value in (ordinary.level_variance, ordinary.trend_variance)
    )
    return {
        # As if level and trend were independent at the first session.
        **_level(level, slope, _independent_at_first(level_sd, slope_sd, centre), centre),
        "alliance_sd_therapist": 0.0,
        "alliance_sd_within": noise.sd_quantile(0.5),
        "volatility_sigma": noise.volatility,
        "autocorrelation": ordinary.carry,
    }


def _independent_at_first(level_sd: float, trend_sd: float, centre: float) -> np.ndarray:
    """Return the covariance at a central session of what is independent at the first."""
    shared = (centre - 1) * trend_sd**2
    return np.array([[level_sd**2, shared], [shared, trend_sd**2]])


def _level(level: float, trend: float, covariance: np.ndarray, centre: float) -> dict[str, Any]:
    """Return level and trend counted from the first session, given those at a central one."""
    back = np.array([1.0, 1.0 - centre])
    spread = max(float(back @ covariance @ back), 0.01)
    return {
        "alliance_level": float(level - trend * (centre - 1)),
        "alliance_sd_course": float(np.sqrt(spread)),
        "alliance_trend": float(trend),
        "alliance_trend_sd": float(np.sqrt(covariance[1, 1])),
    }


def _ruptures(courses: Courses) -> tuple[dict[str, Any], str]:
    """Return how often ruptures come, how deep, how often repaired, and the noise next to them.

    Or nothing, and why that is not known.
    """
    step = rupture_probability.smallest_step(courses)
    model = rupture_probability.fit(courses, low=LOW, high=HIGH, step=step)
    if not model.identified:
        return {}, in_full(model.message)
    found = model.parameters
    # The noise without the ruptures: that of the other model holds them as well.
    calm = _level(found.level, found.trend, np.asarray(found.covariance), model.centre)
    calm |= {
        "alliance_sd_within": float(found.noise_sd),
        "volatility_sigma": float(found.volatility),
        "autocorrelation": float(np.clip(found.carry, 0.0, 0.95)),
    }
    repaired = found.ended_within(REPAIR_WINDOW)
    # The causes of repair in the simulation do not matter here: one chance for all.
    same = dict.fromkeys(("repair_noticed", "repair_strategy", "repair_confrontation"), 0.0)
    depth = float(np.clip(found.depth, 0.5, 30.0))
    return {
        **calm,
        "rupture_rate": float(np.clip(found.onset, 1e-4, 0.5)),
        "depth": depth,
        "depth_sigma": float(found.depth_spread),
        "depth_min": depth / 4,
        "depth_max": float(min(4 * depth, HIGH)),
        "confrontation_depth": 1.0,
        "repair_log_odds": float(logit(np.clip(repaired, 0.01, 0.99))),
        **same,
    }, ""


def _outcome(tables: pd.DataFrame, courses: pd.DataFrame, name: str) -> dict[str, Any]:
    """Return level, growth, spread and fluctuation of the outcome."""
    rows = tables[["course", "session", "outcome"]].dropna().astype({"course": "str"})
    rows["time"] = rows["session"] - 1.0
    therapist = courses.set_index(courses["course"].astype("str"))["therapist"]
    rows["therapist"] = rows["course"].map(therapist)
    found = estimates.fit(
        "outcome ~ time + (1 + time | course) + (1 | therapist)", rows, ar1="session"
    )
    if found.rows["term"] == [None]:
        why = f"the model of its outcome has no result ({in_full(found.message)})"
        raise ProblemsFound([problem("E809", found=name, why=why)])

    def sd(component: str) -> float:
        return float(np.sqrt(max(found.rows.get(component) or 0.0, 0.0)))

    level, growth = found.rows["estimate"][:2]
    momentary = len(OUTCOME_COMPONENTS) * OUTCOME_ITEM_SD[1] ** 2
    return {
        "outcome_start": float(level),
        "outcome_growth": float(growth),
        "outcome_sd_course": sd("var_course"),
        "outcome_growth_sd": sd("var_course_slope"),
        "outcome_sd_therapist": sd("var_therapist"),
        # The simulated items add momentary deviations of their own.
        "outcome_sd_within": float(np.sqrt(max(sd("var_residual") ** 2 - momentary, 0.01))),
    }


def _per_therapist(courses: pd.DataFrame) -> float | None:
    """Return how many courses a therapist has; as many as there are where none is named."""
    number = courses["therapist"].nunique() if "therapist" in courses else 0
    return float(len(courses)) if not number else max(1.0, len(courses) / number)


def _possible(values: dict[str, Any]) -> dict[str, Any]:
    """Return settings within the bounds of the simulation, in its types."""
    shares = {name: float(np.clip(values[name], 0, 1)) for name in ("skipped", "unrated")}
    made = {**values, **shares}
    SimulationSettings(**made)
    return made
