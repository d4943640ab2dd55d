"""Fit the mixed models of one dataset, criterion by criterion, and count what was left out."""

import pandas as pd

from rupture_repair.models.fit_models import fit_models, status_counts
from rupture_repair.models.flow import flow_of
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures

dataset, given = snakemake.wildcards.dataset, snakemake.input
with step_log.step("fit_models", dataset, snakemake.log[0]):
    names = ("sessions", "courses", "states", "episodes", "detection", "events")
    tables = {name: pd.read_parquet(given[name]) for name in names}
    measures = read_measures(given.measures)
    settings = {
        "models": snakemake.params.models,
        "edge_rules": snakemake.params.edge_rules,
        "default_criterion": snakemake.params.default_criterion,
    }
    estimates = fit_models(
        dataset, **tables, measures=measures, settings=settings, processes=snakemake.threads
    )
    flow = flow_of(dataset, {**tables, "estimates": estimates}, measures, settings)
    processed.write(estimates, snakemake.output.estimates)
    processed.write(flow, snakemake.output.flow)
    print(f"{dataset}:", status_counts(estimates).to_string(index=False), sep="\n")
