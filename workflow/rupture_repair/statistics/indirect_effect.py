"""Mediation by linear regressions: total, direct and indirect effect, with a bootstrap."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import special

from ..project.arrays import Floats

#: Numbers of a block of the bootstrap that are held at the same time.
BLOCK = 2_000_000


class Effect(NamedTuple):
    """An effect with its standard error and its 95 % interval."""

    coef: float
    se: float
    low: float
    high: float


def _regression(design: Floats, target: Floats, column: int) -> Effect:
    """Return one coefficient of an ordinary regression, with the interval by Student's t."""
    rows, columns = design.shape
    coefficients = np.linalg.lstsq(design, target)[0]
    left = target - design @ coefficients
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    se = float(np.sqrt(left @ left / (rows - columns) * inverse[column, column]))
    coef, reach = float(coefficients[column]), float(special.stdtrit(rows - columns, 0.975)) * se
    return Effect(coef, se, coef - reach, coef + reach)


def _resampled(rows: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of draws: how often each row was drawn, a draw per row of the block."""
    random = np.random.RandomState(seed)
    block = max(1, BLOCK // rows)
    for first in range(0, draws, block):
        number = min(block, draws - first)
        drawn = random.choice(np.arange(rows), replace=True, size=(number, rows))
        at = drawn + rows * np.arange(number)[:, None]
        counts = np.bincount(at.ravel(), minlength=number * rows)
        yield counts.reshape(number, rows).astype("float64")


def _weighted(design: Floats, target: Floats, counts: Floats, column: int) -> Floats:
    """Return one coefficient of a regression for each row of `counts`, the weights of the rows."""
    columns = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    squares = (counts @ products).reshape(-1, columns, columns)
    sums = counts @ (design * target[:, None])
    # Where a sample is so poor that a column is a sum of others, the shortest solution is taken.
    inverse = np.linalg.pinv(squares, hermitian=True)
    return np.einsum("dq,dq->d", inverse[:, column], sums)


def mediation(
    cause: Floats, mediator: Floats, outcome: Floats, covariates: Floats, *, seed: int, draws: int
) -> dict[str, Effect]:
    """Return total, direct and indirect effect of a cause on an outcome.

    Parameters
    ----------
    cause, mediator, outcome : array of shape (rows,)
    covariates : array of shape (rows, covariates)
        Of both regressions.
    seed, draws : int
        Of the bootstrap over rows.

    Returns
    -------
    dict
        `total` and `direct`, the coefficient of `cause` without and with the mediator, with
        intervals by Student's t; `indirect`, the product of the paths over the mediator, with the
        standard deviation of the bootstrap and its bias-corrected interval.

    References
    ----------
    Efron 1987, Journal of the American Statistical Association 82, 171-185 (the interval).
    """
    rows = len(cause)
    given = covariates - covariates.mean(axis=0)
    without = np.column_stack([np.ones(rows), cause, given])
    with_mediator = np.column_stack([without, mediator - mediator.mean()])
    last = with_mediator.shape[1] - 1

    def product(counts: Floats) -> Floats:
        first = _weighted(without, mediator, counts, 1)
        return first * _weighted(with_mediator, outcome, counts, last)

    drawn = np.concatenate([product(counts) for counts in _resampled(rows, draws, seed)])
    coef = float(product(np.ones((1, rows)))[0])
    bias = special.ndtri((drawn < coef).mean())
    shares = special.ndtr(2 * bias + special.ndtri(np.array([0.025, 0.975])))
    low, high = np.percentile(drawn, 100 * shares)
    return {
        "total": _regression(without, outcome, 1),
        "direct": _regression(with_mediator, outcome, 1),
        "indirect": Effect(coef, float(drawn.std(ddof=1)), float(low), float(high)),
    }
