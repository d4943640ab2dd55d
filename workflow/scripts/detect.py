"""Detect ruptures and repairs in one dataset by every criterion."""

from pathlib import Path

import pandas as pd

from rupture_repair.detection import criteria, detect
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.project import step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules

dataset = snakemake.wildcards.dataset
with step_log.step("detect", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    found = detect.detect(
        pd.read_parquet(snakemake.input.sessions),
        read_measures(snakemake.input.measures),
        criteria.from_dicts(snakemake.params.criteria),
        EdgeRules.from_dict(snakemake.params.edge_rules),
        dataset=dataset,
        events=pd.read_parquet(snakemake.input.events),
        calibrated=pd.read_parquet(snakemake.input.calibrated),
        models=rupture_probability.read(snakemake.input.models),
    )
    summary = detect.write(found, Path(snakemake.output.states).parent)
    print(f"{dataset}: {summary['n_episodes'].sum()} episodes by {len(summary)} rules")
