"""Fit the specifications of the multiverse of one dataset, and permute their exposures."""

import pandas as pd

from rupture_repair.detection import criteria
from rupture_repair.multiverse.run_multiverse import run_multiverse
from rupture_repair.multiverse.summary import explained_by_choices, summarise
from rupture_repair.project import processed, step_log
from rupture_repair.project.dataset import Dataset
from rupture_repair.project.setting_groups import EdgeRules, ExposureStates, PermutationSettings

name, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("run_multiverse", name, snakemake.log[0], snakemake.output, snakemake.input):
    dataset = Dataset.read(name, given).sampled(params.most_courses)
    drawn = [("course", "in", set(dataset.courses["course"]))]
    outcome = run_multiverse(
        pd.read_parquet(given.plan),
        dataset=dataset,
        states=pd.read_parquet(given.states, filters=drawn),
        criteria=criteria.from_dicts(params.criteria),
        edge_rules=EdgeRules.from_dict(params.edge_rules),
        exposure=ExposureStates.from_dict(params.exposure),
        permuting=PermutationSettings.from_dict(params.permuting),
        seed=params.seed,
        processes=snakemake.threads,
        say=lambda text: print(f"{name}: {text}", flush=True),
    )
    processed.write(outcome.fits, snakemake.output.estimates)
    summary = summarise(outcome)
    processed.write_for_people(summary, snakemake.output.summary)
    choices = explained_by_choices(outcome.fits)
    processed.write_for_people(choices, snakemake.output.choices)
