# The k of criteria with `k: calibrated`, solved on rupture-free simulations of the dataset.


rule calibrate:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        code=code_of("calibrate"),
    output:
        multiext("data/processed/{dataset}/calibrated", ".parquet", ".csv"),
    log:
        "logs/{dataset}/calibrate.log",
    threads: HALF_OF_CORES
    params:
        criteria=[row for row in SETTINGS["criteria"] if row["k"] == "calibrated"],
        edge_rules=SETTINGS["edge_rules"],
        chance={"false_alarm": SETTINGS["chance"]["false_alarm"]},
        seed=SETTINGS["seed"],
    script:
        "../scripts/calibrate.py"
