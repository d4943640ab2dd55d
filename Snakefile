# From raw ratings to a report. `make report`, or `snakemake --cores all`.
# The rules are in workflow/rules, in the order of the data; the settings are in config.yaml.
import os
import shlex
import subprocess
import sys

from snakemake.utils import min_version

min_version("9.27")

# Snakemake starts the Python of each step by a line of shell, and does not quote its path: without
# this a folder with a space in its name breaks every step.
sys.executable = (
    shlex.quote(sys.executable)
    if os.name == "posix"
    else subprocess.list2cmdline([sys.executable])
)


# The image of the Containerfile; used only when asked for: --software-deployment-method apptainer
container: "rupture-repair.sif"


include: "workflow/rules/common.smk"


configfile: "config.yaml"


wildcard_constraints:
    dataset="[A-Za-z0-9][A-Za-z0-9_-]*",


include: "workflow/rules/public_data.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/detection.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/multiverse.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.write_index.output,
        expand(rules.write_report.output, dataset=DATASETS),
        expand(rules.write_explorer.output, dataset=DATASETS),
        expand(rules.write_summary.output, dataset=DATASETS),
        expand(rules.verify.output, dataset=DATASETS),
        expand(rules.probable.output, dataset=DATASETS),
        rules.write_crate.output,


onstart:
    step_log.forget_failures()
    run_note.add()


onsuccess:
    run_note.remove()


# Results are reported also when a part failed; the run still ends with an error.
onerror:
    report_with_failures()
