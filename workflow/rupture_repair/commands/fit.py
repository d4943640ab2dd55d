"""The command ``rupture-repair fit``: a model fitted to one CSV file."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..project.reasons import in_full
from . import options

if TYPE_CHECKING:
    import pandas as pd

HELP = "fit a linear or logistic mixed model to a CSV file, without a project"
DESCRIPTION = (
    "Print a fitted mixed model. The formula is written as in lme4, for example "
    "'y ~ x * time + (1 + time | course) + (1 | therapist)'. Rows with an empty cell (or NA) in a "
    "column of the formula are left out, and counted."
)

#: Arguments of the function in Python that have another name here.
_OPTIONS = {"reml=": "--ml"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("data", type=Path, metavar="data.csv")
    add("formula")
    add("--ml", action="store_true", help="maximum likelihood instead of restricted (REML)")
    add("--ar1", metavar="SESSION",
        help="session numbers over which the residuals of a course are autocorrelated")  # fmt: skip
    add("--weights", metavar="COLUMN", help="observation weights")
    add("--family", choices=("gaussian", "binomial"), default="gaussian",
        help="binomial: a logistic model of a column of 0 and 1 (%(default)s)")  # fmt: skip
    add("--quadrature-points", type=int, default=1, metavar="N",
        help="of a logistic mixed model; 1 is Laplace's approximation (%(default)s)")  # fmt: skip
    add("--format", choices=("csv", "text"), default="text", help="(%(default)s)")
    options.add_delimiter(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..dataframes.fit_formula import fit_formula
    from ..project.csv_cells import write_csv

    file, formula = arguments.data, arguments.formula
    further = [name for name in (arguments.ar1, arguments.weights) if name is not None]
    data = _read(file, formula, further, options.delimiter(arguments.delimiter))
    try:
        fitted = fit_formula(
            formula, data, reml=not arguments.ml, ar1=arguments.ar1, weights=arguments.weights,
            family=arguments.family, quadrature_points=arguments.quadrature_points,
        )  # fmt: skip
    except ProblemsFound as found:
        raise ProblemsFound([_as_option(entry, file) for entry in found.problems]) from None
    if arguments.format == "csv":
        for note in fitted.design.notes:
            print(f"note: {in_full(note)}", file=sys.stderr)
        write_csv(fitted.as_rows(), sys.stdout, "%.12g")
        sys.stdout.flush()
    else:
        print(fitted.summary())
    return 0


def _as_option(entry: Problem, file: Path) -> Problem:
    """Return a problem with the option in place of the argument in Python, or with the file."""
    if entry.file is not None:
        option = _OPTIONS.get(entry.file, f"--{entry.file[:-1].replace('_', '-')}")
        return entry.in_file(option)
    # What the columns hold, and whether they can answer, is a matter of the file.
    return entry.in_file(file) if entry.column or entry.code in ("E522", "E523") else entry


def _read(file: Path, formula: str, further: list[str], delimiter: str) -> "pd.DataFrame":
    """Return the columns that a formula and its options name; raise what is wrong with them."""
    from ..ingest.csv_file import open_file, read_table
    from ..statistics import formulas
    from ..statistics.formula_calls import rewrite

    rewritten = rewrite(formula)
    description, random = formulas.read(rewritten)
    names = sorted(rewritten.base([*description.var_names, *rewritten.offsets, *further]))
    source, found = open_file(file, delimiter)
    if source is None:
        raise ProblemsFound(found)
    known = [name for name in source.header if name]
    absent = [
        problem("E502", key=formula, found=name, hint=did_you_mean(name, known),
                allowed=listing(known, 40))
        for name in names if name not in known
    ]  # fmt: skip
    if absent:
        raise ProblemsFound(absent)
    units = {name for blocks in random.values() for name in blocks[0][0].factor.var_names}
    response = rewritten.base(str(name) for name in description.response.term.var_names)
    categories = rewritten.factors - response
    numbers = (response | set(further)) - units
    table, found = read_table(source, names, texts=units | categories, numbers=numbers)
    errors = [entry for entry in found if entry.is_error]
    if table is None or errors:
        raise ProblemsFound(errors or found)
    return table
