# The hidden Markov model of each alliance measure: fitted once, for detection and for chance.


rule hidden_markov:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        code=project.modules("detect"),
    output:
        "data/processed/{dataset}/hidden_markov.json",
    log:
        "logs/{dataset}/hidden_markov.log",
    threads: HALF_OF_CORES
    params:
        needed=any(row["run"] == "rupture_probability" for row in SETTINGS["criteria"]),
    script:
        "../scripts/hidden_markov.py"
