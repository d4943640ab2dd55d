# Exposure and mixed models: tidy rows with their status, criterion by criterion.


rule fit_models:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        events="data/processed/{dataset}/events.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        code=code_of("fit_models"),
    output:
        estimates=multiext("data/processed/{dataset}/estimates", ".parquet", ".csv"),
        flow=multiext("data/processed/{dataset}/flow", ".parquet", ".csv"),
    log:
        "logs/{dataset}/fit_models.log",
    priority: 2  # the longest chain of steps begins here
    threads: HALF_OF_CORES
    params:
        models=SETTINGS["models"],
        edge_rules=SETTINGS["edge_rules"],
        default_criterion=SETTINGS["default_criterion"],
    script:
        "../scripts/fit_models.py"
