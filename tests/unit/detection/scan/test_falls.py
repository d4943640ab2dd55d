from dataclasses import replace

import numpy as np
import pytest

import window_oracle as oracle
from made_measures import made_measure
from rupture_repair.detection import criteria, episodes, run_rules
from rupture_repair.detection.courses import chosen
from rupture_repair.detection.fall_rules import REASONS
from rupture_repair.detection.ratings import why_not_assessable
from rupture_repair.detection.scan import falls as scan_falls
from rupture_repair.detection.scan.falls import considered, largest_z, population_of, scan_of
from rupture_repair.detection.scan.falls import falls as falls_of
from rupture_repair.detection.scan.population import PopulationsOfEach, Purge, purged
from rupture_repair.detection.scan.windows import Windows, t_value
from simulated_courses import ratings_of, sessions_of

MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 4.8})


def made(session=None):
    rating = sessions_of(200, 10, seed=1)
    rating[0] = [35, 36, 35, 36, 25, 24, 35, 36, 35, 36]
    rating[1] = [38, 37, 38, 37, 38, 37, 28, 27, 28, 27]
    return ratings_of(rating, MEASURE, session)


@pytest.fixture(scope="module")
def ratings():
    return made()


@pytest.fixture(scope="module")
def with_gaps():
    """The same ratings, of sessions that are closer in some weeks than in others."""
    return made(np.tile([1, 2, 3, 4, 5, 7, 9, 12, 15, 19], (200, 1)))


def found(ratings, name="dip", **settings):
    rule = criteria.load([name], {name: {"k": 3.2, **settings}})[0]
    falls = run_rules.falls(ratings.courses, rule, ratings.scale, 2)
    return rule, falls, episodes.find_episodes(ratings.courses, falls, rule)


def test_a_dip_is_compared_with_the_line_of_the_other_ratings(ratings):
    _, falls, these = found(ratings)
    assert np.flatnonzero(falls.low[:10]).tolist() == [4, 5]
    assert falls.reference[:10] == pytest.approx(np.full(10, 35.5), abs=1.5)
    assert falls.z[4] == falls.z[:10][~np.isnan(falls.z[:10])].max()
    assert falls.unit[0] < 3
    assert these.first_low[0] == 4
    assert these.repair[0] in (6, 7)  # the line rises with the others, so 35 may be too low


def test_a_fall_to_the_end_of_the_course_is_one_episode(ratings):
    _, falls, these = found(ratings)
    assert np.flatnonzero(falls.low[10:20]).tolist() == [6, 7, 8, 9]
    mine = these.first_low[(these.first_low >= 10) & (these.first_low < 20)]
    assert mine.tolist() == [16]
    assert these.status[these.first_low == 16].tolist() == [episodes.UNREPAIRED]


def test_the_first_two_ratings_have_nothing_before_them(ratings):
    _, falls, _ = found(ratings)
    assert (falls.reason[ratings.courses.position < 2] > 0).all()
    assert REASONS[falls.reason[0]] == "nothing to compare with"
    assert (falls.reason[ratings.courses.position >= 2] == 0).all()


def test_a_tooth_is_compared_with_the_ratings_before_it(ratings):
    rule, falls, these = found(ratings, "tooth")
    assert np.flatnonzero(falls.low[:10]).tolist() == [4, 5]
    assert falls.reference[4:6] == pytest.approx([35.5, 35.5])
    assert these.repair[0] == 6
    assert not rule.is_level


def test_after_a_tooth_a_rating_is_compared_with_those_before_it(ratings):
    _, falls, _ = found(ratings, "tooth")
    # The mean of five ratings with the tooth among them, from the first rating behind it on.
    assert falls.reference[6:8] == pytest.approx([(36 + 35 + 36 + 25 + 24) / 5,
                                                  (35 + 36 + 25 + 24 + 35) / 5])  # fmt: skip


