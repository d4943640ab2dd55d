"""Put the claims to the test in one dataset."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import claims, journal, outputs

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with journal.step("claims", dataset, snakemake.log[0]):
    names = ("sessions", "courses", "events", "states", "episodes", "detection", "estimates")
    tables = {name: pd.read_parquet(given[name]) for name in (*names, "chance_courses")}
    measures = json.loads(Path(given.measures).read_text(encoding="utf-8"))
    table = claims.claims_of(
        dataset,
        tables,
        measures,
        {name: params[name] for name in ("models", "edge_rules", "claims", "seed")},
        processes=snakemake.threads,
    )
    own = (tables[name] for name in ("sessions", "episodes", "detection"))
    components = claims.components_of(dataset, *own, measures)
    outputs.write(table, *snakemake.output.claims)
    outputs.write(components, *snakemake.output.components)
    print(f"{dataset}:", table["verdict"].value_counts().to_string(), sep="\n")
