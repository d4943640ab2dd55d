"""Figures made of rows, with texts next to them."""

import textwrap
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..disclosure.limits import WITHHELD
from .style import QUIET, label


def rows_with_texts(figure: Figure, heights: list[float], *, sharex: bool) -> NDArray:
    """Return one pair of axes per panel: one to draw in, one for the numbers next to it."""
    grid = figure.subplots(
        len(heights),
        2,
        sharex="col" if sharex else "none",
        sharey="row",
        squeeze=False,
        height_ratios=heights,
        width_ratios=[3.4, 1.5],
    )
    for texts in grid[:, 1]:
        texts.axis("off")
    return grid


def shown(count: Any) -> str:
    """Return a count as text, marked where it is withheld."""
    return WITHHELD if pd.isna(count) else f"{count:,.0f}"


def place_beside(axes: Axes) -> mpl.transforms.Transform:
    """Return coordinates that are shares of the panel across, and data downwards."""
    return mpl.transforms.blended_transform_factory(axes.transAxes, axes.transData)


def write_text(axes: Axes, y: float, text: str) -> None:
    """Write across a row why there is nothing to draw in it."""
    lines = textwrap.wrap(label(text, 220), 100 if len(text) <= 100 else 110)
    box = {"boxstyle": "square,pad=0.2", "fc": "white", "ec": "none"}
    look: dict[str, Any] = {
        "style": "italic",
        "size": 8.5 if len(lines) < 2 else 7.5,
        "linespacing": 1.05,
        "color": QUIET,
        "va": "center",
        "bbox": box,
    }
    said = axes.text(0.01, y, "\n".join(lines), transform=place_beside(axes), **look)
    said.set_in_layout(False)  # it may run into the empty place of the numbers


def name_of(effect: str) -> str:
    """Return what a distribution is of, in words.

    Examples
    --------
    >>> [name_of(name) for name in ("residual", "course Intercept", "course time")]
    ['residuals', 'course intercepts', 'course slopes of time']
    """
    if effect == "residual":
        return "residuals"
    level, name = effect.split(" ", 1)
    return f"{level} intercepts" if name == "Intercept" else f"{level} slopes of {name}"
