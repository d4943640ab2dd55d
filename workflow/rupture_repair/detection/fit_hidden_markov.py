"""Fit the hidden Markov model of each alliance measure: once, for detection and for chance."""

import pandas as pd

from ..project.measures import Measures
from ..project.parallel import spread_out
from .hidden_markov.ends import SHARE
from .hidden_markov.rupture_probability import HiddenMarkovModel
from .ratings import alliance, arrange, fitted_model


def fit_hidden_markov(
    sessions: pd.DataFrame,
    measures: Measures,
    *,
    soft_ends: float = SHARE,
    processes: int = 1,
) -> dict[str, HiddenMarkovModel]:
    """Fit the hidden Markov model to all alliance measures, for detection and chance alike.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    soft_ends : float
        Share of the range at each end where a total without items means all beyond, see
        :mod:`rupture_repair.detection.hidden_markov.ends`.
    processes : int
        Changes nothing but the time.

    Returns
    -------
    dict
        Model by measure; without measures that have no rating or no known range.
    """

    def fit(name: str) -> HiddenMarkovModel | None:
        return fitted_model(arrange(sessions, name, measures[name]), measures[name], soft_ends)

    names = alliance(measures)
    found = zip(names, spread_out(fit, names, processes), strict=True)
    return {name: model for name, model in found if model is not None}
