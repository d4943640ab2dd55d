"""How much of the variance of the estimates goes with each choice."""

import itertools
from math import comb

import numpy as np
import pandas as pd

from ..project.arrays import Floats
from .choices import CHOICES


def explained_by_choices(fits: pd.DataFrame) -> pd.DataFrame:
    r"""Say how much of the variance of the estimates goes with each choice.

    The share of a choice is what it adds to the explained variance of a linear model with the
    choices as factors, averaged over all orders in which they can be added (Lindeman, Merenda &
    Gold 1980; Grömping 2007, doi 10.1198/000313007X188252). The shares add up to what all choices
    explain side by side; the rest is what only certain combinations of them do.

    Parameters
    ----------
    fits : DataFrame
        The table multiverse_estimates: one row per specification and `term`.

    Returns
    -------
    DataFrame
        Per term one row for each choice that varies and, as the choice `combinations`, one for the
        rest: `term`, `choice`, `levels`, `share` (of the variance of standardised estimates),
        `alone` (what the choice explains by itself), `n_fitted`. No row for a term with fewer
        than three estimates, or whose estimates do not vary.
    """
    rows = []
    for term in fits["term"].drop_duplicates():
        fitted = fits[(fits["term"] == term) & fits["standardised"].notna()]
        values = fitted["standardised"].to_numpy(float)
        if len(values) < 3 or np.ptp(values) <= 1e-12 * np.abs(values).max():
            continue
        varies = [name for name in CHOICES if len(fitted[name].unique()) > 1]
        shares, alone = _averaged_over_orders(values, fitted[varies])
        for at, name in enumerate(varies):
            row = {"term": term, "choice": name, "levels": fitted[name].nunique()}
            rows.append(row | {"share": shares[at], "alone": alone[at]})
        rows.append({"term": term, "choice": "combinations", "share": 1 - shares.sum()})
        for row in rows[-len(varies) - 1 :]:
            row["n_fitted"] = len(fitted)
    columns = ["term", "choice", "levels", "share", "alone", "n_fitted"]
    return pd.DataFrame(rows, columns=columns).astype({"levels": "Int64"})


def _averaged_over_orders(values: Floats, factors: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return what each factor adds to the explained variance on average, and explains alone."""
    number = factors.shape[1]
    columns = [pd.get_dummies(factors[name], drop_first=True).to_numpy(float) for name in factors]
    explained = {
        subset: _explained(values, [columns[at] for at in subset])
        for size in range(number + 1)
        for subset in itertools.combinations(range(number), size)
    }
    shares = np.zeros(number)
    for subset, before in explained.items():
        for at in set(range(number)) - set(subset):
            after = explained[tuple(sorted((*subset, at)))]
            shares[at] += (after - before) / (number * comb(number - 1, len(subset)))
    return shares, np.array([explained[(at,)] for at in range(number)])


def _explained(values: Floats, columns: list[Floats]) -> float:
    """Return the share of variance that a linear model with an intercept explains."""
    apart = values - values.mean()
    if not columns:
        return 0.0
    matrix = np.column_stack([np.ones(len(values)), *columns])
    rest = apart - matrix @ np.linalg.lstsq(matrix, apart)[0]
    return float(1 - rest @ rest / (apart @ apart))
