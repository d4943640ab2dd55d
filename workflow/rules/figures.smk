# Figures, each as PNG, SVG and the CSV of the numbers drawn.


rule figures:
    input:
        about="data/processed/{dataset}/dataset.json",
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        estimates="data/processed/{dataset}/estimates.parquet",
        sensitivity="data/processed/{dataset}/sensitivity.parquet",
        agreement="data/processed/{dataset}/agreement.parquet",
        multiverse="data/processed/{dataset}/multiverse_estimates.parquet",
        diagnostics="data/processed/{dataset}/diagnostics.parquet",
        code=project.modules("figures"),
    output:
        directory("reports/figures/{dataset}"),
    log:
        "logs/{dataset}/figures.log",
    threads: workflow.cores
    params:
        config={key: SETTINGS[key] for key in ("default_criterion", "report")},
    script:
        "../scripts/figures.py"
