"""Rupture-free replicates of a dataset: the same courses, sessions and form, noise alone.

Two models. `autoregressive`: courses drawn from the ordinary fluctuation of the dataset, freed of
ruptures (:mod:`rupture_repair.chance.matching`). `shuffle`: the deviations of each course from its
own line in random order; nothing is assumed of their distribution, but their order is lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from ..detection import episodes as ep
from ..detection import run_rules
from ..detection.courses import (
    Courses,
    chosen,
    content,
    evenly_spaced,
    grid_step,
    pooled_sd,
    shrinkage,
    squares,
)
from ..detection.criteria import Criterion
from ..detection.episodes import Episodes
from ..detection.fall_rules import Falls, Scale
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import Ratings, prepared, why_not_assessable
from ..detection.ratings import scale_of as scale_of_ratings
from ..detection.scan.lines import Population, centred_sessions
from ..detection.scan.population import PopulationsOfEach
from ..project.arrays import Flags, Floats, Integers
from ..project.measures import Measure, Measures
from ..project.setting_groups import ChanceSettings, EdgeRules
from .matching import matched
from .noise import Noise, RatingForm, drawn

#: The null models.
MODELS = ("autoregressive", "shuffle")

#: Replicates that are drawn together, and about how many ratings these have at most. Random
#: numbers belong to a block: how many processes share the blocks does not change them.
BLOCK, BLOCK_RATINGS = 100, 200_000

#: Replicates are kept up to about this many ratings.
KEPT_RATINGS = 120_000


@dataclass(frozen=True)
class Null:
    """All that is needed to make rupture-free replicates of one measure.

    Attributes
    ----------
    ratings : Ratings
        As observed.
    name : str
        The measure.
    measure : Measure
    form : RatingForm
    noise : Noise
    line : ndarray, shape (ratings,)
        Level and shrunk trend of each course as observed, for the model `shuffle`.
    entropy : tuple of int
        Where all random numbers come from: the seed and the name of the measure.
    """

    ratings: Ratings
    name: str
    measure: Measure
    form: RatingForm
    noise: Noise
    line: Floats
    entropy: tuple[int, ...]

    @property
    def courses(self) -> Courses:
        """The observed ratings, turned so that higher is better."""
        return self.ratings.courses

    @property
    def unknown(self) -> str | None:
        """Why there is no noise to draw; None where there is."""
        if self.noise.seen.known:
            return None
        return "no course has three ratings that vary, so ordinary ups and downs are not known"

    def seed(self, *key: int) -> np.random.SeedSequence:
        """Return the seed of one purpose and block."""
        return np.random.SeedSequence(self.entropy, spawn_key=key)

    def blocks(self, replicates: int) -> Iterator[tuple[int, Integers]]:
        """Yield number and replicates of each block."""
        size = max(1, min(BLOCK, BLOCK_RATINGS // max(1, len(self.courses.rating))))
        for block, first in enumerate(range(0, replicates, size)):
            yield block, np.arange(first, min(first + size, replicates))


def form_of(courses: Courses, measure: Measure) -> RatingForm:
    """Return ends and step of the form, turned so that higher is better.

    The step is taken from the ratings: the grid on which all of them lie.
    """
    low, high = measure.turned_range
    step = grid_step(courses.rating)
    return RatingForm(low, high, step, float(courses.rating[0]) if len(courses.rating) else 0.0)


def shrunk_slope(courses: Courses) -> Floats:
    r"""Return the trend of each course, shrunk towards the mean trend of the dataset.

    With the regression slopes :math:`\hat b_i`, their sampling variances :math:`v_i` and the
    variance :math:`\tau^2` between courses by the method of moments (DerSimonian & Laird 1986,
    Controlled Clinical Trials 7, 177-188), the result is
    :math:`\bar b + \frac{\tau^2}{\tau^2 + v_i} (\hat b_i - \bar b)`.

    Returns
    -------
    ndarray, shape (courses,)
        Points per session; 0 for a course whose ratings do not vary.
    """
    centred = centred_sessions(courses)
    spread = courses.total(centred**2)
    error = pooled_sd(courses, "trend")
    if not (spread > 0).any() or not error > 0:
        return np.zeros(len(spread))
    weight = spread / error**2
    slope = courses.total(centred * courses.rating) / np.where(spread > 0, spread, 1.0)
    mean = float((weight * slope).sum() / weight.sum())
    surplus = float((weight * (slope - mean) ** 2).sum()) - (int((spread > 0).sum()) - 1)
    between = max(0.0, surplus / float(weight.sum() - (weight**2).sum() / weight.sum() or 1.0))
    shrunk = mean + between * weight / (between * weight + 1) * (slope - mean)
    varies = squares(courses, "mean")[0] > 0
    return np.where(varies, shrunk, 0.0)


def prepare(ratings: Ratings, name: str, measure: Measure, *, seed: int) -> Null:
    """Estimate the noise of a measure.

    Parameters
    ----------
    ratings : Ratings
        From :func:`rupture_repair.detection.detect.arrange`.
    name : str
        The measure.
    measure : Measure
    seed : int
        Not negative.

    Returns
    -------
    Null
        Its courses are in an order of their content.
    """
    ratings = _by_content(ratings, measure)
    courses, entropy = ratings.courses, (seed, crc32(name.encode()))
    form, line = form_of(courses, measure), courses.rating
    nothing = Population(0.0, np.inf, 0.0, np.inf, 0.0, 0.0, 0.0, 0.0)
    model = Noise(nothing, line, np.empty(0), np.empty(0), nothing, 0.0)
    if len(line):
        top = form.high - form.step / 2
        model, form = matched(courses, form, top, np.random.SeedSequence(entropy))
        level = courses.spread(courses.total(courses.rating) / courses.length)
        line = level + courses.spread(shrunk_slope(courses)) * centred_sessions(courses)
    return Null(ratings, name, measure, form, model, line, entropy)


def _by_content(ratings: Ratings, measure: Measure) -> Ratings:
    """Return ratings with their courses in an order of their content.

    The order decides which course gets which random numbers.
    """
    return of_courses(ratings, measure, np.argsort(content(ratings.courses), kind="stable"))


def of_courses(ratings: Ratings, measure: Measure, which: Integers) -> Ratings:
    """Return the ratings of some courses by their positions, or of all in another order."""
    courses, rating = chosen(ratings.courses, which)
    return replace(
        ratings,
        courses=courses,
        scale=replace(scale_of_ratings(courses, measure), model=ratings.scale.model),
        course_ids=ratings.course_ids[which],
        components={name: values[rating] for name, values in ratings.components.items()},
    )


@dataclass(frozen=True)
class Plant:
    """One fall per course and replicate, put into the noise.

    Attributes
    ----------
    depth : float
        Fall in units of the course's own SD of the noise.
    low : ndarray of bool, shape (replicates, ratings)
        Where the fall holds.
    """

    depth: float
    low: Flags


def latent(null: Null, replicates: Integers, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw latent values of the autoregressive model.

    Parameters
    ----------
    null : Null
    replicates : ndarray of int
        Numbers of replicates.
    random : Generator

    Returns
    -------
    latent, sd : ndarray, shape (replicates, ratings)
        Before they are put on the form; and the SD of the noise.
    """
    return drawn(null.courses, null.noise, len(replicates), random)


