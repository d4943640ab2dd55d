"""The components of the alliance: how reliable each is, and which one falls in ruptures."""

from typing import Any

import numpy as np
import pandas as pd

from ..project.arrays import Floats
from ..project.dataset import Dataset, Detected
from ..project.measures import Measure
from ..project.processed import of_criterion
from ..project.reasons import because
from ..statistics.proportion import wilson
from ..statistics.reliability import cronbach_alpha, intraclass

#: Courses, and sessions of each, that reliabilities rest on at least.
COURSES, SESSIONS = 20, 3

#: Name of the row of all components together.
TOTAL = "all"

_TEXTS = ("dataset", "measure", "criterion", "component", "reason")
_COUNTS = ("n_courses", "n_sessions", "n_episodes", "n_fell_most")
_RELIABILITIES = ("sd_within", "alpha", "of_course_mean", "of_change")

#: Columns of the table.
COLUMNS = (
    *("dataset", "measure", "criterion", "component", "n_courses", "n_sessions"),
    *(*_RELIABILITIES, "reason", "n_episodes", "n_fell_most"),
    *("share_fell_most", "share_low", "share_high"),
)


def components_of(dataset: Dataset, detected: Detected) -> pd.DataFrame:
    """Return reliability and falls of each component of each alliance measure.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, one row per measure, criterion and component, and one of all
        components together; none for a measure without components. Reliabilities do not depend on
        the criterion:

        - `alpha`: Cronbach's alpha of the components at each course's first complete rating; in
          the row of a component that of the others without it.
        - `of_course_mean`: of the mean of a course, from its sessions as replicates (one-way
          intraclass correlation, stepped up to the harmonic mean number of sessions).
        - `of_change`: of all components the generalizability of change within courses (R_C of
          Cranford et al. 2006, doi 10.1177/0146167206287721: alpha of deviations from the course's
          mean). Of one component a lower bound: the squared multiple correlation of its deviations
          with those of the others (Guttman 1945, doi 10.1007/BF02288892). Its own is not known,
          because one score of each component is kept.

        `n_episodes` are those with an onset and all components known, `n_fell_most` those in which
        this one fell most from onset to nadir, with the share and its 95 % Wilson interval.
    """
    by_measure = detected.detection.groupby("measure", sort=False)["criterion"]
    parts = [
        _of_measure(dataset.measures[measure], dataset.sessions, detected.episodes, list(criteria))
        for measure, criteria in by_measure
        if len(dataset.measures[measure].components) > 1
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    types = dict.fromkeys(COLUMNS, "float64") | dict.fromkeys(_TEXTS, "str")
    types |= dict.fromkeys(_COUNTS, "Int64")
    return table.assign(dataset=dataset.name)[list(COLUMNS)].astype(types)


def _of_measure(
    measure: Measure, sessions: pd.DataFrame, episodes: pd.DataFrame, criteria: list[str]
) -> pd.DataFrame:
    """Return the rows of one measure."""
    components = list(measure.components)
    shared = reliabilities(sessions, [f"{measure.name}__{part}" for part in components])
    shared["component"] = [*components, TOTAL]
    parts = [
        shared.assign(
            criterion=criterion, **_falls(of_criterion(episodes, measure.name, criterion), shared)
        )
        for criterion in map(str, criteria)
    ]
    return pd.concat(parts, ignore_index=True).assign(measure=measure.name)


def reliabilities(sessions: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the reliability of each component, and in the last row of all together.

    Parameters
    ----------
    sessions : DataFrame
        With `course` and the components.
    columns : list of str
        Two or more.

    Returns
    -------
    DataFrame
        `n_courses`, `n_sessions`, `sd_within`, `alpha`, `of_course_mean`, `of_change`, `reason`.
    """
    complete = sessions[["course", *columns]].dropna()
    enough = complete.groupby("course")["course"].transform("size") >= SESSIONS
    table = complete[enough].reset_index(drop=True)
    first = complete[~complete["course"].duplicated()][columns].to_numpy(float)
    facts = {"n_courses": table["course"].nunique(), "n_sessions": len(table)}
    if facts["n_courses"] < COURSES:
        few = {"courses": facts["n_courses"], "sessions": SESSIONS}
        reason = because("courses_with_components", **few, needed=COURSES)
        missing = pd.DataFrame(np.nan, range(len(columns) + 1), list(_RELIABILITIES))
        return missing.assign(reason=reason, **facts)
    scores = table[columns].assign(all=table[columns].sum(axis=1))
    deviations = scores - scores.groupby(table["course"]).transform("mean")
    free = len(table) - facts["n_courses"]
    change = deviations[columns].to_numpy(float)
    found = pd.DataFrame(
        {
            "sd_within": np.sqrt((deviations**2).sum() / free).to_numpy(),
            "alpha": [
                *(cronbach_alpha(np.delete(first, at, axis=1)) for at in range(len(columns))),
                cronbach_alpha(first),
            ],
            "of_course_mean": [_of_mean(scores[name], table["course"]) for name in scores],
            "of_change": [*_shared_with_others(change), cronbach_alpha(change)],
        }
    )
    unknown = found[list(_RELIABILITIES)].isna().any(axis=1)
    reasons = [_WHY_NOT if one else None for one in unknown]
    return found.assign(reason=reasons, **facts)


_WHY_NOT = "alpha needs two components, the others need components that vary"


def _of_mean(scores: pd.Series, course: pd.Series) -> float:
    """Return the reliability of the means of courses."""
    single = intraclass(scores, course)[0]
    sessions = course.nunique() / (1 / course.value_counts()).sum()
    return float(sessions * single / (1 + (sessions - 1) * single))


def _shared_with_others(change: Floats) -> Floats:
    """Return the squared multiple correlation of each column with the others."""
    spread = change.std(axis=0)
    if not (spread > 0).all():
        return np.full(change.shape[1], np.nan)
    correlation = np.corrcoef(change.T)
    if np.linalg.cond(correlation) > 1e12:  # one component follows from the others
        return np.ones(change.shape[1])
    shared: Floats = 1 - 1 / np.diag(np.linalg.inv(correlation))
    return shared


def _falls(episodes: pd.DataFrame, shared: pd.DataFrame) -> dict[str, Any]:
    """Return in how many episodes each component fell most; nothing for all together."""
    names = list(shared["component"])
    fell = episodes["component"].dropna().astype("str").value_counts()
    counts = fell.reindex(names[:-1], fill_value=0).to_numpy()
    number = int(counts.sum())
    columns: dict[str, Any] = {
        "n_episodes": number,
        "n_fell_most": pd.array([*counts, pd.NA], dtype="Int64"),
    }
    shares = np.full((3, len(names)), np.nan)
    if number:
        low, high = wilson(counts, number)
        shares[:, :-1] = counts / number, low, high
    return columns | dict(zip(("share_fell_most", "share_low", "share_high"), shares, strict=True))
