"""Figure of planted falls: how often each criterion finds a fall of known depth."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from ..project.measures import Measures
from .agreement import SHADES
from .style import INK, QUIET, WIDTH, Drawn, label, nothing, styled


@styled
def planted_falls_figure(
    sensitivity: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    *,
    measure: str,
) -> Drawn:
    """Draw the share of planted falls found, by criterion and depth, next to the false alarms.

    Parameters
    ----------
    sensitivity, detection : DataFrame
        The tables of these names.
    measures : mapping of str to Measure
    measure : str
        Which measure to draw.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        One row per criterion and depth: criterion, name, k, depth (within-course SD), sensitivity,
        sensitivity_error, false_alarm, planted.
    """
    rows = detection[detection["measure"] == measure].drop_duplicates("criterion")
    names = dict(zip(rows["criterion"], rows["name"], strict=True))
    numbers = sensitivity[
        (sensitivity["measure"] == measure) & (sensitivity["volatility"].astype(str) == "all")
    ]
    numbers = numbers.assign(name=numbers["criterion"].map(names))
    columns = ["criterion", "name", "k", "depth", "sensitivity", "sensitivity_error",
               "false_alarm", "planted"]  # fmt: skip
    numbers = numbers[columns].dropna(subset="depth").reset_index(drop=True)
    if numbers.empty:
        return nothing("No criterion could be tried on planted falls."), numbers
    shares = numbers.pivot(index="criterion", columns="depth", values="sensitivity")
    shares = shares.reindex([name for name in names if name in shares.index])
    alarms = numbers.groupby("criterion")["false_alarm"].first().reindex(shares.index)
    figure = Figure((WIDTH, 0.3 * len(shares) + 1.3), layout="constrained")
    axes = figure.subplots()
    _draw_cells(axes, alarms.to_numpy()[:, None], -1.4)
    _draw_cells(axes, shares.to_numpy(), 0.0)
    places = [-1.4, *range(shares.shape[1])]
    axes.set_xticks(places, ["no fall:\nfalse alarms", *[f"{depth:g}" for depth in shares.columns]])
    axes.set_yticks(range(len(shares)), [label(names[name], 30) for name in shares.index])
    axes.set(xlim=(-2.0, shares.shape[1] - 0.4), ylim=(len(shares) - 0.45, -0.55))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    axes.set_xlabel("depth of the planted fall, in within-course SD")
    axes.set_title(label(measures[measure].label, 60), pad=8)
    hatched = Patch(fc="white", hatch="////", ec=QUIET, lw=0.5, label="not assessable")
    figure.legend(handles=[hatched], loc="outside upper left")
    return figure, numbers


def _draw_cells(axes: Axes, shares: np.ndarray, begin: float) -> None:
    """Draw a block of cells with their percentages, its first column at `begin`."""
    for (row, column), share in np.ndenumerate(shares):
        x = begin + column
        if np.isnan(share):
            look: dict[str, Any] = {"fc": "white", "hatch": "////", "ec": QUIET, "lw": 0.5}
            axes.add_patch(Rectangle((x - 0.5, row - 0.5), 1, 1, **look))
            continue
        shade = SHADES(float(share))
        dark = np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5
        axes.add_patch(Rectangle((x - 0.5, row - 0.5), 1, 1, fc=shade, ec="#b5b5b5", lw=0.5))
        axes.text(
            x, row, f"{100 * share:.0f} %", ha="center", va="center", size=8,
            color="white" if dark else INK,
        )  # fmt: skip
