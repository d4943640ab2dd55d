"""Time the whole report on as many courses as a clinic, a network or a nation has in a year.

    python benchmarks/national.py [--courses 10000 100000 1200000] [--folder DIR] [--cores 2]

For each number of courses it simulates a dataset (about seven sessions a course, one rating of the
alliance and one of the outcome a session, one therapist for sixty courses), builds its report with
``rupture-repair report``, and prints for each step seconds of the processor, peak memory and bytes
written. Between the numbers of courses it prints how the cost grows: the exponent is 1 where twice
as many courses take twice as long.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]

DESCRIPTOR = """\
title: Simulated ratings of a national service
source: benchmarks/national.py
licence: CC0-1.0
citation: none
synthetic: true
ids: public
tables:
  sessions: {file: sessions.csv, course: course, therapist: therapist, session: session}
  courses: {file: courses.csv, course: course, ending: ending}
measures:
  alliance: {role: alliance, instrument: SRS, rater: client, timing: end, total: alliance}
  outcome: {role: outcome, instrument: ORS, rater: client, timing: start, total: outcome}
missing: ["", NA]
"""

#: Courses that are simulated at a time.
BLOCK = 50_000

#: Seconds between two looks at what the steps take.
LOOK = 0.3


def write_dataset(folder: Path, courses: int) -> int:
    """Write the dataset; return its number of sessions."""
    from rupture_repair.simulation.settings import SimulationSettings
    from rupture_repair.simulation.study import simulate_study

    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(DESCRIPTOR, encoding="utf-8")
    usual = SimulationSettings(median_sessions=7, max_sessions=24)
    sessions = 0
    for number, begin in enumerate(range(0, courses, BLOCK)):
        here = min(BLOCK, courses - begin)
        settings = replace(usual, n_courses=here, n_therapists=max(1, here // 60))
        study = simulate_study(settings, seed=number)
        for name, table in (("sessions", study.sessions), ("courses", study.courses)):
            # Each block counts its courses and therapists anew.
            for column in ("course", "therapist"):
                table[column] = f"{number:02d}" + table[column].astype(str)
            table.drop(columns="client").to_csv(
                folder / f"{name}.csv", mode="a", header=begin == 0, index=False
            )
        sessions += len(study.sessions)
    return sessions


@dataclass
class Cost:
    """What a step took: seconds of the processor and of the clock, peak memory, bytes written."""

    processor: float = 0.0
    clock: float = 0.0
    memory: int = 0
    written: int = 0


def step_of(process: psutil.Process) -> str:
    """Return which step of the workflow a process performs; the run itself where none."""
    scripts = [part for part in process.cmdline() if "/scripts/tmp" in part]
    return scripts[0].rsplit(".", 2)[-2] if scripts else "(Snakemake)"


def watched(command: list[str], folder: Path) -> tuple[dict[str, Cost], float]:
    """Run a command; return what each of its steps took, and seconds of the clock in all."""
    begin = time.monotonic()
    costs: dict[str, Cost] = {}
    used: dict[int, tuple[str, float, int]] = {}
    with (folder / "report.log").open("w") as log:
        run = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        whole = psutil.Process(run.pid)
        while run.poll() is None:
            memory: dict[str, int] = {}
            for process in [whole, *whole.children(recursive=True)]:
                try:
                    with process.oneshot():
                        step, times = step_of(process), process.cpu_times()
                        memory[step] = memory.get(step, 0) + process.memory_info().rss
                        now = times.user + times.system, process.io_counters().write_bytes
                        used[process.pid] = (step, *now)
                except (psutil.NoSuchProcess, psutil.ZombieProcess):
                    continue
            for step, taken in memory.items():
                cost = costs.setdefault(step, Cost())
                cost.memory, cost.clock = max(cost.memory, taken), cost.clock + LOOK
            time.sleep(LOOK)
    for step, processor, written in used.values():
        costs[step].processor += processor
        costs[step].written += written
    if run.returncode:
        raise SystemExit(f"the run failed: see {folder / 'report.log'}")
    return costs, time.monotonic() - begin


def measured(folder: Path, courses: int, cores: int) -> dict[str, Cost]:
    """Build the report of one dataset; print and return what its steps took."""
    sessions = write_dataset(folder / "data/raw/national", courses)
    for name in ("Snakefile", "workflow", "requirements.lock"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "config.yaml").write_text("datasets: [national]\n", encoding="utf-8")
    command = [sys.executable, "-m", "rupture_repair.cli", "report", "--cores", str(cores)]
    costs, clock = watched(command, folder)
    print(
        f"\n{courses:,} courses, {sessions:,} sessions: {clock / 60:.1f} minutes on {cores} cores"
    )
    print(f"{'step':24}{'processor s':>12}{'clock s':>9}{'peak MB':>9}{'written MB':>12}")
    for step, cost in sorted(costs.items(), key=lambda item: -item[1].processor):
        print(
            f"{step:24}{cost.processor:12.1f}{cost.clock:9.1f}{cost.memory / 1e6:9.0f}"
            f"{cost.written / 1e6:12.1f}"
        )
    print(
        f"{'all':24}{sum(cost.processor for cost in costs.values()):12.1f}{clock:9.1f}", flush=True
    )
    return costs


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, nargs="+", default=[10_000, 100_000, 1_200_000])
    parser.add_argument("--folder", type=Path, help="is kept; a temporary one if not given")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    place = arguments.folder or Path(tempfile.mkdtemp())
    known: list[tuple[int, float]] = []
    try:
        for courses in arguments.courses:
            costs = measured(place / str(courses), courses, arguments.cores)
            known.append((courses, sum(cost.processor for cost in costs.values())))
    finally:
        if arguments.folder is None:
            shutil.rmtree(place, ignore_errors=True)
    for (few, less), (many, more) in itertools.pairwise(known):
        exponent = np.log(more / less) / np.log(many / few)
        print(f"from {few:,} to {many:,} courses the cost grows with exponent {exponent:.2f}")


if __name__ == "__main__":
    main()
