"""Functions, offsets, slashes and names in formulas, against lme4 (tests/reference/formulas.R)."""

import numpy as np
import pandas as pd
import pytest

from repository import ROOT
from rupture_repair.dataframes.fit_formula import fit_formula

REFERENCE = ROOT / "tests/reference"
DATA = pd.read_csv(REFERENCE / "formulas_data.csv")
RESULTS = pd.read_csv(REFERENCE / "formulas_results.csv")
FITS = dict(list(RESULTS.groupby("formula", sort=False)))


def variances(rows):
    """Return variances and covariances, their names in alphabetical order."""
    kinds = rows[rows.index.str.startswith(("cov:", "var:"))]
    plain = [
        name.replace("(Intercept)", "Intercept").replace(" (column)", "") for name in kinds.index
    ]
    parts = [name.split(":")[1:] for name in plain]
    # A variance is named cov:<group>:x:x by the script, and var:<group>:x here.
    return dict(zip([tuple(sorted(set(part))) for part in parts], kinds, strict=True))


@pytest.mark.parametrize("formula", FITS)
def test_a_formula_means_what_lme4_makes_of_it(formula):
    stated = FITS[formula]
    expected = stated.set_index("name")["value"]
    found = fit_formula(formula, DATA).as_rows().set_index("term")
    terms = [name.removeprefix("se:") for name in stated["name"] if name.startswith("se:")]
    fixed = found.iloc[: len(terms)]
    assert fixed["std_error"].notna().all()
    np.testing.assert_allclose(fixed["estimate"], expected[terms], rtol=1e-5, atol=1e-7)
    for column, name in {"std_error": "se", "df": "df"}.items():
        values = expected[[f"{name}:{term}" for term in terms]]
        np.testing.assert_allclose(fixed[column], values, rtol=1e-4 if name == "df" else 1e-5)
    assert found["estimate"]["residual"] == pytest.approx(expected["residual"], rel=1e-5)
    assert found["estimate"]["loglik"] == pytest.approx(expected["loglik"], abs=1e-5)
    own, theirs = variances(found["estimate"]), variances(expected)
    assert own.keys() == theirs.keys()
    for name, value in theirs.items():
        scale = abs(value) + 1e-3 * expected["residual"]
        assert own[name] == pytest.approx(value, abs=1e-4 * scale)
