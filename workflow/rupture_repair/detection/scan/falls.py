"""Falls of windows in the form of the kernel: which ratings lie low, and by what line."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...project.arrays import Floats, Integers
from ..courses import Courses
from ..criteria import Criterion
from ..fall_rules import GAP, NO_REFERENCE, TOLERANCE, TOO_FEW, Falls, Scale, floor_in_points
from .lines import Population
from .population import PopulationsOfEach, Purge
from .windows import PIECE, FoundWindows, Scan, Windows, low_windows, scan, separate, t_value


def windows_of(criterion: Criterion) -> Windows:
    """Return the windows that a criterion looks at."""
    window = criterion.window
    assert window is not None
    return Windows(
        longest=window.longest,
        to_end=window.to_end,
        before=window.before,
        span=criterion.span if criterion.reference == "recent_mean" else None,
        deleted=criterion.deleted,
        censored=criterion.ceiling == "censored",
        unit=criterion.unit,  # type: ignore[arg-type]
        carry_share=criterion.autocorrelation,
    )


def population_of(criterion: Criterion, scale: Scale) -> Population:
    """Return what is ordinary in the dataset, for a criterion that looks at windows."""
    windows = windows_of(criterion)
    purge = criterion.purge or Purge(rounds=0)
    # What is purged does not depend on the criterion: falls below the line, long and short.
    looked_for = Windows(censored=windows.censored, carry_share=windows.carry_share)
    found: Population = scale.populations.of(looked_for, purge)
    return found


def scan_of(courses: Courses, criterion: Criterion, scale: Scale) -> Scan:
    """Scan courses by a criterion, with what is ordinary in their dataset."""
    return scan(courses, population_of(criterion, scale), windows_of(criterion))


def _reasons(this: Scan, criterion: Criterion, max_gap: int) -> NDArray[np.int8]:
    """Say why no window can begin at a rating, 0 where one can."""
    courses = this.courses
    assert criterion.window is not None
    reason = np.zeros(len(courses.rating), dtype=np.int8)
    reason[courses.position < criterion.window.before] = NO_REFERENCE
    if not criterion.is_level:
        most = max_gap if criterion.max_gap is None else criterion.max_gap
        far = courses.session - courses.earlier(1, courses.session) > most
        reason[far & (reason == 0)] = GAP
    few = (courses.length < criterion.min_ratings) | ~this.judged
    reason[courses.spread(few)] = TOO_FEW
    return reason


def _window_of(courses: Courses, found: FoundWindows) -> Integers:
    """Return for each rating the window that it lies in or follows, before the first that one.

    There is a window; -1 in courses without one.
    """
    course = courses.course[found.first]
    last = np.searchsorted(found.first, np.arange(len(courses.rating)), side="right") - 1
    same = (last >= 0) & (course[np.maximum(last, 0)] == courses.course)
    following = np.minimum(np.searchsorted(course, courses.course), len(course) - 1)
    there = course[following] == courses.course
    return np.where(same, last, np.where(there, following, -1))


def _line(this: Scan, found: FoundWindows) -> Floats:
    """Return the line of the other ratings: without the window that a rating lies in or follows."""
    fit, line = this.fit, this.fit.line.copy()
    if not (len(found) and this.windows.deleted):
        return line
    courses = this.courses
    constant, slope = this.pulls(found)
    of = courses.course[found.first]
    level = found.fall * (fit.p11[of] * constant + fit.p12[of] * slope)
    trend = found.fall * (fit.p12[of] * constant + fit.p22[of] * slope)
    window = _window_of(courses, found)
    here = window >= 0
    line[here] += level[window[here]] + trend[window[here]] * this.session[here]
    return line


def _recent_mean(this: Scan, found: FoundWindows) -> Floats:
    """Return the mean of the ratings before each rating, before its window where it lies in one."""
    level = this.levels_before()
    if not len(found):
        return level
    window = _window_of(this.courses, found)
    index = np.arange(len(level))
    # No rating of a course without a window lies in the last window, which -1 stands for.
    inside = (index >= found.first[window]) & (index < found.stop[window])
    return level[np.where(inside, found.first[window], index)]


def falls(courses: Courses, criterion: Criterion, scale: Scale, max_gap: int) -> Falls:
    """Find the windows that lie low, as falls of single ratings.

    Parameters
    ----------
    courses : Courses
    criterion : Criterion
        With a window.
    scale : Scale
        With `populations`: of the dataset, or of each of the stacked datasets.
    max_gap : int
        As for :func:`rupture_repair.detection.fall_rules.falls`.

    Returns
    -------
    Falls
        `low` are all ratings of the windows found, `begins` their first ones. `reference` is the
        level of the other ratings, `unit` the SD of the course without the windows found, and
        `threshold` what a single rating would have to fall. `z` is that of the lowest window that
        begins at the rating.
    """
    if isinstance(scale.populations, PopulationsOfEach):
        return _falls_of_each(scale.populations, criterion, scale, max_gap)
    this, k = scan_of(courses, criterion, scale), float(criterion.k)
    reason = _reasons(this, criterion, max_gap)
    floor = floor_in_points(criterion, scale)
    low, best = low_windows(this, k, floor, criterion.strict, reason > 0)
    found = separate(courses, low)
    reference = (_recent_mean if this.windows.span else _line)(this, found)
    begins = np.zeros(len(reason), dtype=bool)
    begins[found.first] = True
    change = np.zeros(len(reason) + 1, dtype=np.int64)
    change[found.first] += 1
    change[found.stop] -= 1
    number = len(courses.length)
    taken = np.bincount(courses.course[found.first], weights=found.q, minlength=number)
    windows = np.bincount(courses.course[found.first], minlength=number)
    unit = this.sd_without(taken.astype(np.float64), windows)
    unit[~this.judged] = np.nan
    z = np.where(reason == 0, this.z(best), np.nan)
    return Falls(
        reference=reference,
        fall=reference - courses.rating,
        unit=unit,
        threshold=t_value(np.full(number, k), this.free) * unit / np.sqrt(this.of_one_rating()),
        floor=floor,
        low=np.cumsum(change)[:-1] > 0,
        reason=reason,
        z=z,
        begins=begins,
    )


def _falls_of_each(
    populations: PopulationsOfEach, criterion: Criterion, scale: Scale, max_gap: int
) -> Falls:
    """Find the falls of stacked datasets, each by what is ordinary in itself."""
    parts = [
        falls(one.courses, criterion, replace(scale, populations=one), max_gap)
        for one in populations.each
    ]
    values = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Falls)}
    stacked: dict[str, Any] = {
        name: np.concatenate(value) for name, value in values.items() if np.ndim(value[0])
    }
    return replace(parts[0], **stacked)


def largest_z(courses: Courses, criterion: Criterion, scale: Scale, max_gap: int) -> Floats:
    """Return the z of the lowest window of each course: it has an episode where this reaches k.

    Parameters as for :func:`falls`; the k of the criterion does not matter.

    Returns
    -------
    ndarray of float, shape (courses,)
        0 where nothing lies low; NaN for courses that cannot be assessed.
    """
    if isinstance(scale.populations, PopulationsOfEach):
        return np.concatenate([
            largest_z(one.courses, criterion, replace(scale, populations=one), max_gap)
            for one in scale.populations.each
        ])  # fmt: skip
    floor, largest = floor_in_points(criterion, scale), np.empty(len(courses.length))
    done = 0
    for _, part in courses.pieces(PIECE):
        this = scan_of(part, criterion, scale)
        reason = _reasons(this, criterion, max_gap)
        best = np.zeros(len(reason))
        for _, fall, information in this.statistics():
            q = np.nan_to_num(np.maximum(fall, 0.0) ** 2 * information)
            q[(reason > 0) | (fall < floor * (1 - TOLERANCE))] = 0.0
            np.maximum(best, q, out=best)
        most = np.maximum.reduceat(best, part.start[:-1])
        z = this.z(most, np.arange(len(most)))
        z[part.total((reason == 0).astype(np.float64)) == 0] = np.nan
        largest[done : done + len(z)] = z
        done += len(z)
    return largest


def considered(courses: Courses, criterion: Criterion, scale: Scale, max_gap: int) -> pd.DataFrame:
    """Return every window of some courses that a criterion looks at.

    Parameters as for :func:`falls`.

    Returns
    -------
    DataFrame
        One row per window: `first` and `last` (indices of ratings), `ratings` (their number),
        `level` (their mean, those at the top of the scale replaced by their expectation), `fall`
        (points below the line of the other ratings, or below the ratings before), `unit` (SD of
        the course without the window, points), `information` (ratings that the fall is worth),
        `z` (NaN where the window does not lie low), and `found` (whether the criterion takes it).
    """
    this = scan_of(courses, criterion, scale)
    reason, end = _reasons(this, criterion, max_gap), courses.spread(courses.start[1:])
    parts = []
    for length, fall, information in this.statistics():
        first = np.flatnonzero(~np.isnan(information) & (reason == 0))
        stop = first + length if length else end[first]
        parts.append(FoundWindows(first, stop, fall[first], information[first],
                           np.maximum(fall[first], 0.0) ** 2 * information[first]))  # fmt: skip
    every = FoundWindows(*(np.concatenate([getattr(part, name) for part in parts])
                    for name in ("first", "stop", "fall", "information", "q")))  # fmt: skip
    floor = floor_in_points(criterion, scale)
    low, _ = low_windows(this, float(criterion.k), floor, criterion.strict, reason > 0)
    taken = separate(courses, low)
    pairs = set(zip(taken.first.tolist(), taken.stop.tolist(), strict=True))
    course = courses.course[every.first]
    left = np.maximum(this.fit.squares[course] - every.q, 0.0)
    if not this.windows.deleted:
        left = this.fit.squares[course]
    unit = np.sqrt((this.prior[course] + left) / this.free[course])
    sums = np.concatenate([[0.0], np.cumsum(this.settled.rating)])
    table = pd.DataFrame(
        {
            "first": every.first,
            "last": every.stop - 1,
            "ratings": every.stop - every.first,
            "level": (sums[every.stop] - sums[every.first]) / (every.stop - every.first),
            "fall": every.fall,
            "unit": unit,
            "information": every.information,
            "z": np.where(every.fall > 0, this.z(every.q, course), np.nan),
            "found": [pair in pairs for pair in zip(every.first, every.stop, strict=True)],
        }
    )
    return table.sort_values(["first", "ratings"], ignore_index=True)
