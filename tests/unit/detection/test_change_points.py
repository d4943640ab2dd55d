"""Change points against every possible way to cut, and against the library ruptures."""

import itertools

import numpy as np
import pytest
import ruptures

from rupture_repair.detection.change_points import SHORTEST, segment_starts
from rupture_repair.detection.courses import Courses


def courses_of(lengths, random):
    start = np.concatenate([[0], np.cumsum(lengths)])
    shift = np.where(random.random(start[-1]) < 0.5, 0.0, 3.0)
    rating = np.round(random.normal(30, 2, start[-1]) - shift, 1)
    return Courses(rating, np.arange(start[-1]), start)


def price(rating, bounds, penalty):
    parts = [rating[a:b] for a, b in itertools.pairwise(bounds)]
    return sum(((part - part.mean()) ** 2).sum() + penalty for part in parts)


def bounds_of(begins):
    return [*np.flatnonzero(begins), len(begins)]


def split(courses, begins):
    for first, last in itertools.pairwise(courses.start):
        yield courses.rating[first:last], bounds_of(begins[first:last])


def every_way(number):
    for size in range(number // SHORTEST):
        for cuts in itertools.combinations(range(1, number), size):
            bounds = [0, *cuts, number]
            if min(np.diff(bounds)) >= SHORTEST:
                yield bounds


@pytest.mark.parametrize("penalty", [0.5, 4.0, 30.0])
def test_no_other_way_to_cut_is_better(penalty):
    courses = courses_of([4, 5, 9, 11, 11, 6, 8], np.random.default_rng(1))
    begins = segment_starts(courses, np.full(7, penalty))
    for rating, bounds in split(courses, begins):
        assert min(np.diff(bounds)) >= SHORTEST
        best = min(price(rating, way, penalty) for way in every_way(len(rating)))
        assert price(rating, bounds, penalty) == pytest.approx(best, rel=1e-9)


def test_the_library_ruptures_finds_no_better_cuts_and_mostly_the_same():
    random = np.random.default_rng(2)
    courses = courses_of(random.integers(4, 60, 300), random)
    penalty = random.uniform(2, 40, 300)
    same = 0
    pairs = split(courses, segment_starts(courses, penalty))
    for (rating, bounds), price_of_one in zip(pairs, penalty, strict=True):
        library = ruptures.Pelt(model="l2", min_size=SHORTEST, jump=1).fit(rating)
        other = [0, *library.predict(pen=price_of_one)]
        mine, its = price(rating, bounds, price_of_one), price(rating, other, price_of_one)
        assert mine <= its * (1 + 1e-9)
        same += bounds == other
    # With segments of two or more the library prunes a little too much, and ties are its own.
    assert same > 290


def test_the_cuts_of_a_course_do_not_depend_on_the_others():
    random = np.random.default_rng(3)
    courses = courses_of(random.integers(1, 30, 50), random)
    penalty = random.uniform(2, 20, 50)
    begins = segment_starts(courses, penalty)
    for course, (first, last) in enumerate(itertools.pairwise(courses.start)):
        alone = Courses(
            courses.rating[first:last], np.arange(last - first), np.array([0, last - first])
        )
        assert (segment_starts(alone, penalty[[course]]) == begins[first:last]).all()


def test_short_and_flat_courses_are_one_segment():
    flat = Courses(np.array([5.0] * 3 + [7.0] * 9 + [1.0]), np.arange(13), np.array([0, 3, 12, 13]))
    assert np.flatnonzero(segment_starts(flat, np.zeros(3))).tolist() == [0, 3, 12]
    none = Courses(np.zeros(0), np.zeros(0, dtype=int), np.array([0]))
    assert not len(segment_starts(none, np.zeros(0)))


def test_of_equal_cuts_the_longest_last_segment_is_taken():
    # The third rating fits the first two as well as the last two.
    course = Courses(np.array([8.0, 8.0, 6.0, 4.0, 4.0]), np.arange(5), np.array([0, 5]))
    assert np.flatnonzero(segment_starts(course, np.array([1.0]))).tolist() == [0, 2]
