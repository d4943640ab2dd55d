"""What reports and figures show first of a dataset."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .measures import Measures

if TYPE_CHECKING:
    import pandas as pd


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


#: `default_criterion: best` is the first of these that can be assessed. A rule written beforehand:
#: nothing of the outcome is known when it is applied.
BEST, PREFERRED = "best", ("rupture_probability", "dip")


def resolved(default_criterion: str, detection: "pd.DataFrame", measure: str) -> str:
    """Return the criterion that `default_criterion` names for a measure.

    Parameters
    ----------
    default_criterion : str
        An id, or `best`: the first of :data:`PREFERRED` that is assessable, else the last of them.
    detection : DataFrame
        The table detection.
    measure : str

    Returns
    -------
    str
        An id. It need not be assessable.
    """
    if default_criterion != BEST:
        return default_criterion
    rows = detection[detection["measure"].astype("str") == measure]
    usable = set(rows.loc[rows["assessable"].astype(bool), "criterion"].astype("str"))
    return next((name for name in PREFERRED if name in usable), PREFERRED[-1])


def one_for_all(default_criterion: str) -> str:
    """Return the criterion where several datasets, or simulated ones, must have the same.

    For `best` the last of :data:`PREFERRED`: it does not depend on what can be assessed.
    """
    return PREFERRED[-1] if default_criterion == BEST else default_criterion


def what_to_show(
    detection: "pd.DataFrame", measures: Measures, default_criterion: str
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
        An id, or `best` (:func:`resolved`).

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
    default = resolved(default_criterion, detection, measure)
    return measure, default if default in candidates else candidates[0]
