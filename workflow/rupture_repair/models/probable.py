"""Effects of open and repaired ruptures whose exposures are probabilities, of their true size.

Where a criterion says which sessions are ruptured, it errs, and effects shrink. Probabilities by
the hidden Markov model do not shrink them, if the regression also holds the ordinary fluctuation,
or the rating: given all ratings, the expected outcome is the same line in these expected values
(regression calibration; Carroll et al. 2006, Measurement error in nonlinear models, chapter 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.hidden_markov.uncertainty import Uncertainty, uncertainty
from ..detection.ratings import Ratings, arrange
from ..exposure.probable import parts_of, probable_sessions
from ..exposure.shared import therapist_of, turned
from ..project.arrays import Floats, Integers
from ..project.dataset import Dataset
from ..project.parallel import one_thread
from ..project.problems import listing
from ..project.reasons import because
from ..statistics import design
from ..statistics.blocks.engine import solve
from ..statistics.estimates import (
    FEW_GROUPS,
    FormulaFit,
    check_information,
    of_solution,
    without_result,
)
from ..statistics.no_result import NoOptimum, NotAssessable
from ..statistics.two_step import FirstStep, with_first_step
from .definitions import Variant

#: Fewer courses give no standard errors that hold what they promise.
FEWEST_COURSES = FEW_GROUPS
#: With more of the ratings than this at an end of the scale nothing is known of how they fluctuate.
MOST_AT_AN_END = 0.5
#: Of ruptures this share must end within a session, else too few sessions are surely repaired.
LEAST_RECOVERY = 0.05
#: Where the outcome is rated at a smaller share of the rated sessions this is said.
OFTEN = 0.5
#: Estimates from earlier ratings and from all differ clearly from so many standard errors on.
CLEARLY = 3.0

_OPEN = "open_within"
#: A fit, and how far each unit moved the effect of an open rupture, where there is one.
_Fitted = tuple[FormulaFit, Floats | None]


@dataclass(frozen=True)
class Probabilities:
    """What the hidden Markov models of a dataset say.

    Attributes
    ----------
    table : DataFrame
        The table session_probabilities.
    models : mapping of str to HiddenMarkovModel
        By measure.
    """

    table: pd.DataFrame
    models: Mapping[str, HiddenMarkovModel]

    def identified(self, measure: str) -> bool:
        """Return whether the model of a measure is identified."""
        return measure in self.models and self.models[measure].identified


def fit_probable(
    variants: Mapping[str, Variant],
    sessions: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    probabilities: Probabilities,
) -> dict[str, FormulaFit]:
    """Fit the variants of the model next_session whose exposures are probabilities.

    Parameters
    ----------
    variants : mapping of str to Variant
        Those with a `view`.
    sessions : DataFrame
        From :func:`rupture_repair.exposure.sessions.session_exposures`, by the criterion that rests
        on the hidden Markov model.
    dataset : Dataset
    measure : str
        An alliance measure whose hidden Markov model is identified.
    probabilities : Probabilities

    Returns
    -------
    dict of str to FormulaFit
        By variant. Standard errors are those of a stacked sandwich (:mod:`.two_step` of the
        statistics) over therapists, or over courses where there are few of them. An estimate of an
        exposure whose standard error exceeds the SD of the outcome is left out, and all of repaired
        ruptures where few ruptures end.
    """
    model = probabilities.models[measure]
    reason = _why_not(sessions, dataset, measure)
    if reason:
        return {
            name: without_result(variant.formula, "not_assessable", reason, "blocks")
            for name, variant in variants.items()
        }
    ratings = arrange(dataset.sessions, measure, dataset.measures[measure])
    unit = _unit_of_course(ratings.course_ids, dataset)
    with one_thread():
        known = uncertainty(ratings.courses, model)
        given = _Given(sessions, dataset, measure, probabilities, ratings, known, unit)
        found = {name: _fitted(variant, given) for name, variant in variants.items()}
    return {name: fit.noted(*_feedback(name, found)) for name, (fit, _) in found.items()}


def _why_not(sessions: pd.DataFrame, dataset: Dataset, measure: str) -> str | None:
    """Say why nothing can be estimated by probabilities, if so."""
    if sessions["course"].nunique() < FEWEST_COURSES:
        return because("few_for_probabilities", needed=FEWEST_COURSES)
    rated = turned(dataset.sessions, dataset.measures, measure)["value"]
    at_an_end = float(rated.isin(dataset.measures[measure].turned_range).mean())
    if at_an_end >= MOST_AT_AN_END:
        return because("mostly_at_an_end", percent=f"{at_an_end:.0%}")
    return None


@dataclass(frozen=True)
class _Given:
    """What the variants of one measure are fitted to.

    Attributes
    ----------
    sessions : DataFrame
    dataset : Dataset
    measure : str
    probabilities : Probabilities
    ratings : Ratings
    known : Uncertainty
    unit : ndarray of int, shape (courses of the ratings,)
        Which independent unit each course belongs to.
    """

    sessions: pd.DataFrame
    dataset: Dataset
    measure: str
    probabilities: Probabilities
    ratings: Ratings
    known: Uncertainty
    unit: Integers


def _unit_of_course(course_ids: np.ndarray, dataset: Dataset) -> Integers:
    """Return the therapist of each course as a number; the course itself where they are few.

    Of few therapists the robust errors are too small and very uncertain (:data:`FEW_GROUPS`).
    """
    courses = pd.Series(course_ids, dtype="str")
    therapist = therapist_of(courses, dataset.courses)
    if therapist.nunique() < FEW_GROUPS:
        return np.arange(len(courses))
    return pd.factorize(therapist.fillna("course " + courses))[0]


def _fitted(variant: Variant, given: _Given) -> _Fitted:
    """Fit one variant; return also how far each unit moved the effect of an open rupture."""
    table, place = probable_sessions(
        given.sessions, given.probabilities.table, given.measure, str(variant.view)
    )
    try:
        matrices = design.build(variant.formula, table, ar1=variant.ar1)
        check_information(matrices)
        first = _first_step(table, place, variant, given)
        unit = given.unit[given.ratings.courses.course[place[matrices.rows]]]
        solution, influence = with_first_step(matrices, solve(matrices), unit, first)
    except NotAssessable as reason:
        return without_result(variant.formula, "not_assessable", reason.reason, "blocks"), None
    except NoOptimum as reason:
        return without_result(variant.formula, "failed", reason.reason, "blocks"), None
    fit = of_solution(variant.formula, matrices, solution, "blocks", variant.contrasts)
    fit = _noted(_without_the_unsure(fit, float(matrices.outcome.std(ddof=1)), given), given)
    known = _OPEN in matrices.terms
    return fit, influence[:, matrices.terms.index(_OPEN)] if known else None


def _feedback(name: str, found: Mapping[str, _Fitted]) -> list[str]:
    """Say of the filtered variant where it differs clearly from the smoothed one.

    What later ratings add must not depend on the outcome. It does where the outcome moves ratings.
    """
    if name != "probable_filtered" or "probable_total" not in found:
        return []
    (total, of_total), (filtered, of_filtered) = found["probable_total"], found[name]
    both = [fit.row(_OPEN) for fit in (total, filtered)]
    if of_total is None or of_filtered is None or None in both:
        return []
    smoothed, early = (float((row or {})["estimate"]) for row in both)
    error = float(np.sqrt(((of_filtered - of_total) ** 2).sum()))
    if abs(early - smoothed) <= CLEARLY * error:
        return []
    return [because("feedback", early=f"{early:.2f}", smoothed=f"{smoothed:.2f}")]


def _first_step(table: pd.DataFrame, place: Integers, variant: Variant, given: _Given) -> FirstStep:
    """Return what the exposures of a table owe to the parameters of the hidden Markov model."""
    known = given.known
    influence = np.zeros((given.unit.max() + 1, known.influence.shape[1]))
    np.add.at(influence, given.unit, known.influence)
    slopes: dict[str, list[Floats]] = {}
    every = {name: slope[:, place] for name, slope in known.slopes.items()}
    for parameter in range(influence.shape[1]):
        moved = {name: slope[parameter] for name, slope in every.items()}
        for term, values in parts_of(moved, table).items():
            slopes.setdefault(term, []).append(values)
    stacked = {term: np.array(values) for term, values in slopes.items()}
    return FirstStep(influence, stacked, known.scale)


def _without_the_unsure(fit: FormulaFit, outcome_sd: float, given: _Given) -> FormulaFit:
    """Leave out what cannot be estimated: of rare repairs, or with an error beyond all bounds."""
    notes, gone = [], set()
    ends = given.probabilities.models[given.measure].parameters.ended_within(1)
    terms = list(fit.rows["term"])
    if ends < LEAST_RECOVERY:
        gone = {term for term in terms if term.startswith("repaired")}
        percents = {"percent": f"{ends:.1%}", "needed": f"{LEAST_RECOVERY:.0%}"}
        notes.append(because("rare_repairs", **percents))
    errors = zip(terms, fit.rows["std_error"], strict=True)
    unsure = [
        term for term, error in errors
        if term.startswith(("open", "repaired")) and term not in gone and not error <= outcome_sd
    ]  # fmt: skip
    if unsure:
        notes.append(because("too_unsure", terms=listing(unsure)))
    return fit.without({*gone, *unsure}).noted(*notes)


def _noted(fit: FormulaFit, given: _Given) -> FormulaFit:
    """Say where the outcome is rated at few of the rated sessions."""
    sessions, measure = given.dataset.sessions, given.dataset.measures[given.measure]
    rated = sessions[given.measure].notna()
    share = float(sessions.loc[rated, str(measure.outcome)].notna().mean())
    rarer = because("outcome_is_rarer", percent=f"{share:.0%}")
    return fit.noted(rarer) if share < OFTEN else fit
