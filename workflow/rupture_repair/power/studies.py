"""Simulated studies, from ratings through detection to tables of exposure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..claims.verdicts import Part
from ..detection import detect
from ..detection.criteria import Criterion
from ..detection.ratings import prepared
from ..exposure.sessions import leaving_exposures, session_exposures
from ..project.dataset import Dataset, Detected
from ..project.measures import Measure, ReliableChange
from ..project.setting_groups import EdgeRules, ExposureRules, ExposureStates
from ..simulation.settings import SimulationSettings
from ..simulation.study import INTERPERSONAL, Study, simulate_study
from ..statistics.reliability import reliable_change
from .questions import QUESTIONS, Question

#: Ways to the states of sessions besides criteria: they are known, or the hidden Markov model says
#: how probable they are.
TRUTH, PROBABILITIES = "truth", "probabilities"
#: Their names for people.
WAYS_IN_WORDS = {TRUTH: "known states", PROBABILITIES: "probabilities"}

#: Studies are simulated in blocks of about this many courses: tables cost time each.
COURSES_AT_ONCE = 4000
#: The same where a hidden Markov model is fitted to each: a block takes seconds.
COURSES_TO_FIT_AT_ONCE = 400


@dataclass(frozen=True)
class World:
    """Everything that a simulated study depends on, besides its size and its number.

    Attributes
    ----------
    settings : SimulationSettings
        Of the simulation; its numbers of courses and therapists are replaced.
    question : str
        Key of :data:`.questions.QUESTIONS`.
    part : Part
        The part of the claim, with the smallest effect worth caring about.
    variant : str
        Of the model.
    criteria : tuple of Criterion
        With a number for k.
    probable : bool
        Whether effects by probabilities are estimated as well.
    soft_ends : float
        Setting of the hidden Markov model.
    reliability : float
        Of the alliance's total; it gives the reliable change of each study.
    courses_per_therapist : float
    range : tuple of float
        Ends of the scale of the simulated totals.
    instrument : str or None
        Of the alliance, for criteria made for one.
    edge_rules : EdgeRules
    exposure : ExposureStates
    seed : int
    """

    settings: SimulationSettings
    question: str
    part: Part
    variant: str
    criteria: tuple[Criterion, ...]
    probable: bool
    soft_ends: float
    reliability: float
    courses_per_therapist: float
    instrument: str | None
    edge_rules: EdgeRules
    exposure: ExposureStates
    seed: int
    range: tuple[float, float] = (0.0, 40.0)

    def asked(self) -> Question:
        """Return the part of a claim that is tested."""
        return QUESTIONS[self.question]

    @property
    def rules(self) -> ExposureRules:
        """How states of sessions are linked to the outcome."""
        return ExposureRules.of(self.exposure, self.edge_rules)

    @property
    def ways(self) -> tuple[str, ...]:
        """How states of sessions are found, see :func:`ways_of`."""
        return ways_of(self.criteria, probable=self.probable)

    def sized(self, courses: int) -> SimulationSettings:
        """Return the settings of a study of this many courses."""
        therapists = max(1, min(courses, round(courses / self.courses_per_therapist)))
        return replace(self.settings, n_courses=courses, n_therapists=therapists)


def ways_of(criteria: Sequence[Criterion], *, probable: bool) -> tuple[str, ...]:
    """Return how states are found: they are known, are probabilities, or each criterion's id."""
    return (TRUTH, *[PROBABILITIES] * probable, *(criterion.id for criterion in criteria))


def study_seed(seed: int, courses: int, replicate: int) -> int:
    """Return the seed of one study, which depends on nothing but these three."""
    words = np.random.SeedSequence([seed, courses, replicate]).generate_state(2, np.uint64)
    return int(words[0])


