from dataclasses import replace

import numpy as np
import pytest

from made_measures import made_measure
from rupture_repair.detection import criteria, episodes, run_rules
from rupture_repair.detection.courses import chosen
from rupture_repair.detection.fall_rules import REASONS
from rupture_repair.detection.ratings import why_not_assessable
from rupture_repair.detection.scan.falls import considered
from simulated_courses import ratings_of, sessions_of

MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 4.8})


@pytest.fixture(scope="module")
def ratings():
    rating = sessions_of(200, 10, seed=1)
    rating[0] = [35, 36, 35, 36, 25, 24, 35, 36, 35, 36]
    rating[1] = [38, 37, 38, 37, 38, 37, 28, 27, 28, 27]
    return ratings_of(rating, MEASURE)


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
