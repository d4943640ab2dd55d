"""Intervals of proportions."""

from typing import Any

import numpy as np
from scipy import special


def wilson(count: Any, number: Any) -> tuple[Any, Any]:
    """Return the ends of the 95 % interval of a proportion, by the score test (Wilson 1927).

    Parameters
    ----------
    count, number : int or array of int
        How many of how many.

    Returns
    -------
    low, high
        Of the shape of `count`; NaN of none. The proportion lies between them, also after
        rounding: none of any number has the low end 0, all of them the high end 1.

    Examples
    --------
    >>> low, high = wilson(2, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0567, 0.5098)
    """
    z = special.ndtri(0.975)
    count, number = np.asarray(count, dtype=float), np.asarray(number, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = count / number
        centre = share + z**2 / (2 * number)
        reach = z * np.sqrt(share * (1 - share) / number + (z / (2 * number)) ** 2)
        low, high = ((centre + end) / (1 + z**2 / number) for end in (-reach, reach))
    low, high = np.where(count == 0, 0.0 * share, low), np.where(count == number, share, high)
    return low[()], high[()]
