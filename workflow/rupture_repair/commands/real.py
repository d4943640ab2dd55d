"""The command ``rupture-repair real``."""

import argparse
from pathlib import Path

from .run_workflow import add_cores, run_workflow

HELP = "build the reports of the four public datasets"
DESCRIPTION = "Build the reports of the public datasets from a folder that holds their files."

#: Public datasets that the workflow describes.
DATASETS = ("couples_diary", "cbasp_sessions", "enrichd_bdi", "panss_psychiatrists")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--mirror", default="../shared/data",
        help="folder with the public datasets (%(default)s)")  # fmt: skip
    add_cores(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 1 where the folder is missing or a step failed."""
    from ..project.problems import ProblemsFound, problem

    if not Path(arguments.mirror).is_dir():
        raise ProblemsFound([problem("E711", file=arguments.mirror, hint="")])
    return run_workflow(DATASETS, cores=arguments.cores, mirror=arguments.mirror)
