"""The command ``rupture-repair power``."""

import argparse
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..project.problems import ProblemsFound, problem
from . import options

HELP = "find how many courses a study needs, by simulation"
DESCRIPTION = (
    "Simulate studies with a planted effect of the true states of sessions, analyse them as real "
    "data are (by probabilities and by criteria) and with known states, and find the smallest "
    "number of courses for a target power. Finished studies are kept: the same call goes on where "
    "an interrupted one was."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--claim", metavar="C7", help="or a part of one: C7.open, C7.repaired, C5.leaving ... (C7)")
    add("--criterion", metavar="ID", nargs="+",
        help="one or several of knowledge/criteria.yaml (default_criterion)")  # fmt: skip
    add("--no-probabilities", dest="probabilities", action="store_const", const=False,
        help="leave out effects by probabilities: a hidden Markov model is fitted to each study, "
        "which takes seconds")  # fmt: skip
    add(
        "--effect",
        type=float,
        metavar="SIZE",
        help="of the true states, in the direction that the claim expects; 0: false alarms (0.2)",
    )
    add("--unit", metavar="UNIT",
        help="sd (within-course SD of the outcome) or points; log_odds of leaving and of repair "
        "(the first of these that the claim has)")  # fmt: skip
    add("--variant", metavar="NAME", help="of the model (ar1 for C7 and C9, main for C5)")
    add("--target", type=float, metavar="POWER", help="the power to reach (0.8)")
    add("--alpha", type=float, metavar="LEVEL", help="of the two-sided test (0.05)")
    add(
        "--replicates",
        type=int,
        metavar="N",
        help="studies per number of courses (1000; 100 with probabilities)",
    )
    add("--courses", type=int, nargs="+", metavar="N", help="numbers to try, instead of a search")
    add("--most-courses", type=int, metavar="N", help="largest number that is tried (5000)")
    add("--courses-per-therapist", type=float, metavar="N", help="those of the dataset, or 10")
    add("--dataset", metavar="NAME", help="take the values of a processed dataset")
    add("--set", action="append", default=[], metavar="NAME=VALUE",
        help="change a setting of the simulation, for example median_sessions=10")  # fmt: skip
    add("--seed", type=int, metavar="N", help="that of config.yaml by default")
    add("--cores", type=int, metavar="N", help="all by default; the result does not depend on it")
    add("--out", type=Path, metavar="FOLDER", help="of the results (reports/power/...)")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the table of numbers goes to the terminal, progress to stderr."""
    from .. import settings
    from ..figures.power import power_curve
    from ..figures.style import save
    from ..power.from_dataset import base_of
    from ..power.in_words import as_text, default_folder, title
    from ..power.plan import Wishes, make
    from ..power.run import run_plan
    from ..project.parallel import usable_cores

    project = settings.read_here()
    example = "SETTING=VALUE, for example median_sessions=10"
    stated = options.assignments(arguments.set, example)
    simulation = {".".join(key): value for key, value in stated.items()}
    given: dict[str, Any] = {
        field.name: getattr(arguments, field.name, None) for field in fields(Wishes)
    }
    given = {key: value for key, value in given.items() if value is not None}
    asked = Wishes(**given, simulation=simulation)
    if arguments.seed is not None:
        if arguments.seed < 0:
            facts = {"found": arguments.seed, "allowed": "a whole number from 0"}
            raise ProblemsFound([problem("E719", file="--seed", **facts)])
        project = replace(project, seed=arguments.seed)
    # Mistakes are reported before a dataset is read, which takes a while.
    plan = make(asked, project)
    if asked.dataset:
        plan = make(asked, project, base_of(asked.dataset, project))
    folder = arguments.out or default_folder(plan, asked.dataset)
    cores = arguments.cores or usable_cores()
    try:
        found = run_plan(plan, folder, processes=cores, progress=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nInterrupted. What is finished is kept in {folder.as_posix()}: the same call "
              "goes on from there.", file=sys.stderr)  # fmt: skip
        return 130
    drawn, numbers = power_curve(found.power, found.smallest, title=title(plan))
    save(drawn, numbers, folder / "power")
    found.smallest.to_csv(folder / "smallest.csv", index=False, lineterminator="\n")
    print(as_text(found, plan))
    print(f"\nFigure and tables: {folder.as_posix()}")
    return 0
