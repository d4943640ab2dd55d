"""The command ``rupture-repair fit``: what it prints, and what it says of a user's mistake."""

import io

import numpy as np
import pandas as pd
import pytest

from rupture_repair import lmm
from rupture_repair.cli import main

FORMULA = "y ~ time + x + (1 + time | course) + (1 | therapist)"


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(11)
    course = np.repeat(np.arange(60), rng.integers(3, 10, 60))
    table = pd.DataFrame({"course": [f"c{number:02d}" for number in course]})
    table["therapist"] = [f"t{number % 8}" for number in course]
    table["time"] = table.groupby("course").cumcount()
    table["x"] = rng.integers(0, 2, len(table))
    table["arm"] = np.where(course % 3 == 0, "waiting", "treated")
    table["w"] = rng.uniform(0.5, 2, len(table)).round(2)
    effects = rng.normal(0, [2, 0.3], (60, 2))
    table["y"] = (
        20 + 0.5 * table["time"] + effects[course, 0] + effects[course, 1] * table["time"]
        + rng.normal(0, 1, 8)[course % 8] + rng.normal(0, 1.5, len(table))
    ).round(3)  # fmt: skip
    table["left"] = (rng.random(len(table)) < 1 / (1 + np.exp(-0.8 * table["x"]))).astype(int)
    return table


