"""The specification curve: every estimate of a multiverse, and the choices that move it most."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..models.definitions import MODELS
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

#: Colour of what the levels of a choice do.
BAR = "#8fa3b3"

#: Colour of the effects by probabilities.
PROBABLE = "#009e73"

#: The exposures that are drawn.
EXPOSURES = ("repaired", "open")

#: A choice is shown where at least this share of the variance goes with it.
LEAST_SHARE = 0.05

#: Intervals are drawn as far as all but this share of their ends reach.
_FAR = 0.025

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
def specification_curve(
    fits: pd.DataFrame,
    shares: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    estimates: pd.DataFrame | None = None,
) -> Drawn:
    """Draw the estimates of a multiverse by size, and below them what the main choices do to them.

    Estimates are in points where all are of one outcome, else standardised. The choices are those
    that at least :data:`LEAST_SHARE` of the variance goes with.

    Parameters
    ----------
    fits : DataFrame
        Of :class:`rupture_repair.multiverse.Outcome`.
    shares : DataFrame
        From :func:`rupture_repair.multiverse.summary.explained_by_choices`.
    detection : DataFrame
        The table detection.
    measures : mapping of str to Measure
    estimates : DataFrame, optional
        The table of this name, of one measure: its total effects by probabilities, where there are
        any, are marked in a curve in points.

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
    outcomes = drawn["outcome"].unique()
    names = ["standardised", "standardised_low", "standardised_high"]
    unit = "standardised difference"
    if len(outcomes) == 1:
        ends = fits[["specification", "term", "ci_low", "ci_high"]]
        drawn = drawn.merge(ends, on=["specification", "term"], how="left")
        names = ["estimate", "ci_low", "ci_high"]
        unit = f"points of {label(measures[outcomes[0]].label, 30)}"
    drawn = drawn.assign(value=drawn[names[0]], low=drawn[names[1]], high=drawn[names[2]])
    drawn["place"] = drawn.groupby("term")["value"].rank(method="first")
    panel = _panel_rows(drawn, measures, list(detection["criterion"].drop_duplicates()), shares)
    terms = list(drawn["term"].drop_duplicates())
    marked = _by_probability(estimates, outcomes)
    height = 0.2 * len(panel) + 0.1
    figure = Figure((WIDTH, 3.4 + height), layout="constrained")
    grid = figure.subplots(
        2, len(terms), sharex=True, sharey="row", squeeze=False, height_ratios=[2.4, height]
    )
    for (curve, choices), term in zip(grid.T, terms, strict=True):
        rows = drawn[drawn["term"] == term]
        _draw_curve(curve, rows)
        if term in marked:
            estimate, *ends = marked[term]
            curve.axvspan(*ends, color=PROBABLE, alpha=0.12, lw=0)
            curve.axvline(estimate, color=PROBABLE, lw=1.6, zorder=4)
        _draw_choices(choices, rows, panel, shares[shares["term"] == term])
        curve.set_title(f"Outcome {TERMS[f'{term}_within'][0]}")
    figure.supxlabel(f"{unit}, right of 0 is better", fontsize=9)
    beyond = [end for ends in marked.values() for end in ends]
    low = min(drawn["low"].quantile(_FAR), drawn["value"].min(), *beyond)
    high = max(drawn["high"].quantile(1 - _FAR), drawn["value"].max(), *beyond)
    grid[0, 0].set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    grid[0, 0].set_ylabel("specifications, by estimate")
    grid[1, 0].set_yticks(range(len(panel)), [text for _, _, text in panel])
    for tick, (_, level, _) in zip(grid[1, 0].get_yticklabels(), panel, strict=True):
        tick.set(size=8, weight="bold" if level is None else "normal")
    handles = _legend(bool(marked))
    figure.legend(handles=handles, loc="outside upper left", ncols=3, columnspacing=1.2)
    return figure, numbers


def _legend(marked: bool) -> list[Line2D]:
    """Return what a curve needs to be read, with effects by probabilities or without."""
    handles = [
        Line2D([], [], color=colour, marker=marker, lw=0, ms=5, label=name)
        for name, colour, marker in _KINDS.values()
    ]
    handles += [
        Line2D([], [], color=INK, marker="D", mfc="none", lw=0, ms=6, label="main specification"),
        Line2D([], [], color=INK, ls="--", lw=0.9, label="median"),
        Line2D([], [], color=BAR, lw=4, label="middle half of a choice, with its range"),
    ]
    if marked:
        of = "by probabilities, with its interval"
        handles.append(Line2D([], [], color=PROBABLE, lw=1.6, label=of))
    return handles


