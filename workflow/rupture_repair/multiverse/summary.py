"""What a multiverse amounts to: medians, signs, a joint test, and how much each choice matters."""

import itertools
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from ..project.arrays import Floats
from .choices import CHOICES
from .run_multiverse import TERMS, Outcome

#: Statistics of the joint test.
STATISTICS = ("median", "sign", "significant")


def summarise(outcome: Outcome) -> pd.DataFrame:
    """Say what the specifications have in common.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    DataFrame
        One row per term: `n_specifications`, `n_fitted`, `n_failed`, `n_not_assessable`; `median`
        (points), `median_standardised`, and of standardised estimates `least`, `lower_quarter`,
        `upper_quarter` and `most`; of those fitted `share_positive`, `share_negative`,
        `share_significant_positive`, `share_significant_negative` (p below .05). Of the joint test:
        `n_permuted` specifications, `permutations`, and for each statistic - the size of the
        `median` standardised estimate, the share of the commoner `sign`, and the larger of the
        shares of `significant` estimates upwards and downwards - `p_...` and its Monte Carlo error
        `p_error_...`; missing without permutations.
    """
    rows = []
    for place, term in enumerate(TERMS):
        fits = outcome.fits[outcome.fits["term"] == term]
        fitted = fits[fits["estimate"].notna()]
        row: dict[str, Any] = {"term": term, "n_specifications": len(fits)}
        row |= {"n_fitted": len(fitted), "n_failed": int((fits["status"] == "failed").sum())}
        row["n_not_assessable"] = int((fits["status"] == "not_assessable").sum())
        values, clear = fitted["standardised"], fitted["p"] < 0.05
        row |= {"median": fitted["estimate"].median(), "median_standardised": values.median()}
        row |= {"least": values.min(), "lower_quarter": values.quantile(0.25)}
        row |= {"upper_quarter": values.quantile(0.75), "most": values.max()}
        for name, side in (("positive", values > 0), ("negative", values < 0)):
            row[f"share_{name}"] = side.mean() if len(fitted) else np.nan
            row[f"share_significant_{name}"] = (side & clear).mean() if len(fitted) else np.nan
        rows.append(row | _joint_test(outcome, place))
    return pd.DataFrame(rows)


def _joint_test(outcome: Outcome, place: int) -> dict[str, Any]:
    """Return the p values of one term, against no association in any specification."""
    tested = np.isfinite(outcome.standardised[:, 0, place])
    number = outcome.standardised.shape[1] - 1
    row: dict[str, Any] = {"n_permuted": int(tested.sum()), "permutations": number}
    row |= {f"{kind}_{name}": np.nan for name in STATISTICS for kind in ("p", "p_error")}
    if not number or not tested.any():
        return row
    values = outcome.standardised[tested, :, place]
    clear = outcome.significant[tested, :, place]
    both = {
        "median": np.abs(np.nanmedian(values, axis=0)),
        "sign": np.maximum((values > 0).mean(axis=0), (values < 0).mean(axis=0)),
        "significant": np.maximum((clear > 0).mean(axis=0), (clear < 0).mean(axis=0)),
    }
    for name, statistic in both.items():
        as_large = int((statistic[1:] >= statistic[0] * (1 - 1e-12)).sum())
        p = (1 + as_large) / (1 + number)
        row |= {f"p_{name}": p, f"p_error_{name}": float(np.sqrt(p * (1 - p) / (1 + number)))}
    return row


def explained_by_choices(fits: pd.DataFrame) -> pd.DataFrame:
    r"""Say how much of the variance of the estimates goes with each choice.

    The share of a choice is what it adds to the explained variance of a linear model with the
    choices as factors, averaged over all orders in which they can be added (Lindeman, Merenda &
    Gold 1980; Grömping 2007, doi 10.1198/000313007X188252). The shares add up to what all choices
    explain side by side; the rest is what only certain combinations of them do.

    Parameters
    ----------
    fits : DataFrame
        Of an :class:`Outcome`.

    Returns
    -------
    DataFrame
        Per term one row for each choice that varies and, as the choice `combinations`, one for the
        rest: `term`, `choice`, `levels`, `share` (of the variance of standardised estimates),
        `alone` (what the choice explains by itself), `n_fitted`. No row for a term with fewer
        than three estimates, or whose estimates do not vary.
    """
    rows = []
    for term in TERMS:
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