def test_where_no_tooth_is_found_each_rating_is_compared_with_those_before_it(ratings):
    _, falls, these = found(ratings, "tooth", k=60.0)
    assert not falls.low.any()
    assert not len(these.first_low)
    assert np.isnan(falls.reference[0])
    assert falls.reference[1:5] == pytest.approx([35, 35.5, 106 / 3, 35.5])


def test_a_course_without_a_tooth_keeps_its_means_beside_one_with_a_tooth(ratings):
    rule, every, _ = found(ratings, "tooth", k=4.0)
    # One of those of which no rating lies at the top, where it may stand for a higher one.
    highest = np.where(every.low, 40, ratings.courses.rating).reshape(200, 10).max(axis=1)
    two, _ = chosen(ratings.courses, [0, np.flatnonzero(highest < 38)[0]])
    falls = falls_of(two, rule, ratings.scale, 2)
    assert np.flatnonzero(falls.begins).tolist() == [4]
    assert falls.reference[11:] == pytest.approx(
        [two.rating[max(10, at - 5) : at].mean() for at in range(11, 20)]
    )


@pytest.mark.parametrize("name", ["dip", "tooth"])
def test_falls_do_not_depend_on_the_order_of_the_courses(ratings, name):
    rule, falls, _ = found(ratings, name)
    turned, rating = chosen(ratings.courses, np.arange(200)[::-1])
    again = falls_of(turned, rule, ratings.scale, 2)
    assert falls.low[:10].any()  # the last course of those that are turned
    for values, other in ((falls.reference, again.reference), (falls.z, again.z),
                          (falls.low, again.low)):  # fmt: skip
        assert other == pytest.approx(values[rating], nan_ok=True)
    assert again.unit == pytest.approx(falls.unit[::-1])


def test_a_floor_leaves_out_shallow_falls(ratings):
    _, falls, _ = found(ratings, floor=12.0)
    assert not falls.low[:20].any()


def test_the_threshold_is_about_the_fall_of_one_rating_that_is_just_found():
    rating = sessions_of(150, 11, seed=2)
    rating[0] = [31, 28, 32, 29, 31, 30, 28, 32, 29, 31, 29]
    ratings = ratings_of(rating, replace(MEASURE, range=None))
    rule = criteria.load(["dip"], {"dip": {"k": 3.0, "autocorrelation": 0.0}})[0]
    scale = ratings.scale
    threshold = run_rules.falls(ratings.courses, rule, scale, 2).threshold[0]
    for factor, low in ((0.85, False), (1.15, True)):
        changed = ratings.courses.rating.copy()
        reference = run_rules.falls(ratings.courses, rule, scale, 2).reference[5]
        changed[5] = reference - factor * threshold
        courses = replace(ratings.courses, rating=changed)
        assert run_rules.falls(courses, rule, scale, 2).low[5] == low


def test_every_window_considered_is_listed_once(ratings):
    rule, falls, _ = found(ratings)
    table = considered(chosen(ratings.courses, [0])[0], rule, ratings.scale, 2)
    # Ten ratings, begin at the third: runs of one to four, and to the end where that is longer.
    assert len(table) == 8 + 7 + 6 + 5 + 4
    assert not table.duplicated(["first", "last"]).any()
    taken = table[table["found"]]
    assert taken[["first", "last"]].to_numpy().tolist() == [[4, 5]]
    assert taken["z"].iloc[0] == pytest.approx(falls.z[4])
    assert taken["fall"].iloc[0] == pytest.approx(falls.fall[4:6].mean(), abs=0.2)
    assert (table["z"].dropna() <= taken["z"].iloc[0]).all()


def test_a_tooth_is_short_and_ends_before_the_course_does_or_with_it(ratings):
    rule, falls, _ = found(ratings, "tooth")
    table = considered(chosen(ratings.courses, [1])[0], rule, ratings.scale, 2)
    # Ten ratings, begin at the third: runs of one to three.
    assert len(table) == 8 + 7 + 6
    assert table["ratings"].max() == 3
    assert falls.begins.dtype == bool


