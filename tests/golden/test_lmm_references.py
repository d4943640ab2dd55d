"""The engine against lme4, lmerTest and nlme: every case of tests/reference (see its README.md).

Tolerances are those of the specification: the log-likelihood one-sided to 1e-6 (one above lme4's is
lme4's failure), estimates and standard errors to 1e-5, variances and degrees of freedom to 1e-4.
"""

import os
from functools import cache

import numpy as np
import pandas as pd
import pytest

from repository import MIRROR, ROOT
from rupture_repair import lmm

REFERENCE = ROOT / "tests/reference"
import quasi_random  # noqa: E402


def results(script, *methods):
    """Return the values of each fit of a script: (case, formula, reml) -> name -> value."""
    table = pd.read_csv(REFERENCE / f"{script}_results.csv").dropna(subset=["formula"])
    table = table[table["method"].isin(methods)]
    groups = table.groupby(["case", "formula", "reml"], sort=False)
    found = {key: group.set_index("name")["value"] for key, group in groups}
    return {(script, *key): values for key, values in found.items() if "loglik" in values}


LINEAR = {
    **results("linear", "lmer", "lmer weights=weight"),
    **results("real", "lmer"),
    **results("large", "lmer"),
}
#: The likelihood written out in the script: more precise than nlme, see README.md there.
AUTOREGRESSIVE = {
    key: values for key, values in results("autoregressive", "direct").items() if "|" in key[2]
}
NLME = {
    key: values for key, values in results("autoregressive", "lme corAR1").items() if "|" in key[2]
}


def mirrored(name):
    path = MIRROR / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{name} must not be absent in CI")
        pytest.skip(f"{name} is not here")
    return pd.read_csv(path)


def demo():
    folder = ROOT / "data/raw/demo"
    sessions, courses = (pd.read_csv(folder / f"{name}.csv") for name in ("sessions", "courses"))
    table = sessions.merge(courses, on="client_id")
    return table.assign(woman=(table["sex"] == "female").astype(float))


def couples():
    # formulae reads no point in a name.
    table = mirrored("dyad_couples_diary/sample1.csv")
    table = table.rename(columns={"M_Con.": "M_Con", "W_Con.": "W_Con"})
    return table.assign(day=table["DIARYDAY"] - 17)


def panss():
    wide = mirrored("schizo_panss_investigators/Schizo_PANSS.csv")
    parts = [wide.assign(week=week, change=wide[f"Week{week}"]) for week in (1, 2, 4, 6, 8)]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def reisby():
    return mirrored("reisby_hamd/riesby.csv")


@cache
def table_of(script, case):
    made = {"demo": demo, "couples": couples, "panss": panss, "reisby": reisby}
    if case in made:
        return made[case]()
    return (
        quasi_random.large_courses()
        if script == "large"
        else pd.read_csv(REFERENCE / f"{script}_{case}.csv")
    )


#: Column of session numbers of the cases with autocorrelated residuals.
POSITION = {"couples": "DIARYDAY", "reisby": "week"}


@cache
def fitted(script, case, formula, reml):
    ar1 = POSITION.get(case, "session") if script == "autoregressive" else None
    weights = "weight" if case == "weighted" else None
    table = table_of(script, case)
    return lmm.fit(formula.replace("_Con.", "_Con"), table, bool(reml), ar1=ar1, weights=weights)


def in_r(terms):
    names = ["(Intercept)" if term == "Intercept" else term for term in terms]
    return [name.replace("_Con", "_Con.") for name in names]


def check_fixed(fit, expected):
    terms = in_r(fit.terms["term"])
    errors = expected[[f"se:{term}" for term in terms]].to_numpy()
    # In standard errors, so that estimates near zero do not decide.
    assert np.abs((fit.terms["estimate"] - expected[terms].to_numpy()) / errors).max() < 1e-5
    np.testing.assert_allclose(fit.terms["std_error"], errors, rtol=1e-5)


def check_variances(fit, expected):
    residual = expected["residual"]
    assert fit.solution.residual == pytest.approx(residual, rel=1e-4)
    values = {}
    for name, value in expected[expected.index.str.startswith("cov:")].items():
        _, group, *names = name.split(":")
        values[group, frozenset(names)] = value
    compared = 0
    for level, spread in zip(fit.design.levels, fit.solution.random, strict=True):
        names = in_r(level.names)
        scale = np.sqrt((level.columns**2).mean(axis=0))
        for one, name in enumerate(names):
            for other in range(one + 1):
                key = (level.factor, frozenset((name, names[other])))
                if key not in values:
                    assert spread[one, other] == 0  # effects without correlation
                    continue
                # Where it is nearly zero, as a share of what the rows vary.
                weight = scale[one] * scale[other]
                total = (level.columns @ spread * level.columns).sum(axis=1).mean() + residual
                own = np.sqrt(spread[one, one] * spread[other, other]) * weight
                gap = abs(spread[one, other] - values[key]) * weight
                assert gap < 1e-4 * max(own, total)
                compared += 1
    assert compared


