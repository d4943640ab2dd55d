"""Write the summary of one dataset."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.setting_groups import Settings
from rupture_repair.report.write_summary import write_summary

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("write_summary", dataset, snakemake.log[0], snakemake.output, given):
    folder, target = Path(given.sessions).parent, Path(snakemake.output[0])
    settings = Settings.from_dict(params.settings)
    written = write_summary(folder, settings, target)
    print(f"{dataset}: {', '.join(map(str, written))}")
