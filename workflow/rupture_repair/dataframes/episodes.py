"""Episodes in a table of ratings, and the state of each session."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..detection import criteria as rows_of_criteria
from ..detection import detect
from ..detection.criteria import Criterion
from ..detection.ratings import Ratings, arrange, prepared
from ..project.measures import Measure
from ..project.problems import Problem, ProblemsFound
from ..project.reasons import in_full
from ..project.setting_groups import ChanceSettings
from ..settings import default, default_seed
from . import ratings as reading
from .about import About, rules_asked_for, warn
from .ratings import Columns, Given

#: A calibrated k is solved on no more courses than these; of a larger table, on every nth.
CALIBRATION_COURSES = 2_000

#: Columns that say which dataset a table of the pipeline belongs to.
_OF_A_DATASET = ["dataset", "measure"]


class Asked(NamedTuple):
    """Ratings and criteria without faults.

    Attributes
    ----------
    given : Given
    about : About
    rules : list of Criterion
        As asked for; k may be open.
    """

    given: Given
    about: About
    rules: list[Criterion]


class Prepared(NamedTuple):
    """Ratings and criteria that are ready for each other.

    Attributes
    ----------
    ratings : Ratings
        Arranged for the kernel, sessions numbered from 1.
    rules : list of Criterion
        With numbers for k.
    measure : Measure
    from_zero : int
        What was added to the session numbers, so that the first is 1.
    notes : list of str
    """

    ratings: Ratings
    rules: list[Criterion]
    measure: Measure
    from_zero: int
    notes: list[str]


class FoundEpisodes(NamedTuple):
    """What the criteria found.

    Attributes
    ----------
    episodes, states : DataFrame
        As :func:`find_episodes` and :func:`session_states` return them.
    notes : list of str
        What could not be applied, and what was assumed.
    """

    episodes: pd.DataFrame
    states: pd.DataFrame
    notes: list[str]


def check(
    data: pd.DataFrame | None,
    columns: Columns,
    about: About,
    criterion: str | Iterable[str],
    settings: Mapping[str, Any] | None = None,
) -> tuple[Asked | None, list[Problem]]:
    """Check ratings and criteria.

    Parameters
    ----------
    data : DataFrame or None
        One row per session; None where it could not be read.
    columns : Columns
    about : About
    criterion : str or iterable of str
    settings : mapping, optional
        Id of a criterion -> settings that replace those of the row.

    Returns
    -------
    Asked or None, list of Problem
        Every problem of table, arguments and criteria.
    """
    rules, problems = rules_asked_for(criterion, settings)
    problems += about.problems()
    if data is None:
        return None, problems
    usable = not any(entry.file == "range=" for entry in problems)
    given, found = reading.read(data, columns, about.span if usable else None)
    problems += found
    return (None, problems) if given is None or problems else (Asked(given, about, rules), [])


def asked_for(*arguments: Any) -> Asked:
    """Return ratings and criteria without faults; arguments as for :func:`check`.

    Raises
    ------
    ProblemsFound
        With every problem.
    """
    asked, problems = check(*arguments)
    if asked is None:
        raise ProblemsFound(problems)
    return asked


def prepare(asked: Asked) -> Prepared:
    """Arrange ratings for the kernel, and solve for k where a criterion leaves it open."""
    notes: list[str] = []
    table, about = asked.given.table, asked.about
    measure = about.measure(table, notes)
    # A first session may be numbered 0; some rules know session 1 as the first.
    from_zero = int((table["session"] == 0).any())
    table = table.assign(session=table["session"] + from_zero)
    rules = _calibrated(table, asked.rules, measure, about, notes)
    ratings = prepared(table, "rating", measure, rules)
    if about.sample_sd is not None:
        sd = about.sample_sd
        scale = replace(ratings.scale, sample_sd_mean=sd, sample_sd_trend=sd)
        ratings = replace(ratings, scale=scale)
    return Prepared(ratings, rules, measure, from_zero, notes)


def _calibrated(
    table: pd.DataFrame,
    rules: list[Criterion],
    measure: Measure,
    about: About,
    notes: list[str],
) -> list[Criterion]:
    """Return the criteria with numbers for k, solved for this table as for a dataset."""
    if not any(rule.needs_k for rule in rules):
        return rules
    from ..chance import calibrate, replicates

    rated = table["course"].cat.categories
    chosen = rated[:: max(1, -(-len(rated) // CALIBRATION_COURSES))]
    some = arrange(table[table["course"].isin(chosen)], "rating", measure)
    seed = default_seed() if about.seed is None else about.seed
    null = replicates.prepare(some, "rating", measure, seed=seed)
    target = default(ChanceSettings).false_alarm
    solved = calibrate.calibrated_k(null, rules, about.edge_rules(), target, dataset="table")
    notes += [
        f"{row.criterion}: k = {row.k:g} was solved for these ratings, so that "
        f"{row.false_alarm:.1%} of courses without a rupture show an episode; a number for k in "
        "the settings takes its place"
        for row in solved.dropna(subset=["k"]).itertuples()
    ]
    return rows_of_criteria.with_calibrated_k(rules, solved)


def find(asked: Asked) -> FoundEpisodes:
    """Apply criteria to ratings.

    Parameters
    ----------
    asked : Asked

    Returns
    -------
    FoundEpisodes
    """
    ratings, rules, measure, from_zero, notes = prepare(asked)
    about, given = asked.about, asked.given
    episodes, states = [], []
    for rule in rules:
        its_measure = replace(measure, instrument=about.instrument_for(rule, notes))
        one = detect.detect_one(
            ratings, rule, about.edge_rules(), dataset="table", name="rating", measure=its_measure
        )
        if one.summary["reason"] is not None:
            notes.append(f"{rule.id} is not assessable: {in_full(one.summary['reason'])}")
        episodes.append(one.episodes.drop(columns=[*_OF_A_DATASET, "component"]))
        states.append(one.states.drop_columns(_OF_A_DATASET).to_pandas())
        numbers = ["onset", "first_low", "nadir", "repair", "end"]
        episodes[-1][numbers] -= from_zero
        states[-1]["reason"] = states[-1]["reason"].cat.rename_categories(in_full)
        states[-1]["session"] -= from_zero
        states[-1]["episode"] = states[-1]["episode"].astype("Int32")
    return FoundEpisodes(_in_order(episodes, given), _in_order(states, given), notes)


def _in_order(parts: list[pd.DataFrame], given: Given) -> pd.DataFrame:
    """Join one table per criterion, sorted by course; within a course as the tables come."""
    words = [name for name in ("criterion", "state", "status", "reason") if name in parts[0]]
    kinds = {}
    for name in words:
        values = dict.fromkeys(value for part in parts for value in part[name].dropna().unique())
        kinds[name] = pd.api.types.CategoricalDtype(list(values))
    whole = pd.concat([part.astype(kinds) for part in parts], ignore_index=True)
    course = given.table["course"].cat.categories.get_indexer(whole["course"].astype(object))
    order = np.argsort(course, kind="stable")
    whole = given.renamed(whole.iloc[order].reset_index(drop=True))
    first = ["course", "session", "criterion"] if "session" in whole else ["course", "criterion"]
    return whole[[*first, *whole.columns.difference(first, sort=False)]]


def find_episodes(
    data: pd.DataFrame,
    course: str = "course",
    session: str = "session",
    rating: str = "rating",
    *,
    better: str,
    criterion: str | Iterable[str],
    range: tuple[float, float] | None = None,
    reliability: float | None = None,
    sample_sd: float | None = None,
    instrument: str | None = None,
    max_gap: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> pd.DataFrame:
    """Find rupture-repair episodes in a table of ratings.

    Parameters
    ----------
    data : DataFrame, shape (sessions, columns)
        One row per session, in any order. A session without a rating may be left out, or have a
        missing one.
    course, session, rating : str
        Columns of the course (any type), of its session numbers (whole, from 0 or 1 on) and of the
        rating (points).
    better : {"higher", "lower"}
        Which ratings are the better ones.
    criterion : str or iterable of str
        Ids of rows of ``knowledge/criteria.yaml``, for example "dip" or ["tooth", "v_1sd"].
    range : (low, high), optional
        Lowest and highest possible rating, in points. Some criteria need it.
    reliability : float, optional
        Between 0 and 1. Gives the reliable change, ``1.96 * sqrt(2) * SD * sqrt(1 - reliability)``,
        with the SD of the first ratings of all courses. Some criteria need it.
    sample_sd : float, optional
        Pooled within-course SD in points, instead of that of these ratings.
    instrument : str, optional
        Id in ``knowledge/instruments.yaml``. Without it, a criterion made for one instrument is
        applied as if the ratings were of that instrument.
    max_gap : int, optional
        How many session numbers the previous rating may lie back (2).
    settings : mapping, optional
        Settings of criteria to change, for example ``{"own_mean_2sd": {"k": 1.5}}``.
    seed : int, optional
        Of the simulation that solves for k where a criterion leaves it open ("dip", "tooth").

    Returns
    -------
    DataFrame, shape (episodes, 18)
        One row per episode, sorted by course, criterion as asked for, and episode. Columns:
        `course` (as given), `criterion`, `episode` (number within the course); the sessions `onset`
        (last before the fall; missing where the first rating is low already), `first_low`, `nadir`
        (lowest rating), `repair` (missing where none came) and `end`; `status` (repaired,
        unrepaired, censored); `fall` (points from the reference to the nadir) and `fall_units`
        (the same in units of the criterion); `persistence` (sessions from onset to repair);
        `regained` (share of the fall won back at the end); `level_change` (points, mean of up to
        three ratings after the episode minus mean of up to three up to its onset);
        `onset_shape`, `repair_shape` (sudden, gradual); `severity` (mild, moderate, severe);
        `at_last_rating`.

    Warns
    -----
    NoteWarning
        What could not be applied, and what was assumed: a criterion that is not assessable, a k
        that was solved for these ratings.

    Raises
    ------
    ProblemsFound
        With every problem of the table (E206, E207, E302, E309, E714 to E718) and of the arguments
        (E402, E719, E720), all at once. Rows are numbered as in a spreadsheet: the first is row 2.

    See Also
    --------
    session_states : The state of each session.
    expected_by_chance : How many episodes noise alone would make.

    References
    ----------
    ``knowledge/criteria.yaml`` names the source of each criterion.

    Examples
    --------
    >>> ratings = pd.DataFrame({"client": 7, "visit": [1, 2, 3, 4, 5, 6, 7, 8],
    ...                         "srs": [36, 36, 20, 22, 35, 36, 36, 37]})
    >>> found = find_episodes(ratings, "client", "visit", "srs", better="higher",
    ...                       criterion="v_2sd")
    >>> found[["course", "onset", "first_low", "nadir", "repair", "status", "fall"]]
       course  onset  first_low  nadir  repair    status  fall
    0       7      2          3      3       5  repaired  16.0
    """
    about = About(better, range, reliability, sample_sd, instrument, max_gap, seed)
    columns = Columns(course, session, rating)
    found = find(asked_for(data, columns, about, criterion, settings))
    warn(found.notes)
    return found.episodes


def session_states(
    data: pd.DataFrame,
    course: str = "course",
    session: str = "session",
    rating: str = "rating",
    *,
    better: str,
    criterion: str | Iterable[str],
    range: tuple[float, float] | None = None,
    reliability: float | None = None,
    sample_sd: float | None = None,
    instrument: str | None = None,
    max_gap: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> pd.DataFrame:
    """Say of each session whether it is steady, ruptured or repaired.

    Parameters
    ----------
    data, course, session, rating, better, criterion, range, reliability, sample_sd, instrument, \
