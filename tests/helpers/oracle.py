"""The rules of detection once more, course by course and session by session, as they are told.

Slow on purpose, and written without the kernel: what the kernel must agree with.
"""

import dataclasses
import itertools
import math
import statistics

import numpy as np

from rupture_repair.detection import criteria


def rules(*ids, **settings):
    """The shipped rows, with a fixed k where k is to be calibrated."""
    rows = criteria.load(ids or None, settings)
    return [dataclasses.replace(row, k=2.0) if row.needs_k else row for row in rows]


def rules_of_ratings():
    """The rows that look at single ratings, as this oracle does; runs have their own."""
    return [row for row in rules() if row.window is None]


def line(sessions, ratings):
    centre, level = statistics.fmean(sessions), statistics.fmean(ratings)
    spread = sum((s - centre) ** 2 for s in sessions)
    if not spread:
        return [level] * len(ratings)
    slope = sum((s - centre) * (r - level) for s, r in zip(sessions, ratings, strict=True)) / spread
    return [level + slope * (s - centre) for s in sessions]


def own_sd(sessions, ratings, around):
    used = 2 if around == "trend" else 1
    if len(ratings) <= used:
        return math.nan
    level = (
        line(sessions, ratings) if around == "trend" else [statistics.fmean(ratings)] * len(ratings)
    )
    left = sum((r - m) ** 2 for r, m in zip(ratings, level, strict=True))
    if left <= 1e-20 * sum(r * r for r in ratings):
        return 0.0
    return math.sqrt(left / (len(ratings) - used))


def quartiles(ratings):
    if len(ratings) == 1:
        return ratings[0], ratings[0]
    cuts = statistics.quantiles(ratings, n=4, method="inclusive")
    return cuts[0], cuts[2]


def unit_of(rule, sessions, ratings, scale):
    sample = scale.sample_sd_trend if rule.sd_around == "trend" else scale.sample_sd_mean
    own = own_sd(sessions, ratings, rule.sd_around)
    if rule.unit == "larger_sd":
        return sample if math.isnan(own) else max(own, sample)
    if rule.unit == "moving_range":
        steps = [abs(b - a) for a, b in itertools.pairwise(ratings)]
        return statistics.fmean(steps) / 1.128 if steps else math.nan
    if rule.unit == "iqr":
        first, third = quartiles(ratings)
        return third - first
    if rule.unit == "mad":
        middle = statistics.median(ratings)
        return 1.4826 * statistics.median([abs(r - middle) for r in ratings])
    return {
        "raw": 1.0,
        "own_sd": own,
        "sample_sd": sample,
        "reliable_change": scale.difference_error,
    }[rule.unit]


def reference_of(rule, sessions, ratings, now, since):
    """The level compared with, and the rating (index) that it is, if it is one."""
    earlier = ratings[:now]
    if rule.reference == "course_mean":
        return statistics.fmean(ratings), None
    if rule.reference == "course_median":
        return statistics.median(ratings), None
    if rule.reference == "first_quartile":
        return quartiles(ratings)[0], None
    if rule.reference == "trend":
        return line(sessions, ratings)[now], None
    if rule.reference == "fixed":
        return rule.value, None
    if not earlier:
        return math.nan, None
    if rule.reference == "past_mean":
        return statistics.fmean(earlier), None
    if rule.reference == "recent_mean":
        return statistics.fmean(earlier[-rule.span :]), None
    if rule.reference == "decline_start":
        top = now
        while top > since and ratings[top - 1] >= ratings[top]:
            top -= 1
        while top + 1 < now and ratings[top + 1] == ratings[top]:
            top += 1
        return ratings[top], top
    begin = max(now - (rule.span if rule.reference == "recent_peak" else 1), since)
    top = max(range(begin, now), key=lambda i: (ratings[i], i))
    return ratings[top], top


def exceeds(value, limit, strict):
    slack = 1e-9 * (abs(value) + abs(limit))
    return value > limit + slack if strict else value >= limit - slack


