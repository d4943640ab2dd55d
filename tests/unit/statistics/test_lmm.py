"""The engine of mixed models against the same models written out row by row (see dense.py)."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

import dense
from rupture_repair import lmm, simulate
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.statistics import design
from rupture_repair.statistics.blocks import engine

LOWER = {
    1: "(1 | course)",
    2: "(1 + session | course)",
    3: "(1 + session + z | course)",
    "||": "(1 + session + z || course)",
    "slope": "(0 + session | course)",
}
CASES = list(product(LOWER, (False, True), (None, "session"), (None, "w"), (True, False)))


def formula(lower, therapist):
    return f"y ~ session + x + {LOWER[lower]}{' + (1 | therapist)' if therapist else ''}"


@pytest.fixture(scope="module")
def table():
    return dense.sessions(courses=20)


@pytest.fixture(scope="module")
def larger():
    """Sessions with variances above zero, so that their inverses exist."""
    return dense.sessions(courses=30, therapists=7)


def relative(standard, point, change=None, upper=0.0):
    """Return -2 log-likelihood of the standardised problem, sigma profiled out, rows written out.

    `change` and `upper` are added to the covariances relative to the residual variance.
    """
    matrices = standard.design
    factor, tau, rho = standard.likelihood.split(point)
    inner = factor @ factor.T + (0.0 if change is None else change)
    effects = dense.units(matrices.levels[0]) @ np.kron(
        np.eye(matrices.levels[0].units), standard.effects_back
    )
    total = effects @ np.kron(np.eye(matrices.levels[0].units), inner) @ effects.T
    if standard.upper is not None:
        above = dense.units(matrices.levels[1])
        total += (tau**2 + upper) * above @ above.T
    total += dense.residuals(matrices, rho)
    outcome = (matrices.outcome - standard.shift) / standard.scale
    fixed = matrices.fixed @ standard.back
    inverse = np.linalg.inv(total)
    precision = fixed.T @ inverse @ fixed
    rest = outcome - fixed @ np.linalg.solve(precision, fixed.T @ inverse @ outcome)
    divisor = len(outcome) - (fixed.shape[1] if standard.reml else 0)
    result = np.linalg.slogdet(total)[1] + divisor
    result += divisor * np.log(2 * np.pi * (rest @ inverse @ rest) / divisor)
    if standard.reml:
        result += np.linalg.slogdet(precision)[1]
    return result if matrices.weights is None else result + np.log(matrices.weights).sum()


@pytest.mark.parametrize(("lower", "therapist", "ar1", "weights", "reml"), CASES)
def test_deviance_and_gradient(table, lower, therapist, ar1, weights, reml):
    matrices = design.build(formula(lower, therapist), table, weights=weights, ar1=ar1)
    standard = engine.standardise(matrices, reml)
    random = np.random.default_rng(5)
    for _ in range(2):
        point = random.normal(0, 0.7, standard.likelihood.parameters)
        found = standard.likelihood.value(point)
        assert found.deviance == pytest.approx(relative(standard, point), abs=1e-9)
        steps = 1e-5 * np.eye(len(point))
        slopes = [
            (relative(standard, point + step) - relative(standard, point - step)) / 2e-5
            for step in steps
        ]
        np.testing.assert_allclose(found.gradient, slopes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("therapist", "ar1"), list(product((False, True), (None, "session"))))
def test_derivatives_to_covariances_where_they_are_zero(table, therapist, ar1):
    matrices = design.build(formula(2, therapist), table, ar1=ar1)
    standard = engine.standardise(matrices)
    point = np.zeros(standard.likelihood.parameters)
    point[-1] = 0.3 if ar1 else 0.0
    found, step = standard.likelihood.value(point), 1e-6
    for one, other in ((0, 0), (0, 1), (1, 1)):
        change = np.zeros((2, 2))
        change[one, other] = change[other, one] = step
        gain = relative(standard, point, change) - relative(standard, point, -change)
        slope = found.slope[one, other] * (1 if one == other else 2)
        assert slope == pytest.approx(gain / (2 * step), rel=1e-5, abs=1e-4)
    if therapist:
        gain = relative(standard, point, upper=step) - relative(standard, point, upper=-step)
        assert found.slope_upper == pytest.approx(gain / (2 * step), rel=1e-5, abs=1e-4)


@pytest.mark.parametrize(("lower", "therapist", "ar1", "weights", "reml"), CASES)
def test_reported_fit_is_the_written_out_one(table, lower, therapist, ar1, weights, reml):
    fit = lmm.fit(formula(lower, therapist), table, reml=reml, ar1=ar1, weights=weights)
    matrices, found = fit.design, fit.solution
    total = dense.covariance(matrices, found.random, found.residual, found.rho)
    loglik, estimate, covariance = dense.loglik(matrices.outcome, matrices.fixed, total, reml)
    assert found.loglik == pytest.approx(loglik, abs=1e-8)
    np.testing.assert_allclose(found.estimate, estimate, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-7, atol=1e-12)
    # No other residual variance is more likely: the fit is at the top in this direction as well.
    for factor in (0.999, 1.001):
        other = dense.loglik(matrices.outcome, matrices.fixed, factor * total, reml)[0]
        assert other < loglik


def test_products_of_many_courses_are_summed_by_pattern(table):
    # Courses of the same sessions share a pattern; repeated ten times they need ten times the rows.
    every = pd.concat(
        [
            table.assign(course=table["course"] + str(copy), y=table["y"] + copy)
            for copy in range(10)
        ]
    )
    matrices = design.build(formula(2, True), every)
    standard = engine.standardise(matrices)
    parts = standard.likelihood._fixed_parts
    assert parts.inner.shape[-1] <= table["course"].nunique()
    point = np.array([0.8, -0.3, 0.5, 0.7])
    found = standard.likelihood.value(point)
    assert found.deviance == pytest.approx(relative(standard, point), abs=1e-8)


def test_many_fixed_terms_keep_each_course(table):
    # With this many columns second moments would be more numbers than the courses themselves.
    random = np.random.default_rng(3)
    names = [f"x{number}" for number in range(12)]
    wide = table.assign(**dict(zip(names, random.standard_normal((12, len(table))), strict=True)))
    matrices = design.build(f"y ~ {' + '.join(names)} + (1 + session | course)", wide)
    standard = engine.standardise(matrices)
    assert standard.likelihood._fixed_parts.squares is None
    point = np.array([0.8, -0.3, 0.5])
    found = standard.likelihood.value(point)
    assert found.deviance == pytest.approx(relative(standard, point), abs=1e-9)


@pytest.mark.parametrize("ar1", [None, "session"])
def test_effects_are_those_of_hendersons_equations(larger, ar1):
    fit = lmm.fit(formula(2, True), larger, ar1=ar1, weights="w")
    matrices, found = fit.design, fit.solution
    assert not fit.singular
    values, _ = dense.henderson(matrices, found.random, found.residual, found.rho)
    effects = fit.random_effects()
    np.testing.assert_allclose(found.estimate, values[:3], rtol=1e-8)
    np.testing.assert_allclose(effects["estimate"], values[3:], rtol=1e-7, atol=1e-9)
    every = np.hstack([dense.units(level) for level in matrices.levels])
    total = dense.covariance(matrices, found.random, found.residual, found.rho)
    spread = dense.spread(matrices, found.random)
    given = spread - spread @ every.T @ np.linalg.solve(total, every @ spread)
    np.testing.assert_allclose(effects["std_error"], np.sqrt(np.diag(given)), rtol=1e-7)
    fitted = matrices.fixed @ found.estimate + every @ values[3:]
    np.testing.assert_allclose(fit.fitted(), fitted, rtol=1e-9)
    np.testing.assert_allclose(fit.residuals(), matrices.outcome - fitted, atol=1e-8)
    assert effects.loc[0, ["group", "unit", "name"]].tolist() == ["course", "c00", "Intercept"]


@pytest.mark.parametrize(("therapist", "ar1"), list(product((False, True), (None, "session"))))
def test_predictions_and_their_errors(larger, therapist, ar1):
    fit = lmm.fit(formula(2, therapist), larger, ar1=ar1)
    assert not fit.singular
    matrices, found = fit.design, fit.solution
    one = larger.iloc[[0, 5, 9, 3]].drop(columns="y").reset_index(drop=True)
    one["session"] = [3, 1, 12, 2]
    one.loc[1, "course"] = "new"
    one.loc[2, ["course", "therapist"]] = ["new", "new"]
    one.loc[3, ["course", "therapist"]] = None
    predicted = fit.predict(one)
    values, errors = dense.henderson(matrices, found.random, found.residual, found.rho, more=1)
    row = np.zeros((4, len(values)))
    row[:, :3] = np.column_stack([np.ones(4), one["session"], one["x"]])
    lower = matrices.levels[0]
    for place in range(4):
        label = one["course"][place]
        code = lower.labels.index(label) if label in lower.labels else lower.units
        row[place, 3 + 2 * code : 5 + 2 * code] = [1, one["session"][place]]
        if therapist:
            upper, label = matrices.levels[1], one["therapist"][place]
            code = upper.labels.index(label) if label in upper.labels else upper.units
            row[place, 3 + 2 * (lower.units + 1) + code] = 1
    np.testing.assert_allclose(predicted["estimate"], row @ values, rtol=1e-8)
    np.testing.assert_allclose(
        predicted["std_error"], np.sqrt(((row @ errors) * row).sum(axis=1)), rtol=1e-7
    )


def test_contrast_is_the_term_of_another_parametrisation(table):
    fit = lmm.fit("y ~ session + x + (1 + session | course) + (1 | therapist)", table)
    # session b + x c = session (b + 2 c) + (x - 2 session) c
    other = table.assign(rest=table["x"] - 2 * table["session"])
    same = lmm.fit("y ~ session + rest + (1 + session | course) + (1 | therapist)", other)
    expected = same.terms.set_index("term").loc["session"]
    found = fit.contrast({"session": 1, "x": 2})
    for name in ("estimate", "std_error", "df", "statistic", "p", "ci_low", "ci_high"):
        assert found[name] == pytest.approx(expected[name], rel=2e-5)
    alone = fit.contrast({"x": 1})
    assert alone["df"] == pytest.approx(fit.terms.set_index("term").loc["x", "df"], rel=1e-12)


def test_likelihood_ratio_of_refitted_models(table):
    small = lmm.fit("y ~ session + (1 | course)", table)
    large = lmm.fit("y ~ session + x + (1 + session | course)", table)
    tested = lmm.likelihood_ratio(small, large)
    low, high = (
        lmm.fit(one.design.formula, table, reml=False).solution.loglik for one in (small, large)
    )
    assert tested["statistic"] == pytest.approx(2 * (high - low), abs=1e-7)
    assert tested["df"] == 3
    assert 0 < tested["p"] < 1
    with pytest.raises(ValueError, match="more parameters"):
        lmm.likelihood_ratio(large, small)
    with pytest.raises(ValueError, match="same outcome"):
        lmm.likelihood_ratio(small, lmm.fit("x ~ session + z + (1 | course)", table))


TERMS = ["estimate", "std_error", "df", "statistic", "p"]


def test_neither_order_nor_labels_of_rows_matter(table):
    model = "y ~ session + x + (1 + session | course) + (1 | therapist)"
    fit = lmm.fit(model, table, ar1="session")
    other = table.sample(frac=1, random_state=9)
    codes = other["course"].rank(method="dense", ascending=False).astype(int)
    other = other.assign(course=codes, therapist=pd.Categorical(other["therapist"]))
    again = lmm.fit(model, other, ar1="session")
    np.testing.assert_allclose(again.terms[TERMS], fit.terms[TERMS], rtol=1e-5)
    assert again.solution.loglik == pytest.approx(fit.solution.loglik, abs=1e-9)
    aligned = pd.Series(fit.fitted(), table.index[fit.design.rows])
    np.testing.assert_allclose(
        pd.Series(again.fitted(), other.index[again.design.rows]).sort_index(),
        aligned.sort_index(), rtol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize(("shift", "scale"), [(0, 7), (-3, 1), (40_000, 7), (1.7e9, 604_800)])
@pytest.mark.parametrize("therapist", [False, True])
def test_units_and_origin_of_time_do_not_matter(table, shift, scale, therapist):
    fit = lmm.fit(formula(2, therapist), table)
    other = table.assign(session=shift + scale * table["session"])
    moved = lmm.fit(formula(2, therapist), other)
    own, theirs = (one.terms.set_index("term") for one in (fit, moved))
    np.testing.assert_allclose(scale * theirs.loc["session", "estimate"],
                               own.loc["session", "estimate"], rtol=1e-5)  # fmt: skip
    for name in ("df", "statistic"):
        assert theirs.loc["session", name] == pytest.approx(own.loc["session", name], rel=1e-4)
        assert theirs.loc["x", name] == pytest.approx(own.loc["x", name], rel=1e-4)
    # The restricted likelihood moves with the scale of a column.
    loglik = moved.solution.loglik + np.log(scale)
    assert loglik == pytest.approx(fit.solution.loglik, abs=1e-5)
    np.testing.assert_allclose(moved.fitted(), fit.fitted(), rtol=1e-5)


@pytest.mark.parametrize(("shift", "scale"), [(0, 1e6), (1e6, 1), (-50, 1e-4)])
def test_units_and_origin_of_the_outcome_do_not_matter(table, shift, scale):
    fit = lmm.fit(formula(2, True), table)
    moved = lmm.fit(formula(2, True), table.assign(y=shift + scale * table["y"]))
    np.testing.assert_allclose(moved.terms["df"], fit.terms["df"], rtol=1e-4)
    expected = scale * fit.solution.estimate + [shift, 0, 0]
    np.testing.assert_allclose(moved.solution.estimate, expected, rtol=1e-6)
    np.testing.assert_allclose(moved.terms["std_error"], scale * fit.terms["std_error"], rtol=1e-5)


def test_a_prediction_needs_the_columns_of_the_formula(table):
    fit = lmm.fit(formula(2, True), table)
    with pytest.raises(ProblemsFound, match="names 'x'") as raised:
        fit.predict(table.drop(columns="x"))
    assert raised.value.problems[0].code == "E502"


def test_nested_levels_may_be_written_with_a_slash():
    sessions = simulate(seed=1, n_courses=30, n_therapists=6).sessions
    nested = lmm.fit("outcome ~ session + (1 | therapist/course)", sessions)
    levels = lmm.fit("outcome ~ session + (1 | course) + (1 | therapist)", sessions)
    pd.testing.assert_frame_equal(nested.terms, levels.terms)


def test_a_fit_is_shown_in_one_line_and_summarised_like_lme4():
    sessions = simulate(seed=1, n_courses=30, n_therapists=6).sessions
    fit = lmm.fit("outcome ~ session + (1 | course)", sessions, reml=False)
    assert repr(fit).startswith("<linear mixed model 'outcome ~ session + (1 | course)': ")
    assert f"30 of course, log-likelihood {fit.solution.loglik:.2f}" in repr(fit)
    text = fit.summary()
    assert text.startswith("Linear mixed model fitted by maximum likelihood; t-tests with Satter")
    assert repr(text) == str(text)


@pytest.mark.parametrize(
    ("data", "formula", "message"),
    [
        (pd.DataFrame({"y": [], "c": []}), "y ~ 1 + (1 | c)",
         "E302 data=: the table has no rows."),
        ({"y": [1]}, "y ~ 1 + (1 | c)",
         "E719 data=: 'dict' cannot be used. Allowed: a DataFrame of pandas."),
        (pd.DataFrame({"y": [1.0, 2], "c": ["a", "b"]}), "y ~ x + (1 | c)",
         "E502 key y ~ x + (1 | c): the formula names 'x', which is not there."),
        (pd.DataFrame({"y": ["high", "low"], "c": ["a", "b"]}), "y ~ 1 + (1 | c)",
         "E503 column y: the outcome must be one column of numbers; found high, low."),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_a_message(data, formula, message):
    with pytest.raises(ProblemsFound) as found:
        lmm.fit(formula, data)
    assert str(found.value).startswith(message)
