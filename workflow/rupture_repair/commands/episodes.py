"""The command ``rupture-repair episodes``: criteria applied to one CSV file."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..project.problems import Problem, ProblemsFound, problem
from . import options

if TYPE_CHECKING:
    import pandas as pd

    from ..dataframes.ratings import Columns

HELP = "find episodes in a CSV file of ratings, without a project"
DESCRIPTION = (
    "Print the episodes of a CSV file with one row per session as CSV, sorted by course (numbers "
    "in ids by their value), criterion as asked for, and episode. An empty rating (or NA) is the "
    "same as a row that is not there."
)

#: Columns that are printed.
EPISODES = ["course", "criterion", "episode", "onset", "first_low", "nadir", "repair", "status",
            "fall"]  # fmt: skip
STATES = ["course", "session", "criterion", "state"]

#: Arguments of the function in Python that have another name here.
_OPTIONS = {"settings=": "--set"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("ratings", type=Path, metavar="ratings.csv")
    add("--course", required=True, metavar="COLUMN")
    add("--session", required=True, metavar="COLUMN", help="whole numbers, from 0 or 1 on")
    add("--rating", required=True, metavar="COLUMN")
    add("--better", required=True, choices=("higher", "lower"))
    add("--criterion", required=True, action="append", metavar="ID[,ID...]",
        help="of knowledge/criteria.yaml")  # fmt: skip
    add("--range", nargs=2, type=float, metavar=("LO", "HI"), help="of the scale")
    add("--reliability", type=float, metavar="R",
        help="gives the reliable change, with the SD of the first ratings")  # fmt: skip
    add("--sample-sd", type=float, metavar="SD",
        help="pooled within-course SD, instead of that of the file")  # fmt: skip
    add("--instrument", metavar="ID", help="of knowledge/instruments.yaml, for rules made for one")
    add("--max-gap", type=int, metavar="N", help="session numbers back to the previous rating (2)")
    add("--cutoff", type=float, metavar="X", help="of sudden_loss, in points (reliable change)")
    add("--pooled-sd", choices=("t_test", "as_published"), help="of sudden_loss (t_test)")
    add("--set", action="append", default=[], metavar="ID.KEY=VALUE",
        help="change a setting of a criterion, for example own_mean_2sd.k=1.5")  # fmt: skip
    options.add_delimiter(parser)
    add("--states", action="store_true", help="print the state of each session instead")


def run(arguments: argparse.Namespace) -> int:
    """Run the command: episodes or states to stdout, notes to stderr."""
    from ..dataframes.about import About
    from ..dataframes.episodes import check, find
    from ..dataframes.ratings import Columns
    from ..project.csv_cells import write_csv

    file = arguments.ratings
    columns = Columns(arguments.course, arguments.session, arguments.rating)
    about = About(
        better=arguments.better,
        range=None if arguments.range is None else tuple(arguments.range),
        reliability=arguments.reliability,
        sample_sd=arguments.sample_sd,
        instrument=arguments.instrument,
        max_gap=arguments.max_gap,
    )
    criteria = [name for text in arguments.criterion for name in text.split(",") if name]
    changes = _changed_settings(arguments)
    data, noted = read_columns(file, columns, options.delimiter(arguments.delimiter))
    asked, faults = check(data, columns, about, criteria, changes)
    errors = [entry for entry in noted if entry.is_error]
    if errors or asked is None:
        raise ProblemsFound([*(as_option(entry, file) for entry in faults), *errors])
    found = find(asked)
    for note in [*(entry.text for entry in noted), *found.notes]:
        print(f"note: {note}", file=sys.stderr)
    table = found.states[STATES] if arguments.states else found.episodes[EPISODES]
    write_csv(table, sys.stdout, "%.10g")
    sys.stdout.flush()
    return 0


def read_columns(
    file: Path, columns: "Columns", delimiter: str
) -> tuple["pd.DataFrame | None", list[Problem]]:
    """Return the three columns of a file, and its problems."""
    from ..dataframes.ratings import column_faults
    from ..ingest.csv_file import open_file, read_table

    source, found = open_file(file, delimiter)
    if source is None:
        return None, found
    found = [as_option(entry, file) for entry in column_faults(source.header, columns)]
    if found:
        return None, found
    names = dict.fromkeys(columns)
    return read_table(source, names, texts=(columns.course,), as_they_are=columns[1:])


def as_option(entry: Problem, file: Path) -> Problem:
    """Return a problem with the option in place of the argument in Python, or with the file."""
    if entry.file is None:
        return entry.in_file(file)
    if not entry.file.endswith("="):
        return entry
    option = _OPTIONS.get(entry.file, f"--{entry.file[:-1].replace('_', '-')}")
    if entry.code in ("E714", "E715"):
        return replace(entry, file=str(file), key=option)
    return entry.in_file(file if option == "--data" else option)


def _changed_settings(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the settings of criteria that the command line changes."""
    changes: dict[str, dict[str, Any]] = {}
    if arguments.cutoff is not None:
        changes.setdefault("sudden_loss", {})["floor"] = arguments.cutoff
    if arguments.pooled_sd is not None:
        changes.setdefault("sudden_loss", {})["pooled_sd"] = arguments.pooled_sd
    example = "CRITERION.SETTING=VALUE, for example own_mean_2sd.k=1.5"
    for path, value in options.assignments(arguments.set, example, keys=2).items():
        group: Any = changes
        for key in path[:-1]:
            group = group.setdefault(key, {}) if isinstance(group, dict) else None
        if not isinstance(group, dict):
            found = ".".join(path)
            raise ProblemsFound([problem("E719", file="--set", found=found, allowed=example)])
        group[path[-1]] = value
    return changes
