"""From which ratings on the end of a scale is reached softly, as one item after the other is cut.

A total of several items does not end at once: near the top some items are at their end and hide how
much better the session was, so the total lies below what it would be. Such a rating says *at least
this much*, as one at the very end does. Taken for exact, it makes ordinary courses at the top look
ruptured and repaired (docs/rupture_probability.md).
"""

from collections.abc import Mapping

import numpy as np

from ...project.arrays import Flags, Floats
from ...project.measures import Measure

#: Share of the range at each end, where items are not known.
SHARE = 0.025
#: Items move an end by no more than this share of the range.
_MOST = 0.25
#: From fewer ratings than this, items say nothing.
_FEWEST = 50
#: A total of this share of items at their end is at its end.
_ITEMS = 0.5
#: Items of fewer steps than this are at an end nearly always, which says nothing of the total.
_LEAST_STEPS = 5


def soft_ends(
    rating: Floats,
    items: Mapping[str, Floats],
    measure: Measure,
    *,
    step: float,
    share: float = SHARE,
) -> tuple[float, float]:
    """Return from which rating on (down, and up) ratings mean all beyond.

    Parameters
    ----------
    rating : ndarray of float, shape (ratings,)
        Turned so that higher is better.
    items : mapping of str to ndarray, shape (ratings,)
        Parts of the total, turned likewise; NaN where blank.
    measure : Measure
        Its `range` is known.
    step : float
        Between two possible ratings.
    share : float
        Of the range, for measures without items. Below one step it leaves the end where it is.

    Returns
    -------
    low, high : float
        With items: the rating that best tells those with at least half of their items at an end
        from the others. The ends of the range themselves where no rating is beyond.
    """
    low, high = measure.turned_range
    within = np.floor(share * (high - low) / step + 1e-6) * step
    parts = np.array([items[name] for name in measure.components]).reshape(-1, len(rating))
    top = _by_items(rating, parts, measure, high, high - low)
    bottom = _by_items(-rating, -parts, measure, -low, high - low)
    return (
        float(low + within) if bottom is None else -bottom,
        float(high - within) if top is None else top,
    )


def _by_items(
    rating: Floats, parts: Floats, measure: Measure, end: float, width: float
) -> float | None:
    """Return the rating from which on half of the items are at the upper end; None if unknown."""
    known = ~np.isnan(parts).any(axis=0) if len(parts) > 1 else np.zeros(len(rating), dtype=bool)
    if known.sum() < _FEWEST:
        return None
    rating, parts = rating[known], parts[:, known]
    ends = parts.max(axis=1)
    total = {"sum": ends.sum(), "mean": ends.mean(), "mean_times_10": 10 * ends.mean()}
    if min(len(np.unique(part)) for part in parts) < _LEAST_STEPS:
        return None
    # Where no client has used the end of an item, nobody knows where it is.
    if not np.isclose(total.get(str(measure.scored), np.nan), end, atol=1e-6 * width):
        return None
    at_end: Flags = (parts >= ends[:, None] - 1e-9).mean(axis=0) >= _ITEMS
    order = np.argsort(-rating, kind="stable")
    value, right = rating[order], np.cumsum(np.where(at_end[order], 1, -1))
    last = np.append(value[1:] < value[:-1], True) & (value >= end - _MOST * width)
    best = np.flatnonzero(last)[np.argmax(right[last])] if last.any() else 0
    return float(value[best]) if last.any() and right[best] > 0 else end
