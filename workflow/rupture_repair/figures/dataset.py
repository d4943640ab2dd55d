"""All figures of one dataset."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..parallel import spread_out
from .agreement import agreement as heat_map
from .criteria import effects_forest, episodes_per_criterion
from .diagnostics import diagnostic_figures
from .multiverse import specification_curve
from .sensitivity import sensitivity as planted_falls
from .sessions import courses, raster
from .style import Drawn, individuals_shown, nothing, save, what_to_show


def draw_all(
    folder: Path,
    *,
    dataset: Mapping[str, Any],
    measures: Mapping[str, Any],
    sessions: pd.DataFrame,
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    detection: pd.DataFrame,
    estimates: pd.DataFrame,
    config: Mapping[str, Any],
    agreement: pd.DataFrame | None = None,
    sensitivity: pd.DataFrame | None = None,
    multiverse: pd.DataFrame | None = None,
    diagnostics: pd.DataFrame | None = None,
    processes: int = 1,
) -> list[Path]:
    """Draw and write the figures of one dataset.

    Parameters
    ----------
    folder : Path
        reports/figures/<dataset>.
    dataset, measures, config : mapping
        dataset.json, measures.json, config.yaml.
    sessions, states, episodes, detection, estimates : DataFrame
        The tables of these names; `states` is session_states.
    agreement : DataFrame, optional
        The table of this name; without it there is no heat map.
    sensitivity : DataFrame, optional
        The table of this name; without it there is no figure of planted falls.
    multiverse : DataFrame, optional
        The table multiverse_estimates; without it there is no specification curve.
    diagnostics : DataFrame, optional
        The table of this name; without it there are no figures of the model's assumptions.
    processes : int
        How many figures are drawn at the same time; changes nothing but the time.

    Returns
    -------
    list of Path
        PNG, SVG and CSV of courses, raster, episodes_per_criterion, effects_forest and, where their
        tables are given, agreement, sensitivity, specification_curve and diagnostics (residuals,
        normal_quantiles, autocorrelation, influence). Where single courses may not be shown the
        figure courses says so, and its table has no rows.
    """
    which = dict(
        zip(("measure", "criterion"), what_to_show(detection, measures, config), strict=True)
    )
    individuals = individuals_shown(dataset, config)
    measure = which["measure"]

    def drawn_courses() -> Drawn:
        if individuals:
            return courses(sessions, states, episodes, measures, **which)
        text = "Single courses of this dataset are not shown."
        return nothing(text), pd.DataFrame({"panel": []})

    # The ones that take longest come first, so that several processes end together.
    drawings: dict[str, Callable[[], Drawn]] = {
        "courses": drawn_courses,
        "effects_forest": lambda: effects_forest(estimates, detection, measures),
        "raster": lambda: raster(states, individuals=individuals, **which),
        "episodes_per_criterion": lambda: episodes_per_criterion(detection, measures),
    }
    if agreement is not None:
        drawings["agreement"] = lambda: heat_map(agreement, detection, measures, measure=measure)
    if sensitivity is not None:
        drawings["sensitivity"] = lambda: planted_falls(
            sensitivity, detection, measures, measure=measure
        )
    if diagnostics is not None:
        drawn = diagnostic_figures(diagnostics, measures, measure=measure, individuals=individuals)
        drawings |= {name: partial(drawn.__getitem__, name) for name in drawn}

    if multiverse is not None:
        drawings["specification_curve"] = lambda: specification_curve(
            multiverse, detection, measures
        )

    def write(name: str) -> list[Path]:
        return save(*drawings[name](), folder / name)

    return [file for files in spread_out(write, drawings, processes) for file in files]
