"""Write the overview of all datasets."""

from pathlib import Path

from rupture_repair import journal, report

with journal.step("index", "all", snakemake.log[0]):
    written = report.write_index(Path(), snakemake.params.config, [])
    print(f"Report: {written}")
