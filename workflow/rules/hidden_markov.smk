# The hidden Markov model of each alliance measure: fitted once, for detection and for chance.


rule fit_hidden_markov:
    input:
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        code=code_of("fit_hidden_markov"),
    output:
        "data/processed/{dataset}/hidden_markov.json",
    log:
        "logs/{dataset}/fit_hidden_markov.log",
    threads: HALF_OF_CORES
    params:
        needed=any(row["run"] == "rupture_probability" for row in SETTINGS["criteria"]),
    script:
        "../scripts/fit_hidden_markov.py"
