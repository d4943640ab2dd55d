"""Fit a thousand small random datasets with ours, lme4 and statsmodels, and count what each misses.

    python benchmarks/random_fits.py [--number 1000] [--lme4 FOLDER]

The datasets are those of tests/reference/random_cases.py. The best log-likelihood of each is the
highest that any program found: lme4 as it comes, lme4 polished (several optimisers from several
starts, tests/reference/polished.R), statsmodels, and L-BFGS-B from many starts on our deviance.
Prints a Markdown table of fits that end more than 1e-6 or 0.01 below it, and of what was said.
R takes about a second per dataset; --lme4 names folders in which an earlier run left its answer.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from threadpoolctl import threadpool_limits

from rupture_repair import lmm
from rupture_repair.statistics.no_result import NoOptimum

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "recovery")]
from test_random_fits import restarted, steepest  # noqa: E402

from random_cases import fits, random_case  # noqa: E402


def with_lme4(cases: dict, folder: Path) -> pd.DataFrame:
    """Return log-likelihoods by lme4, by seed."""
    if not (folder / "lme4.csv").exists():
        tables = [table.assign(seed=seed) for seed, (_, _, table) in cases.items()]
        pd.concat(tables).to_csv(folder / "data.csv", index=False)
        models = [(seed, formula, reml) for seed, (formula, reml, _) in cases.items()]
        columns = ["seed", "formula", "reml"]
        pd.DataFrame(models, columns=columns).to_csv(folder / "models.csv", index=False)
        script = TESTS / "reference/random_fits.R"
        subprocess.run(["Rscript", str(script), str(folder)], check=True)
    return pd.read_csv(folder / "lme4.csv").set_index("seed")


def with_statsmodels(formula: str, reml: bool, table: pd.DataFrame) -> tuple[float, bool]:
    """Return the log-likelihood, and whether the fit says that it converged."""
    groups, more = "course", {}
    if "therapist" in formula:
        # A slope cannot be correlated with the intercept here: only the intercept is fitted.
        groups, more = "therapist", {"re_formula": "1", "vc_formula": {"course": "0 + C(course)"}}
    elif "1 + time" in formula:
        more = {"re_formula": "~time"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = smf.mixedlm("y ~ time + x", table, groups=groups, **more).fit(reml=reml)
        except (np.linalg.LinAlgError, ValueError):
            return np.nan, False
    return fit.llf, bool(fit.converged)


def one(formula: str, reml: bool, table: pd.DataFrame, seed: int) -> dict:
    """Return what ours, restarts and statsmodels find."""
    try:
        fit = lmm.fit(formula, table, reml=reml)
    except NoOptimum:
        return {"ours": np.nan, "said": False}
    value, standard = fit.optimum.value, fit.standard
    row = {
        "ours": fit.solution.loglik, "said": True, "ours_singular": fit.singular,
        "gradient": np.abs(value.gradient).max(), "fall": steepest(fit),
        "restarts": standard.loglik(restarted(standard.likelihood, seed)),
    }  # fmt: skip
    if not ("1 + time" in formula and "therapist" in formula):
        row["statsmodels"], row["statsmodels_said"] = with_statsmodels(formula, reml, table)
    return row


def report(table: pd.DataFrame) -> None:
    """Print the counts."""
    names = ["ours", "restarts", "default", "polished", "statsmodels"]
    best = table[names].max(axis=1)
    print("| program | fits | errors | 1e-6 below | 0.01 below | without a warning | worst |")
    print("|---|---|---|---|---|---|---|")
    silent = {"default": ~table["warned"].astype(bool), "ours": table["said"],
              "statsmodels": table["statsmodels_said"].fillna(False).astype(bool)}  # fmt: skip
    for name in names:
        tried = table["statsmodels_said"].notna() if name == "statsmodels" else table["said"] >= 0
        gap = (best - table[name])[tried]
        missed = gap > 0.01
        quiet = (missed & silent[name][tried]).sum() if name in silent else ""
        print(f"| {name} | {tried.sum()} | {gap.isna().sum()} | {(gap > 1e-6).sum()} | "
              f"{missed.sum()} | {quiet} | {gap.max():.2g} |")  # fmt: skip
    same = (table["ours_singular"].astype(bool) == table["singular"].astype(bool)).sum()
    print(
        f"\nours: {table['ours_singular'].sum()} singular; polished lme4 agrees on {same} of "
        f"{len(table)}; largest derivative at the end {table['gradient'].max():.1g}, largest fall "
        f"into the inside {table['fall'].max():.1g}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--lme4", type=Path, nargs="*")
    given = parser.parse_args()
    cases: dict = {}
    for seed in range(10 * given.number):
        case = random_case(seed)
        if fits(*case[::2]) and len(cases) < given.number:
            cases[seed] = case
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        found = pd.DataFrame.from_dict(
            {seed: one(*case, seed) for seed, case in cases.items()}, orient="index"
        )
        folders = given.lme4 or [Path(name)]
        lme4 = pd.concat([with_lme4(cases, folder) for folder in folders])
    report(found.join(lme4, how="inner"))


if __name__ == "__main__":
    main()
