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


# All steps of a dataset.
STEPS = (
    rules.check,
    rules.ingest,
    rules.fit_hidden_markov,
    rules.probable,
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
    rules.disclose,
    rules.plan_multiverse,
    rules.run_multiverse,
    rules.verify,
    rules.draw_figures,
    rules.write_report,
    rules.write_summary,
    rules.write_explorer,
)


rule all:
    default_target: True
    # Every table and page, so that one that a killed run left unwritten is made even where all that
    # follows from it is there.
    input:
        [expand(step.output, dataset=DATASETS) for step in STEPS],
        rules.synthesise.output,
        rules.write_explorer_library.output,
        rules.write_index.output,
        rules.write_crate.output,


onstart:
    step_log.forget_failures()
    run_note.add()


onsuccess:
    run_note.remove()


# Results are reported also when a part failed; the run still ends with an error.
onerror:
    report_with_failures()
