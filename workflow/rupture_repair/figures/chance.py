"""Figure of observed episodes next to those that noise alone makes."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..project.measures import Measures
from .rows import place_beside, rows_with_texts, shown, write_text
from .style import FAINT, INK, QUIET, WIDTH, Drawn, label, nothing, styled

_COLUMNS = ["criterion", "name", "observed", "expected", "expected_low", "expected_high"]
_COLUMNS += ["ratio", "p", "status"]


@styled
def observed_and_expected(
    chance: pd.DataFrame, detection: pd.DataFrame, measures: Measures, *, measure: str
) -> Drawn:
    """Draw observed episodes and those of rupture-free simulations, by criterion.

    Parameters
    ----------
    chance, detection : DataFrame
        The tables of these names.
    measures : mapping of str to Measure
    measure : str
        Which measure to draw.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        criterion, name, observed (NaN where withheld), expected, expected_low, expected_high,
        ratio, p, status, reason; of the first null model.
    """
    rows = detection[detection["measure"] == measure].drop_duplicates("criterion")
    names = dict(zip(rows["criterion"], rows["name"], strict=True))
    own = chance[(chance["measure"] == measure) & chance["criterion"].isin(names)]
    own = own[own["null_model"] == own["null_model"].iloc[0]] if len(own) else own
    numbers = own.assign(name=own["criterion"].map(names))
    numbers = numbers.reindex(columns=[*_COLUMNS, "reason"]).reset_index(drop=True)
    if not (numbers["status"] == "assessed").any():
        return nothing("No criterion could be compared with chance."), numbers
    figure = Figure((WIDTH, 0.27 * len(numbers) + 1.2), layout="constrained")
    (axes, texts) = rows_with_texts(figure, [1.0], sharex=True)[0]
    for y, row in enumerate(numbers.to_dict("records")):
        if row["status"] != "assessed":
            write_text(axes, y, f"not assessable: {row['reason']}")
            continue
        low, high = row["expected_low"], row["expected_high"]
        axes.barh(y, high - low, 0.5, low, color=FAINT, ec=QUIET, lw=0.4)
        axes.plot([row["expected"]] * 2, [y - 0.25, y + 0.25], color=QUIET, lw=1.4)
        if pd.notna(row["observed"]):
            axes.plot(row["observed"], y, "o", color="#D55E00", mec=INK, mew=0.6, ms=5.5)
        text = f"{shown(row['observed'])} against {row['expected']:,.1f}"
        if pd.notna(row["ratio"]):
            text += f", ratio {row['ratio']:.2f}"
        texts.text(0, y, text, transform=place_beside(texts), va="center", size=8.5)
    axes.set_xscale("function", functions=(_root, _square))
    axes.set(ylim=(len(numbers) - 0.4, -0.6), xlabel="episodes (square-root scale)")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
    axes.set_yticks(range(len(numbers)), [label(name, 34) for name in numbers["name"]])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#ececec", lw=0.6)
    axes.set_title(label(measures[measure].label, 60))
    handles = [
        Line2D([], [], color="#D55E00", mec=INK, mew=0.6, marker="o", ls="", label="observed"),
        Line2D([], [], color=QUIET, lw=1.4, label="their mean"),
        Patch(fc=FAINT, ec=QUIET, lw=0.4, label="nine of ten copies without any rupture"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure, numbers


def _root(values: Any) -> Any:
    return abs(values) ** 0.5


def _square(values: Any) -> Any:
    return values**2
