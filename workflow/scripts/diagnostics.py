"""Look at the main model of each alliance measure: residuals, effects, influence, ceiling."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import diagnostics, journal, outputs

dataset, given = snakemake.wildcards.dataset, snakemake.input
with journal.step("diagnostics", dataset, snakemake.log[0]):
    tables = ("sessions", "courses", "states", "detection", "estimates")
    found = diagnostics.diagnose_all(
        dataset,
        **{name: pd.read_parquet(given[name]) for name in tables},
        measures=json.loads(Path(given.measures).read_text(encoding="utf-8")),
        settings=snakemake.params.settings,
    )
    outputs.write(found, *snakemake.output)
    print(f"{dataset}: diagnostics of {found['measure'].nunique()} models")
