"""What the engine of mixed models takes, leaves out with a note, and refuses."""

import numpy as np
import pandas as pd
import pytest

import dense
from rupture_repair import lmm
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.reasons import because, in_full
from rupture_repair.statistics import design
from rupture_repair.statistics.no_result import NotAssessable


@pytest.fixture(scope="module")
def table():
    return dense.sessions(courses=20)


def put(table, column, row, value):
    changed = table.astype({column: object} if isinstance(value, str) else {column: float})
    changed.loc[row, column] = value
    return changed


REFUSED = {
    "unreadable": ("y ~ session + (1 | course", {}, "E501", "the formula cannot be read"),
    "no outcome": ("session + (1 | course)", {}, "E501", "there is no outcome before '~'"),
    "no fixed term": ("y ~ 0 + (1 | course)", {}, "E501", "there is no fixed term"),
    "twice": ("y ~ x + (1 | course) + (1 | course)", {}, "E501", "a random effect is there twice"),
    "without parentheses": ("y ~ x + 1 | course", {}, "E501", "is written in parentheses"),
    "unknown column": ("y ~ sesion + (1 | course)", {}, "E502", "names 'sesion'"),
    "unknown group": ("y ~ x + (1 | curse)", {}, "E502", "Did you mean 'course'?"),
    "unknown function": ("y ~ lag(x) + (1 | course)", {}, "E502", "names 'lag'"),
    "unknown weights": ("y ~ x + (1 | course)", {"weights": "v"}, "E502", "names 'v'"),
    "unknown ar1": ("y ~ x + (1 | course)", {"ar1": "visit"}, "E502", "names 'visit'"),
    "text outcome": ("therapist ~ x + (1 | course)", {}, "E503", "must be one column of numbers"),
    "slope above": (
        "y ~ x + (1 | course) + (1 + x | therapist)", {}, "E505",
        "(Intercept + x | therapist) above course",
    ),
    "text weights": ("y ~ x + (1 | course)", {"weights": "therapist"}, "E520", "column therapist"),
    "text ar1": ("y ~ x + (1 | course)", {"ar1": "therapist"}, "E520", "a column of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(table, case):
    model, options, code, text = REFUSED[case]
    with pytest.raises(ProblemsFound) as raised:
        lmm.fit(model, table, **options)
    assert [one.code for one in raised.value.problems] == [code]
    assert text in raised.value.problems[0].text


CELLS = {
    "infinite outcome": ("y", np.inf, {}, "E506", "row 5, column y: the value is infinite"),
    "infinite term": ("x", -np.inf, {}, "E506", "row 5, column x"),
    "infinite weight": ("w", np.inf, {"weights": "w"}, "E506", "row 5, column w"),
    "weight of zero": ("w", 0, {"weights": "w"}, "E507", "row 5, column w: the weight 0 is not"),
    "negative weight": ("w", -2, {"weights": "w"}, "E507", "the weight -2 is not positive"),
    "part of a session": (
        "session", 1.5, {"ar1": "session"}, "E508", "the session number 1.5 is not whole",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CELLS)
def test_refused_cell(table, case):
    column, value, options, code, text = CELLS[case]
    with pytest.raises(ProblemsFound) as raised:
        lmm.fit("y ~ session + x + (1 | course)", put(table, column, 3, value), **options)
    assert [one.code for one in raised.value.problems] == [code]
    assert text in raised.value.problems[0].text


def test_crossed_levels_are_refused(table):
    one = table["course"].value_counts().index[0]
    rows = table.index[table["course"] == one]
    moved = put(table, "therapist", rows[0], "another")
    with pytest.raises(ProblemsFound, match="a course occurs in more than one therapist") as raised:
        lmm.fit("y ~ x + (1 | course) + (1 | therapist)", moved)
    assert raised.value.problems[0].code == "E504"
    assert "engine: statsmodels" in raised.value.problems[0].text


def test_three_levels_are_refused(table):
    third = table.assign(clinic=(table["therapist"] > "t1").astype(int))
    with pytest.raises(ProblemsFound, match="3 levels") as raised:
        lmm.fit("y ~ x + (1 | course) + (1 | therapist) + (1 | clinic)", third)
    assert raised.value.problems[0].code == "E505"
    assert "engine: statsmodels" in raised.value.problems[0].text


def test_a_session_that_occurs_twice_is_refused_for_ar1(table):
    one = table.loc[table["session"] == 2].index[0]
    twice = pd.concat([table, table.loc[[one]]], ignore_index=True)
    with pytest.raises(ProblemsFound, match="2 occurs twice in one course") as raised:
        lmm.fit("y ~ x + (1 | course)", twice, ar1="session")
    problem = raised.value.problems[0]
    assert (problem.code, problem.row) == ("E509", len(twice) + 1)
    lmm.fit("y ~ x + (1 | course)", twice)


def test_autocorrelation_needs_courses(table):
    with pytest.raises(ProblemsFound, match="autocorrelated residuals without a level") as raised:
        lmm.solve(design.build("y ~ x", table, ar1="session"))
    assert raised.value.problems[0].code == "E505"


def test_without_random_part_there_is_no_mixed_model(table):
    with pytest.raises(NotAssessable, match="the model has no random part"):
        lmm.fit("y ~ x", table)


NOT_ASSESSABLE = {
    "constant": (lambda t: t.assign(y=3.0), "y does not vary: it is 3 in all"),
    "no outcome": (lambda t: t.assign(y=np.nan), "no complete rows: y missing"),
    "explained": (
        lambda t: t.assign(y=2 * t["x"] - t["session"]), "explain the outcome completely",
    ),
    "same within": (
        lambda t: t.assign(y=t["course"].rank(method="dense")), "does not vary within any course",
    ),
    "explained within": (
        lambda t: t.assign(y=t["course"].rank(method="dense") + t["x"]),
        "within any course, but for what the terms explain",
    ),
    "one course": (lambda t: t.assign(course="a"), "the model has no random part; only one course"),
    "single sessions": (
        lambda t: t.groupby("course", as_index=False).head(1),
        "cannot be distinguished from the residual",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_ASSESSABLE)
def test_not_assessable(table, case):
    change, text = NOT_ASSESSABLE[case]
    with pytest.raises(NotAssessable, match=text):
        lmm.fit("y ~ session + x + (1 | course)", change(table))


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_effects_that_follow_from_each_other_hide_no_variation_within_courses(table, noise):
    number = table["course"].rank(method="dense")
    random = np.random.default_rng(2).normal(size=len(table))
    same = table.assign(same=number % 3, y=number + noise * random)
    formula = "y ~ session + (1 + session + same | course)"
    if noise:
        assert np.isfinite(lmm.fit(formula, same).solution.loglik)
    else:
        with pytest.raises(NotAssessable, match="does not vary within any course"):
            lmm.fit(formula, same)


def test_slopes_need_more_rows_than_effects(table):
    few = table.sort_values("session").groupby("course").head(2)
    fit = lmm.fit("y ~ x + (1 + session | course)", few)
    assert "slope of session given course cannot be distinguished from the residual" in in_full(
        fit.design.notes[0]
    )
    same = lmm.fit("y ~ x + (1 | course)", few)
    assert fit.solution.loglik == same.solution.loglik


def test_rows_with_missing_values_are_left_out_and_counted(table):
    holes = put(put(table, "y", 2, np.nan), "x", 7, np.nan).assign(unused=np.nan)
    fit = lmm.fit("y ~ session + x + (1 + session | course)", holes)
    same = lmm.fit("y ~ session + x + (1 + session | course)", table.drop(index=[2, 7]))
    assert in_full(fit.design.notes[0]).startswith("2 of ")
    assert "{x 1, y 1}" in fit.design.notes[0]
    np.testing.assert_allclose(fit.terms.iloc[:, 1:], same.terms.iloc[:, 1:], rtol=1e-9)
    assert not {2, 7} & set(fit.design.rows)


def test_columns_that_others_explain_are_left_out_and_named(table):
    wide = table.assign(twice=2 * table["session"] + 1, both=table["session"] + table["x"], one=1.0)
    fit = lmm.fit("y ~ session + twice + one + x + both + (1 | course)", wide)
    same = lmm.fit("y ~ session + x + (1 | course)", table)
    assert list(fit.terms["term"]) == ["Intercept", "session", "x"]
    assert "left out, being constant or a combination of other terms: twice, one, both" in in_full(
        fit.design.notes[0]
    )
    np.testing.assert_allclose(fit.terms.iloc[:, 1:], same.terms.iloc[:, 1:], rtol=1e-9)


def test_uncorrelated_effects_are_the_correlated_ones_without_covariance(table):
    fit = lmm.fit("y ~ session + (1 + session + z || course)", table)
    assert np.count_nonzero(fit.solution.random[0] - np.diag(np.diag(fit.solution.random[0]))) == 0
    separate = lmm.fit("y ~ session + (1 | course) + (0 + session + z || course)", table)
    assert separate.solution.loglik == pytest.approx(fit.solution.loglik, abs=1e-8)
    assert fit.design.parameters == 2 + 3 + 1
    assert len(fit.variances) == 4
    full = lmm.fit("y ~ session + (1 + session + z | course)", table)
    assert full.solution.loglik >= fit.solution.loglik - 1e-8
    assert len(full.variances) == 7


def test_nested_names_are_one_level(table):
    # c1 of one therapist is another client than c1 of the next.
    number = table.groupby("therapist")["course"].rank(method="dense").astype(int)
    numbered = table.assign(client=number)
    fit = lmm.fit("y ~ session + (1 | therapist:client) + (1 | therapist)", numbered)
    same = lmm.fit("y ~ session + (1 | course) + (1 | therapist)", table)
    assert fit.solution.loglik == pytest.approx(same.solution.loglik, abs=1e-8)
    assert fit.design.levels[0].units == table["course"].nunique()
    known = fit.predict(numbered)
    np.testing.assert_allclose(known["estimate"], same.predict(table)["estimate"], rtol=1e-5)


def test_two_effects_on_one_line_are_singular():
    table = dense.sessions(seed=4, courses=25, longest=9)
    code = table["course"].str[1:].astype(int)
    line = np.random.default_rng(4).standard_normal(25)[code]
    noise = 0.3 * np.random.default_rng(5).standard_normal(len(table))
    table = table.assign(y=3 * line + line * table["session"] + noise)
    fit = lmm.fit("y ~ session + (1 + session | course)", table)
    whose = {"names": "intercepts and slopes of session", "level": "course"}
    assert because("correlated", **whose) in fit.solution.zero
    assert np.linalg.eigvalsh(fit.solution.random[0])[0] == pytest.approx(0, abs=1e-8)


def test_a_design_without_rows_is_not_assessable(table):
    with pytest.raises(NotAssessable, match="there are no rows to analyse"):
        design.build("y ~ session + x + (1 | course)", table.iloc[:0])
