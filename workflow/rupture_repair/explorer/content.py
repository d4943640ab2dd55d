"""What the page of the explorer may show, as plain data.

Where single courses may not be shown there are counts alone, and small ones are withheld with all
that would give them away.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..chance.counts import Tally
from ..detection import episodes as ep
from ..detection.criteria import Criterion
from ..detection.ratings import Ratings
from ..project.disclosure import small
from ..project.measures import Measure
from .grid import Found, Offer, Replicates, expected

#: Entries of a row of counts, in order. Those of the ratings as observed come first.
OBSERVED = ("episodes", "courses", "repaired", "unrepaired", "censored", "assessable")
EXPECTED = ("expected", "error", "expected_courses", "expected_repaired")

#: Single courses are drawn up to this many, so that the page stays small; counts are of all.
MOST_COURSES = 500


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def withheld(seen: Mapping[str, int], least: int) -> dict[str, int | None]:
    """Return the counts of a setting without the small ones.

    Parameters
    ----------
    seen : mapping
        The entries of :data:`OBSERVED`.
    least : int
        The smallest count that is shown, but for 0.

    Returns
    -------
    dict
        None for what is withheld: counts from 1 to `least` - 1; the courses with an episode also
        where so few are without one; what became of episodes as soon as one of these counts is
        small, since the rest follows from the total; and all but `assessable` where the courses
        with an episode are few.
    """
    shown: dict[str, int | None] = dict(seen)
    parts = ("repaired", "unrepaired", "censored")
    if small([seen[name] for name in parts], least).any():
        shown |= dict.fromkeys(parts)
    if small([seen["courses"], seen["episodes"]], least).any():
        shown |= dict.fromkeys(("episodes", "courses", *parts))
    if small(seen["assessable"] - seen["courses"], least):
        shown["courses"] = None
    if small(seen["assessable"], least):
        shown = dict.fromkeys(shown)
    return shown


def _observed(seen: Tally) -> dict[str, int]:
    repaired, unrepaired = int(seen.repaired[0]), int(seen.unrepaired[0])
    episodes = int(seen.episodes[0])
    return {
        "episodes": episodes,
        "courses": int(seen.courses[0]),
        "repaired": repaired,
        "unrepaired": unrepaired,
        "censored": episodes - repaired - unrepaired,
        "assessable": int(seen.courses_assessable[0]),
    }


def _from_table(chance: pd.DataFrame, criterion: Criterion) -> list[float | None]:
    """Return what noise makes of a rule whose settings are fixed, as the table chance has it."""
    row = chance[(chance["criterion"] == criterion.id) & (chance["status"] == "assessed")]
    if row.empty:
        return [None] * len(EXPECTED)
    first = row.iloc[0]
    error = first["expected_sd"] / np.sqrt(first["replicates"])
    numbers = (first["expected"], error, first["expected_courses"], first["expected_repaired"])
    return [_rounded(number) for number in numbers]


def counts(found: Found, chance: Sequence[float | None], least: int | None) -> list[float | None]:
    """Return one row of counts: the entries of :data:`OBSERVED` and :data:`EXPECTED`.

    Parameters
    ----------
    found : Found
    chance : sequence
        The entries of :data:`EXPECTED` where there are no replicates.
    least : int or None
        The smallest count shown; None for all.
    """
    seen: Mapping[str, int | None] = _observed(found.seen)
    if least is not None:
        seen = withheld(_observed(found.seen), least)
    noise = list(chance)
    if found.noise is not None:
        noise = [_rounded(number) for number in expected(found.noise).values()]
    return [*(seen[name] for name in OBSERVED), *noise]


def _episodes(these: ep.Episodes, ratings: int) -> list[Any]:
    """Return episodes as first low ratings (each as the step from the last), ends and outcomes."""
    kept = these.first_low < ratings
    first = these.first_low[kept]
    return [
        np.diff(first, prepend=0).tolist(),
        (these.end[kept] - first).tolist(),
        "".join(map(str, these.status[kept].tolist())),
    ]


def _single(offer: Offer, sign: float, courses: int, ratings: int) -> dict[str, Any]:
    """Return what is needed to draw single courses by one criterion."""
    sets: dict[int, int] = {}
    kept: list[list[Any]] = []
    for found in offer.found:
        if id(found) not in sets:
            sets[id(found)] = len(kept)
            kept.append(_episodes(found.episodes, ratings))
    drawn: dict[str, Any] = {"sets": kept, "which": [sets[id(found)] for found in offer.found]}
    if offer.falls is not None:
        level: NDArray = sign * offer.falls.reference[:ratings]
        drawn["reference"] = [_rounded(value, 2) for value in level]
        drawn["unit"] = [_rounded(value) for value in offer.falls.unit[:courses]]
    return drawn


def _criterion(
    offer: Offer, chance: pd.DataFrame, size: tuple[float, int, int], least: int | None
) -> dict[str, Any]:
    row, choices = offer.criterion, offer.choices
    content: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "rule": row.rule,
        "source": row.source,
        "standing": row.standing,
        "refusal": offer.refusal,
        "fixed": offer.fixed,
    }
    if offer.refusal is None:
        fallback = _from_table(chance, row)
        content |= {
            "k": choices.k,
            "floor": [round(value, 2) for value in choices.floor],
            "within": choices.within,
            "start": choices.start,
            "counts": [counts(found, fallback, least) for found in offer.found],
        }
        if least is None:
            content |= _single(offer, *size)
    return content


def content(
    offers: Sequence[Offer],
    ratings: Ratings,
    replicates: Replicates,
    measure: Measure,
    chance: pd.DataFrame,
    *,
    shown: str,
    individuals: bool,
    min_cell: int,
) -> dict[str, Any]:
    """Return all that the page shows of one measure.

    Parameters
    ----------
    offers : sequence of Offer
        One per criterion.
    ratings : Ratings
    replicates : Replicates
    measure : Measure
    chance : DataFrame
        Rows of the table chance of this measure, the first null model first.
    shown : str
        Id of the criterion that is shown at first.
    individuals : bool
        Whether single courses may be shown.
    min_cell : int
        The smallest count that is shown where they may not.

    Returns
    -------
    dict
        Plain data. With `individuals` the ratings are in the direction of the measure, flat, with
        `start` of each course.
    """
    courses = ratings.courses
    sign = measure.sign
    drawn = min(MOST_COURSES, len(courses.length))
    number = int(courses.start[drawn])
    least = None if individuals else min_cell
    found: dict[str, Any] = {
        "measure": measure.label,
        "better": measure.better,
        "shown": shown,
        "individuals": individuals,
        "min_cell": min_cell,
        "n_courses": len(courses.length),
        "n_ratings": len(courses.rating),
        "replicates": replicates.number,
        "columns": [*OBSERVED, *EXPECTED],
        "statuses": list(ep.STATUSES),
        "criteria": [_criterion(one, chance, (sign, drawn, number), least) for one in offers],
    }
    if individuals:
        found |= {
            "courses": [str(course) for course in ratings.course_ids[:drawn]],
            "start": courses.start[: drawn + 1].tolist(),
            "sessions": courses.session[:number].tolist(),
            "ratings": [_rounded(sign * value, 2) for value in courses.rating[:number]],
        }
    return found
