"""Say how far detection could go in one dataset, and how far each criterion goes."""

import pandas as pd

from rupture_repair.chance import certify
from rupture_repair.detection import criteria
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import ChanceSettings, EdgeRules

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("certify", dataset, snakemake.log[0], snakemake.output, given):
    table = certify.certify(
        pd.read_parquet(given.sessions),
        read_measures(given.measures),
        criteria.from_dicts(params.criteria),
        pd.read_parquet(given.calibrated),
        EdgeRules.from_dict(params.edge_rules),
        ChanceSettings.from_dict(params.chance),
        dataset=dataset,
        seed=params.seed,
        models=rupture_probability.read(given.models),
        processes=snakemake.threads,
    )
    processed.write(table, snakemake.output.certificate)
    print(f"{dataset}: {len(table)} rows of the certificate")
