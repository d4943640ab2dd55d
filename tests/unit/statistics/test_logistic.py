from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize
from scipy.special import expit

from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.reasons import because, in_full
from rupture_repair.statistics import design, estimates, gee
from rupture_repair.statistics.logistic import likelihood as logistic_likelihood
from rupture_repair.statistics.logistic import regression, separation
from rupture_repair.statistics.no_result import NoOptimum, NotAssessable

FORMULA = "y ~ x + group + (1 | therapist)"


def make(seed, sizes, sd=1.0, beta=(-0.3, 0.6, 0.8)):
    """Draw clients of therapists with a binary outcome."""
    rng = np.random.default_rng(seed)
    sizes = np.asarray(sizes)
    therapist = np.repeat(np.arange(len(sizes)), sizes)
    x, group = rng.normal(size=len(therapist)), rng.integers(0, 2, len(therapist))
    eta = beta[0] + beta[1] * x + beta[2] * group + rng.normal(0, sd, len(sizes))[therapist]
    y = (rng.random(len(eta)) < expit(eta)).astype(int)
    return pd.DataFrame({"therapist": therapist, "x": x, "group": group, "y": y})


@pytest.fixture(scope="module")
def table():
    return make(1, np.random.default_rng(0).integers(1, 15, 50))


def likelihood_of(table, points=1):
    made = design.build(FORMULA, table)
    columns, _ = regression.orthogonal(made)
    return logistic_likelihood.LogisticLikelihood(made, columns, points)


def solve(table, points=1, formula=FORMULA):
    return regression.solve(design.build(formula, table), points)


def errors(found):
    return np.sqrt(np.diag(found.covariance))


# ------------------------------------------------------------------ the likelihood


@pytest.mark.parametrize("points", [1, 2, 5, 7])
@pytest.mark.parametrize("theta", [-0.7, 0.05, 1.0, 6.0])
def test_gradient_equals_differences(table, points, theta):
    likelihood = likelihood_of(table, points)
    at = np.array([theta, -0.4, 0.7, -0.5])
    gradient = likelihood(at)[1]
    for place, shift in enumerate(1e-5 * np.eye(4)):
        numeric = (likelihood(at + shift)[0] - likelihood(at - shift)[0]) / 2e-5
        assert gradient[place] == pytest.approx(numeric, abs=1e-5)


def test_the_likelihood_is_even_in_the_standard_deviation(table):
    likelihood = likelihood_of(table, 5)
    up, down = (likelihood(np.array([theta, 0.1, 0.2, 0.3])) for theta in (0.8, -0.8))
    assert up[0] == pytest.approx(down[0], abs=1e-10)
    np.testing.assert_allclose(up[1], down[1] * [-1, 1, 1, 1], atol=1e-9)


def test_many_points_equal_the_integral(table):
    at = np.array([1.3, -0.4, 0.7, -0.5])
    likelihood = likelihood_of(table, 25)
    total = 0.0
    for piece in likelihood.pieces:
        linear = piece.columns @ at[1:]
        for unit in range(len(piece.start)):
            mine = piece.index == unit
            sign = np.where(piece.outcome[mine] > 0, 1, -1)

            def density(u, sign=sign, eta=linear[mine]):
                return expit(sign * (eta + at[0] * u)).prod() * np.exp(-(u**2) / 2)

            integral = integrate.quad(density, -10, 10, epsabs=0, epsrel=1e-11, limit=200)[0]
            total += np.log(integral / np.sqrt(2 * np.pi))
    assert likelihood(at)[0] == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("theta", [0.0, 0.01, 1.0, 30.0, 1000.0])
def test_modes_are_where_the_slope_is_zero(theta):
    """With units of one row, of a thousand, and of one outcome only."""
    table = make(3, [1] * 20 + [2, 3, 1000])
    table.loc[table["therapist"] == 20, "y"] = 1
    (piece,) = likelihood_of(table).pieces
    linear = piece.columns @ np.array([0.5, 3.0, -2.0])
    # From far away, as the line search of an optimiser may come.
    piece.last = np.full(len(piece.start), -1e4)
    mode = piece.modes(theta, linear)
    residual = piece.outcome - expit(linear + theta * mode[piece.index])
    np.testing.assert_allclose(theta * piece.total(residual), mode, atol=1e-7 * (1 + theta))