@pytest.mark.parametrize("unit", ["own_sd", "sample_sd", "shrunk_sd"])
def test_the_unit_is_the_one_that_the_criterion_names(ratings, unit):
    rule, falls, _ = found(ratings, unit=unit, k=50.0)
    pooled = population_of(rule, ratings.scale).variance ** 0.5
    if unit == "sample_sd":
        assert falls.unit == pytest.approx(np.full(200, pooled), rel=1e-3)
    else:  # those drawn to that of the dataset differ less
        own = found(ratings, unit="own_sd", k=50.0)[1].unit
        assert (falls.unit.std() < 0.8 * own.std()) == (unit == "shrunk_sd")


@pytest.mark.parametrize("length", [1, 2])
def test_courses_of_one_or_two_ratings_are_too_short(length):
    rating = sessions_of(60, 8, seed=3)
    rating[:5, length:] = np.nan
    ratings = ratings_of(rating, MEASURE)
    rule, falls, _ = found(ratings)
    assert why_not_assessable(rule, MEASURE, ratings) is None
    short = ratings.courses.spread(ratings.courses.length <= length)
    assert {REASONS[code] for code in falls.reason[short]} == {"too few ratings"}
    assert not falls.low[short].any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["dip", "tooth"])
def test_three_ratings_alone_are_too_few_for_an_sd(name, sign):
    """A line takes two degrees of freedom, a window the third: what is left is rounding error."""
    rating = np.array([[np.nan, 23, 35, np.nan, 33], [2, *[np.nan] * 4]])
    rating = rating if sign > 0 else 40 - rating[:, ::-1]
    ratings = ratings_of(rating, MEASURE)
    rule, falls, these = found(ratings, name)
    assert {REASONS[code] for code in falls.reason} == {"too few ratings"}
    assert not falls.low.any()
    assert len(these.first_low) == 0
    assert np.isnan(falls.unit).all()
    assert np.isnan(falls.threshold).all()
    assert np.isnan(largest_z(ratings.courses, rule, ratings.scale, 2)).all()


def test_three_ratings_are_enough_where_other_courses_tell_of_variation():
    rating = sessions_of(60, 8, seed=3)
    rating[0] = [30, 12, 30, *[np.nan] * 5]
    _, falls, _ = found(ratings_of(rating, MEASURE), k=1.0)
    assert (falls.reason[2:3] == 0).all()
    assert np.isfinite(falls.unit[0])


def test_a_course_at_the_ceiling_has_no_dip():
    rating = sessions_of(100, 9, seed=4)
    rating[0] = 40.0
    _, falls, _ = found(ratings_of(rating, MEASURE))
    assert not falls.low[:9].any()
    assert np.isfinite(falls.reference[:9]).all()


def test_without_any_variation_there_is_a_reason():
    ratings = ratings_of(np.full((9, 8), 40.0), MEASURE)
    rule = criteria.load(["dip"], {"dip": {"k": 3.0}})[0]
    assert "ordinary ups and downs" in why_not_assessable(rule, MEASURE, ratings)


def apart(ratings, number):
    """One course, and its sessions and ratings."""
    course = chosen(ratings.courses, [number])[0]
    return course, course.session.astype(float), course.rating


@pytest.mark.parametrize("name", ["dip", "tooth"])
def test_every_window_considered_is_that_of_plain_matrices(ratings, name):
    rule, _, _ = found(ratings, name)
    ordinary = population_of(rule, ratings.scale)
    for number in range(4):
        course, session, rating = apart(ratings, number)
        this = scan_of(course, rule, ratings.scale)
        value, _, _ = oracle.settled(session - session.mean(), rating, ordinary,
                                     2 * ordinary.degrees)  # fmt: skip
        plain = {window[:2]: window[2:] for window in
                 oracle.windows(session, rating, ordinary, this.windows)}  # fmt: skip
        for row in considered(course, rule, ratings.scale, 2).to_dict("records"):
            fall, information, z = plain.pop((row["first"], row["last"] + 1))
            assert row["ratings"] == row["last"] - row["first"] + 1
            assert row["fall"] == pytest.approx(fall)
            assert row["information"] == pytest.approx(information)
            assert row["level"] == pytest.approx(value[row["first"] : row["last"] + 1].mean())
            assert np.isnan(row["z"]) == (fall <= 0)
            if fall > 0:
                assert row["z"] == pytest.approx(z)
                t = t_value(np.array([z]), this.free)[0]
                assert row["unit"] == pytest.approx(fall * np.sqrt(information) / t)
        assert not plain


