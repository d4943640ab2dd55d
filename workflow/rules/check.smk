# Every problem of a dataset, listed at once; nothing else of that dataset runs until it is mended.


rule check:
    input:
        descriptor=lambda wildcards: project.descriptor(wildcards.dataset),
        files=lambda wildcards: project.data_files(
            wildcards.dataset, SETTINGS["mirror"]
        ),
        instruments="workflow/instruments.yaml",
        schema="workflow/schemas/dataset.schema.yaml",
        code=project.modules("check"),
    output:
        "data/processed/{dataset}/problems.json",
    log:
        "logs/{dataset}/check.log",
    params:
        mirror=SETTINGS["mirror"],
    script:
        "../scripts/check.py"
