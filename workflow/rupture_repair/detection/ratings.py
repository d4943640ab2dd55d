"""The ratings of one measure, arranged for detection, and why a criterion cannot judge them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..project.measures import Measure, Measures
from ..project.reasons import because
from . import courses as flat
from .courses import Courses
from .criteria import Criterion
from .fall_rules import Scale
from .hidden_markov import ends, rupture_probability
from .hidden_markov.rupture_probability import HiddenMarkovModel
from .scan.falls import population_of
from .scan.population import Populations


@dataclass(frozen=True)
class Ratings:
    """The ratings of one measure, arranged for the kernel.

    Attributes
    ----------
    courses : Courses
        Turned so that higher is better.
    scale : Scale
    course_ids : ndarray of str, shape (courses,)
        Ids of the courses that have at least one rating.
    components : dict of str to ndarray, shape (ratings,)
        Component ratings as a share of their range, turned likewise.
    number_of_courses : int
        All courses of the dataset, with or without a rating of this measure.
    """

    courses: Courses
    scale: Scale
    course_ids: NDArray
    components: dict[str, NDArray]
    number_of_courses: int


def scale_of(courses: Courses, measure: Measure) -> Scale:
    """Return what criteria may need to know of a measure and of all its ratings.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    measure : Measure

    Returns
    -------
    Scale
    """
    change = measure.reliable_change.value if measure.reliable_change else np.nan
    prior = {}
    for around in ("mean", "trend"):
        total, free = flat.squares(courses, around)
        prior[around] = flat.shrinkage(total / np.maximum(free, 1), free)
    return Scale(
        sample_sd_mean=flat.pooled_sd(courses, "mean"),
        sample_sd_trend=flat.pooled_sd(courses, "trend"),
        difference_error=change / 1.96,
        reliable_change=change,
        better=measure.better,
        worst=measure.turned_range[0],
        prior_mean=prior["mean"],
        prior_trend=prior["trend"],
        populations=Populations(courses, _top(courses, measure)),
    )


def _top(courses: Courses, measure: Measure) -> float:
    """Return the value from which on a rating lies at the top of its scale, half a step below."""
    return measure.turned_range[1] - flat.grid_step(courses.rating) / 2


def _reported(sessions: pd.DataFrame, events: pd.DataFrame | None) -> np.ndarray | None:
    """Say for each row of sessions whether a rupture was reported; None without such events."""
    if events is None or not (events["kind"] == "rupture").any():
        return None
    ruptures = events.loc[events["kind"] == "rupture", ["course", "session"]].astype(
        {"course": str}
    )
    rows = sessions[["course", "session"]].astype({"course": str})
    marked = rows.merge(ruptures.drop_duplicates(), how="left", indicator=True)
    return (marked["_merge"] == "both").to_numpy()


def arrange(
    sessions: pd.DataFrame,
    name: str,
    measure: Measure,
    events: pd.DataFrame | None = None,
) -> Ratings:
    """Arrange the ratings of one measure for the kernel.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table: columns `course`, `session`, `<name>` and `<name>__<component>`.
    name : str
        The measure.
    measure : Measure
    events : DataFrame, optional
        Canonical table of coded events: columns `course`, `session`, `kind`.

    Returns
    -------
    Ratings
    """
    sign = measure.sign
    codes, ids = pd.factorize(sessions["course"])
    rating = sign * sessions[name].to_numpy(dtype=np.float64)
    courses, row = flat.arrange(codes, sessions["session"].to_numpy(), rating)
    reported = _reported(sessions, events)
    if reported is not None:
        courses = replace(courses, reported=reported[row])
    components = {
        component: sign * sessions[f"{name}__{component}"].to_numpy(dtype=np.float64)[row]
        for component in measure.components
    }
    rated = np.asarray(ids, dtype=object)[codes[row[courses.start[:-1]]]]
    return Ratings(courses, scale_of(courses, measure), rated, components, len(ids))


def prepared(
    sessions: pd.DataFrame,
    name: str,
    measure: Measure,
    criteria: Iterable[Criterion],
    events: pd.DataFrame | None = None,
    models: Mapping[str, HiddenMarkovModel] | None = None,
) -> Ratings:
    """Arrange the ratings of one measure, with the hidden Markov model if a criterion needs it.

    Parameters as for :func:`arrange`; `criteria` are those that will be applied, and `models` come
    from :func:`fit_hidden_markov`. Without these the model is fitted here.
    """
    ratings = arrange(sessions, name, measure, events)
    if not any(criterion.run == "rupture_probability" for criterion in criteria):
        return ratings
    model = fitted_model(ratings, measure) if models is None else models.get(name)
    return replace(ratings, scale=replace(ratings.scale, model=model))


def alliance(measures: Measures) -> list[str]:
    """Return the names of the measures in which ruptures are detected."""
    return [name for name, measure in measures.items() if measure.shows_ruptures]


def fitted_model(
    ratings: Ratings, measure: Measure, soft_ends: float = ends.SHARE
) -> HiddenMarkovModel | None:
    """Fit the hidden Markov model to all ratings of a measure.

    Parameters
    ----------
    ratings : Ratings
    measure : Measure
    soft_ends : float
        Share of the range at each end, see
        :func:`rupture_repair.detection.hidden_markov.ends.soft_ends`.

    Returns
    -------
    HiddenMarkovModel or None
        None where there is no rating or the range is not known.
    """
    if measure.range is None or not len(ratings.courses.rating):
        return None
    low, high = measure.turned_range
    step = rupture_probability.smallest_step(ratings.courses)
    rating = ratings.courses.rating
    soft = ends.soft_ends(rating, ratings.components, measure, step=step, share=soft_ends)
    return rupture_probability.fit(ratings.courses, low=low, high=high, step=step, soft=soft)


def why_not_assessable(criterion: Criterion, measure: Measure, ratings: Ratings) -> str | None:
    """Say why a criterion cannot be applied to a measure at all; None where it can."""
    instrument, scale = measure.instrument, ratings.scale
    if not len(ratings.courses.rating):
        return "the measure has no rating"
    if criterion.instruments and instrument not in criterion.instruments:
        rule_for = " or ".join(criterion.instruments)
        other = instrument or "another scale"
        return because("other_instrument", rule_for=rule_for, instrument=other)
    needs_reliability = "reliable_change" in (criterion.unit, criterion.floor)
    if needs_reliability and not np.isfinite(scale.reliable_change):
        return "no reliability is known for this measure, so there is no reliable change"
    around = criterion.sd_around
    sample_sd = scale.sample_sd_trend if around == "trend" else scale.sample_sd_mean
    if criterion.unit in ("sample_sd", "larger_sd") and not sample_sd > 0:
        return "the ratings do not vary within courses"
    if criterion.window is not None and not population_of(criterion, scale).known:
        return "no course has three ratings that vary, so ordinary ups and downs are not known"
    if criterion.run in ("sudden_loss", "rupture_probability") and not np.isfinite(scale.worst):
        return "the rule needs the range of the scale"
    if criterion.run == "reported" and ratings.courses.reported is None:
        return "no coded events: no rupture was reported"
    if criterion.run == "rupture_probability" and not scale.model.identified:
        return scale.model.message
    if not isinstance(criterion.k, str) and np.isnan(criterion.k):
        return "no k was found at which rupture-free courses of this dataset rarely show an episode"
    low, high = measure.range or (-np.inf, np.inf)
    if criterion.value is not None and not low <= criterion.value <= high:
        ends = {"lowest": f"{low:g}", "highest": f"{high:g}"}
        return because("level_outside", cut_off=f"{criterion.value:g}", **ends)
    return None
