"""All figures of one dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .agreement import agreement as heat_map
from .criteria import effects_forest, episodes_per_criterion
from .multiverse import specification_curve
from .sensitivity import sensitivity as planted_falls
from .sessions import courses, raster
from .style import individuals_shown, nothing, save, what_to_show


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

    Returns
    -------
    list of Path
        PNG, SVG and CSV of courses, raster, episodes_per_criterion, effects_forest and, where their
        tables are given, agreement, sensitivity and specification_curve. Where single courses may
        not be shown the figure courses says so, and its table has no rows.
    """
    which = dict(
        zip(("measure", "criterion"), what_to_show(detection, measures, config), strict=True)
    )
    individuals = individuals_shown(dataset, config)
    if individuals:
        drawn_courses = courses(sessions, states, episodes, measures, **which)
    else:
        text = "Single courses of this dataset are not shown."
        drawn_courses = nothing(text), pd.DataFrame({"panel": []})
    drawn = {
        "courses": drawn_courses,
        "raster": raster(states, individuals=individuals, **which),
        "episodes_per_criterion": episodes_per_criterion(detection, measures),
        "effects_forest": effects_forest(estimates, detection, measures),
    }
    if agreement is not None:
        measure = which["measure"]
        drawn["agreement"] = heat_map(agreement, detection, measures, measure=measure)
    if sensitivity is not None:
        measure = which["measure"]
        drawn["sensitivity"] = planted_falls(sensitivity, detection, measures, measure=measure)
    if multiverse is not None:
        drawn["specification_curve"] = specification_curve(multiverse, detection, measures)
    return [file for name, one in drawn.items() for file in save(*one, folder / name)]
