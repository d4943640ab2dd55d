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
    """Run the command; checks and fidelity go to the terminal, progress to stderr."""
    from .. import __version__, settings
    from ..project.problems import ProblemsFound, problem
    from ..twin import files, study
    from ..twin.make import make

    project = settings.read_here()
    seed = project.seed if arguments.seed is None else arguments.seed
    if seed < 0:
        allowed = "a whole number from 0"
        raise ProblemsFound([problem("E719", file="--seed", found=seed, allowed=allowed)])
    twin = make(study.read(arguments.dataset, project), project, seed, said=sys.stderr)
    folder = files.write(twin, __version__)
    for one in twin.checks:
        print(f"{one.check}: {one.value:.3g} (allowed: {one.limit:g}), {one.meaning}")
    apart = twin.fidelity["apart"].abs()
    print(f"\n{(apart <= 1).mean():.0%} of {len(apart)} statistics lie within one standard error "
          f"of the study, {(apart > 3).sum()} beyond three.")  # fmt: skip
    print(f"\nWritten: {folder.as_posix()}. Name {folder.name} under datasets in config.yaml and "
          "run `rupture-repair report`.")  # fmt: skip
    return 0
