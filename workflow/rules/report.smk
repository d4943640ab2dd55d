# One report per dataset and the overview of all, each in every form asked for.

TEMPLATES = sorted(
    str(path)
    for path in Path("workflow/rupture_repair/report/templates").rglob("*")
    if path.is_file()
)


rule write_report:
    input:
        "data/processed/{dataset}/problems.json",
        about="data/processed/{dataset}/dataset.json",
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        estimates="data/processed/{dataset}/estimates.parquet",
        chance="data/processed/{dataset}/chance.parquet",
        sensitivity="data/processed/{dataset}/sensitivity.parquet",
        multiverse=multiext(
            "data/processed/{dataset}/multiverse_",
            "estimates.parquet",
            "summary.csv",
            "choices.csv",
        ),
        claims="data/processed/{dataset}/claims.parquet",
        flow="data/processed/{dataset}/flow.parquet",
        components="data/processed/{dataset}/components.parquet",
        diagnostics="data/processed/{dataset}/diagnostics.parquet",
        figures="reports/figures/{dataset}",
        templates=TEMPLATES,
        code=code_of("write_report"),
    output:
        expand("reports/{{dataset}}.{form}", form=FORMS),
    log:
        "logs/{dataset}/write_report.log",
    threads: min(len(FORMS), workflow.cores)  # each form takes seconds
    params:
        config=SETTINGS,
    script:
        "../scripts/write_report.py"


rule write_index:
    input:
        expand("reports/{dataset}.{form}", dataset=DATASETS, form=FORMS),
        expand("data/processed/{dataset}/verified.json", dataset=DATASETS),
        synthesis="data/processed/synthesis.parquet",
        templates=TEMPLATES,
        code=code_of("write_index"),
    output:
        expand("reports/index.{form}", form=FORMS),
    log:
        "logs/all/write_index.log",
    params:
        config=SETTINGS,
    script:
        "../scripts/write_index.py"
