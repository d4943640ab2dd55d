"""The forest of a synthesis: datasets, their pooled estimate, and what was published."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from ..models.definitions import MODELS, PROBABLE_CRITERION
from ..models.evidence import OTHER_MEASURE
from .rows import place_beside, rows_with_texts, write_text
from .style import INK, QUIET, WIDTH, Drawn, label, nothing, styled

#: Panels: model, whether by probabilities, term, heading, colour.
PANELS = (
    ("next_session", True, "open_within", "In an open rupture → next outcome, by probabilities",
     "#D55E00"),
    ("next_session", True, "repaired_within",
     "After a repair → next outcome, by probabilities (exploratory)", "#0072B2"),
    ("next_session", False, "open_within",
     "In an open rupture, as the criterion finds it → next outcome", "#D55E00"),
    ("next_session", False, "repaired_within",
     "After a repair, as the criterion finds it → next outcome", "#0072B2"),
    ("final", False, "n_repaired", "Repaired ruptures of a course → last outcome, between courses",
     "#0072B2"),
    ("final", False, "n_unrepaired",
     "Unrepaired ruptures of a course → last outcome, between courses", "#D55E00"),
)  # fmt: skip

#: The heading of what was published.
_PUBLISHED = "Published: correlations between courses, another quantity than those above"

_NUMBERS = ["estimate", "ci_low", "ci_high", "prediction_low", "prediction_high"]
_COLUMNS = ["panel", "kind", "name", *_NUMBERS, "weight", "n_courses", "reason"]


def synthesis_rows(
    pooled: pd.DataFrame,
    studies: pd.DataFrame,
    published: Mapping[str, Mapping[str, Any]],
    criterion: str,
) -> pd.DataFrame:
    """Return the rows of the forest of claim C7.

    Parameters
    ----------
    pooled, studies : DataFrame
        From :func:`rupture_repair.synthesise.synthesise`; estimates of other measures than the main
        one of a dataset are not drawn.
    published : mapping
        Content of published.yaml.
    criterion : str
        The criterion to draw.

    Returns
    -------
    DataFrame
        panel, kind (dataset, left out, pooled, not pooled or published), name, estimate, ci_low,
        ci_high (of datasets estimate ± 1.96 errors), prediction_low, prediction_high, weight,
        n_courses, reason.
    """
    rows: list[dict[str, Any]] = []
    studies = studies[studies["reason"] != OTHER_MEASURE]
    for model, probable, term, heading, _ in PANELS:
        about = MODELS[model]
        variant = about.probable[0] if probable else about.rests_on
        own = {"claim": "C7", "model": model, "variant": variant, "term": term}
        own["criterion"] = PROBABLE_CRITERION if probable else criterion
        wanted = pd.Series(own)
        for row in studies[(studies[list(own)] == wanted).all(axis=1)].to_dict("records"):
            reach = 1.96 * row["std_error"]
            interval = {"ci_low": row["estimate"] - reach, "ci_high": row["estimate"] + reach}
            kind = "dataset" if row["used"] else "left out"
            rows.append({**row, **interval, "panel": heading, "kind": kind, "name": row["dataset"]})
        for row in pooled[(pooled[list(own)] == wanted).all(axis=1)].to_dict("records"):
            kind = row["status"].replace("_", " ")
            rows.append({**row, "panel": heading, "kind": kind, "name": "Pooled"})
    for row in published.values():
        rows.append({**row, "panel": _PUBLISHED, "kind": "published", "n_courses": row["persons"]})
    table = pd.DataFrame(rows).reindex(columns=_COLUMNS)
    return table.astype(dict.fromkeys([*_NUMBERS, "weight", "n_courses"], "float64"))


@styled
def synthesis_forest(
    pooled: pd.DataFrame,
    studies: pd.DataFrame,
    published: Mapping[str, Mapping[str, Any]],
    criterion: str,
) -> Drawn:
    """Draw the estimates of claim C7 by dataset, the pooled ones, and what was published.

    Parameters
    ----------
    pooled, studies, published, criterion
        As for :func:`synthesis_rows`.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        As :func:`synthesis_rows`.
    """
    numbers = synthesis_rows(pooled, studies, published, criterion)
    if not (numbers["kind"] != "published").any():
        return nothing("No dataset has a model of the criterion to pool."), numbers
    panels = list(numbers.groupby("panel", sort=False))
    heights = [len(rows) + 0.7 for _, rows in panels]
    figure = Figure((WIDTH, 0.9 + 0.3 * sum(heights) + 0.36 * len(panels)), layout="constrained")
    grid = rows_with_texts(figure, heights, sharex=True)
    colours = {heading: colour for *_, heading, colour in PANELS}
    for (axes, texts), (heading, rows) in zip(grid, panels, strict=True):
        _draw_panel(axes, texts, rows, colours.get(str(heading), INK))
        axes.set_title(heading)
    grid[-1, 0].set_xlabel("standardised estimate, or correlation (right of 0: a better outcome)")
    look: dict[str, Any] = {"color": QUIET, "lw": 1.2}
    handles = [
        Line2D([], [], marker="s", ms=5, label="dataset, larger with more weight", **look),
        Line2D([], [], marker="D", ms=7, lw=0, color=QUIET, label="pooled, with its interval"),
        Line2D([], [], ls=":", color=QUIET, lw=1.4, label="prediction interval"),
        Line2D([], [], marker="s", mfc="white", ms=5, label="not pooled", **look),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, columnspacing=1.2)
    return figure, numbers


def _draw_panel(axes: Axes, texts: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Draw one panel: an interval per row, its numbers on the right."""
    small: dict[str, Any] = {"transform": place_beside(texts), "va": "center", "size": 8}
    axes.axvline(0, color=QUIET, lw=0.8)
    for y, row in enumerate(rows.to_dict("records")):
        if pd.isna(row["estimate"]):
            write_text(axes, y, f"{row['kind']}: {row['reason']}")
            continue
        texts.text(0, y, _as_text(row), **small)
        if pd.notna(row["n_courses"]):
            unit = "persons" if row["kind"] == "published" else "courses"
            texts.text(0.62, y, f"{row['n_courses']:,.0f} {unit}", color=QUIET, **small)
        _draw_row(axes, y, row, colour)
    axes.set_yticks(range(len(rows)), [label(name, 34) for name in rows["name"]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color="#ececec", lw=0.6)


def _draw_row(axes: Axes, y: int, row: Mapping[str, Any], colour: str) -> None:
    """Draw one estimate."""
    low, middle, high = row["ci_low"], row["estimate"], row["ci_high"]
    if row["kind"] == "pooled":
        ends = [row["prediction_low"], row["prediction_high"]]
        axes.plot(ends, [y, y], ":", color=colour, lw=1.4)
        corners = [(low, y), (middle, y - 0.26), (high, y), (middle, y + 0.26)]
        axes.add_patch(Polygon(corners, fc=colour, ec=INK, lw=0.5, zorder=3))
        return
    axes.plot([low, high], [y, y], color=colour, lw=1.3)
    size = 4 + 6 * (row["weight"] ** 0.5 if pd.notna(row["weight"]) else 0.2)
    marker = "o" if row["kind"] == "published" else "s"
    fill = "white" if row["kind"] == "left out" or pd.isna(row["weight"]) else colour
    fill = colour if row["kind"] == "published" else fill
    axes.plot(middle, y, marker, color=colour, ms=size, mfc=fill)


def _as_text(row: Mapping[str, Any]) -> str:
    """Return an estimate with its interval as text."""
    text = f"{row['estimate']:+.2f} [{row['ci_low']:+.2f}, {row['ci_high']:+.2f}]"
    return text.replace("-", "−")
