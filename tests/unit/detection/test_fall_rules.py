import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from rupture_repair.detection import criteria, episodes, fall_rules, run_rules
from rupture_repair.detection.courses import arrange

SCALE = fall_rules.Scale(3.0, 2.5, difference_error=2.0, reliable_change=3.92, worst=0.0)
EVERY = [rule for rule in oracle.rules_of_ratings() if rule.run is None]
# The model needs a whole dataset; it has tests of its own.
NAMED = [
    rule for rule in oracle.rules_of_ratings() if rule.run not in (None, "rupture_probability")
]
BY_ID = {rule.id: rule for rule in EVERY}
FURTHER = [
    dataclasses.replace(
        BY_ID["tooth_simple"], id="recent_mean", reference="recent_mean", span=4, floor=None
    ),
    dataclasses.replace(
        BY_ID["tooth_simple"], id="past_mean", reference="past_mean", unit="raw", k=4
    ),
    dataclasses.replace(
        BY_ID["tooth_simple"], id="sample_sd", unit="sample_sd", span=5, k=1.2, floor=2.0
    ),
    dataclasses.replace(BY_ID["tooth_simple"], id="decline", reference="decline_start", k=1.0),
    dataclasses.replace(
        BY_ID["tooth_simple"],
        id="decline_mean",
        reference="decline_start",
        sd_around="mean",
        floor=None,
        repair=criteria.Repair(0.5, None),
    ),
    dataclasses.replace(
        BY_ID["own_mean_2sd"], id="median_mad", reference="course_median", unit="mad"
    ),
    dataclasses.replace(
        BY_ID["own_mean_2sd"], id="quartile", reference="first_quartile", unit="iqr", k=0.5
    ),
    dataclasses.replace(BY_ID["own_mean_2sd"], id="own_mean_1sd", k=1.0),
    dataclasses.replace(BY_ID["shewhart_3"], id="shewhart_1", k=1.0),
]
TOLD = {rule.id: rule for rule in EVERY + FURTHER}
RULES = TOLD | {rule.id: rule for rule in NAMED}
# Rules that multiplying all ratings by a positive number leaves alone.
SCALE_FREE = (
    *("own_mean_2sd", "own_mean_1sd", "shewhart_3", "shewhart_2", "shewhart_1", "v_2sd", "v_1sd"),
    *("tukey", "median_mad", "western_electric", "anhoej", "change_point"),
)


def arranged(courses):
    """Kernel arrays of a list of (sessions, ratings)."""
    code = np.repeat(np.arange(len(courses)), [len(ratings) for _, ratings in courses])
    session = np.concatenate([sessions for sessions, _ in courses])
    rating = np.concatenate([ratings for _, ratings in courses])
    return arrange(code, session, rating)[0]


def assessed(courses, rule, scale=SCALE, max_gap=2):
    falls = run_rules.falls(courses, rule, scale, max_gap)
    found = episodes.find_episodes(courses, falls, rule)
    return falls, found, episodes.states(courses, falls, found)


def test_kernel_agrees_with_the_rules_told_one_course_at_a_time(subtests):
    random = np.random.default_rng(7)
    courses = [oracle.random_course(random, int(random.integers(1, 25))) for _ in range(600)]
    arrays = arranged(courses)
    for rule in TOLD.values():
        with subtests.test(rule.id):
            _, found, state = assessed(arrays, rule)
            seen = 0
            for number, (sessions, ratings) in enumerate(courses):
                begin, end = arrays.start[number], arrays.start[number + 1]
                states, expected = oracle.assess(rule, sessions, ratings, SCALE)
                assert [episodes.STATES[s] for s in state[begin:end]] == states, number
                here = np.flatnonzero((found.first_low >= begin) & (found.first_low < end))
                assert len(here) == len(expected)
                seen += len(here)
                for index, episode in zip(here, expected, strict=True):
                    assert episodes.STATUSES[found.status[index]] == episode["status"]
                    assert found.reference[index] == pytest.approx(episode["reference"])
                    for name in ("onset", "first_low", "nadir", "repair", "end"):
                        value = getattr(found, name)[index]
                        where = value - begin if value >= 0 else -1
                        assert where == episode[name], (number, name)
            assert seen > 20


