"""Functions, offsets and slashes of formulas mean what they mean in R, or are refused by name."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair.dataframes.fit_formula import fit_formula
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.statistics import design
from rupture_repair.statistics.formula_calls import rewrite


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(5)
    made = pd.DataFrame({"school": np.repeat(np.arange(8), 30), "class": np.tile(np.arange(5), 48)})
    made["x"] = random.normal(2, 3, 240)
    made["w"] = random.uniform(0.5, 4, 240)
    made["num"] = random.integers(1, 4, 240)
    made["Intercept"] = made["x"]
    made["a.b"] = made["x"]
    made["f"] = np.array(["A", "B", "b", "c"])[random.integers(0, 4, 240)]
    effect = (
        random.normal(size=8)[made["school"]]
        + random.normal(size=40)[made["school"] * 5 + made["class"]]
    )
    made["y"] = 0.3 * made["x"] + made["w"] + effect + random.normal(size=240)
    made.loc[[3, 50], "x"] = np.nan
    made.loc[[7, 90], "y"] = np.nan
    return made


def rows(formula, table):
    found = fit_formula(formula, table).as_rows().set_index("term")["estimate"].dropna()
    return found


#: A formula, and one with columns made by hand that means the same in R.
SAME = [
    ("y ~ log(w, 2) + (1 | school)", lambda t: {"m": np.log2(t["w"])}, "y ~ m + (1 | school)"),
    ("y ~ log(w, base = 10) + (1 | school)", lambda t: {"m": np.log10(t["w"])},
     "y ~ m + (1 | school)"),
    ("y ~ scale(x) + (1 | school)", lambda t: {"m": (t["x"] - t["x"].mean()) / t["x"].std()},
     "y ~ m + (1 | school)"),
    ("y ~ scale(x, scale = FALSE) + (1 | school)", lambda t: {"m": t["x"] - t["x"].mean()},
     "y ~ m + (1 | school)"),
    ("y ~ scale(x, center = FALSE) + (1 | school)",
     lambda t: {"m": t["x"] / np.sqrt((t["x"] ** 2).sum() / (t["x"].notna().sum() - 1))},
     "y ~ m + (1 | school)"),
    ("y ~ I((x - 1)^2 / 3) + (1 | school)", lambda t: {"m": (t["x"] - 1) ** 2 / 3},
     "y ~ m + (1 | school)"),
    ("y ~ a.b + (1 | school)", lambda t: {"m": t["a.b"]}, "y ~ m + (1 | school)"),
    ("y ~ factor(num) + (1 | school)", lambda t: {"m": t["num"].astype(str)},
     "y ~ m + (1 | school)"),
    ("y ~ x + (1 | school/class)", lambda t: {}, "y ~ x + (1 | school) + (1 | school:class)"),
    ("y ~ f/x + (1 | school)", lambda t: {}, "y ~ f + f:x + (1 | school)"),
    ("y ~ (x + w)^2 + (1 | school)", lambda t: {}, "y ~ x + w + x:w + (1 | school)"),
    ("y ~ offset(w) + x + (1 | school)", lambda t: {"m": t["y"] - t["w"]}, "m ~ x + (1 | school)"),
    ("y ~ x + offset(w) + (1 | school)", lambda t: {"m": t["y"] - t["w"]}, "m ~ x + (1 | school)"),
    ("y ~ Intercept + (1 | school)", lambda t: {"m": t["Intercept"]}, "y ~ m + (1 | school)"),
]  # fmt: skip


@pytest.mark.parametrize("case", SAME, ids=[case[0] for case in SAME])
def test_a_call_means_what_it_means_in_r(case, table):
    formula, make, plain = case
    found, expected = rows(formula, table), rows(plain, table.assign(**make(table)))
    assert len(found) == len(expected)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_a_column_called_intercept_keeps_the_constant(table):
    found = rows("y ~ Intercept + w + (1 | school)", table)
    assert list(found.index[:3]) == ["Intercept", "Intercept (column)", "w"]


@pytest.mark.parametrize(
    ("formula", "code", "said"),
    [
        ("y ~ x^2", "E501", "write I(x^2) for its square"),
        ("y ~ cut(x)", "E502", "'cut'"),
        ("y ~ poly(x, 2)", "E502", "'poly'"),
        ("y ~ log(x, 2, 3)", "E501", "log() has the arguments x, base"),
        ("y ~ log(x, bse = 2)", "E501", "log() has the arguments x, base"),
        ("y ~ I(x > 2)", "E501", "holds more than numbers"),
        ("y ~ I(eval(x))", "E502", "'eval'"),
        ("y ~ x %in% w", "E501", "%in% is not supported"),
        ("y ~ x > 0", "E501", "> belongs to no term; name a column that holds it"),
        ("y ~ x >= 0", "E501", "> belongs to no term"),
        ("y ~ x < 1", "E501", "< belongs to no term"),
        ("y ~ 2 * x", "E501", "2 belongs to no term"),
        ("y ~ x + 1.5", "E501", "1.5 belongs to no term"),
        ("y ~ x + f + y", "E501", "y is the outcome and a term"),
        ("y ~ x * f / w", "E501", "a slash is read between two names"),
        ("y ~ factor(num, levels = 1)", "E501", "factor() takes the name of one column"),
        ("y ~ log(x", "E501", "a parenthesis is not closed"),
        ("y ~ sqrt(f)", "E520", "a column of numbers is needed"),
    ],
)
def test_what_is_not_read_is_refused_by_name(formula, code, said, table):
    with pytest.raises(ProblemsFound) as refused:
        fit_formula(formula, table)
    assert [one.code for one in refused.value.problems] == [code]
    assert said in refused.value.problems[0].message


def test_an_offset_in_a_logistic_model_is_refused(table):
    binary = table.assign(y=(table["y"] > 0).astype(float))
    with pytest.raises(ProblemsFound) as refused:
        fit_formula("y ~ x + offset(w)", binary, family="binomial")
    assert refused.value.problems[0].code == "E505"


def test_new_rows_are_scaled_as_the_first_ones(table):
    made = design.build("y ~ scale(x) + (1 | school)", table)
    again = made.evaluate(table.iloc[:2])
    assert np.allclose(again[:, 1], made.fixed[:2, 1])


def test_what_was_changed_in_a_model_is_in_the_rows(table):
    few = table.groupby("school").head(2)
    notes = [term for term in fit_formula("y ~ x + (1 + x | school)", few).as_rows()["term"]
             if term.startswith("note: ")]  # fmt: skip
    assert any("the random slope of x given school" in note for note in notes)


def test_plain_formulas_stay_as_they_are():
    for formula in ("y ~ x * time + (1 + time | course) + (1 | therapist)", "y ~ 0 + x", "y ~ 1"):
        assert rewrite(formula).text.replace(" ", "") == formula.replace(" ", "")
