"""Compare the criteria of one dataset, pair by pair."""

import pandas as pd

from rupture_repair.detection.agreement import agreement
from rupture_repair.project import processed, step_log

given, dataset = snakemake.input, snakemake.wildcards.dataset
with step_log.step("agreement", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    columns = ["dataset", "measure", "criterion", "course", "session", "state"]
    states = pd.read_parquet(given.states, columns=columns)
    table = agreement(states, pd.read_parquet(given.episodes))
    processed.write(table, snakemake.output.agreement)
    print(f"{dataset}: {len(table)} pairs of criteria, {table['kappa'].notna().sum()} with kappa")
