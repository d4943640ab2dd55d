"""What a criterion finds, and what noise alone would make, at every setting that is offered.

The kernel and the rupture-free replicates are those of
:mod:`rupture_repair.chance.compare_with_chance`; settings that cannot differ are computed once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ..chance.counts import Tally, tally
from ..chance.replicates import of_courses, scale_of_each
from ..detection import courses as flat
from ..detection import episodes as ep
from ..detection import fall_rules, run_rules
from ..detection.courses import Courses
from ..detection.criteria import Criterion
from ..detection.fall_rules import Falls, Scale
from ..detection.ratings import Ratings, why_not_assessable
from ..project.measures import Measure
from ..project.setting_groups import EdgeRules

#: Offered for k: these parts of the k of the criterion.
K_FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)

#: Offered for the floor: none, and these parts of the reliable change.
FLOORS = (0.5, 1.0)

#: Offered for the window next to that of the criterion: sessions.
WINDOWS = (2, 3, 5)

#: Why settings of a criterion cannot be moved.
RUN_RULE = "This rule is more than a threshold, so it is shown as it is set."


@dataclass(frozen=True)
class Choices:
    """The values offered for each setting, in order, and where those of the criterion stand.

    Attributes
    ----------
    k : tuple of float
    floor : tuple of float
        Points; 0 for none.
    within : tuple of int or None
        Sessions in which a repair counts; None for the rest of the course.
    start : tuple of int
        Places of the criterion's own k, floor and window.
    """

    k: tuple[float, ...]
    floor: tuple[float, ...]
    within: tuple[int | None, ...]
    start: tuple[int, int, int]

    @property
    def place(self) -> int:
        """Where the criterion's own settings are among :meth:`settings`."""
        k, floor, within = self.start
        return (k * len(self.floor) + floor) * len(self.within) + within

    def settings(self) -> Iterator[tuple[float, float, int | None]]:
        """Yield every combination, the window changing fastest."""
        return product(self.k, self.floor, self.within)


@dataclass(frozen=True)
class FoundBySetting:
    """What one setting finds.

    Attributes
    ----------
    seen : Tally
        In the ratings as observed.
    noise : Tally or None
        In the rupture-free replicates; None where these cannot judge the rule.
    episodes : Episodes
        In the ratings as observed.
    """

    seen: Tally
    noise: Tally | None
    episodes: ep.Episodes


@dataclass(frozen=True)
class Offer:
    """A criterion with all its settings.

    Attributes
    ----------
    criterion : Criterion
    refusal : str or None
        Why it cannot be applied to the measure at all; there are no settings then.
    fixed : str or None
        Why its settings cannot be moved.
    choices : Choices
    falls : Falls or None
        By the criterion as it is set: reference and unit do not depend on k, floor and window.
    found : list of FoundBySetting
        One per setting, in the order of :meth:`Choices.settings`.
    """

    criterion: Criterion
    refusal: str | None
    fixed: str | None
    choices: Choices
    falls: Falls | None
    found: list[FoundBySetting]


@dataclass(frozen=True)
class StackedReplicates:
    """Rupture-free replicates of the ratings, stacked as further courses."""

    courses: Courses
    scale: Scale
    number: int


def simulated_courses(table: pd.DataFrame, ratings: Ratings, measure: Measure) -> Ratings:
    """Return the ratings of the courses that have replicates: of a large dataset a sample.

    Parameters as for :func:`replicates_of`.
    """
    simulated = np.flatnonzero(np.isin(ratings.course_ids, table["course"].unique()))
    every = table.empty or len(simulated) == len(ratings.course_ids)
    return ratings if every else of_courses(ratings, measure, simulated)


def replicates_of(table: pd.DataFrame, ratings: Ratings, measure: Measure) -> StackedReplicates:
    """Arrange the kept replicates of one measure for the kernel.

    Parameters
    ----------
    table : DataFrame
        From :func:`rupture_repair.chance.replicates.kept_replicates`, rows of the measure.
    ratings : Ratings
        As observed.
    measure : Measure
    """
    if table.empty:  # nothing is known of noise
        return StackedReplicates(ratings.courses, ratings.scale, 0)
    sign = measure.sign
    number, each = int(table["replicate"].max()), len(ratings.course_ids)
    place = {course: code for code, course in enumerate(ratings.course_ids)}
    codes = (table["replicate"].to_numpy() - 1) * each + table["course"].map(place).to_numpy()
    courses, _ = flat.arrange(codes, table["session"], sign * table["rating"].to_numpy())
    return StackedReplicates(courses, scale_of_each(ratings, courses), number)


def _with(values: Sequence[Any], own: Any) -> tuple[Any, ...]:
    """Return the values in order, the criterion's own among them; None is the largest."""
    every = set(values) | {own}
    return tuple(sorted(every, key=lambda value: np.inf if value is None else value))


