"""Compare the criteria of one dataset, pair by pair."""

import pandas as pd

from rupture_repair import journal, outputs
from rupture_repair.agreement import agreement

given, dataset = snakemake.input, snakemake.wildcards.dataset
with journal.step("agreement", dataset, snakemake.log[0]):
    columns = ["dataset", "measure", "criterion", "course", "session", "state"]
    states = pd.read_parquet(given.states, columns=columns)
    table = agreement(states, pd.read_parquet(given.episodes))
    outputs.write(table, *snakemake.output)
    print(f"{dataset}: {len(table)} pairs of criteria, {table['kappa'].notna().sum()} with kappa")