@pytest.mark.parametrize("key", LINEAR)
def test_equals_polished_lme4(key):
    fit, expected = fitted(*key), LINEAR[key]
    assert fit.solution.loglik >= expected["loglik"] - 1e-6
    assert fit.solution.loglik == pytest.approx(expected["loglik"], abs=1e-5)
    check_fixed(fit, expected)
    if key[1] != "therapist_is_course":
        check_variances(fit, expected)
        assert fit.singular == bool(expected["singular"])
        assert fit.statistics["aic"] == pytest.approx(expected["aic"], abs=1e-4)
        assert fit.statistics["bic"] == pytest.approx(expected["bic"], abs=1e-4)


@pytest.mark.parametrize("key", [key for key in LINEAR if "df:(Intercept)" in LINEAR[key]])
def test_equals_lmertest(key):
    fit, expected = fitted(*key), LINEAR[key]
    terms = in_r(fit.terms["term"])
    df = expected[[f"df:{term}" for term in terms]].to_numpy()
    np.testing.assert_allclose(fit.terms["df"], df, rtol=1e-3)
    p = expected[[f"p:{term}" for term in terms]].to_numpy()
    np.testing.assert_allclose(fit.terms["p"], p, rtol=5e-3, atol=1e-12)


@pytest.mark.parametrize(
    "key",
    [
        key
        for key in LINEAR
        if LINEAR[key].index.str.startswith("ranef:").any() and key[1] != "therapist_is_course"
    ],
)
def test_effects_predictions_and_explained_variance(key):
    fit, expected = fitted(*key), LINEAR[key]
    effects = fit.random_effects()
    names = (
        "ranef:" + effects["group"] + ":" + effects["unit"] + ":" + pd.Series(in_r(effects["name"]))
    )
    found = effects.assign(key=names).set_index("key")
    scale = float(np.sqrt(expected["residual"]))
    shared = [name for name in expected.index if name.startswith("ranef:")]
    assert len(shared) >= 5
    for name in shared:
        deviation = expected[name.replace("ranef", "condsd")]
        assert abs(found.loc[name, "estimate"] - expected[name]) < 1e-3 * (deviation + 1e-3 * scale)
        assert found.loc[name, "std_error"] == pytest.approx(deviation, rel=1e-3, abs=1e-4 * scale)
    predicted = expected[expected.index.str.startswith("predict:all:")]
    if len(predicted) and "weight" not in fit.design.formula:
        rows = predicted.index.str.rsplit(":", n=1).str[1].astype(int) - 1
        place = np.searchsorted(fit.design.rows, rows)
        np.testing.assert_allclose(fit.fitted()[place], predicted, atol=1e-4 * scale)
    for name in ("marginal", "conditional"):
        if f"r2:{name}" in expected:
            assert fit.statistics[f"r2_{name}"] == pytest.approx(expected[f"r2:{name}"], abs=1e-4)


@pytest.mark.parametrize("key", AUTOREGRESSIVE)
def test_autocorrelated_residuals(key):
    fit, expected = fitted(*key), AUTOREGRESSIVE[key]
    assert fit.solution.loglik >= expected["loglik"] - 1e-6
    assert fit.solution.loglik == pytest.approx(expected["loglik"], abs=1e-5)
    check_fixed(fit, expected)
    check_variances(fit, expected)
    assert fit.solution.rho == pytest.approx(expected["rho"], abs=1e-4)


@pytest.mark.parametrize("key", NLME)
def test_is_at_least_as_likely_as_nlme(key):
    fit, expected = fitted(*key), NLME[key]
    assert fit.solution.loglik >= expected["loglik"] - 1e-6
    assert fit.solution.rho == pytest.approx(expected["rho"], abs=0.01)


PROFILES = [key for key in LINEAR if LINEAR[key].index.str.startswith("profile:").any()]


@pytest.mark.parametrize("key", PROFILES)
def test_profile_intervals(key):
    fit, expected = fitted(*key), LINEAR[key]
    found = lmm.profile(fit)
    names = [
        name if group == "fixed" else "sigma" if group == "residual" else f"sd_{name}|{group}"
        for group, name in zip(found["group"], found["name"].fillna(""), strict=True)
    ]
    names = [name.replace("Intercept", "(Intercept)") for name in names]
    for side in ("low", "high"):
        values = expected.reindex([f"profile:{side}:{name}" for name in names]).to_numpy()
        assert np.isfinite(values).sum() >= len(values) - 1
        width = (found["ci_high"] - found["ci_low"]).to_numpy()
        gap = np.abs(found[f"ci_{side}"].to_numpy() - values) / width
        assert np.nanmax(gap) < 2e-3


def test_both_languages_make_the_same_large_data():
    table = pd.read_csv(REFERENCE / "large_results.csv")
    expected = table[table["name"].str.startswith("check:")].drop_duplicates("name")
    expected = expected.set_index("name")["value"]
    for name, value in quasi_random.checksums(table_of("large", "large")).items():
        assert value == expected[name]
