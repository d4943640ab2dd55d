"""Figures of diagnostics: the data next to what the fitted model itself produces."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..project.measures import Measures
from .rows import name_of
from .style import FAINT, INK, QUIET, TERMS, WIDTH, Drawn, label, nothing, styled

#: What the model produces, and what of the data lies outside of it.
BAND, OUTSIDE, POINT = "#d3dde6", "#D55E00", "#6f8496"

#: Most therapists in the figure of influence, those with the largest changes.
MOST_SHOWN = 20

_CURVE = ["x", "value", "reference", "reference_low", "reference_high", "n"]


def diagnostic_figures(
    diagnostics: pd.DataFrame,
    measures: Measures,
    *,
    measure: str,
) -> dict[str, Drawn]:
    """Draw all figures of the diagnostics of one measure.

    Parameters
    ----------
    diagnostics : DataFrame
        The table of this name, as :func:`rupture_repair.disclosure.curves.diagnostics` let it
        pass.
    measures : mapping of str to Measure
    measure : str

    Returns
    -------
    dict
        residuals, normal_quantiles, autocorrelation and influence: figure and numbers; empty if
        the measure has no diagnostics.
    """
    own = diagnostics[diagnostics["measure"] == measure]
    if own.empty:
        return {}
    negated = measures[str(own["outcome"].iloc[0])].better == "lower"
    return {
        "residuals": residuals(own, negated=negated),
        "normal_quantiles": normal_quantiles(own),
        "autocorrelation": autocorrelation(own),
        "influence": influence(own),
    }


def _reason(own: pd.DataFrame, diagnostic: str) -> Drawn:
    """Say why there is nothing to draw."""
    reasons = own.loc[own["diagnostic"] == diagnostic, "message"].dropna()
    text = f"Not assessable: {reasons.iloc[0]}" if len(reasons) else "Not assessable."
    return nothing(label(text, 130)), pd.DataFrame()


def _known(own: pd.DataFrame, diagnostic: str) -> pd.DataFrame:
    return own[(own["diagnostic"] == diagnostic) & own["value"].notna()]


@styled
def residuals(own: pd.DataFrame, *, negated: bool) -> Drawn:
    """Draw residuals, and their spread, against fitted values.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.
    negated : bool
        Whether the outcome was turned.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        kind (point or cell, mean, spread, time), x (fitted value, or session number), value (in
        residual SD), reference, reference_low, reference_high, n.
    """
    points, mean, spread, time = (
        _known(own, name) for name in ("residual", "mean", "spread", "time")
    )
    if mean.empty:
        return _reason(own, "mean")
    single = not (points["part"] == "cell").any() if len(points) else False
    points = points[["x", "value"]].assign(kind="point" if single else "cell")
    figure = Figure((WIDTH, 3.7), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.35, 1, 1])
    right.axhline(0, color=QUIET, lw=0.8)
    left.axhline(0, color=QUIET, lw=0.8)
    look = {"ms": 2.2, "alpha": 0.45} if single else {"ms": 5.0, "alpha": 0.6}
    left.plot(points["x"], points["value"], ".", color=POINT, mew=0, **look)
    fitted = "fitted value" + (" × −1: higher is better" if negated else "")
    for axes, curve, words, title in (
        (left, mean, fitted, "Residuals and their means"),
        (middle, spread, fitted, "Spread (SD)"),
        (right, time, "session number", "Means by session"),
    ):
        _draw_curve(axes, curve)
        axes.set_xlabel(words)
        axes.set_title(title)
    left.set_ylabel("residual, in residual SD")
    low, high = middle.get_ylim()
    middle.set_ylim(min(low, 0.5), max(high, 1.5))
    low, high = right.get_ylim()
    right.set_ylim(min(low, -0.5), max(high, 0.5))
    dots = "single sessions" if single else "cells of sessions"
    dot = Line2D([], [], marker="o", ms=3, ls="", color=POINT, label=dots)
    _legend(figure, "in ranges", dot)
    curves = [part[_CURVE].assign(kind=part["diagnostic"]) for part in (mean, spread, time)]
    numbers = pd.concat([points, *curves], ignore_index=True)
    return figure, numbers[["kind", *_CURVE]]


def _draw_curve(axes: Axes, curve: pd.DataFrame, line: str = "-", size: float = 3.0) -> None:
    """Draw a curve over the band of what the model produces; mark what lies outside."""
    axes.fill_between(
        curve["x"], curve["reference_low"], curve["reference_high"], color=BAND, lw=0, zorder=1
    )
    axes.plot(curve["x"], curve["reference"], "--", color=QUIET, lw=0.9)
    axes.plot(curve["x"], curve["value"], ls=line, marker="o", color=INK, lw=1.1, ms=size)
    off = curve[_outside(curve)]
    axes.plot(off["x"], off["value"], "s", color=OUTSIDE, ms=size + 1.5, mec=INK, mew=0.5)


def _outside(curve: pd.DataFrame) -> pd.Series:
    return (curve["value"] < curve["reference_low"]) | (curve["value"] > curve["reference_high"])


def _legend(figure: Figure, of_what: str, *more: Line2D, line: str = "-") -> None:
    handles = [
        *more,
        Line2D([], [], color=INK, marker="o", ms=3, ls=line, lw=1.1, label=f"data, {of_what}"),
        Line2D([], [], color=OUTSIDE, marker="s", mec=INK, mew=0.5, ls="", label="outside"),
        Patch(fc=BAND, label="95 % of data drawn from the model"),
        Line2D([], [], color=QUIET, ls="--", lw=0.9, label="their mean"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))


@styled
def normal_quantiles(own: pd.DataFrame) -> Drawn:
    """Draw ordered residuals and random effects against normal quantiles.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        of (residual, or a level and effect), x (normal quantile), value (standardised), reference,
        reference_low, reference_high, n (values ordered).
    """
    known = _known(own, "quantiles")
    if known.empty:
        return _reason(own, "quantiles")
    known = known[["of", *_CURVE]]
    panels = list(known.groupby("of", sort=False))
    figure = Figure((WIDTH, 3.0 if len(panels) > 2 else 4.0), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, curve) in zip(grid, panels, strict=True):
        _draw_curve(axes, curve, line="", size=2.4)
        number = curve["n"].iloc[0]
        said = "" if pd.isna(number) else f"\n(n = {number:,.0f})"
        axes.set_title(name_of(str(name)) + said)
        axes.set_xlabel("normal quantile")
    grid[0].set_ylabel("ordered values, standardised")
    _legend(figure, "ordered", line="")
    return figure, known.reset_index(drop=True)


@styled
def autocorrelation(own: pd.DataFrame) -> Drawn:
    """Draw the autocorrelation of residuals by lag.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        lag (session numbers), value, low, high, reference, reference_low, reference_high, n
        (pairs).
    """
    known = _known(own, "autocorrelation")
    if known.empty:
        return _reason(own, "autocorrelation")
    figure = Figure((WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=QUIET, lw=0.8)
    height = known["reference_high"] - known["reference_low"]
    axes.bar(known["x"], height, 0.5, known["reference_low"], color=BAND)
    ends = known["x"] - 0.25, known["x"] + 0.25
    axes.hlines(known["reference"], *ends, color=QUIET, lw=0.9, ls="--")
    axes.vlines(known["x"], known["low"], known["high"], color=INK, lw=1.3)
    axes.plot(known["x"], known["value"], "o", color=INK, ms=5)
    off = known[_outside(known)]
    axes.plot(off["x"], off["value"], "s", color=OUTSIDE, ms=6, mec=INK, mew=0.5)
    ticks = [
        f"{lag:.0f}" if pd.isna(n) else f"{lag:.0f}\n{n:,} pairs"
        for lag, n in zip(known["x"], known["n"], strict=True)
    ]
    axes.set_xticks(known["x"], ticks)
    axes.set_xlabel("session numbers apart")
    axes.set_ylabel("autocorrelation")
    axes.grid(axis="y", color="#ececec", lw=0.6)
    _legend(figure, "with 95 % interval")
    columns = ["x", "value", "low", "high", "reference", "reference_low", "reference_high", "n"]
    return figure, known[columns].rename(columns={"x": "lag"}).reset_index(drop=True)


def influence_rows(own: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates without single therapists or groups.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    DataFrame
        Sorted by term and by the larger of the two changes of a therapist: term, left_out, n
        (courses), change (in standard errors), estimate, ci_low, ci_high (without), whole,
        whole_low, whole_high (from all).
    """
    rows = _known(own, "influence").assign(size=lambda table: table["x"].abs())
    most = rows.groupby("part")["size"].transform("max")
    rows = rows.assign(most=most).sort_values(["most", "part"], ascending=[False, True])
    order = {term: place for place, term in enumerate(TERMS)}
    rows = rows.assign(left_out=rows["part"].astype(str), place=rows["of"].map(order))
    renamed = {
        "of": "term", "x": "change", "value": "estimate", "low": "ci_low", "high": "ci_high",
        "reference": "whole", "reference_low": "whole_low", "reference_high": "whole_high",
    }  # fmt: skip
    rows = rows.sort_values("place", kind="stable").rename(columns=renamed)
    return rows[["term", "left_out", "n", *list(renamed.values())[1:]]].reset_index(drop=True)


