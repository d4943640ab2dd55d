"""Time logistic mixed models next to glmer of lme4.

    python benchmarks/logistic.py [--courses 2000 20000] [--no-r]

Each course has a binary outcome, three covariates and one of many therapists. Prints a Markdown
table: seconds of one fit with the data loaded (the median of five; glmer, with its defaults, runs
once), the ratio, and the largest difference of estimates in standard errors. Without Rscript and
lme4, or with --no-r, only the first column.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from threadpoolctl import threadpool_limits

from rupture_repair.statistics import design
from rupture_repair.statistics.logistic import regression

FORMULA = "recovered ~ severity + n_repaired + alliance + (1 | therapist)"

GLMER = """
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
took <- system.time(fit <- glmer(as.formula(arguments[2]), data, family = binomial,
                                 nAGQ = as.integer(arguments[3])))
cat(toJSON(list(seconds = unname(took["elapsed"]), estimate = unname(fixef(fit))), digits = 12))
"""


def made_up(courses: int) -> pd.DataFrame:
    """Return courses of therapists with about 25 each."""
    random = np.random.default_rng(1)
    therapist = random.integers(0, courses // 25, courses)
    table = pd.DataFrame(
        {"therapist": therapist, "severity": random.normal(22, 6, courses).round(1),
         "n_repaired": random.poisson(0.8, courses),
         "alliance": random.normal(5.2, 0.7, courses).round(2)}
    )  # fmt: skip
    eta = 0.3 - 0.05 * table["severity"] + 0.3 * table["n_repaired"] + 0.2 * table["alliance"]
    eta += random.normal(0, 0.8, courses)[therapist]
    return table.assign(recovered=(random.random(courses) < expit(eta)).astype(int))


def by_glmer(table: pd.DataFrame, points: int) -> tuple[float, np.ndarray]:
    """Return the seconds and estimates of glmer."""
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder, "data.csv"), Path(folder, "fit.R")
        table.to_csv(data, index=False)
        script.write_text(GLMER)
        command = ["Rscript", str(script), str(data), FORMULA, str(points)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return found["seconds"][0], np.array(found["estimate"])


def has_glmer() -> bool:
    """Say whether Rscript and what the script needs are there."""
    if not shutil.which("Rscript"):
        return False
    command = ["Rscript", "-e", "library(lme4); library(jsonlite)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--no-r", action="store_true")
    options = parser.parse_args()
    with_r = not options.no_r and has_glmer()
    print("| courses | quadrature points | seconds | glmer | ratio | difference, SE |")
    print("|---|---|---|---|---|---|")
    for courses in options.courses:
        table = made_up(courses)
        made = design.build(FORMULA, table)
        for points in (1, 7):
            times = []
            for _ in range(5):
                begin = time.perf_counter()
                with threadpool_limits(1, "blas"):
                    found = regression.solve(made, points)
                times.append(time.perf_counter() - begin)
            took, row = statistics.median(times), "- | - | -"
            if with_r:
                theirs, estimate = by_glmer(table, points)
                error = np.sqrt(np.diag(found.covariance))
                apart = (np.abs(found.estimate - estimate) / error).max()
                row = f"{theirs:.2f} | {theirs / took:.0f} | {apart:.0e}"
            print(f"| {courses} | {points} | {took:.3f} | {row} |", flush=True)


if __name__ == "__main__":
    main()
