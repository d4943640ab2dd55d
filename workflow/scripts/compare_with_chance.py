"""Hold the episodes of one dataset against chance, and plant falls of known depth."""

import pandas as pd

from rupture_repair.chance import compare_with_chance
from rupture_repair.detection import criteria
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import ChanceSettings, EdgeRules

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step(
    "compare_with_chance", dataset, snakemake.log[0], snakemake.output, snakemake.input
):
    tables = compare_with_chance.compare_with_chance(
        pd.read_parquet(given.sessions),
        read_measures(given.measures),
        criteria.from_dicts(params.criteria),
        pd.read_parquet(given.calibrated),
        EdgeRules.from_dict(params.edge_rules),
        ChanceSettings.from_dict(params.chance),
        dataset=dataset,
        seed=params.seed,
        most_courses=params.most_courses,
        models=rupture_probability.read(given.models),
        processes=snakemake.threads,
    )
    *compared, replicates = tables
    processed.write_parquet(replicates, snakemake.output.replicates)
    for name, table in zip(("chance", "sensitivity", "chance_courses"), compared, strict=True):
        processed.write(table, snakemake.output[name])
    print(f"{dataset}: {len(tables[0])} comparisons with chance")
