# Every problem of a dataset, listed at once; nothing else of that dataset runs until it is corrected.


rule check:
    input:
        descriptor=lambda wildcards: datasets.descriptor(wildcards.dataset),
        files=lambda wildcards: datasets.data_files(
            wildcards.dataset, SETTINGS["mirror"]
        ),
        instruments="workflow/rupture_repair/knowledge/instruments.yaml",
        schema="workflow/rupture_repair/knowledge/schemas/dataset.schema.yaml",
        code=code_of("check"),
    output:
        "data/processed/{dataset}/problems.json",
    log:
        "logs/{dataset}/check.log",
    params:
        mirror=SETTINGS["mirror"],
    script:
        "../scripts/check.py"
