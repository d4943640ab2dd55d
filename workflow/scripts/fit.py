"""Fit the mixed models of one dataset, criterion by criterion, and count what was left out."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import journal, models, outputs

dataset, given = snakemake.wildcards.dataset, snakemake.input
with journal.step("fit", dataset, snakemake.log[0]):
    names = ("sessions", "courses", "states", "episodes", "detection", "events")
    tables = {name: pd.read_parquet(given[name]) for name in names}
    measures = json.loads(Path(given.measures).read_text(encoding="utf-8"))
    settings = {
        "models": snakemake.params.models,
        "edge_rules": snakemake.params.edge_rules,
        "default_criterion": snakemake.params.default_criterion,
    }
    estimates = models.fit_all(
        dataset, **tables, measures=measures, settings=settings, processes=snakemake.threads
    )
    flow = models.flow_of(dataset, {**tables, "estimates": estimates}, measures, settings)
    outputs.write(estimates, *snakemake.output.estimates)
    outputs.write(flow, *snakemake.output.flow)
    print(f"{dataset}:", models.status_counts(estimates).to_string(index=False), sep="\n")
