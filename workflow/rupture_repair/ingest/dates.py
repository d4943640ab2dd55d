"""Dates as they are written in cells, read strictly."""

import datetime
import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ..project.arrays import Flags, Floats

#: The form of dates where dataset.yaml says nothing.
ISO = "%Y-%m-%d"

#: A date of this form may go on with the time of day and the offset from UTC.
_WITH_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
    r"( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?"
)

#: No rating is older or younger than these years.
FIRST_YEAR, LAST_YEAR = 1930, 2100

_EPOCH = datetime.date(1970, 1, 1).toordinal()


class Dates(NamedTuple):
    """What texts say as dates.

    Attributes
    ----------
    days : ndarray, shape (texts,)
        Days since 1 January 1970; NaN where a text is no date, or its year is not possible.
    strange : ndarray of bool
        Which texts are no dates of this form.
    impossible : ndarray of bool
        Which are dates of a year before 1930 or after 2100.
    """

    days: Floats
    strange: Flags
    impossible: Flags


def read(texts: Sequence[str], written: str) -> Dates:
    """Read dates of one form.

    A date with an offset from UTC is that of the place where it was written down.

    Parameters
    ----------
    texts : sequence of str
        The cells.
    written : str
        The form, in the signs of strptime.

    Examples
    --------
    >>> read(["1970-01-02", "1970-01-02T00:30:00+02:00", "now", "0024-01-01"], ISO).days
    array([ 1.,  1., nan, nan])
    """
    find = _iso if written == ISO else partial(_date, written=written)
    found = [find(text) for text in texts]
    strange = np.array([date is None for date in found], bool)
    impossible = np.array(
        [date is not None and not FIRST_YEAR <= date.year <= LAST_YEAR for date in found], bool
    )
    days = np.array([np.nan if date is None else date.toordinal() - _EPOCH for date in found])
    return Dates(np.where(impossible, np.nan, days), strange, impossible)


def _iso(text: str) -> datetime.date | None:
    match = _WITH_TIME.fullmatch(text)
    return _date(match["date"], ISO) if match else None


def _date(text: str, written: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text, written).date()
    except ValueError:
        return None


def tells_the_day(written: str) -> bool:
    """Return whether a form tells day, month and year of any date."""
    zone = datetime.UTC
    try:
        days = [datetime.datetime(2001, 2, 3, tzinfo=zone)]
        days.append(datetime.datetime(2019, 12, 31, tzinfo=zone))
        return all(
            datetime.datetime.strptime(day.strftime(written), written).date() == day.date()
            for day in days
        )
    except (ValueError, re.error):
        return False
