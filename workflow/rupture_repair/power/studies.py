"""Simulated studies, from ratings through detection and exposure to one test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..detection import detect
from ..detection.criteria import Criterion
from ..detection.ratings import prepared
from ..exposure.sessions import leaving_exposures, session_exposures
from ..models.definitions import MODELS
from ..project.dataset import Dataset
from ..project.measures import Measure, ReliableChange
from ..project.setting_groups import EdgeRules, ExposureRules, ExposureStates
from ..simulation.settings import SimulationSettings
from ..simulation.study import Study, simulate_study
from ..statistics import estimates
from ..statistics.reliability import reliable_change
from .questions import QUESTIONS, Question

#: How ruptures were found in a study.
DETECTIONS = ("criterion", "truth")

#: Columns of a finished replicate, one row per way of detection.
REPLICATE = (
    *("courses", "replicate", "detection", "estimate", "std_error", "df", "p"),
    *("ci_low", "ci_high", "rows", "status"),
)

#: Studies are simulated in blocks of about this many courses: tables cost time each.
COURSES_AT_ONCE = 4000


@dataclass(frozen=True)
class World:
    """Everything that a simulated study depends on, besides its size and its number.

    Attributes
    ----------
    settings : SimulationSettings
        Of the simulation; its numbers of courses and therapists are replaced.
    question : str
        Key of :data:`.questions.QUESTIONS`.
    variant : str
        Of the model.
    criterion : Criterion
        With a number for k.
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
    variant: str
    criterion: Criterion
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

    def sized(self, courses: int) -> SimulationSettings:
        """Return the settings of a study of this many courses."""
        therapists = max(1, min(courses, round(courses / self.courses_per_therapist)))
        return replace(self.settings, n_courses=courses, n_therapists=therapists)


def study_seed(seed: int, courses: int, replicate: int) -> int:
    """Return the seed of one study, which depends on nothing but these three."""
    words = np.random.SeedSequence([seed, courses, replicate]).generate_state(2, np.uint64)
    return int(words[0])


def blocks(courses: int, replicates: Sequence[int]) -> list[list[int]]:
    """Return the replicates in blocks that are simulated at once."""
    many = max(1, COURSES_AT_ONCE // courses)
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
        studies = tuple(
            _apart(simulate_study(settings, seed=study_seed(world.seed, courses, number)), number)
            for number in replicates
        )
        tables = (
            pd.concat([getattr(study, name) for study in studies], ignore_index=True)
            for name in ("sessions", "courses")
        )
        return cls(tuple(replicates), studies, *tables)

    def exposed(self, world: World, detection: str) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield the number and the table of exposure of each study.

        Parameters
        ----------
        world : World
        detection : str
            Of :data:`DETECTIONS`.
        """
        by_truth = detection == "truth"
        states = [study.states if by_truth else detected(world, study) for study in self.studies]
        make = {"sessions": session_exposures, "leaving": leaving_exposures}[world.asked().table]
        rules = ExposureRules.of(world.exposure, world.edge_rules)
        measures = measures_of(world, self.sessions)
        dataset = Dataset("studies", measures, self.sessions, self.courses)
        every = pd.concat(states, ignore_index=True)
        table = make(every, dataset, "alliance", "outcome", rules)
        of_study = table["course"].str.partition("-")[0].astype("int64").to_numpy()
        for number in self.numbers:
            yield number, table[of_study == number]


def run_block(
    world: World, courses: int, replicates: Sequence[int], detections: Sequence[str] = DETECTIONS
) -> pd.DataFrame:
    """Simulate and analyse studies of one size.

    Parameters
    ----------
    world : World
    courses : int
        Of each study.
    replicates : sequence of int
        Numbers of the studies.
    detections : sequence of str
        Of :data:`DETECTIONS`.

    Returns
    -------
    DataFrame
        One row per study and way of detection, with the columns :data:`REPLICATE`. `estimate`,
        `std_error` and the ends of the 95 % interval in points or log odds, of the term tested;
        NaN where the model has no result, with its reason in `status` (converged, singular,
        failed, not_assessable). The result does not depend on how studies are put in blocks.
    """
    block = StudyBlock.simulated(world, courses, replicates)
    term = world.asked().terms[world.variant]
    rows = [
        {"courses": courses, "replicate": number, "detection": way,
         **tested(fitted(world, table), term)}
        for way in detections
        for number, table in block.exposed(world, way)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(REPLICATE))
    return table.sort_values(["replicate", "detection"], kind="stable", ignore_index=True)


def _apart(study: Study, number: int) -> Study:
    """Return the study with courses and therapists that no other study has."""
    mark = f"{number}-"

    def marked(table: pd.DataFrame) -> pd.DataFrame:
        names = [name for name in ("course", "client", "therapist") if name in table]
        return table.assign(**{name: mark + table[name] for name in names})

    return Study(marked(study.sessions), marked(study.courses), marked(study.states))


def measures_of(world: World, sessions: pd.DataFrame) -> dict[str, Measure]:
    """Return the two measures of a study."""
    rated = sessions.dropna(subset="alliance")
    sd = float(rated.drop_duplicates("course")["alliance"].std(ddof=1))
    change = None
    if sd > 0:
        value = reliable_change(sd, world.reliability)
        change = ReliableChange(value, "the reliability stated", "computed from this study")
    scale: dict[str, Any] = {"better": "higher", "range": world.range}
    return {
        "alliance": Measure(
            "alliance", role="alliance", instrument=world.instrument, outcome="outcome",
            reliable_change=change, **scale,
        ),
        "outcome": Measure("outcome", role="outcome", **scale),
    }  # fmt: skip


def detected(world: World, study: Study) -> pd.DataFrame:
    """Return the states that the criterion finds in one study."""
    measure = measures_of(world, study.sessions)["alliance"]
    ratings = prepared(study.sessions, "alliance", measure, [world.criterion])
    return detect.states_of_ratings(ratings, world.criterion, world.edge_rules, measure)


def fitted(world: World, table: pd.DataFrame) -> estimates.FormulaFit:
    """Fit the model to the table of exposure of one study."""
    model = MODELS[world.asked().model]
    variant = model.variants[world.variant]
    if table.empty:
        return estimates.without_result(variant.formula, "not_assessable", model.empty, "blocks")
    return estimates.fit(variant.formula, table, ar1=variant.ar1, family=variant.family)


def tested(found: estimates.FormulaFit, term: str) -> dict[str, Any]:
    """Return the test of one term: entries of :data:`REPLICATE` from `estimate` on."""
    terms = list(found.rows["term"])
    if term not in terms:
        # A term that could not be estimated was left out of a model that could.
        return {"rows": 0, "status": found.status if None in terms else "not_assessable"}
    at = terms.index(term)
    names = ("estimate", "std_error", "df", "p", "ci_low", "ci_high")
    values = {name: float(np.asarray(found.rows[name])[at]) for name in names}
    return {**values, "rows": int(found.rows["n_sessions"]), "status": found.status}