def course_strategy():
    rating = st.integers(0, 400).map(lambda tenths: tenths / 10)
    step = st.sampled_from([1, 1, 1, 2, 3])
    return st.lists(st.tuples(step, rating), min_size=1, max_size=20).map(
        lambda rows: (np.cumsum([s for s, _ in rows]).tolist(), [r for _, r in rows])
    )


def first_lows(courses, rule, scale=SCALE):
    arrays = arranged(courses)
    _, found, state = assessed(arrays, rule, scale)
    return found.first_low.tolist(), found.status.tolist(), state.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(course_strategy(), min_size=1, max_size=6), st.sampled_from(list(RULES)))
def test_adding_a_constant_changes_nothing(courses, name):
    rule = RULES[name]
    moved = [(sessions, [rating + 64 for rating in ratings]) for sessions, ratings in courses]
    shifted = rule if rule.value is None else dataclasses.replace(rule, value=rule.value + 64)
    # The range moves along.
    scale = dataclasses.replace(SCALE, worst=64.0)
    assert first_lows(courses, rule) == first_lows(moved, shifted, scale)


@settings(max_examples=60, deadline=None)
@given(st.lists(course_strategy(), min_size=1, max_size=6), st.sampled_from(SCALE_FREE))
def test_multiplying_changes_nothing_for_scale_free_rules(courses, name):
    rule = RULES[name]
    larger = [(sessions, [rating * 8 for rating in ratings]) for sessions, ratings in courses]
    assert first_lows(courses, rule) == first_lows(larger, rule)


@settings(max_examples=40, deadline=None)
@given(st.lists(course_strategy(), min_size=2, max_size=6), st.sampled_from(list(RULES)))
def test_courses_do_not_influence_each_other(courses, name):
    alone = [state for course in courses for state in first_lows([course], RULES[name])[2]]
    assert first_lows(courses, RULES[name])[2] == alone


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("level", [0.1, 36.3, 40.0])
def test_flat_series_never_fire(name, level):
    rule = RULES[name]
    if rule.reference == "fixed":
        rule = dataclasses.replace(rule, value=level)
    courses = [(list(range(1, n + 1)), [level] * n) for n in range(1, 20)]
    assert first_lows(courses, rule)[0] == []


@settings(max_examples=80, deadline=None)
@given(
    course_strategy(),
    st.lists(st.integers(0, 40), min_size=1, max_size=5),
    st.sampled_from([name for name, rule in RULES.items() if not rule.uses_future]),
)
def test_without_use_of_the_future_later_ratings_change_no_past_state(course, later, name):
    sessions, ratings = course
    further = list(range(sessions[-1] + 1, sessions[-1] + 1 + len(later)))
    longer = (sessions + further, ratings + later)
    before = first_lows([course], RULES[name])[2]
    assert first_lows([longer], RULES[name])[2][: len(ratings)] == before


def test_future_is_used_by_levels_and_spreads_of_the_whole_course():
    assert {name for name, rule in RULES.items() if not rule.uses_future} == {
        *("reliable_drop", "srs_cutoff", "srs_drop_1", "past_mean", "reported"),
    }


def test_largest_deviation_from_the_own_mean_is_attained_and_never_passed():
    rule = RULES["own_mean_2sd"]
    for number in range(2, 15):
        ratings = np.array([1.0] * (number - 1) + [0.0])
        z = (ratings.mean() - ratings[-1]) / ratings.std(ddof=1)
        assert fall_rules.largest_fall(rule, np.array([number]))[0] == pytest.approx(z)
    bound = fall_rules.largest_fall(rule, np.array([5, 6]))
    assert bound[0] < 2 < bound[1]
    three = fall_rules.largest_fall(dataclasses.replace(rule, k=3.0), np.array([10, 11]))
    assert three[0] < 3 < three[1]


