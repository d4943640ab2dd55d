"""A picture of the size of a slide: three cards in words, and the estimates behind them."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from .style import INK, QUIET, TERMS, Drawn, label, styled

#: Inches, and dots per inch: 1600 x 900 pixels.
SIZE, DOTS = (12.8, 7.2), 125

#: How the estimates are drawn: key -> words, colour, marker.
_ROWS = {
    "open": ("while a rupture is open", *TERMS["open_within"][1:]),
    "direct": ("the same, beyond the rating", *TERMS["open_within"][1:]),
    "repaired": ("after a repair", *TERMS["repaired_within"][1:]),
    "difference": ("after a repair, compared with open", INK, "D"),
}


@dataclass(frozen=True)
class Card:
    """One card.

    Attributes
    ----------
    title, verdict, said : str
    clear : bool
        Whether the verdict is one.
    """

    title: str
    verdict: str
    said: str
    clear: bool = False


@styled
def summary(
    title: str,
    notes: Sequence[str],
    cards: Sequence[Card],
    estimates: Mapping[str, Mapping[str, Any]],
    *,
    unit: str,
    planted: Mapping[str, float] | None = None,
    noise: tuple[float, float, float] | None = None,
) -> Drawn:
    """Draw three cards and the estimates of the next outcome, or else ruptures against noise.

    Parameters
    ----------
    title : str
    notes : sequence of str
        What must be minded: below the title.
    cards : sequence of Card
    estimates : mapping
        `open`, `repaired` and `difference`, by probabilities also `direct`, each with `estimate`,
        `ci_low` and `ci_high`; empty where nothing is judged.
    unit : str
        What an estimate is measured in.
    planted : mapping, optional
        What was planted, by the same keys.
    noise : tuple of float, optional
        Episodes found, and the ends of where noise alone lies: drawn where no estimate is.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        term, estimate, ci_low, ci_high, planted.
    """
    figure = Figure(SIZE)
    size = 21 * min(1, 60 / len(title))
    figure.text(0.04, 0.93, label(title, 90), size=max(size, 14), weight="bold", va="center")
    for line, note in enumerate(notes[:3]):
        figure.text(0.04, 0.875 - 0.035 * line, label(note, 120), size=12.5, color=QUIET)
    for place, card in enumerate(cards):
        _draw_card(figure, 0.04 + 0.316 * place, card)
    known = {
        name: estimates[name]
        for name in _ROWS
        if name in estimates and pd.notna(estimates[name]["estimate"])
    }
    rows = [
        {
            "term": name,
            **{key: row[key] for key in ("estimate", "ci_low", "ci_high")},
            "planted": (planted or {}).get(name),
        }
        for name, row in known.items()
    ]
    numbers = pd.DataFrame(rows, columns=["term", "estimate", "ci_low", "ci_high", "planted"])
    if rows:
        _draw_estimates(figure.add_axes((0.29, 0.13, 0.67, 0.25)), rows, unit)
    elif noise:
        _draw_noise(figure.add_axes((0.29, 0.2, 0.67, 0.12)), *noise)
    return figure, numbers


def _draw_card(figure: Figure, left: float, card: Card) -> None:
    """Draw one card: title, verdict, and a line or two below it."""
    box = FancyBboxPatch(
        (left, 0.47), 0.288, 0.29, boxstyle="round,pad=0,rounding_size=0.012", fc="#f4f6f7",
        ec="#00558c" if card.clear else QUIET, lw=2.2 if card.clear else 0.8,
        transform=figure.transFigure,
    )  # fmt: skip
    figure.add_artist(box)
    figure.text(left + 0.015, 0.725, label(card.title, 44), size=12.5, color=QUIET, va="center")
    verdict = "\n".join(textwrap.wrap(label(card.verdict, 60), 22))
    figure.text(left + 0.015, 0.69, verdict, size=16.5, weight="bold", va="top")
    said = "\n".join(textwrap.wrap(label(card.said, 150), 35)[:4])
    figure.text(left + 0.015, 0.605, said, size=12.5, va="top", linespacing=1.35)


def _draw_estimates(axes: Axes, rows: Sequence[Mapping[str, Any]], unit: str) -> None:
    """Draw the intervals, one below the other."""
    axes.axvline(0, color=QUIET, lw=1)
    for y, row in enumerate(rows):
        _, colour, marker = _ROWS[row["term"]]
        axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=3)
        axes.plot(row["estimate"], y, marker, color=colour, ms=10)
        if row["planted"] is not None:
            axes.plot([row["planted"]] * 2, [y - 0.3, y + 0.3], color=colour, lw=2, ls=(0, (2, 1)))
    axes.set_yticks(range(len(rows)), [_ROWS[row["term"]][0] for row in rows], fontsize=13)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=12)
    more = "; broken: planted" if any(row["planted"] is not None for row in rows) else ""
    axes.set_xlabel(
        label(f"{unit}, with 95 % intervals; right of 0 is better{more}", 110), size=12.5
    )
    axes.grid(axis="x", color="#ececec", lw=0.8)


def _draw_noise(axes: Axes, found: float, low: float, high: float) -> None:
    """Draw the episodes found, and where the counts of nine in ten copies without any lie."""
    axes.barh(0, high - low, left=low, height=0.5, color="#d5d9dc", ec=QUIET, lw=0.8)
    axes.plot(found, 0, "o", color=TERMS["open_within"][1], ms=11)
    axes.set_yticks([0], ["ruptures"], fontsize=13)
    axes.set_ylim(-0.6, 0.6)
    axes.set_xlim(0, 1.15 * max(found, high, 1))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=12)
    axes.set_xlabel("dot: found; bar: what noise alone makes, in nine of ten copies", size=12.5)
