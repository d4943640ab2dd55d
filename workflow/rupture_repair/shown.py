"""What reports and figures show first of a dataset."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def what_to_show(
    detection: pd.DataFrame, measures: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[str, str]:
    """Choose the measure and criterion of figures that show one only.

    The first alliance measure that clients rate, else the first one; by it the default criterion,
    or, where that is not assessable, the first criterion that is.

    Parameters
    ----------
    detection : DataFrame
        The table detection, not empty.
    measures, config : mapping
        measures.json and config.yaml.

    Returns
    -------
    tuple of str
        Measure and criterion.
    """
    present = list(dict.fromkeys(detection["measure"]))
    by_client = [name for name in present if measures[name]["rater"] == "client"]
    measure = (by_client or present)[0]
    rows = detection[detection["measure"] == measure]
    default = config["default_criterion"]
    usable = list(rows.loc[rows["assessable"].astype(bool), "criterion"])
    for candidates in (usable, list(rows["criterion"])):
        if default in candidates:
            return measure, default
        if candidates:
            return measure, candidates[0]
    raise ValueError("the table detection has no row")
