"""Intervals of proportions: those of statsmodels, with the proportion inside at both ends."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from rupture_repair.statistics.proportion import wilson


def test_the_interval_is_that_of_statsmodels():
    number = np.repeat(np.arange(1, 60), 60)
    count = np.minimum(np.tile(np.arange(60), 59), number)
    expected = proportion_confint(count, number, method="wilson")
    assert np.array(wilson(count, number)) == pytest.approx(np.array(expected), abs=1e-12)


def test_none_and_all_lie_in_their_intervals_to_the_last_digit():
    number = np.arange(1, 3000)
    low, high = wilson(0 * number, number)
    assert (low == 0).all()
    assert (high > 0).all()
    low, high = wilson(number, number)
    assert (high == 1).all()
    assert (low < 1).all()


def test_of_none_nothing_is_known():
    assert np.isnan(wilson(0, 0)).all()
