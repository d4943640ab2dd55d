"""Hold the tables of one dataset against the rules that they must keep."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import verify
from rupture_repair.detection import criteria
from rupture_repair.project import step_log
from rupture_repair.project.measures import read_measures

given, params = snakemake.input, snakemake.params
with step_log.step(
    "verify", snakemake.wildcards.dataset, snakemake.log[0], snakemake.output, snakemake.input
):
    measures = read_measures(given.measures)
    folder = Path(given.sessions).parent
    rows = criteria.from_dicts(params.criteria)
    overlapping = [row.id for row in rows if row.overlaps(params.onset_inside_episode)]
    rules = verify.verify(folder, measures, overlapping=overlapping, csv=given.csv)
    failed = verify.failed_models(pd.read_parquet(given.estimates))
    if failed and params.failed_fit == "error":
        raise failed
    Path(snakemake.output[0]).write_text(json.dumps(rules, indent=1), encoding="utf-8")
    print(f"{snakemake.wildcards.dataset}: {len(rules)} rules hold")
