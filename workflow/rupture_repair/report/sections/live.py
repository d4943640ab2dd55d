"""What the report says of watching courses as they go on."""

from typing import Any

import pandas as pd

from ...chance.watch import FALSE_ALARM, STATED, WATCHED
from ..dataset_tables import Material
from ..markdown import number, percent, text
from ..rows import Rows

_NAMES = {WATCHED: "Probability by the ratings so far", "srs_cutoff": "Score below the cut-off",
          "srs_drop_1": "Fall of one point"}  # fmt: skip


def of_live(material: Material) -> dict[str, Any]:
    """Return the rows of the measure shown; empty where nothing was tried.

    Returns
    -------
    dict
        `watched`: the row of the probability; `promised`: share of courses without a rupture that
        may be flagged; `reason`: why courses cannot be watched, or None.
    """
    table = material.live
    if table is None:
        return {}
    own = table[(table["measure"] == material.shown[0]) & (table["rule"] == WATCHED)]
    if own.empty:
        return {}
    row = own.iloc[0].to_dict()
    reason = None if row["status"] == "assessed" else row["reason"]
    return {"watched": row, "promised": FALSE_ALARM, "reason": reason}


def rules(material: Material) -> Rows:
    """Show what each rule would have found, for the measure shown."""
    if material.live is None:
        return []
    own = material.live[material.live["measure"] == material.shown[0]]
    return [
        {
            "rule": text(_NAMES[row["rule"]]),
            "alarm": percent(row["false_alarm"]),
            "found": percent(row["found"]),
            "delay": number(row["delay"], 1),
            "ppv": percent(row["ppv"]),
            "stated": ", ".join(percent(row[f"ppv_{share * 100:.0f}"]) for share in STATED),
            "slope": number(row["calibration_slope"]),
            "reason": "–" if pd.isna(row["reason"]) else text(row["reason"]),
        }
        for row in own.to_dict("records")
    ]
