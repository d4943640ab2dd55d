"""Fetch the files of one public dataset."""

from pathlib import Path

from rupture_repair.project import step_log
from rupture_repair.project.datasets import known_datasets
from rupture_repair.public_data import fetch, register

name = snakemake.params.dataset
with step_log.step("fetch", name, snakemake.log[0]):
    files = fetch.fetch(name, snakemake.params.mirror)
    print(*[f"Fetched, checksum verified: {file.as_posix()}" for file in files], sep="\n")
    entry = register.of_dataset(name)[0]
    print(f"Licence: {entry.licence}\nCite: {entry.citation}")
    described = name in known_datasets(Path())
    print(f"Analyse it: datasets: [{name}] in config.yaml." if described else entry.note)
