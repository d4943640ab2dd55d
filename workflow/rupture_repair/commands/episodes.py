"""Episodes in one CSV file of ratings, without a project around it.

The file has one row per session: its course, its number and a rating, which may be empty or NA.
What a dataset.yaml would say of the measure is given as :class:`About`.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..detection import criteria, detect
from ..detection.criteria import Criterion
from ..detection.ratings import arrange, prepared
from ..ingest import instruments
from ..ingest.columns import Column
from ..ingest.delimited import read_columns
from ..ingest.layouts import MOST_SESSIONS
from ..project import yaml_files
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from ..statistics.reliability import reliable_change
from .csv_file import MISSING, open_file

EPISODES = ["course", "criterion", "episode", "onset", "first_low", "nadir", "repair", "status",
            "fall"]  # fmt: skip
STATES = ["course", "session", "criterion", "state"]

#: A calibrated k is solved on no more courses than these; of a larger file, on every nth.
CALIBRATION_COURSES = 2_000


class Columns(NamedTuple):
    """The names of the columns."""

    course: str
    session: str
    rating: str


@dataclass(frozen=True)
class About:
    """What is known of the ratings.

    Attributes
    ----------
    better : {"higher", "lower"}
    range : tuple of float, optional
        Lowest and highest possible rating.
    reliability : float, optional
        Gives the reliable change, with the SD of the first ratings of all courses.
    sample_sd : float, optional
        Pooled within-course SD in points, instead of that of the file. It also replaces the
        SD of first ratings where the file has none (fewer than two courses, or all alike).
    instrument : str, optional
        Id in ``knowledge/instruments.yaml``. Without it, a criterion made for one instrument is
        applied as if the ratings were of that instrument, with a note.
    max_gap : int, optional
        As in config.yaml: edge_rules.
    """

    better: str
    range: tuple[float, float] | None = None
    reliability: float | None = None
    sample_sd: float | None = None
    instrument: str | None = None
    max_gap: int | None = None

    def problems(self) -> list[Problem]:
        """Return what cannot be used (E719)."""
        low, high = self.range or (0.0, 1.0)
        checks = {
            "--range": (low < high and np.isfinite([low, high]).all(), f"{low:g} {high:g}",
                        "the lowest and the highest possible rating"),
            "--reliability": (self.reliability is None or 0 < self.reliability < 1,
                              self.reliability, "a number between 0 and 1"),
            "--sample-sd": (self.sample_sd is None or 0 < self.sample_sd < np.inf,
                            self.sample_sd, "a number above 0"),
            "--max-gap": (self.max_gap is None or self.max_gap >= 1, self.max_gap,
                          "a whole number from 1"),
        }  # fmt: skip
        found = [
            problem("E719", file=option, found=value, allowed=allowed)
            for option, (fits, value, allowed) in checks.items()
            if not fits
        ]
        known = instruments.load()
        if self.instrument is not None and self.instrument not in known:
            hint, allowed = did_you_mean(self.instrument, known), listing(known, 40)
            entry = problem("E719", file="--instrument", found=self.instrument, hint=hint,
                            allowed=allowed)  # fmt: skip
            found.append(entry)
        return found


class Found(NamedTuple):
    """What the criteria found.

    Attributes
    ----------
    episodes : DataFrame
        One row per episode: :data:`EPISODES`, with sessions as numbers of the file and `fall` in
        points.
    states : DataFrame
        One row per session from the first to the last rating of a course: :data:`STATES`.
    notes : list of str
        What could not be applied, and what was assumed.
    """

    episodes: pd.DataFrame
    states: pd.DataFrame
    notes: list[str]


# ---------------------------------------------------------------------------- reading


def _missing_columns(header: tuple[str, ...], file: Path, columns: Columns) -> list[Problem]:
    """Return columns that are not there (E714) or there more than once (E715)."""
    known = [name for name in header if name]
    found = []
    for option, name in columns._asdict().items():
        place: dict[str, Any] = {"file": file, "key": f"--{option}", "found": name}
        count = header.count(name)
        if count == 0:
            hint = did_you_mean(name, known)
            found.append(problem("E714", hint=hint, allowed=listing(known, 40), **place))
        elif count > 1:
            found.append(problem("E715", number=count, **place))
    return found


def _ratings(column: Column, span: tuple[float, float] | None, found: list[Problem]) -> np.ndarray:
    """Return the ratings, NaN where there is none; report what is no number or out of range."""
    texts = column.texts.to_pylist()
    gone = np.array([text in MISSING for text in texts], dtype=bool)
    number, _ = column.kinds
    found += column.faults("E716", (~number & ~gone) | np.isinf(column.distinct))
    if span is None:
        return column.numbers()
    facts = {"low": f"{span[0]:g}", "high": f"{span[1]:g}"}
    found += column.faults("E717", column.outside(*span) & np.isfinite(column.distinct), **facts)
    return column.numbers(*span)


def _sessions(column: Column, found: list[Problem]) -> np.ndarray:
    """Return the numbers of the sessions, -1 where they are none."""
    found += column.faults_at("E207", np.flatnonzero(column.codes < 0))
    number = column.distinct
    with np.errstate(invalid="ignore"):
        fits = (number == np.floor(number)) & (number >= 0) & (number <= MOST_SESSIONS)
    found += column.faults("E718", ~fits, most=MOST_SESSIONS)
    return column.each(np.where(fits, number, -1.0), -1.0).astype(np.int64)


def natural(text: str) -> tuple[Any, ...]:
    """Return a key that sorts numbers within texts by their value: C2 before C10.

    Examples
    --------
    >>> sorted(["C10", "C2", "b", "1"], key=natural)
    ['1', 'C2', 'C10', 'b']
    """
    parts = [part for part in re.split(r"([0-9]+)", text) if part]
    key = [(int(part), "") if part.isdecimal() else (math.inf, part) for part in parts]
    return (*key, (-1, text))  # what ends sorts before what goes on; 01 and 1 have an order, too


def read(
    path: Path, columns: Columns, span: tuple[float, float] | None = None, delimiter: str = ","
) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Read ratings.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8.
    columns : Columns
    span : tuple of float, optional
        Lowest and highest possible rating.
    delimiter : str

    Returns
    -------
    DataFrame or None, list of Problem
        Columns `course`, `session` and `rating` (NaN where empty), sorted by course (numbers in ids
        by their value) and session. Every problem of the file: E206, E207, E302, E305, E306, E309,
        E314, E320 and E711 to E719; then there is no table.
    """
    source, found = open_file(path, delimiter)
    if source is None:
        return None, found
    found = _missing_columns(source.header, path, columns)
    if found:
        return None, found
    table, found = read_columns(source, dict.fromkeys(columns, ""), ())
    if table is None:
        return None, found
    course, session, rating = (table.columns[name] for name in columns)
    found += course.faults_at("E206", np.flatnonzero(course.codes < 0))
    number = _sessions(session, found)
    values = _ratings(rating, span, found)
    texts = course.texts.to_pylist()
    ids = sorted(texts, key=natural)
    place = {text: at for at, text in enumerate(ids)}
    rank = course.each(np.array([place[text] for text in texts], dtype=np.int64), -1)
    _check_rows(course, session, rank, number, found)
    if any(entry.code.startswith("E") for entry in found):
        return None, found
    order = np.lexsort((number, rank))
    frame = pd.DataFrame(
        {
            "course": pd.Categorical.from_codes(rank[order], pd.Index(ids, dtype=object)),
            "session": number[order],
            "rating": values[order],
        }
    )
    return frame, found