def test_second_derivative_at_zero(table):
    made = design.build(FORMULA, table)
    columns, _ = regression.orthogonal(made)
    plain = regression._plain(made, columns)
    for points in (1, 7):
        likelihood = logistic_likelihood.LogisticLikelihood(made, columns, points)
        slopes = [likelihood(np.array([t, *plain.coefficients]))[1][0] for t in (1e-4, -1e-4)]
        numeric = (slopes[0] - slopes[1]) / 2e-4
        assert regression._curvature_at_zero(made, plain) == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("points", [1, 7])
def test_the_size_of_pieces_changes_nothing(table, points, monkeypatch):
    whole = solve(table, points)
    monkeypatch.setattr(logistic_likelihood, "PIECE", 40)
    assert len(likelihood_of(table, points).pieces) > 5
    parts = solve(table, points)
    np.testing.assert_allclose(parts.estimate, whole.estimate, rtol=1e-7)
    np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-6)
    np.testing.assert_allclose(parts.modes, whole.modes, atol=1e-7)


# ------------------------------------------------------------------ invariances


@pytest.mark.parametrize("points", [1, 7])
def test_shifted_and_scaled_columns(table, points):
    plain = solve(table, points)
    moved = solve(table.assign(x=1e5 + 365 * table["x"]), points)
    assert moved.loglik == pytest.approx(plain.loglik, abs=1e-8)
    assert 365 * moved.estimate[1] == pytest.approx(plain.estimate[1], rel=1e-7)
    assert 365 * errors(moved)[1] == pytest.approx(errors(plain)[1], rel=1e-6)
    assert moved.estimate[0] + 1e5 * moved.estimate[1] == pytest.approx(plain.estimate[0], rel=1e-6)
    np.testing.assert_allclose(moved.estimate[2], plain.estimate[2], rtol=1e-7)
    np.testing.assert_allclose(moved.random, plain.random, rtol=1e-6)
    np.testing.assert_allclose(moved.modes, plain.modes, atol=1e-6)


def test_the_order_of_rows_and_the_names_of_units_change_nothing(table):
    plain = solve(table, 7)
    other = table.sample(frac=1, random_state=3)
    other = other.assign(therapist="t" + (97 * other["therapist"] % 101).astype(str))
    shuffled = solve(other, 7)
    np.testing.assert_allclose(shuffled.estimate, plain.estimate, rtol=1e-7)
    np.testing.assert_allclose(shuffled.covariance, plain.covariance, rtol=1e-6)
    np.testing.assert_allclose(shuffled.random, plain.random, rtol=1e-7)
    np.testing.assert_allclose(np.sort(shuffled.modes), np.sort(plain.modes), atol=1e-7)


def test_the_other_outcome_turns_all_signs(table):
    plain, turned = solve(table), solve(table.assign(y=1 - table["y"]))
    np.testing.assert_allclose(turned.estimate, -plain.estimate, rtol=1e-6)
    np.testing.assert_allclose(turned.modes, -plain.modes, atol=1e-6)
    np.testing.assert_allclose(errors(turned), errors(plain), rtol=1e-6)


def test_true_and_false_are_one_and_zero(table):
    np.testing.assert_array_equal(solve(table.assign(y=table["y"] == 1)).estimate,
                                  solve(table).estimate)  # fmt: skip


def test_without_intercept_the_groups_have_their_own(table):
    plain = solve(table)
    groups = table.assign(group=table["group"].map({0: "a", 1: "b"}))
    own = solve(groups, formula="y ~ 0 + group + x + (1 | therapist)")
    assert own.loglik == pytest.approx(plain.loglik, abs=1e-8)
    difference = own.estimate[1] - own.estimate[0]
    assert difference == pytest.approx(plain.estimate[2], rel=1e-6)


# ------------------------------------------------------------------ the boundary


