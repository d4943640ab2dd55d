"""The specification curve: every estimate of a multiverse, and the choices behind it."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..multiverse.choices import CHOICES
from ..project.measures import Measures
from .style import FAINT, INK, QUIET, TERMS, WIDTH, Drawn, label, nothing, styled

#: Choices and their levels, in words.
_CHOICES = {
    "criterion": "Criterion",
    "k_factor": "Strictness",
    "measure": "Alliance",
    "outcome": "Outcome",
    "variant": "Model",
    "trend": "Trend of exposure",
    "censored": "Censored episodes",
    "minimum_sessions": "Rated sessions",
}
_LEVELS = {
    ("variant", "main"): "unchanged",
    ("variant", "with_outcome_now"): "with outcome now",
    ("variant", "ar1"): "autocorrelated",
    ("censored", "left_out"): "left out",
    ("censored", "open"): "open rupture",
}

#: How an estimate is drawn: what it is, colour, marker.
_KINDS = {
    1: ("better outcome, p < .05", "#0072B2", "^"),
    -1: ("worse outcome, p < .05", "#D55E00", "v"),
    0: ("p ≥ .05", "#8c8c8c", "o"),
}


def curve_rows(fits: pd.DataFrame, detection: pd.DataFrame) -> pd.DataFrame:
    """Return the specifications in the order of the curve.

    Parameters
    ----------
    fits : DataFrame
        Of :class:`rupture_repair.multiverse.Outcome`.
    detection : DataFrame
        The table detection, for the names of criteria.

    Returns
    -------
    DataFrame
        One row per specification and term, sorted by term and standardised estimate, those
        without result last: the columns of the plan, name, term, rank (from 1, missing without
        result), estimate, standardised, standardised_low, standardised_high, p, n_courses, status,
        message.
    """
    factor = fits["standardised"] / fits["estimate"]
    names = detection.drop_duplicates("criterion").set_index("criterion")["name"]
    table = fits.assign(
        name=fits["criterion"].map(names).fillna(fits["criterion"]),
        standardised_low=fits["ci_low"] * factor,
        standardised_high=fits["ci_high"] * factor,
        rank=fits.groupby("term")["standardised"].rank(method="first"),
    )
    columns = ["specification", "main", *CHOICES, "k", "rater", "name", "term", "rank", "estimate"]
    columns += ["standardised", "standardised_low", "standardised_high", "p", "n_courses"]
    table = table[[*columns, "status", "message"]]
    order = {term: place for place, term in enumerate(fits["term"].unique())}
    place = table["term"].map(order)
    return table.assign(place=place).sort_values(
        ["place", "rank", "specification"], ignore_index=True
    ).drop(columns="place")  # fmt: skip


@styled
def specification_curve(fits: pd.DataFrame, detection: pd.DataFrame, measures: Measures) -> Drawn:
    """Draw the estimates of a multiverse by size, and below them the choices that made each.

    Parameters
    ----------
    fits : DataFrame
        Of :class:`rupture_repair.multiverse.Outcome`.
    detection : DataFrame
        The table detection.
    measures : mapping of str to Measure

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        As :func:`curve_rows`.
    """
    numbers = curve_rows(fits, detection)
    drawn = numbers[numbers["standardised"].notna()]
    if drawn.empty:
        return nothing("No specification gave an estimate; the report says why."), numbers
    panel = _panel_rows(drawn, measures, list(detection["criterion"].drop_duplicates()))
    terms = list(drawn["term"].drop_duplicates())
    height = 0.155 * len(panel) + 0.1
    figure = Figure((WIDTH, 2.9 + height), layout="constrained")
    grid = figure.subplots(
        2, len(terms), sharex="col", sharey="row", squeeze=False, height_ratios=[2.1, height]
    )
    for (curve, choices), term in zip(grid.T, terms, strict=True):
        rows = drawn[drawn["term"] == term]
        _draw_curve(curve, rows)
        _draw_choices(choices, rows, panel)
        curve.set_title(f"Outcome {TERMS[f'{term}_within'][0]}")
        choices.set_xlabel(f"{len(rows)} specifications, by estimate")
    grid[0, 0].set_ylabel("standardised estimate")
    grid[1, 0].set_yticks(range(len(panel)), [text for _, _, text in panel])
    for tick, (_, level, _) in zip(grid[1, 0].get_yticklabels(), panel, strict=True):
        tick.set(size=7.2, weight="bold" if level is None else "normal")
    handles = [
        Line2D([], [], color=colour, marker=marker, lw=0, ms=5, label=name)
        for name, colour, marker in _KINDS.values()
    ]
    handles += [
        Line2D([], [], color=INK, marker="D", mfc="none", lw=0, ms=6, label="main specification"),
        Line2D([], [], color=INK, ls="--", lw=0.9, label="median"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.2)
    return figure, numbers


def _kind(rows: pd.DataFrame) -> np.ndarray:
    """Return the key of each row in :data:`_KINDS`."""
    return (np.sign(rows["standardised"]) * (rows["p"] < 0.05)).to_numpy(int)


def _strokes(axes: Axes, x: pd.Series, low: Any, high: Any, **look: Any) -> None:
    """Draw vertical strokes as one broken line, which keeps the file small."""
    points = np.full((len(x), 3, 2), np.nan)
    points[:, :2, 0] = x.to_numpy()[:, None]
    points[:, 0, 1], points[:, 1, 1] = low, high
    axes.plot(*points.reshape(-1, 2).T, solid_capstyle="butt", **look)


def _draw_curve(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the estimates of one term with their intervals."""
    axes.axhline(0, color=QUIET, lw=0.8)
    axes.axhline(rows["standardised"].median(), color=INK, ls="--", lw=0.9, zorder=4)
    ends = rows["standardised_low"], rows["standardised_high"]
    _strokes(axes, rows["rank"], *ends, color=FAINT, lw=0.9)
    kind = _kind(rows)
    for key, (_, colour, marker) in _KINDS.items():
        own = rows[kind == key]
        axes.plot(own["rank"], own["standardised"], marker, color=colour, ms=2.6, zorder=5)
    main = rows[rows["main"].astype(bool)]
    axes.plot(main["rank"], main["standardised"], "D", color=INK, mfc="none", ms=6, zorder=6)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color="#ececec", lw=0.6)


