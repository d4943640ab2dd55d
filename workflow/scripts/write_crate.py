"""Write the record of the run."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.setting_groups import Settings
from rupture_repair.report.write_crate import write_crate

with step_log.step("write_crate", "all", snakemake.log[0], snakemake.output, snakemake.input):
    target = Path(snakemake.output.record)
    written = write_crate(Path(), Settings.from_dict(snakemake.params.settings), target)
    print(f"What was done, for archives: {written}")
