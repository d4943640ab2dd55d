"""What each course adds to the statistics of a study: ratios of sums over courses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from ..detection.criteria import Criterion
from ..detection.detect import detect
from ..project.arrays import Floats
from ..project.dataset import Dataset, Detected
from ..project.setting_groups import ExposureRules, Settings
from .described import CourseLines, lines


@dataclass(frozen=True)
class Ruler:
    """By what a study and its twins are measured.

    Attributes
    ----------
    measure : str
    outcome : str or None
        That belongs to it, in the table of sessions or of courses.
    criteria : tuple of Criterion
        Whose episodes are counted, with numbers for k: those of the study, also for its twins.
    headline : Criterion
        The one of them that chance and claims are told of.
    settings : Settings
    seed : int
    """

    measure: str
    outcome: str | None
    criteria: tuple[Criterion, ...]
    headline: Criterion
    settings: Settings
    seed: int

    @property
    def exposure(self) -> ExposureRules:
        """How states are linked to the outcome."""
        return ExposureRules.of(self.settings.models.exposure, self.settings.edge_rules)

    def rated(self, dataset: Dataset) -> list[str]:
        """Return the measure and its outcome, as far as they are rated at sessions."""
        names = dict.fromkeys(filter(None, (self.measure, self.outcome)))
        return [name for name in names if name in dataset.sessions]

    def only(self, dataset: Dataset) -> Dataset:
        """Return a dataset with no other measures."""
        names = filter(None, (self.measure, self.outcome))
        return replace(dataset, measures={name: dataset.measures[name] for name in names})

    def detected(self, dataset: Dataset) -> Detected:
        """Return the episodes of all criteria, and the states of the headline's."""
        only = {self.measure: dataset.measures[self.measure]}
        every = list(detect(dataset.sessions, only, self.criteria, self.settings.edge_rules,
                            dataset=dataset.name, events=dataset.events))  # fmt: skip
        own = [one.states for one in every if one.summary["criterion"] == self.headline.id]
        return Detected(
            pa.concat_tables(own).to_pandas(),
            pd.concat([one.episodes for one in every], ignore_index=True),
            pd.DataFrame([one.summary for one in every]),
        )


@dataclass(frozen=True)
class Sums:
    """Statistics as ratios of sums: a row per course, a column per statistic in both tables."""

    part: pd.DataFrame
    whole: pd.DataFrame

    @classmethod
    def of(cls, given: Iterable[tuple[str, pd.Series, pd.Series]]) -> "Sums":
        """Return the sums from names, parts and wholes."""
        rows = list(given)
        return cls(
            pd.DataFrame({name: part for name, part, _ in rows}, dtype="float64"),
            pd.DataFrame({name: whole for name, _, whole in rows}, dtype="float64"),
        )

    def of_many(self, least: int) -> "Sums":
        """Return the statistics that rest on no fewer courses, and that no fewer have not."""
        number = (self.part != 0).sum()
        few = number.between(1, least - 1) | (len(self.part) - number).between(1, least - 1)
        kept = list(few.index[~few])
        return Sums(self.part[kept], self.whole[kept])

    def ratio(self) -> pd.Series:
        """Return the statistics; missing where there is nothing to divide by."""
        return self.part.sum() / self.whole.sum().replace(0.0, np.nan)

    def beyond(self, ratio: pd.Series) -> pd.DataFrame:
        """Return what each course has beyond its share; sums to zero if the ratio is theirs."""
        return self.part - self.whole * ratio.fillna(0.0)

    def error(self) -> pd.Series:
        """Return standard errors of the statistics, courses drawn at random (linearised)."""
        number = len(self.part)
        squares = (self.beyond(self.ratio()) ** 2).sum()
        return np.sqrt(squares * number / max(number - 1, 1)) / self.whole.sum()


NamedSums = Iterator[tuple[str, pd.Series, pd.Series]]


def main_sums(dataset: Dataset, detected: Detected, by: Ruler) -> Sums:
    """Return the statistics that a reader of a report looks at first.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
        What all criteria of the ruler find in it.
    by : Ruler
    """
    return Sums.of([*_of_courses(dataset, by), *_of_criteria(dataset, detected, by)])


def further_sums(dataset: Dataset, detected: Detected, by: Ruler) -> Sums:
    """Return moments on which spreads, trends, autocorrelations and reliabilities rest."""
    return Sums.of([*_of_moments(dataset, by), *_of_falls(dataset, detected, by)])


def _of_falls(dataset: Dataset, detected: Detected, by: Ruler) -> NamedSums:
    """Yield second moments of the depth of episodes, within courses and between them."""
    episodes = detected.of(by.measure, by.headline.id).episodes
    fall, every = episodes["fall"].astype("float64"), _courses(dataset)
    of_course = fall.groupby(episodes["course"].astype("str").to_numpy())
    number, total = (one.reindex(every, fill_value=0.0) for one in (of_course.size(),
                                                                    of_course.sum()))  # fmt: skip
    squares = (fall**2).groupby(episodes["course"].astype("str").to_numpy()).sum()
    between = total**2 / number.clip(lower=1)
    yield "squared falls", squares.reindex(every, fill_value=0.0), number
    yield "squared falls between", between, number
    yield "courses with falls", (number > 0).astype("float64"), number


def _courses(dataset: Dataset) -> pd.Index:
    return pd.Index(dataset.courses["course"].astype("str"))


