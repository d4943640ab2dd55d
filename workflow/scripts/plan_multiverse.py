"""Write down the specifications of the multiverse of one dataset, before anything is fitted."""

import pandas as pd

from rupture_repair.detection import criteria
from rupture_repair.multiverse import plan_multiverse
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import MultiverseChoices

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("plan_multiverse", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    plan = plan_multiverse.plan_multiverse(
        read_measures(given.measures),
        pd.read_parquet(given.detection),
        criteria.from_dicts(params.criteria),
        MultiverseChoices.from_dict(params.multiverse),
        default_criterion=params.default_criterion,
        seed=params.seed,
    )
    processed.write(plan, snakemake.output.plan)
    print(f"{dataset}: {len(plan)} specifications in {snakemake.output.csv}")
