"""Share of rupture-free courses with a rupture, against the table of an independent simulation.

Source of the numbers: the project's specification of detection ("Numbers a correct implementation
must give"), 200,000 simulated courses of independent normal ratings, repair = 50 % within three
sessions. Its "repaired" columns judge each fall by itself, without the rule that no onset lies
inside an open episode; hence ``onset_inside_episode=True`` here. `POPULATION_SD` is 1 there.
"""

import numpy as np
import pytest

from rupture_repair.detection import criteria, episodes, fall_rules
from rupture_repair.detection.courses import Courses

COURSES = 200_000
COLUMNS = ("v_1sd", "v_2sd", "v_2sd larger", "mean 1.5", "own_mean_2sd", "chart 2", "shewhart_3")

TABLE = {
    (6, 0.0): ((92, 65), (44, 24), (27, 15), 29, 0.2, 8, 0.6),
    (8, 0.0): ((97, 80), (56, 36), (38, 24), 44, 6, 13, 0.8),
    (12, 0.0): ((100, 93), (72, 53), (57, 41), 66, 17, 21, 1.4),
    (16, 0.0): ((100, 98), (83, 66), (70, 54), 79, 26, 29, 2),
    (20, 0.0): ((100, 99), (89, 75), (79, 65), 87, 35, 36, 2.5),
    (12, 0.6): ((94, 71), (33, 19), (10, 5), 63, 14, 59, 13),
    (20, 0.6): ((98, 85), (40, 24), (18, 9), 85, 31, 84, 28),
}


def simulated(ratings: int, autocorrelation: float) -> Courses:
    noise = np.random.default_rng(20).standard_normal((COURSES, ratings))
    values = noise.copy()
    for t in range(1, ratings):
        innovation = np.sqrt(1 - autocorrelation**2) * noise[:, t]
        values[:, t] = autocorrelation * values[:, t - 1] + innovation
    return Courses(
        values.ravel(),
        np.tile(np.arange(1, ratings + 1), COURSES),
        np.arange(0, COURSES * ratings + 1, ratings),
    )


def criterion(column: str) -> criteria.Criterion:
    changes = {
        "v_2sd larger": ("v_2sd", {"unit": "larger_sd"}),
        "mean 1.5": ("own_mean_2sd", {"k": 1.5}),
        "chart 2": ("shewhart_3", {"k": 2}),
    }
    identity, settings = changes.get(column, (column, {}))
    return criteria.load([identity], {identity: settings})[0]


def shares(courses: Courses, column: str, **edge_rules) -> tuple[float, float]:
    """Per cent of courses with a rupture, and with a repaired one."""
    rule = criterion(column)
    scale = fall_rules.Scale(sample_sd_mean=1.0, sample_sd_trend=1.0)
    falls = fall_rules.falls(courses, rule, scale, max_gap=2)
    found = episodes.find_episodes(courses, falls, rule, **edge_rules)
    course = courses.course[found.first_low]
    repaired = course[found.status == episodes.REPAIRED]
    return tuple(100 * len(np.unique(who)) / COURSES for who in (course, repaired))


@pytest.mark.parametrize(("ratings", "autocorrelation"), TABLE)
def test_share_of_rupture_free_courses_with_a_rupture(ratings, autocorrelation):
    courses = simulated(ratings, autocorrelation)
    for column, expected in zip(COLUMNS, TABLE[ratings, autocorrelation], strict=True):
        rupture, repaired = shares(courses, column, onset_inside_episode=True)
        both = expected if isinstance(expected, tuple) else (expected, repaired)
        # Whole per cent in the table carry rounding of 0.5 besides Monte Carlo error.
        allowed = 0.75 if float(both[0]).is_integer() else 0.25
        assert rupture == pytest.approx(both[0], abs=allowed), column
        assert repaired == pytest.approx(both[1], abs=allowed), column


def test_an_open_episode_absorbs_further_falls():
    """Reference: the same rule in a loop over sessions, 100,000 courses, error 0.1."""
    courses = simulated(12, 0.0)
    for column, expected in (("v_1sd", (99.6, 87.7)), ("v_2sd", (72.4, 53.0))):
        assert shares(courses, column) == pytest.approx(expected, abs=0.5), column


def test_share_with_a_reliable_drop_when_the_true_alliance_is_constant():
    """Fall of 1.96 standard errors of the difference; error SD 1, so that the latter is sqrt 2."""
    rule = criterion("reliable_drop")
    scale = fall_rules.Scale(
        1.0, 1.0, difference_error=np.sqrt(2), reliable_change=1.96 * np.sqrt(2)
    )
    for ratings, expected in ((6, 12), (8, 17), (12, 25), (16, 32), (20, 39), (30, 53)):
        courses = simulated(ratings, 0.0)
        falls = fall_rules.falls(courses, rule, scale, max_gap=2)
        found = episodes.find_episodes(courses, falls, rule)
        share = 100 * len(np.unique(courses.course[found.first_low])) / COURSES
        assert share == pytest.approx(expected, abs=0.75)
