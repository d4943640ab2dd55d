"""Set what was found in a synthetic dataset against what was planted."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import compare_with_truth
from rupture_repair.project import processed, step_log

name, given = snakemake.wildcards.dataset, snakemake.input
with step_log.step("compare_with_truth", name, snakemake.log[0], snakemake.output, given):
    tables = {
        table: pd.read_parquet(given[table]) for table in ("detection", "episodes", "estimates")
    }
    found = compare_with_truth.compare_with_truth(
        compare_with_truth.Truth.read(given.truth),
        synthetic=json.loads(Path(given.about).read_text(encoding="utf-8"))["synthetic"],
        courses=pd.read_parquet(given.courses)["course"].astype(str).tolist(),
        **tables,
    )
    for table, file in zip(found, snakemake.output[:2], strict=True):
        processed.write(table, file)
    planted = int(found[0]["n_planted"].max()) if found[0]["n_planted"].notna().any() else 0
    print(f"{name}: {planted} planted ruptures, {len(found[1])} estimates of planted effects")
