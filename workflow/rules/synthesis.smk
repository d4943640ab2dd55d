# Estimates of all datasets, pooled.


rule synthesise:
    input:
        about=expand("data/processed/{dataset}/dataset.json", dataset=DATASETS),
        measures=expand("data/processed/{dataset}/measures.json", dataset=DATASETS),
        estimates=expand("data/processed/{dataset}/estimates.parquet", dataset=DATASETS),
        claims=expand("data/processed/{dataset}/claims.parquet", dataset=DATASETS),
        published="workflow/rupture_repair/knowledge/published.yaml",
        code=code_of("synthesise"),
    output:
        pooled=multiext("data/processed/synthesis", ".parquet", ".csv"),
        studies=multiext("data/processed/synthesis_studies", ".parquet", ".csv"),
        # No dataset can have a name that begins so.
        figures=directory("reports/figures/_all"),
    log:
        "logs/all/synthesise.log",
    params:
        datasets=DATASETS,
        synthesis=SETTINGS["synthesis"],
        default_criterion=SETTINGS["default_criterion"],
    script:
        "../scripts/synthesise.py"
