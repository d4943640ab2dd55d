# Tests on the outputs, part of every run.


rule verify:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        estimates="data/processed/{dataset}/estimates.parquet",
        flow="data/processed/{dataset}/flow.parquet",
        agreement="data/processed/{dataset}/agreement.parquet",
        plan="data/processed/{dataset}/multiverse.parquet",
        multiverse=multiext(
            "data/processed/{dataset}/multiverse_", "estimates.parquet", "summary.csv"
        ),
        claims="data/processed/{dataset}/claims.parquet",
        diagnostics="data/processed/{dataset}/diagnostics.parquet",
        code=code_of("verify"),
    output:
        "data/processed/{dataset}/verified.json",
    log:
        "logs/{dataset}/verify.log",
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
        failed_fit=SETTINGS["models"]["failed_fit"],
    script:
        "../scripts/verify.py"
