"""Detection for a dataset: canonical tables in, tables of states and episodes out.

For every alliance measure and criterion: the state of each session, the episodes, and one row
that says how much could be assessed. Ratings are turned here so that higher is better; what is
written is in the original direction of the measure, and falls are positive.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import courses as flat
from . import episodes as ep
from . import kernel, outputs, probability, run_rules, tables
from .courses import Courses
from .criteria import Criterion, with_calibrated_k
from .kernel import Falls, Scale
from .parallel import spread_out
from .probability import Model
from .tables import Ratings


@dataclass(frozen=True)
class Detection:
    """What one criterion found in one measure.

    Attributes
    ----------
    states : pyarrow.Table
        One row per course and session, see :func:`rupture_repair.tables.states`.
    episodes : DataFrame
        One row per episode, see :func:`rupture_repair.tables.episodes`.
    summary : dict
        One row of ``detection.parquet``: `dataset`, `measure`, `criterion`, `name`, `standing`,
        `assessable`, `reason`, `uses_future`, `k`, `floor` (points), `n_courses`, `n_sessions`
        (rated), and the counts of :func:`rupture_repair.tables.counts`.
    """

    states: pa.Table
    episodes: pd.DataFrame
    summary: dict[str, Any]


def scale_of(courses: Courses, measure: Mapping[str, Any]) -> Scale:
    """Return what criteria may need to know of a measure and of all its ratings.

    Parameters
    ----------
    courses : Courses
        Turned so that higher is better.
    measure : dict
        Entry of measures.json.

    Returns
    -------
    Scale
    """
    change = (measure["reliable_change"] or {"value": np.nan})["value"]
    low, high = measure["range"] or (np.nan, np.nan)
    prior = {}
    for around in ("mean", "trend"):
        total, free = flat.squares(courses, around)
        prior[around] = flat.shrinkage(total / np.maximum(free, 1), free)
    return Scale(
        sample_sd_mean=flat.pooled_sd(courses, "mean"),
        sample_sd_trend=flat.pooled_sd(courses, "trend"),
        difference_error=change / 1.96,
        reliable_change=change,
        better=measure["better"],
        worst=-high if measure["better"] == "lower" else low,
        prior_mean=prior["mean"],
        prior_trend=prior["trend"],
    )


def _reported(sessions: pd.DataFrame, events: pd.DataFrame | None) -> np.ndarray | None:
    """Say for each row of sessions whether a rupture was reported; None without such events."""
    if events is None or not (events["kind"] == "rupture").any():
        return None
    ruptures = events.loc[events["kind"] == "rupture", ["course", "session"]].astype(
        {"course": str}
    )
    rows = sessions[["course", "session"]].astype({"course": str})
    marked = rows.merge(ruptures.drop_duplicates(), how="left", indicator=True)
    return (marked["_merge"] == "both").to_numpy()


def arrange(
    sessions: pd.DataFrame,
    name: str,
    measure: Mapping[str, Any],
    events: pd.DataFrame | None = None,
) -> Ratings:
    """Arrange the ratings of one measure for the kernel.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table: columns `course`, `session`, `<name>` and `<name>__<component>`.
    name : str
        The measure.
    measure : dict
        Its entry of measures.json.
    events : DataFrame, optional
        Canonical table of coded events: columns `course`, `session`, `kind`.

    Returns
    -------
    Ratings
    """
    sign = -1.0 if measure["better"] == "lower" else 1.0
    codes, ids = pd.factorize(sessions["course"])
    rating = sign * sessions[name].to_numpy(dtype=np.float64)
    courses, row = flat.arrange(codes, sessions["session"].to_numpy(), rating)
    reported = _reported(sessions, events)
    if reported is not None:
        courses = replace(courses, reported=reported[row])
    components = {
        component: sign * sessions[f"{name}__{component}"].to_numpy(dtype=np.float64)[row]
        for component in measure["components"]
    }
    rated = np.asarray(ids, dtype=object)[codes[row[courses.start[:-1]]]]
    return Ratings(courses, scale_of(courses, measure), rated, components, len(ids))


def prepared(
    sessions: pd.DataFrame,
    name: str,
    measure: Mapping[str, Any],
    criteria: Iterable[Criterion],
    events: pd.DataFrame | None = None,
    models: Mapping[str, Model] | None = None,
) -> Ratings:
    """Arrange the ratings of one measure, with the hidden Markov model if a criterion needs it.

    Parameters as for :func:`arrange`; `criteria` are those that will be applied, and `models` come
    from :func:`hidden_markov_models`. Without these the model is fitted here.
    """
    ratings = arrange(sessions, name, measure, events)
    if not any(criterion.run == "rupture_probability" for criterion in criteria):
        return ratings
    model = fitted(ratings, measure) if models is None else models.get(name)
    return replace(ratings, scale=replace(ratings.scale, model=model))


def alliance(measures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of the measures in which ruptures are detected."""
    return [
        name
        for name, measure in measures.items()
        if measure["role"] == "alliance" and measure["level"] == "session"
    ]


