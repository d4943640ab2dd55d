"""Fit the mixed models of one dataset, criterion by criterion."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import journal, models

dataset, given = snakemake.wildcards.dataset, snakemake.input
with journal.step("fit", dataset, snakemake.log[0]):
    tables = ("sessions", "courses", "states", "episodes", "detection", "events")
    estimates = models.fit_all(
        dataset,
        **{name: pd.read_parquet(given[name]) for name in tables},
        measures=json.loads(Path(given.measures).read_text(encoding="utf-8")),
        settings={
            "models": snakemake.params.models,
            "edge_rules": snakemake.params.edge_rules,
            "default_criterion": snakemake.params.default_criterion,
        },
        processes=snakemake.threads,
    )
    parquet, csv = snakemake.output
    estimates.to_parquet(parquet, index=False)
    estimates.to_csv(csv, index=False, lineterminator="\n")
    print(f"{dataset}:", models.status_counts(estimates).to_string(index=False), sep="\n")
