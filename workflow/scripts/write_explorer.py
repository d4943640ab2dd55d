"""Write the explorer of one dataset."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair.detection import criteria
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.disclosure.gate import Gate
from rupture_repair.explorer import write_explorer
from rupture_repair.project import step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("write_explorer", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    about = json.loads(Path(given.about).read_text(encoding="utf-8"))
    tables = ("sessions", "events", "detection", "calibrated", "chance", "replicates")
    found = write_explorer.explore(
        measures=read_measures(given.measures),
        models=rupture_probability.read(given.models),
        criteria=criteria.from_dicts(params.criteria),
        default_criterion=params.default_criterion,
        edge_rules=EdgeRules.from_dict(params.edge_rules),
        gate=Gate.read(Path(given.gate)),
        processes=snakemake.threads,
        **{name: pd.read_parquet(given[name]) for name in tables},
    )
    write_explorer.write_explorer(Path(snakemake.output[0]), found, about, Path(given.library))
    print(f"{dataset}: {snakemake.output[0]}, ratings: {', '.join(found['measures'])}")
