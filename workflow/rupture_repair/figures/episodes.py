"""Figures of what goes on around episodes: their shape, endings after them, and components."""

from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..claims.components import TOTAL
from ..exposure.summaries import BAND
from ..project.measures import Measures
from ..statistics.proportion import wilson
from .style import INK, QUIET, WIDTH, Drawn, label, nothing, styled

#: Kinds of curve: colour, line, marker, words.
_KINDS = {
    "episodes": ("#D55E00", "-", "o", "around the onset of an episode"),
    "matched": ("#0072B2", "--", "s", "around matched ratings without rupture"),
}

#: Status of the session before.
_BEFORE = {
    "no rupture": ("#5a5a5a", "-", "o"),
    "open rupture": ("#D55E00", "--", "s"),
    "repaired rupture": ("#0072B2", ":", "^"),
}

#: Fewest sessions whose share of endings says anything, and fewest endings of a status before.
_LEAST = 5

#: Columns of the numbers of endings.
_HAZARD = ["before", "session_from", "session_to", "n", "share", "ci_low", "ci_high"]

#: Levels of reliability: colour, marker, place next to the line, words.
_LEVELS = {
    "between": ("#0072B2", "o", -0.14, "between courses: of a course's mean"),
    "within": ("#D55E00", "s", 0.14, "within courses: of change (of one component at least)"),
}


@styled
def episode_shapes(aligned: pd.DataFrame, measures: Measures, *, measure: str) -> Drawn:
    """Draw the mean course around onsets, with the middle half, next to matched stretches.

    Parameters
    ----------
    aligned : DataFrame
        From :func:`rupture_repair.exposure.aligned`, as it may be shown.
    measures : mapping of str to Measure
    measure : str

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        `aligned`.
    """
    numbers = aligned.reset_index(drop=True)
    if not (numbers["kind"] == "episodes").any():
        return nothing("Too few episodes to draw their shape."), numbers.iloc[:0]
    figure = Figure((WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=QUIET, lw=0.8)
    axes.axhline(0, color=QUIET, lw=0.8)
    for kind, rows in numbers.groupby("kind", sort=False):
        colour, line, marker, words = _KINDS[str(kind)]
        axes.fill_between(rows["offset"], rows["low"], rows["high"], color=colour, alpha=0.18, lw=0)
        look: dict[str, Any] = {"ls": line, "marker": marker, "color": colour, "lw": 1.6, "ms": 4.5}
        most = rows["n"].max()
        said = words if pd.isna(most) else f"{words} (n = {most:,})"
        axes.plot(rows["offset"], rows["mean"], **look, label=said)
    axes.set_xlabel("ratings from the onset, the last one before the fall")
    axes.set_ylabel("points from the rating at the onset")
    axes.set_title(label(measures[measure].label, 76))
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(12, integer=True))
    axes.grid(axis="y", color="#ececec", lw=0.6)
    figure.legend(loc="outside upper left", ncols=2)
    return figure, numbers


