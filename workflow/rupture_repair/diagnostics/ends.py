"""Ratings at the ends of their scale, where they cannot go any further."""

import pandas as pd

from ..exposure.shared import turned
from ..project.measures import Measures
from ..project.reasons import because


def ends_of_scale(sessions: pd.DataFrame, measures: Measures, measure: str) -> pd.DataFrame:
    """Return how many ratings lie at the ends of the scale, where they cannot go any further.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table.
    measures : mapping of str to Measure
    measure : str

    Returns
    -------
    DataFrame
        Rows `ends` of the table of diagnostics: shares of ratings at the best and worst value,
        and of courses with more than half of their ratings there. One row with the reason where
        the measure is not rated at sessions.
    """
    shared = {"diagnostic": "ends", "of": measure}
    if measure not in sessions or sessions[measure].notna().sum() == 0:
        return pd.DataFrame([shared | {"message": because("not_rated", measure=measure)}])
    low, high = measures[measure].turned_range
    rated = turned(sessions, measures, measure)
    rows = []
    for end, limit in (("best", high), ("worst", low)):
        at = rated["value"] == limit
        mostly = at.groupby(rated["course"], sort=False).mean() > 0.5
        rows.append(shared | {"part": f"ratings at the {end}", "n": len(at), "value": at.mean()})
        rows.append(
            shared
            | {"part": f"courses mostly at the {end}", "n": len(mostly), "value": mostly.mean()}
        )
    return pd.DataFrame(rows)
