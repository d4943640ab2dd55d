"""Which share of an effect is left where a criterion says which sessions are ruptured.

Let the next outcome move by tau where a rupture is open. A regression on the flag of a criterion
then finds tau times the slope of the true state on the flag, given what else is in the regression.
Given all ratings the true state is, on average, its probability by the hidden Markov model, and
flags follow from the ratings. So the slope of the probability on the flag is what is to be expected
(Carroll et al. 2006, Measurement error in nonlinear models, chapter 3).
"""

import numpy as np
import pandas as pd

from ..exposure.probable import probable_sessions
from ..project.arrays import Floats
from .probable import Probabilities

#: The states, and the terms of their flags.
STATES = {"repaired": "repaired_within", "open": "open_within"}


def expected_shares(
    sessions: pd.DataFrame, probabilities: Probabilities, measure: str
) -> dict[str, float]:
    """Return which share of the effect of a state is expected in the estimate of its flag.

    Parameters
    ----------
    sessions, probabilities, measure
        As for :func:`expected_slopes`.

    Returns
    -------
    dict of str to float
        By the terms in :data:`STATES`; empty where the model is not identified, or flags do not
        vary.
    """
    if sessions.empty or not probabilities.identified(measure):
        return {}
    slopes = expected_slopes(sessions, probabilities, measure)
    own = [] if slopes is None else np.diag(slopes).tolist()
    return dict(zip(STATES.values(), own, strict=False))


def expected_slopes(
    sessions: pd.DataFrame, probabilities: Probabilities, measure: str
) -> Floats | None:
    """Return the slopes of the probabilities of both states on the flags of both, within courses.

    Parameters
    ----------
    sessions : DataFrame
        From :func:`rupture_repair.exposure.sessions.session_exposures`, by a criterion.
    probabilities : Probabilities
    measure : str
        An alliance measure whose hidden Markov model is identified.

    Returns
    -------
    ndarray of float, shape (2, 2), or None
        A row for each state of :data:`STATES`, a column for each flag: an effect of a state shows
        in the estimate of a flag by its slope. Time is held. None where the flags do not vary.
    """
    table, _ = probable_sessions(sessions, probabilities.table, measure, "smoothed")
    keys = ["course", "session"]
    flags = table[keys].merge(sessions[[*keys, *STATES.values()]], on=keys)
    held = [flags[term].to_numpy() for term in STATES.values()]
    columns = np.column_stack([*held, table["time"], table[list(STATES)]])
    course = pd.factorize(table["course"])[0]
    means = pd.DataFrame(columns).groupby(course).transform("mean").to_numpy()
    columns = columns - means
    regressors, states = columns[:, :3], columns[:, 3:]
    if np.linalg.matrix_rank(regressors) < regressors.shape[1]:
        return None
    slopes: Floats = np.linalg.lstsq(regressors, states)[0][:2].T
    return slopes