def _panel_rows(
    drawn: pd.DataFrame, measures: Measures, criteria: list[str]
) -> list[tuple[str, Any, str]]:
    """Return choice, level and label of each row of the panel; headings have the level None."""
    names = drawn.drop_duplicates("criterion").set_index("criterion")["name"]
    rows: list[tuple[str, Any, str]] = []
    drawn = drawn.sort_values("specification", kind="stable")  # the order of config.yaml
    for choice in CHOICES:
        levels = list(drawn[choice].dropna().unique())
        if len(levels) < 2:
            continue
        if choice == "criterion":
            levels.sort(key=criteria.index)
        elif choice in ("k_factor", "minimum_sessions"):
            levels.sort()
        rows.append((choice, None, _CHOICES[choice]))
        for level in levels:
            text = _LEVELS.get((choice, str(level)), str(level))
            if choice == "criterion":
                text = names[level]
            elif choice in ("measure", "outcome"):
                text = measures[level].label
            elif choice == "k_factor":
                text = f"{level:g} × k" if level != 1 else "k"
            elif choice == "minimum_sessions":
                text = f"{level} or more"
            rows.append((choice, level, label(text, 32)))
    return rows


def _draw_choices(axes: Axes, rows: pd.DataFrame, panel: list[tuple[str, Any, str]]) -> None:
    """Draw a mark for each specification in the row of each of its choices."""
    kind = _kind(rows)
    for y, (choice, level, _) in enumerate(panel):
        if level is None:
            continue
        if y % 2:
            axes.axhspan(y - 0.5, y + 0.5, color="#f5f6f7", lw=0)
        chosen = (rows[choice] == level).to_numpy()
        for key, (_, colour, _) in _KINDS.items():
            at = rows.loc[chosen & (kind == key), "rank"]
            _strokes(axes, at, y - 0.38, y + 0.38, color=colour, lw=1.0)
    axes.set_ylim(len(panel) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
