"""The tables of one dataset, and what detection found in them, each held together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from .content_order import in_order, turned_columns
from .measures import Measures, read_measures
from .processed import of_criterion, read_criterion


def files_of(folder: Path) -> dict[str, Path]:
    """Return where the tables of a dataset, and what was detected in it, are below data/processed.

    Parameters
    ----------
    folder : Path
        data/processed/<dataset>.
    """
    names = ("sessions", "courses", "events", "episodes", "detection")
    files = {name: folder / f"{name}.parquet" for name in names}
    return files | {
        "measures": folder / "measures.json",
        "states": folder / "session_states.parquet",
    }


def _no_events() -> pd.DataFrame:
    return pd.DataFrame(columns=["course", "session", "kind", "code", "reporter"])


@dataclass(frozen=True)
class Dataset:
    """A dataset in canonical form.

    Attributes
    ----------
    name : str
        Its folder's name.
    measures : mapping of str to Measure
        By name.
    sessions : DataFrame
        One row per course and session, sorted so: course, client, therapist (text, nullable),
        session (int32, from 1), day (days since the course's first session, nullable), then per
        measure rated at sessions ``<measure>`` and ``<measure>__<component>`` in points, in the
        direction of the file.
    courses : DataFrame
        One row per course: course, client, therapist, ending, covariates,
        ``<measure>__first`` and ``<measure>__last`` of measures rated per course.
    events : DataFrame
        course, session, kind, code, reporter; may be empty.
    """

    name: str
    measures: Measures
    sessions: pd.DataFrame
    courses: pd.DataFrame
    events: pd.DataFrame = field(default_factory=_no_events)

    @classmethod
    def read(cls, name: str, files: Mapping[str, Path]) -> "Dataset":
        """Read a dataset from its files.

        Parameters
        ----------
        name : str
        files : mapping of str to path
            Where `measures` (JSON), `sessions`, `courses` and `events` (Parquet) are, see
            :func:`files_of`.
        """
        tables = {key: pd.read_parquet(files[key]) for key in ("sessions", "courses", "events")}
        return cls(name, read_measures(files["measures"]), **tables)

    def sampled(self, number: int) -> "Dataset":
        """Return the dataset with at most so many courses, evenly spaced by length and content.

        Parameters
        ----------
        number : int

        Returns
        -------
        Dataset
            The same object where there are no more courses than that. The names and the order of
            courses change nothing.
        """
        if len(self.courses) <= number:
            return self
        order = in_order(self.sessions, turned_columns(self.sessions, self.measures))
        course, ids = pd.factorize(self.sessions["course"].to_numpy(object)[order])
        by_length = np.argsort(np.bincount(course), kind="stable")
        drawn = set(ids[by_length[np.arange(number) * len(ids) // number]])
        tables = {
            name: table[table["course"].isin(drawn)].reset_index(drop=True)
            for name, table in (
                ("sessions", self.sessions), ("courses", self.courses), ("events", self.events)
            )
        }  # fmt: skip
        return replace(self, **tables)


@dataclass(frozen=True)
class Detected:
    """What detection found: the tables that it writes, of all criteria or of one.

    Attributes
    ----------
    states : DataFrame
        The table session_states.
    episodes : DataFrame
    detection : DataFrame
        One row per measure and criterion: whether it can be assessed, and what was found.
    """

    states: pd.DataFrame
    episodes: pd.DataFrame
    detection: pd.DataFrame

    @classmethod
    def read(cls, files: Mapping[str, Path], columns: list[str] | None = None) -> "Detected":
        """Return what was found, the states read from their file when they are asked for.

        Parameters
        ----------
        files : mapping of str to path
            Where `states`, `episodes` and `detection` (Parquet) are.
        columns : list of str, optional
            Of the states, where not all are needed.
        """
        episodes, detection = (pd.read_parquet(files[name]) for name in _SMALL)
        return _DetectedInFiles(files["states"], columns, episodes, detection)

    def pairs(self) -> list[tuple[str, str]]:
        """Return every measure with every criterion, in the order of `detection`."""
        pairs = self.detection[["measure", "criterion"]].astype("str").drop_duplicates()
        return list(pairs.itertuples(index=False, name=None))

    def of(self, measure: str, criterion: str) -> "Detected":
        """Return what one criterion found in one measure."""
        tables = (self.states, self.episodes, self.detection)
        return Detected(*(of_criterion(table, measure, criterion) for table in tables))


class _DetectedInFiles(Detected):
    """What detection found, its states read when asked for: of many courses not all criteria fit.

    Parameters
    ----------
    file : path
        The table session_states.
    columns : list of str or None
        Which are wanted.
    episodes, detection : DataFrame
    pair : (str, str), optional
        Measure and criterion, of which the states are wanted.
    """

    def __init__(
        self,
        file: Path,
        columns: list[str] | None,
        episodes: pd.DataFrame,
        detection: pd.DataFrame,
        pair: tuple[str, str] | None = None,
    ):
        # The dataclass is frozen, and has `states` as a field.
        vars(self).update(file=file, columns=columns, pair=pair)
        vars(self).update(episodes=episodes, detection=detection)

    @cached_property
    def states(self) -> pd.DataFrame:  # type: ignore[override]
        """The states that are wanted."""
        given = vars(self)
        if given["pair"] is None:
            return pd.read_parquet(given["file"], columns=given["columns"])
        measure, criterion = given["pair"]
        return read_criterion(given["file"], measure, criterion, given["columns"])

    def of(self, measure: str, criterion: str) -> Detected:
        """Return what one criterion found in one measure."""
        given = vars(self)
        episodes, detection = (of_criterion(given[name], measure, criterion) for name in _SMALL)
        pair = measure, criterion
        return _DetectedInFiles(given["file"], given["columns"], episodes, detection, pair)


#: Tables of detection that are held.
_SMALL = ("episodes", "detection")
