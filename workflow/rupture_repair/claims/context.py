"""What the estimates of claims are computed from, and the form in which they are returned."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..exposure.courses import course_exposures
from ..exposure.episodes import moderator_exposures
from ..exposure.sessions import session_exposures
from ..exposure.shared import same_scores, turned
from ..models.definitions import MODELS, PROBABLE_CRITERION, SAME_SCORES
from ..models.evidence import no_evidence
from ..models.probable import Probabilities, fit_probable
from ..project.dataset import Dataset, Detected
from ..project.reasons import because
from ..project.setting_groups import ExposureRules
from ..statistics import estimates
from ..statistics.no_result import NotAssessable

#: Draws of the bootstrap.
DRAWS = 1000


@dataclass(frozen=True)
class Context:
    """A dataset, and what was found in it of one measure by one criterion.

    Attributes
    ----------
    measure, outcome, criterion : str
    dataset : Dataset
    detected : Detected
        Of this measure and criterion only.
    estimates, chance : DataFrame
        The tables estimates and chance_courses, those of one measure and criterion only.
    rules : ExposureRules
    seed : int
        Of everything random.
    probabilities : Probabilities, optional
        What the hidden Markov models say.
    """

    measure: str
    outcome: str | None
    criterion: str
    dataset: Dataset
    detected: Detected
    estimates: pd.DataFrame
    chance: pd.DataFrame
    rules: ExposureRules
    seed: int
    probabilities: Probabilities | None = None

    @cached_property
    def moderation(self) -> tuple[pd.DataFrame, dict[str, str]]:
        """Episodes whose repair is known, with what may moderate it, every code by itself."""
        return moderator_exposures(self.detected.episodes, self.dataset, self.measure, least=1)

    @cached_property
    def interpersonal(self) -> pd.DataFrame:
        """Rows of the model next_session of the interpersonal component, by `variant`.

        The variants that statements rest on.
        """
        outcome = self.session_outcome()
        name = f"{outcome}__interpersonal"
        if name not in self.dataset.sessions:
            raise NotAssessable("the outcome has no interpersonal component")
        measures = self.dataset.measures
        dataset = replace(self.dataset, measures={**measures, name: measures[outcome]})
        table = session_exposures(self.detected.states, dataset, self.measure, name, self.rules)
        if table.empty:
            raise NotAssessable("there are no rows to analyse")
        model, said = MODELS["next_session"], self.probabilities
        variant = model.variants[model.rests_on]
        fits = {model.rests_on: estimates.fit(variant.formula, table, ar1=variant.ar1)}
        if said and self.criterion == PROBABLE_CRITERION and said.identified(self.measure):
            chosen = {name: model.variants[name] for name in model.must_agree}
            fits |= fit_probable(chosen, table, dataset, self.measure, said)
        return pd.concat([fit.terms.assign(variant=name) for name, fit in fits.items()])

    @cached_property
    def within_sd(self) -> float:
        """Pooled SD of ratings around their course's mean."""
        ratings = turned(self.dataset.sessions, self.dataset.measures, self.measure)
        by = ratings.groupby("course")["value"]
        squares = float(((ratings["value"] - by.transform("mean")) ** 2).sum())
        return float(np.sqrt(squares / max(len(ratings) - by.ngroups, 1)))

    @cached_property
    def course_table(self) -> pd.DataFrame:
        """Episodes and outcome of whole courses."""
        if self.outcome is None:
            raise NotAssessable("no outcome measure is paired with this alliance measure")
        episodes, states = self.detected.episodes, self.detected.states
        return course_exposures(episodes, states, self.dataset, self.measure, self.outcome)

    @cached_property
    def no_evidence(self) -> str | None:
        """Why no verdict on the alliance can be given, None where one can."""
        return no_evidence(self.dataset, self.measure)

    @cached_property
    def _same_scores(self) -> bool:
        return same_scores(self.dataset.sessions, self.measure, str(self.outcome))

    def session_outcome(self) -> str:
        """Return the outcome measure if it is rated at sessions."""
        if self.outcome is None:
            raise NotAssessable("no outcome measure is paired with this alliance measure")
        if self.outcome not in self.dataset.sessions:
            raise NotAssessable(because("not_measured", outcome=self.outcome))
        if self._same_scores:
            raise NotAssessable(SAME_SCORES)
        return self.outcome

    def cluster(self, course: pd.Series) -> np.ndarray:
        """Return what a bootstrap draws anew: the therapist of each course, else the course."""
        courses = self.dataset.courses.set_index("course")
        therapist = course.map(courses.get("therapist", pd.Series()))
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
    n_with_episode: int | None = None  # of the courses, where the estimate is a share of them
    # Others that must say the same, by the reason that each is named in.
    others: Mapping[str, "Estimate"] = field(default_factory=dict)
    caveat: str = ""  # what belongs to the verdict
    p: float = np.nan  # of the test against zero, where it comes from a model

    @property
    def scaled(self) -> "Estimate":
        """The same in the units of the claim."""
        ends = (self.estimate, self.ci_low, self.ci_high)
        estimate, low, high = (float(end) / self.scale for end in ends)
        return replace(self, estimate=estimate, ci_low=low, ci_high=high, scale=1.0)


def fitted_rows(
    formula: str, table: pd.DataFrame, family: str = "gaussian"
) -> estimates.FormulaFit:
    """Fit a model that must have a result."""
    if table.empty:
        raise NotAssessable("there are no rows to analyse")
    fit = estimates.fit(formula, table, family=family)
    if fit.status not in ("converged", "singular"):
        raise NotAssessable(fit.message)
    return fit


def estimate_row(fit: estimates.FormulaFit, term: str) -> dict[str, Any]:
    """Return the row of a term of a fit."""
    row = fit.row(term)
    if row is None:
        raise NotAssessable(because("nothing_to_compare", term=term, reason=fit.message))
    return row


def row_of(rows: pd.DataFrame, model: str, variant: str, term: str) -> pd.Series:
    """Return the row of a term among the estimates of the variants of a model."""
    rows = rows[rows["variant"] == variant]
    if rows.empty:
        raise NotAssessable(because("not_fitted_here", model=model, variant=variant))
    said = because("of_model", model=model, variant=variant, reason=rows["message"].iloc[0])
    if not rows["status"].isin(["converged", "singular"]).all():
        raise NotAssessable(said)
    row = rows[rows["term"] == term]
    if row.empty and MODELS[model].variants[variant].view and rows["message"].iloc[0]:
        raise NotAssessable(said)  # it was left out, and the message says why
    if row.empty:
        raise NotAssessable(because("no_such_term", model=model, variant=variant, term=term))
    return row.iloc[0]


def from_row(row: Mapping[str, Any], scale: float, note: str = "") -> Estimate:
    """Return the estimate in a row of a table of estimates."""

    def count(name: str) -> int | None:
        return None if pd.isna(row.get(name)) else int(row[name])

    return Estimate(
        row["estimate"], row["ci_low"], row["ci_high"], row["std_error"], scale,
        count("n_courses"), count("n_sessions"), count("n_episodes"), note,
        p=row.get("p", np.nan),
    )  # fmt: skip
