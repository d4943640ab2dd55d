"""From a formula in lme4's notation and a table to the matrices of a mixed model.

The formula is read by the library formulae; here its answer is checked, rows with missing values
are left out, and what the data cannot tell is taken out of the model with a note: columns that are
combinations of others, random slopes with too few rows, levels with one unit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from ..project.arrays import Flags, Floats, Integers
from ..project.file_rows import FILE_ROW, row_numbers
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..project.reasons import because
from . import formulas
from .formula_calls import Rewritten, rewrite
from .no_result import NotAssessable

#: A column that the others explain up to this share of its length is a combination of them.
ALIASED = 1e-7


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
        Names of the random effects, "Intercept" among them or not.
    columns : ndarray, shape (rows, len(names))
        Their design.
    blocks : tuple of int
        Sizes of the groups of effects that are correlated with each other, in the order of names.
    evaluate : callable
        From a table to the columns of its rows.
    named : callable
        Returns the names of the units.
    """

    factor: str
    codes: Integers
    units: int
    names: tuple[str, ...]
    columns: Floats
    blocks: tuple[int, ...]
    evaluate: Callable[[pd.DataFrame], Floats]
    named: Callable[[], Sequence[str]]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the units."""
        return tuple(self.named())


@dataclass(frozen=True)
class Design:
    """The matrices of a linear mixed model.

    Attributes
    ----------
    formula : str
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
    rows : ndarray of int, shape (rows,)
        Positions, in the table given, of the rows analysed.
    evaluate : callable
        From a table to the fixed columns of its rows.
    weights : ndarray, shape (rows,), or None
        Observation weights: the variance of a row is the residual variance over its weight.
    position : ndarray of int, shape (rows,), or None
        Session numbers over which residuals are autocorrelated.
    ar1 : str or None
        The column that holds them.
    """

    formula: str
    outcome: Floats
    fixed: Floats
    terms: tuple[str, ...]
    levels: tuple[Level, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]
    rows: Integers
    evaluate: Callable[[pd.DataFrame], Floats]
    weights: Floats | None = None
    position: Integers | None = None
    ar1: str | None = None

    @property
    def courses(self) -> int:
        """Courses analysed: by the column course, else units of the lowest level, else rows."""
        lowest = self.levels[0].units if self.levels else len(self.outcome)
        return self.counts.get("course", lowest)

    @property
    def parameters(self) -> int:
        """Number of parameters, counted as lme4 does: fixed, (co)variances, residual."""
        sizes = [size for level in self.levels for size in level.blocks]
        covariances = sum(size * (size + 1) // 2 for size in sizes)
        return len(self.terms) + covariances + 1 + (self.position is not None)


def build(
    formula: str, table: pd.DataFrame, *, weights: str | None = None, ar1: str | None = None
) -> Design:
    """Return the matrices of a formula.

    Parameters
    ----------
    formula : str
        In lme4's notation, for example ``y ~ x * time + (1 + time | course) + (1 | therapist)``;
        ``||`` for random effects without correlation.
    table : DataFrame
        One row per observation; rows with a missing value in a column of the formula are left out.
    weights : str, optional
        Column of observation weights.
    ar1 : str, optional
        Column of session numbers over which the residuals of a course are autocorrelated.

    Returns
    -------
    Design

    Raises
    ------
    ProblemsFound
        For a formula that cannot be read, an unknown column, an outcome that is text, infinite
        values, weights that are not positive, session numbers that are not whole or occur twice.
    NotAssessable
        If the data cannot answer the question: no rows, an outcome that does not vary.
    """
    rewritten = rewrite(formula)
    description, random = formulas.read(rewritten)
    table = rewritten.add(table)
    table = table.set_axis(pd.Index(row_numbers(table), name=FILE_ROW))
    beside = [name for name in (weights, ar1) if name is not None]
    names = [name for name in [*description.var_names, *beside, *rewritten.offsets] if name]
    _check_columns(formula, names, table)
    factors = list(random)
    absent = [factor for factor in factors if factor in table and table[factor].isna().all()]
    rows, notes = _complete_rows(table, names, absent)
    notes += [because("nobody_named", level=factor, upper=factor) for factor in absent]
    whole = len(rows) == len(table)
    kept = pd.DataFrame({name: table[name] for name in dict.fromkeys(names)}, copy=False)
    kept = _usable_categories(kept if whole else kept.iloc[rows])
    outcome = _outcome(formula, description, kept)
    for label in rewritten.offsets:
        outcome = outcome - kept[label].to_numpy(float)
        notes.append(because("offset", term=label))
    fixed, names, evaluate = _matrix(formula, description.common_terms, kept)
    fixed, terms, aliased = _full_rank(fixed, names)
    places = [names.index(term) for term in terms]
    if aliased:
        notes.append(because("aliased", terms=listing(aliased)))
    present = [_level(formula, random[name], kept) for name in factors if name not in absent]
    levels, simplified = _identifiable(sorted(present, key=lambda level: -level.units))
    counts = {level.factor: level.units for level in present if level.factor in table}
    counted = {"course", "therapist", *factors} & set(table.columns) - set(counts)
    for name in sorted(counted):
        counts[name] = int((table[name] if whole else table[name].iloc[rows]).nunique())

    def of_table(new: pd.DataFrame) -> Floats:
        return evaluate(rewritten.add(new))[:, places]

    levels = tuple(_with_calls(level, rewritten) for level in levels)

    return Design(
        formula=formula,
        outcome=outcome,
        fixed=fixed,
        terms=tuple(terms),
        levels=levels,
        counts=counts,
        notes=(*notes, *simplified),
        rows=rows,
        evaluate=of_table,
        weights=None if weights is None else _weights(weights, kept),
        position=None if ar1 is None else _position(ar1, kept, levels),
        ar1=ar1,
    )


def _with_calls(level: Level, rewritten: Rewritten) -> Level:
    """Return a level that makes the columns of calls in new tables as well."""
    evaluate = level.evaluate
    return replace(level, evaluate=lambda new: evaluate(rewritten.add(new)))


def restricted(design: Design, keep: Flags) -> Design:
    """Return the same model on some of its rows.

    Parameters
    ----------
    design : Design
    keep : ndarray of bool, shape (rows,)

    Returns
    -------
    Design
        As :func:`build` returns it for these rows: what they cannot tell is left out and noted.
        `counts` are of the levels only.

    Raises
    ------
    NotAssessable
        If no row is left, or the outcome does not vary in those that are.
    """
    outcome = design.outcome[keep]
    if not len(outcome) or np.ptp(outcome) <= 1e-12 * max(1.0, np.abs(outcome).max()):
        raise NotAssessable("the outcome does not vary in the rows that are left")
    fixed, terms, aliased = _full_rank(design.fixed[keep], list(design.terms))
    places = [design.terms.index(term) for term in terms]
    levels = []
    for level in design.levels:
        units, codes = np.unique(level.codes[keep], return_inverse=True)
        labels = tuple(level.labels[unit] for unit in units)
        named = partial(tuple, labels)
        columns = level.columns[keep]
        levels.append(replace(level, codes=codes, units=len(units), columns=columns, named=named))
    kept, notes = _identifiable(sorted(levels, key=lambda level: -level.units))
    if aliased:
        notes.insert(0, because("aliased_here", terms=listing(aliased)))
    return replace(
        design,
        outcome=outcome,
        fixed=fixed,
        terms=tuple(terms),
        levels=kept,
        counts={level.factor: level.units for level in levels},
        notes=(*design.notes, *notes),
        rows=design.rows[keep],
        evaluate=lambda new: design.evaluate(new)[:, places],
        weights=None if design.weights is None else design.weights[keep],
        position=None if design.position is None else design.position[keep],
    )


def _check_columns(formula: str, names: list[str], table: pd.DataFrame) -> None:
    """Raise if columns are named that the table does not have, or that hold infinite values."""
    names = sorted(set(names))
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
        if name in table and pd.api.types.is_float_dtype(table[name]):
            infinite = np.flatnonzero(np.isinf(table[name].to_numpy(float, na_value=np.nan)))
            if len(infinite):
                problems.append(_at_rows("E506", name, row_numbers(table)[infinite]))
    if problems:
        raise ProblemsFound(problems)


def _complete_rows(
    table: pd.DataFrame, names: list[str], absent: list[str]
) -> tuple[Integers, list[str]]:
    """Return the rows without missing values in the columns named, and a note on the others."""
    if table.empty:
        raise NotAssessable("there are no rows to analyse")
    missing = {name: table[name].isna().to_numpy() for name in sorted(set(names) - set(absent))}
    incomplete = np.logical_or.reduce(list(missing.values()))
    rows = np.flatnonzero(~incomplete)
    if len(rows) == len(table):
        return rows, []
    if not len(rows):
        empty = [name for name, gone in missing.items() if gone.all()]
        if empty:
            raise NotAssessable(because("all_missing", missing=listing(empty)))
        raise NotAssessable("no complete rows")
    which = listing(f"{name} {gone.sum()}" for name, gone in missing.items() if gone.any())
    facts = {"rows": incomplete.sum(), "all": len(table), "by_column": which}
    return rows, [because("left_out", **facts)]


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


def _matrix(
    formula: str, terms: list, kept: pd.DataFrame
) -> tuple[Floats, list[str], Callable[[pd.DataFrame], Floats]]:
    """Return the design of fixed terms, the names of its columns, and how to make new rows."""
    if not terms:
        raise ProblemsFound([problem("E501", key=formula, found="there is no fixed term")])
    common = formulas.evaluated(formula, terms, kept).common
    names = [str(label) for term in common.terms.values() for label in term.labels]

    def of_table(new: pd.DataFrame) -> Floats:
        return np.asarray(common.evaluate_new_data(new).design_matrix, dtype=float)

    return np.asarray(common.design_matrix, dtype=float), names, of_table


def _outcome(formula: str, description, kept: pd.DataFrame) -> Floats:
    """Return the outcome; refuse text, and an outcome that does not vary."""
    term = description.response.term
    name = term.name
    if name in kept and not pd.api.types.is_numeric_dtype(kept[name]):
        raise ProblemsFound([problem("E503", column=name, found=listing(kept[name].unique(), 3))])
    values = formulas.evaluated(formula, [term], kept).common.design_matrix
    if values.shape[1] != 1:
        raise ProblemsFound([problem("E503", column=name, found="several columns")])
    outcome = values[:, 0].astype(float)
    if np.ptp(outcome) <= 1e-12 * max(1.0, np.abs(outcome).max()):
        facts = {"value_of_all": f"{outcome[0]:g}", "rows": len(outcome)}
        raise NotAssessable(because("constant", term=name, **facts))
    return outcome


def _full_rank(fixed: Floats, terms: list[str]) -> tuple[Floats, list[str], list[str]]:
    """Drop each column that is a combination of columns before it, as R does."""
    if _surely_independent(fixed):
        return fixed, terms, []
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


def _surely_independent(fixed: Floats) -> bool:
    """Tell whether correlations leave no doubt, so that columns need not be gone through."""
    products = fixed.T @ fixed
    length = np.sqrt(np.diag(products))
    if not length.all():
        return False
    return bool(np.linalg.eigvalsh(products / np.outer(length, length))[0] > 1e-6)


def _level(formula: str, blocks: list[list], kept: pd.DataFrame) -> Level:
    """Return the random effects of one grouping factor."""
    factor = blocks[0][0].factor
    parts = [_matrix(formula, [term.expr for term in block], kept) for block in blocks]
    names = tuple(name for _, found, _ in parts for name in found)
    variables = sorted(factor.var_names, key=factor.name.index)
    coded, units = zip(*(pd.factorize(kept[name], sort=True) for name in variables), strict=True)
    codes, sizes = coded[0], tuple(map(len, units))
    present = np.arange(sizes[0])
    if len(coded) > 1:
        present, codes = np.unique(np.ravel_multi_index(coded, sizes), return_inverse=True)

    def named() -> list[str]:
        places = np.unravel_index(present, sizes)
        columns = [values[place] for values, place in zip(units, places, strict=True)]
        return [":".join(map(str, unit)) for unit in zip(*columns, strict=True)]

    def of_table(new: pd.DataFrame) -> Floats:
        return np.hstack([evaluate(new) for _, _, evaluate in parts])

    columns = np.hstack([part for part, _, _ in parts])
    together = tuple(len(found) for _, found, _ in parts)
    return Level(factor.name, codes, len(present), names, columns, together, of_table, named)


def crossed(lower: Level, upper: Level) -> bool:
    """Tell whether a unit of the lower level occurs in more than one unit of the upper."""
    last = np.zeros(lower.units, dtype=np.intp)
    last[lower.codes] = upper.codes
    return bool((last[lower.codes] != upper.codes).any())


def _weights(name: str, kept: pd.DataFrame) -> Floats:
    """Return observation weights; refuse those that are not positive numbers."""
    _check_numbers(name, kept)
    weights = kept[name].to_numpy(float)
    wrong = np.flatnonzero(weights <= 0)
    if len(wrong):
        raise ProblemsFound(
            [_at_rows("E507", name, row_numbers(kept)[wrong], found=f"{weights[wrong[0]]:g}")]
        )
    return weights


def _position(name: str, kept: pd.DataFrame, levels: tuple[Level, ...]) -> Integers:
    """Return session numbers; refuse those that are not whole, or occur twice in a course."""
    _check_numbers(name, kept)
    numbers = kept[name].to_numpy(float)
    wrong = np.flatnonzero(numbers != np.round(numbers))
    if len(wrong):
        raise ProblemsFound(
            [_at_rows("E508", name, row_numbers(kept)[wrong], found=f"{numbers[wrong[0]]:g}")]
        )
    position = numbers.astype(np.int64)
    if levels:
        codes = levels[0].codes
        order = np.lexsort((np.arange(len(codes)), position, codes))
        again = order[1:][(np.diff(codes[order]) == 0) & (np.diff(position[order]) == 0)]
        if len(again):
            found, factor = f"{position[again.min()]}", levels[0].factor
            raise ProblemsFound(
                [
                    _at_rows(
                        "E509", name, row_numbers(kept)[np.sort(again)], found=found, factor=factor
                    )
                ]
            )
    return position


def _at_rows(code: str, column: str, rows: Integers, **facts: Any) -> Problem:
    """Return a problem of the cells of a column in some rows."""
    return problem(code, column=column, row=int(rows[0]), more=len(rows) - 1, **facts)


def _check_numbers(name: str, kept: pd.DataFrame) -> None:
    """Raise unless a column next to the formula holds numbers."""
    if not pd.api.types.is_numeric_dtype(kept[name]):
        raise ProblemsFound([problem("E520", column=name, found=listing(kept[name].unique(), 3))])


def _identifiable(levels: list[Level]) -> tuple[tuple[Level, ...], list[str]]:
    """Take out random effects that the data cannot tell from the residual or from each other."""
    kept: list[Level] = []
    notes: list[str] = []
    for level in levels:
        rows, effects = len(level.codes), level.units * len(level.names)
        slopes = [name for name in level.names if name != "Intercept"]
        if level.units < 2:
            notes.append(because("only_one", level=level.factor, upper=level.factor))
        elif kept and kept[-1].units == level.units and level.names == ("Intercept",):
            whose = {"level": level.factor, "between": kept[-1].factor, "upper": level.factor}
            notes.append(because("one_each", **whose))
        elif rows > effects:
            kept.append(level)
        elif slopes and "Intercept" in level.names and rows > level.units:
            which = f"slope of {slopes[0]}" if len(slopes) == 1 else f"slopes of {listing(slopes)}"
            whose = {"names": which, "level": level.factor}
            notes.append(because("slope_left_out", **whose, rows=rows, effects=effects))
            place = level.names.index("Intercept")
            kept.append(
                replace(
                    level,
                    columns=level.columns[:, [place]],
                    names=("Intercept",),
                    blocks=(1,),
                    evaluate=lambda new: np.ones((len(new), 1)),
                )
            )
        else:
            whose = {"level": level.factor, "upper": level.factor}
            notes.append(because("level_left_out", **whose, rows=rows, found=level.units))
    return tuple(kept), notes
