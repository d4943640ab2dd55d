"""What a planned study can be asked: parts of claims, and the effect that is planted for each."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from ..claims.verdicts import Part, load
from ..models.definitions import MODELS, REPAIRED_MINUS_OPEN
from ..simulation.settings import SimulationSettings
from ..simulation.study import INTERPERSONAL, within_sd_of_outcome

#: Settings of the simulation that link alliance and outcome. They are zero unless stated, so that
#: with an effect of zero nothing does.
LINKS = ("effect_open", "effect_repaired", "outcome_alliance", "growth_alliance")


@dataclass(frozen=True)
class Question:
    """One part of a claim.

    Attributes
    ----------
    table : {"sessions", "leaving", "episodes"}
        The table of exposure that it is fitted to.
    terms : dict of str to str
        Variant of the model -> the term tested. The first variant is the default.
    planted : str
        The setting of the simulation that carries the effect.
    sign : int
        1 or -1: the direction that the claim expects, or the usual one where it expects none.
    units : tuple of str
        Units of the effect; the first is the default.
    effect : str
        What an effect is, in words.
    model : str or None
        Key of :data:`rupture_repair.models.MODELS`; None where the claim has one of its own.
    outcome : str
        The column of the sessions that is looked at.
    quiet : tuple of (str, float)
        Settings of the simulation that would show as such an effect, and their neutral values.
    caveat : str
        What has to be known of estimates.
    """

    table: str
    terms: dict[str, str]
    planted: str
    sign: int
    units: tuple[str, ...]
    effect: str
    model: str | None = None
    outcome: str = "outcome"
    quiet: tuple[tuple[str, float], ...] = ()
    caveat: str = ""

    @property
    def probable(self) -> tuple[str, ...]:
        """Variants of the model whose exposures are probabilities; a claim needs all of them."""
        return MODELS[self.model].must_agree if self.model else ()

    @property
    def without_probable(self) -> str:
        """Why there are none."""
        return MODELS[self.model or "moderation"].without_probable


_AFTER = "at the session after one {}, against that after a steady session of the same course, as "
_AFTER += "planted by the true states"
_REPAIRED = _AFTER.format("at or after a repair")
_OPEN = _AFTER.format("with a rupture that is not repaired so far")
_POINTS = ("sd", "points")


def _next_outcome(
    term: str, planted: str, sign: int, effect: str, outcome: str = "outcome"
) -> Question:
    """Return a question about the next outcome."""
    model = "next_session"
    return Question("sessions", {"ar1": term}, planted, sign, _POINTS, effect, model, outcome)


#: What goes with repair, or with depth, in the simulation.
_EPISODES_ALIKE = (
    ("repair_noticed", 0.0), ("repair_strategy", 0.0), ("repair_confrontation", 0.0),
    ("confrontation_depth", 1.0),
)  # fmt: skip
_CODES = (
    "codes are missing and wrong as often as the simulation says (--set coded=1 --set miscoded=0)"
)
_FALSE_ALARMS = (
    "what a criterion finds besides true ruptures nobody {}, and it is won back soon: estimates by "
    "a criterion are too low even without an effect (docs/power.md)"
)


def _of_episodes(
    planted: str,
    sign: int,
    unit: str,
    effect: str,
    caveat: str,
    term: str,
    model: str | None = None,
) -> Question:
    """Return a question about whole episodes and what was reported or coded of them."""
    variant = term if model else "main"
    return Question("episodes", {variant: term}, planted, sign, (unit,), effect, model,
                    quiet=_EPISODES_ALIKE, caveat=caveat)  # fmt: skip


#: The parts of claims that are offered, with the variants that hold their level: where the outcome
#: carries over from session to session, the standard errors of the other variants of next_session
#: are too small (docs/power.md). By ``claim.part`` as in ``knowledge/claims.yaml``.
QUESTIONS = {
    "C5.leaving": Question(
        "leaving",
        {"main": "open_prev", "without_baseline": "open_prev"},
        "leave_open",
        1,
        ("log_odds",),
        "log odds ratio of leaving with the session after one that is truly in an open "
        "rupture, against the session after any other",
        "ending",
        quiet=(("leave_open", 0.0),),
    ),
    "C7.open": _next_outcome("open_within", "effect_open", -1, f"fall of the outcome {_OPEN}"),
    "C7.repaired": _next_outcome(
        "repaired_within", "effect_repaired", 1, f"rise of the outcome {_REPAIRED}"
    ),
    "C7.repaired_against_open": _next_outcome(
        REPAIRED_MINUS_OPEN, "effect_repaired", 1,
        "rise of the outcome at the session after one at or after a repair, against that after one "
        "of the same course with a rupture that is not repaired so far, as planted by the true "
        "states",
    ),
    "C9.open": _next_outcome(
        "open_within", "effect_open", -1, f"fall of the interpersonal outcome {_OPEN}",
        outcome=INTERPERSONAL,
    ),
    "C9.repaired": _next_outcome(
        "repaired_within", "effect_repaired", 1, f"rise of the interpersonal outcome {_REPAIRED}",
        outcome=INTERPERSONAL,
    ),
    "C10.noticed": _of_episodes(
        "repair_noticed", 1, "log_odds",
        "log odds ratio by which a rupture that the therapist noticed is repaired more often",
        _FALSE_ALARMS.format("notices"), "noticed", "moderation",
    ),
    "C12.repair": _of_episodes(
        "repair_strategy", 1, "log_odds",
        "log odds ratio by which a rupture is repaired more often where a strategy was tried",
        f"{_FALSE_ALARMS.format('codes')}; {_CODES}", "coded",
    ),
    "C13.repair": _of_episodes(
        "repair_confrontation", -1, "log_odds",
        "log odds ratio by which a confrontation is repaired less often than a withdrawal",
        _CODES, "confrontation",
    ),
    "C13.depth": _of_episodes(
        "confrontation_depth", 1, "points",
        "points by which the fall in a confrontation is deeper than in a withdrawal",
        _CODES, "confrontation",
    ),
}  # fmt: skip

#: Why no study can be planned for the other parts of claims.
NOT_OFFERED = {
    "C1": "shares of variance are no setting of the simulation",
    "C2": "what components share is no setting of the simulation",
    "C3": "what noise alone gives recovered courses takes a null of its own in every study",
    "C4": "the simulation plants no differences in depth or persistence between courses, and none "
    "in frequency between therapists",
    "C6": "the simulation plants no growth of the alliance or slope of the outcome after a repair, "
    "and falls by chance alone show a loss",
    "C8": "falls by chance alone show a loss, so that the claim is never supported",
    "C10": "the simulation plants no effect of disagreement between the raters",
    "C11": "the simulation plants no differences between causes",
}

#: Beyond this factor all depths are at their upper bound.
_MOST = 1e3

#: What the units of an effect are, in words.
UNITS = {
    "sd": "within-course SD of the outcome (around the course's own line, without any effect)",
    "points": "points",
    "log_odds": "log odds ratio",
}


def part_of(name: str, smallest: dict[str, float] | None = None) -> Part:
    """Return the part of a claim with this ``claim.part``.

    Parameters
    ----------
    name : str
    smallest : dict of str to float, optional
        As for :func:`rupture_repair.claims.verdicts.load`.
    """
    claim, _, own = name.partition(".")
    return next(
        part
        for one in load(smallest) if one.id == claim
        for part in one.parts if part.name == own
    )  # fmt: skip


def true_value(question: Question, effect: float, unit: str, settings: SimulationSettings) -> float:
    """Return what an estimate of an effect should be, in points or log odds.

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
    >>> true_value(QUESTIONS["C7.open"], 0.5, "points", SimulationSettings())
    -0.5
    """
    component = question.outcome == INTERPERSONAL
    scale = within_sd_of_outcome(settings, component=component) if unit == "sd" else 1.0
    return question.sign * effect * scale


def planted_value(question: Question, value: float, settings: SimulationSettings) -> float | None:
    """Return the setting of the simulation that makes a value true.

    Parameters
    ----------
    question : Question
    value : float
        From :func:`true_value`.
    settings : SimulationSettings
        All other settings.

    Returns
    -------
    float or None
        None where no setting makes it true.
    """
    if question.outcome == INTERPERSONAL:
        share = settings.effect_interpersonal
        return value / share if share > 0 else None
    if REPAIRED_MINUS_OPEN in question.terms.values():
        return value + settings.effect_open
    if question.planted == "confrontation_depth":
        return _factor_on_depth(value, settings)
    return value


def _factor_on_depth(difference: float, s: SimulationSettings) -> float | None:
    """Return the factor on the depth of confrontations that makes them so much deeper on average.

    Depths are log-normal and cut at their bounds.
    """

    def excess(factor: float) -> float:
        return _mean_depth(factor * s.depth, s) - _mean_depth(s.depth, s) - difference

    return None if excess(_MOST) < 0 else float(brentq(excess, 1.0, _MOST, xtol=1e-9))


def deepest(settings: SimulationSettings) -> float:
    """Return how much deeper confrontations can be on average, in whole points."""
    s = settings
    return float(np.floor(_mean_depth(_MOST * s.depth, s) - _mean_depth(s.depth, s)))


def _mean_depth(median: float, s: SimulationSettings) -> float:
    """Return the mean of a log-normal depth that is cut at its bounds."""
    sigma, low, high = s.depth_sigma, s.depth_min, s.depth_max
    if sigma == 0:
        return float(np.clip(median, low, high))
    below, above = ((np.log(end) - np.log(median)) / sigma for end in (max(low, 1e-300), high))
    inside = median * np.exp(sigma**2 / 2) * (ndtr(above - sigma) - ndtr(below - sigma))
    return float(low * ndtr(below) + high * ndtr(-above) + inside)


def formula(question: Question, variant: str) -> str | None:
    """Return the formula that is fitted; None where the claim has a model of its own."""
    return MODELS[question.model].variants[variant].formula if question.model else None
