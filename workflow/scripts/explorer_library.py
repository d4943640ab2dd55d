"""Write what every explorer shares: charts and their JavaScript."""

from pathlib import Path

from rupture_repair import journal
from rupture_repair.explorer import charts

with journal.step("explorer_library", "all", snakemake.log[0]):
    print(f"Charts of the explorer: {charts.write(Path(snakemake.output[0]))}")
