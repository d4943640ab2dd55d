"""What the estimates of claims are computed from, and the form in which they are returned."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..exposure.courses import course_exposures
from ..exposure.episodes import moderator_exposures
from ..exposure.sessions import session_exposures
from ..exposure.shared import same_scores, turned
from ..models.definitions import MODELS
from ..project.measures import Measures
from ..project.setting_groups import ExposureRules
from ..statistics import estimates
from ..statistics.no_result import NotAssessable

#: Draws of the bootstrap.
DRAWS = 1000


@dataclass(frozen=True)
class Context:
    """The tables of one dataset, for one measure and criterion.

    Attributes
    ----------
    measure, outcome, criterion : str
    sessions, courses, events : DataFrame
        Canonical tables.
    measures : mapping of str to Measure
    rules : ExposureRules
    seed : int
        Of everything random.
    states, episodes, detection, estimates, chance : DataFrame
        The tables of these names, those of one measure and criterion only.
    """

    measure: str
    outcome: str | None
    criterion: str
    sessions: pd.DataFrame
    courses: pd.DataFrame
    events: pd.DataFrame
    measures: Measures
    rules: ExposureRules
    seed: int
    states: pd.DataFrame
    episodes: pd.DataFrame
    detection: pd.Series
    estimates: pd.DataFrame
    chance: pd.DataFrame

    @cached_property
    def moderation(self) -> tuple[pd.DataFrame, dict[str, str]]:
        """Episodes whose repair is known, with what may moderate it, every code by itself."""
        events = self.events if len(self.events) else None
        return moderator_exposures(
            self.episodes, self.sessions, self.courses, events, self.measures, self.measure, 1
        )

    @cached_property
    def interpersonal(self) -> estimates.Fit:
        """The model next_session of the interpersonal component of the outcome."""
        outcome = self.session_outcome()
        name = f"{outcome}__interpersonal"
        if name not in self.sessions:
            raise NotAssessable("the outcome has no interpersonal component")
        measures = {**self.measures, name: self.measures[outcome]}
        table = session_exposures(
            self.states, self.sessions, self.courses, measures, self.measure, name, self.rules
        )
        model = MODELS["next_session"]
        variant = model.variants[model.rests_on]
        return fitted_rows(variant.formula, table, ar1=variant.ar1)

    @cached_property
    def within_sd(self) -> float:
        """Pooled SD of ratings around their course's mean."""
        ratings = turned(self.sessions, self.measures, self.measure)
        by = ratings.groupby("course")["value"]
        squares = float(((ratings["value"] - by.transform("mean")) ** 2).sum())
        return float(np.sqrt(squares / max(len(ratings) - by.ngroups, 1)))

    @cached_property
    def course_table(self) -> pd.DataFrame:
        """Episodes and outcome of whole courses."""
        if self.outcome is None:
            raise NotAssessable("no outcome measure is paired with this alliance measure")
        return course_exposures(
            self.episodes, self.states, self.sessions, self.courses, self.measures, self.measure,
            self.outcome,
        )  # fmt: skip

    @cached_property
    def _same_scores(self) -> bool:
        return same_scores(self.sessions, self.measure, str(self.outcome))

    def session_outcome(self) -> str:
        """Return the outcome measure if it is rated at sessions."""
        if self.outcome is None:
            raise NotAssessable("no outcome measure is paired with this alliance measure")
        if self.outcome not in self.sessions:
            raise NotAssessable(f"{self.outcome} is not measured at sessions")
        if self._same_scores:
            raise NotAssessable(
                "rating and outcome are the same scores: an association is built in"
            )
        return self.outcome

    def cluster(self, course: pd.Series) -> np.ndarray:
        """Return what a bootstrap draws anew: the therapist of each course, else the course."""
        therapist = course.map(self.courses.set_index("course").get("therapist", pd.Series()))
        by = course if therapist.isna().any() or therapist.nunique() < 5 else therapist
        return pd.factorize(by)[0]


@dataclass(frozen=True)
class Estimate:
    """An estimate with its interval; numbers that it rests on; what has to be said."""

    estimate: float
    ci_low: float
    ci_high: float
    std_error: float = np.nan
    scale: float = 1.0  # one unit of the claim, in the units of the estimate
    n_courses: int | None = None
    n_sessions: int | None = None
    n_episodes: int | None = None
    note: str = ""
    biased: int = 0  # -1: chance alone makes the estimate too low


def fitted_rows(
    formula: str, table: pd.DataFrame, family: str = "gaussian", ar1: str | None = None
) -> estimates.Fit:
    """Fit a model that must have a result."""
    if table.empty:
        raise NotAssessable("there are no rows to analyse")
    fit = estimates.fit(formula, table, family=family, ar1=ar1)
    if fit.status not in ("converged", "singular"):
        raise NotAssessable(fit.message)
    return fit


def estimate_row(fit: estimates.Fit, term: str) -> dict[str, Any]:
    """Return the row of a term of a fit."""
    row = fit.row(term)
    if row is None:
        raise NotAssessable(f"no {term} to compare: {fit.message}")
    return row
