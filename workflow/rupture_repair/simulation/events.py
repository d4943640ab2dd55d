"""Coded events as people record them: some missed, some false, some with a wrong code."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..project.arrays import Floats, Integers
from .random_numbers import Draws
from .ratings import SimulatedCourses
from .ruptures import CAUSES, STATES, STRATEGIES, TYPES
from .settings import SimulationSettings

KINDS = ("rupture", "type", "cause", "repair")
REPORT = "rupture"


def event_table(
    draws: Draws, settings: SimulationSettings, clients: NDArray[np.str_], courses: SimulatedCourses
) -> pd.DataFrame:
    """Return the coded events, sorted by course, session, kind (in the order of KINDS), reporter.

    A report, the type and the cause belong to the first low session; a strategy to the session
    of the repair, or to the one after the first low session where no repair came.

    Returns
    -------
    DataFrame
        course, session, kind, code, reporter.
    """
    s, episodes = settings, courses.planted
    first = episodes.first_low
    treated = np.where(episodes.repaired, episodes.end, first + 1)
    report = np.full(len(first), REPORT)
    kind = _miscode(draws, s, "type", episodes.confrontation.astype(np.intp), TYPES)
    cause = _miscode(draws, s, "cause", episodes.cause, tuple(CAUSES))
    strategy = _miscode(draws, s, "strategy", episodes.strategy, STRATEGIES)
    chance = np.ones(len(first))
    noticed, tried = episodes.noticed * chance, (episodes.strategy >= 0) * chance
    tables = [
        _record(draws, courses, "rupture", "client", first, report, s.reported_client * chance),
        _record(
            draws, courses, "rupture", "therapist", first, report, s.reported_therapist * noticed
        ),
        _record(draws, courses, "type", "observer", first, kind, s.coded * chance),
        _record(draws, courses, "cause", "observer", first, cause, s.coded * chance),
        _record(draws, courses, "repair", "observer", treated, strategy, s.coded * tried),
        _false_reports(draws, s, courses, "client"),
        _false_reports(draws, s, courses, "therapist"),
    ]
    events = pd.concat(tables, ignore_index=True)
    events["kind"] = pd.Categorical(events["kind"], KINDS)
    events = events.sort_values(["course", "session", "kind", "reporter"], ignore_index=True)
    return events.assign(course=clients[events["course"]], kind=events["kind"].astype(str))


def _miscode(
    draws: Draws, s: SimulationSettings, name: str, true: Integers, codes: tuple[str, ...]
) -> NDArray[np.str_]:
    """Return the codes at these positions, a few of them replaced by another."""
    other = 1 + draws.pick(f"{name} other code", np.ones(len(codes) - 1), len(true))
    wrong = draws.flag(f"{name} miscoded", s.miscoded, len(true))
    return np.array(codes)[(true + other * wrong) % len(codes)]


def _record(
    draws: Draws,
    courses: SimulatedCourses,
    kind: str,
    reporter: str,
    session: Integers,
    code: NDArray[np.str_],
    chance: Floats,
) -> pd.DataFrame:
    """Return the events that were noted, at sessions that were held."""
    course = courses.planted.course
    noted = draws.flag(f"{kind} by {reporter}", chance, len(course))
    noted &= session <= courses.length[course]
    noted[noted] = courses.held[course[noted], session[noted] - 1]
    return pd.DataFrame(
        {
            "course": course[noted],
            "session": session[noted],
            "kind": kind,
            "code": code[noted],
            "reporter": reporter,
        }
    )


def _false_reports(
    draws: Draws, s: SimulationSettings, courses: SimulatedCourses, reporter: str
) -> pd.DataFrame:
    """Return reports of ruptures that were not there."""
    false = draws.flag(f"false report by {reporter}", s.false_reports, *courses.held.shape)
    false &= courses.held & (courses.state != STATES.index("ruptured"))
    course, column = np.nonzero(false)
    return pd.DataFrame(
        {
            "course": course,
            "session": column + 1,
            "kind": "rupture",
            "code": REPORT,
            "reporter": reporter,
        }
    )
