# A page on which the settings of a criterion can be moved; every count is computed here.


# The name of an explorer would also be that of a report of a dataset "...-explorer".
ruleorder: write_explorer > write_report


# What every explorer shares depends on the versions of its libraries alone.
rule write_explorer_library:
    input:
        lock="requirements.lock",
        code=code_of("write_explorer_library"),
    output:
        "data/processed/explorer_library.json",
    log:
        "logs/all/write_explorer_library.log",
    script:
        "../scripts/write_explorer_library.py"


rule write_explorer:
    input:
        about="data/processed/{dataset}/dataset.json",
        measures="data/processed/{dataset}/measures.json",
        sessions="data/processed/{dataset}/sessions.parquet",
        events="data/processed/{dataset}/events.parquet",
        detection="data/processed/{dataset}/detection.parquet",
        calibrated="data/processed/{dataset}/calibrated.parquet",
        chance="data/processed/{dataset}/chance.parquet",
        replicates="data/processed/{dataset}/replicates.parquet",
        models="data/processed/{dataset}/hidden_markov.json",
        library="data/processed/explorer_library.json",
        templates=[
            "workflow/rupture_repair/report/templates/style.css",
            "workflow/rupture_repair/explorer/templates/page.html",
            "workflow/rupture_repair/explorer/templates/explorer.css",
            "workflow/rupture_repair/explorer/templates/explorer.js",
        ],
        code=code_of("write_explorer"),
    output:
        "reports/{dataset}-explorer.html",
    log:
        "logs/{dataset}/write_explorer.log",
    wildcard_constraints:
        dataset="|".join(DATASETS),
    threads: HALF_OF_CORES
    params:
        criteria=SETTINGS["criteria"],
        config={
            key: SETTINGS[key] for key in ("default_criterion", "edge_rules", "report")
        },
    script:
        "../scripts/write_explorer.py"
