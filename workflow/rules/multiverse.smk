# How much the answer to claim C7 depends on choices: first the plan, `snakemake multiverse_plan`,
# then the fits.


rule plan_multiverse:
    input:
        measures=rules.ingest.output.measures,
        detection=rules.detect.output.detection,
        code=code_of("plan_multiverse"),
        dictionary=dictionary_of("multiverse"),
    output:
        plan=processed("multiverse.parquet"),
        csv=processed("multiverse.csv"),
        metadata=metadata_of("multiverse"),
    log:
        "logs/{dataset}/plan_multiverse.log",
    priority: 2  # the longest chain of steps begins here
    localrule: True  # a second of work
    resources:
        mem_mb=memory_of("plan_multiverse"),
        runtime=minutes_of("plan_multiverse"),
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


rule multiverse_plan:
    input:
        expand(rules.plan_multiverse.output.csv, dataset=DATASETS),


rule run_multiverse:
    input:
        plan=rules.plan_multiverse.output.plan,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        code=code_of("run_multiverse"),
        dictionary=dictionary_of(
            "multiverse_estimates", "multiverse_summary", "multiverse_choices"
        ),
    output:
        estimates=processed("multiverse_estimates.parquet"),
        csv=processed("multiverse_estimates.csv"),
        summary=processed("multiverse_summary.csv"),
        choices=processed("multiverse_choices.csv"),
        metadata=metadata_of(
            "multiverse_estimates", "multiverse_summary", "multiverse_choices"
        ),
    log:
        "logs/{dataset}/run_multiverse.log",
    priority: 2  # the longest chain of steps begins here
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("run_multiverse"),
        runtime=minutes_of("run_multiverse"),
    params:
        criteria=SETTINGS["criteria"],
        permuting={
            key: SETTINGS["multiverse"][key] for key in ("permutations", "scheme")
        },
        exposure=SETTINGS["models"]["exposure"],
        edge_rules=SETTINGS["edge_rules"],
        seed=SETTINGS["seed"],
        most_courses=SETTINGS["monte_carlo_courses"],
    script:
        "../scripts/run_multiverse.py"
