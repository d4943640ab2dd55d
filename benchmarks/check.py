"""Time the check of one million rows, clean and with faults.

    python benchmarks/check.py [--rows 1000000]

Writes session ratings (four items, a total, an outcome, five columns that are not used), checks
them, spoils one row in a hundred in eight ways, checks again, and prints seconds and peak memory.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from rupture_repair.ingest import check, check_text

DESCRIPTOR = """\
title: Made-up ratings for a benchmark
source: benchmarks/check.py
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
"""


def ratings(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(1)
    count = rows // 15
    length = np.full(count, 15)
    length[: rows - 15 * count] += 1
    course = np.repeat(np.arange(count), length)
    level = np.repeat(random.normal(8.0, 1.0, count), length)
    table = pd.DataFrame({"course": course, "therapist": course // 20})
    table["session"] = table.groupby("course").cumcount() + 1
    for item in range(1, 5):
        table[f"srs{item}"] = np.clip(level + random.normal(0, 0.8, rows), 0, 10).round(1)
    table["srs"] = table[[f"srs{item}" for item in range(1, 5)]].sum(axis=1).round(1)
    table["ors"] = np.clip(random.normal(22, 7, rows), 0, 40).round(1)
    for extra in range(5):
        table[f"extra{extra}"] = random.normal(0, 1, rows).round(3)
    return table


def spoilt(table: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(2)
    table = table.astype(str)
    at = random.choice(len(table), len(table) // 100, replace=False)
    kinds = np.array_split(at, 8)
    columns = ("srs1", "srs2", "srs3", "srs", "ors", "session", "course", "srs4")
    cells = ("11", "#VALUE!", "high", "12.34", "?", "2.5", "", "8,5")
    for rows, column, cell in zip(kinds, columns, cells, strict=True):
        table.loc[rows, column] = cell
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dataset.yaml").write_text(DESCRIPTOR, encoding="utf-8")
        table = ratings(rows)
        for what, made in (("clean", table), ("with faults", spoilt(table))):
            made.to_csv(folder / "sessions.csv", index=False)
            size = (folder / "sessions.csv").stat().st_size / 1e6
            start = time.perf_counter()
            found = check.check("benchmark", folder)
            seconds = time.perf_counter() - start
            cells = sum(group.cells for group in check_text.grouped(found))
            print(f"{what}: {rows:,} rows, {size:.0f} MB, {seconds:.1f} s, {cells:,} faults")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
