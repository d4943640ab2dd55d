"""All figures of one dataset."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..exposure.aligned import aligned, onsets
from ..exposure.sessions import leaving_exposures
from ..project.disclosure import individuals_shown, min_cell, of_chance, of_detection, of_fits
from ..project.headline import what_to_show
from ..project.measures import Measures
from ..project.parallel import spread_out
from ..project.processed import of_criterion
from ..project.setting_groups import ExposureRules, ReportSettings
from .agreement import agreement_heat_map as heat_map
from .chance import observed_and_expected
from .criteria import effects_forest, episodes_per_criterion
from .diagnostics import diagnostic_figures
from .episodes import components, criterion_pictures, ending_hazard, episode_shapes
from .multiverse import specification_curve
from .planted_falls import planted_falls_figure as planted_falls
from .sessions import courses, raster
from .style import Drawn, nothing, save


def draw_figures(
    folder: Path,
    *,
    dataset: Mapping[str, Any],
    measures: Measures,
    sessions: pd.DataFrame,
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    detection: pd.DataFrame,
    estimates: pd.DataFrame,
    default_criterion: str,
    report: ReportSettings,
    rules: ExposureRules,
    agreement: pd.DataFrame | None = None,
    sensitivity: pd.DataFrame | None = None,
    multiverse: pd.DataFrame | None = None,
    diagnostics: pd.DataFrame | None = None,
    chance: pd.DataFrame | None = None,
    endings: pd.DataFrame | None = None,
    processes: int = 1,
) -> list[Path]:
    """Draw and write the figures of one dataset.

    Parameters
    ----------
    folder : Path
        reports/figures/<dataset>.
    dataset : mapping
        dataset.json.
    measures : mapping of str to Measure
    sessions, states, episodes, detection, estimates : DataFrame
        The tables of these names; `states` is session_states.
    default_criterion : str
    report : ReportSettings
    rules : ExposureRules
    agreement : DataFrame, optional
        The table of this name; without it there is no heat map.
    sensitivity : DataFrame, optional
        The table of this name; without it there is no figure of planted falls.
    multiverse : DataFrame, optional
        The table multiverse_estimates; without it there is no specification curve.
    diagnostics : DataFrame, optional
        The table of this name; without it there are no figures of the model's assumptions.
    chance : DataFrame, optional
        The table of this name; without it there is no figure of observed and expected episodes.
    endings : DataFrame, optional
        The table courses; without it there is no figure of when courses were left.
    processes : int
        How many figures are drawn at the same time; changes nothing but the time.

    Returns
    -------
    list of Path
        PNG, SVG and CSV of courses, raster, episodes_per_criterion, effects_forest, episode_shapes,
        criterion_pictures, components and, where their tables are given, agreement, sensitivity,
        observed_and_expected, ending_hazard, specification_curve and diagnostics (residuals,
        normal_quantiles, autocorrelation, influence). Where single courses may not be shown the
        figure courses says so, and its table has no rows. What is too small to be shown is
        withheld, see :mod:`rupture_repair.project.disclosure`.
    """
    shown = what_to_show(detection, measures, default_criterion)
    which = dict(zip(("measure", "criterion"), shown, strict=True))
    individuals, least = individuals_shown(dataset, report), min_cell(dataset, report)
    totals = {"n_courses": sessions["course"].nunique(), "n_sessions": len(sessions)}
    detection, estimates = of_detection(detection, least), of_fits(estimates, least, **totals)
    measure = which["measure"]

    # The ones that take longest come first, so that several processes end together.
    drawings: dict[str, Callable[[], Drawn]] = {
        "courses": partial(
            _of_single_courses, sessions, states, episodes, measures, individuals, **which
        ),
        "effects_forest": lambda: effects_forest(estimates, detection, measures),
        "raster": lambda: raster(states, individuals=individuals, min_cell=least, **which),
        "episodes_per_criterion": lambda: episodes_per_criterion(detection, measures),
    }
    drawings |= _of_episodes(
        sessions, states, episodes, endings, detection, measures, rules, **which, min_cell=least
    )
    if chance is not None:
        chance = of_chance(chance, detection, least)
    if multiverse is not None:
        multiverse = of_fits(multiverse, least, **totals)
    drawings |= _of_detection(
        detection, measures, measure, least,
        chance=chance, agreement=agreement, sensitivity=sensitivity, multiverse=multiverse,
    )  # fmt: skip
    if diagnostics is not None:
        drawn = diagnostic_figures(
            diagnostics, measures, measure=measure, individuals=individuals, min_cell=least
        )
        drawings |= {name: partial(drawn.__getitem__, name) for name in drawn}

    def write(name: str) -> list[Path]:
        return save(*drawings[name](), folder / name)

    return [file for files in spread_out(write, drawings, processes) for file in files]


def _of_single_courses(
    sessions: pd.DataFrame,
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    measures: Measures,
    individuals: bool,
    **which: str,
) -> Drawn:
    """Draw some courses, or say that single ones are not shown."""
    if individuals:
        return courses(sessions, states, episodes, measures, **which)
    return nothing("Single courses of this dataset are not shown."), pd.DataFrame({"panel": []})


def _of_detection(
    detection: pd.DataFrame,
    measures: Measures,
    measure: str,
    least: int,
    *,
    chance: pd.DataFrame | None,
    agreement: pd.DataFrame | None,
    sensitivity: pd.DataFrame | None,
    multiverse: pd.DataFrame | None,
) -> dict[str, Callable[[], Drawn]]:
    """Return how to draw what compares criteria, where the table of a figure is given."""
    all_criteria = (detection, measures)
    drawings: dict[str, Callable[[], Drawn]] = {}
    if chance is not None:
        drawings["observed_and_expected"] = lambda: observed_and_expected(
            chance, *all_criteria, measure=measure
        )
    if agreement is not None:
        drawings["agreement"] = lambda: heat_map(
            agreement, *all_criteria, measure=measure, min_cell=least
        )
    if sensitivity is not None:
        drawings["sensitivity"] = lambda: planted_falls(sensitivity, *all_criteria, measure=measure)
    if multiverse is not None:
        drawings["specification_curve"] = lambda: specification_curve(multiverse, *all_criteria)
    return drawings


def _of_episodes(
    sessions: pd.DataFrame,
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    endings: pd.DataFrame | None,
    detection: pd.DataFrame,
    measures: Measures,
    rules: ExposureRules,
    *,
    measure: str,
    criterion: str,
    min_cell: int,
) -> dict[str, Callable[[], Drawn]]:
    """Return how to draw what goes on around episodes of one measure and criterion."""
    own, own_states = (of_criterion(table, measure, criterion) for table in (episodes, states))
    of: dict[str, Any] = {"measure": measure, "min_cell": min_cell}

    def shapes() -> Drawn:
        curves = aligned(own, own_states, sessions, measures, measure)
        return episode_shapes(curves, measures, **of)

    def hazard() -> Drawn:
        of_outcome = (measures, measure, str(outcome), rules)
        table = leaving_exposures(own_states, sessions, endings, *of_outcome)
        return ending_hazard(table, min_cell=min_cell)

    def pictures() -> Drawn:
        onset_of_each = onsets(episodes, sessions, measures, measure)
        return criterion_pictures(onset_of_each, detection, measures, **of)

    drawings = {
        "episode_shapes": shapes,
        "components": lambda: components(sessions, measures, **of),
    }
    outcome = measures[measure].outcome
    if endings is not None and outcome is not None:
        drawings["ending_hazard"] = hazard
    return drawings | {"criterion_pictures": pictures}
