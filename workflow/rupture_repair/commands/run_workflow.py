"""Run the workflow of the folder: what ``report`` and ``real`` have in common."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: What `make` and people are told to open.
PAGE = "reports/index.html"

#: How the workflow runs on one machine; a project may have a profile of its own.
PROFILE = Path("workflow/profiles/default")


def add_cores(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--cores``."""
    parser.add_argument("--cores", default="all", help="processor cores to use (%(default)s)")


def run_workflow(datasets: Sequence[str], *, cores: str, mirror: str | None = None) -> int:
    """Build the reports, go on where a run was killed, and say how it ended.

    Parameters
    ----------
    datasets : sequence of str
        Those of config.yaml where there are none.
    cores : str
        A number, or ``all``.
    mirror : str, optional
        The folder of public datasets, instead of that in config.yaml.

    Returns
    -------
    int
        0 where all reports were built.

    Raises
    ------
    ProblemsFound
        If the folder is no project (E708), a dataset is not described (E107), Snakemake is not
        installed (E707), or another run is at work (E731, E732).
    """
    from ..project import manifest, run_note
    from ..project.datasets import descriptor
    from ..project.optional_parts import is_installed, not_installed
    from ..project.package_files import WORKFLOW
    from ..project.problems import ProblemsFound, problem

    if not Path("config.yaml").is_file():
        advice = "Go to the folder of a project, or make one: `rupture-repair init my-project`."
        raise ProblemsFound([problem("E708", advice=advice)])
    for name in datasets:
        descriptor(name, project=WORKFLOW)
    if not is_installed("snakemake"):
        raise ProblemsFound([not_installed("snakemake")])
    with run_note.only_run() as unfinished:
        if unfinished:
            print(f"An earlier run was stopped; these are made anew: {', '.join(unfinished)}")
        again = []
        for changed, outputs in manifest.changed():
            print(f"Not as it was written, and made anew: {', '.join(changed)}")
            again += outputs
        done = _snakemake(_options(datasets, cores, mirror, again))
    return _said(done)


def _options(
    datasets: Sequence[str], cores: str, mirror: str | None, again: Sequence[str]
) -> list[str]:
    """Return the options of Snakemake."""
    from ..project.package_files import WORKFLOW

    profile = PROFILE if PROFILE.is_dir() else WORKFLOW / PROFILE
    options = ["--cores", cores, "--quiet", "rules", "host", "--keep-going", "--rerun-incomplete"]
    options += ["--workflow-profile", profile.as_posix()]
    config = [f"datasets=[{','.join(datasets)}]"] if datasets else []
    config += [f"mirror={mirror}"] if mirror else []
    options += ["--config", *config] if config else []
    return options + (["--forcerun", *again] if again else [])


def _snakemake(options: Sequence[str]) -> int:
    """Run Snakemake with this Python, as one of the processes of the run; return how it ended."""
    from ..project import run_note
    from . import progress

    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "snakemake", *options]
    environment = os.environ | {"PATH": beside} | _caches()
    with_bar = sys.stderr.isatty() and sys.stdout.isatty()
    out, errors = (subprocess.PIPE, subprocess.STDOUT) if with_bar else (None, None)
    started = subprocess.Popen(command, env=environment, stdout=out, stderr=errors)
    run_note.add(started.pid)
    if with_bar:
        progress.follow(started, sys.stderr)
    while True:
        try:
            return started.wait()
        except KeyboardInterrupt:  # Snakemake has it as well, and ends its steps
            continue


def _caches() -> dict[str, str]:
    """Return where programs keep what they cache, if the home folder cannot be written."""
    if "XDG_CACHE_HOME" in os.environ or os.name != "posix":
        return {}
    try:
        (Path.home() / ".cache/snakemake").mkdir(parents=True, exist_ok=True)
    except OSError:
        here = Path(".snakemake/caches").resolve()
        return {"XDG_CACHE_HOME": str(here), "MPLCONFIGDIR": str(here / "matplotlib")}
    return {}


def _said(code: int) -> int:
    """Say how a run ended; return the exit code of the command."""
    from ..project import step_log

    if not code:
        print(f"Report: {PAGE}")
        return 0
    failed = [*step_log.failures(), *step_log.unfinished()]
    if failed:
        names = ", ".join(f"{step['dataset']} ({step['step']})" for step in failed)
        print(f"Not all reports were built: {names}. {PAGE} says why.", file=sys.stderr)
    elif code < 0:
        print("The run was stopped from outside. Start it again: it goes on.", file=sys.stderr)
    else:
        print("No report was built; the reason is above.", file=sys.stderr)
    return 1
