r"""Standard errors of a mixed model whose regressors were estimated from other data of its units.

With the rows' covariance V held at its estimate, the estimates solve
:math:`\sum_i g_i = 0`, :math:`g_i` the rows of unit i of :math:`X' V^{-1} (y - X b)`. Its influence
is :math:`B (g_i + H f_i)`: B the inverse of :math:`X' V^{-1} X`, :math:`f_i` how far the unit moved
the parameters of the regressors, H how far these move :math:`\sum_i g_i`. The covariance is the sum
of outer products of influences (Liang & Zeger 1986, Biometrika 73, 13-22; Newey & McFadden 1994).
Rests of a unit are too small where the unit itself moved the estimates; they are enlarged by the
leverage of the unit (Bell & McCaffrey 2002, Survey Methodology 28, 169-181).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..project.arrays import Floats, Integers
from .design import Design
from .no_result import NotAssessable
from .solution import Solution

#: A unit that alone decides an estimate says nothing of its error: its rests are not enlarged more.
MOST_LEVERAGE = 0.99


@dataclass(frozen=True)
class FirstStep:
    """What is known of the parameters that regressors were made with.

    Attributes
    ----------
    influence : ndarray, shape (units, parameters)
        How far each unit moved the parameters.
    slopes : mapping of str to ndarray, shape (parameters, rows of the table)
        Term -> its derivatives by the parameters, 0 in rows in which they were not worked out.
    scale : float
        All rows by those in which they were.
    """

    influence: Floats
    slopes: Mapping[str, Floats]
    scale: float = 1.0


def without_covariance(design: Design, solution: Solution, columns: Floats) -> Floats:
    r"""Return :math:`V^{-1}` times columns, V the covariance of the rows of a fitted model.

    Parameters
    ----------
    design : Design
        With random effects given course, perhaps an intercept given therapist, and perhaps
        autocorrelated residuals.
    solution : Solution
    columns : ndarray, shape (rows, any)

    Raises
    ------
    NotAssessable
        If there are no random effects given course.
    """
    if not design.levels or design.levels[0].factor != "course":
        raise NotAssessable("effects of courses cannot be distinguished from the residual")
    level, spread = design.levels[0], solution.random[0]
    both = np.column_stack([columns, np.ones(len(columns))])
    found = np.empty_like(both)
    for rows in _of_equal_length(level.codes):
        own = level.columns[rows]
        residual = np.eye(rows.shape[1])
        if design.position is not None:
            place = design.position[rows]
            apart = np.abs(place[:, :, None] - place[:, None, :])
            residual = np.power(solution.rho or 0.0, apart, dtype=np.float64)
        covariance = own @ spread @ own.transpose(0, 2, 1) + solution.residual * residual
        found[rows] = np.linalg.solve(covariance, both[rows])
    inner, of_one = found[:, :-1], found[:, -1]
    for level, spread in zip(design.levels[1:], solution.random[1:], strict=True):
        # One intercept more: Sherman and Morrison's formula.
        sums = np.zeros((level.units, both.shape[1]))
        np.add.at(sums, level.codes, found)
        share = spread[0, 0] / (1 + spread[0, 0] * sums[:, -1:])
        inner = inner - of_one[:, None] * (share * sums[:, :-1])[level.codes]
    return inner


def _of_equal_length(codes: Integers) -> Iterator[Integers]:
    """Yield the rows of all units with as many rows, shape (units, rows of each)."""
    order = np.argsort(codes, kind="stable")
    start = np.flatnonzero(np.append(True, np.diff(codes[order]) != 0))
    length = np.diff(np.append(start, len(order)))
    for rows in np.unique(length):
        yield order[start[length == rows][:, None] + np.arange(rows)]


def with_first_step(
    design: Design, solution: Solution, unit: Integers, first: FirstStep
) -> tuple[Solution, Floats]:
    """Return a fitted model with standard errors that know of the first step.

    Parameters
    ----------
    design : Design
    solution : Solution
    unit : ndarray of int, shape (rows of the design,)
        Which unit each row belongs to; units are independent of each other.
    first : FirstStep
        Its units are the same.

    Returns
    -------
    solution : Solution
        Degrees of freedom are at most the number of units with rows, minus one.
    influence : ndarray, shape (units, terms)
        How far each unit moved the estimates: the covariance is that of its sums.
    """
    rest = design.outcome - design.fixed @ solution.estimate
    white = without_covariance(design, solution, np.column_stack([design.fixed, rest]))
    fixed, rest = white[:, :-1], white[:, -1]
    units, parameters = first.influence.shape
    sums = np.zeros((units, len(design.terms)))
    np.add.at(sums, unit, design.fixed * rest[:, None])
    moves = np.zeros((len(design.terms), parameters))
    for place, term in enumerate(design.terms):
        if term in first.slopes:
            slope = first.scale * first.slopes[term][:, design.rows]
            # What the slopes do to the products with the rest is 0 on average, and noise.
            moves -= (fixed.T @ slope.T) * solution.estimate[place]
    bread = np.linalg.inv(design.fixed.T @ fixed).astype(np.float64)
    influence = (
        _enlarged(sums, design.fixed, fixed, unit, bread) + first.influence @ moves.T
    ) @ bread
    most = len(np.unique(unit)) - 1.0

    def df_of(weights: Floats) -> Floats:
        own = np.full(len(weights), most) if solution.df_of is None else solution.df_of(weights)
        return np.minimum(own, most)

    df = None if solution.df is None else np.minimum(solution.df, most)
    covariance = influence.T @ influence
    df_by_weights = None if df is None else df_of
    return replace(solution, covariance=covariance, df=df, df_of=df_by_weights), influence


def _enlarged(
    sums: Floats, columns: Floats, white: Floats, unit: Integers, bread: Floats
) -> Floats:
    """Return the sums of the units as they would be, had these not moved the estimates."""
    own = np.zeros((len(sums), *bread.shape))
    for place, column in enumerate(columns.T):
        np.add.at(own[:, place], unit, column[:, None] * white)
    root = np.linalg.cholesky(bread)
    leverage = root.T @ (own + own.transpose(0, 2, 1)) @ root / 2
    shares, axes = np.linalg.eigh(leverage)
    scale = 1 / np.sqrt(1 - np.clip(shares, 0, MOST_LEVERAGE))
    along = np.einsum("upa,up->ua", axes, sums @ root) * scale
    return np.einsum("upa,ua->up", axes, along) @ np.linalg.inv(root)
