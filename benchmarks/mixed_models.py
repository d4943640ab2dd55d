"""Time the engine for mixed models beside lme4, nlme and statsmodels, in the same run.

    python benchmarks/mixed_models.py [--courses 2000] [--repeats 5] [--only-ours]

Prints a Markdown table: seconds of one fit, data loaded (the median of several, each program in
turn), and how many times as long the others take. Ours includes reading the formula and making the
matrices. lme4, nlme and lmerTest run through Rscript, where R is there.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rupture_repair import design, lmm

CASES = {
    "random intercept": ("y ~ time + x + z + (1 | course)", None),
    "random slope": ("y ~ time + x + z + (1 + time | course)", None),
    "slope + therapist": ("y ~ time + x + z + (1 + time | course) + (1 | therapist)", None),
    "intercept, AR(1)": ("y ~ time + x + z + (1 | course)", "time"),
}

LME4 = """
suppressPackageStartupMessages({library(lme4); library(nlme)})
data <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
formula <- as.formula(commandArgs(TRUE)[2]); ar1 <- commandArgs(TRUE)[3] != "none"
for (i in seq_len(as.integer(commandArgs(TRUE)[4]))) {
  took <- system.time(
    if (ar1) lme(y ~ time + x + z, data, random = ~ 1 | course,
                 correlation = corAR1(form = ~ time | course))
    else suppressWarnings(lmer(formula, data)))
  cat(took[["elapsed"]], "\\n")
}
"""


def made_up(courses: int) -> pd.DataFrame:
    """Return sessions of courses of 4 to 24 sessions, 8 % of them skipped."""
    random = np.random.default_rng(1)
    number = random.integers(4, 25, courses)
    course = np.repeat(np.arange(courses), number)
    time_ = np.arange(len(course)) - np.repeat(np.cumsum(number) - number, number)
    kept = (random.random(len(course)) > 0.08) | (time_ == 0)
    course, time_ = course[kept], time_[kept].astype(float)
    therapist = random.integers(0, max(courses // 50, 5), courses)
    effects = random.normal(0, [4, 0.3], (courses, 2))
    x, z = random.binomial(1, 0.25, len(course)), random.normal(size=courses)[course]
    level = random.normal(0, 2, therapist.max() + 1)[therapist]
    y = 20 + 0.4 * time_ + 1.5 * x + z + level[course]
    y = y + effects[course, 0] + effects[course, 1] * time_ + random.normal(0, 3, len(course))
    ids = {"course": np.char.add("c", course.astype(str)),
           "therapist": np.char.add("t", therapist[course].astype(str))}  # fmt: skip
    return pd.DataFrame({**ids, "time": time_, "x": x.astype(float), "z": z, "y": y})


def median(function, repeats: int) -> float:
    """Return the median seconds of several calls after one that does not count."""
    function()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def by_r(file: Path, formula: str, ar1: str | None, repeats: int) -> float:
    """Return the median seconds of lme4's (with autocorrelation nlme's) fit."""
    if shutil.which("Rscript") is None:
        return np.nan
    command = ["Rscript", "-e", LME4, str(file), formula, ar1 or "none", str(repeats)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return statistics.median(map(float, printed.split()))


def by_statsmodels(table: pd.DataFrame, formula: str, repeats: int) -> float:
    """Return the median seconds of MixedLM's fit, NaN where it cannot be written."""
    import statsmodels.formula.api as smf

    if "therapist" in formula:
        return np.nan
    slope = "1 + time |" in formula
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fixed, groups = "y ~ time + x + z", table["course"]
        random = "~time" if slope else None
        return median(lambda: smf.mixedlm(fixed, table, groups=groups, re_formula=random).fit(),
                      repeats)  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--cases", nargs="*", default=list(CASES))
    given = parser.parse_args()
    table = made_up(given.courses)
    print(f"{given.courses} courses, {len(table)} sessions\n")
    print("| case | ours | of it df | lme4 / nlme | x | statsmodels | x |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1, "blas"):
        file = Path(folder) / "data.csv"
        table.to_csv(file, index=False)
        for case in given.cases:
            formula, ar1 = CASES[case]
            ours = median(lambda f=formula, a=ar1: lmm.solve(design.build(f, table, ar1=a)),
                          given.repeats)  # fmt: skip
            made = lmm.fit(formula, table, ar1=ar1)
            curve = median(
                lambda one=made: lmm.search.curve(
                    one.standard.likelihood, one.optimum.point, one.optimum.value
                ),
                given.repeats,
            )
            r = np.nan if given.only_ours else by_r(file, formula, ar1, min(given.repeats, 3))
            other = np.nan
            if not given.only_ours and ar1 is None:
                other = by_statsmodels(table, formula, 1)
            print(f"| {case} | {ours:.3f} | {curve / ours:.0%} | {r:.2f} | {r / ours:.0f} | "
                  f"{other:.2f} | {other / ours:.0f} |")  # fmt: skip
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GB")


if __name__ == "__main__":
    main()
