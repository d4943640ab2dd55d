"""Figures of criteria: how many episodes each finds, and what goes with them."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..disclosure.limits import WITHHELD
from ..models.definitions import MODELS
from ..project.measures import Measures
from .rows import place_beside, rows_with_texts, shown, write_text
from .style import QUIET, STATUSES, TERMS, WIDTH, Drawn, label, nothing, styled

#: What is counted in detection and drawn.
_COUNTS = ["n_courses_assessable", "n_courses_with_episode", "n_episodes",
           *(f"n_{status}" for status in STATUSES)]  # fmt: skip


@styled
def episodes_per_criterion(detection: pd.DataFrame, measures: Measures) -> Drawn:
    """Draw the number of episodes by status for every criterion, one panel per measure.

    Parameters
    ----------
    detection : DataFrame
        The table detection: one row per measure and criterion.
    measures : mapping of str to Measure

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        measure, criterion, name, assessable, reason, n_courses, n_courses_assessable,
        n_courses_with_episode, n_episodes, n_repaired, n_unrepaired, n_censored.
    """
    columns = ["measure", "criterion", "name", "assessable", "reason", "n_courses"]
    columns += _COUNTS
    numbers = detection[columns].reset_index(drop=True)
    if numbers.empty:
        return nothing("No criterion was applied."), numbers
    panels = list(numbers.groupby("measure", sort=False))
    heights = [len(rows) + 0.6 for _, rows in panels]
    figure = Figure((WIDTH, 0.9 + 0.36 * sum(heights) + 0.3 * len(panels)), layout="constrained")
    grid = rows_with_texts(figure, heights, sharex=True)
    known = numbers.loc[numbers["assessable"].astype(bool), "n_episodes"].dropna()
    most = max([1, *known])
    for (axes, texts), (measure, rows) in zip(grid, panels, strict=True):
        _draw_bars(axes, texts, rows, most)
        axes.set_title(label(measures[measure].label, 76))
    grid[-1, 0].set_xlabel("number of episodes")
    handles = [
        Patch(fc=colour, hatch=hatch, ec=QUIET, lw=0.5, label=status)
        for status, (colour, hatch) in STATUSES.items()
    ]
    if numbers[_COUNTS].isna().any(axis=None):
        said = f"withheld, and {WITHHELD}: too few to be shown"
        handles.append(Patch(fc="white", ec=QUIET, lw=0.8, ls="--", label=said))
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure, numbers


def _draw_bars(axes: Axes, texts: Axes, rows: pd.DataFrame, most: int) -> None:
    """Draw one stacked bar per criterion, with its numbers next to it."""
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}
    for y, row in enumerate(rows.to_dict("records")):
        if not row["assessable"]:
            why = row["reason"] if pd.notna(row["reason"]) else "no reason given"
            write_text(axes, y, f"not assessable: {why}")
            continue
        left = 0
        for status, (colour, hatch) in STATUSES.items():
            n = row[f"n_{status}"]
            if n > 0:  # not where it is withheld
                axes.barh(y, n, 0.62, left, color=colour, hatch=hatch, ec=QUIET, lw=0.5)
            if n >= 0.04 * most:
                axes.text(left + n / 2, y, f"{n:.0f}", ha="center", va="center", size=8, bbox=box)
            left += n if n > 0 else 0
        if row["n_episodes"] > left:
            look: dict[str, Any] = {"color": "white", "ec": QUIET, "lw": 0.8, "ls": "--"}
            axes.barh(y, row["n_episodes"] - left, 0.62, left, **look)
        text = f"{shown(row['n_episodes'])} in {shown(row['n_courses_with_episode'])} of "
        text += f"{shown(row['n_courses_assessable'])} courses"
        texts.text(0, y, text, transform=place_beside(texts), va="center", size=8.5)
    axes.set_yticks(range(len(rows)), [label(name, 34) for name in rows["name"]])
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, most * 1.02))
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
    axes.grid(axis="x", color="#ececec", lw=0.6)


def forest_rows(estimates: pd.DataFrame, detection: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates of claim C7 in the order of the forest.

    Parameters
    ----------
    estimates : DataFrame
        The table estimates. Of the model next_session the variant is taken that statements rest
        on; where it has no result for a measure and outcome, since the engine has no such
        variant, the first one.
    detection : DataFrame
        The table detection, for the names and the order of measures and criteria.

    Returns
    -------
    DataFrame
        One row per measure, outcome, criterion and term: measure, outcome, variant, criterion,
        name, term, estimate, ci_low, ci_high (points of the outcome, higher is better), df,
        n_sessions, n_courses, n_therapists, status, message. A model without result has both
        terms with missing numbers.
    """
    table = _in_order(estimates[estimates["model"] == "next_session"], detection)
    key = ["measure", "outcome", "criterion"]
    rests_on = MODELS["next_session"].rests_on
    known = table["estimate"].notna() & (table["variant"] == rests_on)
    pair = [table[name] for name in ("measure", "outcome")]
    first = table["variant"].groupby(pair, sort=False, dropna=False).transform("first")
    usable = known.groupby(pair, sort=False, dropna=False).transform("any")
    table = table[table["variant"] == first.where(~usable, rests_on)]
    wanted = table[key].drop_duplicates().merge(pd.DataFrame({"term": list(TERMS)}), how="cross")
    whole = table.drop_duplicates(key).drop(columns=["term", "estimate", "ci_low", "ci_high", "df"])
    values = table.loc[
        table["term"].isin(TERMS), [*key, "term", "estimate", "ci_low", "ci_high", "df"]
    ]
    rows = wanted.merge(whole, on=key, how="left").merge(values, on=[*key, "term"], how="left")
    names = detection.drop_duplicates("criterion").set_index("criterion")["name"]
    rows = rows.assign(name=rows["criterion"].map(names).fillna(rows["criterion"]))
    columns = [*key, "variant", "name", "term", "estimate", "ci_low", "ci_high", "df"]
    columns += ["n_sessions", "n_courses", "n_therapists", "status", "message"]
    return rows[columns]


