# Public datasets of data/raw/register.csv: `snakemake fetch_<name>`. Nothing is fetched unasked.
import sys

REGISTER = from_here(PROJECT / register.FILE)

# A name that is not registered is reported with the nearest one that is. Snakemake knows its
# targets only after it has read this file; those of a workflow that imports this one are its own.
if workflow.modifier.is_main_snakefile():
    for asked in sys.argv[1:]:
        if asked.startswith("fetch_"):
            or_stop(register.of_dataset, asked.removeprefix("fetch_"), REGISTER)

for NAME in register.names(REGISTER):

    # Without an output it runs each time it is asked for, and verifies what is there.
    rule:
        name:
            f"fetch_{NAME}"
        input:
            code=code_of("fetch"),
        log:
            f"logs/{NAME}/fetch.log",
        localrule: True  # other machines of a cluster often have no network
        params:
            dataset=NAME,
            mirror=SETTINGS["mirror"],
            project=from_here(PROJECT),
        script:
            "../scripts/fetch.py"
