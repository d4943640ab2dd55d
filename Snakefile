# From raw ratings to a report. `make report`, or `snakemake --cores all`.
# Steps are in workflow/rules, settings in config.yaml; every problem of the settings is told
# before anything runs.
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from rupture_repair import settings
from rupture_repair.project import datasets, step_log
from rupture_repair.project.code_files import code_files
from rupture_repair.project.problems import ProblemsFound

min_version("9.27")

try:
    SETTINGS = settings.read(config)
except ProblemsFound as found:
    raise WorkflowError(f"\n{found}")

DATASETS = SETTINGS["datasets"]
# Two long steps side by side waste less time than each of them on all cores.
HALF_OF_CORES = max(1, workflow.cores // 2)
FORMS = SETTINGS["report"]["formats"]
SCRIPTS = Path(workflow.basedir) / "workflow/scripts"


def code_of(rule):
    """The library's source files that the script of a rule is made of."""
    return code_files(SCRIPTS / f"{rule}.py")


wildcard_constraints:
    dataset="[A-Za-z0-9][A-Za-z0-9_-]*",


rule all:
    default_target: True
    input:
        expand("reports/{page}.{form}", page=["index", *DATASETS], form=FORMS),
        expand("data/processed/{dataset}/verified.json", dataset=DATASETS),
        expand("reports/{dataset}-explorer.html", dataset=DATASETS),


include: "workflow/rules/fetch.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/hidden_markov.smk"
include: "workflow/rules/detect.smk"
include: "workflow/rules/agreement.smk"
include: "workflow/rules/chance.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/diagnostics.smk"
include: "workflow/rules/multiverse.smk"
include: "workflow/rules/synthesis.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"


onstart:
    step_log.forget_failures()


# What was found is reported also when a part failed; the run still ends with an error.
onerror:
    from rupture_repair.report.write_index import write_index

    failures = step_log.failures()
    for failure in failures:
        print(
            f"{failure['dataset']}: the step {failure['step']} failed, see {failure['log']}"
        )
    print(f"Report, with what failed: {write_index(Path(), SETTINGS, failures)}")
