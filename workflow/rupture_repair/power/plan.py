"""What is asked of a power analysis, as options of the command, and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ..detection import criteria
from ..detection.criteria import Criterion
from ..project.headline import one_for_all
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..project.setting_groups import EdgeRules, ExposureStates, Settings
from ..simulation.settings import SimulationSettings, checked
from .questions import LINKS, QUESTIONS, UNITS, Question, planted_value

#: Fewest and most courses of a study.
LEAST, MOST = 20, 100_000

#: Largest effect, by unit; beyond it ratings would leave the scale.
LARGEST = {"sd": 5.0, "points": 20.0, "log_odds": 5.0}

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
    criterion : str or None
        None takes the default criterion of the project.
    effect : float
        In the direction that the claim expects; 0 gives the share of false alarms.
    unit, variant : str or None
        None takes the first one that the claim allows.
    target, alpha : float
        Power to reach, and the level of the two-sided test.
    replicates : int
        Simulated studies for each number of courses.
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
    criterion: str | None = None
    effect: float = 0.2
    unit: str | None = None
    variant: str | None = None
    target: float = 0.8
    alpha: float = 0.05
    replicates: int = 1000
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
    variant : str
        Of the model.
    criterion : Criterion
        k may still have to be solved.
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
        The setting that carries the effect, in points or log odds.
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
    seed : int
    source : str
        Where the values of the simulation come from, in words.
    """

    question: str
    variant: str
    criterion: Criterion
    effect: float
    unit: str
    target: float
    alpha: float
    replicates: int
    courses: tuple[int, ...]
    most_courses: int
    settings: SimulationSettings
    planted: float
    courses_per_therapist: float
    reliability: float | None
    instrument: str | None
    edge_rules: EdgeRules
    exposure: ExposureStates
    false_alarm: float
    false_alarm_of: str
    seed: int
    source: str

    def asked(self) -> Question:
        """Return the part of a claim that is tested."""
        return QUESTIONS[self.question]

    def decisive(self) -> dict[str, Any]:
        """Return all that the result of a replicate depends on, as plain data."""
        names = ("question", "variant", "effect", "unit", "courses_per_therapist", "reliability",
                 "instrument", "seed")  # fmt: skip
        plain = {name: getattr(self, name) for name in names}
        plain["criterion"] = self.criterion.as_dict()
        settings = {key: value for key, value in asdict(self.settings).items() if key not in _FIXED}
        plain["simulation"] = settings
        models = {"exposure": self.exposure.as_dict()}
        plain["config"] = {"edge_rules": self.edge_rules.as_dict(), "models": models}
        if self.criterion.needs_k:
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
    rule = _criterion(asked, settings, found)
    _check_numbers(asked, found)
    stated = _simulation(asked, found)
    if found or name is None or rule is None:
        raise ProblemsFound(found)
    question = QUESTIONS[name]
    unit = _choice(asked, "unit", question.units, found)
    variant = asked.variant or next(iter(question.terms))
    if variant not in question.terms:
        facts: dict[str, Any] = {"found": variant, "hint": did_you_mean(variant, question.terms)}
        facts |= {"model": question.model, "allowed": listing(question.terms)}
        found.append(problem("E810", file="--variant", **facts))
    if question.planted in stated:
        found.append(problem("E805", file=f"--set {question.planted}"))
    effect = float(asked.effect)
    if not found and not 0 <= effect <= LARGEST[unit]:
        facts = {
            "found": f"{effect:g}",
            "most": f"{LARGEST[unit]:g}",
            "units": UNITS[unit],
        }
        found.append(problem("E802", file="--effect", effect=question.effect, **facts))
    if found:
        raise ProblemsFound(found)
    links = dict.fromkeys(LINKS, 0.0)
    if question.model == "ending":
        links["leave_open"] = 0.0
    world = SimulationSettings(**{**links, **base.world, **stated})
    planted = planted_value(question, effect, unit, world)
    effects: dict[str, Any] = {question.planted: planted}
    return StudyPlan(
        question=name, variant=variant, criterion=rule, effect=effect, unit=unit,
        target=float(asked.target), alpha=float(asked.alpha),
        replicates=int(asked.replicates), courses=tuple(sorted(set(asked.courses or ()))),
        most_courses=int(asked.most_courses),
        settings=replace(world, **effects), planted=planted,
        courses_per_therapist=float(
            asked.courses_per_therapist or base.courses_per_therapist or 10.0
        ),
        reliability=base.reliability, instrument=base.instrument,
        edge_rules=settings.edge_rules, exposure=settings.models.exposure,
        false_alarm=settings.chance.false_alarm, false_alarm_of=settings.chance.false_alarm_of,
        seed=settings.seed, source=base.source,
    )  # fmt: skip


def _question(asked: Wishes, found: list[Problem]) -> str | None:
    """Return the part of a claim that is asked for; the first one where only a claim is named."""
    named = str(asked.claim)
    for name in QUESTIONS:
        if named in (name, name.partition(".")[0]):
            return name
    words = [*dict.fromkeys(name.partition(".")[0] for name in QUESTIONS), *QUESTIONS]
    hint, allowed = did_you_mean(named, words), listing(QUESTIONS)
    found.append(problem("E801", file="--claim", found=named, hint=hint, allowed=allowed))
    return None


def _criterion(asked: Wishes, settings: Settings, found: list[Problem]) -> Criterion | None:
    """Return the criterion, with the settings that config.yaml changes."""
    known = [rule.id for rule in criteria.load()]
    named = asked.criterion or one_for_all(settings.default_criterion)
    if named not in known:
        facts: dict[str, Any] = {"hint": did_you_mean(named, known), "allowed": listing(known, 40)}
        found.append(problem("E720", file="--criterion", found=named, **facts))
        return None
    changes = settings.settings_of_criteria
    own = {key: value for key, value in changes.items() if key == named}
    return criteria.load([named], own)[0]


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
        "replicates": (asked.replicates >= 20, asked.replicates, "a whole number from 20"),
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
