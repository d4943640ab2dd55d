"""Figure of agreement: every pair of criteria as a cell of a heat map."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from ..project.measures import Measures
from .style import INK, QUIET, WIDTH, Drawn, label, nothing, styled

#: From no agreement beyond chance to full agreement; lightness falls all the way.
SHADES = LinearSegmentedColormap.from_list(
    "agreement", ["#ffffff", "#7cc4ee", "#0072B2", "#00273f"]
)


@styled
def agreement_heat_map(
    agreement: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    *,
    measure: str,
) -> Drawn:
    """Draw Cohen's kappa below and Gwet's AC1 above the diagonal, for every pair of criteria.

    On the diagonal is the share of sessions that the criterion puts inside an episode.

    Parameters
    ----------
    agreement, detection : DataFrame
        The tables of these names.
    measures : mapping of str to Measure
    measure : str
        Which measure to draw.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        One row per pair: criterion_a, criterion_b, name_a, name_b, n_sessions, kappa, ac1, reason
        (why there is no kappa), shared (share of episodes found by both).
    """
    rows = detection[detection["measure"] == measure].drop_duplicates("criterion")
    names = dict(zip(rows["criterion"], rows["name"], strict=True))
    agreement = agreement[agreement["measure"] == measure]
    numbers = agreement
    numbers = numbers.assign(
        name_a=numbers["criterion_a"].map(names), name_b=numbers["criterion_b"].map(names)
    )
    columns = ["criterion_a", "criterion_b", "name_a", "name_b", "n_sessions", "kappa", "ac1"]
    numbers = numbers[[*columns, "reason", "shared"]].reset_index(drop=True)
    if numbers.empty:
        return nothing("Only one criterion was applied, so there is nothing to compare."), numbers
    place = {criterion: at for at, criterion in enumerate(names)}
    cells = np.full((len(names), len(names)), np.nan)
    a, b = numbers["criterion_a"].map(place), numbers["criterion_b"].map(place)
    cells[b, a], cells[a, b] = numbers["kappa"], numbers["ac1"]
    shares = _shares(agreement).reindex(list(names))
    row = float(np.clip(5.7 / len(names), 0.3, 0.45))  # inches
    figure = Figure((WIDTH, max(row * len(names), 1.9) + 1.0), layout="constrained")
    axes = figure.subplots()
    _draw_cells(axes, cells, shares.to_numpy())
    labels = [label(name, 30) for name in names.values()]
    axes.set_yticks(range(len(names)), [f"{name}  {at}" for at, name in enumerate(labels, 1)])
    axes.set_xticks(range(len(names)), [str(at) for at in range(1, len(names) + 1)])
    axes.set_title(label(measures[measure].label, 60), pad=8)
    image = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), SHADES)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=18, pad=0.02)
    bar.set_label("below the diagonal: Cohen's κ\nabove: Gwet's AC1")
    bar.outline.set(linewidth=0.6, edgecolor=QUIET)  # type: ignore[operator]
    hatched = Patch(fc="white", hatch="////", ec=QUIET, lw=0.5, label="cannot be computed")
    diagonal = Patch(fc="white", ec=INK, lw=0.9, label="sessions inside an episode (%)")
    figure.legend(handles=[diagonal, hatched], loc="outside upper left", ncols=2)
    return figure, numbers


def _shares(agreement: pd.DataFrame) -> pd.Series:
    """Return by criterion the share of its sessions inside an episode, in its largest pair."""
    sides = [
        agreement[[f"criterion_{side}", f"prevalence_{side}", "n_sessions"]].set_axis(
            ["criterion", "share", "n"], axis=1
        )
        for side in "ab"
    ]
    every = pd.concat(sides).sort_values("n", ascending=False, kind="stable")
    return every.drop_duplicates("criterion").set_index("criterion")["share"]


def _draw_cells(axes: Axes, cells: np.ndarray, shares: np.ndarray) -> None:
    """Draw one cell per pair with its number, and the shares on the diagonal."""
    number = len(cells)
    size = float(np.clip(11 - 0.22 * number, 6.5, 8.5))
    for row in range(number):
        for column in range(number):
            value = cells[row, column]
            at = (column - 0.5, row - 0.5)
            look: dict[str, Any] = {"fc": "white", "ec": "#b5b5b5", "lw": 0.5}
            said, colour = "", INK
            if row == column:
                look |= {"ec": INK, "lw": 0.9, "zorder": 3}
                said = "–" if np.isnan(shares[row]) else f"{100 * shares[row]:.0f} %"
            elif np.isnan(value):
                look |= {"hatch": "////", "ec": QUIET}
            else:
                shade = SHADES(float(np.clip(value, 0, 1)))
                look["fc"] = shade
                colour = "white" if np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5 else INK
                said = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
            axes.add_patch(Rectangle(at, 1, 1, **look))
            axes.text(
                column, row, said, ha="center", va="center", size=size, color=colour, zorder=4
            )
    axes.set(xlim=(-0.52, number - 0.48), ylim=(number - 0.48, -0.52))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