def fitted(ratings: Ratings, measure: Mapping[str, Any]) -> Model | None:
    """Fit the hidden Markov model to all ratings of a measure.

    Parameters
    ----------
    ratings : Ratings
    measure : dict
        Entry of measures.json.

    Returns
    -------
    Model or None
        None where there is no rating or the range is not known.
    """
    if measure["range"] is None or not len(ratings.courses.rating):
        return None
    low, high = measure["range"]
    if measure["better"] == "lower":
        low, high = -high, -low
    step = probability.smallest_step(ratings.courses)
    return probability.fit(ratings.courses, low=low, high=high, step=step)


def hidden_markov_models(
    sessions: pd.DataFrame, measures: Mapping[str, Mapping[str, Any]], *, processes: int = 1
) -> dict[str, Model]:
    """Fit the hidden Markov model to all alliance measures, for detection and chance alike.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : dict
        Content of measures.json.
    processes : int
        Changes nothing but the time.

    Returns
    -------
    dict
        Model by measure; without measures that have no rating or no known range.
    """

    def fit(name: str) -> Model | None:
        return fitted(arrange(sessions, name, measures[name]), measures[name])

    names = alliance(measures)
    found = zip(names, spread_out(fit, names, processes), strict=True)
    return {name: model for name, model in found if model is not None}


def why_not_assessable(
    criterion: Criterion, measure: Mapping[str, Any], ratings: Ratings
) -> str | None:
    """Say why a criterion cannot be applied to a measure at all; None where it can."""
    instrument, scale = measure["instrument"], ratings.scale
    if not len(ratings.courses.rating):
        return "the measure has no rating"
    if criterion.instruments and instrument not in criterion.instruments:
        rule_for = " or ".join(criterion.instruments)
        return f"the rule is for {rule_for}, this measure is {instrument or 'another scale'}"
    needs_reliability = "reliable_change" in (criterion.unit, criterion.floor)
    if needs_reliability and not np.isfinite(scale.reliable_change):
        return "no reliability is known for this measure, so there is no reliable change"
    around = criterion.sd_around
    sample_sd = scale.sample_sd_trend if around == "trend" else scale.sample_sd_mean
    if criterion.unit in ("sample_sd", "larger_sd") and not sample_sd > 0:
        return "the ratings do not vary within courses"
    if criterion.run in ("sudden_loss", "rupture_probability") and not np.isfinite(scale.worst):
        return "the rule needs the range of the scale"
    if criterion.run == "reported" and ratings.courses.reported is None:
        return "no coded events: no rupture was reported"
    if criterion.run == "rupture_probability" and not scale.model.identified:
        return scale.model.message
    if not isinstance(criterion.k, str) and np.isnan(criterion.k):
        return "no k was found at which rupture-free courses of this dataset rarely show an episode"
    low, high = measure["range"] or (-np.inf, np.inf)
    if criterion.value is not None and not low <= criterion.value <= high:
        return f"the level {criterion.value:g} lies outside the range {low:g} to {high:g}"
    return None


