"""The tables of a dataset as they may be shown: withheld counts are missing, reasons public."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..project.measures import Measure, Measures
from .gate import Gate
from .limits import apart
from .linked_counts import Key
from .published_counts import DETECTION, of_claim, of_fit

#: Numbers in tables of estimates that were chosen, not found.
_CHOSEN = ("specification", "k", "k_factor", "minimum_sessions", "smallest")

#: Digits of estimates: with all of them, degrees of freedom and so counts could be worked out.
_DIGITS = 3

#: Digits of a standard error whose interval tells what it was multiplied with.
_FEW_DIGITS = 2

#: Degrees of freedom that differ by less from a whole number are one.
_WHOLE = 1e-6

#: Terms of which a synthesis pools the estimates.
_POOLED = ("repaired_within", "open_within", "n_repaired", "n_unrepaired")

#: On which courses the estimate of a term rests, by the beginning of its name.
_RESTS_ON = {
    "repaired": ("repaired",),
    "repaired_minus_open": ("repaired", "with"),
    "open": ("with",),
    "unrepaired": ("unrepaired",),
    "censored": ("censored",),
    "n_repaired": ("repaired",),
    "n_unrepaired": ("unrepaired",),
    "n_censored": ("censored",),
    "group": ("without", "only repaired", "unrepaired", "only censored"),
    "time:group": ("without", "only repaired", "unrepaired", "only censored"),
}

#: The same for parts of claims; those that do not depend on the criterion rest on all.
_CLAIMS_REST_ON = {
    ("C1", "between"): (),
    ("C1", "within"): (),
    ("C2", "distinct"): (),
    ("C4", "persistence"): ("with", "repaired"),
    ("C6", "alliance"): ("with", "repaired"),
    ("C6", "outcome"): (*_RESTS_ON["group"], "landmark"),
    ("C6", "through_alliance"): ("with", "repaired", "unrepaired"),
    ("C7", "repaired"): ("with", "repaired"),
    ("C7", "repaired_against_open"): ("with", "repaired"),
    ("C8", "alliance"): ("with", "unrepaired"),
    ("C9", "repaired"): ("with", "repaired"),
}


def measures(gate: Gate, known: Measures) -> dict[str, Measure]:
    """Return measures.json as it may be shown: constants computed of the data, uncounted."""

    def public(fact: Any) -> Any:
        computed = fact is not None and "{" in fact.source  # others are published, or stated
        if not computed or gate.open:
            return replace(fact, source=gate.text(fact.source)) if computed else fact
        # In all its digits it tells of how many ratings it is made.
        value = float(f"{fact.value:.{_DIGITS}g}")
        return replace(fact, source=gate.text(fact.source), value=value)

    return {
        name: replace(one, reliability=public(one.reliability),
                      reliable_change=public(one.reliable_change))
        for name, one in known.items()
    }  # fmt: skip


def _passed(gate: Gate, table: pd.DataFrame, column: str, key: Callable[[Any], Key]) -> list[Any]:
    """Return the counts of a column, missing where they are withheld."""
    return [gate.count(key(row), row[column]) for row in table.to_dict("records")]


def said(gate: Gate, table: pd.DataFrame, estimates: Any = True) -> pd.DataFrame:
    """Return a table with its reasons as they may be read.

    Parameters
    ----------
    gate : Gate
    table : DataFrame
        Reasons are in its columns `message`, `reason`, `note` and `step`.
    estimates : bool or array of bool, shape (rows,)
        Whether the estimate of a row is shown.
    """
    known = np.broadcast_to(estimates, len(table))
    texts = {
        name: pd.Series(
            [gate.text(one, estimates=bool(e)) for one, e in zip(table[name], known, strict=True)],
            table.index, dtype=table[name].dtype,
        )
        for name in ("message", "reason", "note", "step") if name in table
    }  # fmt: skip
    return table.assign(**texts)


def detection(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table detection as it may be shown."""
    if gate.open:
        return said(gate, table)

    def of(column: str) -> Callable[[Any], Key]:
        return lambda row: ("detection", str(row["measure"]), str(row["criterion"]), column)

    counts = {column: _passed(gate, table, column, of(column)) for column in DETECTION}
    # All courses are counted, with or without a rating of the measure.
    every: list[Key] = [("courses",)] * len(table)
    rated: list[Key] = [("ratings", str(measure)) for measure in table["measure"]]
    for column, keys in {"n_courses": every, "n_sessions": rated}.items():
        counts[column] = [gate.count(*one) for one in zip(keys, table[column], strict=True)]
    return said(gate, table.assign(**counts))


