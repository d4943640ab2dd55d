"""Solve for the k of the criteria that ask for it."""

import pandas as pd

from rupture_repair.chance import calibrate
from rupture_repair.detection import criteria
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules

dataset, params = snakemake.wildcards.dataset, snakemake.params
with step_log.step("calibrate", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    table = calibrate.calibrate(
        pd.read_parquet(snakemake.input.sessions),
        read_measures(snakemake.input.measures),
        criteria.from_dicts(params.criteria),
        EdgeRules.from_dict(params.edge_rules),
        params.false_alarm,
        dataset=dataset,
        seed=params.seed,
        false_alarm_of=params.false_alarm_of,
        processes=snakemake.threads,
    )
    processed.write(table, snakemake.output.calibrated)
    print(f"{dataset}: k was solved for {table['k'].notna().sum()} of {len(table)} criteria")
