"""Compare the criteria of one dataset, pair by pair."""

import pandas as pd

from rupture_repair import journal
from rupture_repair.agreement import agreement

given, dataset = snakemake.input, snakemake.wildcards.dataset
with journal.step("agreement", dataset, snakemake.log[0]):
    columns = ["dataset", "measure", "criterion", "course", "session", "state"]
    states = pd.read_parquet(given.states, columns=columns)
    table = agreement(states, pd.read_parquet(given.episodes))
    parquet, csv = snakemake.output
    table.to_parquet(parquet, index=False)
    table.to_csv(csv, index=False, lineterminator="\n")
    print(f"{dataset}: {len(table)} pairs of criteria, {table['kappa'].notna().sum()} with kappa")