def _check_rows(
    course: Column, session: Column, rank: np.ndarray, number: np.ndarray, found: list[Problem]
) -> None:
    """Report two rows for one session (E309)."""
    fit = np.flatnonzero((rank >= 0) & (number >= 0))
    key = rank[fit] * (MOST_SESSIONS + 1) + number[fit]
    again = pd.Series(key).duplicated().to_numpy()
    if again.any():
        at = fit[again]
        first = int(session.rows[fit[np.argmax(key == key[np.argmax(again)])]])
        text = course.texts[int(course.codes[at[0]])].as_py()
        found += session.faults_at("E309", at, course=text, first=first)


# ---------------------------------------------------------------------------- detecting


def _reliable_change(ratings: pd.DataFrame, about: About, notes: list[str]) -> dict | None:
    """Return the reliable change as measures.json has it."""
    if about.reliability is None:
        return None
    rated = ratings.dropna(subset=["rating"])
    firsts = rated.loc[~rated["course"].duplicated(), "rating"]
    sd = float(firsts.std(ddof=1)) if len(firsts) > 1 else 0.0
    if not sd > 0 and about.sample_sd is not None:
        sd = about.sample_sd
        notes.append(
            "the first ratings have no SD (fewer than two courses, or all alike): the reliable "
            "change rests on --sample-sd"
        )
    return {"value": reliable_change(sd, about.reliability)} if sd > 0 else None


def _rules(
    ids: Iterable[str], settings: Mapping[str, Any]
) -> tuple[list[Criterion], list[Problem]]:
    """Return the criteria asked for, with changed settings."""
    known = [rule.id for rule in criteria.load()]
    found = [
        problem("E720", file=option, found=name, hint=did_you_mean(name, known),
                allowed=listing(known, 40))
        for option, names in (("--criterion", ids), ("--set", settings))
        for name in names
        if name not in known
    ]  # fmt: skip
    if found:
        return [], found
    try:
        return criteria.load(ids, settings, config_file="command line"), []
    except ProblemsFound as refused:
        return [], refused.problems


def _instrument(rule: Criterion, about: About, notes: list[str]) -> str | None:
    """Return the instrument of the ratings, that of the criterion where none is stated."""
    if not rule.instruments or about.instrument is not None:
        return about.instrument
    notes.append(
        f"{rule.id} is a rule for the {' or '.join(rule.instruments)}: the ratings are taken to be "
        "of it, for it was asked for (--instrument says otherwise)"
    )
    return rule.instruments[0]


