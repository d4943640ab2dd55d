"""Time the project's own mixed models next to lme4, nlme and statsmodels, in the same run.

    python benchmarks/mixed_models.py [--courses 2000] [--rounds 5] [--large 100000]

Simulated sessions in courses in therapists, some sessions missing. Every round times each program
once (statsmodels, which takes long, in the first round only) on the same data, one after the other,
so that other work on the machine hits them alike; the ratio is taken within a round and its median
is reported. Seconds are those of the processor, where not said otherwise. Prints Markdown tables.
Ours is timed from the table to the estimates with Satterthwaite's degrees of freedom, on one core;
lme4 likewise from the data frame, without degrees of freedom unless lmerTest is named. statsmodels
cannot correlate intercept and slope below a therapist: there it fits the smaller model without the
correlation. R and its packages are needed (see tests/reference/README.md).
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from threadpoolctl import threadpool_limits

from rupture_repair import lmm
from rupture_repair.statistics import design
from rupture_repair.statistics.blocks import engine, search

SCRIPT = Path(__file__).with_suffix(".R")
FIXED = "y ~ session + x"
CASES = {
    "random intercept": (f"{FIXED} + (1 | course)", None),
    "random slope": (f"{FIXED} + (1 + session | course)", None),
    "slope + therapist": (f"{FIXED} + (1 + session | course) + (1 | therapist)", None),
    "AR(1), random intercept": (f"{FIXED} + (1 | course)", "session"),
}
#: R programs of each case; the goals are about the first.
PROGRAMS = {
    "random intercept": ("lme4", "lmerTest"),
    "random slope": ("lme4", "lmerTest"),
    "slope + therapist": ("lme4", "lmerTest"),
    "AR(1), random intercept": ("nlme",),
}


def made_up(courses: int, seed: int = 1) -> pd.DataFrame:
    """Return sessions in courses in therapists; residuals are autocorrelated (rho 0.2)."""
    random = np.random.default_rng(seed)
    length = random.integers(4, 29, courses)
    course = np.repeat(np.arange(courses), length)
    session = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length) + 1
    therapists = max(courses // 20, 2)
    therapist = random.integers(0, therapists, courses)[course]
    noise = random.standard_normal(len(course))
    later = np.flatnonzero(session > 1)
    noise[later] = 0.2 * noise[later - 1] + np.sqrt(1 - 0.2**2) * noise[later]
    x = (random.random(len(course)) < 0.25).astype(int)
    y = 20 + 0.4 * session + 1.5 * x + random.normal(0, 4, courses)[course]
    y = y + random.normal(0, 0.3, courses)[course] * session
    y = y + random.normal(0, 1.5, therapists)[therapist] + 3 * noise
    columns = {"course": course, "therapist": therapist, "session": session, "x": x}
    table = pd.DataFrame(columns | {"y": y.round(2)})
    return table[(random.random(len(course)) < 0.9) | (session == 1)].reset_index(drop=True)


def timed(work, repeats: int = 1) -> tuple[float, float]:
    """Return the median seconds of the clock and of the processor."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def ours(case: str, table: pd.DataFrame, repeats: int) -> dict[str, tuple[float, float]]:
    formula, ar1 = CASES[case]
    matrices = design.build(formula, table, ar1=ar1)
    return {
        "ours": timed(lambda: lmm.solve(design.build(formula, table, ar1=ar1)), repeats),
        "solve": timed(lambda: lmm.solve(matrices), repeats),
        "lmm.fit": timed(lambda: lmm.fit(formula, table, ar1=ar1).terms, repeats),
    }


