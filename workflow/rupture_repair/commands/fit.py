"""A model fitted to any CSV file, without a project: the command ``rupture-repair fit``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..ingest.columns import Column
from ..ingest.delimited import read_columns
from ..project.parallel import one_thread
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..statistics import design, formulas, printed
from ..statistics.blocks.fit import fit_design
from ..statistics.design import Design
from ..statistics.logistic import regression
from ..statistics.no_result import NoOptimum, NotAssessable
from ..statistics.solution import Solution, least_squares
from .csv_file import MISSING, open_file

#: What the data can be said to be.
FAMILIES = ("gaussian", "binomial")


@dataclass(frozen=True)
class Options:
    """How a model is fitted.

    Attributes
    ----------
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    ar1, weights : str or None
        Columns of session numbers for autocorrelated residuals, and of observation weights.
    family : {"gaussian", "binomial"}
    quadrature_points : int
        Of a logistic model; 1 is Laplace's approximation.
    """

    reml: bool = True
    ar1: str | None = None
    weights: str | None = None
    family: str = "gaussian"
    quadrature_points: int = 1


@dataclass(frozen=True)
class Fitted:
    """A fitted model: one table for other programs, and text for people."""

    rows: pd.DataFrame
    text: str


def fit_file(path: Path, formula: str, options: Options, delimiter: str = ",") -> Fitted:
    """Fit a model to a CSV file.

    Parameters
    ----------
    path : path
        CSV in UTF-8; empty cells, NA and NaN are missing. A column whose cells are all numbers is
        numeric, any other a category.
    formula : str
        In lme4's notation.
    options : Options
    delimiter : str

    Returns
    -------
    Fitted

    Raises
    ------
    ProblemsFound
        For a file that cannot be read (E302 to E320, E711 to E719), mistakes in the formula or the
        columns (E501 to E520), options that do not go together (E521), and a model that the data
        cannot answer (E522) or that could not be fitted (E523).
    """
    _check_options(formula, options)
    table = read(path, formula, options, delimiter)
    try:
        with one_thread():
            return _fitted(formula, table, options)
    except NotAssessable as reason:
        raise ProblemsFound([problem("E522", file=path, key=formula, found=str(reason))]) from None
    except NoOptimum as reason:
        raise ProblemsFound([problem("E523", file=path, key=formula, found=str(reason))]) from None
    except ProblemsFound as found:
        # What the columns hold is a matter of the file.
        raise ProblemsFound([placed(entry, path) for entry in found.problems]) from None


def placed(entry: Problem, path: Path) -> Problem:
    """Return a problem of a column with the file that it is in."""
    return entry.in_file(path) if entry.column else entry


def read(path: Path, formula: str, options: Options, delimiter: str = ",") -> pd.DataFrame:
    """Read the columns that a formula and its options name.

    Parameters
    ----------
    path, formula, options, delimiter
        As for :func:`fit_file`.

    Returns
    -------
    DataFrame
        One row per row of the file, the index its row as a spreadsheet shows it.

    Raises
    ------
    ProblemsFound
        As :func:`fit_file`; for columns that do not exist E502.
    """
    description, random = formulas.read(formula)
    beside = [name for name in (options.ar1, options.weights) if name is not None]
    names = sorted({*description.var_names, *beside} - {""})
    source, found = open_file(path, delimiter)
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
    table, found = read_columns(source, dict.fromkeys(names, ""), ())
    errors = [entry for entry in found if entry.code.startswith("E")]
    if table is None or errors:
        raise ProblemsFound(errors or found)
    units = {name for blocks in random.values() for name in blocks[0][0].factor.var_names}
    response = {str(name) for name in description.response.term.var_names}
    columns = {}
    for name in names:
        numeric = name in response or name in beside
        columns[name] = _values(table.columns[name], name in units, numeric, errors)
    if errors:
        raise ProblemsFound(errors)
    return pd.DataFrame(columns, index=pd.Index(table.rows, name=design.FILE_ROW))


def _values(column: Column, unit: bool, numeric: bool, found: list[Problem]):
    """Return numbers, or texts where the column holds a category; report a mixture."""
    texts = column.texts.to_pylist()
    gone = np.array([text in MISSING for text in texts], dtype=bool)
    number, endless = column.kinds
    text = ~number & ~endless & ~gone
    # A few texts among numbers are faults of the file, not categories.
    if not unit and (numeric or (0 < text.sum() <= (number & ~gone).sum())):
        found += column.faults("E716", text)
        return column.each(_with_infinity(column, endless), np.nan)
    if text.any() or unit:
        names = np.array([None if empty else name for name, empty in zip(texts, gone, strict=True)])
        return pd.Series(column.each(names.astype(object), None), dtype="str").array
    return column.each(_with_infinity(column, endless), np.nan)


def _with_infinity(column: Column, endless: np.ndarray) -> np.ndarray:
    """Return the distinct values as numbers, infinity among them, so that it can be refused."""
    return np.where(endless, np.inf, column.distinct)


def _check_options(formula: str, options: Options) -> None:
    """Refuse options that do not go together."""
    said = []
    if options.family == "binomial":
        said += ["--ar1"] if options.ar1 else []
        said += ["--weights"] if options.weights else []
        said += [] if options.reml else ["--ml"]
    elif options.quadrature_points != 1:
        said.append("--quadrature-points")
    if said:
        raise ProblemsFound(
            [problem("E521", key=name, found=options.family, formula=formula) for name in said]
        )


def _fitted(formula: str, table: pd.DataFrame, options: Options) -> Fitted:
    made = design.build(formula, table, ar1=options.ar1, weights=options.weights)
    residuals = None
    if options.family == "binomial":
        found: Solution = regression.solve(made, options.quadrature_points)
        points = options.quadrature_points
        method = (
            "maximum likelihood" if not made.levels
            else "Laplace's approximation" if points == 1
            else f"adaptive Gauss-Hermite quadrature ({points} points)"
        )  # fmt: skip
    elif made.levels or made.position is not None:
        fitted = fit_design(made, options.reml)
        found, residuals = fitted.solution, fitted.residuals()
        method = _criterion(made, options.reml)
    else:
        found = least_squares(made, options.reml)
        residuals = made.outcome - made.fixed @ found.estimate
        method = _criterion(made, options.reml)
    text = printed.as_text(made, found, method, residuals)
    return Fitted(printed.as_rows(made, found), text)


def _criterion(made: Design, reml: bool) -> str:
    criterion = "REML" if reml else "maximum likelihood"
    tests = "Satterthwaite's degrees of freedom" if made.levels else "n - p degrees of freedom"
    return f"{criterion}; t-tests with {tests}"
