"""Fetch the files of one public dataset."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.datasets import known_datasets
from rupture_repair.public_data import fetch, register

name, project = snakemake.params.dataset, Path(snakemake.params.project)
with step_log.step("fetch", name, snakemake.log[0]):
    files = fetch.fetch(name, snakemake.params.mirror, project=project)
    print(*[f"Fetched, checksum verified: {file.as_posix()}" for file in files], sep="\n")
    entry = register.of_dataset(name, project / register.FILE)[0]
    print(f"Licence: {entry.licence}\nCite: {entry.citation}")
    described = name in known_datasets(Path(), project)
    print(f"Analyse it: datasets: [{name}] in config.yaml." if described else entry.note)
