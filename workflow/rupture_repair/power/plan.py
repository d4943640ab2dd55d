"""What is asked of a power analysis, as options of the command, and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ..claims.verdicts import Part
from ..detection import criteria
from ..detection.criteria import Criterion
from ..project.headline import one_for_all
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..project.setting_groups import EdgeRules, ExposureStates, Settings
from ..simulation.settings import SimulationSettings, checked
from .questions import (
    LINKS,
    NOT_OFFERED,
    QUESTIONS,
    UNITS,
    Question,
    deepest,
    part_of,
    planted_value,
    true_value,
)
from .studies import PROBABILITIES, ways_of

#: Fewest and most courses of a study.
LEAST, MOST = 20, 100_000

#: Largest effect, by unit; beyond it ratings would leave the scale.
LARGEST = {"sd": 5.0, "points": 20.0, "log_odds": 5.0}

#: Simulated studies for each number of courses, without probabilities and with: then a hidden
#: Markov model is fitted to each.
REPLICATES = {False: 1000, True: 100}

#: Settings of the simulation that follow from other parts of the plan.
_FIXED = ("n_courses", "n_therapists")


def option(name: str) -> str:
    """Return the option of the command for an attribute of :class:`Wishes`.

    Examples
    --------
    >>> option("most_courses")
    '--most-courses'
    """
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True)
class Wishes:
    """What is asked of a power analysis; each attribute is an option of the command.

    Attributes
    ----------
    claim : str
        A claim, or a part of one: ``C7.repaired``.
    criterion : str, sequence of str or None
        One or several; None takes the default criterion of the project.
    probabilities : bool or None
        Whether effects are estimated by probabilities as well; None does so where the claim rests
        on them.
    effect : float
        In the direction that the claim expects; 0 gives the share of false alarms.
    unit, variant : str or None
        None takes the first one that the claim allows.
    target, alpha : float
        Power to reach, and the level of the two-sided test.
    replicates : int or None
        Simulated studies for each number of courses; None takes :data:`REPLICATES`.
    courses : sequence of int or None
        Numbers of courses to try; None searches.
    most_courses : int
        Largest number that the search tries.
    courses_per_therapist : float or None
        None takes that of the dataset, or 10.
    dataset : str or None
        A processed dataset whose values the simulation takes.
    simulation : mapping
        Settings of the simulation, instead of its defaults or the values of the dataset.
    """

    claim: str = "C7"
    criterion: str | Sequence[str] | None = None
    probabilities: bool | None = None
    effect: float = 0.2
    unit: str | None = None
    variant: str | None = None
    target: float = 0.8
    alpha: float = 0.05
    replicates: int | None = None
    courses: Sequence[int] | None = None
    most_courses: int = 5000
    courses_per_therapist: float | None = None
    dataset: str | None = None
    simulation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyPlan:
    """A power analysis, complete and possible.

    Attributes
    ----------
    question : str
        Key of :data:`.questions.QUESTIONS`.
    part : Part
        The part of the claim, with the smallest effect worth caring about.
    variant : str
        Of the model.
    criteria : tuple of Criterion
        k may still have to be solved.
    probable : bool
        Whether effects by probabilities are estimated as well.
    effect : float
        Size of the effect in the direction that the claim expects.
    unit : str
        Of :data:`.questions.UNITS`.
    target, alpha : float
    replicates : int
        Simulated studies for each number of courses.
    courses : tuple of int
        Numbers of courses to try; empty where they are to be searched.
    most_courses : int
        Where the search ends.
    settings : SimulationSettings
        Of the simulation, with the effect planted.
    planted : float
        The setting that carries the effect.
    truth : float
        What estimates should be, in points or log odds.
    courses_per_therapist : float
    reliability : float or None
        Of the alliance's total; None where that of the simulated items is to be taken.
    instrument : str or None
        Of the alliance.
    edge_rules : EdgeRules
    exposure : ExposureStates
    false_alarm : float
        Share of false alarms that a calibrated k allows.
    false_alarm_of : {"courses", "episodes"}
        Of rupture-free courses, or of the episodes found.
    soft_ends : float
        Setting of the hidden Markov model.
    seed : int
    source : str
        Where the values of the simulation come from, in words.
    """

    question: str
    part: Part
    variant: str
    criteria: tuple[Criterion, ...]
    probable: bool
    effect: float
    unit: str
    target: float
    alpha: float
    replicates: int
    courses: tuple[int, ...]
    most_courses: int
    settings: SimulationSettings
    planted: float
    truth: float
    courses_per_therapist: float
    reliability: float | None
    instrument: str | None
    edge_rules: EdgeRules
    exposure: ExposureStates
    false_alarm: float
    false_alarm_of: str
    soft_ends: float
    seed: int
    source: str

    def asked(self) -> Question:
        """Return the part of a claim that is tested."""
        return QUESTIONS[self.question]

    @property
    def ways(self) -> tuple[str, ...]:
        """How states of sessions are found, see :func:`.studies.ways_of`."""
        return ways_of(self.criteria, probable=self.probable)

    @property
    def lead(self) -> str:
        """The way on which the search rests: probabilities, else the first criterion."""
        return PROBABILITIES if self.probable else self.criteria[0].id

    def decisive(self) -> dict[str, Any]:
        """Return all that the result of a replicate depends on, as plain data."""
        names = ("question", "variant", "effect", "unit", "courses_per_therapist", "reliability",
                 "instrument", "seed")  # fmt: skip
        plain = {name: getattr(self, name) for name in names}
        plain["criteria"] = [criterion.as_dict() for criterion in self.criteria]
        plain["smallest"] = self.part.smallest
        if self.probable:
            plain["soft_ends"] = self.soft_ends
        plain["probabilities"] = self.probable
        settings = {key: value for key, value in asdict(self.settings).items() if key not in _FIXED}
        plain["simulation"] = settings
        models = {"exposure": self.exposure.as_dict()}
        plain["config"] = {"edge_rules": self.edge_rules.as_dict(), "models": models}
        if any(criterion.needs_k for criterion in self.criteria):
            plain["false_alarm"] = self.false_alarm, self.false_alarm_of
        return plain


@dataclass(frozen=True)
class Base:
    """The world to simulate without any effect.

    Attributes
    ----------
    world : dict
        Settings of the simulation that differ from its defaults.
    courses_per_therapist, reliability, instrument
        As in :class:`StudyPlan`; None leaves them to the configuration.
    source : str
        Where these come from, in words.
    """

    world: dict[str, Any]
    source: str
    courses_per_therapist: float | None = None
    reliability: float | None = None
    instrument: str | None = None


#: The demo's world, whose alliance is the SRS.
STATED = Base({}, "stated: the defaults of the simulation (docs/simulate.md)", None, None, "SRS")


def make(asked: Wishes, settings: Settings, base: Base = STATED) -> StudyPlan:
    """Return the plan of a power analysis.

    Parameters
    ----------
    asked : Wishes
        Problems name them as options.
    settings : Settings
        Of the project.
    base : Base
        The world without any effect.

    Returns
    -------
    StudyPlan

    Raises
    ------
    ProblemsFound
        With every problem: claims (E801), criteria (E720), options (E719), effects (E802), the
        target (E803), settings of the simulation (E602, E804, E805), variants (E810).
    """
    found: list[Problem] = []
    name = _question(asked, found)
    rules = _criteria(asked, settings, found)
    _check_numbers(asked, found)
    stated = _simulation(asked, found)
    if found or name is None:
        raise ProblemsFound(found)
    question = QUESTIONS[name]
    unit = _choice(asked, "unit", question.units, found)
    variant = _variant(asked, question, found)
    if question.planted in stated:
        found.append(problem("E805", file=f"--set {question.planted}"))
    if found:
        raise ProblemsFound(found)
    neutral = dict.fromkeys(LINKS, 0.0) | dict(question.quiet)
    world = SimulationSettings(**{**neutral, **base.world, **stated})
    truth, planted = _effect(asked, question, unit, world)
    probable = bool(question.probable) and asked.probabilities is not False
    effects: dict[str, Any] = {question.planted: planted}
    return StudyPlan(
        question=name, part=part_of(name, dict(settings.claims.smallest)), variant=variant,
        criteria=rules, probable=probable, effect=float(asked.effect), unit=unit,
        target=float(asked.target), alpha=float(asked.alpha),
        replicates=int(asked.replicates or REPLICATES[probable]),
        courses=tuple(sorted(set(asked.courses or ()))), most_courses=int(asked.most_courses),
        settings=replace(world, **effects), planted=planted, truth=truth,
        courses_per_therapist=float(
            asked.courses_per_therapist or base.courses_per_therapist or 10.0
        ),
        reliability=base.reliability, instrument=base.instrument,
        edge_rules=settings.edge_rules, exposure=settings.models.exposure,
        false_alarm=settings.chance.false_alarm, false_alarm_of=settings.chance.false_alarm_of,
        soft_ends=settings.hidden_markov.soft_ends, seed=settings.seed, source=base.source,
    )  # fmt: skip


def _question(asked: Wishes, found: list[Problem]) -> str | None:
    """Return the part of a claim that is asked for; the first one where only a claim is named."""
    named = str(asked.claim)
    for name in QUESTIONS:
        if named in (name, name.partition(".")[0]):
            return name
    words = [*dict.fromkeys(name.partition(".")[0] for name in QUESTIONS), *QUESTIONS]
    why = NOT_OFFERED.get(named.partition(".")[0])
    facts: dict[str, Any] = {"hint": "" if why else did_you_mean(named, words)}
    facts |= {"why": f": {why}" if why else "", "allowed": listing(QUESTIONS)}
    found.append(problem("E801", file="--claim", found=named, **facts))
    return None


def _criteria(asked: Wishes, settings: Settings, found: list[Problem]) -> tuple[Criterion, ...]:
    """Return the criteria, with the settings that config.yaml changes."""
    known = [rule.id for rule in criteria.load()]
    named = asked.criterion or one_for_all(settings.default_criterion)
    every = list(dict.fromkeys([named] if isinstance(named, str) else named))
    unknown = [name for name in every if name not in known]
    for name in unknown:
        facts: dict[str, Any] = {"hint": did_you_mean(name, known), "allowed": listing(known, 40)}
        found.append(problem("E720", file="--criterion", found=name, **facts))
    if unknown:
        return ()
    changes = settings.settings_of_criteria
    own = {key: value for key, value in changes.items() if key in every}
    by_id = {rule.id: rule for rule in criteria.load(every, own)}
    return tuple(by_id[name] for name in every)


def _variant(asked: Wishes, question: Question, found: list[Problem]) -> str:
    """Return the variant of the model."""
    variant = asked.variant or next(iter(question.terms))
    if variant not in question.terms:
        facts: dict[str, Any] = {"found": variant, "hint": did_you_mean(variant, question.terms)}
        facts |= {"model": question.model or "of the claim", "allowed": listing(question.terms)}
        found.append(problem("E810", file="--variant", **facts))
    return variant


def _effect(
    asked: Wishes, question: Question, unit: str, world: SimulationSettings
) -> tuple[float, float]:
    """Return what estimates should be, and the setting that plants it."""
    effect = float(asked.effect)
    if 0 <= effect <= LARGEST[unit]:
        truth = true_value(question, effect, unit, world)
        planted = planted_value(question, truth, world)
        if planted is not None:
            return truth, planted
    if planted_value(question, 0.0, world) is None:
        share: dict[str, Any] = {"found": world.effect_interpersonal, "allowed": "a share above 0"}
        raise ProblemsFound([problem("E719", file="--set effect_interpersonal", **share)])
    most = LARGEST[unit]
    if question.planted == "confrontation_depth":
        most = min(most, deepest(world))
    facts: dict[str, Any] = {"found": f"{effect:g}", "most": f"{most:g}", "units": UNITS[unit]}
    raise ProblemsFound([problem("E802", file="--effect", effect=question.effect, **facts)])


def _choice(asked: Wishes, key: str, words: tuple[str, ...], found: list[Problem]) -> str:
    """Return a word that is allowed, the first one where none was named."""
    word = getattr(asked, key) or words[0]
    if word not in words:
        facts: dict[str, Any] = {"hint": did_you_mean(word, words), "allowed": listing(words)}
        found.append(problem("E719", file=option(key), found=word, **facts))
    return word


def _check_numbers(asked: Wishes, found: list[Problem]) -> None:
    """Report numbers that are not possible."""
    alpha, target = float(asked.alpha), float(asked.target)
    sizes = list(asked.courses or ())
    few = [size for size in sizes if not LEAST <= size <= MOST]
    per_therapist = asked.courses_per_therapist
    checks = {
        "alpha": (0 < alpha < 1, alpha, "a number between 0 and 1"),
        "replicates": (asked.replicates is None or asked.replicates >= 20, asked.replicates,
                       "a whole number from 20"),
        "courses": (not few, listing(few), f"whole numbers from {LEAST} to {MOST}"),
        "most_courses": (LEAST <= asked.most_courses <= MOST, asked.most_courses,
                         f"a whole number from {LEAST} to {MOST}"),
        "courses_per_therapist": (per_therapist is None or 1 <= per_therapist < np.inf,
                                  per_therapist, "a number from 1"),
    }  # fmt: skip
    found += [
        problem("E719", file=option(key), found=value, allowed=allowed)
        for key, (fits, value, allowed) in checks.items()
        if not fits
    ]
    if not alpha < target < 1:
        facts: dict[str, Any] = {"found": f"{target:g}", "alpha": f"{alpha:g}"}
        found.append(problem("E803", file="--target", **facts))


def _simulation(asked: Wishes, found: list[Problem]) -> dict[str, Any]:
    """Return the stated settings of the simulation."""
    stated, problems = checked(asked.simulation, but=_FIXED)
    found += [replace(one, file=f"--set {one.key}", key=None) for one in problems]
    return stated