def _of_courses(dataset: Dataset, by: Ruler) -> NamedSums:
    """Yield how long courses are, how they end, and where their ratings lie."""
    every = _courses(dataset)
    course = dataset.sessions["course"].astype("str")

    def by_course(values: pd.Series) -> pd.Series:
        return values.groupby(course).sum().reindex(every, fill_value=0).astype("float64")

    held = by_course(course.notna())
    one = held * 0 + 1
    yield "sessions held per course", held, one
    if "ending" in dataset.courses:
        ending = dataset.courses["ending"].astype("str").set_axis(every)
        yield "hazard of leaving per session", (ending == "dropped_out").astype("float64"), held
        yield "share of courses completed", (ending == "completed").astype("float64"), one
    for name in by.rated(dataset):
        rating, measure = dataset.sessions[name], dataset.measures[name]
        known = by_course(rating.notna())
        yield f"{name}: share of sessions rated", known, held
        yield f"{name}: mean rating", by_course(rating), known
        if measure.range is not None:
            best = measure.range[measure.sign > 0]
            yield f"{name}: share at the best end", by_course(rating.eq(best)), known


def _of_criteria(dataset: Dataset, detected: Detected, by: Ruler) -> NamedSums:
    """Yield how many episodes each criterion finds, and how many of them are repaired."""
    every = _courses(dataset)
    one = pd.Series(1.0, every)
    for criterion in by.criteria:
        found = detected.of(by.measure, criterion.id)
        if not bool(found.detection["assessable"].iloc[0]):
            continue
        status, course = (found.episodes[name].astype("str") for name in ("status", "course"))

        def count(which: pd.Series, course: pd.Series = course) -> pd.Series:
            return course[which].value_counts().reindex(every, fill_value=0).astype("float64")

        episodes = count(course.notna())
        yield f"{criterion.id}: episodes per course", episodes, one
        yield f"{criterion.id}: courses with an episode", (episodes > 0).astype("float64"), one
        yield (f"{criterion.id}: share repaired", count(status == "repaired"),
               count(status.isin(["repaired", "unrepaired"])))  # fmt: skip
        if criterion.id == by.headline.id:
            fall = found.episodes["fall"].groupby(course.to_numpy())
            yield f"{criterion.id}: mean fall", fall.sum().reindex(every, fill_value=0.0), episodes


def _of_moments(dataset: Dataset, by: Ruler) -> NamedSums:
    """Yield moments of ratings around the line of each course, and of items."""
    every = _courses(dataset)
    held = dataset.sessions["course"].astype("str").value_counts().reindex(every, fill_value=1)
    one = pd.Series(1.0, every)
    yield "log length", np.log(held), one
    yield "squared log length", np.log(held) ** 2, one
    for name in by.rated(dataset):
        low, high = dataset.measures[name].range or (0.0, 1.0)
        # Counted from the middle of the scale, so that squares do not only tell of the level.
        ratings = dataset.sessions[name].to_numpy(np.float64) - (low + high) / 2
        for moment, part, whole in _of_line(lines(dataset.sessions, ratings)):
            ids = pd.unique(dataset.sessions["course"].astype("str"))[: len(part)]
            both = pd.DataFrame({"part": part, "whole": whole}, ids).fillna(0.0)
            both = both.reindex(every, fill_value=0.0)
            yield f"{name}: {moment}", both["part"], both["whole"]
        yield from _of_items(dataset, name)


def _of_line(line: CourseLines) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield moments of ratings around the line of each course: name, parts and wholes."""

    def summed(values: Floats) -> Floats:
        return np.bincount(line.course, values, len(line.mean)).astype(np.float64)

    one = np.ones(len(line.mean))
    following = (np.diff(line.course) == 0) & (np.diff(line.session) == 1)
    products = np.append(0.0, line.rest[1:] * line.rest[:-1] * following)
    squares = summed(line.rest**2)
    yield "level", line.mean, one
    yield "squared level", line.mean**2, one
    yield "trend", line.width * line.slope, line.width
    yield "squared trend", line.width * line.slope**2, line.width
    yield "squared rest", squares, line.number
    yield "neighbours", summed(products), squares


def _of_items(dataset: Dataset, name: str) -> NamedSums:
    """Yield moments of items at the first complete rating, and within courses."""
    columns = [f"{name}__{part}" for part in dataset.measures[name].components]
    if len(columns) < 2:
        return
    every = _courses(dataset)
    whole = dataset.sessions[["course", *columns]].dropna()
    course, items = whole["course"].astype("str"), whole[columns]
    first = ~course.duplicated()
    middle = items.mean().mean()
    of_first = (items[first] - middle).set_axis(course[first]).reindex(every, fill_value=0.0)
    one = pd.Series(1.0, every)
    apart = of_first.sub(of_first.mean(axis=1), axis=0)
    yield f"{name}: first items", (apart**2).sum(axis=1), one
    yield f"{name}: first total", of_first.sum(axis=1), one
    yield f"{name}: squared first total", of_first.sum(axis=1) ** 2, one
    rest = items - items.groupby(course).transform("mean")
    inside = (rest**2).sum(axis=1).groupby(course).sum().reindex(every, fill_value=0.0)
    total = (rest.sum(axis=1) ** 2).groupby(course).sum().reindex(every, fill_value=0.0)
    yield f"{name}: items within courses", inside, total
    yield f"{name}: totals within courses", total, one
