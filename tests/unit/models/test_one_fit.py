"""One fit: what it says and refuses, and failures of the optimiser of statsmodels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from made_courses import exposed, make
from rupture_repair.models.definitions import MODELS, REPAIRED_MINUS_OPEN
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.reasons import in_full
from rupture_repair.statistics import estimates as estimates_module
from rupture_repair.statistics import statsmodels_engine

FORMULA = MODELS["next_session"].formula


def only_row(result):
    """Return the one row of a fit without result."""
    assert len(result.terms) == 1
    row = result.terms.iloc[0]
    assert pd.isna(row["term"])
    assert pd.isna(row["estimate"])
    assert not row["converged"]
    assert row["status"] == result.status
    assert row["message"] == result.message
    return row


def test_a_known_effect_is_found(estimates):
    main = estimates[(estimates["model"] == "next_session") & (estimates["variant"] == "main")]
    main = main.set_index("term")
    for term, truth in {"repaired_within": 1.5, "open_within": -2.0, "time": 0.3}.items():
        assert main.loc[term, "ci_low"] < truth < main.loc[term, "ci_high"]
    assert main.loc["open_within", "p"] < 1e-6


def test_effects_are_unbiased_and_intervals_cover_at_about_the_nominal_rate():
    fits = [
        estimates_module.fit(FORMULA, exposed(make(seed, repaired=0.0))) for seed in range(100, 140)
    ]
    assert {fit.status for fit in fits} <= {"converged", "singular"}
    rows = pd.concat([fit.terms for fit in fits]).set_index("term")
    null, effect = rows.loc["repaired_within"], rows.loc["open_within"]
    covered = (null["ci_low"] < 0) & (null["ci_high"] > 0)
    # 40 draws at 95 %: 34 or fewer would come about in 1 of 300 runs.
    assert covered.sum() >= 34
    z = (null["estimate"] / null["std_error"]).std()
    assert 0.75 < z < 1.3
    assert abs(null["estimate"].mean()) < 3 * null["std_error"].mean() / np.sqrt(40)
    assert abs(effect["estimate"].mean() + 2) < 3 * effect["std_error"].mean() / np.sqrt(40)


def test_detrending_frees_the_estimate_from_any_trend_of_a_course(made):
    rng = np.random.default_rng(0)
    number = made.courses.reset_index().set_index("course")["index"]
    course = made.sessions["course"].map(number)
    trend = rng.normal(0, 5, len(number))[course] * made.sessions["session"]
    steep = replace(made, sessions=made.sessions.assign(outcome=made.sessions["outcome"] + trend))
    formula = MODELS["next_session"].variants["detrended"].formula
    rows = [
        estimates_module.fit(formula, exposed(tables)).terms.set_index("term")
        for tables in (made, steep)
    ]
    plain, tilted = (row.loc["open_detrended", "estimate"] for row in rows)
    assert plain == pytest.approx(tilted, rel=0.02)


def test_wald_rows_agree_with_each_other(estimates):
    rows = estimates.dropna(subset="estimate")
    half = (rows["ci_high"] - rows["ci_low"]) / 2
    np.testing.assert_allclose(rows["statistic"], rows["estimate"] / rows["std_error"])
    normal = rows["df"].isna()
    assert set(rows.loc[normal, "engine"]) == {"logistic"}
    np.testing.assert_allclose(half[normal] / rows["std_error"][normal], 1.959964, rtol=1e-6)
    student = rows[~normal]
    quantile = stats.t.ppf(0.975, student["df"])
    np.testing.assert_allclose(half[~normal] / student["std_error"], quantile, rtol=1e-9)
    p = 2 * stats.t.sf(student["statistic"].abs(), student["df"])
    np.testing.assert_allclose(student["p"], p, rtol=1e-9)


@pytest.mark.parametrize("ar1", [None, "session"])
def test_a_contrast_is_the_coefficient_of_the_same_model_written_otherwise(made, ar1):
    rows = exposed(made)
    rows = rows.assign(either=rows["repaired_within"] + rows["open_within"])
    variant = MODELS["next_session"].variants["main"]
    found = estimates_module.fit(variant.formula, rows, ar1=ar1, contrasts=variant.contrasts)
    other = FORMULA.replace("open_within", "either")
    row = found.row(REPAIRED_MINUS_OPEN)
    expected = estimates_module.fit(other, rows, ar1=ar1).row("repaired_within")
    for name in ("estimate", "std_error", "df", "p", "ci_low", "ci_high"):
        assert row[name] == pytest.approx(expected[name], rel=1e-3), name
    assert np.isnan(row["standardised"])


def test_contrasts_of_plain_and_logistic_models_and_of_terms_that_are_not_there():
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"]).assign(constant=1.0)
    table["y"] = table["a"] - table["b"] + rng.normal(size=80)
    table["won"] = (table["y"] > 0).astype(float)
    contrasts = {"difference": {"a": 1.0, "b": -1.0}, "absent": {"a": 1.0, "constant": -1.0}}
    for outcome, family in (("y", "gaussian"), ("won", "binomial")):
        found, expected = (
            estimates_module.fit(formula, table, family=family, contrasts=contrasts)
            for formula in (f"{outcome} ~ a + b + constant", f"{outcome} ~ a + I(a + b)")
        )
        assert list(found.rows["term"]) == ["Intercept", "a", "b", "difference"]
        for name in ("estimate", "std_error", "df", "p"):
            ours, theirs = found.row("difference")[name], expected.row("a")[name]
            assert ours == pytest.approx(theirs, rel=1e-4, nan_ok=True), (family, name)


def test_statsmodels_gives_no_degrees_of_freedom_and_says_so(table):
    formula = "outcome_next ~ time + (1 | course)"
    ours, theirs = (
        estimates_module.fit(formula, table, engine=name) for name in ("blocks", "statsmodels")
    )
    np.testing.assert_allclose(ours.terms["estimate"], theirs.terms["estimate"], rtol=1e-5)
    np.testing.assert_allclose(ours.terms["std_error"], theirs.terms["std_error"], rtol=1e-4)
    assert theirs.terms["df"].isna().all()
    assert ours.terms["df"].notna().all()
    assert "no degrees of freedom" in theirs.message
    assert "no degrees of freedom" not in ours.message


def test_without_random_part_it_is_least_squares_with_t():
    data = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6.0], "y": [1.1, 1.9, 3.2, 3.9, 5.1, 5.8]})
    row = estimates_module.fit("y ~ x", data).terms.set_index("term").loc["x"]
    # R: summary(lm(y ~ x)), confint, logLik(REML = TRUE)
    assert row["estimate"] == pytest.approx(0.965714, abs=1e-6)
    assert row["std_error"] == pytest.approx(0.0376883027)
    assert row["df"] == 4
    assert row["p"] == pytest.approx(1.37779965e-05)
    assert row["ci_high"] == pytest.approx(1.070353789)
    assert row["standardised"] == pytest.approx(np.corrcoef(data["x"], data["y"])[0, 1])
    assert row["loglik"] == pytest.approx(-0.6135140503)
    assert row["optimiser"] == "least squares"


def test_explained_variance_and_intraclass_correlation(table):
    result = estimates_module.fit("outcome_next ~ time + (1 | course) + (1 | therapist)", table)
    row = result.terms.iloc[0]
    beta = result.terms.set_index("term").loc["time", "estimate"]
    fixed = np.var(beta * table["time"], ddof=1)
    random = row["var_course"] + row["var_therapist"]
    total = fixed + random + row["var_residual"]
    assert row["r2_marginal"] == pytest.approx(fixed / total)
    assert row["r2_conditional"] == pytest.approx((fixed + random) / total)
    assert row["icc_course"] == pytest.approx(row["var_course"] / (total - fixed))
    assert row["icc_therapist"] == pytest.approx(row["var_therapist"] / (total - fixed))


def test_the_origin_of_time_changes_neither_fit_nor_explained_variance(table):
    formula = "outcome_next ~ time + (1 + time | course) + (1 | therapist)"
    first = estimates_module.fit(formula, table).terms.iloc[1]
    moved = estimates_module.fit(formula, table.assign(time=table["time"] - 50)).terms.iloc[1]
    same = ["estimate", "std_error", "loglik", "r2_marginal", "r2_conditional", "icc_course"]
    same += ["var_course_slope", "var_therapist", "var_residual"]
    np.testing.assert_allclose(
        first[same].to_numpy(float), moved[same].to_numpy(float), rtol=1e-4, atol=1e-9
    )
    assert moved["var_course"] != pytest.approx(first["var_course"], rel=0.1)


def test_a_combination_of_other_terms_is_left_out_and_named(table):
    twice = table.assign(days=7 * table["time"] + 3, nothing=1.0)
    result = estimates_module.fit("outcome_next ~ time + days + nothing + (1 | course)", twice)
    plain = estimates_module.fit("outcome_next ~ time + (1 | course)", table)
    assert list(result.terms["term"]) == ["Intercept", "time"]
    assert "combination of other terms: days, nothing" in in_full(result.message)
    np.testing.assert_allclose(result.terms["estimate"], plain.terms["estimate"])


def test_slopes_that_cannot_be_told_from_the_residual_are_refused(table):
    two = table.groupby("course").head(2)
    result = estimates_module.fit("outcome_next ~ time + (1 + time | course)", two)
    assert "random slope of time given course cannot be distinguished from the residual" in in_full(
        result.message
    )
    assert np.isnan(result.terms["var_course_slope"][0])
    assert result.terms["var_course"][0] > 0


@pytest.mark.parametrize(
    ("therapist", "message"),
    [
        (None, "no therapist is named: fitted without the therapist level"),
        ("t", "only one therapist: fitted without the therapist level"),
        ("course", "each therapist has one course: fitted without the therapist level"),
    ],
)
def test_a_therapist_level_that_is_not_there(table, therapist, message):
    changed = table["course"] if therapist == "course" else therapist
    formula = "outcome_next ~ time + (1 | course)"
    result = estimates_module.fit(formula + " + (1 | therapist)", table.assign(therapist=changed))
    assert message in in_full(result.message)
    expected = estimates_module.fit(formula, table).terms
    np.testing.assert_allclose(result.terms["std_error"], expected["std_error"])
    assert np.isnan(result.terms["var_therapist"][0])


def test_rows_without_a_value_are_counted(table):
    missing = table.assign(baseline=table["baseline"].mask(table["course"] == "c001"))
    count = (table["course"] == "c001").sum()
    result = estimates_module.fit("outcome_next ~ baseline + (1 | course)", missing)
    assert f"{count} of {len(table)} rows left out with missing values" in in_full(result.message)
    assert f"(baseline {count})" in in_full(result.message)
    assert result.terms["n_courses"][0] == table["course"].nunique() - 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.assign(outcome_next=3.0), "outcome_next does not vary"),
        (lambda t: t.assign(outcome_next=np.nan), "no complete rows: outcome_next missing"),
        (lambda t: t.head(0), "there are no rows"),
        (lambda t: t[t["course"] < "c006"], "too few courses: 6 for 13 parameters"),
        (lambda t: t[t["course"] == "c001"], "too few courses: 1 for"),
        (lambda t: t.assign(outcome_next=t["baseline"]), "explain the outcome completely"),
        (
            lambda t: t.assign(outcome_next=t["course"].str[1:].astype(float)),
            "the outcome does not vary within any course",
        ),
    ],
)
def test_what_is_not_assessable_is_one_row_with_its_reason(table, change, reason):
    result = estimates_module.fit(FORMULA, change(table))
    assert result.status == "not_assessable"
    assert reason in in_full(only_row(result)["message"])


@pytest.mark.parametrize(
    ("formula", "code", "text"),
    [
        ("outcome_next ~ reparied_within", "E502", "Did you mean 'repaired_within'?"),
        ("outcome_next ~ time + (1 | corse)", "E502", "Did you mean 'course'?"),
        ("outcome_next ~ lg(time)", "E502", "Did you mean 'log'?"),
        ("outcome_next ~", "E501", "cannot be read"),
        ("outcome_next ~ time ) + baseline", "E501", "nothing was made of baseline"),
        ("time + baseline", "E501", "there is no outcome before '~'"),
        ("therapist ~ time", "E503", "must be one column of numbers"),
        ("outcome_next ~ time + (1 | course) + (1 | session)", "E504", "crossed"),
        ("outcome_next ~ (1 | course) + (1 + time | course)", "E501", "is there twice"),
        ("outcome_next ~ time || course", "E501", "is written in parentheses"),
        ("outcome_next ~ (1 | course) + (1 + time | therapist)", "E505", "engine blocks"),
        ("outcome_next ~ endless", "E506", "row 2, column endless: the value is infinite"),
    ],
)
def test_mistakes_in_a_formula(table, formula, code, text):
    with pytest.raises(ProblemsFound) as caught:
        estimates_module.fit(formula, table.assign(endless=np.inf))
    assert caught.value.problems[0].code == code
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("outcome_next ~ (1 + time + baseline | course)", "(Intercept + time + baseline | course)"),
        ("outcome_next ~ (1 + time || course)", "(Intercept + time || course)"),
    ],
)
def test_what_statsmodels_does_not_support_names_the_engine_that_does(table, formula, found):
    with pytest.raises(ProblemsFound) as caught:
        estimates_module.fit(formula, table, engine="statsmodels")
    assert caught.value.problems[0].code == "E505"
    assert f"engine statsmodels: {found}" in str(caught.value)
    assert "more by the engine blocks" in str(caught.value)
    assert estimates_module.fit(formula, table).status in ("converged", "singular")


def test_crossed_levels_are_fitted_by_statsmodels_only(table):
    # Sessions occur in every course: (1 | session) is crossed with (1 | course).
    formula = "outcome_next ~ time + (1 | course) + (1 | session)"
    result = estimates_module.fit(formula, table, engine="statsmodels")
    assert result.status in ("converged", "singular")
    with pytest.raises(ProblemsFound, match="engine: statsmodels"):
        estimates_module.fit(formula, table)


def test_all_unknown_columns_are_named_at_once(table):
    with pytest.raises(ProblemsFound) as caught:
        estimates_module.fit("outcome_next ~ tme + basline", table)
    assert len(caught.value.problems) == 2


def test_a_failed_attempt_is_retried_and_kept_on_record(table, monkeypatch):
    minimize = statsmodels_engine.optimize.minimize

    def stops_early(loss, start, method, **rest):
        if method == "BFGS":
            rest["options"] = {"maxiter": 1}
        return minimize(loss, start, method=method, **rest)

    formula = "outcome_next ~ time + (1 + time | course)"
    expected = estimates_module.fit(formula, table, engine="statsmodels")
    monkeypatch.setattr(statsmodels_engine.optimize, "minimize", stops_early)
    result = estimates_module.fit(formula, table, engine="statsmodels")
    assert in_full(result.attempts[0]).startswith("BFGS: stopped with a gradient of")
    assert result.terms["optimiser"][0] == "L-BFGS-B"
    np.testing.assert_allclose(result.terms["loglik"], expected.terms["loglik"], atol=1e-6)


def test_when_every_attempt_fails_the_status_is_failed(table, monkeypatch):
    def broken(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(statsmodels_engine.optimize, "minimize", broken)
    result = estimates_module.fit(
        "outcome_next ~ time + (1 + time | course) + (1 | therapist)", table, engine="statsmodels"
    )
    assert result.status == "failed"
    message = in_full(only_row(result)["message"])
    assert all(
        f"{name} broke off: Singular matrix" in message for name in statsmodels_engine.OPTIMISERS
    )


def test_an_estimate_of_exactly_zero_is_a_failure(table, monkeypatch):
    fixed_part = statsmodels_engine._fixed_part

    def zeroed(*arguments):
        estimate, *rest = fixed_part(*arguments)
        return np.zeros_like(estimate), *rest

    monkeypatch.setattr(statsmodels_engine, "_fixed_part", zeroed)
    result = estimates_module.fit("outcome_next ~ time + (1 | course)", table, engine="statsmodels")
    assert result.status == "failed"
    assert "the estimate of Intercept, time is exactly zero" in in_full(result.message)


def test_no_start_finds_a_higher_likelihood():
    """Small data with variances of zero, where searches are known to stop too early."""
    from rupture_repair.statistics import design

    rng = np.random.default_rng(5)
    for _ in range(6):
        course = np.repeat(np.arange(25), rng.integers(1, 8, 25))
        spread = rng.choice([0.0, 0.5, 2.0], 3)
        data = pd.DataFrame({"course": course, "therapist": course % 5})
        data["time"] = data.groupby("course").cumcount().astype(float)
        data["y"] = (
            rng.normal(0, spread[0], 25)[course]
            + rng.normal(0, 0.3 * spread[1], 25)[course] * data["time"]
            + rng.normal(0, spread[2], 5)[course % 5]
            + rng.normal(size=len(course))
        )
        matrices = design.build("y ~ time + (1 + time | course) + (1 | therapist)", data)
        found = statsmodels_engine.solve(matrices).loglik
        likelihood = statsmodels_engine._Likelihood(matrices, reml=True)
        for start in rng.normal(0, 1, (4, 4)):
            other = statsmodels_engine._maximise(likelihood, likelihood.sizes, start, [])
            assert other is None or other.loglik < found + 1e-5


def test_a_false_zero_is_left(table):
    """Zero is a stationary point of every standard deviation; a search may stop there."""
    from rupture_repair.statistics import design

    matrices = design.build("outcome_next ~ time + (1 + time | course)", table)
    likelihood = statsmodels_engine._Likelihood(matrices, reml=True)
    for ranks, start in {(0,): [], (1,): [1.0, 0.0]}.items():
        stuck = statsmodels_engine._maximise(likelihood, ranks, np.array(start), [])
        better = statsmodels_engine._escape(likelihood, stuck, [])
        assert better.ranks == (ranks[0] + 1,)
        assert better.loglik > stuck.loglik + 1
    optimum = statsmodels_engine._search(likelihood, [])
    assert better.loglik == pytest.approx(optimum.loglik, abs=1e-6)
    assert statsmodels_engine._escape(likelihood, optimum, []) is None