def test_a_window_that_is_left_in_leaves_the_unit_as_it_is(ratings):
    rule, falls, _ = found(ratings, deleted=False)
    table = considered(chosen(ratings.courses, [0])[0], rule, ratings.scale, 2)
    assert table["unit"].to_numpy() == pytest.approx(np.full(len(table), falls.unit[0]))
    assert falls.unit[0] > found(ratings)[1].unit[0]
    assert falls.reference[:10] == pytest.approx(scan_of(ratings.courses, rule, ratings.scale)
                                                 .fit.line[:10])  # fmt: skip


@pytest.mark.parametrize("sessions", ["ratings", "with_gaps"])
def test_the_line_of_the_others_is_that_of_a_regression_with_a_shift_of_the_window(
    sessions, request
):
    """Of the window that a rating lies in or follows, before the first that one."""
    ratings = request.getfixturevalue(sessions)
    rule, falls, _ = found(ratings, k=1.5)
    p, several = population_of(rule, ratings.scale), 0
    for number in range(40):
        course, session, rating = apart(ratings, number)
        table = considered(course, rule, ratings.scale, 2)
        taken = table.loc[table["found"], ["first", "last"]].to_numpy().tolist()
        several += len(taken) > 1
        time = session - session.mean()
        value, _, variance = oracle.settled(time, rating, p, 2 * p.degrees)
        weight = np.linalg.inv((rule.autocorrelation * p.carry) ** abs(session[:, None] - session))
        line, centre = np.column_stack([np.ones(10), time]), np.array([p.level, p.trend])
        penalty = np.diag([variance / p.level_variance, variance / p.trend_variance, 1e-12])
        for at in range(10):
            before = [window for window in taken if window[0] <= at] or taken[:1]
            low = np.zeros(10)
            for first, last in before[-1:]:
                low[first : last + 1] = 1.0
            wide = np.column_stack([line, low])
            left = wide.T @ weight @ wide + penalty
            found_by = np.linalg.solve(left, wide.T @ weight @ (value - line @ centre))
            expected = line[at] @ (centre + found_by[:2])
            assert falls.reference[10 * number + at] == pytest.approx(expected)
    assert several > 2


def test_a_course_with_too_few_ratings_has_no_low_window(ratings):
    _, falls, _ = found(ratings, min_ratings=11)
    assert {REASONS[code] for code in falls.reason} == {"too few ratings"}
    assert not falls.low.any()


def test_what_is_ordinary_is_purged_of_short_and_long_falls_where_the_criterion_says_so(ratings):
    rule = found(ratings)[0]
    how = Windows(longest=4, to_end=True, before=2, span=None, deleted=True, censored=True,
                  unit="shrunk_sd", carry_share=rule.autocorrelation)  # fmt: skip
    raw, new = (purged(ratings.courses, ratings.scale.populations.top, how, purge)[0].pooled
                for purge in (Purge(rounds=0), rule.purge))  # fmt: skip
    assert new < 0.999 * raw
    without = replace(rule, purge=None)
    assert population_of(without, ratings.scale).pooled == pytest.approx(raw)
    assert population_of(rule, ratings.scale).pooled == pytest.approx(new)


def test_what_is_purged_is_freed_of_as_much_autocorrelation_as_the_criterion_says(ratings):
    rule = found(ratings, autocorrelation=0.0)[0]
    for share, same in ((0.0, True), (1.0, False)):
        looked_for = Windows(carry_share=share)
        top = ratings.scale.populations.top
        expected = purged(ratings.courses, top, looked_for, rule.purge)[0]
        now = population_of(rule, ratings.scale)
        assert (now.pooled == pytest.approx(expected.pooled)) == same


