"""The figure of the ratings and the outcome over the sessions."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..project.measures import Measures
from .style import WIDTH, Drawn, label, nothing, styled

#: Colour of the panels in their order: the alliance, the outcome.
_COLOURS = ("#0072B2", "#D55E00")

#: Ends of the bands, the wider one first, and how dense they are.
_BANDS = (("tenth", "ninth", 0.15), ("quarter", "three_quarters", 0.3))


@styled
def over_sessions(quantiles: pd.DataFrame, measures: Measures) -> Drawn:
    """Draw the median of ratings at each session with the middle half and the middle four fifths.

    Parameters
    ----------
    quantiles : DataFrame
        From :func:`rupture_repair.exposure.summaries.ratings_by_session`, as it may be shown: one
        panel per measure.
    measures : mapping of str to Measure

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        `quantiles`.
    """
    numbers = quantiles.reset_index(drop=True)
    if numbers.empty:
        return nothing("Too few ratings at any session to draw them."), numbers
    panels = list(numbers.groupby("measure", sort=False))
    figure = Figure((WIDTH, 3.2), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, rows), colour in zip(grid, panels, _COLOURS, strict=False):
        for low, high, alpha in _BANDS:
            axes.fill_between(
                rows["session"], rows[low], rows[high], color=colour, alpha=alpha, lw=0
            )
        axes.plot(rows["session"], rows["median"], color=colour, lw=1.8, marker="o", ms=3)
        measure = measures[str(name)]
        axes.set_title(f"{label(measure.label, 34)} ({measure.better} is better)")
        if measure.sign < 0:
            axes.invert_yaxis()
        axes.set_xlabel("session")
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
        axes.grid(axis="y", color="#ececec", lw=0.6)
    grid[0].set_ylabel("points")
    shades = ("middle four fifths of the courses", "middle half")
    handles = [Patch(color="#5a5a5a", alpha=band[2], lw=0, label=words)
               for band, words in zip(_BANDS, shades, strict=True)]  # fmt: skip
    median = Line2D([], [], color="#5a5a5a", lw=1.8, marker="o", ms=3, label="median")
    figure.legend(handles=[median, *handles], loc="outside upper left", ncols=3)
    return figure, numbers
