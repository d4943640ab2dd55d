"""Figures of the report: tables in, a figure and the table of the numbers drawn out.

Four figures, one style: :func:`courses` (a few courses with their episodes), :func:`raster`
(every course by session and state), :func:`episodes_per_criterion` and :func:`effects_forest`.
:func:`save` writes a figure for print, for the web and as numbers; :func:`alt_text` says it in
words.
"""

from .criteria import effects_forest, episodes_per_criterion, forest_rows
from .dataset import draw_all
from .sessions import choose_courses, courses, kinds_of_courses, raster
from .style import MIN_CELL, STATES, STATUSES, individuals_shown, label, save, what_to_show
from .words import alt_text

__all__ = [
    "MIN_CELL",
    "STATES",
    "STATUSES",
    "alt_text",
    "choose_courses",
    "courses",
    "draw_all",
    "effects_forest",
    "episodes_per_criterion",
    "forest_rows",
    "individuals_shown",
    "kinds_of_courses",
    "label",
    "raster",
    "save",
    "what_to_show",
]
