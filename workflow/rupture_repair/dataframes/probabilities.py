"""The probability that each session of a table is ruptured, by a hidden Markov model."""

import numbers

import numpy as np
import pandas as pd

from ..detection.hidden_markov import rupture_probability
from ..detection.hidden_markov.ends import SHARE
from ..detection.ratings import arrange, fitted_model
from ..project.problems import ProblemsFound, problem
from ..project.reasons import in_full
from .about import About, warn
from .ratings import Columns, read

#: Largest share of the range at each end, as in config.yaml.
MOST_SOFT = 0.25


def rupture_probabilities(
    data: pd.DataFrame,
    course: str = "course",
    session: str = "session",
    rating: str = "rating",
    *,
    better: str,
    range: tuple[float, float],
    past_only: bool = False,
    soft_ends: float = SHARE,
) -> pd.DataFrame:
    """Return the probability that each session is ruptured.

    A hidden Markov model with a steady and a ruptured state is fitted to all courses.

    Parameters
    ----------
    data : DataFrame, shape (sessions, columns)
        One row per session, in any order.
    course, session, rating : str
        Columns of the course (any type), of its session numbers (whole, from 0 or 1 on) and of the
        rating (points).
    better : {"higher", "lower"}
        Which ratings are the better ones.
    range : (low, high)
        Lowest and highest possible rating, in points.
    past_only : bool
        Judge each session by the ratings up to it. The parameters of the model still come from all
        ratings.
    soft_ends : float
        Share of the range at each end, from 0 to 0.25, where a rating means "at least this" or "at
        most this", as in config.yaml (hidden_markov); 0 takes the very ends alone.

    Returns
    -------
    DataFrame, shape (rated sessions, 5)
        One row per rated session, sorted by course and session. Columns: `course` (as given),
        `session`, `probability` (of a rupture, between 0 and 1), `reference` (what a steady session
        would be rated, in points) and `noise_sd` (SD of the course around it, in points).
        `probability` is missing where the ratings give no evidence of a ruptured state.

    Warns
    -----
    NoteWarning
        If there is no evidence of a ruptured state, or the model did not converge.

    Raises
    ------
    ProblemsFound
        With every problem of the table (E206, E207, E302, E309, E714 to E718) and of the arguments
        (E719).

    References
    ----------
    Hamilton (1989), Econometrica 57, 357-384; Rabiner (1989), Proceedings of the IEEE 77, 257-286.
    docs/rupture_probability.md gives the model.

    Examples
    --------
    >>> import rupture_repair
    >>> study = rupture_repair.simulate(seed=1, n_courses=25, n_therapists=2, depth=12)
    >>> found = rupture_probabilities(study.sessions, rating="alliance", better="higher",
    ...                               range=(0, 40))
    >>> by_true_state = found.merge(study.states).groupby("state", observed=True)
    >>> by_true_state["probability"].mean()[["steady", "ruptured"]].round(1)
    state
    steady      0.0
    ruptured    0.8
    Name: probability, dtype: float64
    """
    about = About(better, range)
    problems = about.problems(needs_range=True)
    if not (isinstance(soft_ends, numbers.Real) and 0 <= float(soft_ends) <= MOST_SOFT):
        allowed = f"a number from 0 to {MOST_SOFT:g}"
        problems.append(problem("E719", file="soft_ends=", found=soft_ends, allowed=allowed))
    given, found = read(data, Columns(course, session, rating), about.span)
    if given is None or problems:
        raise ProblemsFound([*problems, *found])
    notes: list[str] = []
    measure = about.measure(given.table, notes)
    from_zero = int((given.table["session"] == 0).any())
    table = given.table.assign(session=given.table["session"] + from_zero)
    ratings = arrange(table, "rating", measure)
    model = fitted_model(ratings, measure, float(soft_ends))
    if model is None:
        warn(["there is no rating, so no model was fitted"])
        return pd.DataFrame(columns=["course", "session", "probability", "reference", "noise_sd"])
    warn([in_full(model.message)] if model.message else [])
    courses = ratings.courses
    seen = rupture_probability.assess(courses, model, past_only=past_only)
    result = pd.DataFrame(
        {
            "course": ratings.course_ids[courses.course],
            "session": courses.session - from_zero,
            "probability": seen.probability if model.identified else np.nan,
            "reference": (-1.0 if better == "lower" else 1.0) * seen.reference,
            "noise_sd": courses.spread(seen.noise_sd),
        }
    )
    return given.renamed(result)
