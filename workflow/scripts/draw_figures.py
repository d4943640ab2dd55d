"""Draw the figures of one dataset."""

from pathlib import Path

import pandas as pd

from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.project import step_log
from rupture_repair.project.measures import read_measures
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

given, params = snakemake.input, snakemake.params
with step_log.step("draw_figures", snakemake.wildcards.dataset, snakemake.log[0], snakemake.output):
    tables = ("sessions", "states", "episodes", "detection", "estimates", "agreement")
    tables += ("sensitivity", "diagnostics", "multiverse", "chance")
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    files = draw_figures(
        folder,
        measures=read_measures(given.measures),
        default_criterion=params.default_criterion,
        rules=ExposureRules.of(
            ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
        ),
        processes=snakemake.threads,
        endings=pd.read_parquet(given.courses),
        gate=Gate.read(Path(given.gate)),
        **{name: pd.read_parquet(given[name]) for name in tables},
    )
    print(f"{snakemake.wildcards.dataset}: {len(files)} files of figures")
