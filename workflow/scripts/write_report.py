"""Write the report of one dataset."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.setting_groups import Settings
from rupture_repair.report.write_report import write_report

dataset, given, params = snakemake.wildcards.dataset, snakemake.input, snakemake.params
with step_log.step("write_report", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    folder, target = Path(given.sessions).parent, Path(snakemake.output[0])
    settings = Settings.from_dict(params.settings)
    written = write_report(folder, Path(given.figures), settings, target, snakemake.threads)
    print(f"{dataset}: {', '.join(map(str, written))}")
