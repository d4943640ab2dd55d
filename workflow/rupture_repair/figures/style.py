"""The one style of all figures, and how a figure becomes files.

Colours are those of Okabe and Ito (2008, "Color universal design") and shades of them, chosen so
that they also differ in lightness; hatches and markers repeat what colour says.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.figure import Figure

from ..project.processed import write_for_people

mpl.use("Agg")

#: Places of lines and letters in an SVG, and the digits of their numbers that nobody sees.
_PLACES, _DIGITS = re.compile(r' (?:d|x|y)="[^"]*"'), re.compile(r"(\.\d\d)\d+")

#: A figure and the numbers drawn in it.
Drawn = tuple[Figure, pd.DataFrame]

WIDTH = 9.0  # inches; 900 pixels in the report, where 9 points read as 12.5 pixels
INK, QUIET, FAINT = "#1a1a1a", "#5a5a5a", "#c8c8c8"

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "text.color": INK,
    "text.parse_math": False,  # a label with dollar signs is a label, not a formula
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 300,
    "svg.fonttype": "path",
    "svg.hashsalt": "rupture-repair",
}

#: How a session is shown. Lightness falls from steady to open: readable without colour.
STATES: dict[str, tuple[str, str, str]] = {
    "steady": ("steady", "#dfe4e8", ""),
    "ruptured": ("open rupture", "#D55E00", "////"),
    "repaired_here": ("repaired here", "#0072B2", ""),
    "after_repair": ("after repair", "#7cc4ee", ""),
    "after_unrepaired": ("open rupture, not repaired in time", "#5a1e00", ""),
    "not_assessable": ("not assessable", "#ffffff", "...."),
}

#: The same, and how courses are shown whose state is withheld.
SHOWN_STATES = STATES | {"withheld": ("withheld, too few", "#ffffff", "xxxx")}

#: How an episode is shown: colour, and hatch for print without colour.
STATUSES: dict[str, tuple[str, str]] = {
    "repaired": ("#56B4E9", ""),
    "unrepaired": ("#D55E00", "////"),
    "censored": ("#d9d9d9", "...."),
}

#: Kinds of course in :func:`courses`, in the order of drawing. A course with an unrepaired episode
#: is of that kind whatever else it has, one with a repaired and a censored episode is repaired.
KINDS = ("repaired", "unrepaired", "censored only", "no episode")

#: The two terms of the forest: name, colour and marker.
TERMS: dict[str, tuple[str, str, str]] = {
    "repaired_within": ("after a repaired rupture", "#0072B2", "o"),
    "open_within": ("in an open rupture", "#D55E00", "s"),
}


def styled(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """Draw in the one style of the report, whatever the caller's settings are."""

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Drawn:
        with mpl.rc_context(STYLE):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return drawn


@functools.cache
def _drawable() -> frozenset[int]:
    """Code points that the font of the figures has."""
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


def label(text: object, width: int = 60) -> str:
    """Return any text as one line of at most `width` characters that the font can draw."""
    line = " ".join(str(text).split())
    line = " ".join("".join(c for c in line if ord(c) in _drawable()).split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def nothing(text: str) -> Figure:
    """Return a small figure that says why there is nothing to see."""
    figure = Figure((WIDTH, 0.8), layout="constrained")
    figure.text(0.5, 0.5, text, ha="center", va="center", style="italic", color=QUIET)
    return figure


def save(figure: Figure, numbers: pd.DataFrame, stem: Path) -> list[Path]:
    """Write a figure as PNG (300 dpi) and SVG, and its numbers as CSV with what they mean.

    The same figure gives the same bytes on every call: no dates, no random ids.

    Parameters
    ----------
    figure, numbers
        What a function of this module returned.
    stem : Path
        Path without suffix, for example reports/figures/demo/raster.

    Returns
    -------
    list of Path
        PNG, SVG and CSV.
    """
    png, svg, csv = (stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg", "csv"))
    for file in (png, svg):
        save_as(figure, file)
    write_for_people(numbers, csv, folder="figures/", float_format="%.6g")
    return [png, svg, csv]


def save_as(figure: Figure, file: Path) -> None:
    """Write a figure to one file, in the format of its suffix: .png (300 dpi), .svg or .pdf.

    The same figure gives the same bytes on every call.
    """
    metadata = {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        _lay_out(figure)
        figure.savefig(file, metadata=metadata[file.suffix])
    if file.suffix == ".svg":
        file.write_text(_shorter(file.read_text(encoding="utf-8")), encoding="utf-8")


def _lay_out(figure: Figure) -> None:
    """Place what the figure has, once and for all: saving would do so again for each file."""
    engine = figure.get_layout_engine()
    if engine is not None and figure.axes:
        dots, figure.dpi = figure.dpi, float(mpl.rcParams["savefig.dpi"])
        engine.execute(figure)
        figure.dpi = dots
    figure.set_layout_engine(None)  # with one, each file costs a second drawing


def _shorter(svg: str) -> str:
    """Return a drawing with places to a hundredth of a point: a third of it is further digits."""
    return _PLACES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), svg)