@pytest.mark.parametrize(
    "name", ["own_mean_1sd", "dip_simple", "v_1sd", "tooth_simple", "shewhart_1"]
)
def test_no_series_passes_the_largest_fall(name):
    rule = RULES[name]
    random = np.random.default_rng(3)
    # Random series hardly come near the bound; steep ones and single outliers do.
    courses = [oracle.random_course(random, n) for n in range(3, 15) for _ in range(100)]
    courses += [(list(range(n)), [40.0] * (n - 1) + [0.0]) for n in range(3, 15)]
    arrays = arranged(courses)
    scale = fall_rules.Scale(1e-9, 1e-9)
    found = fall_rules.falls(arrays, dataclasses.replace(rule, k=0.0, floor=None), scale, 9)
    unit = arrays.spread(found.unit)
    largest = unit * arrays.spread(fall_rules.largest_fall(rule, arrays.length))
    measured = (unit > 0) & np.isfinite(found.fall)
    assert measured.sum() > 1000
    assert (found.fall <= largest * (1 + 1e-9))[measured].all()


@pytest.mark.parametrize(
    ("name", "unit", "ratings", "units"),
    [
        ("own_mean_1sd", "own_sd", [1, 1, 1, 0], 1.5),  # 0.75 below the mean, SD 0.5
        ("v_1sd", "own_sd", [1, 0], 2**0.5),  # SD sqrt(1 / 2)
        ("v_1sd", "larger_sd", [0.5, 1, 0], 2.0),  # SD 0.5
        ("dip_simple", "own_sd", [1, 0, 1], (2 / 3) ** 0.5),  # 2 / 3 below, SD sqrt(2 / 3)
        ("shewhart_1", "moving_range", [1, 0], 1.128 / 2),  # half a step of 1, which is 1.128 sigma
    ],
)
def test_the_largest_fall_is_that_of_a_series_which_falls_most(name, unit, ratings, units):
    rule = dataclasses.replace(RULES[name], unit=unit, k=0.0, floor=None, min_ratings=1)
    courses = arranged([(list(range(1, len(ratings) + 1)), [float(one) for one in ratings])])
    found = fall_rules.falls(courses, rule, fall_rules.Scale(1e-9, 1e-9), 2)
    assert np.nanmax(found.fall) / found.unit[0] == pytest.approx(units)
    assert fall_rules.largest_fall(rule, courses.length)[0] == pytest.approx(units)


def test_two_ratings_lie_on_their_line():
    rule = dataclasses.replace(RULES["dip_simple"], unit="own_sd")
    assert fall_rules.largest_fall(rule, np.array([1, 2])).tolist() == [0, 0]


def test_without_a_cutoff_there_is_nothing_to_compare_with():
    rule = dataclasses.replace(RULES["srs_cutoff"], value=None)
    for better in ("higher", "lower"):
        scale = dataclasses.replace(SCALE, better=better)
        falls = fall_rules.falls(arranged([([1, 2], [30.0, 20.0])]), rule, scale, 2)
        assert set(falls.reason) == {fall_rules.NO_REFERENCE}
        assert not falls.low.any()


def test_equal_ratings_end_with_their_course():
    courses = arranged([([1, 2], [36.0, 36.0]), ([1, 2, 3, 4], [36.0, 36.0, 30.0, 30.0])])
    assert fall_rules.level_end(courses).tolist() == [1, 1, 3, 3, 5, 5]
    apart = arranged([([1, 2, 3], [36.0, 30.0, 36.0])])
    assert fall_rules.level_end(apart).tolist() == [0, 1, 2]


def test_a_decline_begins_with_the_last_rating_of_a_level_and_in_its_course():
    courses = arranged([([1, 2, 3, 4, 5, 6], [30.0, 36.0, 36.0, 36.0, 34.0, 20.0]),
                        ([1, 2, 3, 4], [19.0, 18.0, 25.0, 25.0])])  # fmt: skip
    # Ratings that are still at the level begin with the one before them.
    assert fall_rules.decline_start(courses).tolist() == [0, 1, 1, 2, 3, 3, 6, 6, 8, 8]


