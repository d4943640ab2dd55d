"""Logistic mixed models against lme4's glmer, GEE against geepack (tests/reference/README.md)."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtri

from repository import ROOT
from rupture_repair.statistics import design, estimates
from rupture_repair.statistics.logistic import regression
from rupture_repair.statistics.solution import information_criteria

REFERENCE = ROOT / "tests/reference"
RESULTS = pd.read_csv(REFERENCE / "binary_results.csv")
MODES = pd.read_csv(REFERENCE / "binary_modes.csv")
GEE = pd.read_csv(REFERENCE / "binary_gee.csv")
GROUPS = {key: part.set_index("name")["value"] for key, part in RESULTS.groupby(["case", "points"])}
FORMULAS = RESULTS.drop_duplicates("case").set_index("case")["formula"]
FITS = [key for key in GROUPS if key[1] > 0]


def drawn(k, a, b):
    """Draw numbers between 0 and 1 as binary.R does; whole numbers below 2^53 are exact."""
    return ((k * k * a + k * b) % 2147483647) / 2147483647


def large(number=20_000, therapists=800):
    """Make the courses of the case "large", which is not kept as a file."""
    k = np.arange(1, number + 1)
    therapist = np.floor(drawn(k, 16807, 48271) * therapists).astype(int) + 1
    severity = np.floor(drawn(k, 69621, 40692) * 41)
    n_repaired = np.floor(drawn(k, 39373, 30269) * 4)
    alliance = np.floor(drawn(k, 30323, 16807) * 601) / 100
    level = ndtri(drawn(np.arange(1, therapists + 1), 48271, 69621)) * 0.8
    eta = -0.4 - 0.05 * (severity - 20) + 0.25 * n_repaired + 0.2 * (alliance - 3)
    y = drawn(k, 40692, 39373) < expit(eta + level[therapist - 1])
    return pd.DataFrame(
        {"therapist": therapist, "severity": severity, "n_repaired": n_repaired,
         "alliance": alliance, "y": y.astype(int)}
    )  # fmt: skip


def table_of(case):
    return large() if case == "large" else pd.read_csv(REFERENCE / f"binary_{case}.csv")


def in_r(terms):
    """Return terms as R names them."""
    plain = [term.replace("[", "").replace("]", "") for term in terms]
    return ["(Intercept)" if term == "Intercept" else term for term in plain]


def test_both_languages_make_the_same_large_data():
    data = large()
    expected = GROUPS["large", 0]
    assert data["y"].sum() == expected["events"]
    assert (data["y"] * np.arange(1, len(data) + 1)).sum() == expected["place"]


@pytest.mark.parametrize(("case", "points"), FITS)
def test_equals_polished_glmer(case, points):
    expected = GROUPS[case, points]
    made = design.build(FORMULAS[case], table_of(case))
    found = regression.solve(made, points)
    terms = in_r(made.terms)
    errors = expected[[f"se:{term}" for term in terms]].to_numpy()
    # One-sided: a likelihood above glmer's is glmer's failure.
    assert found.loglik >= expected["loglik"] - 1e-6
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-5)
    # In units of standard errors, so that estimates near zero do not decide.
    assert np.abs((found.estimate - expected[terms]) / errors).max() < 1e-5
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-5)
    assert np.sqrt(found.random[0][0, 0]) == pytest.approx(expected["sd"], abs=1e-6)
    assert bool(found.zero) == bool(expected["singular"])
    assert information_criteria(made, found)[0] == pytest.approx(expected["aic"], abs=1e-4)
    if not found.zero:
        assert found.sd_error == pytest.approx(expected["se:sd"], rel=1e-4)
        as_printed = expected[[f"se_glmer:{term}" for term in terms]]
        # glmer's own differences are good to about four digits.
        np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), as_printed, rtol=1e-3)


@pytest.mark.parametrize("points", [1, 7])
def test_nothing_is_left_out_of_the_likelihood_that_glmer_prints(points):
    """For 0 and 1 the saturated likelihood is 1, so that deviance and -2 log L are the same."""
    for case in ["usual", "strong", "hazard"]:
        expected = GROUPS[case, points]
        assert expected["loglik_glmer"] == pytest.approx(expected["loglik"], abs=1e-5)


@pytest.mark.parametrize("points", [1, 7])
def test_modes_and_probabilities_equal_glmer(points):
    made = design.build(FORMULAS["usual"], table_of("usual"))
    found = regression.solve(made, points)
    expected = dict(list(MODES[MODES["points"] == points].groupby("kind")))
    modes = expected["mode"].set_index("name").loc[list(made.levels[0].labels)]
    np.testing.assert_allclose(found.modes, modes["value"], atol=1e-5)
    np.testing.assert_allclose(found.mode_errors, modes["sd"], rtol=1e-4)
    within = found.probabilities(made.fixed, made.levels[0].codes)
    np.testing.assert_allclose(within, expected["probability"]["value"], atol=1e-5)
    typical = found.probabilities(made.fixed)
    np.testing.assert_allclose(typical, expected["typical"]["value"], atol=1e-5)


@pytest.mark.parametrize("case", GEE["case"].unique())
def test_gee_equals_geepack(case):
    expected = GEE[(GEE["case"] == case) & (GEE["name"] != "correlation")].set_index("name")
    found = estimates.fit_gee(FORMULAS[case], table_of(case), "therapist").terms
    assert in_r(found["term"]) == list(expected.index)
    np.testing.assert_allclose(found["estimate"], expected["value"], rtol=1e-7)
    np.testing.assert_allclose(found["std_error"], expected["se"], rtol=1e-7)