def _calibrated(
    ratings: pd.DataFrame,
    rules: list[Criterion],
    measure: Mapping[str, Any],
    edge_rules: Mapping[str, Any],
    notes: list[str],
) -> list[Criterion]:
    """Return the criteria with numbers for k, solved for this file as for a dataset."""
    if not any(rule.needs_k for rule in rules):
        return rules
    from ..chance import calibrate
    from ..chance.replicates import prepare

    rated = ratings["course"].cat.categories
    chosen = rated[:: max(1, -(-len(rated) // CALIBRATION_COURSES))]
    some = arrange(ratings[ratings["course"].isin(chosen)], "rating", measure)
    settings = yaml_files.complete({}, "config")
    null = prepare(some, "rating", measure, seed=settings["seed"])
    table = calibrate.calibrated_k(null, rules, edge_rules, settings["chance"], dataset="file")
    notes += [
        f"{row.criterion}: k = {row.k:g} was solved for this file, so that {row.false_alarm:.1%} "
        f"of courses without a rupture show an episode; --set {row.criterion}.k=NUMBER sets it"
        for row in table.dropna(subset=["k"]).itertuples()
    ]
    return criteria.with_calibrated_k(rules, table)


def find(ratings: pd.DataFrame, rules: Iterable[Criterion], about: About) -> Found:
    """Apply criteria to ratings.

    Parameters
    ----------
    ratings : DataFrame
        From :func:`read`.
    rules : iterable of Criterion
    about : About

    Returns
    -------
    Found
        Sorted by course as in `ratings`, by criterion as in `rules`, by episode or session.
    """
    notes: list[str] = []
    edge_rules = dict(yaml_files.complete({}, "config")["edge_rules"])
    edge_rules["max_gap"] = about.max_gap or edge_rules["max_gap"]
    measure: dict[str, Any] = {
        "better": about.better,
        "range": about.range,
        "instrument": about.instrument,
        "components": [],
        "reliable_change": _reliable_change(ratings, about, notes),
    }
    # A first session may be numbered 0; some rules know session 1 as the first.
    from_zero = int((ratings["session"] == 0).any())
    ratings = ratings.assign(session=ratings["session"] + from_zero)
    rules = _calibrated(ratings, list(rules), measure, edge_rules, notes)
    arranged = prepared(ratings, "rating", measure, rules)
    if about.sample_sd is not None:
        sd = about.sample_sd
        scale = replace(arranged.scale, sample_sd_mean=sd, sample_sd_trend=sd)
        arranged = replace(arranged, scale=scale)
    episodes, states = [], []
    for rule in rules:
        its_measure = measure | {"instrument": _instrument(rule, about, notes)}
        one = detect.detect_one(
            arranged, rule, edge_rules, dataset="file", name="rating", measure=its_measure
        )
        if one.summary["reason"] is not None:
            notes.append(f"{rule.id} is not assessable: {one.summary['reason']}")
        numbers = ["onset", "first_low", "nadir", "repair"]
        episodes.append(one.episodes[EPISODES].assign(**one.episodes[numbers] - from_zero))
        states.append(one.states.select(STATES).to_pandas())
        states[-1]["session"] -= from_zero
    ids = ratings["course"].cat.categories
    return Found(_in_order(episodes, ids), _in_order(states, ids), notes)


def _in_order(parts: list[pd.DataFrame], ids: pd.Index) -> pd.DataFrame:
    """Join one table per criterion, sorted by course; within a course as the tables come."""
    course = np.concatenate([ids.get_indexer(part["course"].astype(object)) for part in parts])
    order = np.argsort(course, kind="stable")
    names = {"course": pd.api.types.CategoricalDtype(ids)}
    words = [name for name in ("criterion", "state", "status") if name in parts[0]]
    for name in words:
        values = dict.fromkeys(value for part in parts for value in part[name].unique())
        names[name] = pd.api.types.CategoricalDtype(list(values))
    whole = pd.concat([part.astype(names) for part in parts], ignore_index=True)
    return whole.iloc[order].reset_index(drop=True)


def detect_in_file(
    path: Path,
    columns: Columns,
    about: About,
    ids: Iterable[str],
    settings: Mapping[str, Any] | None = None,
    delimiter: str = ",",
) -> Found:
    """Apply criteria to a file of ratings.

    Parameters
    ----------
    path, columns, delimiter
        As for :func:`read`.
    about : About
    ids : iterable of str
        Ids of criteria.
    settings : mapping, optional
        Id -> settings that replace those of the row.

    Returns
    -------
    Found

    Raises
    ------
    ProblemsFound
        With every problem of file, options and criteria.
    """
    rules, problems = _rules(list(dict.fromkeys(ids)), settings or {})
    faults = about.problems()
    span = None if any(entry.file == "--range" for entry in faults) else about.range
    ratings, found = read(path, columns, span, delimiter)
    errors = [entry for entry in (*problems, *faults, *found) if entry.code.startswith("E")]
    if errors or ratings is None:
        raise ProblemsFound(errors)
    made = find(ratings, rules, about)
    return made._replace(notes=[*(entry.text for entry in found), *made.notes])