def test_only_what_is_compared_with_ratings_before_has_a_gap():
    session = np.tile(np.arange(1, 9), (60, 1))
    session[0] = [1, 2, 3, 4, 5, 9, 10, 11]
    session[1] = [1, 9, 10, 11, 12, 13, 14, 15]
    session[2] = [1, 2, 3, 5, 7, 8, 9, 11]  # two sessions back is not too many
    ratings = ratings_of(sessions_of(60, 8, seed=6), MEASURE, session)
    gap, first = "the previous rating lies too many sessions back", "nothing to compare with"
    for name, said in (("tooth", [5]), ("dip", [])):
        reasons = [REASONS[code] if code else "" for code in found(ratings, name)[1].reason]
        assert [at for at, reason in enumerate(reasons) if reason == gap] == said
        assert reasons[8:10] == [first, first]


def test_ratings_at_the_top_are_read_as_there_or_beyond():
    rating = sessions_of(100, 9, seed=4)
    rating[0] = 40.0
    ratings = ratings_of(rating, MEASURE)
    reference = {how: found(ratings, ceiling=how)[1].reference[:9].max()
                 for how in ("censored", "as_rated")}  # fmt: skip
    assert reference["censored"] > 40.3 > reference["as_rated"]


def test_the_largest_z_of_a_course_is_that_of_its_lowest_window():
    rating = sessions_of(80, 9, seed=7, fallen=0.5)
    for number in range(12):
        rating[number, number % 4 + 1 :] = np.nan  # the shortest have no window
    ratings = ratings_of(rating, MEASURE)
    rule, falls, _ = found(ratings)
    largest = largest_z(ratings.courses, rule, ratings.scale, 2)
    assert np.isnan(largest).sum() == 6
    for number, z in enumerate(largest[:40]):
        table = considered(chosen(ratings.courses, [number])[0], rule, ratings.scale, 2)
        assert np.isnan(z) == table.empty
        assert table.empty or z == pytest.approx(np.nanmax([*table["z"], 0.0]))
        if not table.empty and z > 0:  # a floor at the very fall lets it pass, a higher one not
            top = table.loc[table["z"].idxmax()]
            for factor, same in ((1.0, True), (1.5, False)):
                own = criteria.load(["dip"], {"dip": {"k": 3.2, "floor": top["fall"] * factor}})[0]
                again = largest_z(ratings.courses, own, ratings.scale, 2)[number]
                assert (again == pytest.approx(z)) == same
            break
    low = np.add.reduceat(falls.low, ratings.courses.start[:-1]) > 0
    assert (low == (largest >= 3.2)).all()


def test_courses_are_scanned_in_pieces_with_the_same_result(ratings, monkeypatch):
    rule, _, _ = found(ratings)
    whole = largest_z(ratings.courses, rule, ratings.scale, 2)
    monkeypatch.setattr(scan_falls, "PIECE", 300)
    assert largest_z(ratings.courses, rule, ratings.scale, 2) == pytest.approx(whole)


@pytest.mark.parametrize("number", [1, 2])
def test_stacked_datasets_are_judged_each_by_itself(ratings, number):
    rule, _, _ = found(ratings)
    both = PopulationsOfEach.of(ratings.courses, number, 40.0)
    stacked = replace(ratings.scale, populations=both)
    together = falls_of(ratings.courses, rule, stacked, 2)
    largest = largest_z(ratings.courses, rule, stacked, 2)
    courses = 200 // number
    for at, one in enumerate(both.each):
        scale = replace(ratings.scale, populations=one)
        own = slice(at * courses * 10, (at + 1) * courses * 10)
        alone = falls_of(one.courses, rule, scale, 2)
        assert together.reference[own] == pytest.approx(alone.reference)
        assert (together.low[own] == alone.low).all()
        assert largest[at * courses : (at + 1) * courses] == pytest.approx(
            largest_z(one.courses, rule, scale, 2), nan_ok=True
        )