def rated(null: Null, value: Floats, sd: Floats, plant: Plant | None = None) -> Floats:
    """Put latent values on the form, after a fall where one is planted.

    The fall counts from the end of the scale where the latent value lies beyond: who is at the
    upper end comes down by all of it.
    """
    if plant is not None:
        lowered = np.minimum(value, null.form.high) - plant.depth * sd
        value = np.where(plant.low, lowered, value)
    return null.form.rate(value)


def shuffled(null: Null, replicates: Integers, random: np.random.Generator) -> Floats:
    """Draw ratings of the model `shuffle`, shape (replicates, ratings)."""
    keys = random.random((len(replicates), len(null.line))) + null.courses.course
    order = np.argsort(keys, axis=1)
    value = null.line + (null.courses.rating - null.line)[order]
    return replace(null.form, soft=0.0).rate(value)  # ratings as observed are bent already


def simulate(null: Null, model: str, replicates: Integers, random: np.random.Generator) -> Floats:
    """Draw rupture-free ratings of the whole dataset.

    Parameters
    ----------
    null : Null
    model : {"autoregressive", "shuffle"}
    replicates : ndarray of int
    random : Generator

    Returns
    -------
    ndarray, shape (replicates, ratings)
        Turned so that higher is better, for the sessions of ``null.courses``.
    """
    if model == "shuffle":
        return shuffled(null, replicates, random)
    return rated(null, *latent(null, replicates, random))


def stacked(null: Null, rating: Floats) -> Courses:
    """Set replicates one after the other, as if they were further courses."""
    number, length = rating.shape
    start = null.courses.start
    offset = np.arange(number)[:, None] * length
    starts = np.append((offset + start[:-1]).ravel(), number * length)
    return Courses(rating.ravel(), np.tile(null.courses.session, number), starts)


