# The kernel with every criterion: states of sessions and episodes.


rule detect:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        events="data/processed/{dataset}/events.parquet",
        calibrated="data/processed/{dataset}/calibrated.parquet",
        models="data/processed/{dataset}/hidden_markov.json",
        code=code_of("detect"),
    output:
        states="data/processed/{dataset}/session_states.parquet",
        episodes=multiext("data/processed/{dataset}/episodes", ".parquet", ".csv"),
        detection=multiext("data/processed/{dataset}/detection", ".parquet", ".csv"),
    log:
        "logs/{dataset}/detect.log",
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
    script:
        "../scripts/detect.py"
