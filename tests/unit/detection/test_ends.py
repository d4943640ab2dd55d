"""From which ratings on the ends of a scale are reached."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rupture_repair.detection.hidden_markov.ends import SHARE, soft_ends
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel, assess
from rupture_repair.detection.ratings import arrange
from rupture_repair.project.measures import Measure
from rupture_repair.project.setting_groups import HiddenMarkovSettings
from rupture_repair.settings import default

SRS = Measure("alliance", "alliance", "higher", range=(0, 40), components=tuple("bgto"),
              scored="sum")  # fmt: skip
NO_ITEMS = np.array([39.0, 40.0, 20.0])


@pytest.fixture(scope="module")
def items():
    """Four visual analogue scales of one latent alliance, each cut at 10."""
    random = np.random.default_rng(5)
    latent = random.normal(9, 1.2, (3000, 1)) + random.normal(0, 0.7, (3000, 4))
    return np.clip(latent, 0, 10).round(1)


@pytest.fixture(scope="module")
def some_sessions():
    """Courses of which a fifth of the ratings lie near the top."""
    random = np.random.default_rng(6)
    level = np.repeat(random.normal(35, 3, 30), 8)
    rating = np.clip(level + random.normal(0, 1.5, 240), 0, 40).round(1)
    keys = {"course": np.repeat(np.arange(30), 8), "session": np.tile(np.arange(1, 9), 30)}
    return pd.DataFrame(keys | {"alliance": rating})


def ends_of(items, measure=SRS, scored=np.sum):
    rating = measure.sign * scored(items, axis=1).round(4)
    parts = dict(zip(measure.components, measure.sign * items.T, strict=True))
    return soft_ends(rating, parts, measure, step=0.1)


def test_who_sets_nothing_gets_the_same_from_python_as_from_the_workflow():
    assert default(HiddenMarkovSettings).soft_ends == SHARE


@pytest.mark.parametrize(
    ("bounds", "step", "share", "expected"),
    [
        ((0, 40), 0.1, 0.025, (1, 39)),
        ((0, 40), 0.1, 0.0, (0, 40)),
        ((1, 5), 1.0, 0.025, (1, 5)),  # less than a step: only the end itself
        ((0, 63), 0.5, 0.025, (-61.5, -1.5)),
    ],
)
def test_without_items_a_share_of_the_range(bounds, step, share, expected):
    better = "lower" if expected[0] < 0 else "higher"
    measure = Measure("m", "alliance", better, range=bounds)
    found = soft_ends(NO_ITEMS, {}, measure, step=step, share=share)
    assert found == pytest.approx(expected)


def test_with_items_the_rating_that_best_tells_who_has_half_of_them_at_the_end(items):
    low, high = ends_of(items)
    assert low == 1  # nobody is at the bottom: the items say nothing of it
    total, half = items.sum(axis=1).round(4), (items >= 10).sum(axis=1) >= 2
    wrong = [np.sum((total >= cut) != half) for cut in np.arange(30, 40, 0.1).round(1)]
    assert np.sum((total >= high) != half) == min(wrong)
    assert 37 < high < 39.5
    # A mean of the same items ends at the same place, and so does the scale turned.
    mean = replace(SRS, scored="mean", range=(0, 10))
    assert ends_of(items, mean, np.mean)[1] == pytest.approx(high / 4, abs=1e-3)
    turned = replace(SRS, better="lower", range=(0, 40))
    assert ends_of(10 - items, turned)[1] == pytest.approx(high - 40)


@pytest.mark.parametrize(
    "changed",
    [
        lambda items: np.round(items / 5) * 5,  # three steps: an item is at an end nearly always
        lambda items: np.minimum(items, 9.9),  # nobody has used the end
        lambda items: items[:40],  # too few
        lambda items: np.where(np.arange(4) == 1, np.nan, items),  # an item that is always blank
    ],
)
def test_items_that_say_nothing_leave_it_to_the_share(items, changed):
    given = changed(items)
    rating = np.nansum(given, axis=1)
    parts = dict(zip(SRS.components, given.T, strict=True))
    assert soft_ends(rating, parts, SRS, step=0.1) == pytest.approx((1, 39))


def test_ratings_beyond_a_soft_end_are_all_the_same_to_the_model(some_sessions):
    measure = replace(SRS, components=(), scored=None)
    law = Parameters(
        35.0, 0.0, np.diag([9.0, 0.01]), noise=0.9, volatility=0.3, carry=0.3, depth=5.0,
        depth_spread=0.3, onset=0.1, lasting=0.4, recovery=0.5, late_recovery=0.1,
    )  # fmt: skip
    hard = HiddenMarkovModel(law, 4.0, 0.0, 40.0, 0.1, identified=True)
    soft = replace(hard, soft=(1.0, 39.0))
    beyond = some_sessions["alliance"] >= 39
    assert 10 < beyond.sum() < len(beyond) / 2
    moved = some_sessions.assign(alliance=some_sessions["alliance"].mask(beyond, 39.0))
    given, same = (arrange(table, "alliance", measure).courses for table in (some_sessions, moved))
    for name in ("probability", "repaired", "fall", "reference", "deviation"):
        found, again, other = (
            getattr(assess(courses, model), name)
            for courses, model in ((given, soft), (same, soft), (given, hard))
        )
        np.testing.assert_array_equal(found, again)
        assert np.abs(found - other).max() > 1e-3
