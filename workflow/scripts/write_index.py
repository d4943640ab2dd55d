"""Write the overview of all datasets."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.setting_groups import Settings
from rupture_repair.report.write_index import write_index

with step_log.step("write_index", "all", snakemake.log[0], snakemake.output, snakemake.input):
    written = write_index(Path(), Settings.from_dict(snakemake.params.settings), [])
    print(f"Report: {written}")
