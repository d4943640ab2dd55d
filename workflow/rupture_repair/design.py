"""From a formula in lme4's notation and a table to the matrices of a mixed model.

The formula is read by the library formulae; here its answer is checked, rows with missing values
are left out, and what the data cannot tell is taken out of the model with a note: columns that are
combinations of others, random slopes with too few rows, levels with one unit.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .problems import ProblemsFound, did_you_mean, listing, problem

Floats = NDArray[np.float64]

#: Functions that a formula may use, beside those of formulae (I, center, scale, C, bs, ...).
FUNCTIONS = {"log": np.log, "log1p": np.log1p, "exp": np.exp, "sqrt": np.sqrt}

#: A column that the others explain up to this share of its length is a combination of them.
ALIASED = 1e-7


class NotAssessable(Exception):
    """The data cannot answer the question; the text says why."""


@dataclass(frozen=True)
class Level:
    """One level of random effects.

    Attributes
    ----------
    factor : str
        Column that names the units, for example course.
    codes : ndarray of int, shape (rows,)
        Unit of each row, from 0.
    units : int
    names : tuple of str
        Names of the random effects: "Intercept", or a column, or both in this order.
    columns : ndarray, shape (rows, len(names))
        Their design.
    """

    factor: str
    codes: NDArray[np.intp]
    units: int
    names: tuple[str, ...]
    columns: Floats


@dataclass(frozen=True)
class Design:
    """The matrices of a linear mixed model.

    Attributes
    ----------
    outcome : ndarray, shape (rows,)
    fixed : ndarray, shape (rows, terms)
        Full column rank.
    terms : tuple of str
    levels : tuple of Level
        Nested, from the lowest (most units) to the highest.
    counts : dict of str to int
        Distinct values, in the rows analysed, of the columns course and therapist and of the
        grouping factors, as far as the table has them.
    notes : tuple of str
        What was left out of the model or the data, and why.
    """

    outcome: Floats
    fixed: Floats
    terms: tuple[str, ...]
    levels: tuple[Level, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def courses(self) -> int:
        """Courses analysed: by the column course, else units of the lowest level, else rows."""
        lowest = self.levels[0].units if self.levels else len(self.outcome)
        return self.counts.get("course", lowest)

    @property
    def parameters(self) -> int:
        """Number of parameters, counted as lme4 does: fixed, (co)variances, residual."""
        sizes = (len(level.names) for level in self.levels)
        return len(self.terms) + sum(size * (size + 1) // 2 for size in sizes) + 1


def build(formula: str, table: pd.DataFrame) -> Design:
    """Return the matrices of a formula.

    Parameters
    ----------
    formula : str
        In lme4's notation, for example ``y ~ x * time + (1 + time | course) + (1 | therapist)``.
        A level may have an intercept, one slope, or both (then correlated); levels are nested.
    table : DataFrame
        One row per observation; rows with a missing value in a column of the formula are left out.

    Returns
    -------
    Design

    Raises
    ------
    ProblemsFound
        For a formula that cannot be read or is not supported, an unknown column, an outcome that
        is text, infinite values.
    NotAssessable
        If the data cannot answer the question: no rows, an outcome that does not vary.
    """
    description = _read(formula)
    _check_columns(formula, description, table)
    factors = list(dict.fromkeys(term.factor.name for term in description.group_terms))
    absent = [factor for factor in factors if factor in table and table[factor].isna().all()]
    kept, notes = _complete_rows(table, [*description.var_names], absent)
    notes += [f"no {factor} is named: fitted without the {factor} level" for factor in absent]
    kept = _usable_categories(kept)
    outcome = _outcome(formula, description, kept)
    fixed, terms = _matrix(formula, description.common_terms, kept)
    fixed, terms, aliased = _full_rank(fixed, terms)
    if aliased:
        notes.append(
            f"left out, being constant or a combination of other terms: {listing(aliased)}"
        )
    wanted = [factor for factor in factors if factor not in absent]
    levels = [_level(formula, description, factor, kept) for factor in wanted]
    levels = sorted(levels, key=lambda level: -level.units)
    _check_nested(formula, levels)
    levels, simplified = _identifiable(levels)
    notes += simplified
    counted = [name for name in dict.fromkeys(["course", "therapist", *wanted]) if name in kept]
    counts = {name: int(kept[name].nunique()) for name in counted}
    return Design(outcome, fixed, tuple(terms), tuple(levels), counts, tuple(notes))


def _read(formula: str):
    """Return formulae's description of a formula, refusing what it would misread."""
    from formulae import model_description
    from formulae.scanner import Scanner

    def unreadable(why: str) -> ProblemsFound:
        return ProblemsFound([problem("E501", key=formula, found=why)])

    try:
        description = model_description(formula)
        tokens = Scanner(formula).scan()
    except Exception as error:
        raise unreadable(" ".join(str(error).split()) or type(error).__name__) from error
    if description.response is None:
        raise unreadable("no outcome stands before '~'")
    kinds = [token.kind for token in tokens]
    if any(pair == ("PIPE", "PIPE") for pair in pairwise(kinds)):
        raise ProblemsFound([problem("E505", key=formula, found="'||' (uncorrelated effects)")])
    # formulae stops in silence at a token that it does not expect.
    written = {
        token.lexeme.strip("`")
        for token, after in zip(tokens, [*kinds[1:], None], strict=True)
        if token.kind in ("IDENTIFIER", "BQNAME") and after != "LEFT_PAREN"
    }
    unread = sorted(written - set(description.var_names))
    if unread:
        raise unreadable(f"nothing was made of {listing(unread)}")
    factors = {term.factor.name for term in description.group_terms}
    if kinds.count("PIPE") > len(factors):
        raise ProblemsFound(
            [problem("E505", key=formula, found="a grouping column used in two random terms")]
        )
    return description


