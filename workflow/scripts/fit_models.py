"""Fit the mixed models of one dataset, criterion by criterion, and count what was left out."""

import pandas as pd

from rupture_repair.models.fit_models import fit_models, status_counts
from rupture_repair.models.flow import flow_of
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ModelSettings

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("fit_models", dataset, snakemake.log[0], snakemake.output):
    names = ("sessions", "courses", "states", "episodes", "detection", "events")
    tables = {name: pd.read_parquet(given[name]) for name in names}
    measures = read_measures(given.measures)
    models, edge_rules = (
        ModelSettings.from_dict(params.models),
        EdgeRules.from_dict(params.edge_rules),
    )
    estimates = fit_models(
        dataset,
        **tables,
        measures=measures,
        models=models,
        edge_rules=edge_rules,
        default_criterion=params.default_criterion,
        processes=snakemake.threads,
    )
    rules = ExposureRules.of(models.exposure, edge_rules)
    flow = flow_of(dataset, {**tables, "estimates": estimates}, measures, rules)
    processed.write(estimates, snakemake.output.estimates)
    processed.write(flow, snakemake.output.flow)
    print(f"{dataset}:", status_counts(estimates).to_string(index=False), sep="\n")