@pytest.fixture
def file(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table.to_csv("data.csv", index=False)
    return "data.csv"


def run(capsys, *arguments):
    status = main(["fit", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def rows_of(capsys, *arguments):
    status, out, _ = run(capsys, *arguments, "--format", "csv")
    assert status == 0
    return pd.read_csv(io.StringIO(out))


def refused(capsys, *arguments):
    status, out, err = run(capsys, *arguments)
    assert status == 1
    assert out == ""
    assert "Traceback" not in err
    return err


def test_csv_has_the_terms_and_then_the_rest(capsys, file, table):
    rows = rows_of(capsys, file, FORMULA)
    assert list(rows.columns) == [
        "term", "estimate", "std_error", "df", "statistic", "p", "ci_low", "ci_high",
    ]  # fmt: skip
    assert list(rows["term"]) == [
        "Intercept", "time", "x", "var:course:Intercept", "var:course:time",
        "cov:course:Intercept:time", "var:therapist:Intercept", "residual", "loglik", "converged",
        "singular",
    ]  # fmt: skip
    fit = lmm.fit(FORMULA, table)
    np.testing.assert_allclose(rows["estimate"][:3], fit.terms["estimate"], rtol=1e-10)
    np.testing.assert_allclose(rows["df"][:3], fit.terms["df"], rtol=1e-9)
    values = rows.set_index("term")["estimate"]
    assert values["loglik"] == pytest.approx(fit.solution.loglik, rel=1e-11)
    assert values["residual"] == pytest.approx(fit.solution.residual, rel=1e-10)
    assert (values["converged"], values["singular"]) == (1, float(fit.singular))


def test_maximum_likelihood_autocorrelation_and_weights(capsys, file, table):
    formula = "y ~ time + (1 | course)"
    values = rows_of(capsys, file, formula, "--ml", "--ar1", "time").set_index("term")["estimate"]
    fit = lmm.fit(formula, table, reml=False, ar1="time")
    assert values["rho"] == pytest.approx(fit.solution.rho, rel=1e-6)
    assert values["loglik"] == pytest.approx(fit.solution.loglik, rel=1e-11)
    values = rows_of(capsys, file, formula, "--weights", "w").set_index("term")["estimate"]
    assert values["time"] == pytest.approx(
        lmm.fit(formula, table, weights="w").terms["estimate"][1]
    )


def test_uncorrelated_effects_have_no_covariance_row(capsys, file):
    terms = rows_of(capsys, file, "y ~ time + (1 + time || course)")["term"]
    assert not terms.str.startswith("cov:").any()
    assert terms.str.startswith("var:course:").sum() == 2


def test_text_reads_like_a_summary(capsys, file):
    status, out, _ = run(capsys, file, FORMULA)
    assert status == 0
    for part in ["Linear mixed model fitted by REML", f"Formula: {FORMULA}",
                 "Scaled residuals:", "Random effects:", "Std.Dev.", "Number of obs: ",
                 "Fixed effects:", "Pr(>|t|)", "Correlation of fixed effects:", "R2:"]:  # fmt: skip
        assert part in out


def test_logistic_model(capsys, file):
    formula = "left ~ x + (1 | therapist)"
    rows = rows_of(capsys, file, formula, "--family", "binomial").set_index("term")
    assert rows.loc["x", "ci_low"] < 0.8 < rows.loc["x", "ci_high"]
    assert np.isnan(rows.loc["x", "df"])
    assert "residual" not in rows.index
    seven = ["--family", "binomial", "--quadrature-points", "7"]
    status, out, _ = run(capsys, file, formula, *seven)
    assert status == 0
    assert "adaptive Gauss-Hermite quadrature (7 points)" in out
    assert "Pr(>|z|)" in out


def test_without_random_part_it_is_least_squares(capsys, file, table):
    rows = rows_of(capsys, file, "y ~ time").set_index("term")
    slope, _ = np.polyfit(table["time"], table["y"], 1)
    assert rows.loc["time", "estimate"] == pytest.approx(slope)
    assert rows.loc["time", "df"] == len(table) - 2


def test_text_columns_are_categories_and_ids_of_digits_are_units(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["client,arm,y"]
    rng = np.random.default_rng(2)
    lines += [
        f"{client},{'ab'[client % 2]},{client % 2 + rng.normal():.3f}"
        for client in np.repeat(range(10, 40), 4)
    ]
    (tmp_path / "ids.csv").write_text("\n".join(lines))
    terms = rows_of(capsys, "ids.csv", "y ~ arm + (1 | client)")["term"]
    assert "arm[b]" in set(terms)
    assert "var:client:Intercept" in set(terms)


def test_missing_cells_are_counted(capsys, file, table):
    table.assign(x=table["x"].mask(table.index < 5)).to_csv("gaps.csv", index=False, na_rep="NA")
    _, out, _ = run(capsys, "gaps.csv", FORMULA)
    assert f"note: 5 of {len(table)} rows left out with missing values (x 5)" in out


# ------------------------------------------------------------------ mistakes


def test_a_file_that_is_not_there(capsys, file):
    assert "E711 dat.csv: the file does not exist. Did you mean 'data.csv'?" in refused(
        capsys, "dat.csv", FORMULA
    )


def test_every_column_that_is_not_there_is_named_at_once(capsys, file):
    said = refused(capsys, file, "y ~ tme + (1 | corse)")
    assert "E502" in said
    assert "Did you mean 'time'?" in said
    assert "Did you mean 'course'?" in said


def test_text_among_numbers_is_told_with_its_row(capsys, file, table):
    table.astype({"x": "str"}).assign(x=lambda t: t["x"].mask(t.index == 7, "yes")).to_csv(
        "text.csv", index=False
    )
    assert "E716 text.csv, row 9, column x: 'yes' is not a number." in refused(
        capsys, "text.csv", FORMULA
    )


def test_an_outcome_of_text(capsys, file):
    assert "E716 data.csv, row 2, column arm: 'waiting' is not a number." in refused(
        capsys, file, "arm ~ time + (1 | course)"
    )


def test_infinite_values(capsys, file, table):
    table.assign(x=table["x"].mask(table.index == 3, np.inf)).to_csv("inf.csv", index=False)
    assert "E506 inf.csv, row 5, column x: the value is infinite." in refused(
        capsys, "inf.csv", FORMULA
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.assign(time=t["time"].mask(t.index == 1, 0)),
         "E509 data.csv, row 3, column time: 0 occurs twice in one course."),
        (lambda t: t.assign(time=t["time"] + 0.5),
         "E508 data.csv, row 2, column time: the session number 0.5 is not whole."),
    ],
)  # fmt: skip
def test_session_numbers_for_autocorrelation(capsys, file, table, change, text):
    change(table).to_csv("data.csv", index=False)
    assert text in refused(capsys, file, "y ~ x + (1 | course)", "--ar1", "time")


def test_weights_must_be_positive(capsys, file, table):
    table.assign(w=table["w"].mask(table.index == 0, -1)).to_csv("data.csv", index=False)
    said = refused(capsys, file, "y ~ x + (1 | course)", "--weights", "w")
    assert "E507 data.csv, row 2, column w: the weight -1 is not positive." in said


def test_weights_of_text(capsys, file):
    assert "E716" in refused(capsys, file, "y ~ x + (1 | course)", "--weights", "arm")


def test_a_constant_outcome(capsys, file, table):
    table.assign(y=3).to_csv("data.csv", index=False)
    said = refused(capsys, file, FORMULA)
    assert "E522" in said
    assert "y does not vary: it is 3 in all" in said


def test_crossed_levels_and_a_formula_that_cannot_be_read(capsys, file):
    assert "E504" in refused(capsys, file, "y ~ x + (1 | course) + (1 | time)")
    assert "E501" in refused(capsys, file, "y ~ x + (1 | course")
    assert "E505" in refused(capsys, file, "y ~ x + (1 | course) + (1 + x | therapist)")


def test_options_that_do_not_go_together(capsys, file):
    said = refused(capsys, file, "left ~ x + (1 | therapist)", "--family", "binomial", "--ar1",
                   "time", "--ml")  # fmt: skip
    assert said.count("E521") == 2
    assert "--quadrature-points" in refused(capsys, file, FORMULA, "--quadrature-points", "7")


def test_a_model_that_cannot_be_fitted(capsys, file, monkeypatch):
    from rupture_repair.dataframes import fit_formula
    from rupture_repair.statistics.no_result import NoOptimum

    def nowhere(*_):
        raise NoOptimum("BFGS: stopped")

    monkeypatch.setattr(fit_formula, "fit_design", nowhere)
    said = refused(capsys, file, FORMULA)
    assert "E523" in said
    assert "could not be fitted: BFGS: stopped" in said


def test_separation_names_the_term(capsys, file, table):
    table.assign(left=table["x"]).to_csv("data.csv", index=False)
    said = refused(capsys, file, "left ~ x + (1 | therapist)", "--family", "binomial")
    assert "separation in x" in said
