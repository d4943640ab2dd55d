"""What the page of the explorer may show, as plain data.

Where single courses may not be shown there are counts alone, and small ones are withheld with all
that would give them away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..chance.counts import Tally, compared
from ..chance.in_words import against_noise
from ..detection import episodes as ep
from ..detection.criteria import Criterion
from ..detection.ratings import Ratings
from ..disclosure.explored_counts import COLUMNS, explored_counts
from ..disclosure.gate import Gate
from ..project.measures import Measure
from ..project.page_mentions import without_mentions
from .grid import FoundBySetting, Offer, StackedReplicates

#: Entries of a row of counts, in order. Those of the ratings as observed come first.
OBSERVED = COLUMNS
EXPECTED = ("expected", "low", "high", "expected_courses", "expected_repaired")
_OF_CHANCE = ("expected", "expected_low", "expected_high", "expected_courses", "expected_repaired")

#: The last entry of a row: the place of what the counts say in words among `verdicts`.
VERDICT = "verdict"

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


def _as_set(chance: pd.DataFrame, criterion: Criterion) -> dict[str, Any]:
    """Return the row of the table chance of a criterion as it is set."""
    rows = chance[chance["criterion"] == criterion.id]
    return rows.iloc[0].to_dict() if len(rows) else {"status": None}


def _counts(
    offer: Offer, as_set: dict[str, Any], shown: NDArray, verdicts: list[str]
) -> list[list[float | None]]:
    """Return the rows of counts: :data:`OBSERVED` as they may be shown, :data:`EXPECTED`, verdict.

    The table chance has more replicates than are kept: its numbers stand where a setting finds the
    same as the criterion as it is set, in the ratings and in the replicates; not where these are
    of a sample of the courses, which have no row there.
    """
    own = offer.found[offer.choices.place]
    of_all = as_set["status"] is not None
    rows = []
    for found, seen in zip(offer.found, shown, strict=True):
        noise = as_set
        if found.noise is not None and not (of_all and _same(found, own)):
            noise = compared(found.seen, found.noise)
        verdict, _ = against_noise(noise | {"observed": seen[0]})
        if verdict not in verdicts:
            verdicts.append(verdict)
        numbers = [_rounded(noise.get(name, np.nan)) for name in _OF_CHANCE]
        counts = [None if np.isnan(one) else int(one) for one in seen]
        rows.append([*counts, *numbers, verdicts.index(verdict)])
    return rows


def _same(one: FoundBySetting, other: FoundBySetting) -> bool:
    """Return whether two settings find as many episodes everywhere, with their outcomes."""
    names = ("episodes", "courses", "repaired", "unrepaired")
    if one.noise is None or other.noise is None:
        return one.noise is other.noise
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in ((one.seen, other.seen), (one.noise, other.noise))
        for name in names
    )


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
    offer: Offer,
    chance: pd.DataFrame,
    size: tuple[float, int, int],
    shown: NDArray,
    gate: Gate,
    verdicts: list[str],
) -> dict[str, Any]:
    row, choices = offer.criterion, offer.choices
    content: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "rule": row.rule,
        "source": without_mentions(row.source),
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
            "counts": _counts(offer, _as_set(chance, row), shown, verdicts),
        }
        if gate.open:
            content |= _single(offer, *size)
    return content


def _size(gate: Gate, name: str, explored: int, every: int) -> dict[str, int | None]:
    """Return how many courses are explored, and of how many where they are a sample."""
    rated = _whole(gate.count(("rated courses", name), every))
    if explored < every:
        return {"n_courses": explored, "of_courses": rated}
    return {"n_courses": rated, "of_courses": None}


def content(
    offers: Sequence[Offer],
    ratings: Ratings,
    replicates: StackedReplicates,
    measure: Measure,
    chance: pd.DataFrame,
    *,
    every: int,
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
    every : int
        Courses of the dataset with a rating; `ratings` hold a sample of them where they are fewer.
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
    sample = len(courses.length) < every
    none, verdicts = np.empty((0, len(OBSERVED))), list[str]()
    size = sign, drawn, number
    # The table chance is of all courses.
    own = chance.iloc[:0] if sample else chance
    found: dict[str, Any] = {
        "name": name,
        "measure": measure.label,
        "stands_in": measure.stands_in,
        "better": measure.better,
        "shown": shown,
        "individuals": gate.open,
        "min_cell": gate.least,
        **_size(gate, name, len(courses.length), every),
        "replicates_as_set": replicates.number if sample else _most(chance["replicates"]),
        "replicates": replicates.number,
        "columns": [*OBSERVED, *EXPECTED, VERDICT],
        "verdicts": verdicts,
        "statuses": list(ep.STATUSES),
        "criteria": [
            _criterion(one, own, size, counts.get(one.criterion.id, none), gate, verdicts)
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
