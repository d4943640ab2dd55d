"""Profile and bootstrap intervals, and a fit as rows and as text."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import dense
from rupture_repair import lmm
from rupture_repair.statistics import printed

RISE = special.chdtri(1, 0.05)


@pytest.fixture(scope="module")
def table():
    return dense.sessions(seed=2, courses=30, therapists=7)


@pytest.mark.parametrize("ar1", [None, "session"])
def test_profile_of_a_fixed_effect(table, ar1):
    slope = "" if ar1 else " + session"
    model = f"y ~ session + x + (1{slope} | course) + (1 | therapist)"
    fit = lmm.fit(model, table, ar1=ar1)
    best = lmm.fit(model, table, reml=False, ar1=ar1)
    found = lmm.profile(fit)
    row = found[(found["group"] == "fixed") & (found["name"] == "x")].iloc[0]
    assert row["estimate"] == pytest.approx(best.solution.estimate[2], rel=1e-7)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    for limit in (row["ci_low"], row["ci_high"]):
        # With the effect held there the model is the one without it, of another outcome.
        held = table.assign(y=table["y"] - limit * table["x"])
        less = lmm.fit(model.replace(" + x", ""), held, reml=False, ar1=ar1)
        drop = 2 * (best.solution.loglik - less.solution.loglik)
        assert drop == pytest.approx(RISE, abs=1e-4)


def test_profile_of_standard_deviations(table):
    fit = lmm.fit("y ~ session + x + (1 | course)", table, reml=False)
    found = lmm.profile(fit).set_index("group")
    matrices = fit.design

    def deviance(own, residual):
        random = [np.array([[own**2]])]
        total = dense.covariance(matrices, random, residual**2, None)
        return -2 * dense.loglik(matrices.outcome, matrices.fixed, total, reml=False)[0]

    best = fit.statistics["deviance"]
    for group in ("course", "residual"):
        for side in ("ci_low", "ci_high"):
            limit = found.loc[group, side]

            def free(value, group=group, limit=limit):
                return deviance(limit, value) if group == "course" else deviance(value, limit)

            least = optimize.minimize_scalar(free, bounds=(0.01, 20), method="bounded",
                                             options={"xatol": 1e-7}).fun  # fmt: skip
            assert least - best == pytest.approx(RISE, abs=1e-4)


def test_profile_of_a_variance_of_zero_begins_at_zero():
    # Courses of the same mean: less than nothing between them.
    table = pd.DataFrame({"course": np.repeat(np.arange(10), 4), "y": np.tile([1.0, 2, 3, 4], 10)})
    table["y"] += np.tile([0.1, -0.1], 20) * (table["course"] % 3)
    fit = lmm.fit("y ~ 1 + (1 | course)", table)
    assert fit.singular
    row = lmm.profile(fit).set_index("group").loc["course"]
    assert row["estimate"] == 0
    assert row["ci_low"] == 0 < row["ci_high"]


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_level_of_profile(table, level):
    fit = lmm.fit("y ~ session + (1 | course)", table, reml=False)
    row = lmm.profile(fit, level).iloc[1]
    held = table.assign(y=table["y"] - row["ci_high"] * table["session"])
    less = lmm.fit("y ~ 1 + (1 | course)", held, reml=False)
    drop = 2 * (fit.solution.loglik - less.solution.loglik)
    assert drop == pytest.approx(special.chdtri(1, 1 - level), abs=1e-4)


def drawn_tables(table, cluster, replicates, seed):
    """Draw clusters anew as the bootstrap does, row by row; copies are units of their own."""
    random = np.random.default_rng(seed)
    names = np.sort(table[cluster].unique())
    for _ in range(replicates):
        chosen = random.integers(0, len(names), len(names))
        copies = [
            table[table[cluster] == names[one]].assign(copy=f"{place}")
            for place, one in enumerate(chosen)
        ]
        every = pd.concat(copies, ignore_index=True)
        yield every.assign(
            course=every["course"] + "/" + every["copy"],
            therapist=every["therapist"] + "/" + every["copy"],
        )


@pytest.mark.parametrize("ar1", [None, "session"])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("therapist", [True, False])
def test_bootstrap_is_refitting_on_drawn_rows(table, ar1, weights, therapist):
    model = f"y ~ session + x + (1 + session | course){' + (1 | therapist)' if therapist else ''}"
    fit = lmm.fit(model, table, ar1=ar1, weights=weights)
    found = lmm.bootstrap(fit, replicates=5, seed=3, level=0.5)
    cluster = "therapist" if therapist else "course"
    refitted = np.array(
        [
            lmm.fit(model, every, ar1=ar1, weights=weights).solution.estimate
            for every in drawn_tables(table, cluster, 5, seed=3)
        ]
    )
    assert found["replicates"].eq(5).all()
    np.testing.assert_allclose(found["std_error"], refitted.std(axis=0, ddof=1), rtol=1e-4)
    np.testing.assert_allclose(found["ci_low"], np.quantile(refitted, 0.25, axis=0), rtol=1e-4)
    np.testing.assert_allclose(found["ci_high"], np.quantile(refitted, 0.75, axis=0), rtol=1e-4)
    np.testing.assert_allclose(found["estimate"], fit.solution.estimate)


def test_bootstrap_errors_are_near_those_of_wald():
    random = np.random.default_rng(5)
    course = np.repeat(np.arange(120), 5)
    data = pd.DataFrame({"course": course, "x": random.normal(size=600)})
    data["y"] = data["x"] + random.normal(size=120)[course] + random.normal(size=600)
    fit = lmm.fit("y ~ x + (1 | course)", data)
    found = lmm.bootstrap(fit, 200, seed=7)
    np.testing.assert_allclose(found["std_error"], fit.terms["std_error"], rtol=0.2)


def test_bootstrap_repeats_with_its_seed(table):
    fit = lmm.fit("y ~ session + (1 | course)", table)
    first, again, other = (lmm.bootstrap(fit, 20, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first["std_error"], other["std_error"])


def test_rows_of_a_fit(table):
    fit = lmm.fit("y ~ session + (1 + session | course) + (1 | therapist)", table, ar1="session")
    rows = printed.as_rows(fit.design, fit.solution).set_index("term")
    assert list(rows.columns) == [
        "estimate", "std_error", "df", "statistic", "p", "ci_low", "ci_high",
    ]  # fmt: skip
    assert list(rows.index) == [
        "Intercept", "session",
        "var:course:Intercept", "var:course:session", "cov:course:Intercept:session",
        "var:therapist:Intercept", "residual", "rho", "loglik", "converged", "singular",
    ]  # fmt: skip
    found = fit.solution
    values = rows["estimate"]
    assert values["var:course:session"] == found.random[0][1, 1]
    assert values["cov:course:Intercept:session"] == pytest.approx(found.random[0][0, 1], rel=1e-12)
    assert values["var:therapist:Intercept"] == found.random[1][0, 0]
    assert (values["residual"], values["rho"]) == (found.residual, found.rho)
    assert values["loglik"] == found.loglik
    assert (values["converged"], values["singular"]) == (1.0, float(fit.singular))
    assert rows.loc["var:course:session":, "std_error"].isna().all()


def text_of(fit):
    return printed.as_text(fit.design, fit.solution, "blocks", fit.residuals())


def test_text_reads_like_lme4(table):
    fit = lmm.fit("y ~ session + x + (1 + session | course) + (1 | therapist)", table)
    found, text = fit.solution, text_of(fit)
    for part in (
        "Linear mixed model fitted by blocks",
        "Formula: y ~ session + x + (1 + session | course) + (1 | therapist)",
        "Scaled residuals:", "Random effects:", "Groups", "Std.Dev.", "Corr",
        f"Number of obs: {len(table)}, groups: course, 30; therapist, 7",
        "Pr(>|t|)", "Correlation of fixed effects:", "R2: marginal",
        f"{found.estimate[1]:.5f}", f"{np.sqrt(found.covariance[1, 1]):.5f}",
        f"{found.residual:.5g}", f"loglik {found.loglik:.1f}",
    ):  # fmt: skip
        assert part in text
    assert "singular" not in text
    text = text_of(lmm.fit("y ~ 1 + (1 | course)", table, reml=False, ar1="session"))
    assert "Residuals autocorrelated over session: rho = " in text
    assert "Correlation of fixed effects" not in text


def test_text_says_what_is_singular_and_left_out(table):
    level = table.groupby("course")["y"].transform("mean")
    flat = table.assign(y=table["y"] - level, twice=2 * table["session"])
    text = text_of(lmm.fit("y ~ session + twice + (1 | course)", flat))
    assert "singular: the variance of intercepts given course is zero" in text
    assert "note: left out, being constant or a combination of other terms: twice" in text
