"""Write what every explorer shares: charts and their JavaScript."""

from pathlib import Path

from rupture_repair.explorer.write_explorer_library import write_explorer_library
from rupture_repair.project import step_log

with step_log.step(
    "write_explorer_library", "all", snakemake.log[0], snakemake.output, snakemake.input
):
    print(f"Charts of the explorer: {write_explorer_library(Path(snakemake.output[0]))}")
