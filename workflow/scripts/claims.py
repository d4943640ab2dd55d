"""Put the claims to the test in one dataset."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import claims, journal

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with journal.step("claims", dataset, snakemake.log[0]):
    names = ("sessions", "courses", "events", "states", "episodes", "detection", "estimates")
    table = claims.claims_of(
        dataset,
        {name: pd.read_parquet(given[name]) for name in (*names, "chance_courses")},
        json.loads(Path(given.measures).read_text(encoding="utf-8")),
        {name: params[name] for name in ("models", "edge_rules", "claims", "seed")},
        processes=snakemake.threads,
    )
    parquet, csv = snakemake.output
    table.to_parquet(parquet, index=False)
    table.to_csv(csv, index=False, lineterminator="\n")
    print(f"{dataset}:", table["verdict"].value_counts().to_string(), sep="\n")
