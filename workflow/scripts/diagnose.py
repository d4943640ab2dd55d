"""Look at the main model of each alliance measure: residuals, effects, influence, ceiling."""

import pandas as pd

from rupture_repair.diagnostics.diagnose import diagnose
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("diagnose", dataset, snakemake.log[0], snakemake.output):
    tables = ("sessions", "courses", "states", "detection", "estimates")
    found = diagnose(
        dataset,
        **{name: pd.read_parquet(given[name]) for name in tables},
        measures=read_measures(given.measures),
        rules=ExposureRules.of(
            ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
        ),
        default_criterion=params.default_criterion,
        seed=params.seed,
    )
    processed.write(found, snakemake.output.diagnostics)
    print(f"{dataset}: diagnostics of {found['measure'].nunique()} models")
