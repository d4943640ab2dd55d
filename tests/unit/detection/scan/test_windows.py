from dataclasses import replace

import numpy as np
import pytest

import window_oracle as oracle
from rupture_repair.detection import courses as flat
from rupture_repair.detection.scan import population, windows
from rupture_repair.detection.scan.lines import LONGEST_GAP, Population, carried, fit, settle

DIP = windows.Windows()
TOOTH = windows.Windows(longest=3, to_end=False, span=5)


def made_up(number=150, seed=3, longest=25) -> flat.Courses:
    """Courses of 1 to 24 ratings with gaps, some at the ceiling, of unequal volatility."""
    random = np.random.default_rng(seed)
    length = random.integers(1, longest, number)
    start = np.concatenate([[0], np.cumsum(length)])
    session = np.concatenate(
        [np.sort(random.choice(np.arange(1, 60), size, replace=False)) for size in length]
    )
    sd = 3 * np.exp(0.4 * random.normal(size=number))
    rating = np.repeat(random.normal(36, 3, number), length)
    rating = rating + random.normal(size=start[-1]) * np.repeat(sd, length)
    return flat.Courses(np.clip(np.round(rating, 1), 0, 40), session, start)


@pytest.fixture(scope="module")
def courses() -> flat.Courses:
    return made_up()


@pytest.fixture(scope="module")
def ordinary(courses) -> Population:
    found, _ = population.purged(courses, 39.95, DIP, population.Purge())
    return replace(found, carry=0.5)


@pytest.mark.parametrize(
    "how",
    [DIP, replace(DIP, carry_share=0.0), replace(TOOTH, before=1),
     replace(DIP, longest=2, to_end=False, before=1)],
    ids=["dip", "no autocorrelation", "tooth", "short"],
)  # fmt: skip
def test_every_window_agrees_with_plain_regressions(courses, ordinary, how):
    this = windows.scan(courses, ordinary, how)
    mine = {}
    for length, fall, information in this.statistics():
        first = np.flatnonzero(~np.isnan(information))
        q = np.maximum(fall[first], 0) ** 2 * information[first]
        z = this.z(q, courses.course[first])
        for i, f, info, score in zip(first, fall[first], information[first], z, strict=True):
            course = courses.course[i]
            at = i - courses.start[course]
            stop = at + length if length else courses.length[course]
            mine[course, at, stop] = (f, info, score)
    low, _ = windows.low_windows(this, 1.8)
    picked = windows.separate(courses, low)
    several = 0
    for course, start in enumerate(courses.start[:-1]):
        own = slice(start, courses.start[course + 1])
        plain = oracle.windows(courses.session[own], courses.rating[own], ordinary, how)
        for first, stop, *expected in plain:
            expected[2] = max(expected[2], 0.0)
            assert mine.pop((course, first, stop)) == pytest.approx(expected, abs=1e-10)
        here = courses.course[picked.first] == course
        pairs = zip(picked.first[here] - start, picked.stop[here] - start, strict=True)
        kept = [window[:2] for window in oracle.greedy(plain, 1.8)]
        assert list(pairs) == kept
        several += len(kept) > 1
    assert not mine
    assert several > 3


def test_the_fall_of_one_rating_is_its_distance_from_the_line_of_all_others(courses, ordinary):
    alone = replace(DIP, carry_share=0.0)
    course = int(np.argmax(courses.length))
    own = slice(courses.start[course], courses.start[course + 1])
    session, rating = courses.session[own], courses.rating[own]
    this = windows.scan(flat.Courses(rating, session, np.array([0, len(rating)])), ordinary, alone)
    _, fall, _ = next(this.statistics())
    value, _, variance = oracle.settled(
        session - session.mean(), rating, ordinary, windows.PRIOR_TIMES * ordinary.degrees
    )
    time = session - session.mean()
    for i in range(2, len(rating)):
        others = np.arange(len(rating)) != i
        design = np.column_stack([np.ones(len(time)), time])
        penalty = np.diag([variance / ordinary.level_variance, variance / ordinary.trend_variance])
        expected = ordinary.level + ordinary.trend * time
        left = design[others].T @ design[others] + penalty
        line = design @ np.linalg.solve(left, design[others].T @ (value - expected)[others])
        assert fall[i] == pytest.approx((expected + line - value)[i], abs=1e-9)


def test_without_a_prior_the_degrees_of_freedom_are_the_own_ones_and_not_less_than_a_half(
    courses, ordinary
):
    this = windows.scan(courses, ordinary, replace(DIP, unit="own_sd"))
    assert this.free == pytest.approx(np.maximum(this.fit.free - 1, 0.5))
    assert (this.free == 0.5).any()


def test_windows_that_are_left_out_take_their_squares_and_a_degree_of_freedom_each(
    courses, ordinary
):
    this = windows.scan(courses, ordinary, replace(DIP, unit="own_sd"))
    taken = this.fit.squares / 4
    for many, lost in ((0, 0), (1, 0), (3, 2)):
        sd = this.sd_without(taken, np.full(len(taken), many))
        expected = np.sqrt(0.75 * this.fit.squares / np.maximum(this.free - lost, 0.5))
        assert sd[this.judged] == pytest.approx(expected[this.judged])
        assert 100 < this.judged.sum() < 150  # the shortest courses have no SD of their own
    kept = windows.scan(courses, ordinary, replace(DIP, deleted=False))
    whole = np.sqrt((kept.prior + kept.fit.squares) / kept.free)
    assert kept.sd_without(taken, np.full(len(taken), 3)) == pytest.approx(whole)


