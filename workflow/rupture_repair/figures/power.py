"""Figure of a power analysis: power over numbers of courses."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import FAINT, INK, QUIET, WIDTH, Drawn, label, styled

#: How ways to the states that are no criterion are drawn: words, colour, marker, line.
WAYS = {
    "truth": ("states known", "#D55E00", "s", "--"),
    "probabilities": ("probabilities", "#009E73", "D", "-"),
}
#: Colours and markers of criteria, in turn.
_CRITERIA = (("#0072B2", "o"), ("#CC79A7", "^"), ("#56B4E9", "v"), ("#E69F00", "P"))


@styled
def power_curve(power: pd.DataFrame, smallest: pd.DataFrame, *, title: str) -> Drawn:
    """Draw the power of simulated studies over their number of courses.

    Parameters
    ----------
    power, smallest : DataFrame
        As in :class:`rupture_repair.power.Result`.
    title : str

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        `power` as given.
    """
    figure = Figure((WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    target = float(smallest["target"].iloc[0])
    planned = power["fitted"].notna().any() or len(power["courses"].unique()) > 3
    if planned:
        axes.axhline(target, color=FAINT, lw=1, zorder=0)
    ways = _drawn(power)
    for way, (words, colour, marker, line) in ways.items():
        mine = power[power["detection"] == way].sort_values("courses")
        if mine.empty:
            continue
        _points(axes, mine, colour, marker, words)
        fitted = mine.dropna(subset="fitted")
        if len(fitted) > 1:
            axes.plot(fitted["courses"], fitted["fitted"], color=colour, ls=line, lw=1.2)
        _mark(axes, smallest[smallest["detection"] == way], colour)
    axes.set(xlabel="courses", ylabel="share of studies with a significant result")
    axes.set_ylim(0, 1.02 if planned else None)
    axes.set_title(label(title, 110), pad=8)
    figure.legend(loc="outside lower center", ncols=min(len(ways), 4))
    return figure, power


def _drawn(power: pd.DataFrame) -> dict[str, tuple[str, str, str, str]]:
    """Return how each way is drawn, known states first."""
    names = list(dict.fromkeys(power["detection"]))
    ways = {way: drawn for way, drawn in WAYS.items() if way in names}
    others = [name for name in names if name not in ways]
    for place, name in enumerate(others):
        colour, marker = _CRITERIA[place % len(_CRITERIA)]
        ways[name] = (f"states found by {name}", colour, marker, "-")
    return ways


def _points(axes: Axes, rows: pd.DataFrame, colour: str, marker: str, words: str) -> None:
    """Draw shares with their Monte Carlo intervals; hollow where few studies were simulated."""
    few = (rows["step"] == "rough").to_numpy()
    ends = np.abs(rows[["power_low", "power_high"]].to_numpy().T - rows["power"].to_numpy())
    axes.errorbar(
        rows["courses"], rows["power"], ends, fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.7
    )
    for hollow, name in ((False, words), (True, None)):
        some = rows[few == hollow]
        face = "white" if hollow else colour
        axes.plot(some["courses"], some["power"], marker, color=colour, mfc=face, ms=5, label=name)


def _mark(axes: Axes, row: pd.DataFrame, colour: str) -> None:
    """Mark the smallest number of courses at the target."""
    if "courses" not in row or row["courses"].isna().all():
        return
    number, target = float(row["courses"].iloc[0]), float(row["target"].iloc[0])
    axes.plot([number, number], [0, target], color=colour, lw=0.8, ls=":")
    axes.annotate(
        f"{number:.0f}", (number, 0), xytext=(3, 3), textcoords="offset points", color=INK,
        size=9, bbox={"fc": "white", "ec": QUIET, "lw": 0.4, "pad": 1.5},
    )  # fmt: skip
