"""Detection for a dataset: canonical tables in, tables of states and episodes out.

For every alliance measure and criterion: the state of each session, the episodes, and one row
that says how much could be assessed. Ratings are turned here so that higher is better; what is
written is in the original direction of the measure, and falls are positive.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..project import data_dictionary, processed
from ..project.measures import Measure, Measures
from ..project.reasons import because
from ..project.setting_groups import EdgeRules
from . import episodes as ep
from . import fall_rules, run_rules, tables
from .courses import Courses
from .criteria import Criterion, with_calibrated_k
from .fall_rules import Falls
from .hidden_markov.rupture_probability import HiddenMarkovModel
from .ratings import Ratings, alliance, prepared, why_not_assessable


@dataclass(frozen=True)
class Detection:
    """What one criterion found in one measure.

    Attributes
    ----------
    states : pyarrow.Table
        One row per course and session, see :func:`rupture_repair.detection.tables.states`.
    episodes : DataFrame
        One row per episode, see :func:`rupture_repair.detection.tables.episodes`.
    summary : dict
        One row of ``detection.parquet``: `dataset`, `measure`, `criterion`, `name`, `standing`,
        `assessable`, `reason`, `uses_future`, `k`, `floor` (points), `n_courses`, `n_sessions`
        (rated), and the counts of :func:`rupture_repair.detection.tables.counts`.
    """

    states: pa.Table
    episodes: pd.DataFrame
    summary: dict[str, Any]


def _joined(parts: list[Falls]) -> Falls:
    def whole(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    names = [field.name for field in fields(Falls) if field.name != "floor"]
    return Falls(floor=parts[0].floor, **{name: whole(name) for name in names})


def _assess(
    ratings: Ratings, criterion: Criterion, edge_rules: EdgeRules
) -> tuple[Falls, ep.Episodes, np.ndarray]:
    """Run the kernel piece by piece: falls, episodes, and the state of each rating."""
    falls, states, episodes = [], [], []
    for ratings_of_piece, courses in ratings.courses.pieces():
        found = run_rules.falls(courses, criterion, ratings.scale, edge_rules.max_gap)
        these = ep.find_episodes(courses, found, criterion, edge_rules.onset_inside_episode)
        falls.append(found)
        states.append(ep.states(courses, found, these))
        episodes.append(ep.shifted(these, ratings_of_piece.start))
    return _joined(falls), ep.joined(episodes), np.concatenate(states)


def _nothing_assessable(courses: Courses, code: int) -> tuple[Falls, ep.Episodes, np.ndarray]:
    """Return what the kernel would, had it refused every session for one reason."""
    per_rating, per_course = (
        np.full(len(courses.rating), np.nan),
        np.full(len(courses.length), np.nan),
    )
    reason = np.full(len(courses.rating), code, dtype=np.int8)
    falls = Falls(per_rating, per_rating, per_course, per_course, 0.0, reason == 0, reason)
    state = np.full(len(courses.rating), ep.NOT_ASSESSABLE, dtype=np.int8)
    return falls, ep.no_episodes(), state


def detect_one(
    ratings: Ratings,
    criterion: Criterion,
    edge_rules: EdgeRules,
    *,
    dataset: str,
    name: str,
    measure: Measure,
) -> Detection:
    """Apply one criterion to one measure.

    Parameters
    ----------
    ratings : Ratings
        From :func:`arrange`.
    criterion : Criterion
    edge_rules : EdgeRules
    dataset, name : str
        Names of dataset and measure, written into the tables.
    measure : Measure

    Returns
    -------
    Detection
    """
    names = {"dataset": dataset, "measure": name, "criterion": criterion.id}
    refusal = why_not_assessable(criterion, measure, ratings)
    reasons = fall_rules.REASONS if refusal is None else (*fall_rules.REASONS, refusal)
    if refusal is None:
        found, episodes, state = _assess(ratings, criterion, edge_rules)
    else:
        found, episodes, state = _nothing_assessable(ratings.courses, len(fall_rules.REASONS))
    counts = tables.counts(ratings, found, episodes)
    if refusal is None and not counts["n_sessions_assessable"]:
        most = np.bincount(found.reason).argmax()
        refusal = because("mostly", reason=fall_rules.REASONS[most])
    summary = {
        **names,
        "name": criterion.name,
        "standing": criterion.standing,
        "assessable": refusal is None,
        "reason": refusal,
        "uses_future": criterion.uses_future,
        "k": float(criterion.k),
        "floor": fall_rules.floor_in_points(criterion, ratings.scale) or np.nan,
        "n_courses": ratings.number_of_courses,
        "n_sessions": len(ratings.courses.rating),
        **counts,
    }
    return Detection(
        tables.states(names, ratings, found, episodes, state, reasons),
        tables.episodes(names, ratings, found, episodes),
        summary,
    )


def states_of_ratings(
    ratings: Ratings,
    criterion: Criterion,
    edge_rules: EdgeRules,
    measure: Measure,
) -> pd.DataFrame:
    """Return what :func:`detect_one` says of the state of each rating, and nothing else.

    It takes less time, which matters for studies that are simulated by the thousand.

    Parameters
    ----------
    ratings, criterion, edge_rules, measure
        As for :func:`detect_one`.

    Returns
    -------
    DataFrame
        Columns `course`, `session` and `state`, one row per rating.
    """
    courses = ratings.courses
    if why_not_assessable(criterion, measure, ratings) is None:
        state = _assess(ratings, criterion, edge_rules)[2]
    else:
        state = np.full(len(courses.rating), ep.NOT_ASSESSABLE, dtype=np.int8)
    return pd.DataFrame(
        {
            "course": ratings.course_ids[courses.course],
            "session": courses.session,
            "state": pd.Categorical.from_codes(state, list(ep.STATES)),
        }
    )


def detect(
    sessions: pd.DataFrame,
    measures: Measures,
    criteria: Iterable[Criterion],
    edge_rules: EdgeRules,
    *,
    dataset: str,
    events: pd.DataFrame | None = None,
    calibrated: pd.DataFrame | None = None,
    models: Mapping[str, HiddenMarkovModel] | None = None,
) -> Iterator[Detection]:
    """Apply all criteria to all alliance measures, one after the other.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : mapping of str to Measure
        those with the role alliance and one rating per session are used.
    criteria : iterable of Criterion
    edge_rules : EdgeRules
    dataset : str
    events : DataFrame, optional
        Canonical table of coded events.
    calibrated : DataFrame, optional
        From :func:`rupture_repair.chance.calibrate.calibrated_k`; needed where a criterion asks
        for it.
    models : dict, optional
        From :func:`hidden_markov_models`; without it they are fitted where a criterion needs one.

    Yields
    ------
    Detection
        Sorted by measure as listed, then by criterion as listed.
    """
    criteria = list(criteria)
    for name in alliance(measures):
        measure = measures[name]
        ratings = prepared(sessions, name, measure, criteria, events, models)
        rules = criteria
        if calibrated is not None:
            rules = with_calibrated_k(criteria, calibrated[calibrated["measure"] == name])
        for criterion in rules:
            yield detect_one(
                ratings, criterion, edge_rules, dataset=dataset, name=name, measure=measure
            )


def write(detections: Iterable[Detection], folder: str | Path) -> pd.DataFrame:
    """Write detections as they come, so that only one is held in memory.

    Parameters
    ----------
    detections : iterable of Detection
    folder : path
        Gets session_states.parquet, episodes.parquet, episodes.csv, detection.parquet and
        detection.csv. Existing files are replaced.

    Returns
    -------
    DataFrame
        The table detection: one row per measure and criterion.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    episodes, summaries, writer = [], [], None
    try:
        for detection in detections:
            if writer is None:
                path = folder / "session_states.parquet"
                schema = data_dictionary.described(detection.states.schema, path.stem)
                writer = pq.ParquetWriter(
                    path, schema, compression=processed.COMPRESSION, write_page_checksum=True
                )
            writer.write_table(detection.states)
            episodes.append(detection.episodes)
            summaries.append(detection.summary)
    finally:
        if writer is not None:
            writer.close()
    every = pd.concat(episodes, ignore_index=True)
    summary = pd.DataFrame(summaries)
    for name, table in (("episodes", every), ("detection", summary)):
        processed.write(table, folder / f"{name}.parquet")
    return summary
