"""Hold the episodes of one dataset against chance, and plant falls of known depth."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import chance, criteria, journal, outputs, probability

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with journal.step("chance", dataset, snakemake.log[0]):
    tables = chance.assess_each(
        pd.read_parquet(given.sessions),
        json.loads(Path(given.measures).read_text(encoding="utf-8")),
        criteria.from_dicts(params.criteria),
        pd.read_parquet(given.calibrated),
        params.edge_rules,
        params.chance,
        dataset=dataset,
        seed=params.seed,
        models=probability.read(given.models),
        processes=snakemake.threads,
    )
    *compared, replicates = tables
    replicates.to_parquet(snakemake.output.replicates, index=False)
    for name, table in zip(("chance", "sensitivity", "chance_courses"), compared, strict=True):
        outputs.write(table, *snakemake.output[name])
    print(f"{dataset}: {len(tables[0])} comparisons with chance")
