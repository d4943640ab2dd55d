"""Disclosure control: counts that are too small to be shown, and those that would give them away.

A count from 1 to `min_cell` - 1 could be traced to persons. It is withheld, and so are as many of
its neighbours in the same total as are needed that the total does not give it away. Tables stay
as they are in data/processed; what figures and reports show goes through this module.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .setting_groups import ReportSettings

#: How a withheld count is shown; NaN in a table of counts.
WITHHELD = "[c]"

#: Numbers in tables of estimates that were chosen, not found.
_CHOSEN = ("specification", "k", "k_factor", "minimum_sessions", "smallest")

_UNITS = r"(?:\w+ )?(?:courses?|clients?|therapists?|sessions?|episodes?|ratings?|rows?|events?)\b"


def individuals_shown(dataset: Mapping[str, Any], report: ReportSettings) -> bool:
    """Return whether single courses of this dataset may be drawn and named.

    Parameters
    ----------
    dataset : mapping
        dataset.json.
    report : ReportSettings
        Its `individuals` is demo_only (synthetic data only), allowed or never.
    """
    only_demo = report.individuals == "demo_only"
    return report.individuals == "allowed" or (only_demo and bool(dataset["synthetic"]))


def min_cell(dataset: Mapping[str, Any], report: ReportSettings) -> int:
    """Return the smallest count that may be shown: 1 where single courses may be shown."""
    if individuals_shown(dataset, report):
        return 1
    return report.min_cell


def small(counts: Any, least: int) -> Any:
    """Return which counts lie between 0 and `least`."""
    return (np.asarray(counts, dtype=float) > 0) & (np.asarray(counts, dtype=float) < least)


def withheld(parts: Sequence[float], least: int) -> np.ndarray:
    """Return which parts of a total may not be shown when the total is shown.

    Parameters
    ----------
    parts : sequence of float
        Counts that add up to a total; NaN counts as withheld already.
    least : int
        The smallest count that may be shown.

    Returns
    -------
    array of bool
        True for every small part and, where there are any, for the smallest other parts until at
        least two parts are withheld that add up to at least `least`.

    Examples
    --------
    >>> withheld([12, 3, 7], 5).tolist()
    [False, True, True]
    """
    counts = np.asarray(parts, dtype=float)
    hidden = small(counts, least) | np.isnan(counts)
    if hidden.any():
        for place in np.argsort(counts, kind="stable"):
            shown_away = hidden.sum() < 2 or np.nansum(counts[hidden]) < least
            if shown_away and not hidden[place] and counts[place] > 0:
                hidden[place] = True
    return hidden


def apart(count: Any, total: Any, least: int) -> Any:
    """Return which counts give away a small one: they themselves, or what they leave of a total."""
    count, total = np.asarray(count, dtype=float), np.asarray(total, dtype=float)
    return small(count, least) | small(total - count, least)


def of_detection(detection: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the table detection with NaN for every count that may not be shown."""
    table = detection.copy()
    counts = [name for name in table if name.startswith("n_")]
    table[counts] = table[counts].astype(float)
    if least < 2:
        return table
    with_one, of = table["n_courses_with_episode"], table["n_courses_assessable"]
    hidden = {
        "n_courses_with_episode": apart(with_one, of, least),
        "n_courses_assessable": apart(of, table["n_courses"], least),
        "n_sessions_assessable": apart(table["n_sessions_assessable"], table["n_sessions"], least),
        "n_episodes": small(table["n_episodes"], least),
    }
    # As many episodes as courses with one, where none has two: the one gives the other away.
    hidden["n_sawtooth"] = apart(table["n_sawtooth"], with_one, least)
    hidden["n_sawtooth"] |= hidden["n_courses_with_episode"] | hidden["n_episodes"]
    statuses = ["n_repaired", "n_unrepaired", "n_censored"]
    parts = np.array([withheld(row, least) for row in table[statuses].to_numpy()], dtype=bool)
    parts = parts.reshape(len(table), len(statuses)) | hidden["n_episodes"][:, None]
    for name, where in {**hidden, **dict(zip(statuses, parts.T, strict=True))}.items():
        table.loc[where, name] = np.nan
    return table


