"""Published mixed models of the Reisby study: Hedeker & Gibbons 2006, chapter 4 (ML)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from repository import MIRROR
from rupture_repair.statistics.estimates import fit

DATA = Path(MIRROR) / "reisby_hamd/riesby.csv"


@pytest.fixture(scope="module")
def reisby():
    if not DATA.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{DATA.name} must not be absent in CI")
        pytest.skip(f"{DATA.name} of the Reisby study is not here")
    return pd.read_csv(DATA)


def test_random_intercept(reisby):
    result = fit("hamdep ~ week + (1 | id)", reisby, reml=False)
    row = result.terms.iloc[0]
    assert result.status == "converged"
    np.testing.assert_allclose(result.terms["estimate"], [23.552, -2.376], atol=5e-4)
    np.testing.assert_allclose(
        [row["var_course"], row["var_residual"]], [16.156, 19.038], atol=1e-3
    )
    assert -2 * row["loglik"] == pytest.approx(2285.19, abs=5e-3)
    assert (row["n_sessions"], row["n_courses"]) == (375, 66)


def test_random_intercept_and_slope(reisby):
    result = fit("hamdep ~ week + (1 + week | id)", reisby, reml=False)
    covariance = result.covariances["id"]
    assert result.status == "converged"
    np.testing.assert_allclose(result.terms["estimate"], [23.577, -2.377], atol=5e-4)
    # The published errors (0.547, 0.209) carry the factor sqrt(375 / 373) of nlme.
    errors = result.terms["std_error"] * np.sqrt(375 / 373)
    np.testing.assert_allclose(errors, [0.547, 0.209], atol=5e-4)
    np.testing.assert_allclose(
        covariance.to_numpy(), [[12.629, -1.421], [-1.421, 2.079]], atol=1e-3
    )
    row = result.terms.iloc[0]
    assert row["var_residual"] == pytest.approx(12.217, abs=1e-3)
    assert row["var_course_slope"] == pytest.approx(2.079, abs=1e-3)
    assert -2 * row["loglik"] == pytest.approx(2219.04, abs=5e-3)


def test_time_in_days_gives_the_same_fit(reisby):
    weeks = fit("hamdep ~ week + (1 + week | id)", reisby)
    far = reisby.assign(day=7.0 * reisby["week"] + 40_000)
    days = fit("hamdep ~ day + (1 + day | id)", far)
    slope = days.terms.set_index("term").loc["day"]
    assert 7 * slope["estimate"] == pytest.approx(weeks.terms["estimate"][1], rel=1e-6)
    assert 7 * slope["std_error"] == pytest.approx(weeks.terms["std_error"][1], rel=1e-5)
    # The restricted likelihood moves with the scale of a fixed column.
    assert slope["loglik"] + np.log(7) == pytest.approx(weeks.terms["loglik"][0], abs=1e-5)
