"""Look at the main model of each alliance measure: residuals, effects, influence, ceiling."""

import pandas as pd

from rupture_repair.diagnostics.diagnose import diagnose
from rupture_repair.project import processed, step_log
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

name, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("diagnose", name, snakemake.log[0], snakemake.output, snakemake.input):
    found = diagnose(
        Dataset.read(name, given),
        Detected.read(given),
        pd.read_parquet(given.estimates),
        rules=ExposureRules.of(
            ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
        ),
        default_criterion=params.default_criterion,
        seed=params.seed,
        most_courses=params.most_courses,
    )
    processed.write(found, snakemake.output.diagnostics)
    print(f"{name}: diagnostics of {found['measure'].nunique()} models")
