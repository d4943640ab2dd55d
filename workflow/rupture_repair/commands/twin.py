"""The command ``rupture-repair twin``."""

import argparse
import sys

HELP = "make a synthetic twin of a study, which can be published"
DESCRIPTION = (
    "Draw synthetic courses from models fitted to a built dataset and write them into "
    "data/raw/DATASET-twin, once it was measured that they tell nothing of a single course. The "
    "workflow runs on the twin as on any dataset."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("dataset", help="its name; its reports must be built")
    add("--seed", type=int, metavar="N", help="that of config.yaml by default")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the table of privacy goes to the terminal, progress to stderr."""
    from .. import __version__, settings
    from ..project.problems import ProblemsFound, problem
    from ..twin import files
    from ..twin.make import make

    project = settings.read_here()
    seed = project.seed if arguments.seed is None else arguments.seed
    if seed < 0:
        facts = {"found": seed, "allowed": "a whole number from 0"}
        raise ProblemsFound([problem("E719", file="--seed", **facts)])
    twin = make(arguments.dataset, project, seed, said=sys.stderr)
    for one in twin.checks:
        print(f"{one.check}: {one.value:.3g} (allowed: {one.limit:g}); {one.meaning}")
    folder = files.write(twin, __version__)
    print(f"\nWritten: {folder.as_posix()}. Name {folder.name} under datasets in config.yaml and "
          "run `rupture-repair report`.")  # fmt: skip
    return 0
