"""All that a twin is drawn from, and the drawing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..project.arrays import Floats
from ..project.measures import Measures
from ..simulation.forms import OtherView, SimulatedForm, SimulatedForms
from ..simulation.random_numbers import Draws, Versions
from ..simulation.ratings import SimulatedCourses, make_courses, make_ratings, other_view
from ..simulation.settings import SimulationSettings
from ..simulation.tables import course_table, identifiers
from .covariates import CourseColumns
from .scales import RatedScale

#: Facts of a course that its covariates go with, and the random numbers that carry them.
SHARED = {"level": "alliance course", "length": "sessions", "first_outcome": "outcome course"}


@dataclass(frozen=True)
class Days:
    """How many days lie between neighbouring sessions: quantiles of their distribution."""

    share: tuple[float, ...]
    days: tuple[float, ...]

    def of(self, uniform: Floats) -> Floats:
        """Return whole numbers of days, 1 or more, for numbers between 0 and 1."""
        return np.maximum(np.rint(np.interp(uniform, self.share, self.days)), 1.0)


@dataclass(frozen=True)
class TwinModel:
    """All that a twin is drawn from: numbers that describe the study, and no course of it.

    Attributes
    ----------
    measure : str
        The measure of the alliance whose ruptures are simulated.
    outcome : str or None
    settings : SimulationSettings
    forms : SimulatedForms
        Of the two; that of the therapist is not used.
    views : mapping of str to (OtherView, SimulatedForm)
        Further measures that are rated at sessions.
    scales : mapping of str to RatedScale
    same : mapping of str to str
        Measures that are the same scores as another one -> the other one.
    columns : CourseColumns
    days : Days or None
        Where sessions are known by day.
    therapists, endings : bool
        Whether the study knows them.
    taken : frozenset of str
        Ids of the study, which no id of the twin may equal.
    """

    measure: str
    outcome: str | None
    settings: SimulationSettings
    forms: SimulatedForms
    views: Mapping[str, tuple[OtherView, SimulatedForm]]
    scales: Mapping[str, RatedScale]
    same: Mapping[str, str]
    columns: CourseColumns
    days: Days | None
    therapists: bool
    endings: bool
    taken: frozenset[str]


@dataclass(frozen=True)
class DrawnTables:
    """A drawn study in canonical form.

    Attributes
    ----------
    sessions, courses : DataFrame
        As in :class:`rupture_repair.project.dataset.Dataset`.
    """

    sessions: pd.DataFrame
    courses: pd.DataFrame


def drawn(model: TwinModel, measures: Measures, seed: int, version: int = 0) -> DrawnTables:
    """Draw the courses of a twin.

    Parameters
    ----------
    model : TwinModel
    measures : mapping of str to Measure
        Of the study; the columns of the twin come in their order.
    seed : int
        Not negative.
    version : int
        Other versions are other courses with the same therapists.

    Returns
    -------
    DrawnTables
        The same for the same seed, everywhere.
    """
    draws, s = Versions(seed, version), model.settings
    made = make_courses(draws, s)
    ids = _unlike("W", s.n_courses, model.taken)
    course, column = np.nonzero(made.held)
    table: dict[str, object] = {"course": ids[course], "client": ids[course]}
    therapist = pd.Series(pd.NA, range(s.n_courses), dtype="str")
    if model.therapists:
        therapist = pd.Series(_unlike("V", s.n_therapists, model.taken)[made.therapist])
    table["therapist"] = therapist.to_numpy()[course]
    table["session"] = (column + 1).astype(np.int32)
    table["day"] = np.nan
    if model.days is not None:
        table["session"], table["day"] = _by_days(draws, model.days, course)
    marks = _marks(draws, model, made)
    for name in measures:
        if name in model.scales:
            table |= model.scales[name].given(marks[name][course, column])
    for name, other in model.same.items():
        for column_of in [other, *model.scales[other].items]:
            table[name + column_of.removeprefix(other)] = table[column_of]
    told = course_table(draws, s, ids, made)
    courses = pd.DataFrame({"course": ids, "client": ids, "therapist": therapist})
    if model.endings:
        courses["ending"] = told["ending_reason"].to_numpy()
    shared = [draws.normal(stream, s.n_courses) for stream in SHARED.values()]
    further = model.columns.drawn(draws, np.column_stack(shared))
    return DrawnTables(pd.DataFrame(table), courses.join(further))


def _marks(draws: Draws, model: TwinModel, made: SimulatedCourses) -> dict[str, Floats]:
    """Return the marks of every measure, arrays of shape (courses, sessions, items)."""
    s = model.settings
    ratings = make_ratings(draws, s, made, therapists_view=False, forms=model.forms)
    found = {model.measure: ratings.alliance}
    if model.outcome is not None:
        found[model.outcome] = ratings.outcome
    for name, (view, form) in model.views.items():
        found[name] = other_view(draws, s, made, view, form, f"view {name}")
    return found


def _by_days(draws: Draws, days: Days, course: np.ndarray) -> tuple[np.ndarray, Floats]:
    """Return the numbers of the sessions that were held, and on which day each was."""
    first = np.diff(course, prepend=-1) > 0
    gap = np.where(first, 0.0, days.of(ndtr(draws.normal("days", len(course)))))
    start = np.flatnonzero(first)
    passed = np.cumsum(gap)
    number = np.arange(len(course)) - np.repeat(start, np.diff(np.append(start, len(course)))) + 1
    return number.astype(np.int32), passed - passed[start][np.cumsum(first) - 1]


def _unlike(letter: str, number: int, taken: frozenset[str]) -> np.ndarray:
    """Return ids of which the study has none."""
    while True:
        ids = identifiers(letter, number, 3)
        if taken.isdisjoint(ids):
            return ids
        letter += "X"
