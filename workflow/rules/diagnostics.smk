# Does the main model describe the data, and does it hang on single therapists?


rule diagnose:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        estimates="data/processed/{dataset}/estimates.parquet",
        code=code_of("diagnose"),
    output:
        multiext("data/processed/{dataset}/diagnostics", ".parquet", ".csv"),
    log:
        "logs/{dataset}/diagnose.log",
    priority: 2  # the figures, a long step, wait for it
    params:
        settings={
            key: SETTINGS[key]
            for key in ("models", "edge_rules", "default_criterion", "seed")
        },
    script:
        "../scripts/diagnose.py"
