# What people read: tests on the outputs, figures, the report of each dataset in every form asked
# for, its explorer, and the overview of all datasets.

FORMS = SETTINGS["report"]["formats"]
TEMPLATES = package_files("report/templates")
RULE_FILES = [PROJECT / "Snakefile", *sorted(PROJECT.glob("workflow/rules/*.smk"))]


# The name of an explorer would also be that of a report of a dataset "...-explorer".
ruleorder: write_explorer > write_report


# Tests on the outputs, part of every run.
rule verify:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        flow=rules.fit_models.output.flow,
        agreement=rules.agreement.output.agreement,
        plan=rules.plan_multiverse.output.plan,
        multiverse=rules.run_multiverse.output.estimates,
        summary=rules.run_multiverse.output.summary,
        claims=rules.judge_claims.output.claims,
        diagnostics=rules.diagnose.output.diagnostics,
        csv=[
            step.output.csv
            for step in (
                rules.calibrate,
                rules.detect,
                rules.agreement,
                rules.compare_with_chance,
                rules.watch,
                rules.certify,
                rules.fit_models,
                rules.diagnose,
                rules.judge_claims,
                rules.compare_with_truth,
                rules.plan_multiverse,
                rules.run_multiverse,
            )
        ],
        code=code_of("verify"),
    output:
        processed("verified.json"),
    log:
        "logs/{dataset}/verify.log",
    resources:
        mem_mb=memory_of("verify"),
        runtime=minutes_of("verify"),
    params:
        criteria=SETTINGS["criteria"],
        onset_inside_episode=SETTINGS["edge_rules"]["onset_inside_episode"],
        failed_fit=SETTINGS["models"]["failed_fit"],
    script:
        "../scripts/verify.py"


# Figures, each as PNG, SVG and the CSV of the numbers drawn.
rule draw_figures:
    input:
        gate=rules.disclose.output.gate,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        chance=rules.compare_with_chance.output.chance,
        sensitivity=rules.compare_with_chance.output.sensitivity,
        agreement=rules.agreement.output.agreement,
        multiverse=rules.run_multiverse.output.estimates,
        choices=rules.run_multiverse.output.choices,
        diagnostics=rules.diagnose.output.diagnostics,
        planted_effects=rules.compare_with_truth.output.effects,
        code=code_of("draw_figures"),
        dictionary=dictionary_of(
            "figures/agreement",
            "figures/autocorrelation",
            "figures/components",
            "figures/courses",
            "figures/criterion_pictures",
            "figures/effects_forest",
            "figures/ending_hazard",
            "figures/episode_shapes",
            "figures/episodes_per_criterion",
            "figures/influence",
            "figures/normal_quantiles",
            "figures/observed_and_expected",
            "figures/over_sessions",
            "figures/raster",
            "figures/residuals",
            "figures/sensitivity",
            "figures/specification_curve",
        ),
    output:
        figures=directory("reports/figures/{dataset}"),
    log:
        "logs/{dataset}/draw_figures.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("draw_figures"),
        runtime=minutes_of("draw_figures"),
    params:
        default_criterion=SETTINGS["default_criterion"],
        edge_rules=SETTINGS["edge_rules"],
        exposure=SETTINGS["models"]["exposure"],
    script:
        "../scripts/draw_figures.py"


rule write_report:
    input:
        checked=rules.check.output,
        gate=rules.disclose.output.gate,
        about=rules.ingest.output.about,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        chance=rules.compare_with_chance.output.chance,
        sensitivity=rules.compare_with_chance.output.sensitivity,
        certificate=rules.certify.output.certificate,
        multiverse=rules.run_multiverse.output.estimates,
        summary=rules.run_multiverse.output.summary,
        choices=rules.run_multiverse.output.choices,
        claims=rules.judge_claims.output.claims,
        flow=rules.fit_models.output.flow,
        components=rules.judge_claims.output.components,
        diagnostics=rules.diagnose.output.diagnostics,
        planted_ruptures=rules.compare_with_truth.output.ruptures,
        planted_effects=rules.compare_with_truth.output.effects,
        live=rules.watch.output.live,
        figures=rules.draw_figures.output.figures,
        templates=TEMPLATES,
        code=code_of("write_report"),
    output:
        expand("reports/{{dataset}}.{form}", form=FORMS),
    log:
        "logs/{dataset}/write_report.log",
    threads: min(len(FORMS), HALF_OF_CORES)  # each form takes seconds
    resources:
        mem_mb=memory_of("write_report"),
        runtime=minutes_of("write_report"),
    params:
        settings=SETTINGS,
    script:
        "../scripts/write_report.py"


