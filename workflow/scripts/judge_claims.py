"""Put the claims to the test in one dataset."""

import pandas as pd

from rupture_repair.claims.components import components_of
from rupture_repair.claims.judge_claims import judge_claims
from rupture_repair.project import processed, step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("judge_claims", dataset, snakemake.log[0], snakemake.output):
    names = ("sessions", "courses", "events", "states", "episodes", "detection", "estimates")
    tables = {name: pd.read_parquet(given[name]) for name in (*names, "chance_courses")}
    measures = read_measures(given.measures)
    rules = ExposureRules.of(
        ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
    )
    table = judge_claims(
        dataset,
        tables,
        measures,
        rules,
        smallest=params.smallest,
        seed=params.seed,
        processes=snakemake.threads,
    )
    own = (tables[name] for name in ("sessions", "episodes", "detection"))
    components = components_of(dataset, *own, measures)
    processed.write(table, snakemake.output.claims)
    processed.write(components, snakemake.output.components)
    print(f"{dataset}:", table["verdict"].value_counts().to_string(), sep="\n")