def _by_probability(
    estimates: pd.DataFrame | None, outcomes: Sequence[str]
) -> dict[str, tuple[float, float, float]]:
    """Return estimate and ends of each exposure by probabilities, of the one outcome drawn."""
    if estimates is None or len(outcomes) != 1:
        return {}
    own = estimates[estimates["variant"] == MODELS["next_session"].probable[0]]
    own = own[own["estimate"].notna() & (own["outcome"] == outcomes[0])]
    found = own.drop_duplicates("term").set_index("term")[["estimate", "ci_low", "ci_high"]]
    terms = [term for term in EXPOSURES if f"{term}_within" in found.index]
    return {term: tuple(found.loc[f"{term}_within"]) for term in terms}


def _kind(rows: pd.DataFrame) -> np.ndarray:
    """Return the key of each row in :data:`_KINDS`."""
    return (np.sign(rows["standardised"]) * (rows["p"] < 0.05)).to_numpy(int)


def _draw_curve(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the estimates of one term with their intervals, the largest on top."""
    axes.axvline(0, color=QUIET, lw=0.8)
    axes.axvline(rows["value"].median(), color=INK, ls="--", lw=0.9, zorder=4)
    # As one broken line, which keeps the file small.
    points = np.full((len(rows), 3, 2), np.nan)
    points[:, 0, 0], points[:, 1, 0] = rows["low"], rows["high"]
    points[:, :2, 1] = rows["place"].to_numpy()[:, None]
    axes.plot(*points.reshape(-1, 2).T, solid_capstyle="butt", color=FAINT, lw=0.9)
    kind = _kind(rows)
    for key, (_, colour, marker) in _KINDS.items():
        own = rows[kind == key]
        axes.plot(own["value"], own["place"], marker, color=colour, ms=2.6, zorder=5)
    main = rows[rows["main"].astype(bool)]
    axes.plot(main["value"], main["place"], "D", color=INK, mfc="none", ms=6, zorder=6)
    axes.set_yticks([])
    axes.grid(axis="x", color="#ececec", lw=0.6)


def _panel_rows(
    drawn: pd.DataFrame, measures: Measures, criteria: list[str], shares: pd.DataFrame
) -> list[tuple[str, Any, str]]:
    """Return choice, level and label of each row of the panel; headings have the level None.

    The choice that most of the variance goes with comes first.
    """
    most = shares.groupby("choice")["share"].max().drop("combinations", errors="ignore")
    most = most.sort_values(ascending=False, kind="stable")
    names = drawn.drop_duplicates("criterion").set_index("criterion")["name"]
    rows: list[tuple[str, Any, str]] = []
    drawn = drawn.sort_values("specification", kind="stable")  # the order of config.yaml
    for choice in [str(name) for name in most.index[(most >= LEAST_SHARE)]]:
        levels = list(drawn[choice].dropna().unique())
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


def _draw_choices(
    axes: Axes, rows: pd.DataFrame, panel: list[tuple[str, Any, str]], shares: pd.DataFrame
) -> None:
    """Draw where the estimates with each level of each choice lie."""
    share = dict(zip(shares["choice"], shares["share"], strict=True))
    axes.axvline(0, color=QUIET, lw=0.8)
    axes.axvline(rows["value"].median(), color=INK, ls="--", lw=0.9)
    for y, (choice, level, _) in enumerate(panel):
        if level is None:
            part = share.get(choice, np.nan)
            said = "" if np.isnan(part) else f"{100 * part:.0f} % of the variance"
            where = axes.get_yaxis_transform()
            look: dict[str, Any] = {
                "size": 8,
                "color": QUIET,
                "bbox": {"fc": "white", "ec": "none", "pad": 1},
            }
            axes.text(0.99, y, said, ha="right", va="center", transform=where, **look)
            continue
        values = rows.loc[rows[choice] == level, "value"]
        if values.empty:
            continue
        low, middle, high = values.quantile([0.25, 0.5, 0.75])
        axes.plot([values.min(), values.max()], [y, y], color=BAR, lw=1.0)
        axes.plot([low, high], [y, y], color=BAR, lw=4, solid_capstyle="butt")
        axes.plot(middle, y, "o", color=INK, ms=3.6)
    axes.set_ylim(max(len(panel), 1) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#ececec", lw=0.6)
