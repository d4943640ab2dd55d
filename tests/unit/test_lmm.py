"""The block engine against what it stands for, written out with full matrices."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair import design, lmm
from rupture_repair.design import NotAssessable
from rupture_repair.lmm import engine, search
from rupture_repair.problems import ProblemsFound

FORMULAS = {
    "intercept": "y ~ time + x + (1 | course)",
    "slope": "y ~ time + x + (1 + time | course)",
    "three": "y ~ time + x + (1 + time + x | course)",
    "uncorrelated": "y ~ time + x + (1 + time || course)",
    "therapist": "y ~ time + x + (1 | course) + (1 | therapist)",
    "all": "y ~ time + x + (1 + time | course) + (1 | therapist)",
}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    number = rng.integers(1, 11, 40)
    course = np.repeat(np.arange(40), number)
    time = np.concatenate([np.sort(rng.choice(14, size, replace=False)) for size in number])
    effects = rng.normal(0, [2, 0.3], (40, 2))
    y = 10 + 0.3 * time + effects[course, 0] + effects[course, 1] * time
    y = y + rng.normal(0, 1, 6)[course % 6] + rng.normal(0, 1.5, len(course))
    shuffled = rng.permutation(len(course))
    return pd.DataFrame(
        {
            "course": [f"c{index}" for index in course], "therapist": course % 6, "time": time,
            "x": rng.integers(0, 2, len(course)), "w": rng.uniform(0.5, 2, len(course)), "y": y,
        }
    ).iloc[shuffled].reset_index(drop=True)  # fmt: skip


def dense(standard, point):
    """Return deviance and estimates with the covariance of all rows written out."""
    factor, tau, rho = standard.likelihood.split(point)
    course, rows = standard.course, len(standard.course)
    same = course[:, None] == course[None]
    residual = np.eye(rows)
    if standard.design.position is not None:
        position = standard.design.position[standard.order].astype(float)
        residual = np.where(same, rho ** np.abs(position[:, None] - position[None]), 0.0)
    weights = np.ones(rows)
    if standard.design.weights is not None:
        weights = standard.design.weights[standard.order]
    residual = residual / np.sqrt(weights[:, None] * weights[None])
    made = standard.design
    effects = (made.levels[0].columns @ standard.effects_back)[standard.order]
    total = residual + same * (effects @ factor @ factor.T @ effects.T)
    if standard.upper is not None:
        upper = standard.upper[course]
        total = total + tau**2 * (upper[:, None] == upper[None])
    fixed = (made.fixed @ standard.back)[standard.order]
    outcome = ((made.outcome - standard.shift) / standard.scale)[standard.order]
    inverse = np.linalg.inv(total)
    precision = fixed.T @ inverse @ fixed
    estimate = np.linalg.solve(precision, fixed.T @ inverse @ outcome)
    rest = outcome - fixed @ estimate
    divisor = rows - fixed.shape[1] if standard.reml else rows
    deviance = np.linalg.slogdet(total)[1] + divisor * (
        1 + np.log(2 * np.pi * (rest @ inverse @ rest) / divisor)
    )
    # The weights' own determinant is no part of the engine's deviance.
    deviance += np.log(weights).sum()
    return deviance + (np.linalg.slogdet(precision)[1] if standard.reml else 0.0), estimate


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("ar1", [None, "time"])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("name", FORMULAS)
def test_deviance_estimates_and_gradient(table, name, ar1, weights, reml):
    made = design.build(FORMULAS[name], table, ar1=ar1, weights=weights)
    standard = engine.standardise(made, reml)
    point = np.random.default_rng(2).normal(0, 0.5, standard.likelihood.parameters)
    value = standard.likelihood.value(point)
    deviance, estimate = dense(standard, point)
    # With weights the deviances differ by a constant of the data alone.
    other = np.full(len(point), 0.3)
    shift = dense(standard, other)[0] - standard.likelihood.value(other).deviance
    assert value.deviance == pytest.approx(deviance - shift, abs=1e-8)
    if weights is None:
        assert shift == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(value.estimate, estimate, atol=1e-9)
    slopes = [
        (standard.likelihood.value(point + step).deviance
         - standard.likelihood.value(point - step).deviance) / 2e-5
        for step in np.eye(len(point)) * 1e-5
    ]  # fmt: skip
    np.testing.assert_allclose(value.gradient, slopes, atol=1e-5 * np.abs(slopes).max())


def test_effects_and_prediction_errors_are_henderson_s(table):
    fit = lmm.fit(FORMULAS["all"], table)
    made, found = fit.design, fit.solution
    course, therapist = made.levels[0], made.levels[1]
    effects = np.zeros((len(table), 2 * course.units + therapist.units))
    for row in range(len(table)):
        effects[row, 2 * course.codes[row] : 2 * course.codes[row] + 2] = course.columns[row]
        effects[row, 2 * course.units + therapist.codes[row]] = 1
    spread = np.zeros((effects.shape[1],) * 2)
    for unit in range(course.units):
        spread[2 * unit : 2 * unit + 2, 2 * unit : 2 * unit + 2] = found.random[0]
    np.fill_diagonal(spread[2 * course.units :, 2 * course.units :], found.random[1][0, 0])
    both = np.hstack([made.fixed, effects])
    left = both.T @ both / found.residual
    left[made.fixed.shape[1] :, made.fixed.shape[1] :] += np.linalg.inv(spread)
    inverse = np.linalg.inv(left)
    solved = inverse @ both.T @ made.outcome / found.residual
    means = fit.random_effects()["estimate"]
    np.testing.assert_allclose(means, solved[made.fixed.shape[1] :], atol=1e-6)
    given = np.linalg.inv(effects.T @ effects / found.residual + np.linalg.inv(spread))
    errors = fit.random_effects()["std_error"]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(given)), rtol=1e-6)
    predicted = fit.predict(table)
    np.testing.assert_allclose(predicted["estimate"], both @ solved, atol=1e-6)
    np.testing.assert_allclose(fit.fitted(), both @ solved, atol=1e-6)
    np.testing.assert_allclose(fit.residuals(), made.outcome - both @ solved, atol=1e-6)
    expected = np.sqrt(np.einsum("ij,jk,ik->i", both, inverse, both))
    np.testing.assert_allclose(predicted["std_error"], expected, rtol=1e-6)


def test_an_unknown_course_is_predicted_by_the_mean_and_its_variance_is_in_the_error(table):
    fit = lmm.fit(FORMULAS["all"], table)
    new = pd.DataFrame({"course": ["?"], "therapist": [99], "time": [3], "x": [1]})
    row = fit.predict(new).iloc[0]
    fixed = np.array([1, 3, 1.0])
    assert row["estimate"] == pytest.approx(fixed @ fit.solution.estimate)
    effects = np.array([1, 3.0])
    variance = fixed @ fit.solution.covariance @ fixed + fit.solution.random[1][0, 0]
    variance += effects @ fit.solution.random[0] @ effects
    assert row["std_error"] == pytest.approx(np.sqrt(variance))
    with pytest.raises(ProblemsFound, match="E502"):
        fit.predict(new.drop(columns="x"))


def test_shifting_and_scaling_columns_changes_nothing_else(table):
    plain = lmm.fit(FORMULAS["all"], table)
    moved = lmm.fit(FORMULAS["all"], table.assign(time=365 * table["time"] + 44_000))
    row, other = (fit.terms.set_index("term").loc["time"] for fit in (plain, moved))
    assert 365 * other["estimate"] == pytest.approx(row["estimate"], rel=1e-7)
    assert other["df"] == pytest.approx(row["df"], rel=1e-4)
    assert moved.solution.residual == pytest.approx(plain.solution.residual, rel=1e-6)
    assert moved.solution.loglik + np.log(365) == pytest.approx(plain.solution.loglik, abs=1e-7)


def test_the_order_of_rows_and_the_names_of_units_change_nothing(table):
    plain = lmm.fit(FORMULAS["all"], table)
    other = table.sort_values("y").assign(course=lambda t: "unit " + t["course"].str[::-1])
    again = lmm.fit(FORMULAS["all"], other)
    np.testing.assert_allclose(again.terms.iloc[:, 1:], plain.terms.iloc[:, 1:], rtol=1e-5)


def test_a_contrast_of_one_term_is_its_row_and_a_difference_has_its_own_df(table):
    fit = lmm.fit(FORMULAS["slope"], table)
    row = fit.terms.set_index("term").loc["x"]
    np.testing.assert_allclose(fit.contrast({"x": 1.0}), row.to_numpy(float), rtol=1e-9)
    both = fit.contrast({"x": 1.0, "time": -1.0})
    weights = np.array([0, -1.0, 1])
    assert both["std_error"] == pytest.approx(np.sqrt(weights @ fit.solution.covariance @ weights))


def test_bootstrap_draws_products_as_if_rows_were_drawn(table):
    made = lmm.fit(FORMULAS["slope"], table, ar1="time")
    courses = made.standard.products.courses
    drawn = np.random.default_rng(4).integers(0, courses, courses)
    standard = made.standard
    products = standard.whole_products().drawn(drawn, standard.products.effects)
    order = [standard.order[standard.course == one] for one in drawn]
    rows = np.concatenate(order)
    code = np.repeat(np.arange(courses), [len(one) for one in order])
    columns, position = standard._columns[rows], standard.design.position[rows]
    effects, every = standard.products.effects, np.arange(len(rows))
    direct = type(products)(columns, effects, every, code, position)
    given = standard.likelihood
    point = np.full(given.parameters, 0.4)
    values = [
        type(given)(one, given.free, None, len(rows), given.fixed, True).value(point)
        for one in (products, direct)
    ]
    assert values[0].deviance == pytest.approx(values[1].deviance, abs=1e-7)
    np.testing.assert_allclose(values[0].estimate, values[1].estimate, atol=1e-9)


def test_bootstrap_errors_are_near_the_wald_errors_and_seeded():
    rng = np.random.default_rng(5)
    course = np.repeat(np.arange(120), 5)
    data = pd.DataFrame({"course": course, "x": rng.normal(size=600)})
    data["y"] = data["x"] + rng.normal(size=120)[course] + rng.normal(size=600)
    fit = lmm.fit("y ~ x + (1 | course)", data)
    first, again = (lmm.bootstrap(fit, 200, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    np.testing.assert_allclose(first["std_error"], fit.terms["std_error"], rtol=0.2)
    assert (first["replicates"] == 200).all()


def test_the_likelihood_ratio_refits_by_maximum_likelihood(table):
    small, large = (lmm.fit(FORMULAS[name], table) for name in ("intercept", "slope"))
    found = lmm.likelihood_ratio(small, large)
    direct = [lmm.fit(FORMULAS[name], table, reml=False) for name in ("intercept", "slope")]
    expected = 2 * (direct[1].solution.loglik - direct[0].solution.loglik)
    assert found["statistic"] == pytest.approx(expected, abs=1e-6)
    assert found["df"] == 2
    with pytest.raises(ValueError, match="more parameters"):
        lmm.likelihood_ratio(large, small)


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("y ~ x + (1 | course) + (1 + x | therapist)", "E505"),
        ("y ~ x + (1 | course) + (1 | x)", "E504"),
        ("y ~ x + (1 | course) + (1 | therapist) + (1 | half)", "E505"),
    ],
)
def test_what_is_not_supported_names_what_is_and_the_other_engine(table, formula, code):
    changed = table.assign(half=table["therapist"] // 3)
    with pytest.raises(ProblemsFound) as caught:
        lmm.fit(formula, changed)
    assert caught.value.problems[0].code == code
    assert "engine: statsmodels" in str(caught.value)


def test_without_random_part_there_is_no_mixed_model(table):
    with pytest.raises(NotAssessable, match="no random part"):
        lmm.fit("y ~ x", table)


def test_every_small_fit_ends_at_an_optimum():
    """No restart finds more; gradients are checked; singular fits say so (seeded subset)."""
    rng = np.random.default_rng(6)
    singular = 0
    for number in range(60):
        courses = int(rng.integers(20, 61))
        course = np.repeat(np.arange(courses), rng.integers(2, 9, courses))
        spread = rng.choice([0.0, 0.3, 2.0], 3)
        data = pd.DataFrame({"course": course, "therapist": course % 7})
        data["time"] = data.groupby("course").cumcount().astype(float)
        data["x"] = rng.normal(size=len(data))
        data["y"] = (
            rng.normal(0, spread[0], courses)[course]
            + rng.normal(0, 0.3 * spread[1], courses)[course] * data["time"]
            + rng.normal(0, spread[2], 7)[course % 7] + rng.normal(size=len(data))
        )  # fmt: skip
        name = ("intercept", "slope", "therapist", "all")[number % 4]
        if len(data) <= 2 * courses:
            continue
        fit = lmm.fit(FORMULAS[name], data)
        likelihood, best = fit.standard.likelihood, fit.optimum
        singular += fit.singular
        gain, _ = search._newton(best.curvature, likelihood.value(best.point))
        assert gain < 1e-6
        for start in rng.normal(0, 0.7, (3, likelihood.parameters)):
            other = search.find(likelihood, start)
            assert other.value.deviance > best.value.deviance - 2e-6
        smallest = min(np.linalg.eigvalsh(spread_)[0] for spread_ in fit.solution.random)
        if not fit.singular:
            assert smallest > 0
    assert singular > 5
