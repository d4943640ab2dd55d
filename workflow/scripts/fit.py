"""Fit the mixed models of one dataset, criterion by criterion, and count what was left out."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import journal, models

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
    files = zip(snakemake.output[::2], snakemake.output[1::2], strict=True)
    for table, (parquet, csv) in zip((estimates, flow), files, strict=True):
        table.to_parquet(parquet, index=False)
        table.to_csv(csv, index=False, lineterminator="\n")
    print(f"{dataset}:", models.status_counts(estimates).to_string(index=False), sep="\n")
