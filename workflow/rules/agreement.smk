# How far every pair of criteria agrees: sessions in an episode, episodes that begin together.


rule agreement:
    input:
        states="data/processed/{dataset}/session_states.parquet",
        episodes="data/processed/{dataset}/episodes.parquet",
        code=code_of("agreement"),
    output:
        multiext("data/processed/{dataset}/agreement", ".parquet", ".csv"),
    log:
        "logs/{dataset}/agreement.log",
    priority: 1  # the figures, a long step, wait for it
    script:
        "../scripts/agreement.py"
