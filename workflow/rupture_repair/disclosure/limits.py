"""Whether single courses may be shown, and which counts are too small."""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..project.setting_groups import ReportSettings

#: How a withheld count is shown; NaN in a table of counts.
WITHHELD = "[c]"

_Name = TypeVar("_Name", bound=Hashable)


def individuals_shown(dataset: Mapping[str, Any], report: ReportSettings) -> bool:
    """Return whether single courses of this dataset may be drawn and named.

    Parameters
    ----------
    dataset : mapping
        dataset.json.
    report : ReportSettings
        Its `individuals` is demo_only (synthetic data only), allowed or never.
    """
    only_demo = report.individuals == "demo_only"
    return report.individuals == "allowed" or (only_demo and bool(dataset["synthetic"]))


def min_cell(dataset: Mapping[str, Any], report: ReportSettings) -> int:
    """Return the smallest count that may be shown: 1 where single courses may be shown."""
    return 1 if individuals_shown(dataset, report) else report.min_cell


def place_of_cells(name: str, synthetic: bool, report: ReportSettings) -> Path:
    """Return the folder for pages of a dataset that show single cells of its files.

    It is reports/ only where single courses may be shown; else these pages stay with the tables.

    Examples
    --------
    >>> report = ReportSettings(individuals="never", formats=("html",), min_cell=5)
    >>> place_of_cells("clinic", False, report).as_posix()
    'data/processed/clinic'
    """
    if individuals_shown({"synthetic": synthetic}, report):
        return Path("reports")
    return Path("data/processed") / name


def small(counts: Any, least: int) -> Any:
    """Return which counts lie between 0 and `least`."""
    return (np.asarray(counts, dtype=float) > 0) & (np.asarray(counts, dtype=float) < least)


def apart(count: Any, total: Any, least: int) -> Any:
    """Return which counts give away a small one: they themselves, or what they leave of a total."""
    count, total = np.asarray(count, dtype=float), np.asarray(total, dtype=float)
    return small(count, least) | small(total - count, least)


def spaced(
    counts: Iterable[tuple[_Name, int]], least: int, taken: Iterable[int] = ()
) -> dict[_Name, bool]:
    """Return which counts of sets that may contain each other can be shown together.

    Of two such sets the difference is a count as well: of those that are in one of them only. Any
    two counts that are shown are therefore equal or differ by at least `least`. Then a count that
    is not shown lies between two that do, and cannot be told more narrowly than by `least`.

    Parameters
    ----------
    counts : iterable of (name, int)
        The most important ones first.
    least : int
        The smallest difference.
    taken : iterable of int
        Counts that are shown in any case.

    Returns
    -------
    dict
        By name, whether it can be shown.

    Examples
    --------
    >>> spaced([("all", 36), ("rated", 34), ("assessable", 30), ("fitted", 30)], 5)
    {'all': True, 'rated': False, 'assessable': True, 'fitted': True}
    """
    known = {0, *taken}
    found = {}
    for name, count in counts:
        found[name] = count in known or all(abs(count - one) >= least for one in known)
        if found[name]:
            known.add(count)
    return found
