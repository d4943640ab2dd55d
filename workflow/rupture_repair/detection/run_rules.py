r"""Named rules that look at several ratings together, where one threshold does not say it all.

Each takes the courses, the criterion, the scale of the measure and what the plain kernel found
(:class:`rupture_repair.detection.fall_rules.Falls`), and returns it with other flags `low`, and
where the rule has a reference of its own, with that.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import special

from ..project.arrays import Flags, Floats, Integers
from . import fall_rules
from .change_points import segment_starts
from .courses import Courses, moving_range
from .criteria import Criterion
from .fall_rules import TOLERANCE, TOO_FEW_AROUND, Falls, Scale
from .hidden_markov import rupture_probability as probability
from .scan import falls as scan_falls

#: Two-sided 5 % points of t with 4, 3 and 2 degrees of freedom, as Tang & DeRubeis print them.
T_CRITICAL = {4: 2.776, 3: 3.182, 2: 4.303}

#: How many sessions before and after a step its third criterion looks at.
AROUND = 3


def _count_of_last(courses: Courses, flags: Flags, window: int) -> Integers:
    """Count the flags among the last `window` ratings of the course, the present one included."""
    running = np.cumsum(flags)
    before = np.concatenate([[0], running])
    first = np.maximum(np.arange(len(flags)) - window + 1, courses.spread(courses.start[:-1]))
    return before[1:] - before[first]


def western_electric(courses: Courses, criterion: Criterion, scale: Scale, found: Falls) -> Falls:
    """Flag the rating that completes one of the four run rules on the low side.

    One beyond 3 sigma; two of three beyond 2 sigma; four of five beyond 1 sigma; eight in a row
    below the centre line; the present rating among them. Sigma is the mean moving range over 1.128
    (Western Electric 1956, Statistical Quality Control Handbook).
    """
    sigma = courses.spread(found.unit)
    slack = TOLERANCE * (sigma + np.abs(found.fall))

    def beyond(k: float) -> Flags:
        return found.fall > k * sigma + slack

    low = beyond(3)
    for k, least, window in ((2, 2, 3), (1, 4, 5), (0, 8, 8)):
        low |= beyond(k) & (_count_of_last(courses, beyond(k), window) >= least)
    return replace(found, low=low & (found.reason == 0))


def longest_run(useful: Integers) -> Integers:
    """Return the longest run that chance allows among `useful` points: round(log2 n) + 3."""
    return np.round(np.log2(np.maximum(useful, 1))).astype(np.int64) + 3


def fewest_crossings(useful: Integers) -> Integers:
    """Return the fewest crossings that chance allows: lower 5 % point of a binomial, p = 1/2."""
    trials, where = np.unique(np.maximum(useful - 1, 0), return_inverse=True)
    # Not by scipy.stats, because its import takes most of a second.
    below = special.bdtr(np.arange(trials[-1] + 1)[:, None], trials, 0.5) < 0.05
    return np.count_nonzero(below, axis=0)[where]


def anhoej(courses: Courses, criterion: Criterion, scale: Scale, found: Falls) -> Falls:
    """Flag runs below the median in courses whose run chart signals a shift.

    Points on the median are not useful and neither make nor break a run. A course signals where
    its longest run is longer, or its crossings are fewer, than chance allows. Flagged are runs
    below the median that are too long; where the signal is in the crossings, or in a run above,
    the longest run below (Anhoej & Olesen 2014, doi 10.1371/journal.pone.0113825).
    """
    number = len(courses.length)
    on_median = np.abs(found.fall) <= TOLERANCE * (np.abs(courses.rating) + np.abs(found.reference))
    side = np.where(on_median, 0.0, -np.sign(found.fall))
    useful = np.flatnonzero(side != 0)
    course, sign = courses.course[useful], side[useful]
    if not len(useful):
        return replace(found, low=np.zeros_like(found.low))
    begins = np.ones(len(useful), dtype=bool)
    begins[1:] = (course[1:] != course[:-1]) | (sign[1:] != sign[:-1])
    run = np.cumsum(begins) - 1
    length, first = np.bincount(run), np.flatnonzero(begins)
    run_course, run_low = course[first], sign[first] < 0
    count = np.bincount(course, minlength=number)
    runs = np.bincount(run_course, minlength=number)
    longest = np.zeros(number, dtype=np.int64)
    np.maximum.at(longest, run_course, length)
    limit = longest_run(count)
    few = (runs - 1 < fewest_crossings(count)) & (count > 0)
    longest_below = np.zeros(number, dtype=np.int64)
    np.maximum.at(longest_below, run_course[run_low], length[run_low])
    shift = few | (longest > limit)
    flagged = run_low & (
        (length > limit[run_course]) | (shift[run_course] & (length == longest_below[run_course]))
    )
    last = np.append(first[1:], len(useful)) - 1
    # Points on the median inside a flagged run belong to it.
    change = np.zeros(len(courses.rating) + 1, dtype=np.int64)
    change[useful[first[flagged]]] += 1
    change[useful[last[flagged]] + 1] -= 1
    return replace(found, low=(np.cumsum(change)[:-1] > 0) & (found.reason == 0))


def _sums_around(courses: Courses, forward: bool) -> tuple[Integers, Floats, Floats]:
    """Return number, sum and sum of squares of the ratings in the sessions around each rating.

    Backward: the rating and those of the two sessions before it; forward: the rating and those of
    the two sessions after it. Sessions are counted, not ratings.
    """
    rating, session = courses.rating, courses.session
    index, last = np.arange(len(rating)), courses.spread(courses.start[1:]) - 1
    first = courses.spread(courses.start[:-1])
    number = np.zeros(len(rating), dtype=np.int64)
    total, square = np.zeros(len(rating)), np.zeros(len(rating))
    for steps in range(AROUND):
        other = index + steps if forward else index - steps
        inside = (other >= first) & (other <= last)
        other = np.clip(other, first, last)
        inside &= np.abs(session[other] - session) < AROUND
        number += inside
        total += np.where(inside, rating[other], 0.0)
        square += np.where(inside, rating[other] ** 2, 0.0)
    return number, total, square


def sudden_loss(courses: Courses, criterion: Criterion, scale: Scale, found: Falls) -> Falls:
    r"""Flag sudden losses: the three criteria of Tang & DeRubeis (1999) turned to falls.

    The step between two neighbouring sessions reaches the cut-off; it is at least 25 % of the
    level before it, measured from the worst end of the range; and the mean of the up to three
    sessions before it (with the pre session) exceeds that of the up to three after it by more than
    :math:`t_{crit} s_p \sqrt{1/n_1 + 1/n_2}`, with at least two ratings on each side.
    ``pooled_sd: as_published`` leaves the square root out, as the reference R implementation does
    (Wiedemann et al. 2020, doi 10.1371/journal.pone.0230276).
    """
    before = found.reference
    step, level = found.fall, before - scale.worst
    n2, sum2, square2 = _sums_around(courses, forward=True)
    n1, sum1, square1 = (
        courses.earlier(1, values.astype(np.float64)) for values in _sums_around(courses, False)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = sum1 / n1 - sum2 / n2
        left = square1 - sum1**2 / n1 + square2 - sum2**2 / n2
        free = n1 + n2 - 2
        pooled = np.sqrt(np.maximum(left, 0.0) / free)
        if criterion.pooled_sd == "t_test":
            pooled = pooled * np.sqrt(1 / n1 + 1 / n2)
        critical = np.select([free == df for df in T_CRITICAL], list(T_CRITICAL.values()), np.nan)
        stable = difference > critical * pooled * (1 + TOLERANCE)
    enough = (n1 >= 2) & (n2 >= 2)
    large = step >= 0.25 * level * (1 - TOLERANCE)
    reason = np.where((found.reason == 0) & ~enough, TOO_FEW_AROUND, found.reason)
    low = found.low & large & stable & enough
    return replace(found, low=low, reason=reason.astype(np.int8))


def change_point(courses: Courses, criterion: Criterion, scale: Scale, found: Falls) -> Falls:
    r"""Flag segments whose mean lies below that of the segment before: lasting level shifts.

    Segments by :func:`rupture_repair.detection.change_points.segment_starts` with the penalty
    :math:`k \sigma^2 \log n`, sigma from the mean moving range.
    """
    sigma = moving_range(courses)
    assessable = (courses.length >= criterion.min_ratings) & (sigma > 0)
    penalty = float(criterion.k) * np.nan_to_num(sigma) ** 2 * np.log(courses.length)
    start = np.flatnonzero(segment_starts(courses, penalty))
    number = np.diff(np.append(start, len(courses.rating)))
    mean = np.add.reduceat(courses.rating, start) / number
    # The first segment of a course has none before it, and is its own reference.
    preceding = np.where(courses.position[start] > 0, np.roll(mean, 1), mean)
    here = courses.spread(assessable)
    reference = np.where(here, np.repeat(preceding, number), found.reference)
    low = here & np.repeat(mean < preceding, number)
    fall = reference - courses.rating
    return replace(
        found, reference=reference, fall=fall, low=low & (fall > 0) & (found.reason == 0)
    )


def reported(courses: Courses, criterion: Criterion, scale: Scale, found: Falls) -> Falls:
    """Flag the sessions at which a rupture was reported."""
    flags = np.zeros_like(found.low) if courses.reported is None else courses.reported
    return replace(found, low=flags & (found.reason == 0))


def rupture_probability(
    courses: Courses, criterion: Criterion, scale: Scale, found: Falls
) -> Falls:
    """Flag the sessions that the hidden Markov model in `scale` takes for ruptured."""
    threshold, least = float(criterion.k), criterion.min_ratings
    return probability.low(courses, scale.model, threshold=threshold, min_ratings=least)


Rule = Callable[[Courses, Criterion, Scale, Falls], Falls]

#: Run rule by the name that criteria give it.
RULES: dict[str, Rule] = {
    "western_electric": western_electric,
    "anhoej": anhoej,
    "sudden_loss": sudden_loss,
    "change_point": change_point,
    "reported": reported,
    "rupture_probability": rupture_probability,
}


def falls(courses: Courses, criterion: Criterion, scale: Scale, max_gap: int) -> Falls:
    """Find the ratings that lie low by one criterion, by windows or a run rule if it has them.

    Parameters and result as for :func:`rupture_repair.detection.fall_rules.falls`.
    """
    if criterion.window is not None:
        return scan_falls.falls(courses, criterion, scale, max_gap)
    found = fall_rules.falls(courses, criterion, scale, max_gap)
    return RULES[criterion.run](courses, criterion, scale, found) if criterion.run else found