def _joined(parts: list[Falls]) -> Falls:
    def whole(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return Falls(
        whole("reference"), whole("fall"), whole("unit"), whole("threshold"),
        parts[0].floor, whole("low"), whole("reason"),
        None if parts[0].probability is None else whole("probability"),
    )  # fmt: skip


def _assess(
    ratings: Ratings, criterion: Criterion, edge_rules: Mapping[str, Any]
) -> tuple[Falls, ep.Episodes, np.ndarray]:
    """Run the kernel piece by piece: falls, episodes, and the state of each rating."""
    falls, states, episodes = [], [], []
    for ratings_of_piece, courses in ratings.courses.pieces():
        found = run_rules.falls(courses, criterion, ratings.scale, edge_rules["max_gap"])
        these = ep.find_episodes(courses, found, criterion, edge_rules["onset_inside_episode"])
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
    edge_rules: Mapping[str, Any],
    *,
    dataset: str,
    name: str,
    measure: Mapping[str, Any],
) -> Detection:
    """Apply one criterion to one measure.

    Parameters
    ----------
    ratings : Ratings
        From :func:`arrange`.
    criterion : Criterion
    edge_rules : dict
        `max_gap` and `onset_inside_episode`, see config.schema.yaml.
    dataset, name : str
        Names of dataset and measure, written into the tables.
    measure : dict
        Entry of measures.json.

    Returns
    -------
    Detection
    """
    names = {"dataset": dataset, "measure": name, "criterion": criterion.id}
    refusal = why_not_assessable(criterion, measure, ratings)
    reasons = kernel.REASONS if refusal is None else (*kernel.REASONS, refusal)
    if refusal is None:
        found, episodes, state = _assess(ratings, criterion, edge_rules)
    else:
        found, episodes, state = _nothing_assessable(ratings.courses, len(kernel.REASONS))
    counts = tables.counts(ratings, found, episodes)
    if refusal is None and not counts["n_sessions_assessable"]:
        most = np.bincount(found.reason).argmax()
        refusal = f"no session could be assessed, mostly: {kernel.REASONS[most]}"
    summary = {
        **names,
        "name": criterion.name,
        "standing": criterion.standing,
        "assessable": refusal is None,
        "reason": refusal,
        "uses_future": criterion.uses_future,
        "k": float(criterion.k),
        "floor": kernel.floor_in_points(criterion, ratings.scale) or np.nan,
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
    edge_rules: Mapping[str, Any],
    measure: Mapping[str, Any],
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


def detect_each(
    sessions: pd.DataFrame,
    measures: Mapping[str, Mapping[str, Any]],
    criteria: Iterable[Criterion],
    edge_rules: Mapping[str, Any],
    *,
    dataset: str,
    events: pd.DataFrame | None = None,
    calibrated: pd.DataFrame | None = None,
    models: Mapping[str, Model] | None = None,
) -> Iterator[Detection]:
    """Apply all criteria to all alliance measures, one after the other.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table of sessions.
    measures : dict
        Content of measures.json; those with the role alliance and one rating per session are used.
    criteria : iterable of Criterion
    edge_rules : dict
    dataset : str
    events : DataFrame, optional
        Canonical table of coded events.
    calibrated : DataFrame, optional
        From :func:`rupture_repair.calibration.calibrated_k`; needed where a criterion asks for it.
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
                writer = pq.ParquetWriter(path, detection.states.schema)
            writer.write_table(detection.states)
            episodes.append(detection.episodes)
            summaries.append(detection.summary)
    finally:
        if writer is not None:
            writer.close()
    every = pd.concat(episodes, ignore_index=True)
    summary = pd.DataFrame(summaries)
    for name, table in (("episodes", every), ("detection", summary)):
        outputs.write(table, folder / f"{name}.parquet", folder / f"{name}.csv")
    return summary
