# How much the answer to claim C7 depends on choices: first the plan, `snakemake multiverse_plan`, then
# the fits.


rule multiverse_plan:
    input:
        expand("data/processed/{dataset}/multiverse.csv", dataset=DATASETS),


rule plan_multiverse:
    input:
        measures="data/processed/{dataset}/measures.json",
        detection="data/processed/{dataset}/detection.parquet",
        code=code_of("plan_multiverse"),
    output:
        multiext("data/processed/{dataset}/multiverse", ".parquet", ".csv"),
    log:
        "logs/{dataset}/plan_multiverse.log",
    priority: 2  # the longest chain of steps begins here
    params:
        criteria=SETTINGS["criteria"],
        multiverse={
            key: value
            for key, value in SETTINGS["multiverse"].items()
            if key not in ("permutations", "scheme")
        },
        default_criterion=SETTINGS["default_criterion"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/plan_multiverse.py"


rule run_multiverse:
    input:
        plan="data/processed/{dataset}/multiverse.parquet",
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        courses="data/processed/{dataset}/courses.parquet",
        states="data/processed/{dataset}/session_states.parquet",
        code=code_of("run_multiverse"),
    output:
        estimates=multiext(
            "data/processed/{dataset}/multiverse_estimates", ".parquet", ".csv"
        ),
        summary="data/processed/{dataset}/multiverse_summary.csv",
        choices="data/processed/{dataset}/multiverse_choices.csv",
    log:
        "logs/{dataset}/run_multiverse.log",
    priority: 2  # the longest chain of steps begins here
    threads: HALF_OF_CORES
    params:
        criteria=SETTINGS["criteria"],
        multiverse={
            key: SETTINGS["multiverse"][key] for key in ("permutations", "scheme")
        },
        models={"exposure": SETTINGS["models"]["exposure"]},
        edge_rules=SETTINGS["edge_rules"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/run_multiverse.py"
