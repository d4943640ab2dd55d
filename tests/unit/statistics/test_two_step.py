"""Standard errors that know of a first step, against the same written out with dense matrices."""

from dataclasses import replace

import numpy as np
import pytest

import dense
from rupture_repair.statistics import design
from rupture_repair.statistics.blocks.engine import solve
from rupture_repair.statistics.no_result import NotAssessable
from rupture_repair.statistics.two_step import FirstStep, with_first_step, without_covariance

TABLE = dense.sessions(seed=3, courses=16)
BY_COURSE = "y ~ x + session + (1 + session | course)"


def fitted(formula):
    matrices = design.build(formula, TABLE, ar1="session")
    return matrices, solve(matrices)


def covariance_of_rows(matrices, solution):
    effects = np.hstack([dense.units(level) for level in matrices.levels])
    rest = solution.residual * dense.residuals(matrices, solution.rho)
    return effects @ dense.spread(matrices, solution.random) @ effects.T + rest


def test_the_inverse_of_the_covariance_is_that_of_all_rows():
    matrices, solution = fitted(BY_COURSE + " + (1 | therapist)")
    # Drawn, so that no variance is zero.
    solution = replace(solution, random=(solution.random[0] + 0.3 * np.eye(2), np.array([[1.7]])))
    columns = np.random.default_rng(0).standard_normal((len(matrices.outcome), 3))
    expected = np.linalg.solve(covariance_of_rows(matrices, solution), columns)
    np.testing.assert_allclose(without_covariance(matrices, solution, columns), expected, atol=1e-9)
    apart = replace(solution, rho=0.0)
    expected = without_covariance(replace(matrices, position=None), apart, columns)
    np.testing.assert_allclose(without_covariance(matrices, apart, columns), expected)
    alone = design.build("y ~ x + (1 | therapist)", TABLE)
    with pytest.raises(NotAssessable, match=r"^effects of courses cannot be distinguished"):
        without_covariance(alone, solve(alone), columns)


def first_step(matrices, units, influence=None, **slopes):
    influence = np.zeros((units, 1)) if influence is None else influence
    return FirstStep(influence, {name: slope[None] for name, slope in slopes.items()})


def test_where_the_model_is_right_its_own_standard_errors_are_expected():
    matrices, solution = fitted(BY_COURSE)
    rows = covariance_of_rows(matrices, solution)
    weights = np.linalg.solve(rows, matrices.fixed)
    bread = np.linalg.inv(matrices.fixed.T @ weights)
    course = matrices.levels[0].codes
    expected = np.zeros_like(bread)
    # The covariance is a square of the outcome: its mean is a sum over directions of the outcome.
    for direction in np.linalg.cholesky(rows).T:
        found = replace(solution, estimate=bread @ weights.T @ direction)
        drawn = replace(matrices, outcome=direction)
        first = first_step(drawn, matrices.levels[0].units)
        one, influence = with_first_step(drawn, found, course, first)
        np.testing.assert_allclose(one.covariance, influence.T @ influence)
        expected += one.covariance
    np.testing.assert_allclose(expected, bread, rtol=1e-8)
    assert one.df.max() <= matrices.levels[0].units - 1


def test_what_the_first_step_does_not_know_is_in_the_standard_errors():
    matrices, solution = fitted(BY_COURSE)
    random = np.random.default_rng(5)
    slope, influence = random.standard_normal(len(TABLE)), random.standard_normal((16, 1))
    place = matrices.terms.index("x")
    beta = np.array([3.0, 0.5, 2.0])
    # Without rests nothing else is uncertain.
    outcome = matrices.fixed @ beta
    exact = replace(matrices, outcome=outcome)
    weights = np.linalg.inv(covariance_of_rows(matrices, solution))

    def estimate(theta):
        columns = matrices.fixed.copy()
        columns[:, place] += theta * slope[matrices.rows]
        return np.linalg.solve(columns.T @ weights @ columns, columns.T @ weights @ outcome)

    moved = (estimate(1e-5) - estimate(-1e-5)) / 2e-5
    first = first_step(exact, 16, influence, x=slope)
    found, units_moved = with_first_step(
        exact, replace(solution, estimate=beta), matrices.levels[0].codes, first
    )
    np.testing.assert_allclose(units_moved, influence * moved, rtol=1e-5, atol=1e-9)
    expected = np.outer(moved, moved) * (influence**2).sum()
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-5, atol=1e-12)
    # Learnt from half of the rows it counts twice.
    half, _ = with_first_step(
        exact, replace(solution, estimate=beta), matrices.levels[0].codes, replace(first, scale=2.0)
    )
    np.testing.assert_allclose(half.covariance, 4 * expected, rtol=1e-5, atol=1e-12)


def test_degrees_of_freedom_are_at_most_those_of_the_units():
    matrices, solution = fitted(BY_COURSE)
    course, each = matrices.levels[0].codes, np.eye(len(matrices.terms))
    first = first_step(matrices, 16)

    def found(**changes):
        return with_first_step(matrices, replace(solution, **changes), course, first)[0]

    many = np.array([3.0, 1e3, 1e3])
    one = found(df=many, df_of=lambda weights: weights @ many)
    np.testing.assert_allclose(one.df, [3, 15, 15])
    np.testing.assert_allclose(one.df_of(each), [3, 15, 15])
    np.testing.assert_allclose(found(df=many, df_of=None).df_of(each), [15, 15, 15])
    none = found(df=None, df_of=None)
    assert none.df is None
    assert none.df_of is None


def test_a_unit_that_alone_decides_an_estimate_has_rests_enlarged_tenfold_at_most():
    only = dense.sessions(seed=3, courses=16)
    only["x"] = only["x"].where(only["course"] == only["course"].iloc[0], 0.0)
    matrices = design.build(BY_COURSE, only, ar1="session")
    solution = solve(matrices)
    first = first_step(matrices, 16)
    # One away from the estimate all of the rest is that of this unit, and ten times of it counts.
    away = replace(solution, estimate=solution.estimate + np.array([0.0, 1.0, 0.0]))
    _, moved = with_first_step(matrices, away, matrices.levels[0].codes, first)
    assert matrices.terms[1] == "x"
    alone = matrices.levels[0].codes[matrices.fixed[:, 1] != 0][0]
    assert 7 < -moved[alone, 1] < 13