def _in_order(estimates: pd.DataFrame, detection: pd.DataFrame) -> pd.DataFrame:
    """Sort estimates by measure and criterion as detection has them, otherwise as they are."""
    keys = ["measure", "criterion"]
    order = {key: {name: n for n, name in enumerate(detection[key].unique())} for key in keys}
    places = estimates[keys].apply(lambda column: column.map(order[column.name]))
    return estimates.loc[places.sort_values(keys, kind="stable").index]


@styled
def effects_forest(
    estimates: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    planted: pd.DataFrame | None = None,
) -> Drawn:
    """Draw the association of repaired and open ruptures with the next outcome, per criterion.

    Parameters
    ----------
    estimates, detection : DataFrame
        The tables of these names.
    measures : mapping of str to Measure
    planted : DataFrame, optional
        The table planted_effects: what was planted is marked by an upright line.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        As :func:`forest_rows`, with `planted`.
    """
    numbers = forest_rows(estimates, detection)
    effects = {} if planted is None else dict(zip(planted["term"], planted["planted"], strict=True))
    numbers["planted"] = numbers["term"].map(effects).astype(float)
    if numbers.empty:
        return nothing("No model of the next session's outcome was asked for."), numbers
    if numbers["estimate"].isna().all():
        return nothing("No model gave an estimate; the report lists the reasons."), numbers
    panels = list(numbers.groupby(["measure", "outcome"], sort=False, dropna=False))
    heights = [rows["criterion"].nunique() + 0.9 for _, rows in panels]
    figure = Figure((WIDTH, 0.7 + 0.46 * sum(heights) + 0.45 * len(panels)), layout="constrained")
    one_outcome = len(numbers["outcome"].unique()) == 1
    grid = rows_with_texts(figure, heights, sharex=one_outcome)
    for (axes, texts), ((measure, outcome), rows) in zip(grid, panels, strict=True):
        _draw_forest(axes, texts, rows)
        of = label(measures[measure].label, 34)
        on = label(measures[outcome].label, 30) if outcome in measures else "no outcome"
        axes.set_title(f"{of} → {on}, next session")
        if not one_outcome or axes is grid[-1, 0]:
            axes.set_xlabel("difference in points of the outcome (right of 0 is better)")
    handles = [
        Line2D([], [], color=colour, marker=marker, ms=5, lw=1.2, label=name)
        for name, colour, marker in TERMS.values()
    ]
    handles.append(
        Line2D(
            [], [], color=QUIET, marker="o", mfc="white", ms=5, lw=1.2, ls=":", label="singular fit"
        )
    )
    if numbers["planted"].notna().any():
        line: dict[str, Any] = {"color": QUIET, "lw": 1.2, "ls": (0, (4, 2))}
        handles.append(Line2D([], [], **line, label="planted, in the same colours"))
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure, numbers


def _draw_forest(axes: Axes, texts: Axes, rows: pd.DataFrame) -> None:
    """Draw one panel: an interval per criterion and term, its numbers on the right."""
    small: dict[str, Any] = {"transform": place_beside(texts), "va": "center", "size": 8}
    criteria = list(rows["criterion"].drop_duplicates())
    axes.axvline(0, color=QUIET, lw=0.8)
    for term, value in rows.dropna(subset="planted").groupby("term")["planted"].first().items():
        axes.axvline(value, color=TERMS[str(term)][1], lw=1.2, ls=(0, (4, 2)))
    for place, criterion in enumerate(criteria):
        terms = rows[rows["criterion"] == criterion]
        first = terms.iloc[0]
        if terms["estimate"].isna().all():
            why = str(first["status"]).replace("_", " ")
            write_text(
                axes, place, f"{why}: {first['message']}" if pd.notna(first["message"]) else why
            )
            continue
        for row in terms.to_dict("records"):
            y = place + (-0.2 if row["term"] == "repaired_within" else 0.2)
            texts.text(0, y, _interval(axes, y, row), **small)
        n = f"n = {shown(first['n_sessions'])}\n{shown(first['n_courses'])} courses"
        texts.text(0.66, place, n, color=QUIET, **small)
    axes.set_yticks(range(len(criteria)), [label(name, 34) for name in rows["name"].iloc[::2]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(criteria) - 0.4, -0.6)
    axes.grid(axis="x", color="#ececec", lw=0.6)


def _interval(axes: Axes, y: float, row: Mapping[str, Any]) -> str:
    """Draw one estimate with its interval, and return it as text."""
    if pd.isna(row["estimate"]):
        return "not estimated"
    _, colour, marker = TERMS[row["term"]]
    singular = row["status"] == "singular"
    axes.plot(
        [row["ci_low"], row["ci_high"]], [y, y], ":" if singular else "-", color=colour, lw=1.3
    )
    fill = "white" if singular else colour
    axes.plot(row["estimate"], y, marker, color=colour, ms=5.5, mfc=fill)
    text = f"{row['estimate']:+.2f} [{row['ci_low']:+.2f}, {row['ci_high']:+.2f}]"
    return text.replace("-", "−")