def chance(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table chance without what tells counts of detection that are withheld."""
    if gate.open:
        return said(gate, table)
    told = {
        "n_episodes": ["observed", "ratio", "excess", "false_discovery_rate", "p", "p_error"],
        "n_repaired": ["observed_repaired"],
        "n_unrepaired": ["observed_repaired"],
        "n_courses_with_episode": ["observed_courses"],
        "n_courses_assessable": ["n_courses_assessable"],
        "n_sessions_assessable": ["n_sessions_assessable"],
    }
    pairs = list(zip(table["measure"].astype(str), table["criterion"].astype(str), strict=True))
    table = table.copy()
    for count, columns in told.items():
        passed = [gate.passes(("detection", *pair, count)) for pair in pairs]
        hidden = ~np.array(passed, dtype=bool)
        for name in [name for name in columns if name in table]:
            table[name] = table[name].astype(float).mask(hidden)
    return said(gate, table)


def _without(table: pd.DataFrame, hidden: Any) -> pd.DataFrame:
    """Return estimates without any number that was found, in some rows."""
    numbers = [name for name in table.select_dtypes("number") if name not in _CHOSEN]
    found = {name: table[name].astype(float).round(_DIGITS).mask(hidden) for name in numbers}
    return table.assign(**found)


def _few(gate: Gate, row: Any, groups: tuple[str, ...]) -> bool:
    """Return whether an estimate rests on too few courses."""
    courses = row.get("n_courses")
    too_few = pd.notna(courses) and not gate.enough(courses)
    return bool(too_few) or gate.rests_on_few(str(row["measure"]), str(row["criterion"]), *groups)


def estimates(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of estimates, or of a multiverse, as it may be shown.

    Estimates that rest on too few courses are missing, with all else that was found for them.
    """
    if gate.open:
        return said(gate, table)

    def groups(row: Any) -> tuple[str, ...]:
        found = [of for begin, of in _RESTS_ON.items() if str(row["term"]).startswith(begin)]
        landmark = ("landmark",) if row.get("variant") == "landmark" else ()
        return found[-1] + landmark if found else ()

    rows = table.to_dict("records")
    hidden = np.array([_few(gate, row, groups(row)) for row in rows], dtype=bool)
    fits = "model" in table
    counts: dict[str, list[Any]] = {
        name: [gate.count(of_fit(row, name), row[name]) if fits else np.nan for row in rows]
        for name in table if name.startswith("n_")
    }  # fmt: skip
    shown = _without(table.assign(**counts), hidden)
    if "df" in shown:  # degrees of freedom count rows where nothing is random
        uncounted = shown[["n_sessions", "n_courses"]].isna().any(axis=1)
        shown["df"] = shown["df"].mask(uncounted)
        # Beside an interval p gives them back; where they are a whole number, they count courses.
        df = table["df"].astype(float)
        counting = uncounted & ((df - df.round()).abs() < _WHOLE)
        told = [name for name in ("statistic", "p") if name in shown]
        shown[told] = shown[told].mask(counting)
        # So does an exact standard error: half an interval over it is a quantile of t.
        coarse = [float(f"{one:.{_FEW_DIGITS}g}") for one in shown["std_error"]]
        shown["std_error"] = shown["std_error"].mask(counting, pd.Series(coarse, shown.index))
    return said(gate, shown, ~hidden)


def covariances(gate: Gate, table: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return covariances of estimates, missing where one of the two estimates is not shown.

    Where small counts are withheld, only those of the terms that are pooled are left: inverted,
    the covariances of all terms of a model tell sums over its rows, and so counts.

    Parameters
    ----------
    gate : Gate
    table : DataFrame
        measure, outcome, criterion, model, variant, term, other_term, covariance.
    shown : DataFrame
        The table of estimates, as :func:`estimates` returned it.
    """
    if gate.open:
        return table
    names = ["measure", "outcome", "criterion", "model", "variant", "term"]
    known = shown.loc[shown["std_error"].notna(), names].astype(str)
    passed = set(known.itertuples(index=False, name=None))
    hidden = np.zeros(len(table), dtype=bool)
    for term in ("term", "other_term"):
        own = table[[*names[:-1], term]].astype(str)
        hidden |= [one not in passed for one in own.itertuples(index=False, name=None)]
        hidden |= ~table[term].isin(_POOLED).to_numpy()
    values = table["covariance"].mask(hidden)
    digits = [float(f"{one:.{_DIGITS}g}") for one in values]
    return table.assign(covariance=digits)


def claims(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of claims as it may be shown; counts of the headline only."""
    if gate.open:
        return said(gate, table)
    rows = table.to_dict("records")
    hidden = np.array(
        [
            _few(gate, row, _CLAIMS_REST_ON.get((row["claim"], row["part"]), ("with",)))
            for row in rows
        ],
        dtype=bool,
    )
    if "n_with_episode" in table:  # which the share gives away
        share = table["n_with_episode"].notna().to_numpy()
        passed = [gate.passes(of_claim(row, "n_with_episode")) for row in rows]
        hidden |= share & ~np.array(passed, dtype=bool)
    counts = {
        name: [gate.count(of_claim(row, name), row[name]) for row in rows]
        for name in ("n_courses", "n_sessions", "n_episodes", "n_with_episode") if name in table
    }  # fmt: skip
    return said(gate, _without(table.assign(**counts), hidden), ~hidden)


def components(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of components of the headline as they may be shown."""
    if gate.open:
        return said(gate, table)
    counts = {
        name: [gate.count(("components", name), n) for n in table[name]]
        for name in ("n_courses", "n_sessions", "n_episodes")
    }
    counts["n_fell_most"] = [
        gate.count(("components", "fell", str(name)), n)
        for name, n in zip(table["component"], table["n_fell_most"], strict=True)
    ]
    table = table.assign(**counts)
    shares = ["share_fell_most", "share_low", "share_high"]
    unknown = table[["n_fell_most", "n_episodes"]].isna().any(axis=1)
    return said(gate, table.assign(**{one: table[one].mask(unknown) for one in shares}))


def flow(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the steps to the main model of the headline as they may be shown.

    `n_before` and `n_after` are those of the whole: before the first step and after the last.
    """
    if gate.open:
        return said(gate, table)
    parts = []
    for unit, steps in table.groupby("unit", sort=False):
        place = [str(at) for at in range(len(steps))]
        left = [gate.count(("flow", str(unit), at), n)
                for at, n in zip(place, steps["n_left_out"], strict=True)]  # fmt: skip
        after = gate.count(("flow", str(unit), place[-1], "after"), steps["n_after"].iloc[-1])
        before = gate.count((f"{unit}s",), steps["n_before"].iloc[0])
        parts.append(steps.assign(n_left_out=left, n_after=after, n_before=before))
    return said(gate, pd.concat(parts)) if parts else table


def simulated(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table sensitivity or certificate: simulated courses, but reasons of the data."""
    return said(gate, table)


def planted(gate: Gate, table: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return a table of what was planted and found, None where single courses are hidden."""
    return None if table is None or not gate.open else said(gate, table)


def agreement(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return how far criteria agree, to two decimals, where no cell behind it is too small.

    Pairs with most sessions come first: of them the share of sessions inside an episode is drawn.
    """
    if gate.open:
        return said(gate, table)
    cells = ["n_neither", "n_only_b", "n_only_a", "n_both"]
    hidden = ~np.array(gate.enough(table[[*cells, "n_sessions"]])).all(axis=1)
    few = np.zeros(len(table), dtype=bool)
    for side in "ab":
        every = table[f"n_episodes_{side}"]
        found = (table[f"shared_{side}"] * every).round().fillna(0)
        few |= apart(found, every, gate.least)
    table = table.assign(
        kappa=table["kappa"].round(2).mask(hidden),
        ac1=table["ac1"].round(2).mask(hidden),
        shared=table["shared"].round(2).mask(few),
    )
    for side in "ab":
        inside = (table[f"prevalence_{side}"] * table["n_sessions"]).round()
        few = apart(inside.fillna(0), table["n_sessions"], gate.least)
        table[f"prevalence_{side}"] = table[f"prevalence_{side}"].round(2).mask(few)
    largest = table.sort_values("n_sessions", ascending=False, kind="stable")
    counts = [name for name in table if name.startswith("n_")]
    spread = [name for name in table if name.endswith(("_std_error", "_ci_low", "_ci_high"))]
    return said(gate, largest.assign(**dict.fromkeys([*counts, *spread], np.nan)))
