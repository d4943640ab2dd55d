"""What is published about instruments: scales, cut-offs, reliable changes, reliabilities."""

from functools import cache
from pathlib import Path
from typing import Any

from . import config


@cache
def load(path: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the instruments.

    Parameters
    ----------
    path : path, optional
        The file; ``workflow/instruments.yaml`` by default.

    Returns
    -------
    dict
        Id -> title, version, rates, items, item_range, scored, range, better, components, source,
        standing, licence, note, cut_offs, reliable_changes, reliabilities.

    Raises
    ------
    ProblemsFound
        If the file does not follow its schema (E101 to E109).
    """
    return config.read(path or config.WORKFLOW / "instruments.yaml", "instruments")["instruments"]


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
    return (low * items, high * items) if scored == "sum" else (low, high)
