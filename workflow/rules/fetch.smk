# Public datasets of data/raw/register.csv: `snakemake fetch_<name>`. Nothing is fetched unasked.
from rupture_repair.public_data import register

for NAME in register.names():

    # Without an output it runs each time it is asked for, and verifies what is there.
    rule:
        name:
            f"fetch_{NAME}"
        input:
            code=code_of("fetch"),
        log:
            f"logs/{NAME}/fetch.log",
        params:
            dataset=NAME,
            mirror=SETTINGS["mirror"],
        script:
            "../scripts/fetch.py"


# Any other name is told with the nearest one that is registered. Nothing is ever written.
rule fetch_unknown:
    output:
        "fetch_{unknown}",
    log:
        "logs/{unknown}/fetch.log",
    wildcard_constraints:
        unknown="[A-Za-z0-9_-]+",
    params:
        dataset=lambda wildcards: wildcards.unknown,
        mirror=None,
    script:
        "../scripts/fetch.py"