def test_without_random_part_it_is_logistic_regression(table):
    from statsmodels.api import Logit

    made = design.build("y ~ x + group", table)
    expected = Logit(made.outcome, made.fixed).fit(disp=False, tol=1e-12)
    found = regression.solve(made)
    np.testing.assert_allclose(found.estimate, expected.params, rtol=1e-8)
    np.testing.assert_allclose(errors(found), expected.bse, rtol=1e-7)
    assert found.loglik == pytest.approx(expected.llf, abs=1e-9)
    assert (found.random, found.zero, found.df) == ((), (), None)
    assert found.residual == pytest.approx(np.pi**2 / 3)


@pytest.mark.parametrize("points", [1, 7])
def test_a_variance_of_zero_gives_the_model_without_the_level(points):
    # Units whose outcomes are spread more evenly than chance would.
    even = make(1, [8] * 40, sd=0.0).sort_values("y")
    even = even.assign(therapist=np.arange(len(even)) % 40)
    found, plain = solve(even, points), solve(even, formula="y ~ x + group")
    assert found.zero == (because("zero_variance", names="intercepts", level="therapist"),)
    assert found.random[0] == 0
    assert np.isnan(found.sd_error)
    np.testing.assert_allclose(found.estimate, plain.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-9)
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-10)
    assert (found.modes == 0).all()
    assert (found.mode_errors == 0).all()


def test_no_start_finds_a_higher_likelihood_and_zero_is_never_false():
    """Small data with little or no variance, where searches are known to stop too early."""
    rng = np.random.default_rng(5)
    seen = []
    for seed in range(60):
        small = make(seed, rng.integers(1, 8, 25), sd=rng.choice([0.0, 0.3, 0.6, 1.5]))
        made = design.build(FORMULA, small)
        points = int(rng.choice([1, 5]))
        columns, _ = regression.orthogonal(made)
        found = regression.solve(made, points)
        seen.append(bool(found.zero))
        plain = regression._plain(made, columns)
        if found.zero:
            assert regression._curvature_at_zero(made, plain) <= 0
        else:
            assert found.loglik > plain.loglik
        likelihood = logistic_likelihood.LogisticLikelihood(made, columns, points)
        for start in ([0.02], [0.7], [3.0]):
            other = optimize.minimize(
                lambda at, likelihood=likelihood: tuple(-part for part in likelihood(at)),
                np.concatenate([start, plain.coefficients]), jac=True, method="BFGS",
            )  # fmt: skip
            assert -other.fun < found.loglik + 1e-6
    assert 10 < sum(seen) < 50


def test_a_false_zero_is_left(table, monkeypatch):
    expected = solve(table)
    monkeypatch.setattr(regression, "STARTS", (0.0, 1e-9))
    found = solve(table)
    assert not found.zero
    assert found.loglik == pytest.approx(expected.loglik, abs=1e-8)


# ------------------------------------------------------------------ units


def test_units_of_one_row_and_of_one_outcome_only():
    mixed = make(2, [1] * 60 + [2] * 20 + [30] * 6, sd=1.2)
    found = solve(mixed, 7)
    assert not found.zero
    codes = mixed["therapist"].to_numpy()
    rows = np.bincount(codes)
    # The less is known of a unit, the nearer its standard deviation to that of all units.
    sd = np.sqrt(found.random[0][0, 0])
    assert (found.mode_errors < sd).all()
    assert found.mode_errors[rows == 1].min() > found.mode_errors[rows == 30].max()
    share = np.bincount(codes, mixed["y"]) / rows
    assert found.modes[(rows == 30)].argmax() == share[rows == 30].argmax()
    assert found.modes[share == 1].min() > found.modes[share == 0].max()


