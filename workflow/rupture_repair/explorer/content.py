"""What the page of the explorer may show, as plain data.

Where single courses may not be shown there are counts alone, and small ones are withheld with all
that would give them away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..chance.counts import Tally
from ..detection import episodes as ep
from ..detection.criteria import Criterion
from ..detection.ratings import Ratings
from ..disclosure.explored_counts import COLUMNS, explored_counts
from ..disclosure.gate import Gate
from ..project.measures import Measure
from .grid import Offer, StackedReplicates, expected

#: Entries of a row of counts, in order. Those of the ratings as observed come first.
OBSERVED = COLUMNS
EXPECTED = ("expected", "error", "expected_courses", "expected_repaired")

#: Single courses are drawn up to this many, so that the page stays small; counts are of all.
MOST_COURSES = 500


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _whole(count: float) -> int | None:
    return None if np.isnan(count) else int(count)


def observed(seen: Tally) -> list[int]:
    """Return the entries of :data:`OBSERVED` in the ratings as observed."""
    repaired, unrepaired = int(seen.repaired[0]), int(seen.unrepaired[0])
    episodes = int(seen.episodes[0])
    censored = episodes - repaired - unrepaired
    courses, assessable = int(seen.courses[0]), int(seen.courses_assessable[0])
    return [episodes, courses, repaired, unrepaired, censored, assessable]


def _from_table(chance: pd.DataFrame, criterion: Criterion) -> list[float | None]:
    """Return what noise makes of a rule whose settings are fixed, as the table chance has it."""
    row = chance[(chance["criterion"] == criterion.id) & (chance["status"] == "assessed")]
    if row.empty:
        return [None] * len(EXPECTED)
    first = row.iloc[0]
    error = first["expected_sd"] / np.sqrt(first["replicates"])
    numbers = (first["expected"], error, first["expected_courses"], first["expected_repaired"])
    return [_rounded(number) for number in numbers]


def _counts(
    offer: Offer, chance: Sequence[float | None], shown: NDArray
) -> list[list[float | None]]:
    """Return the rows of counts: :data:`OBSERVED` as they may be shown, and :data:`EXPECTED`."""
    rows = []
    for found, seen in zip(offer.found, shown, strict=True):
        noise = list(chance)
        if found.noise is not None:
            noise = [_rounded(number) for number in expected(found.noise).values()]
        rows.append([*(None if np.isnan(one) else int(one) for one in seen), *noise])
    return rows


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
        unit = offer.falls.unit
        if offer.criterion.window is not None:
            unit = offer.falls.threshold / float(offer.criterion.k)  # of a single rating
        drawn["unit"] = [_rounded(value) for value in unit[:courses]]
    return drawn


def _criterion(
    offer: Offer, chance: pd.DataFrame, size: tuple[float, int, int], shown: NDArray, gate: Gate
) -> dict[str, Any]:
    row, choices = offer.criterion, offer.choices
    content: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "rule": row.rule,
        "source": row.source,
        "standing": row.standing,
        "refusal": gate.text(offer.refusal),
        "fixed": offer.fixed,
    }
    if offer.refusal is None:
        fallback = _from_table(chance, row)
        content |= {
            "k": choices.k,
            "floor": [round(value, 2) for value in choices.floor],
            "within": choices.within,
            "start": choices.start,
            "counts": _counts(offer, fallback, shown),
        }
        if gate.open:
            content |= _single(offer, *size)
    return content


def content(
    offers: Sequence[Offer],
    ratings: Ratings,
    replicates: StackedReplicates,
    measure: Measure,
    chance: pd.DataFrame,
    *,
    name: str,
    shown: str,
    gate: Gate,
) -> dict[str, Any]:
    """Return all that the page shows of one measure.

    Parameters
    ----------
    offers : sequence of Offer
        One per criterion.
    ratings : Ratings
    replicates : StackedReplicates
    measure : Measure
    chance : DataFrame
        Rows of the table chance of this measure, the first null model first.
    name, shown : str
        The measure, and the criterion that is shown at first.
    gate : Gate

    Returns
    -------
    dict
        Plain data. Where single courses may be shown, the ratings are in the direction of the
        measure, flat, with `start` of each course.
    """
    courses = ratings.courses
    sign = measure.sign
    drawn = min(MOST_COURSES, len(courses.length))
    number = int(courses.start[drawn])
    usable = [one for one in offers if one.refusal is None]
    passed = explored_counts(
        gate,
        name,
        [one.criterion for one in usable],
        [np.array([observed(found.seen) for found in one.found]) for one in usable],
        [one.choices.place for one in usable],
    )
    counts = {one.criterion.id: table for one, table in zip(usable, passed, strict=True)}
    none = np.empty((0, len(OBSERVED)))
    size = sign, drawn, number
    found: dict[str, Any] = {
        "measure": measure.label,
        "better": measure.better,
        "shown": shown,
        "individuals": gate.open,
        "min_cell": gate.least,
        "n_courses": _whole(gate.count(("rated courses", name), len(courses.length))),
        "n_ratings": _whole(gate.count(("ratings", name), len(courses.rating))),
        "replicates": replicates.number,
        "columns": [*OBSERVED, *EXPECTED],
        "statuses": list(ep.STATUSES),
        "criteria": [
            _criterion(one, chance, size, counts.get(one.criterion.id, none), gate)
            for one in offers
        ],
    }
    if gate.open:
        found |= {
            "courses": [str(course) for course in ratings.course_ids[:drawn]],
            "start": courses.start[: drawn + 1].tolist(),
            "sessions": courses.session[:number].tolist(),
            "ratings": [_rounded(sign * value, 2) for value in courses.rating[:number]],
        }
    return found
