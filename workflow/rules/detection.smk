# Ruptures and repairs by every criterion, and how many of them chance alone would give.


# The hidden Markov model of each alliance measure: fitted once, for detection and for chance.
rule fit_hidden_markov:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        code=code_of("fit_hidden_markov"),
    output:
        models=processed("hidden_markov.json"),
    log:
        "logs/{dataset}/fit_hidden_markov.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("fit_hidden_markov"),
        runtime=minutes_of("fit_hidden_markov"),
    params:
        needed=any(row["run"] == "rupture_probability" for row in SETTINGS["criteria"]),
        soft_ends=SETTINGS["hidden_markov"]["soft_ends"],
    script:
        "../scripts/fit_hidden_markov.py"


# What these models say of each session: probabilities and expected values, as exposures.
rule probable:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        models=rules.fit_hidden_markov.output.models,
        code=code_of("probable"),
        dictionary=dictionary_of("session_probabilities"),
    output:
        probabilities=processed("session_probabilities.parquet"),
    log:
        "logs/{dataset}/probable.log",
    resources:
        mem_mb=memory_of("probable"),
        runtime=minutes_of("probable"),
    script:
        "../scripts/probable.py"


# The k of criteria with `k: calibrated`, solved on rupture-free simulations of the dataset.
rule calibrate:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        code=code_of("calibrate"),
        dictionary=dictionary_of("calibrated"),
    output:
        calibrated=processed("calibrated.parquet"),
        csv=processed("calibrated.csv"),
        metadata=metadata_of("calibrated"),
    log:
        "logs/{dataset}/calibrate.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("calibrate"),
        runtime=minutes_of("calibrate"),
    params:
        criteria=[row for row in SETTINGS["criteria"] if row["k"] == "calibrated"],
        edge_rules=SETTINGS["edge_rules"],
        false_alarm=SETTINGS["chance"]["false_alarm"],
        false_alarm_of=SETTINGS["chance"]["false_alarm_of"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/calibrate.py"


rule detect:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        events=rules.ingest.output.events,
        calibrated=rules.calibrate.output.calibrated,
        models=rules.fit_hidden_markov.output.models,
        code=code_of("detect"),
        dictionary=dictionary_of("session_states", "episodes", "detection"),
    output:
        states=processed("session_states.parquet"),
        episodes=processed("episodes.parquet"),
        detection=processed("detection.parquet"),
        csv=[processed("episodes.csv"), processed("detection.csv")],
        metadata=metadata_of("episodes", "detection"),
    log:
        "logs/{dataset}/detect.log",
    resources:
        mem_mb=memory_of("detect"),
        runtime=minutes_of("detect"),
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
    script:
        "../scripts/detect.py"


# How far every pair of criteria agrees: sessions in an episode, episodes that begin together.
rule agreement:
    input:
        states=rules.detect.output.states,
        episodes=rules.detect.output.episodes,
        code=code_of("agreement"),
        dictionary=dictionary_of("agreement"),
    output:
        agreement=processed("agreement.parquet"),
        csv=processed("agreement.csv"),
        metadata=metadata_of("agreement"),
    log:
        "logs/{dataset}/agreement.log",
    priority: 1  # the figures, a long step, wait for it
    localrule: True  # a second of work
    resources:
        mem_mb=memory_of("agreement"),
        runtime=minutes_of("agreement"),
    script:
        "../scripts/agreement.py"


# The same rules on rupture-free simulations of the dataset, and on planted falls of known depth.
rule compare_with_chance:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        calibrated=rules.calibrate.output.calibrated,
        models=rules.fit_hidden_markov.output.models,
        code=code_of("compare_with_chance"),
        dictionary=dictionary_of(
            "chance", "sensitivity", "chance_courses", "replicates"
        ),
    output:
        chance=processed("chance.parquet"),
        sensitivity=processed("sensitivity.parquet"),
        chance_courses=processed("chance_courses.parquet"),
        replicates=processed("replicates.parquet"),
        csv=[
            processed("chance.csv"),
            processed("sensitivity.csv"),
            processed("chance_courses.csv"),
        ],
        metadata=metadata_of("chance", "sensitivity", "chance_courses"),
    log:
        "logs/{dataset}/compare_with_chance.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("compare_with_chance"),
        runtime=minutes_of("compare_with_chance"),
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
        chance=SETTINGS["chance"],
        seed=SETTINGS["seed"],
        most_courses=SETTINGS["monte_carlo_courses"],
    script:
        "../scripts/compare_with_chance.py"


# What watching the courses would have shown: flags from the ratings so far, at a promised false alarm.
rule watch:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        models=rules.fit_hidden_markov.output.models,
        code=code_of("watch"),
        dictionary=dictionary_of("live"),
    output:
        live=processed("live.parquet"),
        csv=processed("live.csv"),
        metadata=metadata_of("live"),
    log:
        "logs/{dataset}/watch.log",
    resources:
        mem_mb=memory_of("watch"),
        runtime=minutes_of("watch"),
    params:
        seed=SETTINGS["seed"],
    script:
        "../scripts/watch.py"


# How far detection could go: an oracle that knows the law of ruptures, and the criteria next to it.
rule certify:
    input:
        measures=rules.ingest.output.measures,
        sessions=rules.ingest.output.sessions,
        calibrated=rules.calibrate.output.calibrated,
        models=rules.fit_hidden_markov.output.models,
        code=code_of("certify"),
        dictionary=dictionary_of("certificate"),
    output:
        certificate=processed("certificate.parquet"),
        csv=processed("certificate.csv"),
        metadata=metadata_of("certificate"),
    log:
        "logs/{dataset}/certify.log",
    threads: HALF_OF_CORES
    resources:
        mem_mb=memory_of("certify"),
        runtime=minutes_of("certify"),
    params:
        criteria=SETTINGS["criteria"],
        edge_rules=SETTINGS["edge_rules"],
        chance=SETTINGS["chance"],
        seed=SETTINGS["seed"],
    script:
        "../scripts/certify.py"