def test_probabilities(table):
    made = design.build(FORMULA, table)
    found = regression.solve(made, 7)
    linear = made.fixed @ found.estimate
    typical = found.probabilities(made.fixed)
    np.testing.assert_allclose(typical, expit(linear))
    codes = made.levels[0].codes
    within = found.probabilities(made.fixed, codes)
    np.testing.assert_allclose(within, expit(linear + found.modes[codes]))
    population = found.probabilities(made.fixed, population=True)
    sd = np.sqrt(found.random[0][0, 0])
    drawn = np.random.default_rng(0).normal(0, sd, 200_000)
    assert population[0] == pytest.approx(expit(linear[0] + drawn).mean(), abs=2e-3)
    assert (np.abs(population - 0.5) < np.abs(typical - 0.5)).all()
    # Known units taken together are predicted as they were observed.
    assert within.mean() == pytest.approx(table["y"].mean(), abs=0.02)


# ------------------------------------------------------------------ separation


def test_complete_separation_names_the_term(table):
    with pytest.raises(NotAssessable) as caught:
        solve(table.assign(y=(table["x"] > 0).astype(int)))
    assert str(caught.value) == (
        f"separation in x: the outcome of {len(table)} of {len(table)} rows follows from this "
        "without error, so that no finite estimate exists, merge rare categories or leave a term "
        "out"
    )


def test_a_category_with_one_outcome_only_is_named(table):
    rare = table.assign(kind=np.where(np.arange(len(table)) < 4, "rare", "usual"))
    rare.loc[rare["kind"] == "rare", "y"] = 1
    with pytest.raises(NotAssessable, match=rf"in kind\[usual\]: the outcome of 4 of {len(rare)} "):
        solve(rare, formula="y ~ x + group + kind + (1 | therapist)")


def test_a_combination_that_separates_is_named_whole(table):
    line = table["x"] + 2 * table["group"] - 0.7
    both = table.assign(y=(line > 0).astype(int), z=np.random.default_rng(0).normal(size=len(line)))
    with pytest.raises(NotAssessable, match="separation in x, group: "):
        solve(both, formula="y ~ z + x + group + (1 | therapist)")


@pytest.mark.parametrize("first_rows", [5, 5000])
def test_separation_by_one_term_is_when_the_outcomes_do_not_overlap(first_rows, monkeypatch):
    monkeypatch.setattr(separation, "FIRST_ROWS", first_rows)
    rng = np.random.default_rng(8)
    found = []
    for _ in range(150):
        x, y = rng.integers(0, 6, 9).astype(float), rng.integers(0, 2, 9)
        x, y = np.append(x, [0, 5]), np.append(y, [0, 1])
        no, yes = x[y == 0], x[y == 1]
        expected = no.max() <= yes.min() or yes.max() <= no.min()
        apart = separation.told_apart(np.column_stack([np.ones(11), x]), y.astype(float))
        assert apart.any() == expected
        if expected:
            shared = np.intersect1d(no, yes)
            np.testing.assert_array_equal(apart, ~np.isin(x, shared))
        found.append(expected)
    assert 3 < sum(found) < 100


def test_probabilities_near_one_are_no_separation():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 12, 4000)
    far = pd.DataFrame({"x": x, "y": (rng.random(4000) < expit(x)).astype(int)})
    found = solve(far, formula="y ~ x")
    assert (found.estimate[1] * far["x"]).abs().max() > regression.FAR
    assert found.estimate[1] == pytest.approx(1, abs=4 * errors(found)[1])


def test_nearly_collinear_terms_that_separate_are_found(table):
    near = table.assign(z=table["x"] + 1e-6 * (table["y"] - 0.5))
    with pytest.raises(NotAssessable, match="separation in x, z: "):
        solve(near, formula="y ~ x + z")


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("values", "said"),
    [((1, 2), "2"), ((0, 2), "2"), ((-1, 1), "-1"), ((0.25, 1), "0.25")],
)
@pytest.mark.parametrize("engine", [regression.solve, lambda made: gee.solve(made, "therapist")])
def test_an_outcome_that_is_not_binary(table, values, said, engine):
    coded = table.assign(y=np.where(table["y"] == 1, values[1], values[0]))
    with pytest.raises(ProblemsFound) as caught:
        engine(design.build(FORMULA, coded))
    assert str(caught.value) == (
        f"E510 key {FORMULA}: the outcome of a logistic model must be 0 or 1; found {said}. Code "
        "the event as 1 and its absence as 0; leave cells empty where it is not known."
    )


