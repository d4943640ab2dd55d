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
    """Draw Cohen's kappa for every pair of criteria, those that agree next to each other.

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
    order = _alike_together(numbers, list(names))
    place = {criterion: at for at, criterion in enumerate(order)}
    cells = np.full((len(order), len(order)), np.nan)
    a, b = numbers["criterion_a"].map(place), numbers["criterion_b"].map(place)
    cells[a, b] = cells[b, a] = numbers["kappa"]
    shares = _shares(agreement).reindex(order)
    row = float(np.clip(5.7 / len(order), 0.3, 0.45))  # inches
    figure = Figure((WIDTH, max(row * len(order), 1.9) + 1.0), layout="constrained")
    axes = figure.subplots()
    _draw_cells(axes, cells, shares.to_numpy())
    for at, criterion in enumerate(order):
        axes.text(at + 0.6, at, label(names[criterion], 30), va="center", size=8.5)
    axes.set(xticks=[], yticks=[])
    axes.set_title(label(measures[measure].label, 60), pad=8)
    image = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), SHADES)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=18, pad=0.02)
    bar.set_label("Cohen's κ")
    bar.outline.set(linewidth=0.6, edgecolor=QUIET)  # type: ignore[operator]
    hatched = Patch(fc="white", hatch="////", ec=QUIET, lw=0.5, label="cannot be computed")
    diagonal = Patch(fc="white", ec=INK, lw=0.9, label="sessions inside an episode (%)")
    figure.legend(handles=[diagonal, hatched], loc="outside upper left", ncols=2)
    return figure, numbers


def _alike_together(numbers: pd.DataFrame, names: list[str]) -> list[str]:
    """Order criteria so that those which agree are neighbours; those without kappa come last.

    By clusters of average linkage, each turned so that neighbours agree as much as they can.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    known = numbers[numbers["kappa"].notna()]
    kept = [name for name in names if name in {*known["criterion_a"], *known["criterion_b"]}]
    rest = [name for name in names if name not in kept]
    if len(kept) < 3:
        return kept + rest
    place = {name: at for at, name in enumerate(kept)}
    apart = np.ones((len(kept), len(kept)))  # as far as no agreement, where it is not known
    a, b = known["criterion_a"].map(place), known["criterion_b"].map(place)
    apart[a, b] = apart[b, a] = 1 - known["kappa"]
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average", optimal_ordering=True)
    return [kept[at] for at in leaves_list(tree)] + rest


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
        for column in range(row + 1):
            value = cells[row, column]
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
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))
            axes.text(
                column, row, said, ha="center", va="center", size=size, color=colour, zorder=4
            )
    axes.set(xlim=(-0.52, number - 0.48), ylim=(number - 0.48, -0.52))
    axes.spines[:].set_visible(False)
