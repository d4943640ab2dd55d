"""What reports and figures show first of a dataset."""

from collections.abc import Iterable

import pandas as pd

from .measures import Measures


def first_by_clients(names: Iterable[str], measures: Measures) -> str | None:
    """Return the measure that represents a dataset: the first that clients rate, else the first.

    Parameters
    ----------
    names : iterable of str
        Alliance measures, in order.
    measures : mapping of str to Measure
    """
    every = list(dict.fromkeys(names))
    by_client = [name for name in every if measures[name].rater == "client"]
    return next(iter(by_client or every), None)


def what_to_show(
    detection: pd.DataFrame, measures: Measures, default_criterion: str
) -> tuple[str, str]:
    """Choose the measure and criterion of figures that show one only.

    The measure that represents the dataset, see :func:`first_by_clients`; by it the default
    criterion, or, where that is not assessable, the first criterion that is.

    Parameters
    ----------
    detection : DataFrame
        The table detection, not empty.
    measures : mapping of str to Measure
    default_criterion : str

    Returns
    -------
    tuple of str
        Measure and criterion.
    """
    measure = first_by_clients(detection["measure"], measures)
    if measure is None:
        raise ValueError("the table detection has no row")
    rows = detection[detection["measure"] == measure]
    usable = list(rows.loc[rows["assessable"].astype(bool), "criterion"])
    candidates = usable or list(rows["criterion"])
    return measure, default_criterion if default_criterion in candidates else candidates[0]
