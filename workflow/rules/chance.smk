# The same kernel on rupture-free simulations of the dataset, and on planted falls of known depth.


rule compare_with_chance:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        calibrated="data/processed/{dataset}/calibrated.parquet",
        models="data/processed/{dataset}/hidden_markov.json",
        code=code_of("compare_with_chance"),
    output:
        chance=multiext("data/processed/{dataset}/chance", ".parquet", ".csv"),
        sensitivity=multiext("data/processed/{dataset}/sensitivity", ".parquet", ".csv"),
        chance_courses=multiext(
            "data/processed/{dataset}/chance_courses", ".parquet", ".csv"
        ),
        replicates="data/processed/{dataset}/replicates.parquet",
    log:
        "logs/{dataset}/compare_with_chance.log",
    threads: HALF_OF_CORES
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
        chance=SETTINGS["chance"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/compare_with_chance.py"
