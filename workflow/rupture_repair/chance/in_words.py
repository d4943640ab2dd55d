"""What a count of episodes says next to those that noise alone makes, in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

#: Counts differ from what noise makes where their one-sided p is below this, and by enough to be
#: more than what no model of noise gets right (docs/chance.md).
ALPHA, LEAST_RATIO = 0.05, 1.15

#: What is said of a count that lies among those of noise.
NO_MORE = "No more than noise alone can make"


def against_noise(chance: Mapping[str, Any]) -> tuple[str, bool]:
    """Say in words how a count compares with what noise alone makes.

    Parameters
    ----------
    chance : mapping
        A row of the table chance, or one of :func:`rupture_repair.chance.counts.compared`.

    Returns
    -------
    verdict : str
    more : bool
        Whether it says that there are more ruptures than noise makes.

    Examples
    --------
    >>> row = {"status": "assessed", "observed": 23, "p": 0.01, "ratio": 1.9}
    >>> against_noise(row)
    ('More than noise alone makes', True)
    >>> against_noise(row | {"ratio": 1.1})
    ('Little more than noise alone makes', False)
    """
    if chance["status"] != "assessed":
        return "Not compared with noise", False
    if pd.isna(chance["observed"]) or pd.isna(chance["p"]):
        return "The count is withheld", False
    if chance["p"] < ALPHA:
        more = chance["ratio"] >= LEAST_RATIO
        return ("More" if more else "Little more") + " than noise alone makes", bool(more)
    if chance["observed"] > noise_range(chance)[1] and chance["replicates"] < 1 / ALPHA:
        return "Too few copies to compare with noise", False
    return NO_MORE, False


def noise_range(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return where the counts of nine in ten copies without ruptures lie; missing where unknown."""
    return row.get("expected_low", np.nan), row.get("expected_high", np.nan)
