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


#: Which quantiles of ratings are described: tenths and quarters from either end, and the median.
QUANTILES = {"tenth": 0.1, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "ninth": 0.9}


def ratings_by_session(sessions: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Describe the ratings of measures at each session.

    Parameters
    ----------
    sessions : DataFrame
        `session`, and a column of ratings per measure.
    names : list of str
        The measures; those without a column, which are not rated at sessions, are left out.

    Returns
    -------
    DataFrame
        `measure`, `session`, `n` (ratings) and the quantiles of :data:`QUANTILES`, sorted; sessions
        without a rating are left out.
    """
    columns = ["measure", "session", "n", *QUANTILES]
    tables = [pd.DataFrame(columns=columns)]
    for name in (name for name in names if name in sessions and sessions[name].notna().any()):
        by_session = sessions.dropna(subset=name).groupby("session")[name]
        table = by_session.quantile(list(QUANTILES.values())).unstack()
        table.columns = pd.Index(QUANTILES)
        table = table.assign(measure=name, n=by_session.size()).reset_index()
        tables.append(table.reindex(columns=columns))
    return pd.concat(tables[1:] or tables, ignore_index=True)
