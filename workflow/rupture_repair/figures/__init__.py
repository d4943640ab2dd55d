"""Figures of the report: tables in, a figure and the table of the numbers drawn out.

One style: :func:`courses` (a few courses with their episodes), :func:`one_course`, :func:`raster`
(every course by session and state), :func:`episodes_per_criterion`, :func:`observed_and_expected`
(held against chance), :func:`criterion_pictures` (what each criterion finds),
:func:`agreement` (pairs of criteria), :func:`episode_shapes`,
:func:`ending_hazard`, :func:`components` (their reliability), :func:`effects_forest`,
:func:`diagnostic_figures` (does the model describe the data?), :func:`specification_curve`,
:func:`power_curve` (of planned studies) and, of all datasets, :func:`synthesis_forest`.
:func:`save` writes a figure for print, for the web and as numbers; :func:`alt_text` says it in
words.
"""

from ..disclosure import individuals_shown
from .agreement import agreement
from .chance import observed_and_expected
from .criteria import effects_forest, episodes_per_criterion, forest_rows
from .dataset import draw_all
from .diagnostics import diagnostic_figures, influence_rows, name_of
from .episodes import components, criterion_pictures, ending_hazard, episode_shapes
from .multiverse import curve_rows, specification_curve
from .power import power_curve
from .sensitivity import sensitivity
from .sessions import choose_courses, courses, kinds_of_courses, one_course, raster
from .style import MIN_CELL, STATES, STATUSES, label, save, save_as
from .synthesis import synthesis_forest, synthesis_rows
from .words import alt_text

__all__ = [
    "MIN_CELL",
    "STATES",
    "STATUSES",
    "agreement",
    "alt_text",
    "choose_courses",
    "components",
    "courses",
    "criterion_pictures",
    "curve_rows",
    "diagnostic_figures",
    "draw_all",
    "effects_forest",
    "ending_hazard",
    "episode_shapes",
    "episodes_per_criterion",
    "forest_rows",
    "individuals_shown",
    "influence_rows",
    "kinds_of_courses",
    "label",
    "name_of",
    "observed_and_expected",
    "one_course",
    "power_curve",
    "raster",
    "save",
    "save_as",
    "sensitivity",
    "specification_curve",
    "synthesis_forest",
    "synthesis_rows",
]
