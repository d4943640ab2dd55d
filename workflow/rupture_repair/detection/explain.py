"""Why a session was, or was not, flagged: one course by one criterion, session by session."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..project.measures import Measures
from ..project.processed import of_criterion
from ..project.reasons import in_full
from .criteria import Criterion
from .fall_rules import TOLERANCE, meets

#: Columns of the table, and how they are headed on the terminal.
HEADINGS = {
    "session": "session",
    "rating": "rating",
    "reference": "reference",
    "fall": "fall",
    "unit": "unit",
    "fall_units": "fall in units",
    "threshold": "threshold",
    "floor": "floor",
    "state": "state",
    "reason": "why",
}


class AppliedCriterion(NamedTuple):
    """A criterion as it was applied to a measure.

    Attributes
    ----------
    criterion : Criterion
    k : float
        Units to fall; of a calibrated criterion the number that was found.
    floor : float
        Smallest fall in points that counts, 0 for none.
    """

    criterion: Criterion
    k: float
    floor: float


# ---------------------------------------------------------------------------- words


def plain(value: float) -> str:
    """Return a number with at most two decimals, and no sign of a rounded zero."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def _of_them(value: float, what: str) -> str:
    """Return a number of things: 1 point, 2 points."""
    return f"{plain(value)} {what}{'' if plain(value) == '1' else 's'}"


def _points(value: float) -> str:
    return _of_them(value, "point")


def _meets(row: Any, rule: AppliedCriterion) -> bool:
    """Say whether a fall reaches threshold and floor, or a run reaches k, as the kernel does."""
    if rule.criterion.window is not None:
        return bool(row.z >= rule.k * (1 - TOLERANCE))
    fall, threshold = np.array([row.fall]), np.array([rule.k * row.unit])
    return bool(meets(fall, threshold, rule.floor, rule.criterion.strict)[0])


def _fall(row: Any, rule: AppliedCriterion) -> str:
    """Compare the fall with the threshold and the floor, in words."""
    said, criterion = _size(row, rule), rule.criterion
    if criterion.run is not None:
        likely = row.probability
        return said if pd.isna(likely) else f"{said}, probability of a rupture {likely:.2f}"
    if criterion.window is not None:
        if not row.z > 0:
            return said
        compared = ">=" if _meets(row, rule) else "<"
        return f"{said}; the lowest run from here has z = {row.z:.2f} {compared} {plain(rule.k)}"
    if not row.fall > 0 or not rule.k:
        return said
    enough = bool(meets(np.array([row.fall]), np.array([rule.k * row.unit]), 0.0, criterion.strict))
    reached, missed = (">", "<=") if criterion.strict else (">=", "<")
    said += f" {reached if enough else missed} {plain(rule.k)}"
    if not enough or not rule.floor:
        return said
    floor = plain(rule.floor)
    return (
        f"{said} and >= the floor {floor}"
        if _meets(row, rule)
        else f"{said}, but < the floor {floor}"
    )


def _size(row: Any, rule: AppliedCriterion) -> str:
    """Say how far the rating lies from the reference."""
    if not row.fall > 0:
        return f"{_points(-row.fall)} above the reference" if row.fall < 0 else "at the reference"
    if not rule.k and rule.criterion.run is None:
        return f"{_points(row.fall)} below the reference"
    units = "" if rule.criterion.unit == "raw" else f" = {_of_them(row.fall_units, 'unit')}"
    return f"fall of {_points(row.fall)}{units}"


def _recovery(row: Any, episode: Any, rule: AppliedCriterion) -> str:
    """Say how much of the fall is won back, and how much is needed."""
    criterion, repair = rule.criterion, rule.criterion.repair
    if repair.regain == "not_low":
        return _fall(row, rule)
    if isinstance(repair.regain, str):
        level = row.reference if criterion.is_level else episode.level
        short, allowed = episode.sign * (level - row.rating), repair.tolerance * row.unit
        where = f"{_points(short)} below the reference" if short > 0 else "back at the reference"
        if not repair.tolerance:
            return where
        units = _of_them(repair.tolerance, "unit")
        return f"{where}, {_points(allowed)} ({units}) are allowed"
    lost = episode.sign * (episode.level - episode.first_rating)
    won = episode.sign * (row.rating - episode.first_rating)
    if won < 0 or not lost > 0:
        return f"lost a further {_points(-won)}"
    won_back, needed = (plain(round(100 * share, 1)) for share in (won / lost, repair.regain))
    return f"won back {won_back} % of the fall, {needed} % are needed"