def choices_of(criterion: Criterion, scale: Scale) -> Choices:
    """Return what is offered for a criterion; one value each where nothing can be moved."""
    k, within = float(criterion.k), criterion.repair.within
    floor = float(np.nan_to_num(fall_rules.floor_in_points(criterion, scale)))
    if criterion.run:
        return Choices((k,), (floor,), (within,), (0, 0, 0))
    ks = _with([round(factor * k, 2) for factor in K_FACTORS if factor != 1], k)
    sizes = [size * scale.reliable_change for size in FLOORS]
    # With a window the floor decides which runs there are: it cannot be moved afterwards.
    offered = [] if criterion.window else [0.0, *(size for size in sizes if np.isfinite(size))]
    floors = _with(offered, floor)
    windows = _with(WINDOWS, within)
    return Choices(ks, floors, windows, (ks.index(k), floors.index(floor), windows.index(within)))


def _lowered(courses: Courses, found: Falls, floor: float, strict: bool) -> Falls:
    """Return the falls with another floor."""
    low = fall_rules.meets(found.fall, courses.spread(found.threshold), floor, strict)
    return replace(found, floor=floor, low=low & (found.reason == 0))


def _smallest_threshold(courses: Courses, found: Falls) -> float:
    """Return the smallest threshold in points of any course that can be assessed."""
    known = courses.total((found.reason == 0).astype(np.float64)) > 0
    return float(found.threshold[known].min(initial=np.inf))


class _SettingSearch:
    """Applies one criterion with other settings, to the ratings and to their replicates."""

    def __init__(
        self,
        ratings: Ratings,
        replicates: StackedReplicates | None,
        criterion: Criterion,
        edge_rules: EdgeRules,
    ):
        self.criterion, self.edge_rules = criterion, edge_rules
        self.sources = [(ratings.courses, ratings.scale, 1)]
        if replicates is not None and replicates.number:
            self.sources.append((replicates.courses, replicates.scale, replicates.number))
        self.known: dict[tuple[Any, ...], FoundBySetting] = {}

    def falls(self, k: float) -> list[Falls]:
        """Return the falls of each source at one k, without a floor unless there is a window."""
        rule = replace(self.criterion, k=k)
        if rule.window is None:
            rule = replace(rule, floor=None)
        return [
            run_rules.falls(courses, rule, scale, self.edge_rules.max_gap)
            for courses, scale, _ in self.sources
        ]

    def lowered(self, falls: Sequence[Falls], floor: float) -> list[Falls]:
        """Return the falls of each source with another floor."""
        if self.criterion.window is not None:
            return list(falls)
        strict = self.criterion.strict
        pairs = zip(self.sources, falls, strict=True)
        return [_lowered(courses, one, floor, strict) for (courses, _, _), one in pairs]

    def found(self, found: Sequence[Falls], within: int | None) -> FoundBySetting:
        """Turn the falls of each source into episodes, and count them."""
        rule = replace(self.criterion, repair=replace(self.criterion.repair, within=within))
        inside = self.edge_rules.onset_inside_episode
        tallies, first = [], None
        for (courses, _, number), falls in zip(self.sources, found, strict=True):
            these = ep.find_episodes(courses, falls, rule, inside)
            first = these if first is None else first
            tallies.append(tally(courses, falls, these, number))
        assert first is not None
        return FoundBySetting(tallies[0], tallies[1] if len(tallies) > 1 else None, first)

    def all(self, choices: Choices) -> list[FoundBySetting]:
        """Return what every setting finds."""
        results: list[FoundBySetting] = []
        for k in choices.k:
            without = self.falls(k)
            least = min(
                _smallest_threshold(courses, one)
                for (courses, _, _), one in zip(self.sources, without, strict=True)
            )
            for floor in choices.floor:
                # A floor below every threshold changes nothing: computed once.
                matters = floor if floor > 0.999 * least else 0.0
                falls: list[Falls] | None = None
                for within in choices.within:
                    key = (k, matters, within)
                    if key not in self.known:
                        falls = falls or self.lowered(without, matters)
                        self.known[key] = self.found(falls, within)
                    results.append(self.known[key])
        return results


def offer(
    ratings: Ratings,
    replicates: StackedReplicates,
    criterion: Criterion,
    edge_rules: EdgeRules,
    measure: Measure,
) -> Offer:
    """Find what a criterion finds at every setting that is offered for it.

    Parameters
    ----------
    ratings : Ratings
        From :func:`rupture_repair.detection.detect.prepared`.
    replicates : StackedReplicates
    criterion : Criterion
        With a number for k, see :func:`rupture_repair.detection.criteria.with_calibrated_k`.
    edge_rules : EdgeRules
    measure : Measure

    Returns
    -------
    Offer
    """
    choices = choices_of(criterion, ratings.scale)
    refusal = why_not_assessable(criterion, measure, ratings)
    fixed = RUN_RULE if criterion.run else None
    if refusal is not None:
        return Offer(criterion, refusal, fixed, choices, None, [])
    courses, inside = ratings.courses, edge_rules.onset_inside_episode
    falls = run_rules.falls(courses, criterion, ratings.scale, edge_rules.max_gap)
    if not (falls.reason == 0).any():
        return Offer(criterion, "no session could be assessed", fixed, choices, falls, [])
    if criterion.run:
        # What noise makes of a run rule is in the table chance already.
        these = ep.find_episodes(courses, falls, criterion, inside)
        found = [FoundBySetting(tally(courses, falls, these), None, these)]
        return Offer(criterion, None, fixed, choices, falls, found)
    search = _SettingSearch(ratings, replicates, criterion, edge_rules)
    return Offer(criterion, None, fixed, choices, falls, search.all(choices))
