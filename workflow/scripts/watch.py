"""Say what watching the courses of a dataset would have shown."""

import pandas as pd

from rupture_repair.chance.watch import watch
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures

dataset, given = snakemake.wildcards.dataset, snakemake.input
with step_log.step("watch", dataset, snakemake.log[0], snakemake.output, given):
    table = watch(
        pd.read_parquet(given.sessions),
        read_measures(given.measures),
        rupture_probability.read(given.models),
        dataset=dataset,
        seed=snakemake.params.seed,
    )
    processed.write(table, snakemake.output.live)
    print(f"{dataset}: {(table['status'] == 'assessed').sum()} of {len(table)} rules can watch")