def evenly(courses: Courses, number: int) -> Courses:
    """Return so many courses, each about as often as the others."""
    return chosen(courses, np.arange(number) * len(courses.length) // number)[0]


def sampled(ratings: Ratings, measure: Measure, number: int) -> Ratings:
    """Return the ratings of at most `number` courses, evenly spaced by length and content.

    Parameters
    ----------
    ratings : Ratings
    measure : Measure
    number : int

    Returns
    -------
    Ratings
        The same object where there are no more courses than that.
    """
    if len(ratings.courses.length) <= number:
        return ratings
    return of_courses(ratings, measure, evenly_spaced(ratings.courses, number))


def null_of(
    sessions: pd.DataFrame,
    name: str,
    measures: Measures,
    criteria: Sequence[Criterion] = (),
    *,
    seed: int,
    models: Mapping[str, HiddenMarkovModel] | None = None,
) -> Null:
    """Return what replicates of a measure are made of, from the table of sessions.

    Parameters
    ----------
    sessions, name, measures, criteria, models
        As for :func:`rupture_repair.detection.ratings.prepared`.
    seed : int
    """
    ratings = prepared(sessions, name, measures[name], criteria, models=models)
    return prepare(ratings, name, measures[name], seed=seed)


def kept_replicates(
    null: Null, settings: ChanceSettings, purpose: int, *, dataset: str
) -> pd.DataFrame:
    """Return the first replicates of a purpose as a table, for people to look at.

    Parameters
    ----------
    null : Null
    settings : ChanceSettings
        The first of its `null_models` is drawn from.
    purpose : int
        Of the random numbers, see :meth:`Null.seed`.
    dataset : str

    Returns
    -------
    DataFrame
        One row per replicate, course and rated session, with columns `dataset`, `measure`,
        `null_model`, `replicate` (from 1), `course`, `session` and `rating` (in the direction of
        the measure): as many replicates as :data:`KEPT_RATINGS` ratings hold, at least one; none
        where nothing is known of noise.
    """
    courses, model = null.courses, settings.null_models[0]
    block, members = next(null.blocks(settings.replicates))
    number = int(np.clip(KEPT_RATINGS // max(1, len(courses.rating)), 1, len(members)))
    number = 0 if null.unknown else number
    rating = np.empty((number, 0))
    if len(courses.rating):
        random = np.random.default_rng(null.seed(purpose, MODELS.index(model), block))
        rating = simulate(null, model, members, random)[:number]
    sign = null.measure.sign
    names = null.ratings.course_ids[courses.course]
    order = np.argsort(names, kind="stable")  # for people to read
    ids = pd.Categorical(names[order])
    table = pd.DataFrame(
        {
            "replicate": np.repeat(np.arange(1, number + 1, dtype=np.int32), len(ids)),
            "course": ids.take(np.tile(np.arange(len(ids)), number)),
            "session": np.tile(courses.session[order], number),
            "rating": sign * rating[:, order].ravel(),
        }
    )
    for place, name in enumerate(("dataset", "measure", "null_model")):
        word = {"dataset": dataset, "measure": null.name, "null_model": model}[name]
        table.insert(place, name, pd.Categorical([word] * len(table)))
    return table


def scale_of(null: Null, courses: Courses) -> Scale:
    """Return the scale of replicates of which the observed ratings say what is ordinary."""
    return replace(scale_of_each(null.ratings, courses), populations=null.ratings.scale.populations)


def scale_of_each(ratings: Ratings, courses: Courses) -> Scale:
    """Return the scale of each replicate: all but the reliable change estimated from itself.

    Parameters
    ----------
    ratings : Ratings
        As observed.
    courses : Courses
        Replicates, one after the other, from :func:`stacked`.

    Returns
    -------
    Scale
        Pooled SDs are arrays with one entry per course, since replicates differ. The prior of
        shrunk SDs is that of all these replicates together. What is ordinary is estimated in each
        when a criterion asks for it.
    """
    number = len(ratings.courses.length)
    found: dict[str, Any] = {}
    for around in ("mean", "trend"):
        total, free = squares(courses, around)
        known = (free > 0).reshape(-1, number)
        sums = np.where(known, total.reshape(-1, number), 0.0).sum(axis=1)
        degrees = np.where(known, free.reshape(-1, number), 0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[f"sample_sd_{around}"] = np.repeat(np.sqrt(sums / degrees), number)
        found[f"prior_{around}"] = shrinkage(total / np.maximum(free, 1), free)
    top, replicates = ratings.scale.populations.top, len(courses.length) // number
    found["populations"] = PopulationsOfEach.of(courses, replicates, top)
    return replace(ratings.scale, **found)


def find(
    courses: Courses, scale: Scale, criterion: Criterion, edge_rules: EdgeRules
) -> tuple[Falls, Episodes]:
    """Run the kernel: the same steps as :func:`rupture_repair.detection.detect.detect_one`."""
    found = run_rules.falls(courses, criterion, scale, edge_rules.max_gap)
    return found, ep.find_episodes(courses, found, criterion, edge_rules.onset_inside_episode)


#: Rules that ask a model of every course: they get fewer replicates.
SLOW = ("rupture_probability",)

#: Rules for which there are no replicates, and why.
NOT_SIMULATED = {"reported": "reports of ruptures cannot be simulated from the ratings"}


def refusal(null: Null, criterion: Criterion, edge_rules: EdgeRules) -> str | None:
    """Say why a criterion cannot be judged by replicates; None where it can."""
    why = NOT_SIMULATED.get(criterion.run or "")
    why = why or why_not_assessable(criterion, null.measure, null.ratings) or null.unknown
    if why is None:
        found, _ = find(null.courses, null.ratings.scale, criterion, edge_rules)
        if found.reason.all():
            return "no session could be assessed"
    return why
