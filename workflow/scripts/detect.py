"""Detect ruptures and repairs in one dataset by every criterion."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import criteria, detect, journal, probability

dataset = snakemake.wildcards.dataset
with journal.step("detect", dataset, snakemake.log[0]):
    found = detect.detect_each(
        pd.read_parquet(snakemake.input.sessions),
        json.loads(Path(snakemake.input.measures).read_text(encoding="utf-8")),
        criteria.from_dicts(snakemake.params.criteria),
        snakemake.params.edge_rules,
        dataset=dataset,
        events=pd.read_parquet(snakemake.input.events),
        calibrated=pd.read_parquet(snakemake.input.calibrated),
        models=probability.read(snakemake.input.models),
    )
    summary = detect.write(found, Path(snakemake.output.states).parent)
    print(f"{dataset}: {summary['n_episodes'].sum()} episodes by {len(summary)} rules")
