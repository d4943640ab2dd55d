"""Counts of episodes and their outcomes, in observed and in replicated courses."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detection import episodes as ep
from ..detection.courses import Courses
from ..detection.criteria import Criterion
from ..detection.episodes import Episodes
from ..detection.fall_rules import Falls, Scale
from ..detection.ratings import Ratings
from ..project.arrays import Floats, Integers
from ..project.setting_groups import EdgeRules
from .replicates import MODELS, Null, find, scale_of, scale_of_each, simulate, stacked

#: Purposes of random numbers; each has its own stream.
EXPECTED, CALIBRATION = 0, 1


@dataclass(frozen=True)
class Tally:
    """What one criterion found in each replicate; arrays of shape (replicates,).

    Attributes
    ----------
    episodes, courses : ndarray
        Episodes, and courses with at least one.
    repaired, unrepaired : ndarray
        Episodes by what became of them; the others are censored.
    courses_assessable, sessions_assessable : ndarray
    by_course, assessable_by_course : ndarray, shape (courses of one replicate,)
        Replicates in which each course has an episode, and in which it can be assessed.
    """

    episodes: Integers | Floats
    courses: Integers | Floats
    repaired: Integers
    unrepaired: Integers
    courses_assessable: Integers
    sessions_assessable: Integers
    by_course: Integers
    assessable_by_course: Integers


def tally(courses: Courses, found: Falls, these: Episodes, replicates: int = 1) -> Tally:
    """Count per replicate what was found in stacked courses."""
    each = len(courses.length) // replicates
    course = courses.course[these.first_low]
    replicate = course // each

    def count(which: NDArray) -> Integers:
        return np.bincount(replicate[which], minlength=replicates)

    assessable = courses.total((found.reason == 0).astype(np.float64)).reshape(replicates, each)
    first_of_course = np.diff(course, prepend=-1) > 0
    return Tally(
        episodes=np.bincount(replicate, minlength=replicates),
        courses=count(first_of_course),
        repaired=count(these.status == ep.REPAIRED),
        unrepaired=count(these.status == ep.UNREPAIRED),
        courses_assessable=(assessable > 0).sum(axis=1),
        sessions_assessable=assessable.sum(axis=1).astype(np.int64),
        by_course=np.bincount(course[first_of_course] % each, minlength=each),
        assessable_by_course=(assessable > 0).sum(axis=0),
    )


#: The middle of the counts of replicates that is called their range.
RANGE = (0.05, 0.95)


def range_of_counts(noise: Tally) -> tuple[float, float]:
    """Return between which numbers of episodes the middle 90 % of the replicates lie.

    Both are missing with a single replicate.
    """
    if len(noise.episodes) < 2:
        return float("nan"), float("nan")
    low, high = np.quantile(noise.episodes, RANGE)
    return float(low), float(high)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def compared(seen: Tally, noise: Tally) -> dict[str, Any]:
    """Compare what was observed with what noise alone makes.

    Parameters
    ----------
    seen, noise : Tally
        Of the ratings, and of their replicates without ruptures.

    Returns
    -------
    dict
        The numbers of :func:`rupture_repair.chance.compare_with_chance.expected`.
    """
    number, count = len(noise.episodes), int(seen.episodes[0])
    mean = float(noise.episodes.mean())
    low, high = range_of_counts(noise)
    p = (1 + int((noise.episodes >= count).sum())) / (number + 1)
    known, known_noise = seen.repaired + seen.unrepaired, noise.repaired + noise.unrepaired
    return {
        "replicates": number,
        "n_courses_assessable": int(seen.courses_assessable[0]),
        "n_sessions_assessable": int(seen.sessions_assessable[0]),
        "observed": count,
        "expected": mean,
        "expected_sd": float(noise.episodes.std(ddof=1)) if number > 1 else np.nan,
        "expected_low": low,
        "expected_high": high,
        "ratio": _share(count, mean),
        "excess": count - mean,
        "false_discovery_rate": min(1.0, _share(mean, count)) if count else np.nan,
        "p": p,
        "p_error": float(np.sqrt(p * (1 - p) / number)),
        "observed_courses": int(seen.courses[0]),
        "expected_courses": float(noise.courses.mean()),
        "observed_repaired": _share(seen.repaired[0], known[0]),
        "expected_repaired": _share(noise.repaired.sum(), known_noise.sum()),
        "status": "assessed",
        "reason": None,
    }


def joined(parts: Sequence[Tally]) -> Tally:
    """Put the replicates of several tallies of the same courses one after the other."""

    def put(name: str) -> Integers:
        every = [getattr(part, name) for part in parts]
        return np.sum(every, axis=0) if name.endswith("by_course") else np.concatenate(every)

    return Tally(*(put(field.name) for field in fields(Tally)))


def observed(ratings: Ratings, criterion: Criterion, edge_rules: EdgeRules) -> Tally:
    """Count what a criterion finds in the ratings as observed."""
    courses = ratings.courses
    return tally(courses, *find(courses, ratings.scale, criterion, edge_rules))


def enlarged(noise: Tally, times: float) -> Tally:
    r"""Return counts of the whole dataset from those of a sample of its courses.

    With :math:`c_r` episodes in replicate :math:`r` of :math:`n` courses, :math:`f` times as many
    courses have :math:`f \bar c` on average. Courses are independent, so the variance over
    replicates is :math:`f` times as large; to it comes that of the sample of courses,
    :math:`f^2 n s^2 (1 - 1/f)`, where :math:`s` is the SD of the courses' expected counts
    (Cochran 1977, Sampling Techniques, chapter 2; an upper estimate, since the sample is spread
    evenly over lengths).

    Parameters
    ----------
    noise : Tally
        Of a sample.
    times : float
        Courses of the whole dataset by those of the sample; 1 changes nothing.

    Returns
    -------
    Tally
        Its counts of episodes and of courses with one lie around the enlarged mean with the SD of
        the whole; they are no whole numbers.
    """
    if times == 1:
        return noise
    number, replicates = len(noise.by_course), len(noise.episodes)
    between = float(np.var(noise.by_course / replicates, ddof=1))
    of_sample = times**2 * number * between * (1 - 1 / times)

    def spread_out(counts: Integers | Floats) -> Floats:
        mean, variance = counts.mean(), counts.var(ddof=1) if replicates > 1 else 0.0
        wanted = times * variance + of_sample
        stretch = np.sqrt(wanted / variance) if variance > 0 else 0.0
        return np.maximum(times * mean + stretch * (counts - mean), 0.0)

    return replace(noise, episodes=spread_out(noise.episodes), courses=spread_out(noise.courses))


def simulated(
    null: Null, model: str, block: int, replicates: NDArray, purpose: int
) -> tuple[Courses, Scale]:
    """Draw one block of replicates, stacked, with its scale.

    To be compared with the ratings each replicate is read as they are: by what is ordinary in
    itself. k is solved, and falls are planted, for what is ordinary in the ratings.
    """
    random = np.random.default_rng(null.seed(purpose, MODELS.index(model), block))
    courses = stacked(null, simulate(null, model, replicates, random))
    if purpose == EXPECTED:
        return courses, scale_of_each(null.ratings, courses)
    return courses, scale_of(null, courses)
