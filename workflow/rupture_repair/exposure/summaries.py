"""Counts over sessions: courses by state, and courses that could be left and were."""

import numpy as np
import pandas as pd

#: Status of the session before one at which a course could be left.
BEFORE = ("no rupture", "open rupture", "repaired rupture")

#: Sessions put together where leaving is counted.
BAND = 3


def courses_by_state(states: pd.DataFrame) -> pd.DataFrame:
    """Count the courses in each state at each session.

    Parameters
    ----------
    states : DataFrame
        `session_states` of one measure and criterion.

    Returns
    -------
    DataFrame
        `session`, `state`, `n`, sorted; states in which no course is are left out.
    """
    given = states[["session", "state"]].astype({"state": "str"})
    return given.groupby(["session", "state"]).size().rename("n").reset_index()


def leaving_by_state(leaving: pd.DataFrame) -> pd.DataFrame:
    """Count the sessions at which a course could be left, and those at which it was.

    Parameters
    ----------
    leaving : DataFrame
        From :func:`rupture_repair.exposure.sessions.leaving_exposures`.

    Returns
    -------
    DataFrame
        `before` (one of :data:`BEFORE`), `session_from`, `session_to` (:data:`BAND` sessions
        together), `n` (sessions), `left`; groups without a session are left out.
    """
    known = leaving[leaving["left"].notna()]
    conditions = [known["open_prev"] == 1, known["repaired_prev"] == 1]
    begin = (known["session"].astype("int64") - 2) // BAND * BAND + 2
    groups = known.assign(
        before=np.select(conditions, list(BEFORE[1:]), BEFORE[0]), session_from=begin
    ).groupby(["before", "session_from"])
    counts = groups["left"].agg(n="size", left="sum").reset_index()
    return counts.assign(session_to=counts["session_from"] + BAND - 1)[
        ["before", "session_from", "session_to", "n", "left"]
    ]
