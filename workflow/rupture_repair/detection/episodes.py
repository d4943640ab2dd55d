"""Episodes of rupture and repair, and the state of each session.

The low ratings that :func:`rupture_repair.detection.fall_rules.falls` finds become episodes by the
edge rules: an episode ends at repair, at the end of its window or with the course; no new onset
inside an open episode; too few sessions left to know is *censored*, never unrepaired. The first
episodes of all courses are followed at once, then the second ones, and so on: as many passes as
the course with the most episodes has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ..project.arrays import Flags, Floats, Integers
from .courses import Courses
from .criteria import Criterion
from .fall_rules import TOLERANCE, Falls, decline_start, level_end, meets

#: States of a session, in the order of their codes.
STATES = (
    "not_assessable",
    "steady",
    "ruptured",
    "repaired_here",
    "after_repair",
    "after_unrepaired",
)
NOT_ASSESSABLE, STEADY, RUPTURED, REPAIRED_HERE, AFTER_REPAIR, AFTER_UNREPAIRED = range(6)

#: What became of an episode, in the order of its codes.
STATUSES = ("repaired", "unrepaired", "censored")
REPAIRED, UNREPAIRED, CENSORED = range(3)

#: With a window to the end of the course, so many sessions must follow for "unrepaired".
LEAST_WINDOW = 3

#: How many ratings are averaged for the level before an episode and after it.
LEVEL_RATINGS = 3


@dataclass(frozen=True)
class Episodes:
    """Episodes of all courses, sorted by course and session; one entry each.

    Attributes
    ----------
    onset, first_low, nadir, repair, end : ndarray of int, shape (episodes,)
        Indices of ratings; -1 where there is none (an onset before the first rating, a repair
        that did not come). `end` is the last rating of the episode.
    status : ndarray of int, shape (episodes,)
        Index into :data:`STATUSES`.
    reference : ndarray of float, shape (episodes,)
        The level that the first low rating was compared with.
    """

    onset: Integers
    first_low: Integers
    nadir: Integers
    repair: Integers
    end: Integers
    status: Integers
    reference: Floats

    def __len__(self) -> int:
        return len(self.first_low)


def _candidates(courses: Courses, found: Falls, criterion: Criterion) -> Integers:
    """Return the ratings at which a fall may begin.

    Below a level of the course that is where a rating enters the low range: staying there is the
    same dip. A fall from earlier ratings is a fall wherever it occurs. A window is a fall where it
    begins.
    """
    low = found.low
    if found.begins is not None:
        return np.flatnonzero(found.begins)
    if criterion.is_level:
        before = np.zeros_like(low)
        before[1:] = low[:-1]
        before[courses.start[:-1]] = False
        low = low & ~before
    return np.flatnonzero(low)


class _Follower:
    """Follows one episode per course at a time, for all courses together."""

    def __init__(self, courses: Courses, found: Falls, criterion: Criterion):
        self.courses, self.found, self.criterion = courses, found, criterion
        self.candidates = _candidates(courses, found, criterion)
        self.last = courses.start[1:] - 1
        self.looks_back = criterion.reference == "decline_start" or (
            criterion.reference == "recent_peak" and criterion.span > 1
        )
        declines = criterion.reference == "decline_start" and len(self.candidates) > 0
        self.decline = (decline_start(courses), level_end(courses)) if declines else None

    def peak(self, index: Integers, since: Integers) -> tuple[Floats, Integers]:
        """Return the level before the fall and its index, none before `since`.

        The highest of the last `span` ratings, or the rating at which the decline began.
        """
        rating = self.courses.rating
        if self.decline is not None:
            start, level = self.decline
            top = np.where(start[index] < since, level[since], start[index])
            return rating[top], top
        top = index - 1
        for steps in range(2, self.criterion.span + 1):
            earlier = index - steps
            higher = (earlier >= since) & (rating[earlier] > rating[top])
            top = np.where(higher, earlier, top)
        return rating[top], top

    def reaches(self, index: Integers, reference: Floats) -> Flags:
        """Say whether the fall from `reference` at `index` meets the criterion."""
        threshold = self.found.threshold[self.courses.course[index]]
        fall = reference - self.courses.rating[index]
        return meets(fall, threshold, self.found.floor, self.criterion.strict)

    def beginnings(self, after: Integers, course: Integers) -> tuple[Integers, Flags]:
        """Return the next fall of each course after the rating `after`, and whether there is one.

        A recent peak must not lie before the end of the previous episode: the fall that was
        already counted would count again.
        """
        place = np.searchsorted(self.candidates, after, side="right")
        begin, found = np.zeros_like(after), np.zeros(len(after), dtype=bool)
        todo = np.arange(len(after))
        while len(todo):
            todo = todo[place[todo] < len(self.candidates)]
            index = self.candidates[place[todo]]
            inside = index <= self.last[course[todo]]
            todo, index = todo[inside], index[inside]
            holds = np.ones(len(todo), dtype=bool)
            if self.looks_back:
                since = np.maximum(after[todo], self.courses.start[course[todo]])
                holds = self.reaches(index, self.peak(index, since)[0])
            begin[todo[holds]], found[todo[holds]] = index[holds], True
            todo = todo[~holds]
            place[todo] += 1
        return begin, found

    def onset(self, index: Integers, since: Integers) -> tuple[Floats, Integers]:
        """Return the level before the fall and the last rating before it (-1 for none)."""
        start = self.courses.start[self.courses.course[index]]
        if self.looks_back:
            return self.peak(index, np.maximum(since, start))
        return self.found.reference[index], np.where(index > start, index - 1, -1)

    def won_back(self, index: Integers, now: Integers, reference: Floats) -> Flags:
        """Say whether the rating `now` repairs the fall that began at `index`."""
        rating, repair = self.courses.rating, self.criterion.repair
        if repair.regain == "not_low":
            return ~self.found.low[now]
        if isinstance(repair.regain, str):
            unit = self.found.unit[self.courses.course[index]]
            level = self.found.reference[now] if self.criterion.is_level else reference
            target = level - repair.tolerance * unit
        else:
            target = rating[index] + repair.regain * (reference - rating[index])
        slack = TOLERANCE * (np.abs(target) + np.abs(rating[now]))
        return rating[now] > target + slack if repair.strict else rating[now] >= target - slack

    def follow(self, index: Integers, since: Integers) -> Episodes:
        """Follow the episodes whose first low ratings are at `index` to their end."""
        courses, within = self.courses, self.criterion.repair.within
        last = self.last[courses.course[index]]
        longest = int((last - index).max(initial=0)) if within is None else within
        until = courses.session[last] if within is None else courses.session[index] + within
        reference, onset = self.onset(index, since)
        repair, nadir, end = np.full_like(index, -1), index.copy(), index.copy()
        for step in range(1, longest + 1):
            now = np.minimum(index + step, last)
            inside = (index + step <= last) & (courses.session[now] <= until) & (repair < 0)
            end = np.where(inside, now, end)
            repaired = inside & self.won_back(index, now, reference)
            repair = np.where(repaired, now, repair)
            lower = inside & ~repaired & (courses.rating[now] < courses.rating[nadir])
            nadir = np.where(lower, now, nadir)
        needed = courses.session[index] + (within or LEAST_WINDOW)
        unknown = (courses.session[last] < needed) | (end == index)
        status = np.where(repair >= 0, REPAIRED, np.where(unknown, CENSORED, UNREPAIRED))
        return Episodes(onset, index, nadir, repair, end, status, reference)


def find_episodes(
    courses: Courses, found: Falls, criterion: Criterion, onset_inside_episode: bool = False
) -> Episodes:
    """Turn low ratings into episodes.

    Parameters
    ----------
    courses : Courses
    found : Falls
        What :func:`rupture_repair.detection.fall_rules.falls` found in the same courses.
    criterion : Criterion
    onset_inside_episode : bool
        Whether a further fall inside an open episode opens an episode of its own.

    Returns
    -------
    Episodes
        An episode is repaired when the rating wins back what the criterion asks for, within its
        window; censored when the course ends before the window does, or no session of the
        window was rated; unrepaired otherwise.
    """
    follower = _Follower(courses, found, criterion)
    if not len(follower.candidates):
        return no_episodes()
    if criterion.overlaps(onset_inside_episode):
        return follower.follow(follower.candidates, np.zeros_like(follower.candidates))
    course = np.unique(courses.course[follower.candidates])
    after = courses.start[course] - 1
    waves: list[Episodes] = []
    while len(course):
        begin, there = follower.beginnings(after, course)
        course, begin, since = course[there], begin[there], after[there]
        waves.append(follower.follow(begin, since))
        after = waves[-1].end
    episodes = joined(waves)
    order = np.argsort(episodes.first_low, kind="stable")
    return Episodes(*(getattr(episodes, field.name)[order] for field in fields(Episodes)))


def no_episodes() -> Episodes:
    """Return an empty set of episodes: an ordinary result."""
    none = np.empty(0, dtype=np.int64)
    return Episodes(none, none, none, none, none, none, np.empty(0))


def joined(parts: Iterable[Episodes]) -> Episodes:
    """Put episodes of several runs of courses one after the other."""
    parts = list(parts)
    return Episodes(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Episodes)
        )
    )


def shifted(episodes: Episodes, by: int) -> Episodes:
    """Return the episodes with all indices of ratings moved by `by`; -1 stays -1."""
    moved = {
        name: np.where(getattr(episodes, name) >= 0, getattr(episodes, name) + by, -1)
        for name in ("onset", "first_low", "nadir", "repair", "end")
    }
    return replace(episodes, **moved)


def _held(marks: list[tuple[Integers, NDArray]], length: int) -> NDArray:
    """Return, for each rating, the value of the last mark at or before it.

    Of several marks at one rating the one written last holds; the first rating needs a mark.
    """
    place = np.concatenate([mark[0] for mark in marks])
    value = np.concatenate([mark[1] for mark in marks])
    order = np.argsort(place, kind="stable")
    return np.repeat(value[order], np.diff(np.append(place[order], length)))


def number_within_course(courses: Courses, episodes: Episodes) -> Integers:
    """Return the number of each episode within its course, from 1."""
    course = courses.course[episodes.first_low]
    return np.arange(len(course)) - np.searchsorted(course, course, side="left") + 1


def episode_of_each_rating(courses: Courses, episodes: Episodes) -> Integers:
    """Return the index of the episode that each rating belongs to, -1 for none."""
    following = np.append(episodes.first_low[1:], len(courses.rating))
    ended = episodes.end < following
    marks = [
        (courses.start[:-1], np.full(len(courses.length), -1)),
        (episodes.end[ended] + 1, np.full(int(ended.sum()), -1)),
        (episodes.first_low, np.arange(len(episodes))),
    ]
    return _held(marks, len(courses.rating))


def states(courses: Courses, found: Falls, episodes: Episodes) -> NDArray[np.int8]:
    """Return the state of each rating, as index into :data:`STATES`.

    Inside an episode a session is ruptured, at its repair repaired_here; after it, until the next
    onset, after_repair or after_unrepaired. A session outside an episode that cannot be assessed,
    or that follows an episode whose outcome is not known, is not_assessable.

    Parameters
    ----------
    courses : Courses
    found : Falls
    episodes : Episodes

    Returns
    -------
    ndarray of int8, shape (ratings,)
    """
    afterwards = np.array([AFTER_REPAIR, AFTER_UNREPAIRED, NOT_ASSESSABLE])
    # An onset inside an open episode, where the edge rules allow it, replaces that episode.
    following = np.append(episodes.first_low[1:], len(courses.rating))
    ended = episodes.end < following
    repaired = (episodes.repair >= 0) & (episodes.repair < following)
    # From each mark on its state holds, until the next mark; of several marks at one rating, the
    # last one written here.
    marks = [
        (episodes.end[ended] + 1, afterwards[episodes.status[ended]]),
        (courses.start[:-1], np.full(len(courses.length), STEADY)),
        (episodes.first_low, np.full(len(episodes), RUPTURED)),
        (episodes.repair[repaired], np.full(int(repaired.sum()), REPAIRED_HERE)),
    ]
    state = _held(marks, len(courses.rating)).astype(np.int8)
    open_now = (state == RUPTURED) | (state == REPAIRED_HERE)
    state[(found.reason > 0) & ~open_now] = NOT_ASSESSABLE
    return state


def levels_around(courses: Courses, episodes: Episodes) -> tuple[Floats, Floats]:
    """Return the mean of up to three ratings before each episode and after it."""
    return levels_between(courses, episodes.onset, episodes.end)


def levels_between(courses: Courses, onset: Integers, end: Integers) -> tuple[Floats, Floats]:
    """Return the mean of up to three ratings before and after stretches of ratings.

    Parameters
    ----------
    courses : Courses
    onset, end : ndarray of int, shape (stretches,)
        Indices of ratings of one course; an onset of -1 is none.

    Returns
    -------
    before, after : ndarray, shape (stretches,)
        Up to and including the onset, and from the rating after the end on; NaN for none.
    """
    first = courses.start[courses.course[end]]
    last = courses.start[courses.course[end] + 1] - 1

    def mean(begin: Integers, direction: int) -> Floats:
        total, number = np.zeros(len(end)), np.zeros(len(end))
        for step in range(LEVEL_RATINGS):
            index = begin + direction * step
            inside = (begin >= 0) & (index >= first) & (index <= last)
            total += np.where(inside, courses.rating[np.clip(index, first, last)], 0.0)
            number += inside
        with np.errstate(invalid="ignore"):
            return total / number

    return mean(onset, -1), mean(end + 1, 1)


def shapes(courses: Courses, episodes: Episodes) -> tuple[Flags, Flags]:
    """Say whether the fall, and whether the repair, was sudden rather than gradual.

    A fall is sudden when the last step before the first low rating carries at least half of it; a
    repair when the step into the repair carries at least half of the rise from the nadir.
    """
    rating, first_low = courses.rating, episodes.first_low
    before = np.where(episodes.onset >= 0, first_low - 1, first_low)
    fall = episodes.reference - rating[first_low]
    sudden_fall = (rating[before] - rating[first_low]) >= fall / 2
    into = np.where(episodes.repair >= 0, episodes.repair, episodes.nadir)
    rise = rating[into] - rating[episodes.nadir]
    sudden_repair = (episodes.repair >= 0) & ((rating[into] - rating[into - 1]) >= rise / 2)
    return sudden_fall, sudden_repair