def bound_of(rule, number):
    """Return the largest fall in units that is possible with so many ratings."""
    own = rule.unit in ("own_sd", "larger_sd")
    bound = math.inf
    if own and (rule.reference, rule.sd_around) == ("course_mean", "mean"):
        bound = (number - 1) / math.sqrt(number)
    if own and (rule.reference, rule.sd_around) == ("trend", "trend"):
        bound = math.sqrt((1 - 1 / number) * max(number - 2, 0))
    if (
        own
        and rule.reference in ("previous", "recent_peak", "decline_start")
        and rule.sd_around == "mean"
    ):
        bound = math.sqrt(2 * (number - 1))
    if rule.unit == "moving_range" and rule.reference == "course_mean":
        bound = 1.128 * (number - 1) ** 2 / number
    return bound


def opened(rule, sessions, ratings, now, since):
    """Return the episode that begins with a low rating."""
    reference, top = reference_of(rule, sessions, ratings, now, since)
    onset = top if top is not None else (now - 1 if now else -1)
    return {
        "onset": onset, "first_low": now, "nadir": now, "repair": -1, "end": now,
        "reference": reference,
    }  # fmt: skip


def target_of(rule, sessions, ratings, now, episode, unit):
    """Return the rating from which an episode is repaired."""
    reference, first = episode["reference"], episode["first_low"]
    if rule.repair.regain == "reference":
        back = reference_of(rule, sessions, ratings, now, 0)[0] if rule.is_level else reference
        return back - rule.repair.tolerance * unit
    return ratings[first] + rule.repair.regain * (reference - ratings[first])


def assess(rule, sessions, ratings, scale, max_gap=2):
    """Return the state of each rating and the episodes as dicts of indices."""
    number = len(ratings)
    unit = unit_of(rule, sessions, ratings, scale)
    bound = bound_of(rule, number)
    fires = bound > rule.k + 1e-9 if rule.strict else bound >= rule.k - 1e-9
    assessable = unit > 0 and fires
    level = rule.is_level
    floor = scale.reliable_change if rule.floor == "reliable_change" else rule.floor or 0.0

    def can(now):
        rated = number if rule.uses_future else now + 1
        if not assessable or rated < rule.min_ratings:
            return False
        if level:
            return True
        return now > 0 and sessions[now] - sessions[now - 1] <= max_gap

    def low(now, since):
        reference, _ = reference_of(rule, sessions, ratings, now, since)
        fall = reference - ratings[now]
        return can(now) and exceeds(fall, rule.k * unit, rule.strict) and fall >= floor * (1 - 1e-9)

    states, episodes = [], []
    open_episode, after, since, now = None, "steady", 0, 0
    while now < number:
        if open_episode is None:
            entering = not (level and now > 0 and low(now - 1, 0))
            if low(now, since) and entering:
                open_episode = opened(rule, sessions, ratings, now, since)
                episodes.append(open_episode)
                states.append("ruptured")
            else:
                states.append(after if can(now) else "not_assessable")
            now += 1
            continue
        first = open_episode["first_low"]
        until = sessions[first] + rule.repair.within if rule.repair.within else sessions[-1]
        if sessions[now] > until:
            rated = open_episode["end"] > first
            open_episode["status"] = "unrepaired" if rated else "censored"
            after = "after_unrepaired" if rated else "not_assessable"
            since, open_episode = open_episode["end"], None
            continue
        open_episode["end"] = now
        target = target_of(rule, sessions, ratings, now, open_episode, unit)
        if exceeds(ratings[now], target, rule.repair.strict):
            open_episode |= {"repair": now, "status": "repaired"}
            states.append("repaired_here")
            after, since, open_episode = "after_repair", now, None
        else:
            if ratings[now] < ratings[open_episode["nadir"]]:
                open_episode["nadir"] = now
            states.append("ruptured")
        now += 1
    if open_episode is not None:
        needed = sessions[open_episode["first_low"]] + (rule.repair.within or 3)
        whole = sessions[-1] >= needed
        seen = open_episode["end"] > open_episode["first_low"]
        open_episode["status"] = "unrepaired" if whole and seen else "censored"
    return states, episodes


def random_course(random: np.random.Generator, ratings: int):
    """Sessions with gaps, and ratings with steps, plateaus and ties."""
    sessions = np.cumsum(random.choice([1, 1, 1, 1, 2, 3, 4], ratings)).tolist()
    walk = np.cumsum(random.choice([-6, -3, -1, 0, 0, 1, 3, 6], ratings)) + 30
    return sessions, np.clip(walk, 0, 40).astype(float).tolist()
