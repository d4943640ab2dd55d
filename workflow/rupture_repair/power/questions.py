"""What a planned study can be asked: parts of claims, and the effect that is planted for each."""

from dataclasses import dataclass

from ..models.definitions import MODELS
from ..simulation.settings import SimulationSettings
from ..simulation.study import within_sd_of_outcome

#: Settings of the simulation that link alliance and outcome. They are zero unless stated, so that
#: with an effect of zero nothing does.
LINKS = ("effect_open", "effect_repaired", "outcome_alliance", "growth_alliance")


@dataclass(frozen=True)
class Question:
    """One part of a claim.

    Attributes
    ----------
    model : str
        Key of :data:`rupture_repair.models.MODELS`.
    table : {"sessions", "leaving"}
        The table of exposure that it is fitted to.
    terms : dict of str to str
        Variant of the model -> the term tested. The first variant is the default.
    planted : str
        The setting of the simulation that carries the effect.
    sign : int
        1 or -1: the direction that the claim expects.
    units : tuple of str
        Units of the effect; the first is the default.
    effect : str
        What an effect is, in words.
    """

    model: str
    table: str
    terms: dict[str, str]
    planted: str
    sign: int
    units: tuple[str, ...]
    effect: str


_STEADY = "of the outcome at the session after one {}, against that after a steady session of the "
_STEADY += "same course, as planted by the true states"

#: The parts of claims that are offered, with the variants that hold their level: where the outcome
#: carries over from session to session, the standard errors of the other variants of next_session
#: are too small (docs/power.md). By ``claim.part`` as in ``knowledge/claims.yaml``.
QUESTIONS = {
    "C7.repaired": Question(
        model="next_session",
        table="sessions",
        terms={"ar1": "repaired_within"},
        planted="effect_repaired",
        sign=1,
        units=("sd", "points"),
        effect="rise " + _STEADY.format("at or after a repair"),
    ),
    "C7.open": Question(
        model="next_session",
        table="sessions",
        terms={"ar1": "open_within"},
        planted="effect_open",
        sign=-1,
        units=("sd", "points"),
        effect="fall " + _STEADY.format("with a rupture that is not repaired so far"),
    ),
    "C5.leaving": Question(
        model="ending",
        table="leaving",
        terms={"main": "open_prev", "without_baseline": "open_prev"},
        planted="leave_open",
        sign=1,
        units=("log_odds",),
        effect="log odds ratio of leaving with the session after one that is truly in an open "
        "rupture, against the session after any other",
    ),
}

#: What the units of an effect are, in words.
UNITS = {
    "sd": "within-course SD of the outcome (around the course's own line, without any effect)",
    "points": "points of the outcome",
    "log_odds": "log odds ratio",
}


def planted_value(
    question: Question, effect: float, unit: str, settings: SimulationSettings
) -> float:
    """Return the setting of the simulation that plants an effect.

    Parameters
    ----------
    question : Question
    effect : float
        Its size in the direction that the claim expects, in `unit`.
    unit : str
        Of :data:`UNITS`.
    settings : SimulationSettings
        All other settings.

    Returns
    -------
    float

    Examples
    --------
    >>> planted_value(QUESTIONS["C7.open"], 0.5, "points", SimulationSettings())
    -0.5
    """
    scale = within_sd_of_outcome(settings) if unit == "sd" else 1.0
    return question.sign * effect * scale


def formula(question: Question, variant: str) -> str:
    """Return the formula that is fitted."""
    return MODELS[question.model].variants[variant].formula
