"""Exposures as probabilities: what the hidden Markov model says of each session, as numbers.

Where a state is only guessed, its effect shrinks. A probability that is calibrated does not shrink
it, if the regression also holds the expected ordinary fluctuation, which lowers a rating as a
rupture does (docs/rupture_probability.md). Nothing of the outcome is used here.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..detection.hidden_markov import rupture_probability
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import Ratings, alliance, arrange
from ..project.arrays import Floats, Integers
from ..project.measures import Measures
from .sessions import within_and_between

#: By which ratings a session is judged: by all of its course, or by those up to it.
VIEWS = ("smoothed", "filtered")
#: What a model of an outcome may be given.
EXPOSURES = ("open", "repaired", "deviation", "rating")
_SAID = ("open", "lasting", "repaired", "fall", "path", "deviation")
_PARTS = ("within", "between", "detrended")
COLUMNS = (
    *("dataset", "measure", "view", "course", "session", "rating"),
    *_SAID,
    *(f"{exposure}_{part}" for part in _PARTS for exposure in EXPOSURES),
)


def probable(
    sessions: pd.DataFrame,
    measures: Measures,
    models: Mapping[str, HiddenMarkovModel],
    *,
    dataset: str,
) -> pd.DataFrame:
    """Return what the hidden Markov models say of each rated session.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
    models : mapping of str to HiddenMarkovModel
        From :func:`rupture_repair.detection.fit_hidden_markov.fit_hidden_markov`; measures whose
        model is missing or not identified have no row.
    dataset : str

    Returns
    -------
    DataFrame
        One row per measure, view (:data:`VIEWS`), course and rated session. Columns: `dataset`,
        `measure`, `view`, `course`, `session`, `rating` (all numbers in points are turned so that
        higher is better); `open`, `lasting` and `repaired` (probabilities that a rupture is open,
        that it is one that lasts, that the session is steady after a rupture); `fall` (expected
        points by which a rupture lowers it); `path` (expected rating without rupture and ordinary
        fluctuation); `deviation` (expected ordinary fluctuation); and of `open`, `repaired`,
        `deviation` and `rating` the parts `_within`, `_between` and `_detrended`, over the rated
        sessions of the course.
    """
    parts = [
        _of_measure(arrange(sessions, name, measures[name]), name, models[name])
        for name in alliance(measures)
        if name in models and models[name].identified
    ]
    texts = dict.fromkeys(("dataset", "measure", "view", "course"), "str")
    if not parts:
        kinds = {**dict.fromkeys(COLUMNS, "float64"), "session": "int32", **texts}
        return pd.DataFrame({name: pd.Series(dtype=kinds[name]) for name in COLUMNS})
    table = pd.concat(parts, ignore_index=True).assign(dataset=dataset)
    return table[list(COLUMNS)].astype({**texts, "session": "int32"})


def _of_measure(ratings: Ratings, name: str, model: HiddenMarkovModel) -> pd.DataFrame:
    """Return the rows of one measure."""
    courses, views = ratings.courses, []
    for view in VIEWS:
        found = rupture_probability.assess(courses, model, past_only=view == "filtered")
        said = (found.probability, found.lasting, found.repaired, found.fall, found.reference)
        columns = dict(zip(_SAID, (*said, found.deviation), strict=True))
        columns["rating"] = courses.rating
        for exposure in EXPOSURES:
            values = within_and_between(
                columns[exposure], courses.session.astype(np.float64), courses.course
            )
            for part, value in zip(_PARTS, values, strict=True):
                columns[f"{exposure}_{part}"] = value
        ids = ratings.course_ids[courses.course]
        table = pd.DataFrame({"course": ids, "session": courses.session, **columns})
        views.append(table.assign(view=view, measure=name))
    return pd.concat(views, ignore_index=True)


def probable_sessions(
    table: pd.DataFrame, probabilities: pd.DataFrame, measure: str, view: str
) -> tuple[pd.DataFrame, Integers]:
    """Return sessions and next outcomes with probabilities as exposures.

    Parameters
    ----------
    table : DataFrame
        From :func:`rupture_repair.exposure.sessions.session_exposures`.
    probabilities : DataFrame
        From :func:`probable`.
    measure, view : str

    Returns
    -------
    table : DataFrame
        The same rows, as far as they are in `probabilities`; :data:`EXPOSURES` and their `_within`
        and `_between` parts over these rows.
    place : ndarray of int, shape (rows,)
        Which rated session of the measure and view each row is.
    """
    own = probabilities[(probabilities["measure"] == measure) & (probabilities["view"] == view)]
    keys = pd.MultiIndex.from_frame(own[["course", "session"]])
    place = keys.get_indexer(pd.MultiIndex.from_frame(table[["course", "session"]]))
    table, place = table[place >= 0].reset_index(drop=True), place[place >= 0]
    said = {name: own[name].to_numpy()[place] for name in EXPOSURES}
    return table.assign(**said, **parts_of(said, table)), place


def parts_of(values: Mapping[str, Floats], table: pd.DataFrame) -> dict[str, Floats]:
    """Return the `_within` and `_between` parts of values of the rows of a table of sessions."""
    course, time = pd.factorize(table["course"])[0], table["time"].to_numpy()
    parts: dict[str, Floats] = {}
    for name, value in values.items():
        within, between, _ = within_and_between(value, time, course)
        parts |= {f"{name}_within": within, f"{name}_between": between}
    return parts
