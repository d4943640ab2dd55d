"""Time check, ingest and detect on many courses, each step as a process of its own.

    python benchmarks/pipeline.py [--courses 200000] [--folder DIR]

Writes a dataset of made-up ratings (3 to 27 sessions a course, about 15 on average), runs the
three steps on it as the workflow does, and prints seconds and peak memory of each.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DESCRIPTOR = """\
title: Made-up ratings for a benchmark
source: benchmarks/pipeline.py
licence: CC0-1.0
citation: none
synthetic: true
tables:
  sessions: {file: sessions.csv, course: course, therapist: therapist, session: session}
measures:
  alliance:
    instrument: SRS
    rater: client
    timing: end
    items: {bond: srs1, goals: srs2, tasks: srs3, overall: srs4}
    total: srs
  outcome: {instrument: ORS, rater: client, timing: start, total: ors}
missing: ["", NA]
"""


def write_dataset(folder: Path, courses: int) -> int:
    """Write the dataset; return its number of sessions."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    length = random.integers(3, 28, courses)
    course = np.repeat(np.arange(courses), length)
    number = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length) + 1
    level = np.repeat(random.normal(8.7, 0.8, courses), length)
    items = {
        f"srs{item}": np.clip(level + random.normal(0, 0.7, len(course)), 0, 10).round(1)
        for item in range(1, 5)
    }
    table = pd.DataFrame({"course": course, "therapist": course // 10, "session": number} | items)
    table["srs"] = table[list(items)].sum(axis=1).round(1)
    table["ors"] = np.clip(random.normal(22, 7, len(table)), 0, 40).round(1)
    table.to_csv(folder / "sessions.csv", index=False)
    (folder / "dataset.yaml").write_text(DESCRIPTOR, encoding="utf-8")
    return len(table)


def check(folder: Path) -> None:
    """List the problems of the dataset."""
    from rupture_repair.ingest import check

    print(len(check.check("benchmark", folder, None)), "problems", file=sys.stderr)


def bring_in(folder: Path) -> None:
    """Bring the dataset into canonical form."""
    from rupture_repair.ingest import ingest

    ingest.write(ingest.ingest("benchmark", folder, None), folder)


def detect(folder: Path) -> None:
    """Apply eight criteria, with fixed thresholds."""
    import pandas as pd

    from rupture_repair import settings
    from rupture_repair.detection import criteria, detect
    from rupture_repair.project.measures import read_measures

    found = detect.detect(
        pd.read_parquet(folder / "sessions.parquet"),
        read_measures(folder / "measures.json"),
        criteria.load(CRITERIA, {"dip": {"k": 2}, "tooth": {"k": 2}}),
        settings.read().edge_rules,
        dataset="benchmark",
    )
    print(detect.write(found, folder)["n_episodes"].sum(), "episodes", file=sys.stderr)


#: Calibration and the rules of a library or a model have benchmarks of their own.
CRITERIA = ["dip", "tooth", "own_mean_2sd", "shewhart_3", "reliable_drop", "srs_cutoff", "v_2sd",
            "v_1sd"]  # fmt: skip

STEPS = {"check": check, "ingest": bring_in, "detect": detect}


def main() -> None:
    """Run the benchmark, or one of its steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        begin = time.perf_counter()
        STEPS[arguments.step](arguments.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"{time.perf_counter() - begin:.1f} {peak:.2f}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        sessions = write_dataset(folder, arguments.courses)
        print(f"{arguments.courses} courses, {sessions} sessions")
        print("step      seconds  peak GB")
        total = 0.0
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            seconds, peak = map(float, said.split())
            total += seconds
            print(f"{step:8s} {seconds:8.1f} {peak:8.2f}")
        print(f"{'all':8s} {total:8.1f}")


if __name__ == "__main__":
    main()
