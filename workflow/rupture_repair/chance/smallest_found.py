"""The smallest planted fall that a criterion finds."""

import numpy as np
import pandas as pd


def smallest_found(table: pd.DataFrame, share: float = 0.8) -> pd.DataFrame:
    """Return the smallest depth that each criterion finds with a sensitivity of 80 %.

    Parameters
    ----------
    table : DataFrame
        From :func:`sensitivity`.
    share : float
        The sensitivity asked for.

    Returns
    -------
    DataFrame
        One row per measure, criterion and volatility. Columns: `dataset`, `measure`, `criterion`,
        `volatility`, `depth` (SD, interpolated between the depths tried; NaN where there is none)
        and `text` (the depth, ``none up to 4 SD``, or why the criterion is not assessable).
    """
    keys = ["dataset", "measure", "criterion", "volatility"]
    table = table.sort_values("depth", kind="stable")

    def smallest(rows: pd.DataFrame) -> pd.Series:
        if (rows["status"] != "assessed").any() or rows["sensitivity"].isna().all():
            why = rows["reason"].iloc[0]
            text = why if isinstance(why, str) else "no course could be assessed"
            return pd.Series({"depth": np.nan, "text": text})
        # The sensitivity may dip by chance; it counts from where it stays above the share.
        depth = rows["depth"].to_numpy(dtype=float)
        found = np.minimum.accumulate(rows["sensitivity"].to_numpy(dtype=float)[::-1])[::-1]
        if found[-1] < share:
            return pd.Series({"depth": np.nan, "text": f"none up to {depth[-1]:g} SD"})
        at = float(np.interp(share, found, depth))
        text = f"at most {depth[0]:g} SD" if found[0] >= share else f"{at:.1f} SD"
        return pd.Series({"depth": at, "text": text})

    groups = table.groupby(keys, sort=False)[["depth", "sensitivity", "status", "reason"]]
    return groups.apply(smallest).reset_index()
