"""From a study to the model of its twin."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..ingest.described_measures import DescribedMeasure
from ..power.from_dataset import fitted
from ..project.dataset import Dataset
from ..project.problems import ProblemsFound
from ..project.setting_groups import Settings
from ..simulation.forms import OtherView, SimulatedForm, SimulatedForms
from ..simulation.settings import SimulationSettings
from . import covariates
from .described import Yardstick, described
from .matching import matched
from .model import Days, TwinModel
from .scales import RatedScale, same_scores, scale_of
from .sums import Ruler

#: Share of courses or gaps at which the distribution of days is kept.
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def fit(dataset: Dataset, by: Ruler, told: Mapping[str, DescribedMeasure], seed: int) -> TwinModel:
    """Fit the model of the twin of a study.

    Parameters
    ----------
    dataset : Dataset
    by : Ruler
        Its measure has a known range. Episodes of its headline are matched.
    told : mapping of str to DescribedMeasure
        From :func:`.scales.described_by`.
    seed : int
        Not negative.
    """
    same = same_scores(dataset.sessions, dataset.measures)
    scales = {
        name: scale_of(one, told[name], dataset.sessions)
        for name, one in dataset.measures.items()
        if one.per_session and name not in same and dataset.sessions[name].notna().any()
    }
    outcome = by.outcome if by.outcome in scales and by.outcome != by.measure else None
    yardstick = Yardstick(
        by.measure, outcome, dataset.measures, scales, by.headline, by.settings.edge_rules,
        by.exposure,
    )  # fmt: skip
    goal = described(dataset.sessions, dataset.courses, yardstick)
    start = replace(_start(dataset, yardstick, goal, by.settings, seed), same=same)
    return matched(start, yardstick, goal, seed)


def _start(
    dataset: Dataset, by: Yardstick, goal: Mapping[str, float], settings: Settings, seed: int
) -> TwinModel:
    """Return the model with values to start from."""
    courses = dataset.courses
    try:
        base = fitted(dataset, by.measure, by.outcome, seed=seed)
    except ProblemsFound:  # no model of the outcome: what follows moves its values all the same
        base = fitted(dataset, by.measure, None, seed=seed)
    therapists = int(courses["therapist"].nunique())
    ending = courses.get("ending", pd.Series(dtype="str")).astype("str")
    endings = bool(ending.isin(["completed", "dropped_out", "ongoing"]).any())
    s = SimulationSettings(
        **{
            "repair_noticed": 0.0, "repair_strategy": 0.0, "repair_confrontation": 0.0,
            "confrontation_depth": 1.0, **base.world, "n_courses": len(courses),
            "n_therapists": max(1, therapists), "effect_open": 0.0, "effect_repaired": 0.0,
            "outcome_alliance": 0.0, "growth_alliance": 0.0, "leave_open": 0.0,
            "ongoing": goal["ongoing"], "ending_unknown": goal["unknown"],
            "skipped": float(np.clip(goal["skipped"], 0.0, 0.9)),
        }
    )  # fmt: skip
    if not (ending == "dropped_out").any():
        s = SimulationSettings(**{**vars(s), "leave_log_odds": -50.0})
    forms = {name: _form(scale, goal, s) for name, scale in by.scales.items()}
    main = forms[by.measure]
    views = {
        name: (_view(name, goal, dataset), form)
        for name, form in forms.items()
        if name not in (by.measure, by.outcome)
    }
    return TwinModel(
        measure=by.measure,
        outcome=by.outcome,
        settings=s,
        forms=SimulatedForms(main, main, forms.get(by.outcome or "", main)),
        views=views,
        scales=by.scales,
        same={},
        columns=_columns(dataset, by, settings),
        days=_days(dataset.sessions),
        therapists=therapists > 0,
        endings=endings,
        taken=_ids(dataset),
    )


def _form(scale: RatedScale, goal: Mapping[str, float], s: SimulationSettings) -> SimulatedForm:
    """Return the form of a measure; hidden items have no means of their own."""
    name, count = scale.measure, len(scale.most)
    means = tuple(goal.get(f"{name}.item_{at}", 0.0) for at in range(count))
    # Deviations from the share of the total vary less than those that make it.
    rest = np.sqrt(1 - 1 / count) if count > 1 else 1.0
    sds = [float(np.exp(goal.get(f"{name}.{key}", np.log(0.16)) / 2) / rest)
           for key in ("lasting", "momentary")]  # fmt: skip
    return SimulatedForm(
        most=scale.most, means=means, marks_per_point=scale.marks_per_point, lasting=sds[0],
        momentary=sds[1], carry=float(np.clip(goal[f"{name}.carry"], 0.0, 0.9)),
        unrated=goal[f"{name}.unrated"],
        missing_item=goal[f"{name}.missing_item"] if scale.items else 0.0,
    )  # fmt: skip


def _view(name: str, goal: Mapping[str, float], dataset: Dataset) -> OtherView:
    """Return how another measure sees the same courses."""
    seen = 0.35 if dataset.measures[name].role == "alliance" else 0.0
    within = float(np.exp(goal[f"{name}.within"] / 2))
    spread = float(np.sqrt(max(goal[f"{name}.spread"], 0.01)))
    trend = goal[f"{name}.trend"]
    return OtherView(
        goal[f"{name}.level"] - trend * 5, spread, 0.0, within, trend, 0.05,
        float(np.clip(goal[f"{name}.levels"], -0.9, 0.9)),
        float(np.clip(goal[f"{name}.together"], -0.9, 0.9)), seen, seen,
    )  # fmt: skip


def _columns(dataset: Dataset, by: Yardstick, settings: Settings) -> covariates.CourseColumns:
    """Fit the columns of the table of courses: covariates, and scores before and after."""
    courses, measures = dataset.courses, dataset.measures
    per_course = [f"{name}__{end}" for name, one in measures.items() if not one.per_session
                  for end in ("first", "last")]  # fmt: skip
    known = {"course", "client", "therapist", "ending"}
    names = [name for name in courses if name not in known and not name.endswith(
        ("__first", "__last"))]  # fmt: skip
    own = courses["course"].astype("str")
    by_course = dataset.sessions.groupby(dataset.sessions["course"].astype("str"))
    shared: dict[str, Any] = {
        "level": by_course[by.measure].mean() * measures[by.measure].sign,
        "length": by_course["session"].max(),
        "first_outcome": (
            by_course[by.outcome].first() * measures[by.outcome].sign
            if by.outcome else by_course["session"].max() * np.nan
        ),
    }  # fmt: skip
    table = pd.DataFrame({name: own.map(one) for name, one in shared.items()})
    return covariates.fit(
        courses.reset_index(drop=True), [*names, *per_course], table, settings.report.min_cell
    )


def _days(sessions: pd.DataFrame) -> Days | None:
    """Return how many days lie between sessions, where they are known by day."""
    gap = sessions["day"].diff()[sessions["course"].eq(sessions["course"].shift())].dropna()
    if gap.empty:
        return None
    return Days(_SHARES, tuple(float(one) for one in gap.quantile(list(_SHARES))))


def _ids(dataset: Dataset) -> frozenset[str]:
    """Return every id of the study."""
    tables = (dataset.sessions, dataset.courses)
    return frozenset(
        str(one)
        for table in tables
        for name in ("course", "client", "therapist")
        for one in table[name].dropna().unique()
    )