@styled
def criterion_pictures(
    onsets: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    *,
    measure: str,
) -> Drawn:
    """Draw, small, the mean course around the onsets of each criterion: what it catches.

    Parameters
    ----------
    onsets : DataFrame
        From :func:`rupture_repair.exposure.onsets`, as it may be shown.
    detection : DataFrame
        The table of this name, for names and order.
    measures : mapping of str to Measure
    measure : str

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows of `onsets` that are drawn, with the `name` of the criterion.
    """
    rows = detection[detection["measure"] == measure].drop_duplicates("criterion")
    names = dict(zip(rows["criterion"], rows["name"], strict=True))
    numbers = onsets[onsets["criterion"].isin(names)]
    numbers = numbers.assign(name=numbers["criterion"].map(names)).reset_index(drop=True)
    if numbers.empty:
        return nothing("Too few episodes to draw what each criterion finds."), numbers
    columns = min(5, len(names))
    lines = -(-len(names) // columns)
    height = 0.85 + 1.4 * lines
    figure = Figure((WIDTH, height))  # laid out by hand: with so many panels that is much faster
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    figure.subplots_adjust(0.08, 0.55 / height, 0.99, 1 - 0.4 / height, 0.12, 0.5)
    for axes in grid[len(names) :]:
        axes.remove()
    for axes, (criterion, name) in zip(grid, names.items(), strict=False):
        own = numbers[numbers["criterion"] == criterion]
        axes.set_title("\n".join(wrap(label(name, 50), 25)[:2]), fontsize=8)
        axes.axhline(0, color=QUIET, lw=0.6)
        axes.axvline(0, color=QUIET, lw=0.6)
        axes.tick_params(labelsize=7)
        axes.xaxis.set_major_locator(mpl.ticker.MultipleLocator(4))
        if own.empty:
            look: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
            axes.text(0.5, 0.5, "too few", size=8, style="italic", color=QUIET, **look)
            continue
        axes.fill_between(own["offset"], own["low"], own["high"], color="#D55E00", alpha=0.2, lw=0)
        axes.plot(own["offset"], own["mean"], color="#D55E00", lw=1.5)
        if pd.notna(most := own["n"].max()):
            look = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
            axes.text(0.98, 0.02, f"n = {most:,}", size=7, color=QUIET, **look)
    figure.supxlabel("ratings from the onset", fontsize=9)
    figure.supylabel("points from the onset", fontsize=9)
    return figure, numbers


@styled
def ending_hazard(leaving: pd.DataFrame) -> Drawn:
    """Draw the share of courses left at a session, by the state of the session before.

    Parameters
    ----------
    leaving : DataFrame
        From :func:`rupture_repair.exposure.summaries.leaving_by_state`, as it may be shown.

    Returns
    -------
    figure : Figure
        Without a picture where fewer than two states are left, or one has fewer than five endings.
    numbers : DataFrame
        before (state of the session before), session_from, session_to, n (sessions at which a
        course could be left), share (left), ci_low, ci_high (Wilson); empty without a picture.
    """
    numbers = leaving[leaving["n"] >= _LEAST]
    endings = numbers.groupby("before")["left"].sum()
    if len(endings) < 2 or endings.min() < _LEAST:
        why = "How courses ended is not known, or too few were left, to draw when."
        return nothing(why), pd.DataFrame(columns=_HAZARD)
    low, high = wilson(numbers["left"], numbers["n"])
    numbers = numbers.assign(
        share=numbers["left"] / numbers["n"],
        ci_low=low,
        ci_high=high,
    )
    figure = Figure((WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    for place, (before, (colour, line, marker)) in enumerate(_BEFORE.items()):
        rows = numbers[numbers["before"] == before]
        x = rows["session_from"] + (BAND - 1) / 2 + 0.3 * (place - 1)
        axes.vlines(x, 100 * rows["ci_low"], 100 * rows["ci_high"], color=colour, lw=1.1)
        look: dict[str, Any] = {"ls": line, "marker": marker, "color": colour, "lw": 1.4, "ms": 5}
        if len(rows):
            axes.plot(x, 100 * rows["share"], **look, label=f"before: {before}")
    axes.set_xlabel(f"session, {BAND} together")
    axes.set_ylabel("courses left at the session (%)")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#ececec", lw=0.6)
    figure.legend(loc="outside upper left", ncols=3)
    return figure, numbers[_HAZARD].reset_index(drop=True)


@styled
def components(reliabilities: pd.DataFrame | None, measures: Measures, *, measure: str) -> Drawn:
    """Draw how reliable the components of a measure are, between and within courses.

    Parameters
    ----------
    reliabilities : DataFrame or None
        From :func:`rupture_repair.claims.components.reliabilities`, as it may be shown; None where
        the measure has no components.
    measures : mapping of str to Measure
    measure : str

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        component ("all": all together), level (between, within), value, n_courses, n_sessions:
        `of_course_mean` and `of_change` of `reliabilities`.
    """
    names = list(measures[measure].components)
    if reliabilities is None:
        why = "The measure has no components that were rated together."
        return nothing(why), pd.DataFrame(columns=["component", "level", "value"])
    numbers = (
        reliabilities.assign(component=[*names, TOTAL])
        .rename(columns={"of_course_mean": "between", "of_change": "within"})
        .melt(["component", "n_courses", "n_sessions"], list(_LEVELS), "level")
    )
    if numbers["value"].isna().all():
        return nothing("Too few courses have sessions with all components."), numbers.iloc[:0]
    figure = Figure((WIDTH, 0.42 * (len(names) + 1) + 1.2), layout="constrained")
    axes = figure.subplots()
    for level, (colour, marker, shift, words) in _LEVELS.items():
        rows = numbers[numbers["level"] == level]
        y = np.arange(len(rows)) + shift
        axes.hlines(y, 0, rows["value"], color=colour, lw=1)
        axes.plot(rows["value"], y, marker, color=colour, ms=6, label=words)
        for at, value in zip(y, rows["value"], strict=True):
            if np.isfinite(value):
                axes.text(value + 0.012, at, f"{value:.2f}", va="center", size=8, color=INK)
    axes.set_yticks(range(len(names) + 1), [*(label(name, 40) for name in names), "all together"])
    axes.set(ylim=(len(names) + 0.5, -0.5), xlim=(min(0, numbers["value"].min() - 0.02), 1.06))
    axes.set_xlabel("reliability")
    axes.set_title(label(measures[measure].label, 76))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#ececec", lw=0.6)
    figure.legend(loc="outside upper left", ncols=2)
    return figure, numbers
