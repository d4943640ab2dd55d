"""What the report says of the best possible detection, and of each criterion next to it."""

from typing import Any

import pandas as pd

from ...chance.depths import BEST, CLASSES
from ..dataset_tables import Material
from ..markdown import number, percent, text
from ..rows import Rows


def _own(material: Material) -> pd.DataFrame:
    """Return the rows of the measure shown."""
    table = material.certificate
    return table[table["measure"] == material.shown[0]] if table is not None else pd.DataFrame()


def of_certificate(material: Material) -> dict[str, Any]:
    """Return what is best possible, and what the criterion shown makes of it.

    Returns
    -------
    dict
        Empty without a certificate. `reason`, where nothing could be had; else `best` and `own`
        (rows of all depths, `own` None where the criterion could not be assessed).
    """
    table = _own(material)
    if table.empty:
        return {}
    every = table[table["depth"] == "all"].set_index("criterion")
    best = every.loc[BEST].to_dict()
    if best["status"] != "assessed" or pd.isna(best["sensitivity"]):
        why = best["reason"] if isinstance(best["reason"], str) else "too few ruptures can be seen"
        return {"reason": why}
    criterion = material.shown[1]
    own = every.loc[criterion].to_dict() if criterion in every.index else None
    usable = own is not None and own["status"] == "assessed" and pd.notna(own["efficiency"])
    return {"best": best, "own": own if usable else None}


def certificate(material: Material) -> Rows:
    """Return one row per criterion: found by class of depth, and as a share of what is possible."""
    names, table = {BEST: "Best possible", **material.names()}, _own(material)
    rows = []
    for criterion, parts in table[table["status"] == "assessed"].groupby("criterion", sort=False):
        by_depth = parts.set_index("depth")
        every, found = by_depth.loc["all"], by_depth["sensitivity"]
        classes = list(CLASSES)[1:]
        rows.append(
            {
                "criterion": text(names.get(criterion, criterion)),
                "false_alarm": percent(every["false_alarm"]),
                "found": percent(every["sensitivity"]),
                **{f"d{place}": percent(found[depth]) for place, depth in enumerate(classes)},
                "best": percent(every["best"]),
                "efficiency": _with_error(every["efficiency"], every["efficiency_error"]),
                "smallest": number(every["smallest"], 1),
            }
        )
    return rows


def _with_error(share: float, error: float) -> str:
    return "–" if pd.isna(share) else f"{number(share)} ± {number(error)}"