@styled
def influence(own: pd.DataFrame) -> Drawn:
    """Draw the estimates of claim C7 without single therapists, or groups of courses.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        As :func:`influence_rows`, of the :data:`MOST_SHOWN` with the largest changes.
    """
    numbers = influence_rows(own)
    if numbers.empty:
        return _reason(own, "influence")
    shown = list(numbers["left_out"].drop_duplicates())[:MOST_SHOWN]
    numbers = numbers[numbers["left_out"].isin(shown)].reset_index(drop=True)
    panels = list(numbers.groupby("term", sort=False))
    figure = Figure((WIDTH, 0.19 * len(shown) + 1.3), layout="constrained")
    grid = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (term, rows) in zip(grid, panels, strict=True):
        name, colour, marker = TERMS[str(term)]
        first = rows.iloc[0]
        axes.axvspan(first["whole_low"], first["whole_high"], color=BAND, lw=0)
        axes.axvline(first["whole"], color=QUIET, ls="--", lw=0.9)
        axes.axvline(0, color=QUIET, lw=0.8)
        y = np.array([shown.index(one) for one in rows["left_out"]])
        axes.hlines(y, rows["ci_low"], rows["ci_high"], color=colour, lw=1.2)
        axes.plot(rows["estimate"], y, marker, color=colour, ms=4.5)
        axes.set_title(f"Sessions {name}")
        axes.set_xlabel("difference in points of the outcome")
        axes.grid(axis="x", color="#ececec", lw=0.6)
    grid[0].set_yticks(range(len(shown)), [f"without {label(one, 30)}" for one in shown])
    grid[0].set_ylim(len(shown) - 0.4, -0.6)
    for axes in grid:
        axes.tick_params(axis="y", length=0)
    handles = [
        Line2D(
            [], [], color=INK, marker="o", ms=4, lw=1.2, label="estimate without, 95 % interval"
        ),
        Line2D([], [], color=QUIET, ls="--", lw=0.9, label="from all"),
        Patch(fc=BAND, ec=FAINT, lw=0.5, label="its 95 % interval"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure, numbers
