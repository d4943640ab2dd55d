"""What is published about instruments: scales, cut-offs, reliable changes, reliabilities."""

from functools import cache
from pathlib import Path
from typing import Any

from ..project import yaml_files
from ..project.package_files import KNOWLEDGE


@cache
def load(path: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the instruments.

    Parameters
    ----------
    path : path, optional
        The file; ``knowledge/instruments.yaml`` by default.

    Returns
    -------
    dict
        Id -> title, version, rates, items, item_range, scored, range, better, components, source,
        standing, reverse_keyed, prorating, licence, note, cut_offs, reliable_changes,
        reliabilities.

    Raises
    ------
    ProblemsFound
        If the file does not follow its schema (E101 to E109).
    """
    return yaml_files.read(path or KNOWLEDGE / "instruments.yaml", "instruments")["instruments"]


def only(constants: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the constant if one alone is published; which of several holds is the user's word."""
    return constants[0] if len(constants) == 1 else None


def reliability(instrument: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first published reliability that has a value, or None."""
    return next((one for one in instrument["reliabilities"] if one["value"] is not None), None)


def scale(items: int, item_range: tuple[float, float], scored: str) -> tuple[float, float]:
    """Return the range of the total of `items` items.

    Examples
    --------
    >>> scale(4, (0, 10), "sum")
    (0, 40)
    >>> scale(4, (0, 10), "mean")
    (0, 10)
    """
    low, high = item_range
    times = {"sum": items, "mean_times_10": 10}.get(scored, 1)
    return low * times, high * times


def weight(items: int, scored: str) -> float:
    """Return with what the sum of `items` items is multiplied to give the total.

    Examples
    --------
    >>> weight(4, "sum"), weight(4, "mean"), weight(4, "mean_times_10")
    (1, 0.25, 2.5)
    """
    return {"sum": 1, "mean_times_10": 10 / items}.get(scored, 1 / items)
