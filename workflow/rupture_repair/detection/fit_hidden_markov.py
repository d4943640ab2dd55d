"""Fit the hidden Markov model of each alliance measure: once, for detection and for chance."""

import pandas as pd

from ..project.measures import Measures
from ..project.parallel import spread_out
from .hidden_markov.rupture_probability import HiddenMarkovModel
from .ratings import alliance, arrange, fitted_model


def fit_hidden_markov(
    sessions: pd.DataFrame, measures: Measures, *, processes: int = 1
) -> dict[str, HiddenMarkovModel]:
    """Fit the hidden Markov model to all alliance measures, for detection and chance alike.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    processes : int
        Changes nothing but the time.

    Returns
    -------
    dict
        Model by measure; without measures that have no rating or no known range.
    """

    def fit(name: str) -> HiddenMarkovModel | None:
        return fitted_model(arrange(sessions, name, measures[name]), measures[name])

    names = alliance(measures)
    found = zip(names, spread_out(fit, names, processes), strict=True)
    return {name: model for name, model in found if model is not None}
