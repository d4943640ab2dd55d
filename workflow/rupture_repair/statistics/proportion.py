"""Intervals of proportions."""

from typing import Any


def wilson(count: Any, number: Any) -> tuple[Any, Any]:
    """Return the ends of the 95 % interval of a proportion, by the score test (Wilson 1927).

    Parameters
    ----------
    count, number : int or array of int
        How many of how many.

    Returns
    -------
    low, high
        Of the shape of `count`.
    """
    # statsmodels takes as long to load as most steps take to work: only where it is needed.
    from statsmodels.stats.proportion import proportion_confint

    return proportion_confint(count, number, method="wilson")