def test_pieces_cover_all_courses_once():
    random = np.random.default_rng(1)
    arrays = arranged([oracle.random_course(random, int(n)) for n in random.integers(1, 9, 50)])
    parts = [part for _, part in arrays.pieces(size=20)]
    assert len(parts) > 5
    assert np.array_equal(np.concatenate([part.rating for part in parts]), arrays.rating)
    assert sum(len(part.length) for part in parts) == 50
    assert all(part.start[0] == 0 and part.start[-1] == len(part.rating) for part in parts)


def test_rows_in_any_order_and_unrated_sessions_are_arranged_alike():
    code = np.array([1, 0, 0, 1, 0])
    session = np.array([2, 3, 1, 1, 2])
    rating = np.array([5.0, 3.0, 1.0, 4.0, np.nan])
    courses, row = arrange(code, session, rating)
    assert courses.rating.tolist() == [1.0, 3.0, 4.0, 5.0]
    assert courses.session.tolist() == [1, 3, 1, 2]
    assert row.tolist() == [2, 1, 3, 0]
    without, _ = arrange(code[:4], session[:4], rating[:4])
    assert without.rating.tolist() == courses.rating.tolist()


def one_course(ratings, rule, sessions=None, **changes):
    rule = dataclasses.replace(rule, **changes)
    sessions = sessions or list(range(1, len(ratings) + 1))
    arrays = arranged([(sessions, [float(r) for r in ratings])])
    _, found, state = assessed(arrays, rule)
    statuses = [episodes.STATUSES[s] for s in found.status]
    return statuses, [episodes.STATES[s] for s in state], found


def test_a_drop_at_the_last_rating_is_censored_never_unrepaired():
    statuses, states, _ = one_course([36, 36, 36, 36, 20], RULES["reliable_drop"])
    assert statuses == ["censored"]
    assert states == ["not_assessable", "steady", "steady", "steady", "ruptured"]


def test_a_drop_with_a_full_window_is_unrepaired_and_one_short_is_censored():
    full, states, _ = one_course([36, 20, 20, 20, 20, 20], RULES["reliable_drop"])
    assert full == ["unrepaired"]
    assert states[1:] == ["ruptured"] * 4 + ["after_unrepaired"]
    short, _, _ = one_course([36, 20, 20, 20], RULES["reliable_drop"])
    assert short == ["censored"]


def test_an_episode_of_which_no_window_session_was_rated_is_censored():
    statuses, states, _ = one_course([36, 20, 36], RULES["reliable_drop"], sessions=[1, 2, 9])
    assert statuses == ["censored"]
    assert states == ["not_assessable", "ruptured", "not_assessable"]


def test_previous_is_at_most_max_gap_sessions_back():
    near, _, _ = one_course([36, 20, 20], RULES["reliable_drop"], sessions=[1, 3, 4])
    far, states, _ = one_course([36, 20, 20], RULES["reliable_drop"], sessions=[1, 4, 5])
    assert len(near) == 1
    assert far == []
    assert states == ["not_assessable", "not_assessable", "steady"]


def test_the_previous_rating_is_the_last_one_whatever_the_span():
    courses = arranged([([1, 2, 3, 4], [30.0, 36.0, 34.0, 20.0])])
    rule = dataclasses.replace(RULES["reliable_drop"], span=3)
    reference = fall_rules.falls(courses, rule, SCALE, 2).reference
    assert reference[1:].tolist() == [30.0, 36.0, 34.0]