def _check_columns(formula: str, description, table: pd.DataFrame) -> None:
    """Raise if the formula names columns that the table does not have, or infinite values."""
    names = sorted(name for name in description.var_names if name)
    allowed = [str(column) for column in table.columns]
    problems = [
        problem(
            "E502",
            key=formula,
            found=name,
            hint=did_you_mean(name, allowed),
            allowed=listing(allowed),
        )
        for name in names
        if name not in table
    ]
    for name in names:
        if name in table and pd.api.types.is_numeric_dtype(table[name]):
            infinite = np.flatnonzero(np.isinf(table[name].to_numpy(float, na_value=np.nan)))
            if len(infinite):
                row, more = int(infinite[0]) + 2, len(infinite) - 1
                problems.append(problem("E506", column=name, row=row, more=more))
    if problems:
        raise ProblemsFound(problems)


def _complete_rows(
    table: pd.DataFrame, names: list[str], absent: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows without missing values in the columns named, and a note on the others."""
    names = sorted(name for name in names if name and name not in absent)
    if table.empty:
        raise NotAssessable("there are no rows to analyse")
    missing = table[names].isna()
    incomplete = missing.any(axis=1)
    if incomplete.all():
        empty = [name for name in names if missing[name].all()]
        raise NotAssessable(f"no complete rows{f': {listing(empty)} missing' if empty else ''}")
    kept = table[~incomplete].reset_index(drop=True)
    if not incomplete.any():
        return kept, []
    by_column = missing.sum()
    which = listing(f"{name} {count}" for name, count in by_column[by_column > 0].items())
    return kept, [f"{incomplete.sum()} of {len(table)} rows left out with missing values ({which})"]


def _usable_categories(kept: pd.DataFrame) -> pd.DataFrame:
    """Drop categories that do not occur; a text or category without contrast becomes zero.

    Such a column is then found to be constant, and named, instead of stopping formulae.
    """
    changed = {}
    for name, column in kept.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            changed[name] = column.cat.remove_unused_categories()
        if not pd.api.types.is_numeric_dtype(column) and column.nunique() < 2:
            changed[name] = 0.0
    return kept.assign(**changed)


def _evaluated(formula: str, terms: list, kept: pd.DataFrame):
    """Let formulae evaluate fixed terms on complete rows."""
    from formulae.environment import Environment
    from formulae.matrices import DesignMatrices
    from formulae.terms.terms import Model

    try:
        return DesignMatrices(Model(*terms), kept, Environment([FUNCTIONS]))
    except KeyError as error:
        name = str(error).strip("'\"")
        raise ProblemsFound(
            [
                problem(
                    "E502",
                    key=formula,
                    found=name,
                    hint=did_you_mean(name, FUNCTIONS),
                    allowed=listing(FUNCTIONS),
                )
            ]
        ) from error


def _matrix(formula: str, terms: list, kept: pd.DataFrame) -> tuple[Floats, list[str]]:
    """Return the design of fixed terms and the names of its columns."""
    if not terms:
        raise ProblemsFound([problem("E501", key=formula, found="there is no fixed term")])
    frame = _evaluated(formula, terms, kept).common.as_dataframe()
    return frame.to_numpy(float), [str(name) for name in frame.columns]


def _outcome(formula: str, description, kept: pd.DataFrame) -> Floats:
    """Return the outcome; refuse text, and an outcome that does not vary."""
    term = description.response.term
    name = term.name
    if name in kept and not pd.api.types.is_numeric_dtype(kept[name]):
        raise ProblemsFound([problem("E503", column=name, found=listing(kept[name].unique(), 3))])
    values = _evaluated(formula, [term], kept).common.design_matrix
    if values.shape[1] != 1:
        raise ProblemsFound([problem("E503", column=name, found="several columns")])
    outcome = values[:, 0].astype(float)
    if np.ptp(outcome) <= 1e-12 * max(1.0, np.abs(outcome).max()):
        raise NotAssessable(
            f"{name} does not vary: it is {outcome[0]:g} in all {len(outcome)} rows"
        )
    return outcome


def _full_rank(fixed: Floats, terms: list[str]) -> tuple[Floats, list[str], list[str]]:
    """Drop each column that is a combination of columns before it, as R does."""
    centred = fixed - fixed.mean(axis=0) if "Intercept" in terms else fixed
    # What is left of a constant column after centring is rounding.
    scale = np.linalg.norm(fixed, axis=0)
    length = np.linalg.norm(centred, axis=0)
    varies = length > 1e-10 * scale
    kept: list[int] = []
    basis = np.empty((len(fixed), 0))
    for column, term in enumerate(terms):
        if term == "Intercept":
            kept.append(column)
        elif varies[column]:
            rest = centred[:, column] / length[column]
            for _ in range(2):  # the second pass removes the rounding of the first
                rest = rest - basis @ (basis.T @ rest)
            if np.linalg.norm(rest) > ALIASED:
                kept.append(column)
                basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    aliased = [term for column, term in enumerate(terms) if column not in kept]
    return fixed[:, kept], [terms[column] for column in kept], aliased


def _level(formula: str, description, factor: str, kept: pd.DataFrame) -> Level:
    """Return the random effects of one grouping factor."""
    mine = [term for term in description.group_terms if term.factor.name == factor]
    columns, names = _matrix(formula, [term.expr for term in mine], kept)
    if len(names) > 2 or (len(names) == 2 and names[0] != "Intercept"):
        found = f"({' + '.join(names)} | {factor})"
        raise ProblemsFound([problem("E505", key=formula, found=found)])
    parts = [kept[name].astype("str") for name in mine[0].factor.var_names]
    codes = kept.groupby([part.to_numpy() for part in parts], sort=True).ngroup().to_numpy()
    return Level(factor, codes.astype(np.intp), int(codes.max()) + 1, tuple(names), columns)


def _check_nested(formula: str, levels: list[Level]) -> None:
    """Raise unless each unit of a level lies in one unit of the next."""
    for lower, upper in pairwise(levels):
        pairs = len(np.unique(lower.codes.astype(np.int64) * upper.units + upper.codes))
        if pairs > lower.units:
            raise ProblemsFound(
                [problem("E504", key=formula, lower=lower.factor, upper=upper.factor)]
            )


def _identifiable(levels: list[Level]) -> tuple[list[Level], list[str]]:
    """Take out random effects that the data cannot tell from the residual or from each other."""
    kept: list[Level] = []
    notes: list[str] = []
    for level in levels:
        rows, effects = len(level.codes), level.units * len(level.names)
        if level.units < 2:
            notes.append(f"only one {level.factor}: fitted without the {level.factor} level")
        elif kept and kept[-1].units == level.units and level.names == ("Intercept",):
            notes.append(
                f"each {level.factor} has one {kept[-1].factor}: fitted without the "
                f"{level.factor} level"
            )
        elif rows > effects:
            kept.append(level)
        elif len(level.names) == 2 and rows > level.units:
            notes.append(
                f"the random slope of {level.names[1]} given {level.factor} cannot be told from "
                f"the residual ({rows} rows, {effects} random effects): fitted with the random "
                "intercept only"
            )
            columns, names = level.columns[:, :1], level.names[:1]
            kept.append(Level(level.factor, level.codes, level.units, names, columns))
        else:
            notes.append(
                f"the random effects of {level.factor} cannot be told from the residual ({rows} "
                f"rows, {level.units} units): fitted without the {level.factor} level"
            )
    return kept, notes
