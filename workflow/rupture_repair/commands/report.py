"""The command ``rupture-repair report``."""

import argparse

from .run_workflow import add_cores, run_workflow

HELP = "build the reports"
DESCRIPTION = (
    "Run every step of the workflow that is not up to date, and write the reports. A run that was "
    "killed is gone on with; a table that was changed since it was written is made anew."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("dataset", nargs="*", help="names; those of config.yaml by default")
    add_cores(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 1 where a step failed."""
    return run_workflow(arguments.dataset, cores=arguments.cores)
