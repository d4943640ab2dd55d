"""Put the claims to the test in one dataset."""

import pandas as pd

from rupture_repair.claims.components import components_of
from rupture_repair.claims.judge_claims import judge_claims
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.models.probable import Probabilities
from rupture_repair.project import processed, step_log
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

name, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("judge_claims", name, snakemake.log[0], snakemake.output, snakemake.input):
    dataset, detected = Dataset.read(name, given), Detected.read(given)
    rules = ExposureRules.of(
        ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
    )
    table = judge_claims(
        dataset,
        detected,
        pd.read_parquet(given.estimates),
        pd.read_parquet(given.chance_courses),
        rules,
        smallest=params.smallest,
        seed=params.seed,
        processes=snakemake.threads,
        probabilities=Probabilities(
            pd.read_parquet(given.probabilities), rupture_probability.read(given.chains)
        ),
    )
    components = components_of(dataset, detected)
    processed.write(table, snakemake.output.claims)
    processed.write(components, snakemake.output.components)
    print(f"{name}:", table["verdict"].value_counts().to_string(), sep="\n")