@pytest.mark.parametrize(
    ("kind", "span", "expected"),
    [("recent_mean", 2, [30.0, 33.0, 35.0, 27.0]), ("recent_peak", 2, [30.0, 36.0, 36.0, 34.0]),
     ("recent_mean", 3, [30.0, 33.0, 100 / 3, 30.0]), ("recent_peak", 1, [30.0, 36.0, 34.0, 20.0]),
     ("recent_mean", 1, [30.0, 36.0, 34.0, 20.0])],
)  # fmt: skip
def test_a_span_says_how_many_ratings_are_looked_back_at(kind, span, expected):
    courses = arranged([([1, 2, 3, 4, 5], [30.0, 36.0, 34.0, 20.0, 20.0])])
    rule = dataclasses.replace(RULES["reliable_drop"], reference=kind, span=span)
    reference = fall_rules.falls(courses, rule, SCALE, 2).reference
    assert np.isnan(reference[0])
    assert reference[1:] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("around", "degrees", "expected"),
    [
        # Squares around the mean 2 and 4 / 3 (1 + 1 and 8 / 3, free 2 and 2), none of one rating.
        ("mean", 4.0, [(4 * 9 + 2) / 6, (4 * 9 + 8 / 3) / 6, 9.0]),
        ("mean", np.inf, [9.0, 9.0, 9.0]),  # all courses vary alike
        # Around the line of 1, 2, 3 nothing is left, around that of 2, 0, 2 all; one is free.
        ("trend", 4.0, [4 * 9 / 5, (4 * 9 + 8 / 3) / 5, 9.0]),
    ],
)
def test_a_shrunk_variance_lies_between_that_of_the_course_and_of_the_dataset(
    around, degrees, expected
):
    """That of the dataset counts as so many degrees of freedom as it has (Smyth 2004)."""
    courses = arranged([([1, 2, 3], [1.0, 2, 3]), ([1, 2, 3], [2.0, 0, 2]), ([1], [30.0])])
    rule = dataclasses.replace(RULES["reliable_drop"], unit="shrunk_sd", sd_around=around)
    wrong = (1.0, 1.0)  # of the other way to look at variation
    scale = dataclasses.replace(
        SCALE,
        prior_mean=(degrees, 9.0) if around == "mean" else wrong,
        prior_trend=(degrees, 9.0) if around == "trend" else wrong,
    )
    assert fall_rules.falls(courses, rule, scale, 2).unit ** 2 == pytest.approx(expected)


@pytest.mark.parametrize("around", ["mean", "trend"])
def test_without_a_prior_a_variance_is_not_shrunk(around):
    courses = arranged([([1, 2, 3, 4], [30.0, 36.0, 34.0, 20.0])])
    own, shrunk = (
        fall_rules.falls(
            courses, dataclasses.replace(RULES["v_1sd"], unit=unit, sd_around=around), SCALE, 2
        ).unit
        for unit in ("own_sd", "shrunk_sd")
    )
    assert shrunk == pytest.approx(own)


@pytest.mark.parametrize(
    ("ratings", "unit", "said"),
    [
        ([30.0] * 4, "own_sd", "no variation in the ratings of this course"),
        ([30.0, 30.0, 30.0, 20.0], "mad",
         "half of the ratings or more are equal, so that their spread is zero"),
        ([30.0, 30.0, 30.0, 30.0, 20.0], "iqr",
         "half of the ratings or more are equal, so that their spread is zero"),
        ([30.0, 20.0], "own_sd", "too few ratings"),
    ],
)  # fmt: skip
def test_a_course_that_cannot_be_assessed_has_the_reason(ratings, unit, said):
    courses = arranged([(list(range(1, len(ratings) + 1)), ratings)])
    rule = dataclasses.replace(RULES["own_mean_2sd"], unit=unit, k=0.5)
    falls = fall_rules.falls(courses, rule, SCALE, 2)
    assert {fall_rules.REASONS[code] for code in falls.reason} == {said}
    assert not falls.low.any()


def test_reasons_are_known_by_their_codes():
    said = {
        "TOO_FEW": "too few ratings",
        "NO_REFERENCE": "nothing to compare with",
        "GAP": "the previous rating lies too many sessions back",
        "OUTCOME_UNKNOWN": "follows an episode whose outcome was not observed",
        "NOT_RATED": "not rated",
        "TOO_FEW_AROUND": "too few ratings before or after this session",
    }
    assert {name: fall_rules.REASONS[getattr(fall_rules, name)] for name in said} == said


