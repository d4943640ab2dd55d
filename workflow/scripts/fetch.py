"""Fetch the files of one public dataset."""

from pathlib import Path

from rupture_repair import fetch, journal, project, register

name = snakemake.params.dataset
with journal.step("fetch", name, snakemake.log[0]):
    files = fetch.fetch(name, snakemake.params.mirror)
    print(*[f"Fetched, checksum verified: {file.as_posix()}" for file in files], sep="\n")
    entry = register.of_dataset(name)[0]
    print(f"Licence: {entry.licence}\nCite: {entry.citation}")
    described = name in project.known_datasets(Path())
    print(f"Analyse it: datasets: [{name}] in config.yaml." if described else entry.note)