# A picture of the size of a slide, and its words.
rule write_summary:
    input:
        gate=rules.disclose.output.gate,
        about=rules.ingest.output.about,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        courses=rules.ingest.output.courses,
        events=rules.ingest.output.events,
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        detection=rules.detect.output.detection,
        estimates=rules.fit_models.output.estimates,
        chance=rules.compare_with_chance.output.chance,
        planted_ruptures=rules.compare_with_truth.output.ruptures,
        planted_effects=rules.compare_with_truth.output.effects,
        code=code_of("write_summary"),
    output:
        png="reports/{dataset}-summary.png",
        text="reports/{dataset}-summary.txt",
    log:
        "logs/{dataset}/write_summary.log",
    wildcard_constraints:
        dataset="|".join(DATASETS),
    resources:
        mem_mb=memory_of("write_summary"),
        runtime=minutes_of("write_summary"),
    params:
        settings=SETTINGS,
    script:
        "../scripts/write_summary.py"


# What every explorer shares depends on the versions of its libraries alone.
rule write_explorer_library:
    input:
        lock=from_here(PROJECT / "requirements.lock"),
        code=code_of("write_explorer_library"),
    output:
        library="data/processed/explorer_library.json",
    log:
        "logs/all/write_explorer_library.log",
    localrule: True  # a second of work
    resources:
        mem_mb=memory_of("write_explorer_library"),
        runtime=minutes_of("write_explorer_library"),
    script:
        "../scripts/write_explorer_library.py"


# A page on which the settings of a criterion can be moved; every count is computed here.
rule write_explorer:
    input:
        gate=rules.disclose.output.gate,
        about=rules.ingest.output.about,
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        events=rules.ingest.output.events,
        detection=rules.detect.output.detection,
        calibrated=rules.calibrate.output.calibrated,
        chance=rules.compare_with_chance.output.chance,
        replicates=rules.compare_with_chance.output.replicates,
        models=rules.fit_hidden_markov.output.models,
        library=rules.write_explorer_library.output.library,
        style=package_file("report/templates/style.css"),
        templates=package_files("explorer/templates"),
        code=code_of("write_explorer"),
    output:
        "reports/{dataset}-explorer.html",
    log:
        "logs/{dataset}/write_explorer.log",
    wildcard_constraints:
        dataset="|".join(DATASETS),
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("write_explorer"),
        runtime=minutes_of("write_explorer"),
    params:
        criteria=SETTINGS["criteria"],
        default_criterion=SETTINGS["default_criterion"],
        edge_rules=SETTINGS["edge_rules"],
    script:
        "../scripts/write_explorer.py"


rule write_index:
    input:
        expand(rules.write_report.output, dataset=DATASETS),
        expand(rules.verify.output, dataset=DATASETS),
        synthesis=rules.synthesise.output.pooled,
        templates=TEMPLATES,
        code=code_of("write_index"),
    output:
        expand("reports/index.{form}", form=FORMS),
    log:
        "logs/all/write_index.log",
    resources:
        mem_mb=memory_of("write_index"),
        runtime=minutes_of("write_index"),
    params:
        settings=SETTINGS,
    script:
        "../scripts/write_index.py"


# What each step read and wrote, for archives (Workflow Run RO-Crate): the last step of a run.
rule write_crate:
    input:
        rules.write_index.output,
        expand(rules.write_report.output, dataset=DATASETS),
        expand(rules.write_explorer.output, dataset=DATASETS),
        expand(rules.write_summary.output, dataset=DATASETS),
        expand(rules.probable.output, dataset=DATASETS),
        expand(rules.verify.output, dataset=DATASETS),
        rules=[from_here(file) for file in RULE_FILES],
        code=code_of("write_crate"),
    output:
        record="reports/ro-crate-metadata.json",
        rules=directory("reports/workflow"),
    log:
        "logs/all/write_crate.log",
    resources:
        mem_mb=memory_of("write_crate"),
        runtime=minutes_of("write_crate"),
    params:
        settings=SETTINGS,
    script:
        "../scripts/write_crate.py"
