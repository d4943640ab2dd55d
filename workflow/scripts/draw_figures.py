"""Draw the figures of one dataset."""

from pathlib import Path

import pandas as pd

from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.project import step_log
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.setting_groups import EdgeRules, ExposureRules, ExposureStates

name, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("draw_figures", name, snakemake.log[0], snakemake.output, snakemake.input):
    tables = (
        *("estimates", "agreement", "sensitivity", "diagnostics", "multiverse", "chance"),
        "planted_effects",
    )
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    files = draw_figures(
        folder,
        dataset=Dataset.read(name, given),
        detected=Detected.read(given),
        default_criterion=params.default_criterion,
        rules=ExposureRules.of(
            ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
        ),
        processes=snakemake.threads,
        gate=Gate.read(Path(given.gate)),
        choices=pd.read_csv(given.choices),
        **{table: pd.read_parquet(given[table]) for table in tables},
    )
    print(f"{name}: {len(files)} files of figures")
