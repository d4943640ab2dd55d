"""What a multiverse amounts to: medians, signs, a joint test, and how much each choice matters."""

from typing import Any

import numpy as np
import pandas as pd

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
