# What all rules share: the checked settings, and the places of files.
from pathlib import Path

from snakemake.exceptions import WorkflowError

from rupture_repair import settings
from rupture_repair.project import cluster_needs, datasets, run_note, step_log
from rupture_repair.project.code_files import code_files, from_here
from rupture_repair.project.package_files import PACKAGE
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.public_data import register

# The folder of the Snakefile. Data, settings and results are in the working folder, which is
# another one with --directory, or where this workflow is a module of another.
PROJECT = Path(workflow.current_basedir).parents[1]


def or_stop(function, *arguments):
    """Return the result, or end with the texts of the problems before anything runs."""
    try:
        return function(*arguments)
    except ProblemsFound as problems:
        raise WorkflowError(f"\n{problems}")


def settings_file():
    """config.yaml, or None where another workflow or --configfile gives all settings."""
    file = Path("config.yaml")
    given = workflow.overwrite_configfiles and not file.exists()
    return None if given or workflow.modifier.skip_configfile else file


CHECKED = or_stop(settings.read, config, settings_file(), PROJECT)
# Jobs get plain data, each what it uses.
SETTINGS = CHECKED.as_dict()
DATASETS = SETTINGS["datasets"]
# Pictures and lists of the workflow are made without a number of cores.
CORES = workflow.resource_settings.cores or 1
# Two long steps at the same time waste less than each of them on all cores.
HALF_OF_CORES = max(1, CORES // 2)


def processed(name):
    """The path of a table or file of a dataset among the results."""
    return f"data/processed/{{dataset}}/{name}"


def code_of(rule):
    """The library's source files that the script of a rule is made of."""
    return code_files(PROJECT / "workflow/scripts" / f"{rule}.py")


def dictionary_of(*tables):
    """What the columns of some tables mean: it is written into the files of the tables."""
    return [
        package_file(f"knowledge/tables/{name}.yaml") for name in ("shared", *tables)
    ]


def metadata_of(*tables):
    """What describes the CSV files of some tables to other programs."""
    return [processed(f"{name}.csv-metadata.json") for name in tables]


def package_file(name):
    """A file of the library that is not code."""
    return from_here(PACKAGE / name)


def package_files(folder):
    """All files below a folder of the library, without its code."""
    files = sorted(path for path in (PACKAGE / folder).rglob("*.*") if path.is_file())
    return [from_here(path) for path in files]


def descriptor(wildcards):
    """The dataset.yaml of a dataset."""
    return datasets.descriptor(wildcards.dataset, project=PROJECT)


def data_files(wildcards):
    """The raw files of a dataset."""
    return datasets.data_files(wildcards.dataset, SETTINGS["mirror"], project=PROJECT)


def truth_files(wildcards):
    """What says beside the descriptor of a dataset what was planted into it."""
    folder = Path(descriptor(wildcards)).parent
    files = (folder / name for name in ("truth.csv", "truth_settings.yaml"))
    return [str(file) for file in files if file.exists()]


def ratings_of(wildcards):
    """How many ratings the dataset of a job has at most; of all datasets where it has all."""
    names = [wildcards.dataset] if "dataset" in wildcards.keys() else DATASETS
    return sum(
        cluster_needs.ratings(
            datasets.data_files(name, SETTINGS["mirror"], project=PROJECT)
        )
        for name in names
    )


def memory_of(step):
    """What a cluster is asked for; a profile with `retries` asks again for twice as much."""
    return lambda wildcards, attempt: cluster_needs.memory(
        step, ratings_of(wildcards), attempt
    )


def minutes_of(step):
    """How long a cluster lets a job run."""
    return lambda wildcards, attempt: cluster_needs.minutes(
        step, ratings_of(wildcards), attempt
    )


def never_began(noted):
    """Jobs that failed without a note: a cluster ended them before their step began."""
    logs = {step["log"] for step in noted}
    return [
        {
            "dataset": dict(job.wildcards.items()).get("dataset", "all"),
            "step": job.rule.name,
            "log": str(job.log[0]),
            "outputs": [str(path) for path in job.output],
        }
        for job in workflow.scheduler.failed
        if not job.is_group() and str(job.log[0]) not in logs
    ]


def report_with_failures():
    """List the steps that failed, and write the overview of what there is."""
    from rupture_repair.report.write_index import write_index

    failed, stopped = step_log.failures(), run_note.stopped()
    stopped += map(run_note.as_failure, never_began([*failed, *stopped]))
    for step in failed:
        print(f"{step['dataset']}: the step {step['step']} failed, see {step['log']}")
    for step in stopped:
        print(f"{step['dataset']}:", *step["problems"])
    page = write_index(Path(), CHECKED, [*failed, *stopped])
    missing = [file for file in rules.all.input if not Path(file).exists()]
    print("Not made:", *missing)
    print(f"Report, with what failed: {page}")
    run_note.remove()
