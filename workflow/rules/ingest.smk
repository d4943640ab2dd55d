# Raw columns to one canonical table, with direction and range of each measure.


rule ingest:
    input:
        checked="data/processed/{dataset}/problems.json",
        descriptor=lambda wildcards: project.descriptor(wildcards.dataset),
        files=lambda wildcards: project.data_files(
            wildcards.dataset, SETTINGS["mirror"]
        ),
        instruments="workflow/instruments.yaml",
        code=project.modules("ingest"),
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
