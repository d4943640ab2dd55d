# Raw columns to one canonical table, with direction and range of each measure.


rule ingest:
    input:
        checked="data/processed/{dataset}/problems.json",
        descriptor=lambda wildcards: datasets.descriptor(wildcards.dataset),
        files=lambda wildcards: datasets.data_files(
            wildcards.dataset, SETTINGS["mirror"]
        ),
        instruments="workflow/rupture_repair/knowledge/instruments.yaml",
        code=code_of("ingest"),
    output:
        about="data/processed/{dataset}/dataset.json",
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        events="data/processed/{dataset}/events.parquet",
    log:
        "logs/{dataset}/ingest.log",
    params:
        mirror=SETTINGS["mirror"],
    script:
        "../scripts/ingest.py"
