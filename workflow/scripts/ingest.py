"""Bring one dataset into canonical form."""

from pathlib import Path

from rupture_repair.ingest import ingest
from rupture_repair.project import step_log

dataset = snakemake.wildcards.dataset
with step_log.step("ingest", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    folder = Path(snakemake.input.descriptor).parent
    content = ingest.ingest(dataset, folder, snakemake.params.mirror)
    ingest.write(content, Path(snakemake.output.sessions).parent)
    print(f"{dataset}: {len(content.courses)} courses, {len(content.sessions)} sessions")
