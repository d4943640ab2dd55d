"""Fit the mixed models of one dataset, criterion by criterion, and count what was left out."""

import pandas as pd

from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.models.fit_models import fit_models, status_counts
from rupture_repair.models.flow import flow_of
from rupture_repair.models.probable import Probabilities
from rupture_repair.project import processed, step_log
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.headline import resolved
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ModelSettings

name, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("fit_models", name, snakemake.log[0], snakemake.output, snakemake.input):
    dataset, detected = Dataset.read(name, given), Detected.read(given)
    models, edge_rules = (
        ModelSettings.from_dict(params.models),
        EdgeRules.from_dict(params.edge_rules),
    )
    for measure in detected.detection["measure"].astype("str").unique():
        chosen = resolved(params.default_criterion, detected.detection, measure)
        print(f"{name}: the default criterion for {measure} is {chosen}")
    estimates = fit_models(
        dataset,
        detected,
        models=models,
        edge_rules=edge_rules,
        default_criterion=params.default_criterion,
        processes=snakemake.threads,
        probabilities=Probabilities(
            pd.read_parquet(given.probabilities), rupture_probability.read(given.chains)
        ),
    )
    rules = ExposureRules.of(models.exposure, edge_rules)
    flow = flow_of(dataset, detected, estimates, rules)
    processed.write(estimates, snakemake.output.estimates)
    processed.write(flow, snakemake.output.flow)
    print(f"{name}:", status_counts(estimates).to_string(index=False), sep="\n")