def test_one_rating_after_five_others_is_worth_five_sixths(courses, ordinary):
    assert windows.scan(courses, ordinary, TOOTH).of_one_rating() == pytest.approx(5 / 6)


def test_a_floor_is_passed_by_a_fall_that_equals_it(courses, ordinary):
    this = windows.scan(courses, ordinary, DIP)
    every, _ = windows.low_windows(this, 1.8)
    floor = np.sort(every.fall)[len(every) // 2]
    passed, _ = windows.low_windows(this, 1.8, floor)
    assert len(passed) == (every.fall >= floor).sum() < len(every)


@pytest.mark.parametrize("strict", [True, False])
def test_a_window_that_just_reaches_z_is_found_unless_z_must_be_exceeded(courses, ordinary, strict):
    this = windows.scan(courses, ordinary, DIP)
    every, _ = windows.low_windows(this, 1.8)
    one = every.chosen(np.array([len(every) // 2]))
    z = this.z(one.q, courses.course[one.first])[0]
    found, _ = windows.low_windows(this, z, strict=strict)
    same = (found.first == one.first) & (found.stop == one.stop)
    assert same.any() == (not strict)


def test_what_lies_in_any_low_window_is_marked(courses, ordinary):
    found, _ = windows.low_windows(windows.scan(courses, ordinary, DIP), 2.0)
    expected = np.zeros(len(courses.rating), dtype=bool)
    for first, stop in zip(found.first, found.stop, strict=True):
        expected[first:stop] = True
    assert (windows.inside(courses, ordinary, DIP, 2.0) == expected).all()


def test_courses_are_settled_as_plain_matrices_settle_them(courses, ordinary):
    """Those of a single rating as well, which have hardly a degree of freedom."""
    p, settled = ordinary, settle(courses, ordinary, degrees=4.0)
    fitted = fit(courses, settled, p, 0.0)
    centre = np.array([p.level, p.trend])
    for course, start in enumerate(courses.start[:-1]):
        own = slice(start, courses.start[course + 1])
        time = courses.session[own] - courses.session[own].mean()
        value, hidden, variance = oracle.settled(time, courses.rating[own], p, 4.0)
        assert settled.rating[own] == pytest.approx(value)
        assert settled.variance[course] == pytest.approx(variance)
        design = np.column_stack([np.ones(len(time)), time])
        prior = np.diag([variance / p.level_variance, variance / p.trend_variance])
        around = value - design @ centre
        line = np.linalg.solve(design.T @ design + prior, design.T @ around)
        squares = around @ (around - design @ line) + hidden.sum()
        assert fitted.squares[course] == pytest.approx(squares)


def test_what_is_carried_over_is_that_of_the_longest_gap_beyond_it():
    three = flat.Courses(np.zeros(3), np.array([1, 3, 3 + 10 * LONGEST_GAP]), np.array([0, 3]))
    assert carried(three, 0.99) == pytest.approx([0.0, 0.99**2, 0.99**LONGEST_GAP])


@pytest.mark.parametrize("deleted", [True, False])
@pytest.mark.parametrize("unit", ["shrunk_sd", "own_sd", "sample_sd"])
@pytest.mark.parametrize("z", [1.0, 2.5, 4.0])
def test_the_limit_of_q_is_where_windows_reach_z(courses, ordinary, z, unit, deleted):
    this = windows.scan(courses, ordinary, replace(DIP, unit=unit, deleted=deleted))
    limit = this.limit(z)
    known = np.isfinite(limit) & (courses.length > 4)
    place = np.arange(len(limit))
    assert this.z(limit, place)[known] == pytest.approx(np.full(known.sum(), z), rel=1e-6)


def test_pieces_and_their_order_do_not_matter(courses, ordinary):
    whole = windows.inside(courses, ordinary, DIP, 2.0)
    parts = [windows.inside(part, ordinary, DIP, 2.0) for _, part in courses.pieces(50)]
    assert whole.any()
    assert (np.concatenate(parts) == whole).all()


def test_of_equally_low_windows_the_longest_then_the_earliest_is_taken():
    courses = flat.Courses(np.zeros(12), np.arange(1, 13), np.array([0, 12]))
    values = np.ones(4)
    found = windows.FoundWindows(
        np.array([3, 3, 6, 10]), np.array([4, 5, 8, 11]), values, values, np.ones(4)
    )
    kept = windows.separate(courses, found)
    assert kept.first.tolist() == [3, 6, 10]
    assert kept.stop.tolist() == [5, 8, 11]


def test_scores_of_t_are_as_rare_as_normal_values():
    from scipy import stats

    for free in (3.0, 8.0, 30.0):
        t = np.array([1.0, 2.0, 4.0])
        z = windows.normal_score(t**2, np.full(3, free))
        assert z == pytest.approx(stats.norm.isf(stats.t.sf(t, free)), rel=0.01)
        assert windows.t_value(z, np.full(3, free)) == pytest.approx(t)