def blocks(courses: int, replicates: Sequence[int], *, probable: bool = False) -> list[list[int]]:
    """Return the replicates in blocks that are simulated at once."""
    many = max(1, (COURSES_TO_FIT_AT_ONCE if probable else COURSES_AT_ONCE) // courses)
    return [list(replicates[at : at + many]) for at in range(0, len(replicates), many)]


@dataclass(frozen=True)
class StudyBlock:
    """Studies of one size that are simulated together, because tables cost time each.

    Attributes
    ----------
    numbers : tuple of int
        The studies.
    studies : tuple of Study
        With courses and therapists that no other study has.
    sessions, courses : DataFrame
        Those of all studies.
    """

    numbers: tuple[int, ...]
    studies: tuple[Study, ...]
    sessions: pd.DataFrame
    courses: pd.DataFrame

    @classmethod
    def simulated(cls, world: World, courses: int, replicates: Sequence[int]) -> "StudyBlock":
        """Simulate studies."""
        settings = world.sized(courses)
        details = world.asked().outcome == INTERPERSONAL or world.asked().table == "episodes"
        studies = tuple(
            _apart(
                simulate_study(
                    settings, seed=study_seed(world.seed, courses, number), details=details
                ),
                number,
            )
            for number in replicates
        )
        tables = (
            pd.concat([getattr(study, name) for study in studies], ignore_index=True)
            for name in ("sessions", "courses")
        )
        return cls(tuple(replicates), studies, *tables)

    def exposed(self, world: World, way: str) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield the number and the table of exposure of each study.

        Parameters
        ----------
        world : World
        way : str
            To the states: :data:`TRUTH` or the id of a criterion.
        """
        states = [states_of(world, study, way) for study in self.studies]
        make = {"sessions": session_exposures, "leaving": leaving_exposures}[world.asked().table]
        measures = measures_of(world, self.sessions)
        dataset = Dataset("studies", measures, self.sessions, self.courses)
        every = pd.concat(states, ignore_index=True)
        table = make(every, dataset, "alliance", world.asked().outcome, world.rules)
        of_study = table["course"].str.partition("-")[0].astype("int64").to_numpy()
        for number in self.numbers:
            yield number, table[of_study == number]


def _apart(study: Study, number: int) -> Study:
    """Return the study with courses and therapists that no other study has."""
    mark = f"{number}-"

    def marked(table: pd.DataFrame) -> pd.DataFrame:
        names = [name for name in ("course", "client", "therapist") if name in table]
        return table.assign(**{name: mark + table[name] for name in names})

    tables = (study.sessions, study.courses, study.states, study.episodes, study.events)
    return Study(*map(marked, tables))


def measures_of(world: World, sessions: pd.DataFrame) -> dict[str, Measure]:
    """Return the measures of a study: the alliance, and the outcome that is looked at."""
    rated = sessions.dropna(subset="alliance")
    sd = float(rated.drop_duplicates("course")["alliance"].std(ddof=1))
    change = None
    if sd > 0:
        value = reliable_change(sd, world.reliability)
        change = ReliableChange(value, "the reliability stated", "computed from this study")
    scale: dict[str, Any] = {"better": "higher", "range": world.range}
    alliance = Measure(
        "alliance", role="alliance", instrument=world.instrument, outcome="outcome",
        reliable_change=change, **scale,
    )  # fmt: skip
    outcome = Measure("outcome", role="outcome", **scale)
    return {"alliance": alliance, "outcome": outcome, world.asked().outcome: outcome}


def dataset_of(world: World, study: Study) -> Dataset:
    """Return one study as a dataset."""
    tables = (study.sessions, study.courses, study.events)
    return Dataset("study", measures_of(world, study.sessions), *tables)


def _criterion(world: World, way: str) -> Criterion:
    return next(criterion for criterion in world.criteria if criterion.id == way)


def states_of(world: World, study: Study, way: str) -> pd.DataFrame:
    """Return the states of the sessions of one study: the true ones, or those of a criterion."""
    if way == TRUTH:
        return study.states
    criterion = _criterion(world, way)
    measure = measures_of(world, study.sessions)["alliance"]
    ratings = prepared(study.sessions, "alliance", measure, [criterion])
    return detect.states_of_ratings(ratings, criterion, world.edge_rules, measure)


#: Columns of true episodes in the words of detection.
_AS_FOUND = {"depth_points": "fall"}


def episodes_of(world: World, study: Study, way: str) -> Detected:
    """Return the episodes of one study: the true ones, or those of a criterion."""
    if way == TRUTH:
        return Detected(study.states, study.episodes.rename(columns=_AS_FOUND), pd.DataFrame())
    criterion = _criterion(world, way)
    measure = measures_of(world, study.sessions)["alliance"]
    ratings = prepared(study.sessions, "alliance", measure, [criterion])
    found = detect.detect_one(
        ratings, criterion, world.edge_rules, dataset="study", name="alliance", measure=measure
    )
    return Detected(study.states, found.episodes, pd.DataFrame([found.summary]))
