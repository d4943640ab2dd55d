"""Figures of sessions: a few courses with their episodes, and every course by state."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..project.measures import Measure, Measures
from ..project.processed import of_criterion
from .style import (
    INK,
    KINDS,
    QUIET,
    SHOWN_STATES,
    STATES,
    STATUSES,
    WIDTH,
    Drawn,
    label,
    nothing,
    styled,
)

#: Sessions that are marked: name, colour and marker by state.
_MARKS = {
    "ruptured": ("open rupture", "#D55E00", "v"),
    "repaired_here": ("repaired here", "#0072B2", "^"),
}

#: What became of an episode, and kinds of course, in words.
_ENDS = {"repaired": "repaired", "unrepaired": "not repaired", "censored": "outcome not known"}
_KIND_WORDS = {
    "repaired": "repaired",
    "unrepaired": "not repaired",
    "censored only": "outcome not known",
    "no episode": "no rupture",
}


def kinds_of_courses(states: pd.DataFrame, episodes: pd.DataFrame) -> pd.Series:
    """Sort the assessable courses of one measure and criterion into four kinds.

    Parameters
    ----------
    states : DataFrame
        session_states of one measure and criterion.
    episodes : DataFrame
        episodes of the same measure and criterion.

    Returns
    -------
    Series
        Indexed by course: one of :data:`KINDS`. Courses without any assessable session are left
        out.
    """
    assessable = states.loc[states["state"] != "not_assessable", "course"].astype(str).unique()
    kind = pd.Series("no episode", index=pd.Index(np.sort(assessable), name="course"))
    for status, name in (
        ("censored", "censored only"),
        ("repaired", "repaired"),
        ("unrepaired", "unrepaired"),
    ):
        kind[kind.index.isin(episodes.loc[episodes["status"] == status, "course"])] = name
    return kind


def choose_courses(kinds: pd.Series, lengths: pd.Series, per_kind: int = 3) -> pd.Series:
    """Choose courses to draw by a rule that does not look at their shape.

    Within each kind the courses are put in the order of their number of ratings (ties by id) and
    cut into `per_kind` equal parts; the middle course of each part is drawn.

    Parameters
    ----------
    kinds : Series
        Kind by course, from :func:`kinds_of_courses`.
    lengths : Series
        Number of ratings by course.
    per_kind : int
        How many courses of each kind at most.

    Returns
    -------
    Series
        Kind by course, in the order of drawing.
    """
    table = kinds.rename("kind").to_frame().assign(n=lengths.reindex(kinds.index))
    table = table.reset_index().sort_values(["n", "course"], kind="stable")
    chosen = []
    for kind in KINDS:
        group = table[table["kind"] == kind]
        parts = min(per_kind, len(group))
        places = ((np.arange(parts) + 0.5) * len(group) / max(parts, 1)).astype(int)
        chosen.append(group.iloc[places])
    return pd.concat(chosen).set_index("course")["kind"]


def _drawn_courses(
    sessions: pd.DataFrame, states: pd.DataFrame, episodes: pd.DataFrame, measure: str, better: str
) -> pd.DataFrame:
    """Join ratings, reference and threshold of the chosen courses."""
    ratings = sessions[["course", "session", measure]].rename(columns={measure: "rating"})
    ratings = ratings[ratings["rating"].notna()].astype({"course": str})
    kinds = choose_courses(kinds_of_courses(states, episodes), ratings.groupby("course").size())
    rows = states[states["course"].isin(kinds.index)].astype({"course": str, "state": str})
    rows = rows.merge(ratings, on=["course", "session"], how="left")
    below = -rows["threshold"] if better == "higher" else rows["threshold"]
    rows = rows.assign(
        kind=rows["course"].map(kinds),
        panel=rows["course"].map({course: place for place, course in enumerate(kinds.index)}),
        threshold=rows["reference"] + below,
    )
    columns = ["panel", "kind", "course", "session", "rating", "reference", "threshold", "state"]
    return rows.sort_values(["panel", "session"])[columns].reset_index(drop=True)


def _draw_course(
    axes: Axes, rows: pd.DataFrame, episodes: pd.DataFrame, *, marks: bool = True
) -> None:
    """Draw one course: rating, reference, threshold, shaded episodes and, if asked, `marks`."""
    for episode in episodes.itertuples():
        start = episode.onset if pd.notna(episode.onset) else episode.first_low
        colour, hatch = STATUSES[episode.status]
        span = axes.axvspan(start, max(episode.end, start + 0.5), lw=0, alpha=0.28, fc=colour)
        span.set(hatch=hatch, edgecolor=(*mpl.colors.to_rgb(INK), 0.35))
    known = rows[rows["reference"].notna()]
    axes.plot(known["session"], known["reference"], color="#0072B2", lw=1.0, ls=(0, (5, 2)))
    axes.plot(known["session"], known["threshold"], color="#D55E00", lw=1.0, ls=(0, (1, 1.5)))
    rated = rows[rows["rating"].notna()]
    axes.plot(rated["session"], rated["rating"], color=INK, lw=0.9, marker="o", ms=2.6)
    for state, (_, colour, marker) in _MARKS.items() if marks else ():
        here = rated[rated["state"] == state]
        axes.plot(
            here["session"], here["rating"], marker, color=colour, ms=5.5, mec="white", mew=0.5
        )
    axes.grid(axis="y", color="#ececec", lw=0.6)


def _signs(*, marks: bool = True) -> list[Artist]:
    """Return what the lines, marks and shades of a course look like, with their names."""
    marked = [
        Line2D([], [], color=colour, ls="", marker=marker, ms=5.5, label=name)
        for name, colour, marker in _MARKS.values()
    ]
    return [
        Line2D([], [], color=INK, lw=0.9, marker="o", ms=2.6, label="rating"),
        Line2D([], [], color="#0072B2", ls=(0, (5, 2)), lw=1, label="reference"),
        Line2D([], [], color="#D55E00", ls=(0, (1, 1.5)), lw=1, label="threshold"),
        *(marked if marks else []),
        *(
            Patch(fc=colour, alpha=0.4, hatch=hatch, ec=QUIET, lw=0, label=_ENDS[status])
            for status, (colour, hatch) in STATUSES.items()
        ),
    ]


@styled
def courses(
    sessions: pd.DataFrame,
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    measures: Measures,
    *,
    measure: str,
    criterion: str,
) -> Drawn:
    """Draw up to twelve courses with their ratings, reference, threshold and episodes.

    Which courses: three each with a repaired and no unrepaired episode, with an unrepaired one,
    with censored ones only, and with none, by the rule of :func:`choose_courses`. It shows single
    courses: call it only where :func:`individuals_shown`.

    Parameters
    ----------
    sessions, states, episodes : DataFrame
        The tables sessions, session_states and episodes.
    measures : mapping of str to Measure
    measure, criterion : str
        Which measure and criterion to draw.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        One row per session drawn: panel (place in the figure), kind (of course), course, session,
        rating, reference, threshold (the level at which a rating counts as low, in points of the
        measure) and state.
    """
    states, episodes = (of_criterion(table, measure, criterion) for table in (states, episodes))
    better = measures[measure].better
    numbers = _drawn_courses(sessions, states, episodes, measure, better)
    panels = int(numbers["panel"].max()) + 1 if len(numbers) else 0
    if not panels:
        return nothing("No course is assessable by this criterion."), numbers
    columns, rows = min(3, panels), -(-panels // 3)
    figure = Figure((WIDTH, 0.9 + 1.65 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, axes in enumerate(grid):
        if panel >= panels:
            axes.remove()
            continue
        drawn = numbers[numbers["panel"] == panel]
        first = drawn.iloc[0]
        own = episodes[episodes["course"] == first["course"]]
        _draw_course(axes, drawn, own, marks=False)
        axes.set_title(label(f"{first['course']} · {_KIND_WORDS[first['kind']]}", 38))
        axes.tick_params(labelbottom=True)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(6, integer=True))
    if better == "lower":
        grid[0].invert_yaxis()
    figure.supxlabel("session", fontsize=9)
    turned = " (axis turned: up is better)" if better == "lower" else ""
    figure.supylabel(label(measures[measure].label, 50) + turned, fontsize=9)
    figure.legend(handles=_signs(marks=False), loc="outside upper left", ncols=6)
    return figure, numbers


@styled
def one_course(
    rows: pd.DataFrame, episodes: pd.DataFrame, *, measure: Measure, title: str
) -> Drawn:
    """Draw one course as :func:`courses` does, large enough to read every session.

    Parameters
    ----------
    rows : DataFrame
        One row per session: `session`, `rating`, `reference`, `threshold` (points below the
        reference) and `state`, as :func:`rupture_repair.detection.explain.explain` returns them.
    episodes : DataFrame
        Its episodes.
    measure : Measure
    title : str

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        session, rating, reference, threshold (as a level, in points of the measure) and state.
    """
    below = -rows["threshold"] if measure.better == "higher" else rows["threshold"]
    numbers = rows[["session", "rating", "reference"]].assign(
        threshold=rows["reference"] + below, state=rows["state"]
    )
    figure = Figure((WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    _draw_course(axes, numbers, episodes)
    axes.set_title(label(title, 110))
    axes.set_xlabel("session")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(20, integer=True))
    turned = "\n(axis turned: up is better)" if measure.better == "lower" else ""
    axes.set_ylabel(label(measure.label, 45) + turned)
    if measure.better == "lower":
        axes.invert_yaxis()
    figure.legend(handles=_signs(), loc="outside upper left", ncols=4)
    return figure, numbers


@styled
def raster(states: pd.DataFrame, *, measure: str, criterion: str, most_rows: int = 300) -> Drawn:
    """Draw the state of every course at every session, one row per course, longest first.

    Parameters
    ----------
    states : DataFrame
        The table session_states.
    measure, criterion : str
        Which measure and criterion to draw.
    most_rows : int
        Most rows that stay readable: of more courses, equally spaced ones in that order are drawn.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        row (from the top), n_courses (in all), course, session, state.
    """
    states = of_criterion(states, measure, criterion)
    states = states[["course", "session", "state"]].astype({"course": str, "state": str})
    numbers = _raster_rows(states, most_rows)
    if numbers.empty:
        return nothing("Too few courses to show."), numbers
    return _with_legend(_draw_rows(numbers), numbers, hatched=False), numbers


@styled
def raster_of_shares(counts: pd.DataFrame) -> Drawn:
    """Draw the share of courses in each state by session, and how many had that session.

    Parameters
    ----------
    counts : DataFrame
        `session`, `state` and `n` courses, as :func:`rupture_repair.disclosure.curves.states` let
        them pass.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        session, state, n, n_courses (courses with this session).
    """
    total = counts.groupby("session")["n"].transform("sum")
    numbers = counts.assign(n_courses=total).reset_index(drop=True)
    if numbers.empty:
        return nothing("Too few courses to show."), numbers
    return _with_legend(_draw_shares(numbers), numbers, hatched=True), numbers


def _with_legend(figure: Figure, numbers: pd.DataFrame, *, hatched: bool) -> Figure:
    """Add the states that are drawn."""
    present = [state for state in SHOWN_STATES if (numbers["state"] == state).any()]
    handles = [
        Patch(
            fc=SHOWN_STATES[state][1],
            hatch=SHOWN_STATES[state][2] if hatched else "",
            ec=QUIET,
            lw=0.5,
            label=SHOWN_STATES[state][0],
        )
        for state in present
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=6, handlelength=1.2)
    return figure


def _raster_rows(states: pd.DataFrame, most_rows: int) -> pd.DataFrame:
    """Order courses by length, longest first, and thin them out evenly."""
    span = states.groupby("course")["session"].max().rename("last").reset_index()
    span = span.sort_values(["last", "course"], ascending=[False, True])
    rows = min(most_rows, len(span))
    places = ((np.arange(rows) + 0.5) * len(span) / max(rows, 1)).astype(int)
    order = pd.Series(np.arange(rows) + 1, index=span["course"].to_numpy()[places])
    states = states[states["course"].isin(order.index)]
    numbers = states.assign(row=states["course"].map(order), n_courses=len(span))
    return numbers.sort_values(["row", "session"])[
        ["row", "n_courses", "course", "session", "state"]
    ].reset_index(drop=True)


def _draw_rows(numbers: pd.DataFrame) -> Figure:
    """Draw one row per course, one column per session."""
    rows, last = numbers["row"].max(), numbers["session"].max()
    cells = np.full((rows, last), np.nan)
    code = numbers["state"].map({state: place for place, state in enumerate(STATES)})
    cells[numbers["row"] - 1, numbers["session"] - 1] = code
    figure = Figure((WIDTH, float(np.clip(1.2 + 0.09 * rows, 2.0, 7.0))), layout="constrained")
    axes = figure.subplots()
    colours = ListedColormap([colour for _, colour, _ in STATES.values()])
    axes.imshow(
        np.ma.masked_invalid(cells),
        cmap=colours,
        norm=BoundaryNorm(np.arange(len(STATES) + 1) - 0.5, len(STATES)),
        aspect="auto",
        interpolation="none",
        extent=(0.5, last + 0.5, rows + 0.5, 0.5),
    )
    ends = numbers.groupby("row")["session"].max().to_numpy() + 0.5
    axes.stairs(ends, np.arange(rows + 1) + 0.5, orientation="horizontal", color=QUIET, lw=0.6)
    axes.set(xlim=(0.5, last + 0.5), ylim=(rows + 0.5, 0.5), xlabel="session", yticks=[])
    n = numbers["n_courses"].iloc[0]
    some = "" if n == rows else f", {rows} of them drawn"
    axes.set_ylabel(f"courses, longest first (n = {n}{some})")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(12, integer=True))
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _draw_shares(numbers: pd.DataFrame) -> Figure:
    """Draw the share of courses in each state by session, and how many courses are left."""
    n = numbers.pivot_table(index="session", columns="state", values="n", fill_value=0)
    total = n.sum(axis=1)
    figure = Figure((WIDTH, 4.4), layout="constrained")
    above, axes = figure.subplots(2, 1, sharex=True, height_ratios=[1, 4])
    above.bar(total.index, total, width=0.92, color="#8a939a")
    above.set(ylabel="courses", ylim=(0, total.max() * 1.12))
    above.yaxis.set_major_locator(mpl.ticker.MaxNLocator(2, integer=True))
    floor = np.zeros(len(n))
    for state, (_, colour, hatch) in SHOWN_STATES.items():
        if state in n:
            share = (100 * n[state] / total).to_numpy()
            edge = "#ffffff" if state == "ruptured" else "#9a9a9a"
            axes.bar(n.index, share, 0.92, floor, color=colour, hatch=hatch, ec=edge, lw=0)
            floor = floor + share
    axes.set(xlabel="session", ylabel="share of courses (%)", ylim=(0, 100))
    axes.set_xlim(n.index.min() - 0.6, n.index.max() + 0.6)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(12, integer=True))
    return figure
