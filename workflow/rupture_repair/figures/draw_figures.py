"""All figures of one dataset."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..claims.components import reliabilities
from ..disclosure import curves, tables
from ..disclosure.gate import Gate
from ..exposure.aligned import aligned, onsets
from ..exposure.sessions import leaving_exposures
from ..exposure.summaries import courses_by_state, leaving_by_state, ratings_by_session
from ..project.dataset import Dataset, Detected
from ..project.headline import what_to_show
from ..project.parallel import spread_out
from ..project.setting_groups import ExposureRules
from .agreement import agreement_heat_map as heat_map
from .chance import observed_and_expected
from .criteria import effects_forest, episodes_per_criterion
from .diagnostics import diagnostic_figures
from .episodes import components, criterion_pictures, ending_hazard, episode_shapes
from .multiverse import specification_curve
from .over_sessions import over_sessions
from .planted_falls import planted_falls_figure as planted_falls
from .sessions import courses, raster, raster_of_shares
from .style import Drawn, nothing, save


def draw_figures(
    folder: Path,
    *,
    gate: Gate,
    dataset: Dataset,
    detected: Detected,
    estimates: pd.DataFrame,
    default_criterion: str,
    rules: ExposureRules,
    agreement: pd.DataFrame | None = None,
    sensitivity: pd.DataFrame | None = None,
    multiverse: pd.DataFrame | None = None,
    choices: pd.DataFrame | None = None,
    diagnostics: pd.DataFrame | None = None,
    chance: pd.DataFrame | None = None,
    planted_effects: pd.DataFrame | None = None,
    processes: int = 1,
) -> list[Path]:
    """Draw and write the figures of one dataset.

    Parameters
    ----------
    folder : Path
        reports/figures/<dataset>.
    gate : Gate
        What may be shown.
    dataset : Dataset
    detected : Detected
    estimates : DataFrame
        The table of this name.
    default_criterion : str
    rules : ExposureRules
    agreement : DataFrame, optional
        The table of this name; without it there is no heat map.
    sensitivity : DataFrame, optional
        The table of this name; without it there is no figure of planted falls.
    multiverse : DataFrame, optional
        The table multiverse_estimates; without it there is no specification curve.
    choices : DataFrame, optional
        The table multiverse_choices; the curve needs it as well.
    diagnostics : DataFrame, optional
        The table of this name; without it there are no figures of the model's assumptions.
    chance : DataFrame, optional
        The table of this name; without it there is no figure of observed and expected episodes.
    planted_effects : DataFrame, optional
        The table of this name; without it the forest shows no effect that was planted.
    processes : int
        How many figures are drawn at the same time; changes nothing but the time.

    Returns
    -------
    list of Path
        PNG, SVG and CSV of courses, raster, over_sessions,
        episodes_per_criterion, effects_forest, episode_shapes,
        criterion_pictures, components and, where their tables are given, agreement, sensitivity,
        observed_and_expected, ending_hazard, specification_curve and diagnostics (residuals,
        normal_quantiles, autocorrelation, influence). Where single courses may not be shown the
        figure courses says so, and its table has no rows. What is drawn has passed the gate, see
        :mod:`rupture_repair.disclosure`.
    """
    measures = dataset.measures
    shown = what_to_show(detected.detection, measures, default_criterion)
    which = dict(zip(("measure", "criterion"), shown, strict=True))
    measure = which["measure"]
    drawings = _of_courses(gate, dataset, detected, rules, **which)
    detection = tables.detection(gate, detected.detection)
    estimates = tables.estimates(gate, estimates)
    begun = _begun(gate, dataset, detected, measure)
    planted = tables.planted(gate, planted_effects)
    forest = estimates[estimates["measure"] == measure]
    drawings |= {
        "effects_forest": lambda: effects_forest(forest, detection, measures, planted),
        "episodes_per_criterion": lambda: episodes_per_criterion(detection, measures),
        "criterion_pictures": lambda: criterion_pictures(
            begun, detection, measures, measure=measure
        ),
    }
    if chance is not None:
        compared = tables.chance(gate, chance)
        drawings["observed_and_expected"] = lambda: observed_and_expected(
            compared, detection, measures, measure=measure
        )
    if agreement is not None:
        agreeing = tables.agreement(gate, agreement)
        drawings["agreement"] = lambda: heat_map(agreeing, detection, measures, measure=measure)
    if sensitivity is not None:
        found = tables.simulated(gate, sensitivity)
        drawings["sensitivity"] = lambda: planted_falls(found, detection, measures, measure=measure)
    if diagnostics is not None:
        drawn = diagnostic_figures(curves.diagnostics(gate, diagnostics), measures, measure=measure)
        drawings |= {name: partial(drawn.__getitem__, name) for name in drawn}

    if multiverse is not None and choices is not None:
        fits = tables.estimates(gate, multiverse)
        curve = partial(specification_curve, fits, choices, detection, measures, forest)
        drawings["specification_curve"] = curve

    def write(name: str) -> list[Path]:
        return save(*drawings[name](), folder / name)

    return [file for files in spread_out(write, drawings, processes) for file in files]


def _begun(gate: Gate, dataset: Dataset, detected: Detected, measure: str) -> pd.DataFrame:
    """Return the mean course around onsets by each criterion whose episodes may be shown."""
    every = onsets(detected.episodes, dataset.sessions, dataset.measures, measure)
    begun = curves.around_onsets(gate, every)
    few = [gate.rests_on_few(measure, str(name), "with") for name in begun["criterion"]]
    return begun[~np.array(few, dtype=bool)]


def _of_courses(
    gate: Gate,
    dataset: Dataset,
    detected: Detected,
    rules: ExposureRules,
    *,
    measure: str,
    criterion: str,
) -> dict[str, Callable[[], Drawn]]:
    """Return how to draw single courses, or what may be shown of all; the slowest ones first."""
    sessions, measures = dataset.sessions, dataset.measures
    own = detected.of(measure, criterion)
    which = {"measure": measure, "criterion": criterion}
    outcome = measures[measure].outcome

    def single() -> Drawn:
        if gate.open:
            return courses(sessions, own.states, own.episodes, measures, **which)
        text = "Single courses of this dataset are not shown."
        return nothing(text), pd.DataFrame({"panel": []})

    def every() -> Drawn:
        if gate.open:
            return raster(own.states, **which)
        return raster_of_shares(curves.states(gate, courses_by_state(own.states)))

    def shapes() -> Drawn:
        few = gate.rests_on_few(measure, criterion, "with")
        around = aligned(own.episodes, own.states, sessions, measures, measure)
        shown = curves.around_onsets(gate, around.iloc[:0] if few else around)
        return episode_shapes(shown, measures, measure=measure)

    def hazard() -> Drawn:
        table = leaving_exposures(own.states, dataset, measure, str(outcome), rules)
        return ending_hazard(curves.leaving(gate, leaving_by_state(table)))

    def parts() -> Drawn:
        columns = [f"{measure}__{name}" for name in measures[measure].components]
        if len(columns) < 2 or not set(columns) <= set(sessions):
            return components(None, measures, measure=measure)
        found = curves.reliabilities(gate, reliabilities(sessions, columns))
        return components(found, measures, measure=measure)

    def along() -> Drawn:
        names = [measure] if outcome in (None, measure) else [measure, str(outcome)]
        found = curves.ratings_by_session(gate, ratings_by_session(sessions, names))
        return over_sessions(found, measures)

    drawings = {
        "courses": single,
        "raster": every,
        "episode_shapes": shapes,
        "components": parts,
        "over_sessions": along,
    }
    if outcome is None:
        return drawings
    return drawings | {"ending_hazard": hazard}