def in_r(program: str, case: str, file: Path) -> tuple[float, float, float]:
    """Return seconds (clock, processor) and peak memory (GB) of a fit in R, and check it."""
    command = ["Rscript", str(SCRIPT), program, CASES[case][0], str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(answer[0]), float(answer[1]), float(answer[2])


def with_statsmodels(case: str, table: pd.DataFrame) -> tuple[float, float]:
    groups, more = "course", {}
    if case == "random slope":
        more = {"re_formula": "~session"}
    if case == "slope + therapist":
        parts = {"course": "0 + C(course)", "slope": "0 + C(course):session"}
        groups, more = "therapist", {"re_formula": "1", "vc_formula": parts}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timed(lambda: smf.mixedlm(FIXED, table, groups=groups, **more).fit())


def compare(table: pd.DataFrame, folder: Path, rounds: int) -> None:
    """Print the times of every program at the usual size."""
    file = folder / "data.csv"
    table.to_csv(file, index=False)
    print(f"\n{table['course'].nunique():,} courses, {len(table):,} sessions, {rounds} rounds\n")
    print("| model | program | s | ours, s | ratio | ratio, clock | without formula |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        rows: dict[str, list] = {}
        for number in range(rounds):
            here = ours(case, table, 7)
            others = {program: in_r(program, case, file)[:2] for program in PROGRAMS[case]}
            if CASES[case][1] is None and number == 0:  # takes many times as long
                others["statsmodels"] = with_statsmodels(case, table)
            for program, (clock, processor) in others.items():
                rows.setdefault(program, []).append(
                    (processor, here["ours"][1], processor / here["ours"][1],
                     clock / here["ours"][0], processor / here["solve"][1])
                )  # fmt: skip
        for program, values in rows.items():
            one, own, ratio, clock, bare = np.median(values, axis=0)
            print(
                f"| {case} | {program} | {one:.2f} | {own:.3f} | {ratio:.0f} | {clock:.0f} | "
                f"{bare:.0f} |",
                flush=True,
            )


def degrees_of_freedom(table: pd.DataFrame) -> None:
    """Print how much longer a fit takes for its degrees of freedom."""
    print("\n| model | fit and df, over fit without df (processor) |\n|---|---|")
    for case, (formula, ar1) in CASES.items():
        matrices = design.build(formula, table, ar1=ar1)
        standard = engine.standardise(matrices)
        optimum = search.find(standard.likelihood)
        own = np.eye(len(matrices.terms))

        def last_steps(standard=standard, optimum=optimum, own=own):
            search.curve(standard.likelihood, optimum.point, optimum.value)
            engine.degrees_of_freedom(standard, optimum, own)

        whole = timed(lambda d=matrices: lmm.solve(d), 15)[1]
        print(f"| {case} | {whole / (whole - timed(last_steps, 15)[1]):.2f} |", flush=True)


def scaling(courses: list[int]) -> None:
    """Print the time by size, and per course."""
    case = "slope + therapist"
    print(f"\n{case}\n\n| courses | sessions | s | microseconds per course |\n|---|---|---|---|")
    for number in courses:
        table = made_up(number)
        seconds = ours(case, table, 7 if number < 20_000 else 3)["ours"][1]
        print(f"| {number:,} | {len(table):,} | {seconds:.3f} | {1e6 * seconds / number:.1f} |")


def alone(file: str) -> None:
    """Time one large fit in a process of its own; print clock, processor, and peak memory in GB."""
    table = pd.read_csv(file)
    formula, _ = CASES["slope + therapist"]
    clock, processor = timed(lambda: lmm.solve(design.build(formula, table)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(clock, processor, peak)


def large(courses: int, folder: Path, rounds: int) -> None:
    """Print time and memory of ours and lme4 on many courses."""
    table = made_up(courses)
    file = folder / "large.csv"
    table.to_csv(file, index=False)
    print(f"\nslope + therapist, {courses:,} courses, {len(table):,} sessions\n")
    print("| | s | s, processor | peak memory, GB |\n|---|---|---|---|")
    own, lme4 = [], []
    for _ in range(rounds):
        for _ in range(3):
            command = [sys.executable, __file__, "--alone", str(file)]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            own.append([float(part) for part in answer.split()])
        lme4.append(in_r("lme4", "slope + therapist", file))
    mine, theirs = np.median(own, axis=0), np.median(lme4, axis=0)
    for name, values in (("ours", mine), ("lme4", theirs), ("ratio", theirs / mine)):
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--courses", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=100_000, help="0: without")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        if given.alone:
            alone(given.alone)
            return
        table = made_up(given.courses)
        compare(table, Path(name), given.rounds)
        degrees_of_freedom(table)
        scaling([2_000, 10_000, 50_000, *([given.large] if given.large else [])])
        if given.large:
            large(given.large, Path(name), max(given.rounds // 3, 1))


if __name__ == "__main__":
    main()