def _inside(row: Any, episode: Any, rule: AppliedCriterion) -> str:
    """Explain a session inside an episode."""
    if row.session == episode.first_low:
        said = _fall(row, rule)
        if rule.criterion.run is not None:
            said += "; the rule is met"
        said += ": a rupture begins"
        if pd.isna(episode.onset):
            said += ", or began before the first rating"
    elif row.state == "repaired_here":
        return f"{_recovery(row, episode, rule)}: repaired"
    else:
        said = f"{_recovery(row, episode, rule)}: still ruptured"
    if row.session == episode.end and episode.status == "censored":
        said += "; what became of it is not known: censored"
    elif row.session == episode.end and episode.status == "unrepaired":
        within = rule.criterion.repair.within
        window = f"the window of {within} sessions" if within else "the course"
        said += f"; {window} ends: unrepaired"
    return said


def _outside(row: Any, last: Any, rule: AppliedCriterion) -> str:
    """Explain an assessable session outside any episode; `last` is the episode before it."""
    said = _fall(row, rule)
    if rule.criterion.run is not None:
        said += "; the rule is not met" if row.state == "steady" else ""
    elif rule.criterion.window is not None:
        said += ", but a lower run overlaps it" if _meets(row, rule) else ""
    elif _meets(row, rule) and last is not None:
        level = rule.criterion.is_level
        said += ", but " + ("the rating before was low, too" if level else "it fell before that")
    if row.state == "after_repair":
        return f"{said}: no new rupture, after the repair at session {last.repair}"
    if row.state == "after_unrepaired":
        return f"{said}: no new rupture, after the unrepaired one of session {last.first_low}"
    return f"{said}: steady"


def _sentence(row: Any, episodes: list[Any], rule: AppliedCriterion) -> str:
    if row.state == "not_assessable":
        why = in_full(row.reason)
        return why if why == "not rated" else f"not assessable: {why}"
    if row.state in ("ruptured", "repaired_here") and not pd.isna(row.episode):
        return _inside(row, episodes[int(row.episode) - 1], rule)
    before = [episode for episode in episodes if episode.end < row.session]
    return _outside(row, before[-1] if before else None, rule)


# ---------------------------------------------------------------------------- the table


def _of(table: pd.DataFrame, measure: str, criterion: str, course: str) -> pd.DataFrame:
    own = of_criterion(table, measure, criterion)
    return own[own["course"] == course]


def explain(
    states: pd.DataFrame,
    episodes: pd.DataFrame,
    sessions: pd.DataFrame,
    detection: pd.DataFrame,
    measures: Measures,
    criterion: Criterion,
    *,
    course: str,
    measure: str,
) -> pd.DataFrame:
    """Explain for each session of a course why it was or was not flagged.

    Parameters
    ----------
    states, episodes, sessions, detection : DataFrame
        The tables session_states, episodes, sessions and detection, or the parts of them that
        belong to the course.
    measures : mapping of str to Measure
    criterion : Criterion
    course, measure : str
        Which course, and which measure.

    Returns
    -------
    DataFrame
        One row per session from the first to the last rating: `session`, `rating`, `reference`
        (both in the direction of the measure), `fall` (points below the reference), `unit`
        (points), `fall_units`, `threshold` (points that a fall must reach: k units, or the floor
        where that is more), `floor` (points, missing where the criterion has none), `state`,
        `episode` (its number, or missing) and `reason` (in words).
    """
    rows = _of(states, measure, criterion.id, course).drop(columns=["dataset", "measure"])
    of_course = _of(episodes, measure, criterion.id, course)
    ratings = sessions.loc[sessions["course"] == course, ["session", measure]]
    rows = rows.astype({"state": "str", "reason": "str"})
    rows = rows.merge(ratings.rename(columns={measure: "rating"}), on="session", how="left")
    rows = rows.sort_values("session")
    rule = applied(detection, criterion, measure)
    rows = rows.assign(fall_units=rows["fall"] / rows["unit"], floor=rule.floor or np.nan)
    known = _with_levels(of_course, rows, measures[measure].sign)
    for name in ("probability", "z"):
        if name not in rows:
            rows = rows.assign(**{name: np.nan})
    said = [_sentence(row, known, rule) for row in rows.itertuples()]
    columns = [*HEADINGS]
    columns.insert(columns.index("reason"), "episode")
    return rows.assign(reason=said)[columns].reset_index(drop=True)


def applied(detection: pd.DataFrame, criterion: Criterion, measure: str) -> AppliedCriterion:
    """Return the criterion with the k and the floor that were applied."""
    row = of_criterion(detection, measure, criterion.id).iloc[0]
    return AppliedCriterion(
        criterion, float(row["k"]), 0.0 if pd.isna(row["floor"]) else float(row["floor"])
    )


def _with_levels(episodes: pd.DataFrame, rows: pd.DataFrame, sign: float) -> list[Any]:
    """Add to each episode the level before its fall and its first low rating."""
    rating = rows.set_index("session")["rating"]
    low, nadir = (rating.reindex(episodes[name]).to_numpy() for name in ("first_low", "nadir"))
    episodes = episodes.sort_values("episode")
    added = episodes.assign(sign=sign, first_rating=low, level=nadir + sign * episodes["fall"])
    return list(added.itertuples())
