"""What reports and figures may show of a dataset, and what they show first."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def individuals_shown(dataset: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Return whether single courses of this dataset may be drawn and named.

    Parameters
    ----------
    dataset : mapping
        dataset.json.
    config : mapping
        config.yaml; `report.individuals` is demo_only (synthetic data only), allowed or never.
    """
    setting = config.get("report", {}).get("individuals", "demo_only")
    return setting == "allowed" or (setting == "demo_only" and bool(dataset["synthetic"]))


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
