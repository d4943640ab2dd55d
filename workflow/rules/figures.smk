# Figures, each as PNG, SVG and the CSV of the numbers drawn.

FIGURE_SETTINGS = ("default_criterion", "report", "edge_rules", "models")


rule draw_figures:
    input:
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
        agreement="data/processed/{dataset}/agreement.parquet",
        multiverse="data/processed/{dataset}/multiverse_estimates.parquet",
        diagnostics="data/processed/{dataset}/diagnostics.parquet",
        code=code_of("draw_figures"),
    output:
        directory("reports/figures/{dataset}"),
    log:
        "logs/{dataset}/draw_figures.log",
    threads: HALF_OF_CORES
    params:
        config={key: SETTINGS[key] for key in FIGURE_SETTINGS},
    script:
        "../scripts/draw_figures.py"
