"""The simulated courses as tables, named as in the files."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .events import event_table
from .forms import OUTCOME_COMPONENTS
from .random_numbers import Draws
from .ratings import (
    SimulatedCourses,
    SimulatedRatings,
    make_courses,
    make_ratings,
)
from .ruptures import COMPONENTS
from .settings import SimulationSettings
from .truth import truth_of_sessions, truth_table

#: Prefix of the columns in sessions.csv -> items.
FORMS = {"srs": COMPONENTS, "srs_t": COMPONENTS, "ors": OUTCOME_COMPONENTS}
#: Covariates: values and relative frequencies. None of them has an effect.
COVARIATES = {
    "age_group": {"18-29": 6, "30-44": 8, "45-59": 6, "60+": 3},
    "sex": {"female": 15, "male": 9, "diverse": 1},
    "diagnosis_group": {"depressive": 10, "anxiety": 8, "adjustment": 4, "other": 3},
    "previous_therapy": {"no": 6, "yes": 4},
}


def simulate_dataset(
    settings: SimulationSettings | None = None, *, seed: int
) -> dict[str, pd.DataFrame]:
    """Simulate courses with planted ruptures and known effects.

    Parameters
    ----------
    settings : SimulationSettings, optional
        The defaults are those of the demo.
    seed : int
        Not negative. The same seed and settings give the same tables everywhere.

    Returns
    -------
    dict of DataFrame
        - ``sessions``: client_id, therapist_id, session_no, then the items and the total of
          ``srs_`` (client, end of session), ``srs_t_`` (therapist, end) and ``ors_`` (client,
          start), in points with one decimal, NaN where blank; one row per session held.
        - ``courses``: client_id, ending_reason (completed, dropped_out, ongoing, unknown),
          age_group, sex, diagnosis_group, previous_therapy.
        - ``events``: course, session, kind (rupture, type, cause, repair), code,
          reporter (client, therapist, observer); with missed, false and wrong entries.
        - ``truth``: one row per planted episode, see :func:`.truth.truth_table`.
        - ``truth_sessions``: one row per session, see :func:`.truth.truth_of_sessions`.

    Raises
    ------
    ProblemsFound
        E602 for a setting or seed that is not possible.

    Notes
    -----
    docs/simulate.md gives the model.

    Examples
    --------
    >>> tables = simulate_dataset(SimulationSettings(n_courses=50, n_therapists=5), seed=1)
    >>> len(tables["courses"])
    50
    """
    settings = settings or SimulationSettings()
    draws = Draws(seed)
    courses = make_courses(draws, settings)
    ratings = make_ratings(draws, settings, courses)
    clients = identifiers("C", settings.n_courses, 3)
    therapists = identifiers("T", settings.n_therapists, 2)[courses.therapist]
    return {
        "sessions": _session_table(clients, therapists, courses, ratings),
        "courses": course_table(draws, settings, clients, courses),
        "events": event_table(draws, settings, clients, courses),
        "truth": truth_table(clients, courses, ratings),
        "truth_sessions": truth_of_sessions(clients, courses, ratings),
    }


def identifiers(letter: str, n: int, width: int) -> NDArray[np.str_]:
    """Return C001, C002, ..., wide enough to sort as text."""
    width = max(width, len(str(n)))
    return np.array([f"{letter}{number:0{width}d}" for number in range(1, n + 1)])


def _session_table(
    clients: NDArray[np.str_],
    therapists: NDArray[np.str_],
    courses: SimulatedCourses,
    ratings: SimulatedRatings,
) -> pd.DataFrame:
    """Return one row per session held, items and totals in points."""
    course, column = np.nonzero(courses.held)
    table = {
        "client_id": clients[course],
        "therapist_id": therapists[course],
        "session_no": column + 1,
    }
    given = (ratings.alliance, ratings.alliance_therapist, ratings.outcome)
    for (form, items), marks in zip(FORMS.items(), given, strict=True):
        rows = marks[course, column]
        table |= {f"{form}_{item}": rows[:, k] / 10 for k, item in enumerate(items)}
        # Summed in whole millimetres, so that the total is exactly the sum of the items.
        table[f"{form}_total"] = rows.sum(axis=1) / 10
    return pd.DataFrame(table)


def course_table(
    draws: Draws, settings: SimulationSettings, clients: NDArray[np.str_], courses: SimulatedCourses
) -> pd.DataFrame:
    """Return one row per course: how it ended, as recorded, and the covariates."""
    n = len(clients)
    ongoing = draws.flag("ongoing", settings.ongoing, n)
    ending = np.where(courses.left, "dropped_out", np.where(ongoing, "ongoing", "completed"))
    unknown = draws.flag("ending unknown", settings.ending_unknown, n)
    table = {"client_id": clients, "ending_reason": np.where(unknown, "unknown", ending)}
    for name, values in COVARIATES.items():
        position = draws.pick(name, np.array(list(values.values())), n)
        table[name] = np.array(list(values))[position]
    return pd.DataFrame(table)
