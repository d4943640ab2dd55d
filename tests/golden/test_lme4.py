"""Simulated sessions in courses in therapists, against lme4 (see tests/reference/README.md)."""

import numpy as np
import pandas as pd
import pytest

from repository import ROOT
from rupture_repair.project.reasons import in_full
from rupture_repair.statistics.estimates import fit

REFERENCE = ROOT / "tests/reference"
RESULTS = pd.read_csv(REFERENCE / "nested_results.csv")
FITS = dict(list(RESULTS.groupby(["case", "formula", "reml"], sort=False)))
TERMS = ["(Intercept)", "time", "x"]


@pytest.mark.parametrize(("case", "formula", "reml"), FITS)
def test_equals_polished_lme4(case, formula, reml):
    expected = FITS[case, formula, reml].set_index("name")["value"]
    table = pd.read_csv(REFERENCE / f"nested_{case}.csv")
    result = fit(formula, table, reml=reml)
    terms = result.terms
    assert result.status in ("converged", "singular")
    # One-sided: a likelihood above lme4's is lme4's failure.
    assert terms["loglik"][0] >= expected["loglik"] - 1e-6
    assert terms["loglik"][0] == pytest.approx(expected["loglik"], abs=1e-5)
    assert terms["aic"][0] == pytest.approx(expected["aic"], abs=1e-4)
    np.testing.assert_allclose(terms["estimate"], expected[TERMS], rtol=1e-5)
    errors = expected[[f"se:{term}" for term in TERMS]]
    np.testing.assert_allclose(terms["std_error"], errors, rtol=1e-5)
    assert terms["var_residual"][0] == pytest.approx(expected["residual"], rel=1e-5)
    for name, value in expected[expected.index.str.startswith("cov:")].items():
        _, factor, first, second = name.split(":")
        found = result.covariances[factor].rename(
            index={"Intercept": "(Intercept)"}, columns={"Intercept": "(Intercept)"}
        )
        scale = abs(value) + 1e-3 * expected["residual"]
        assert found.loc[first, second or first] == pytest.approx(value, abs=1e-4 * scale)


@pytest.mark.parametrize(("case", "formula", "reml"), FITS)
def test_says_singular_where_lme4_does(case, formula, reml):
    expected = FITS[case, formula, reml].set_index("name")["value"]["singular"]
    result = fit(formula, pd.read_csv(REFERENCE / f"nested_{case}.csv"), reml=reml)
    assert (result.status == "singular") == bool(expected)
    assert ("singular: " in result.message) == bool(expected)


def test_therapist_variance_of_zero_is_named_and_is_the_smaller_model():
    table = pd.read_csv(REFERENCE / "nested_no_therapist_variance.csv")
    smaller = fit("y ~ time + x + (1 | course)", table)
    larger = fit("y ~ time + x + (1 | course) + (1 | therapist)", table)
    assert larger.status == "singular"
    assert "variance of intercepts given therapist is zero" in in_full(larger.message)
    assert larger.terms["var_therapist"][0] == 0
    np.testing.assert_allclose(larger.terms["estimate"], smaller.terms["estimate"], rtol=1e-6)
    assert larger.terms["aic"][0] == pytest.approx(smaller.terms["aic"][0] + 2, abs=1e-4)