max_gap, settings, seed
        As for :func:`find_episodes`.

    Returns
    -------
    DataFrame, shape (sessions x criteria, 13)
        One row per criterion and session from the first to the last rating of each course, sorted
        by course, criterion and session. Columns: `course` (as given), `session`, `criterion`;
        `state` (steady, ruptured, repaired_here, after_repair, after_unrepaired, not_assessable);
        `reason` (missing unless the state is not_assessable); `episode` (its number in the course,
        or missing); `censored` (whether what became of that episode is not known); `reference`
        (the rating that is compared with), `unit`, `threshold` (points that a fall must reach) and
        `fall` (points below the reference); `z` (of the lowest run of ratings that begins here;
        missing unless the criterion has a window); `probability` (of a rupture; missing unless
        the criterion is a model).

    Warns
    -----
    NoteWarning
        As :func:`find_episodes`.

    Raises
    ------
    ProblemsFound
        As :func:`find_episodes`.

    Examples
    --------
    >>> ratings = pd.DataFrame({"course": "a", "session": [1, 2, 3, 4, 5],
    ...                         "rating": [36, 36, 20, 22, 36.5]})
    >>> states = session_states(ratings, better="higher", criterion="srs_cutoff", instrument="SRS")
    >>> states[["session", "state", "reference", "fall"]]
       session          state  reference  fall
    0        1         steady       36.0   0.0
    1        2         steady       36.0   0.0
    2        3       ruptured       36.0  16.0
    3        4       ruptured       36.0  14.0
    4        5  repaired_here       36.0  -0.5
    """
    about = About(better, range, reliability, sample_sd, instrument, max_gap, seed)
    columns = Columns(course, session, rating)
    found = find(asked_for(data, columns, about, criterion, settings))
    warn(found.notes)
    return found.states
