"""Ratings around the onset of episodes, next to matched stretches without rupture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import spatial

from .shared import of_measure, turned
from .stretches import flat_index, row_index, stretches_outside

#: Ratings drawn before and after an onset.
BEFORE, AFTER = 3, 8

ALIGNED_COLUMNS = ("kind", "offset", "mean", "low", "high", "n")


def aligned(
    episodes: pd.DataFrame,
    states: pd.DataFrame,
    sessions: pd.DataFrame,
    measures: Mapping[str, Any],
    measure: str,
    controls: int = 5,
) -> pd.DataFrame:
    """Return the mean course of the alliance around onsets, and around matched ratings.

    Each onset is matched with the `controls` ratings of **other** courses after which at least
    `AFTER` ratings, or as many as the episode's course still has, lie outside episodes, and that
    are nearest in level and session number, each in standard deviations over the onsets.

    Parameters
    ----------
    episodes, states : DataFrame
        `episodes` and `session_states` of one criterion.
    sessions : DataFrame
        Canonical table.
    measures : mapping
        Content of measures.json.
    measure : str
    controls : int

    Returns
    -------
    DataFrame
        One row per kind (episodes, matched) and offset (ratings from the onset): `mean` and the
        middle half `low` to `high` of the ratings minus that at the onset, turned so that higher is
        better, and `n`, how many there are. Without rows where no episode has an onset.
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
    matched = [np.empty(0, dtype=int)]
    scale = np.array([flat.rating[onset].std(), flat.session[onset].std()])
    scale = np.where(scale > 0, scale, 1.0)
    for length in np.unique(later):
        mine, begin = onset[later == length], np.flatnonzero(free >= length)
        if not len(begin):
            continue
        place = np.column_stack([flat.rating, flat.session]) / scale
        most = min(len(begin), 10 * controls)
        _, near = spatial.KDTree(place[begin]).query(place[mine], k=np.arange(1, most + 1))
        other = flat.course[begin[near]] != flat.course[mine][:, None]
        matched.append(begin[near][other & (other.cumsum(axis=1) <= controls)])
    tables = [_curve(flat, onset, "episodes"), _curve(flat, np.concatenate(matched), "matched")]
    return pd.concat([empty.astype(tables[0].dtypes), *tables], ignore_index=True)


def onsets(
    episodes: pd.DataFrame, sessions: pd.DataFrame, measures: Mapping[str, Any], measure: str
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
        curve = _curve(flat, onset[criterion == name], "episodes")
        curve.insert(0, "criterion", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)


def _curve(flat: Any, onset: np.ndarray, kind: str) -> pd.DataFrame:
    """Return mean and middle half of the ratings around some ratings, minus these."""
    rows = []
    for offset in range(-BEFORE, AFTER + 1):
        at = onset + offset
        first, last = flat.start[flat.course[onset]], flat.start[flat.course[onset] + 1] - 1
        inside = (at >= first) & (at <= last)
        change = flat.rating[at[inside]] - flat.rating[onset[inside]]
        if len(change):
            low, high = np.quantile(change, [0.25, 0.75])
            rows.append((kind, offset, change.mean(), low, high, len(change)))
    return pd.DataFrame(rows, columns=list(ALIGNED_COLUMNS)).astype({"n": "int64"})