def of_chance(chance: pd.DataFrame, detection: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the table chance without what tells counts that `detection` withholds.

    `detection` is what :func:`of_detection` returned.
    """
    if least < 2:
        return chance
    key = ["measure", "criterion"]
    known = detection.drop_duplicates(key).set_index(key)
    places = pd.MultiIndex.from_frame(chance[key].astype(str))
    table = chance.copy()
    told = {
        "n_episodes": ["observed", "ratio", "excess", "p", "p_error"],
        "n_repaired": ["observed_repaired"],
        "n_courses_with_episode": ["observed_courses"],
    }
    for count, columns in told.items():
        hidden = known[count].isna().reindex(places, fill_value=False).to_numpy()
        table.loc[hidden, [name for name in columns if name in table]] = np.nan
    return table


def of_fits(table: pd.DataFrame, least: int, **totals: float) -> pd.DataFrame:
    """Return estimates without those of too few courses, and without counts that tell a few.

    Parameters
    ----------
    table : DataFrame
        With `n_courses`, and other counts; estimates or claims.
    least : int
    **totals : float
        How many there are in all, by column, for example ``n_courses=240``.
    """
    if least < 2:
        return table
    table = table.copy()
    few = small(table["n_courses"].astype(float).fillna(0), least)
    for name in table.select_dtypes("number"):
        hidden = few & (name not in _CHOSEN)
        if name.startswith("n_"):
            count = table[name].astype(float)
            hidden = few | apart(count, totals.get(name, np.nan), least)
        if hidden.any():
            table[name] = table[name].astype(float).mask(hidden)
    for name in ("message", "reason", "note"):
        if name in table:
            table[name] = table[name].map(lambda said: in_words(said, least), na_action="ignore")
    return table


def in_words(said: str, least: int) -> str:
    """Return a message without small numbers of persons, sessions or episodes.

    Examples
    --------
    >>> in_words("3 episodes of 12 courses: too few", 5)
    'fewer than 5 episodes of 12 courses: too few'
    """
    if least < 2:
        return said
    numbers = "|".join(str(number) for number in range(1, least))
    return re.sub(rf"(?<![\w.])(?:{numbers})(?= {_UNITS})", f"fewer than {least}", str(said))


def without_cells(said: str, *, fault: bool = False) -> str:
    """Return the text of a problem without the cells of a data file that it quotes.

    Parameters
    ----------
    said : str
        The text of a problem; one about a row of a file may quote ids.
    fault : bool
        Whether it tells of a fault of the program, which may quote ids as well.

    Examples
    --------
    >>> without_cells("E311 a.csv, row 4: course 'O'Brien' has a row above.")
    "E311 a.csv, row 4: course '…' has a row above."
    """
    if not fault and not re.search(r", row \d", said):
        return said
    return re.sub(r"(?<!\w)'.*?'(?!\w)", "'…'", said)


def of_states(counts: pd.DataFrame, least: int, other: str = "withheld") -> pd.DataFrame:
    """Return counts of courses by session and state, small ones of a session put together.

    Parameters
    ----------
    counts : DataFrame
        `session`, `state`, `n`.
    least : int
    other : str
        The state under which they are put together.

    Returns
    -------
    DataFrame
        The same columns; sessions in which fewer than `least` courses are left, or whose withheld
        states are fewer than `least`, are left out.
    """
    if least < 2:
        return counts
    parts = []
    for _, rows in counts.groupby("session", sort=True):
        if rows["n"].sum() < least:
            continue
        hidden = withheld(rows["n"].to_numpy(), least)
        pooled = rows.assign(state=rows["state"].where(~hidden, other))
        parts.append(pooled.groupby(["session", "state"], as_index=False, sort=False)["n"].sum())
    return pd.concat(parts, ignore_index=True) if parts else counts.iloc[:0]
