# A verdict for every claim, by a written rule (workflow/rupture_repair/knowledge/claims.yaml).


rule judge_claims:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        events="data/processed/{dataset}/events.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        estimates="data/processed/{dataset}/estimates.parquet",
        chance_courses="data/processed/{dataset}/chance_courses.parquet",
        claims="workflow/rupture_repair/knowledge/claims.yaml",
        code=code_of("judge_claims"),
    output:
        claims=multiext("data/processed/{dataset}/claims", ".parquet", ".csv"),
        components=multiext("data/processed/{dataset}/components", ".parquet", ".csv"),
    log:
        "logs/{dataset}/judge_claims.log",
    threads: HALF_OF_CORES
    params:
        models=SETTINGS["models"],
        edge_rules=SETTINGS["edge_rules"],
        claims=SETTINGS["claims"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/judge_claims.py"
