"""Fit the hidden Markov model of each alliance measure, where a criterion needs it."""

import pandas as pd

from rupture_repair.detection.fit_hidden_markov import fit_hidden_markov
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.project import step_log
from rupture_repair.project.measures import read_measures

dataset, given = snakemake.wildcards.dataset, snakemake.input
with step_log.step(
    "fit_hidden_markov", dataset, snakemake.log[0], snakemake.output, snakemake.input
):
    models = {}
    if snakemake.params.needed:
        models = fit_hidden_markov(
            pd.read_parquet(given.sessions),
            read_measures(given.measures),
            soft_ends=snakemake.params.soft_ends,
            processes=snakemake.threads,
        )
    rupture_probability.write(models, snakemake.output.models)
    for name, model in models.items():
        found = "a ruptured state" if model.identified else "no ruptured state"
        print(f"{dataset}, {name}: {found}. {model.message}".strip())
    print(f"{dataset}: {len(models)} hidden Markov models")
