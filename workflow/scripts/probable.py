"""Write what the hidden Markov models say of each session."""

import pandas as pd

from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.exposure.probable import probable
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures

dataset, given = snakemake.wildcards.dataset, snakemake.input
with step_log.step("probable", dataset, snakemake.log[0], snakemake.output, given):
    table = probable(
        pd.read_parquet(given.sessions),
        read_measures(given.measures),
        rupture_probability.read(given.models),
        dataset=dataset,
    )
    processed.write_parquet(table, snakemake.output.probabilities)
    print(f"{dataset}: {len(table)} rows of probabilities")
