"""One simulated study as canonical tables, without files: quick enough for thousands of them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .events import event_table
from .forms import OUTCOME_COMPONENTS, OUTCOME_ITEM_SD
from .random_numbers import Draws
from .ratings import make_courses, make_ratings
from .ruptures import STATES
from .settings import SimulationSettings
from .tables import course_table, identifiers
from .truth import truth_table

#: Column of the outcome's interpersonal component.
INTERPERSONAL = "outcome__interpersonal"


@dataclass(frozen=True)
class Study:
    """A simulated study.

    Attributes
    ----------
    sessions : DataFrame
        course, client, therapist, session, `alliance` and `outcome` (client; totals in points, NaN
        where not rated): one row per session held, sorted by course and session.
    courses : DataFrame
        course, client, therapist, ending.
    states : DataFrame
        The true states: course, session, state; one row per session number of each course.
    episodes, events : DataFrame
        The true episodes (:func:`.truth.truth_table`) and the coded events
        (:func:`.events.event_table`); empty unless details are asked for.
    """

    sessions: pd.DataFrame
    courses: pd.DataFrame
    states: pd.DataFrame
    episodes: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: pd.DataFrame = field(default_factory=pd.DataFrame)


def simulate_study(settings: SimulationSettings, *, seed: int, details: bool = False) -> Study:
    """Simulate one study.

    Parameters
    ----------
    settings : SimulationSettings
    seed : int
        Not negative.
    details : bool
        Whether true episodes, coded events and :data:`INTERPERSONAL`, a column of the sessions, are
        made as well; the rest is the same.

    Returns
    -------
    Study
        The same ratings, endings and states as :func:`.tables.simulate_dataset` gives for this
        seed, as the pipeline would ingest and name them.
    """
    draws = Draws(seed)
    made = make_courses(draws, settings)
    ratings = make_ratings(draws, settings, made, therapists_view=False)
    ids = identifiers("C", settings.n_courses, 3)
    therapists = identifiers("T", settings.n_therapists, 2)[made.therapist]
    course, column = np.nonzero(made.held)
    sessions = pd.DataFrame(
        {
            "course": ids[course],
            "client": ids[course],
            "therapist": therapists[course],
            "session": column + 1,
            "alliance": ratings.alliance[course, column].sum(axis=1) / 10,
            "outcome": ratings.outcome[course, column].sum(axis=1) / 10,
        }
    )
    endings = course_table(draws, settings, ids, made)["ending_reason"]
    courses = pd.DataFrame(
        {"course": ids, "client": ids, "therapist": therapists, "ending": endings}
    )
    numbers = np.arange(1, made.held.shape[1] + 1)
    course, column = np.nonzero(numbers <= made.length[:, None])
    state = pd.Categorical.from_codes(made.state[course, column], list(STATES))
    states = pd.DataFrame({"course": ids[course], "session": numbers[column], "state": state})
    if not details:
        return Study(sessions, courses, states)
    component = ratings.outcome[..., OUTCOME_COMPONENTS.index("interpersonal")]
    sessions[INTERPERSONAL] = component[made.held] / 10
    events = event_table(draws, settings, ids, made)
    return Study(sessions, courses, states, truth_table(ids, made, ratings), events)


def within_sd_of_outcome(settings: SimulationSettings, *, component: bool = False) -> float:
    """Return the SD of the outcome around a course's own line, without any effect.

    It is the unit of standardised effects: that of the ordinary fluctuation and of the four
    components' momentary deviations, before ratings are cut at the ends of the scale, and without
    what the alliance contributes.

    Parameters
    ----------
    settings : SimulationSettings
    component : bool
        Of a single component in the place of the total.
    """
    items = len(OUTCOME_COMPONENTS)
    parts, share = (1, 1 / items) if component else (items, 1.0)
    momentary = parts * OUTCOME_ITEM_SD[1] ** 2
    return float(np.sqrt((share * settings.outcome_sd_within) ** 2 + momentary))
