# Raw columns to canonical tables, with the direction and range of each measure.


# Every problem of a dataset, listed at once; nothing else of that dataset runs until it is fixed.
rule check:
    input:
        descriptor=descriptor,
        files=data_files,
        instruments=package_file("knowledge/instruments.yaml"),
        schema=package_file("knowledge/schemas/dataset.schema.yaml"),
        code=code_of("check"),
    output:
        processed("problems.json"),
    log:
        "logs/{dataset}/check.log",
    resources:
        mem_mb=memory_of("check"),
        runtime=minutes_of("check"),
    params:
        mirror=SETTINGS["mirror"],
        report=SETTINGS["report"],
    script:
        "../scripts/check.py"


rule ingest:
    input:
        checked=rules.check.output,
        descriptor=descriptor,
        files=data_files,
        instruments=package_file("knowledge/instruments.yaml"),
        code=code_of("ingest"),
        dictionary=dictionary_of("sessions", "courses", "events"),
    output:
        about=processed("dataset.json"),
        measures=processed("measures.json"),
        sessions=processed("sessions.parquet"),
        courses=processed("courses.parquet"),
        events=processed("events.parquet"),
    log:
        "logs/{dataset}/ingest.log",
    resources:
        mem_mb=memory_of("ingest"),
        runtime=minutes_of("ingest"),
    params:
        mirror=SETTINGS["mirror"],
    script:
        "../scripts/ingest.py"
