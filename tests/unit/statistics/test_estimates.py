"""The rows of a fit."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair.statistics import estimates


@pytest.fixture(scope="module")
def fit():
    random = np.random.default_rng(1)
    table = pd.DataFrame(random.normal(size=(60, 2)), columns=["x", "y"])
    return estimates.fit("y ~ x + (1 | course)", table.assign(course=np.repeat(range(12), 5)))


@pytest.mark.parametrize("term", ["Intercept", "x"])
def test_the_row_of_a_term_is_that_of_the_table(fit, term):
    row = fit.row(term)
    expected = fit.terms.set_index("term").loc[term]
    for column, value in expected.items():
        found = row.get(column)
        assert (pd.isna(found) and pd.isna(value)) or found == value, column


def test_a_term_that_the_fit_does_not_have_has_no_row(fit):
    assert fit.row("z") is None
    without = estimates.without_result("y ~ x", "failed", "why", "blocks")
    assert without.row("x") is None