@pytest.mark.parametrize(
    ("formula", "options", "said"),
    [
        ("y ~ x + (1 + x | therapist)", {}, "(Intercept + x | therapist)"),
        ("y ~ x + (0 + x | therapist)", {}, "(x | therapist)"),
        (
            "y ~ x + (1 | therapist) + (1 | clinic)",
            {},
            "(Intercept | therapist) and (Intercept | clinic)",
        ),
        ("y ~ x + (1 | therapist)", {"weights": "weight"}, "observation weights"),
        ("y ~ x + (1 | therapist)", {"ar1": "session"}, "autocorrelated residuals"),
    ],
)
def test_what_a_logistic_model_does_not_support(table, formula, options, said):
    wide = table.assign(clinic=table["therapist"] % 5, weight=2.0, session=np.arange(len(table)))
    with pytest.raises(ProblemsFound) as caught:
        regression.solve(design.build(formula, wide, **options))
    assert str(caught.value) == (
        f"E511 key {formula}: not supported in a logistic model: {said}. Supported: one random "
        "intercept, for example (1 | therapist), or none."
    )


def test_an_outcome_that_does_not_vary(table):
    made = design.build(FORMULA, table)
    with pytest.raises(NotAssessable, match=rf"the outcome is 1 in all {len(table)} rows"):
        regression.solve(replace(made, outcome=np.ones(len(table))))
    same = table.assign(y=table["therapist"] % 2)
    with pytest.raises(NotAssessable, match="the outcome does not vary within any therapist"):
        solve(same)


def test_a_standard_deviation_without_bound():
    """Each therapist has a threshold of their own, which the outcome follows without error."""
    rng = np.random.default_rng(1)
    therapist = np.repeat(np.arange(40), 12)
    threshold = rng.normal(0, 1, 40)[therapist]
    x = rng.normal(0, 1, len(therapist))
    sharp = pd.DataFrame({"therapist": therapist, "x": x, "y": (x > threshold).astype(int)})
    with pytest.raises(NotAssessable, match="intercepts given therapist grows without bound"):
        solve(sharp, formula="y ~ x + (1 | therapist)")


def test_at_least_one_point(table):
    with pytest.raises(ValueError, match="must be 1 or more, not 0"):
        solve(table, 0)


def test_a_failed_attempt_is_retried_and_kept_on_record(table, monkeypatch):
    expected, climb = solve(table), regression._climb
    starts = []

    def fails_first(likelihood, start, scale):
        starts.append(start[0])
        if len(starts) == 1:
            raise NoOptimum("stopped 3 standard errors away from an optimum")
        return climb(likelihood, start, scale)

    monkeypatch.setattr(regression, "_climb", fails_first)
    found = solve(table)
    why = "stopped 3 standard errors away from an optimum"
    assert found.attempts == (because("from_start", deviation=f"{starts[0]:g}", reason=why),)
    assert found.loglik == pytest.approx(expected.loglik, abs=1e-8)


def test_when_every_attempt_fails_there_is_no_optimum(table, monkeypatch):
    def fails(*_):
        raise NoOptimum("nowhere")

    monkeypatch.setattr(regression, "_climb", fails)
    with pytest.raises(NoOptimum) as caught:
        solve(table)
    assert str(caught.value).count("nowhere") == len(regression.STARTS)


# ------------------------------------------------------------------ GEE


def test_gee_does_not_depend_on_the_scale_of_columns(table):
    plain = estimates.fit_gee(FORMULA, table, "therapist").terms
    moved = estimates.fit_gee(FORMULA, table.assign(x=700 + 30 * table["x"]), "therapist").terms
    np.testing.assert_allclose(30 * moved["estimate"][1], plain["estimate"][1], rtol=1e-7)
    np.testing.assert_allclose(30 * moved["std_error"][1], plain["std_error"][1], rtol=1e-7)


def test_gee_refuses_separation(table):
    sharp = table.assign(y=(table["x"] > 0).astype(int))
    result = estimates.fit_gee(FORMULA, sharp, "therapist")
    assert result.status == "not_assessable"
    assert "separation in x: " in in_full(result.message)
