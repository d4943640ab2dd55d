# Mixed models of each dataset, their diagnostics, the claims they judge, and all datasets pooled.


# Exposure and mixed models: tidy rows with their status, criterion by criterion.
rule fit_models:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        chains=rules.fit_hidden_markov.output.models,
        probabilities=rules.probable.output.probabilities,
        code=code_of("fit_models"),
        dictionary=dictionary_of("estimates", "flow"),
    output:
        estimates=processed("estimates.parquet"),
        flow=processed("flow.parquet"),
        csv=[processed("estimates.csv"), processed("flow.csv")],
        metadata=metadata_of("estimates", "flow"),
    log:
        "logs/{dataset}/fit_models.log",
    priority: 2  # the longest chain of steps begins here
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("fit_models"),
        runtime=minutes_of("fit_models"),
    params:
        models=SETTINGS["models"],
        edge_rules=SETTINGS["edge_rules"],
        default_criterion=SETTINGS["default_criterion"],
    script:
        "../scripts/fit_models.py"


# Does the main model describe the data, and does it depend on single therapists?
rule diagnose:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        code=code_of("diagnose"),
        dictionary=dictionary_of("diagnostics"),
    output:
        diagnostics=processed("diagnostics.parquet"),
        csv=processed("diagnostics.csv"),
        metadata=metadata_of("diagnostics"),
    log:
        "logs/{dataset}/diagnose.log",
    priority: 2  # the figures, a long step, wait for it
    resources:
        mem_mb=memory_of("diagnose"),
        runtime=minutes_of("diagnose"),
    params:
        exposure=SETTINGS["models"]["exposure"],
        edge_rules=SETTINGS["edge_rules"],
        default_criterion=SETTINGS["default_criterion"],
        seed=SETTINGS["seed"],
        most_courses=SETTINGS["monte_carlo_courses"],
    script:
        "../scripts/diagnose.py"


# A verdict for every claim, by a written rule.
rule judge_claims:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        chains=rules.fit_hidden_markov.output.models,
        probabilities=rules.probable.output.probabilities,
        chance_courses=rules.compare_with_chance.output.chance_courses,
        claims=package_file("knowledge/claims.yaml"),
        code=code_of("judge_claims"),
        dictionary=dictionary_of("claims", "components"),
    output:
        claims=processed("claims.parquet"),
        components=processed("components.parquet"),
        csv=[processed("claims.csv"), processed("components.csv")],
        metadata=metadata_of("claims", "components"),
    log:
        "logs/{dataset}/judge_claims.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("judge_claims"),
        runtime=minutes_of("judge_claims"),
    params:
        exposure=SETTINGS["models"]["exposure"],
        edge_rules=SETTINGS["edge_rules"],
        smallest=SETTINGS["claims"]["smallest"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/judge_claims.py"


# What may be shown, decided once for all that shows it.
rule disclose:
    input:
        about=rules.ingest.output.about,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        flow=rules.fit_models.output.flow,
        claims=rules.judge_claims.output.claims,
        components=rules.judge_claims.output.components,
        diagnostics=rules.diagnose.output.diagnostics,
        code=code_of("disclose"),
    output:
        gate=processed("disclosed.json"),
    log:
        "logs/{dataset}/disclose.log",
    resources:
        mem_mb=memory_of("disclose"),
        runtime=minutes_of("disclose"),
    params:
        report=SETTINGS["report"],
        default_criterion=SETTINGS["default_criterion"],
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
        exposure=SETTINGS["models"]["exposure"],
    script:
        "../scripts/disclose.py"


# What was planted into a synthetic dataset, and what criteria and models made of it.
rule compare_with_truth:
    input:
        about=rules.ingest.output.about,
        courses=rules.ingest.output.courses,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        truth=truth_files,
        code=code_of("compare_with_truth"),
        dictionary=dictionary_of("planted_ruptures", "planted_effects"),
    output:
        ruptures=processed("planted_ruptures.parquet"),
        effects=processed("planted_effects.parquet"),
        csv=[processed("planted_ruptures.csv"), processed("planted_effects.csv")],
        metadata=metadata_of("planted_ruptures", "planted_effects"),
    log:
        "logs/{dataset}/compare_with_truth.log",
    resources:
        mem_mb=memory_of("compare_with_truth"),
        runtime=minutes_of("compare_with_truth"),
    script:
        "../scripts/compare_with_truth.py"


# What other sites have found: files that `rupture-repair import` verified.
IMPORTED = sorted(map(str, Path("data/imported").glob("*.zip")))


# Estimates of all datasets and of other sites, pooled.
rule synthesise:
    input:
        about=expand(rules.ingest.output.about, dataset=DATASETS),
        measures=expand(rules.ingest.output.measures, dataset=DATASETS),
        estimates=expand(rules.fit_models.output.estimates, dataset=DATASETS),
        claims=expand(rules.judge_claims.output.claims, dataset=DATASETS),
        gates=expand(rules.disclose.output.gate, dataset=DATASETS),
        imported=IMPORTED,
        # One model over sites takes the rows of the datasets that are here.
        rows=(
            expand(
                [
                    rules.ingest.output.sessions,
                    rules.ingest.output.courses,
                    rules.detect.output.states,
                    rules.detect.output.episodes,
                    rules.detect.output.detection,
                ],
                dataset=DATASETS,
            )
            if IMPORTED
            else []
        ),
        instruments=package_file("knowledge/instruments.yaml"),
        published=package_file("knowledge/published.yaml"),
        code=code_of("synthesise"),
        dictionary=dictionary_of(
            "synthesis",
            "synthesis_studies",
            "synthesis_sites",
            "synthesis_joint",
            "figures/synthesis_forest",
        ),
    output:
        pooled="data/processed/synthesis.parquet",
        studies="data/processed/synthesis_studies.parquet",
        sites="data/processed/synthesis_sites.parquet",
        joint="data/processed/synthesis_joint.parquet",
        csv=[
            "data/processed/synthesis.csv",
            "data/processed/synthesis_studies.csv",
            "data/processed/synthesis_sites.csv",
            "data/processed/synthesis_joint.csv",
        ],
        metadata=[
            "data/processed/synthesis.csv-metadata.json",
            "data/processed/synthesis_studies.csv-metadata.json",
            "data/processed/synthesis_sites.csv-metadata.json",
            "data/processed/synthesis_joint.csv-metadata.json",
        ],
        # No dataset can have a name that begins so.
        figures=directory("reports/figures/_all"),
    log:
        "logs/all/synthesise.log",
    resources:
        mem_mb=memory_of("synthesise"),
        runtime=minutes_of("synthesise"),
    params:
        datasets=DATASETS,
        same_scores=SETTINGS["synthesis"]["same_scores"],
        default_criterion=SETTINGS["default_criterion"],
        definitions={
            "criteria": SETTINGS["criteria"],
            "edge_rules": SETTINGS["edge_rules"],
            "chance": {
                key: SETTINGS["chance"][key]
                for key in ("false_alarm", "false_alarm_of")
            },
            "models": {
                key: SETTINGS["models"][key] for key in ("exposure", "landmark")
            },
        },
    script:
        "../scripts/synthesise.py"
