"""What MixedLM of statsmodels makes of the simulated cases: a third opinion beside lme4.

    python tests/reference/statsmodels_third_opinion.py tests/reference

reads the data and formulas of nested_results.csv and linear_results.csv and writes
statsmodels_results.csv with the same columns. MixedLM stops early on many of these cases; its
values are kept as they are, with `converged` beside them, and are nothing to test against.
"""

import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

TERM = re.compile(r"\(([^|()]+?)\s*\|\s*(\w+)\)")
OPTIMISERS = ("bfgs", "lbfgs")


def parts(formula):
    """Fixed part, term given course, and whether there is a term given therapist."""
    terms = {group: effects for effects, group in TERM.findall(formula)}
    fixed = TERM.sub("", formula).rstrip("+ ")
    return fixed, terms.get("course"), "therapist" in terms


def model_of(formula, data):
    """The MixedLM of a formula of lme4; with therapists, courses are variance components."""
    fixed, effects, given_therapist = parts(formula)
    if not given_therapist:
        return MixedLM.from_formula(fixed, data, groups=data["course"], re_formula=f"~ {effects}")
    return MixedLM.from_formula(
        fixed,
        data,
        groups=data["therapist"],
        re_formula="~ 1",
        vc_formula={"course": "0 + C(course)"},
    )


def fitted(formula, data, reml):
    """The most likely of the fits of several optimisers, and how many stopped with an error."""
    fits, failures = [], 0
    for optimiser in OPTIMISERS:
        try:
            fits.append(model_of(formula, data).fit(reml=reml, method=optimiser, maxiter=500))
        except (np.linalg.LinAlgError, ValueError):
            failures += 1
    fits = [fit for fit in fits if np.isfinite(fit.llf)]
    return max(fits, key=lambda fit: fit.llf, default=None), failures


def tidy(fit, failures, given_therapist):
    """Names and values as in polished.R."""
    values = {"failed_optimisers": failures, "converged": int(fit is not None and fit.converged)}
    if fit is None:
        return values
    named = {"Intercept": "(Intercept)", "Group": "(Intercept)", "therapist": "(Intercept)"}
    named["course"] = "(Intercept)"
    for name, value in fit.fe_params.items():
        values[named.get(name, name)] = value
        values[f"se:{named.get(name, name)}"] = fit.bse_fe[name]
    group = "therapist" if given_therapist else "course"
    covariance = fit.cov_re
    labels = [named.get(name, name) for name in covariance.index]
    for i, first in enumerate(labels):
        for j, second in enumerate(labels[i:], start=i):
            values[f"cov:{group}:{first}:{second}"] = covariance.iloc[i, j]
    if given_therapist:
        values["cov:course:(Intercept):(Intercept)"] = float(fit.vcomp[0])
    return values | {"residual": fit.scale, "loglik": fit.llf}


def possible(formula):
    """Whether MixedLM has the model: no `||`, and no slopes of courses below therapists."""
    _, effects, given_therapist = parts(formula)
    return "||" not in formula and effects and not (given_therapist and effects.strip() != "1")


def main(folder):
    rows = []
    for kind in ("nested", "linear"):
        table = pd.read_csv(folder / f"{kind}_results.csv")
        fits = table[table["method"].eq("lmer") & table["name"].eq("loglik")]
        for case, formula, reml in fits[["case", "formula", "reml"]].itertuples(index=False):
            if not possible(formula):
                continue
            data = pd.read_csv(folder / f"{kind}_{case}.csv")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit, failures = fitted(formula, data, reml)
                values = tidy(fit, failures, parts(formula)[2])
            rows += [
                (f"{kind}_{case}", formula, "statsmodels", reml, name, f"{value:.12g}")
                for name, value in values.items()
            ]
    columns = ["case", "formula", "method", "reml", "name", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "statsmodels_results.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
