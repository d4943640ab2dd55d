"""Fit the hidden Markov model of each alliance measure, where a criterion needs it."""

import json
from pathlib import Path

import pandas as pd

from rupture_repair import detect, journal, probability

dataset, given = snakemake.wildcards.dataset, snakemake.input
with journal.step("hidden_markov", dataset, snakemake.log[0]):
    models = {}
    if snakemake.params.needed:
        models = detect.hidden_markov_models(
            pd.read_parquet(given.sessions),
            json.loads(Path(given.measures).read_text(encoding="utf-8")),
            processes=snakemake.threads,
        )
    probability.write(models, snakemake.output[0])
    for name, model in models.items():
        found = "a ruptured state" if model.identified else "no ruptured state"
        print(f"{dataset}, {name}: {found}. {model.message}".strip())
    print(f"{dataset}: {len(models)} hidden Markov models")
