import numpy as np
import pytest

from rupture_repair.detection import courses as flat
from rupture_repair.detection.scan import population
from rupture_repair.detection.scan.windows import Windows


def drawn(number, length, seed=1, carry=0.0, fallen=0.0):
    """Courses with known values; a share of them falls by 3 SD for two ratings."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(number, length))
    for t in range(1, length):
        noise[:, t] = carry * noise[:, t - 1] + np.sqrt(1 - carry**2) * noise[:, t]
    sd = 2 * np.sqrt(8 / random.chisquare(8, (number, 1)))
    time = np.arange(length) - (length - 1) / 2
    rating = random.normal(30, 4, (number, 1)) + random.normal(0.1, 0.15, (number, 1)) * time
    rating = rating + sd * noise
    for course in np.flatnonzero(random.random(number) < fallen):
        at = random.integers(2, length - 1)
        rating[course, at : at + 2] -= 3 * sd[course, 0]
    start = np.arange(0, number * length + 1, length)
    return flat.Courses(rating.ravel(), np.tile(np.arange(1, length + 1), number), start)


def test_values_of_a_dataset_are_found():
    found = population.describe(drawn(2000, 12), np.inf)
    assert found.level == pytest.approx(30, abs=0.3)
    assert np.sqrt(found.level_variance) == pytest.approx(4, abs=0.2)
    assert found.trend == pytest.approx(0.1, abs=0.02)
    assert np.sqrt(found.trend_variance) == pytest.approx(0.15, abs=0.02)
    assert found.variance == pytest.approx(4, abs=0.25)
    assert found.degrees == pytest.approx(8, abs=1.5)
    assert found.carry < 0.06


def test_a_line_that_is_fitted_does_not_hide_the_autocorrelation():
    assert population.describe(drawn(2000, 15, carry=0.4), np.inf).carry == pytest.approx(
        0.4, abs=0.1
    )


def test_ratings_behind_the_ceiling_count_as_what_they_stand_for():
    courses = drawn(2000, 12, seed=2)
    top = float(np.quantile(courses.rating, 0.8))
    cut = flat.Courses(np.minimum(courses.rating, top), courses.session, courses.start)
    found, naive = population.describe(cut, top), population.describe(cut, np.inf)
    whole = population.describe(courses, np.inf)
    assert found.level == pytest.approx(whole.level, abs=0.25)
    assert found.pooled == pytest.approx(whole.pooled, rel=0.1)
    assert naive.pooled < 0.85 * whole.pooled


def test_falls_that_are_purged_do_not_enlarge_the_variance():
    quiet, fallen = drawn(1500, 12, seed=3), drawn(1500, 12, seed=3, fallen=0.6)
    plain = population.describe(fallen, np.inf).pooled / population.describe(quiet, np.inf).pooled
    how = (np.inf, Windows(), population.Purge())
    purged = population.purged(fallen, *how)[0].pooled / population.purged(quiet, *how)[0].pooled
    assert plain > 1.35
    assert purged < 1.15


@pytest.mark.parametrize(
    "rating",
    [np.full((5, 6), 40.0), np.empty((0, 3)), np.arange(10.0)[:, None], np.ones((4, 2))],
    ids=["all at the ceiling", "none", "one rating each", "two equal ratings each"],
)
def test_nothing_is_known_where_nothing_varies(rating):
    number, length = rating.shape
    start = np.arange(0, number * length + 1, length)
    courses = flat.Courses(rating.ravel(), np.tile(np.arange(1, length + 1), number), start)
    assert not population.purged(courses, 39.95, Windows(), population.Purge())[0].known


def test_one_course_is_not_drawn_towards_others():
    found, _ = population.purged(drawn(1, 100), np.inf, Windows(), population.Purge())
    assert found.known
    assert np.isinf(found.level_variance)
    assert np.isinf(found.trend_variance)
    assert found.degrees == 0
