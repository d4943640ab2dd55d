"""Which of many drawn courses make up a twin: those that together are as the study.

A random sample of a perfect model differs from the study by more than a standard error in every
third statistic. So every course is drawn several times, with the same therapist, and one version
of each is kept, such that sums over courses agree with those of the study: balanced sampling
(Deville & Tille 2004, doi 10.1093/biomet/91.4.893), here by exchange of one version after another.
What is compared are sums over all courses; no drawn course is compared with a real one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..exposure.courses import course_exposures
from ..exposure.episodes import growth_exposures
from ..exposure.sessions import leaving_exposures, session_exposures, trajectories_after
from ..project.arrays import Floats, Integers
from ..project.dataset import Dataset, Detected
from .model import DrawnTables, TwinModel, drawn
from .sums import Ruler, Sums, further_sums, main_sums

#: How often each course is drawn.
VERSIONS = 16

#: The component of an outcome on which claim C9 rests.
INTERPERSONAL = "interpersonal"

#: Rounds in which each course may change its version.
_ROUNDS = 12

#: Rounds in which what was chosen is measured on its own, and what it lacks is made up for.
_TRIALS = 4

_EXPOSED = ("repaired_within", "open_within", "repaired_between", "open_between", "time",
            "n_sessions", "baseline")  # fmt: skip

#: Lines whose coefficients and residuals should agree: table, what is explained, and by what.
_LINES = (
    ("sessions", "outcome_next", _EXPOSED),
    ("interpersonal", "outcome_next", _EXPOSED),
    ("fluctuation", "outcome_next", ("value", "time")),
    ("leaving", "left", ("time", "open_prev", "repaired_prev")),
    ("growth", "gain", ("repaired", "unrepaired", "censored", "depth", "time")),
    ("trajectories", "outcome", ("time", "time_repaired", "time_unrepaired")),
    ("courses", "last_outcome", ("first_outcome", "mean_alliance")),
    ("courses", "last_outcome", ("first_outcome", "n_repaired", "n_unrepaired", "n_censored",
                                 "n_sessions", "mean_alliance")),
)  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """A least-squares line of the study, without its constant."""

    table: str
    outcome: str
    names: tuple[str, ...]
    middle: Floats
    beta: Floats
    variance: float

    @classmethod
    def of(cls, name: str, outcome: str, names: tuple[str, ...], table: pd.DataFrame) -> "_Line":
        """Fit the line."""
        values = table[[outcome, *names]].dropna().to_numpy(np.float64)
        middle = values.mean(axis=0)
        y, *columns = (values - middle).T
        beta = np.linalg.lstsq(np.array(columns).T, y, rcond=None)[0]
        return cls(name, outcome, names, middle, beta, float(np.var(y - beta @ columns)))

    def scores(self, tables: Mapping[str, pd.DataFrame], every: pd.Index) -> pd.DataFrame:
        """Return what each course adds to the normal equations; zero if its line is the study's."""
        table = tables.get(self.table)
        if table is None:
            return pd.DataFrame(0.0, every, range(len(self.names) + 2))
        values = table[[self.outcome, *self.names]].to_numpy(np.float64) - self.middle
        rest = values[:, 0] - values[:, 1:] @ self.beta
        terms = [rest, *(values[:, 1:] * rest[:, None]).T, rest**2 - self.variance]
        score = pd.DataFrame(np.nan_to_num(np.array(terms).T))
        own = score.groupby(table["course"].astype("str").to_numpy()).sum()
        return own.reindex(every, fill_value=0.0)


class Aim:
    """Sums over courses of a study, which those of its twins should equal.

    Parameters
    ----------
    dataset : Dataset
        The study.
    by : Ruler
    """

    def __init__(self, dataset: Dataset, by: Ruler):
        self.by = by
        main, further, tables = self._told(dataset)
        least = by.settings.report.min_cell
        main, further = main.of_many(least), further.of_many(least)
        self._lines = [_Line.of(name, outcome, names, tables[name])
                       for name, outcome, names in _LINES if len(tables.get(name, ()))]  # fmt: skip
        self._ratios = main.ratio(), further.ratio()
        own = self._joined(dataset, main, further, tables)
        self._size = len(own)
        self._scale = np.sqrt((own**2).sum(axis=0))

    def contributions(self, dataset: Dataset) -> Floats:
        """Return what each course adds to the distance from the study, in standard errors.

        Returns
        -------
        ndarray, shape (courses, statistics)
        """
        own = self._joined(dataset, *self._told(dataset))
        return np.divide(own, self._scale, out=np.zeros_like(own), where=self._scale > 1e-9)

    def _told(self, dataset: Dataset) -> tuple[Sums, Sums, dict[str, pd.DataFrame]]:
        dataset = self.by.only(dataset)
        detected = self.by.detected(dataset)
        sums = main_sums(dataset, detected, self.by), further_sums(dataset, detected, self.by)
        return *sums, _tables(dataset, detected, self.by)

    def _joined(
        self, dataset: Dataset, main: Sums, further: Sums, tables: Mapping[str, pd.DataFrame]
    ) -> Floats:
        every = pd.Index(dataset.courses["course"].astype("str"))
        parts = [one.beyond(ratio).reindex(columns=ratio.index, fill_value=0.0)
                 for one, ratio in zip((main, further), self._ratios, strict=True)]  # fmt: skip
        parts += [line.scores(tables, every) for line in self._lines]
        return np.hstack([part.to_numpy(np.float64) for part in parts])


