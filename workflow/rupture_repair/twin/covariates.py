"""What is known once of each course: marginals and associations, drawn by a Gaussian copula."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..project.arrays import Floats
from ..simulation.random_numbers import Draws

#: Texts with more kinds than this, and this many of all courses, are ids or free text.
_MOST_KINDS = 20

#: A distribution of numbers is kept as at most so many points.
_POINTS = 10


@dataclass(frozen=True)
class CourseColumn:
    """One column of the table of courses: its distribution, without a value of one person.

    Attributes
    ----------
    name : str
    points : tuple
        Categories, in an order that goes with the other columns; or numbers, lowest first.
    upper : tuple of float
        Share of courses up to each category; for numbers the share up to each point.
    step : float
        Numbers are rounded to multiples of it; 0 for categories.
    blank : float
        Share of courses without a value.
    loadings : tuple of float
        On the standard normal values that the simulation has drawn for each course.
    """

    name: str
    points: tuple[object, ...]
    upper: tuple[float, ...]
    step: float
    blank: float
    loadings: tuple[float, ...] = ()

    def of(self, uniform: Floats) -> np.ndarray:
        """Return values for numbers between 0 and 1."""
        if self.step:
            number = np.interp(uniform, self.upper, np.array(self.points, dtype=np.float64))
            return np.round(np.rint(number / self.step) * self.step, 6)
        place = np.searchsorted(np.array(self.upper)[:-1], uniform, side="right")
        return np.array(self.points, dtype=object)[place]


@dataclass(frozen=True)
class CourseColumns:
    """All columns of the table of courses, with what they have to do with each other.

    Attributes
    ----------
    columns : tuple of CourseColumn
    rest : ndarray, shape (columns, columns)
        Lower triangle that makes the associations beyond those with the simulation.
    left_out : mapping of str to str
        Columns that a twin does not have, and why.
    """

    columns: tuple[CourseColumn, ...]
    rest: Floats
    left_out: Mapping[str, str]

    def drawn(self, draws: Draws, shared: Floats) -> pd.DataFrame:
        """Draw the columns of some courses.

        Parameters
        ----------
        draws : Draws
        shared : ndarray, shape (courses, k)
            Standard normal values that the simulation has drawn for each course.
        """
        number = len(shared)
        normals = [draws.normal(f"covariate {one.name}", number) for one in self.columns]
        own = np.array(normals).reshape(-1, number).T @ self.rest.T
        found = {}
        for at, one in enumerate(self.columns):
            normal = own[:, at] + shared @ np.array(one.loadings)
            blank = draws.flag(f"blank {one.name}", one.blank, number)
            values = pd.Series(one.of(ndtr(normal)))
            found[one.name] = values.mask(blank)
        return pd.DataFrame(found)


def fit(
    courses: pd.DataFrame, names: Sequence[str], shared: pd.DataFrame, least: int
) -> CourseColumns:
    """Fit the distribution of columns of the table of courses.

    Parameters
    ----------
    courses : DataFrame
        The canonical table.
    names : sequence of str
        Covariates, and first and last scores of measures that are rated per course.
    shared : DataFrame
        Facts of each course in the same order, which the simulation draws as normal values.
    least : int
        A category of fewer courses is left out, and no end of a distribution of numbers rests on
        fewer.
    """
    order = _scores(shared).mean(axis=1) if len(shared.columns) else np.zeros(len(courses))
    fitted, left_out, scores = [], {}, []
    for name in names:
        column, why = _column(name, courses[name], order, least)
        if column is None:
            left_out[name] = why
            continue
        fitted.append(column)
        scores.append(_normal(courses[name], column))
    normal, given = np.array(scores).T.reshape(len(courses), -1), _scores(shared)
    loadings, rest = _associations(normal, given)
    columns = tuple(
        CourseColumn(one.name, one.points, one.upper, one.step, one.blank, tuple(loadings[at]))
        for at, one in enumerate(fitted)
    )
    return CourseColumns(columns, rest, left_out)


def _scores(table: pd.DataFrame) -> Floats:
    """Return normal scores of each column; a missing value lies in the middle."""
    ranks = (table.rank() - 0.5) / table.notna().sum().clip(lower=1)
    return ndtri(ranks.fillna(0.5).to_numpy(dtype=np.float64))


def _column(
    name: str, values: pd.Series, order: Floats, least: int
) -> tuple[CourseColumn | None, str]:
    """Return the distribution of one column, or why there is none."""
    known = values.dropna()
    blank = float(values.isna().mean())
    if pd.api.types.is_numeric_dtype(values) and known.nunique() > _POINTS:
        return _numbers(name, known, blank, least)
    sizes = known.value_counts()
    if len(sizes) > _MOST_KINDS:
        return None, "too many different texts: ids or free text"
    common = sizes[sizes >= least]
    if common.empty:
        return None, f"no category of {least} courses or more"
    kept = known[known.isin(common.index)]
    means = pd.Series(order[kept.index], kept.index).groupby(kept.to_numpy()).mean()
    kinds = list(means.sort_values(kind="stable").index)
    upper = np.cumsum([common[kind] for kind in kinds]) / len(kept)
    # Rare categories are blank in the twin: that they occur would tell of a person.
    blank += float((len(known) - len(kept)) / len(values))
    return CourseColumn(name, tuple(kinds), tuple(upper), 0.0, blank), ""


def _numbers(
    name: str, known: pd.Series, blank: float, least: int
) -> tuple[CourseColumn | None, str]:
    """Return the distribution of numbers as points, each the mean of `least` courses or more."""
    if len(known) < 2 * least:
        return None, f"fewer than {2 * least} values"
    groups = np.array_split(np.sort(known.to_numpy(dtype=np.float64)),
                            min(_POINTS, len(known) // least))  # fmt: skip
    sizes = np.array([len(one) for one in groups])
    upper = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    points = tuple(float(one.mean()) for one in groups)
    whole = bool((known == np.rint(known)).all())
    step = 1.0 if whole else float(np.ptp(points)) / 1000 or 1.0
    return CourseColumn(name, points, tuple(upper), step, blank), ""


def _normal(values: pd.Series, column: CourseColumn) -> Floats:
    """Return normal scores of a column of the study; a missing value lies in the middle."""
    if column.step:
        return _scores(values.astype("float64").to_frame())[:, 0]
    middle = np.array(column.upper) - np.diff(column.upper, prepend=0.0) / 2
    place = pd.Index(column.points).get_indexer(values)
    return ndtri(np.where(place < 0, 0.5, middle[place]))


def _associations(normal: Floats, shared: Floats) -> tuple[Floats, Floats]:
    """Return loadings on what is shared, and the triangle of the rest; variances add up to 1."""
    count, given = normal.shape[1], shared.shape[1]
    if not count:
        return np.empty((0, given)), np.empty((0, 0))
    both = np.column_stack([shared, normal])
    spread = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    correlation = both.T @ both / len(both)
    np.fill_diagonal(correlation, 1.0)
    # Of few courses correlations are drawn to zero; and the matrix stays positive definite.
    off = correlation - np.eye(len(correlation))
    correlation = np.eye(len(correlation)) + off * len(both) / (len(both) + 10)
    # What is shared is drawn independently.
    loadings = np.linalg.solve(correlation[:given, :given], correlation[:given, given:]).T
    rest = correlation[given:, given:] - loadings @ loadings.T
    values, vectors = np.linalg.eigh(rest)
    rest = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    scale = 1 / np.sqrt(np.diag(rest) + (loadings**2).sum(axis=1))
    return loadings * scale[:, None], np.linalg.cholesky(rest * np.outer(scale, scale))