def test_the_largest_fall_that_is_possible_is_exceeded_by_none():
    """Of four ratings one lies at most 1.5 SD below the mean, where the others are equal."""
    courses = arranged([([1, 2, 3, 4], [4.0, 4.0, 4.0, 0.0])])
    for strict, low in ((True, []), (False, [3])):
        rule = dataclasses.replace(RULES["own_mean_2sd"], k=1.5, strict=strict)
        falls = fall_rules.falls(courses, rule, SCALE, 2)
        said = {fall_rules.REASONS[code] for code in falls.reason}
        assert said == ({"too few ratings for any to reach the threshold"} if strict else {""})
        assert np.flatnonzero(falls.low).tolist() == low


def test_a_fall_has_to_reach_the_floor_as_well():
    courses = arranged([([1, 2, 3, 4, 5], [36.0, 34.0, 31.0, 27.08, 20.0])])
    for floor, low in ((None, [1, 2, 3, 4]), (3.0, [2, 3, 4]), ("reliable_change", [3, 4])):
        rule = dataclasses.replace(RULES["srs_drop_1"], floor=floor)
        falls = fall_rules.falls(courses, rule, SCALE, 2)
        assert np.flatnonzero(falls.low).tolist() == low
        assert falls.floor == {None: 0.0, "reliable_change": 3.92}.get(floor, floor)


def test_a_rating_at_a_cutoff_is_low_unless_it_has_to_lie_below():
    courses = arranged([([1, 2, 3], [36.0, 36.5, 35.5])])
    for strict, low in ((True, [2]), (False, [0, 2])):
        rule = dataclasses.replace(RULES["srs_cutoff"], strict=strict)
        assert np.flatnonzero(fall_rules.falls(courses, rule, SCALE, 2).low).tolist() == low


def test_a_cutoff_is_turned_with_a_measure_whose_low_values_are_good():
    courses = arranged([([1, 2, 3], [-10.0, -15.0, -20.0])])
    rule = dataclasses.replace(RULES["srs_cutoff"], value=12)
    turned = fall_rules.falls(courses, rule, dataclasses.replace(SCALE, better="lower"), 2)
    assert turned.reference.tolist() == [-12.0] * 3
    assert turned.low.tolist() == [False, True, True]


def test_staying_below_a_level_is_one_episode():
    ratings = [38, 37, 30, 30, 30, 30, 30, 30, 30, 37, 30]
    statuses, states, found = one_course(ratings, RULES["srs_cutoff"])
    assert statuses == ["unrepaired", "censored"]
    assert found.first_low.tolist() == [2, 10]
    assert states[6:10] == ["after_unrepaired"] * 4


def test_a_fall_is_not_counted_again_from_a_peak_before_the_repair():
    rule = dataclasses.replace(RULES["sample_sd"], k=1.0, span=3, floor=None)
    # 40 -> 30, repaired at 35.5; 34 lies 6 below the old peak but 1.5 below the repair.
    statuses, _, _ = one_course([40, 40, 30, 35.5, 34, 34, 34, 34], rule)
    assert statuses == ["repaired"]
    again, _, found = one_course([40, 40, 30, 35.5, 32, 32, 32, 32], rule)
    assert again == ["repaired", "unrepaired"]
    assert found.reference.tolist() == [40.0, 35.5]


def test_onset_inside_an_open_episode_only_where_the_edge_rule_allows_it():
    arrays = arranged([(list(range(1, 9)), [40.0, 30, 20, 20, 28, 20, 20, 20])])
    rule = RULES["reliable_drop"]
    falls = fall_rules.falls(arrays, rule, SCALE, 2)
    assert episodes.find_episodes(arrays, falls, rule).first_low.tolist() == [1, 5]
    inside = episodes.find_episodes(arrays, falls, rule, onset_inside_episode=True)
    assert inside.first_low.tolist() == [1, 2, 5]
    state = episodes.states(arrays, falls, inside)
    assert len(state) == 8
    assert episodes.STATES[state[2]] == "ruptured"
