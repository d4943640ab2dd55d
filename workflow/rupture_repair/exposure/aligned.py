"""Ratings around the onset of episodes, next to matched stretches without rupture."""

import numpy as np
import pandas as pd

from ..detection.courses import Courses
from ..project.measures import Measures
from .matching import nearest
from .shared import of_measure, turned
from .stretches import flat_index, row_index, stretches_outside

#: Ratings drawn before and after an onset.
BEFORE, AFTER = 3, 8

ALIGNED_COLUMNS = ("kind", "offset", "mean", "low", "high", "n")


def aligned(
    episodes: pd.DataFrame,
    states: pd.DataFrame,
    sessions: pd.DataFrame,
    measures: Measures,
    measure: str,
    controls: int = 5,
) -> pd.DataFrame:
    """Return the mean course of the alliance around onsets, and around matched ratings.

    Each onset is matched with the `controls` ratings of **other** courses after which at least
    `AFTER` ratings, or as many as the episode's course still has, lie outside episodes, and that
    are nearest in level and session number, each in standard deviations over the onsets, and with
    all that are as near. Whatever their number, the matches of each onset count as much as one.

    Parameters
    ----------
    episodes, states : DataFrame
        `episodes` and `session_states` of one criterion.
    sessions : DataFrame
        Canonical table.
    measures : mapping of str to Measure
    measure : str
    controls : int

    Returns
    -------
    DataFrame
        One row per kind (episodes, matched) and offset (ratings from the onset): `mean` and the
        middle half `low` to `high` of the ratings minus that at the onset, turned so that higher is
        better, and `n`, how many ratings there are. Without rows where no episode has an onset, and
        without rows of the kind matched where nothing could be matched.
    """
    ratings = turned(sessions, measures, measure)
    own = of_measure(episodes, measure)
    own = own[own["onset"].notna()]
    empty = pd.DataFrame(columns=list(ALIGNED_COLUMNS))
    if ratings.empty or own.empty:
        return empty
    flat = flat_index(ratings)
    onset = row_index(ratings, own["course"], own["onset"])
    later = np.minimum(flat.start[flat.course[onset] + 1] - 1 - onset, AFTER)
    free = stretches_outside(ratings, flat, states, measure)
    scale = np.array([flat.rating[onset].std(), flat.session[onset].std()])
    scale = np.where(scale > 0, scale, 1.0)
    weight = np.zeros(len(flat.rating))
    for length in np.unique(later):
        mine, begin = onset[later == length], np.flatnonzero(free >= length)
        wanted, offered = ((at, flat.rating[at]) for at in (mine, begin))
        weight[begin] += nearest(flat, offered, wanted, scale, controls).weights()
    matched = np.flatnonzero(weight)
    return pd.concat(
        [
            _curve(flat, onset, np.ones(len(onset)), "episodes"),
            _curve(flat, matched, weight[matched], "matched"),
        ],
        ignore_index=True,
    )


def onsets(
    episodes: pd.DataFrame, sessions: pd.DataFrame, measures: Measures, measure: str
) -> pd.DataFrame:
    """Return the mean course of the alliance around the onsets of each criterion.

    Parameters
    ----------
    episodes : DataFrame
        Of all criteria.
    sessions, measures, measure
        As for :func:`aligned`.

    Returns
    -------
    DataFrame
        As :func:`aligned` for its kind episodes, with the column `criterion` first.
    """
    ratings = turned(sessions, measures, measure)
    own = of_measure(episodes, measure)
    own = own[own["onset"].notna()]
    empty = pd.DataFrame(columns=["criterion", *ALIGNED_COLUMNS])
    if ratings.empty or own.empty:
        return empty
    flat = flat_index(ratings)
    onset = row_index(ratings, own["course"], own["onset"])
    criterion = own["criterion"].astype("str").to_numpy()
    curves = []
    for name in dict.fromkeys(criterion):
        mine = onset[criterion == name]
        curve = _curve(flat, mine, np.ones(len(mine)), "episodes")
        curve.insert(0, "criterion", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)


def _curve(flat: Courses, onset: np.ndarray, weight: np.ndarray, kind: str) -> pd.DataFrame:
    """Return mean and middle half of the ratings around some ratings, minus these."""
    rows = []
    for offset in range(-BEFORE, AFTER + 1):
        at = onset + offset
        first, last = flat.start[flat.course[onset]], flat.start[flat.course[onset] + 1] - 1
        inside = (at >= first) & (at <= last)
        change, counts = flat.rating[at[inside]] - flat.rating[onset[inside]], weight[inside]
        if len(change):
            low, high = _quantiles(change, counts, [0.25, 0.75])
            mean = float(np.average(change, weights=counts))
            rows.append((kind, offset, mean, low, high, len(change)))
    types = {"kind": "str", "offset": "int64", **dict.fromkeys(("mean", "low", "high"), "float64")}
    return pd.DataFrame(rows, columns=list(ALIGNED_COLUMNS)).astype({**types, "n": "int64"})


def _quantiles(values: np.ndarray, weight: np.ndarray, shares: list[float]) -> np.ndarray:
    """Return quantiles of values with weights; with equal ones those of type 7 of R."""
    order = np.lexsort((weight, values))
    middle = np.cumsum(weight[order]) - weight[order] / 2
    places = np.interp(shares, [0.0, 1.0], middle[[0, -1]])
    return np.interp(places, middle, values[order])
