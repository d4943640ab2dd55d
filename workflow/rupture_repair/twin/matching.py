"""Values with which simulated studies are described as the study is: indirect inference.

The values that a power analysis fits to a dataset (:mod:`rupture_repair.power.from_dataset`) are
where it starts. What they get wrong (a ceiling, ruptures that pass for noise, leaving that shortens
courses) shows when simulated studies are described by the same rules as the real one: each value is
then moved by what its own description lacks (Gourieroux, Monfort & Renault 1993, doi
10.1002/jae.3950080507), with the same random numbers every time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..simulation.forms import OtherView, SimulatedForm
from ..simulation.settings import SimulationSettings
from .described import Yardstick, described
from .model import TwinModel, drawn

#: How often values are moved, and in how many simulated studies each time.
STEPS, STUDIES = 12, 3

#: Share of what is lacking by which a value is moved.
_DAMPING = 0.8


@dataclass(frozen=True)
class Knob:
    """A value of the model, and the number of the description that it moves.

    Attributes
    ----------
    value, number : str
        Names, see :func:`_values` and :func:`rupture_repair.twin.described.described`.
    gain : float
        By how much the value is to be moved for a difference of 1 in the number.
    low, high : float
        Bounds of the value.
    """

    value: str
    number: str
    gain: float = 1.0
    low: float = -np.inf
    high: float = np.inf


def matched(model: TwinModel, by: Yardstick, goal: Mapping[str, float], seed: int) -> TwinModel:
    """Move the values of a model until its studies are described as the goal says.

    Parameters
    ----------
    model : TwinModel
        With values to start from.
    by : Yardstick
    goal : mapping
        The description of the study.
    seed : int
    """
    values, knobs = _values(model), list(_knobs(model, goal))
    for step in range(STEPS):
        found = [
            described(study.sessions, study.courses, by)
            for study in (drawn(model, by.measures, seed + at) for at in range(STUDIES))
        ]
        damping = _DAMPING if step < STEPS / 2 else _DAMPING / 2
        for knob in knobs:
            now = np.mean([one.get(knob.number, np.nan) for one in found])
            lacking = goal.get(knob.number, np.nan) - now
            if np.isfinite(lacking):
                moved = values[knob.value] + damping * knob.gain * lacking
                values[knob.value] = float(np.clip(moved, knob.low, knob.high))
        model = _with(model, values)
    return model


#: Values of settings: name -> the setting, and whether it is kept as it is, squared or logarithm.
_SETTINGS = {
    "length": ("median_sessions", "log"), "lengths": ("sessions_sigma", "square"),
    "skipped": ("skipped", ""), "caseloads": ("caseload_sigma", "square"),
    "left": ("leave_log_odds", ""), "left_open": ("leave_open", ""),
    "episodes": ("rupture_rate", "log"), "fall": ("depth", "log"),
    "repaired": ("repair_log_odds", ""), "open": ("effect_open", ""),
    "mended": ("effect_repaired", ""),
}  # fmt: skip
_MAIN = {
    "level": ("alliance_level", ""), "spread": ("alliance_sd_course", "square"),
    "between": ("alliance_sd_therapist", "square"), "trend": ("alliance_trend", ""),
    "trends": ("alliance_trend_sd", "square"), "within": ("alliance_sd_within", "log"),
    "unequal": ("volatility_sigma", "square"),
}  # fmt: skip
_OUTCOME = {
    "level": ("outcome_start", ""), "spread": ("outcome_sd_course", "square"),
    "between": ("outcome_sd_therapist", "square"), "trend": ("outcome_growth", ""),
    "trends": ("outcome_growth_sd", "square"), "within": ("outcome_sd_within", "log"),
    "slopes": ("growth_alliance", ""), "next": ("outcome_alliance", ""),
}  # fmt: skip
_VIEW = {
    "level": ("level", ""), "spread": ("sd_course", "square"),
    "between": ("sd_therapist", "square"), "trend": ("trend", ""), "trends": ("trend_sd", "square"),
    "within": ("sd_within", "log"), "levels": ("between", ""), "together": ("within", ""),
}  # fmt: skip
_FORM = {"carry": ("carry", ""), "lasting": ("lasting", "log"), "momentary": ("momentary", "log")}

_THERE = {"": float, "log": lambda x: float(np.log(max(x, 1e-6))), "square": lambda x: float(x * x)}
_BACK = {
    "": float,
    "log": lambda x: float(np.exp(x)),
    "square": lambda x: float(np.sqrt(max(x, 0))),
}


def _parts(model: TwinModel) -> Iterator[tuple[str, dict[str, tuple[str, str]], object]]:
    """Yield the parts of a model: prefix of the names, values, and what has them."""
    yield "", _SETTINGS, model.settings
    yield f"{model.measure}.", _MAIN, model.settings
    yield f"{model.measure}.", _FORM, model.forms.alliance
    if model.outcome is not None:
        yield f"{model.outcome}.", _OUTCOME, model.settings
        yield f"{model.outcome}.", _FORM, model.forms.outcome
    for name, (view, form) in model.views.items():
        yield f"{name}.", _VIEW, view
        yield f"{name}.", _FORM, form


def _values(model: TwinModel) -> dict[str, float]:
    """Return the values that are moved, by name."""
    found = {}
    for prefix, names, owner in _parts(model):
        for name, (field, kind) in names.items():
            found[prefix + name] = _THERE[kind](getattr(owner, field))
        if isinstance(owner, SimulatedForm):
            found |= {f"{prefix}item_{at}": mean for at, mean in enumerate(owner.means)}
    return found


def _with(model: TwinModel, values: Mapping[str, float]) -> TwinModel:
    """Return the model with other values."""

    def changes(prefix: str, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
        return {field: _BACK[kind](values[prefix + name]) for name, (field, kind) in names.items()}

    def form(prefix: str, old: SimulatedForm) -> SimulatedForm:
        means = tuple(values[f"{prefix}item_{at}"] for at in range(len(old.means)))
        return replace(old, **changes(prefix, _FORM), means=means)

    main, out = f"{model.measure}.", f"{model.outcome}."
    settings: SimulationSettings = replace(
        model.settings, **changes("", _SETTINGS), **changes(main, _MAIN),
        **(changes(out, _OUTCOME) if model.outcome else {}),
    )  # fmt: skip
    forms = replace(model.forms, alliance=form(main, model.forms.alliance))
    if model.outcome:
        forms = replace(forms, outcome=form(out, forms.outcome))
    views: dict[str, tuple[OtherView, SimulatedForm]] = {
        name: (replace(view, **changes(f"{name}.", _VIEW)), form(f"{name}.", old))
        for name, (view, old) in model.views.items()
    }
    return replace(model, settings=settings, forms=forms, views=views)


def _knobs(model: TwinModel, goal: Mapping[str, float]) -> Iterator[Knob]:
    """Yield what is moved by what."""
    s = model.settings
    per_therapist = s.n_courses / s.n_therapists
    yield Knob("length", "length", high=np.log(s.max_sessions))
    yield Knob("lengths", "lengths", low=0.0, high=4.0)
    yield Knob("skipped", "skipped", low=0.0, high=0.9)
    yield Knob("caseloads", "caseloads", low=0.0, high=4.0)
    if model.endings:
        yield Knob("left", "left", low=-12.0, high=1.0)
        yield Knob("left_open", "left_open", low=-2.0, high=3.0)
    yield Knob("episodes", "episodes", 1.0, np.log(0.002), np.log(0.5))
    yield Knob("fall", "fall", 0.8, np.log(s.depth_min + 0.1), np.log(s.depth_max))
    yield Knob("repaired", "repaired", low=-4.0, high=4.0)
    if model.outcome is not None:
        yield Knob("open", "open", 1.3, -15.0, 15.0)
        yield Knob("mended", "mended", 1.3, -15.0, 15.0)
    for name, scale in model.scales.items():
        yield Knob(f"{name}.level", f"{name}.level")
        yield Knob(f"{name}.spread", f"{name}.spread", low=0.01)
        if model.therapists:
            yield Knob(f"{name}.between", f"{name}.between", 1 / per_therapist, low=0.0)
        yield Knob(f"{name}.trend", f"{name}.trend")
        yield Knob(f"{name}.trends", f"{name}.trends", 12 / s.median_sessions**3, low=0.0)
        yield Knob(f"{name}.within", f"{name}.within", 0.5, low=-5.0, high=3.0)
        yield Knob(f"{name}.carry", f"{name}.carry", low=-0.3, high=0.95)
        if scale.items:
            for at in range(len(scale.items)):
                yield Knob(f"{name}.item_{at}", f"{name}.item_{at}")
            yield Knob(f"{name}.lasting", f"{name}.lasting", 0.5, low=-6.0, high=2.0)
            yield Knob(f"{name}.momentary", f"{name}.momentary", 0.5, low=-6.0, high=2.0)
        elif goal[f"{name}.top"] > 0.01:
            yield Knob(f"{name}.lasting", f"{name}.top", -5.0, low=-3.0, high=1.2)
        if name == model.measure:
            yield Knob(f"{name}.unequal", f"{name}.unequal", 0.25, low=0.0, high=1.0)
        elif name == model.outcome:
            yield Knob(f"{name}.slopes", f"{name}.slopes", 0.8, -0.95, 0.95)
            yield Knob(f"{name}.next", f"{name}.next", low=-2.0, high=2.0)
        else:
            yield Knob(f"{name}.levels", f"{name}.levels", 1.0, -0.95, 0.95)
            yield Knob(f"{name}.together", f"{name}.together", 1.2, -0.95, 0.95)