def _tables(dataset: Dataset, detected: Detected, by: Ruler) -> dict[str, pd.DataFrame]:
    """Return the tables of exposure of the headline's criterion."""
    own, measure, outcome = detected.of(by.measure, by.headline.id), by.measure, by.outcome
    if outcome is None:
        return {}
    episodes, states = own.episodes, own.states
    tables = {"growth": growth_exposures(episodes, states, dataset, measure)}
    courses = course_exposures(episodes, states, dataset, measure, outcome)
    tables["courses"] = courses
    if outcome in dataset.sessions:
        sessions = session_exposures(states, dataset, measure, outcome, by.exposure)
        tables |= {"sessions": sessions, "fluctuation": _fluctuation(sessions, dataset, measure)}
        later = trajectories_after(courses, episodes, dataset, measure, outcome,
                                   by.settings.models.landmark)  # fmt: skip
        for group in ("repaired", "unrepaired"):
            later[f"time_{group}"] = later["time"] * (later["group"].astype("str") == group)
        tables["trajectories"] = later
        if INTERPERSONAL in dataset.measures[outcome].components:
            part = dataset.sessions[f"{outcome}__{INTERPERSONAL}"]
            of_part = replace(dataset, sessions=dataset.sessions.assign(**{outcome: part}))
            tables["interpersonal"] = session_exposures(states, of_part, measure, outcome,
                                                        by.exposure)  # fmt: skip
    if "ending" in dataset.courses:
        tables["leaving"] = leaving_exposures(states, dataset, measure, outcome, by.exposure)
    return tables


def _fluctuation(table: pd.DataFrame, dataset: Dataset, measure: str) -> pd.DataFrame:
    """Return rating, time and next outcome around the mean of each course."""
    rating = dataset.sessions[["course", "session", measure]].rename(columns={measure: "value"})
    names = ["value", "time", "outcome_next"]
    table = table.merge(rating, on=["course", "session"])[["course", *names]].dropna()
    table[names] -= table.groupby("course")[names].transform("mean")
    return table


def chosen(model: TwinModel, aim: Aim, dataset: Dataset, seed: int) -> DrawnTables:
    """Draw a twin.

    Parameters
    ----------
    model : TwinModel
    aim : Aim
        Of the study.
    dataset : Dataset
        The study; only its name and measures are used.
    seed : int
        Not negative.
    """
    every = [drawn(model, dataset.measures, seed, version) for version in range(VERSIONS)]
    marked = [_marked(one, version) for version, one in enumerate(every)]
    pool = Dataset(
        dataset.name, dataset.measures,
        pd.concat([one.sessions for one in marked], ignore_index=True),
        pd.concat([one.courses for one in marked], ignore_index=True),
    )  # fmt: skip
    added = aim.contributions(pool).reshape(VERSIONS, len(every[0].courses), -1)
    random = np.random.default_rng([seed, 18])
    lacking = np.zeros(added.shape[2])
    found: list[tuple[float, int, DrawnTables]] = []
    for _ in range(_TRIALS):
        kept = balanced(added, lacking, random)
        tables = _kept(every, kept)
        own = Dataset(dataset.name, dataset.measures, tables.sessions, tables.courses)
        apart = aim.contributions(own).sum(axis=0)
        found.append((float((apart**2).sum()), len(found), tables))
        # Episodes and stretches to compare with depend a little on all courses of a study.
        lacking = apart - added[kept, np.arange(len(kept))].sum(axis=0)
    return min(found)[-1]


def _kept(every: list[DrawnTables], kept: Integers) -> DrawnTables:
    """Return the courses that are kept, each of its version."""
    courses = [one.courses[kept == version] for version, one in enumerate(every)]
    sessions = [one.sessions[one.sessions["course"].isin(own["course"])]
                for one, own in zip(every, courses, strict=True)]  # fmt: skip
    return DrawnTables(
        pd.concat(sessions).sort_values(["course", "session"], ignore_index=True),
        pd.concat(courses).sort_index().reset_index(drop=True),
    )


def _marked(tables: DrawnTables, version: int) -> DrawnTables:
    """Return tables whose ids tell the version."""

    def marked(table: pd.DataFrame) -> pd.DataFrame:
        ids = f"{version:02d}-" + table["course"].astype("str")
        return table.assign(course=ids, client=ids)

    return DrawnTables(marked(tables.sessions), marked(tables.courses))


def balanced(added: Floats, start: Floats, random: np.random.Generator) -> Integers:
    """Choose one version of each course such that all sums come near zero.

    Parameters
    ----------
    added : ndarray, shape (versions, courses, statistics)
        What a version of a course adds to each sum, in standard errors.
    start : ndarray, shape (statistics,)
        Sums without any course.
    random : Generator

    Returns
    -------
    ndarray of int, shape (courses,)
    """
    number = added.shape[1]
    kept = np.asarray(random.integers(0, len(added), number), dtype=np.intp)
    total = start + added[kept, np.arange(number)].sum(axis=0)
    for _ in range(_ROUNDS):
        before = kept.copy()
        for one in random.permutation(number):
            options = total - added[kept[one], one] + added[:, one]
            kept[one] = (options**2).sum(axis=1).argmin()
            total = options[kept[one]]
        if (kept == before).all():
            break
    return kept
