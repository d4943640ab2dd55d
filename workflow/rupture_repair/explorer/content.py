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
EXPECTED = ("expected", "low", "high", "expected_courses", "expected_repaired")

#: Single courses are drawn up to this many, so that the page stays small; counts are of all.
MOST_COURSES = 500


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _most(numbers: pd.Series) -> int:
    known = numbers.dropna()
    return int(known.max()) if len(known) else 0


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
    """Return what noise makes of a criterion as it is set, as the table chance has it."""
    row = chance[(chance["criterion"] == criterion.id) & (chance["status"] == "assessed")]
    if row.empty:
        return [None] * len(EXPECTED)
    columns = ("expected", "expected_low", "expected_high", "expected_courses", "expected_repaired")
    return [_rounded(row.iloc[0][name]) for name in columns]


def _counts(offer: Offer, as_set: list[float | None], shown: NDArray) -> list[list[float | None]]:
    """Return the rows of counts: :data:`OBSERVED` as they may be shown, and :data:`EXPECTED`.

    The table chance has more replicates than are kept: its numbers stand where noise makes the
    same of a setting as of the criterion as it is set.
    """
    own = offer.found[offer.choices.place].noise
    rows = []
    for found, seen in zip(offer.found, shown, strict=True):
        noise = as_set
        if found.noise is not None and own is not None and not _same(found.noise, own):
            noise = [_rounded(number) for number in expected(found.noise).values()]
        rows.append([*(None if np.isnan(one) else int(one) for one in seen), *noise])
    return rows


def _same(one: Tally, other: Tally) -> bool:
    """Return whether two settings find as many episodes in each replicate, with their outcomes."""
    names = ("episodes", "courses", "repaired", "unrepaired")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


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
        content |= {
            "k": choices.k,
            "floor": [round(value, 2) for value in choices.floor],
            "within": choices.within,
            "start": choices.start,
            "counts": _counts(offer, _from_table(chance, row), shown),
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
        "name": name,
        "measure": measure.label,
        "stands_in": measure.stands_in,
        "better": measure.better,
        "shown": shown,
        "individuals": gate.open,
        "min_cell": gate.least,
        "n_courses": _whole(gate.count(("rated courses", name), len(courses.length))),
        "replicates_as_set": _most(chance["replicates"]),
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
