"""Write down the specifications of the multiverse of one dataset, before anything is fitted."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import criteria, journal, multiverse, outputs

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with journal.step("specifications", dataset, snakemake.log[0]):
    plan = multiverse.plan(
        json.loads(Path(given.measures).read_text(encoding="utf-8")),
        pd.read_parquet(given.detection),
        criteria.from_dicts(params.criteria),
        params.multiverse,
        default_criterion=params.default_criterion,
        seed=params.seed,
    )
    outputs.write(plan, *snakemake.output)
    print(f"{dataset}: {len(plan)} specifications in {snakemake.output[1]}")
