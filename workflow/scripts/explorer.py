"""Write the explorer of one dataset."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import criteria, journal, probability
from rupture_repair.explorer import page

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with journal.step("explorer", dataset, snakemake.log[0]):
    about = json.loads(Path(given.about).read_text(encoding="utf-8"))
    tables = ("sessions", "events", "detection", "calibrated", "chance", "replicates")
    found = page.explore(
        dataset=about,
        measures=json.loads(Path(given.measures).read_text(encoding="utf-8")),
        models=probability.read(given.models),
        criteria=criteria.from_dicts(params.criteria),
        config=params.config,
        processes=snakemake.threads,
        **{name: pd.read_parquet(given[name]) for name in tables},
    )
    page.write(Path(snakemake.output[0]), found, about, Path(given.library))
    print(f"{dataset}: {snakemake.output[0]}, {len(found['criteria'])} criteria")
