"""Tests on the outputs, run with every dataset: parts sum to totals, states are exclusive.

A broken rule is a mistake of ours, not of the user: it stops the run and names the rule, the
table and how many rows break it.
"""

import io
from collections.abc import Collection, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .claims.verdicts import VERDICTS
from .detection.episodes import STATES, STATUSES
from .project.csv_cells import write_csv
from .project.measures import Measures
from .project.problems import ProblemsFound, problem

#: What identifies one application of a criterion.
BY = ["measure", "criterion"]

_COUNTS = ["n_episodes", *(f"n_{status}" for status in STATUSES)]
_STATE_COLUMNS = [*BY, "course", "session", "state", "reason", "episode", "censored"]


class RuleBroken(Exception):
    """Tables of the project contradict each other: a mistake of ours."""


def _rule(name: str, broken: pd.Series | np.ndarray | bool) -> dict[str, Any]:
    broken = np.asarray(broken, dtype=bool)
    rows = np.flatnonzero(broken)
    found = {"rule": name, "rows": int(broken.size), "broken": len(rows)}
    return found | ({"first": int(rows[0]) + 1} if len(rows) else {})


def of_sessions(sessions: pd.DataFrame, measures: Measures) -> list[dict]:
    """Check the canonical table of sessions against its rules.

    Parameters
    ----------
    sessions : DataFrame
    measures : mapping of str to Measure

    Returns
    -------
    list of dict
        One entry per rule: `rule` in words, `rows` looked at, `broken` rows.
    """
    key = ["course", "session"]
    rules = [
        _rule("sessions: a course and session occur once", sessions.duplicated(key)),
        _rule("sessions: session numbers begin at 1", sessions["session"] < 1),
        _rule("sessions: every row names its course", sessions["course"].isna()),
    ]
    for name, measure in measures.items():
        if measure.per_session:
            low, high = measure.range or (-np.inf, np.inf)
            values = sessions[name].dropna()
            rules.append(_rule(f"sessions: {name} lies in its range", ~values.between(low, high)))
    return rules


def of_states(states: pd.DataFrame, detection: pd.DataFrame) -> list[dict]:
    """Check the states of sessions against their rules: exclusive, exhaustive, summing up."""
    unassessed = states["state"] == "not_assessable"
    rated = states[states["reason"] != "not rated"].groupby(BY, observed=True).size()
    summed = detection.set_index(BY)["n_sessions"]
    inside = states["state"].isin(["ruptured", "repaired_here"])
    return [
        _rule("states: each session has one state", states.duplicated([*BY, "course", "session"])),
        _rule("states: only known states", ~states["state"].isin(STATES)),
        _rule("states: a reason where, and only where, not assessable",
              unassessed != states["reason"].notna()),
        _rule("states: rated sessions sum to the total",
              rated.reindex(summed.index, fill_value=0) != summed),
        _rule("states: in an episode where, and only where, ruptured or repaired here",
              inside != (states["episode"].notna() & (states["reason"] != "not rated"))),
        _rule("states: only sessions of an episode are censored",
              states["censored"] & states["episode"].isna()),
    ]  # fmt: skip


def of_episodes(
    episodes: pd.DataFrame, detection: pd.DataFrame, overlapping: Collection[str]
) -> list[dict]:
    """Check the episodes against their rules: order of sessions, status, sums."""
    repaired = episodes["repair"].notna()
    onset = episodes["onset"].astype("Float64").fillna(-np.inf)
    key = [*BY, "course"]
    following = episodes.groupby(key, observed=True)["first_low"].shift(-1)
    counted = episodes.groupby(BY, observed=True)["status"].value_counts().unstack(fill_value=0)
    counted = counted.reindex(
        index=pd.MultiIndex.from_frame(detection[BY]), columns=list(STATUSES), fill_value=0
    )
    stated = detection[_COUNTS[1:]].to_numpy()
    return [
        _rule("episodes: onset before first low rating", onset >= episodes["first_low"]),
        _rule("episodes: nadir between first low rating and end",
              ~episodes["nadir"].between(episodes["first_low"], episodes["end"])),
        _rule("episodes: only known statuses", ~episodes["status"].isin(STATUSES)),
        _rule("episodes: repaired where, and only where, there is a repair",
              repaired != (episodes["status"] == "repaired")),
        _rule("episodes: a repaired episode ends with its repair",
              (episodes["repair"] != episodes["end"])[repaired]),
        # Whoever reports a rupture need not have rated the session lower.
        _rule("episodes: every fall is positive",
              ~(episodes["fall"] > 0) & (episodes["criterion"] != "reported")),
        _rule("episodes: no onset inside an open episode",
              (following <= episodes["end"]) & ~episodes["criterion"].isin(overlapping)),
        _rule("episodes: statuses sum to the totals", (counted.to_numpy() != stated).any(axis=1)),
        _rule("detection: repaired, unrepaired and censored sum to the episodes",
              detection[_COUNTS[1:]].sum(axis=1) != detection["n_episodes"]),
        _rule("detection: no more courses with an episode than assessable ones",
              detection["n_courses_with_episode"] > detection["n_courses_assessable"]),
    ]  # fmt: skip


def of_estimates(estimates: pd.DataFrame, detection: pd.DataFrame) -> list[dict]:
    """Check the estimates against their rules: every fit has a status, intervals hold."""
    fitted = estimates["status"].isin(["converged", "singular"])
    numbers = estimates[fitted & estimates["term"].notna()]
    inside = numbers["estimate"].between(numbers["ci_low"], numbers["ci_high"])
    wanted = pd.MultiIndex.from_frame(detection[BY])
    there = pd.MultiIndex.from_frame(estimates[BY].drop_duplicates())
    return [
        _rule("estimates: every fit has a known status",
              ~(fitted | estimates["status"].isin(["failed", "not_assessable"]))),
        _rule("estimates: a fit without result gives its reason",
              ~fitted & ~(estimates["message"].fillna("").str.len() > 0)),
        _rule("estimates: a fit without result has no estimate",
              ~fitted & estimates["estimate"].notna()),
        _rule("estimates: every estimate lies in its interval", ~inside),
        _rule("estimates: every standard error is positive", ~(numbers["std_error"] > 0)),
        _rule("estimates: p lies between 0 and 1", ~numbers["p"].between(0, 1)),
        _rule("estimates: every criterion of every measure is there", ~wanted.isin(there)),
    ]  # fmt: skip


def of_flow(flow: pd.DataFrame, estimates: pd.DataFrame) -> list[dict]:
    """Check the flow of exclusions against its rules: it adds up, and ends at what was analysed."""
    flow, keys = flow.astype(dict.fromkeys(BY, "str")), [*BY, "unit"]
    follows = flow.groupby(keys, sort=False, observed=True)["n_after"].shift()
    last = flow.drop_duplicates(keys, keep="last").pivot(index=BY, columns="unit", values="n_after")
    estimates = estimates.astype(dict.fromkeys(BY, "str"))
    main = estimates[(estimates["model"] == "next_session") & (estimates["variant"] == "main")]
    fitted = main[main["term"].notna()].drop_duplicates(BY).set_index(BY)
    counts = fitted.reindex(last.index)[["n_sessions", "n_courses"]].fillna(0)
    return [
        _rule("flow: every step adds up",
              flow["n_before"] != flow["n_left_out"] + flow["n_after"]),
        _rule("flow: nothing is counted below zero", flow["n_left_out"] < 0),
        _rule("flow: every step begins where the one before ends",
              follows.notna() & (follows != flow["n_before"])),
        _rule("flow: it ends at what the model was fitted to",
              (last[["session", "course"]].to_numpy() != counts.to_numpy()).any(axis=1)),
    ]  # fmt: skip


def of_agreement(agreement: pd.DataFrame, detection: pd.DataFrame) -> list[dict]:
    """Check the agreement of criteria against its rules: every pair, cells that sum up, limits."""
    cells = agreement[["n_neither", "n_only_b", "n_only_a", "n_both"]].sum(axis=1)
    rated = detection[detection["n_sessions"] > 0]  # without a rating there is nothing to compare
    number = rated.groupby("measure", sort=False)["criterion"].nunique()
    there = agreement.groupby("measure", sort=False).size().reindex(number.index, fill_value=0)
    known = agreement[["kappa", "ac1"]].melt()["value"].dropna()
    shares = agreement[["shared_a", "shared_b", "shared"]].melt()["value"].dropna()
    return [
        _rule("agreement: every pair of criteria is there", there != number * (number - 1) // 2),
        _rule("agreement: cells sum to the sessions", cells != agreement["n_sessions"]),
        _rule("agreement: kappa and AC1 lie between -1 and 1", ~known.between(-1, 1)),
        _rule("agreement: a reason where, and only where, there is no kappa",
              agreement["kappa"].isna() != agreement["reason"].notna()),
        _rule("agreement: shares of episodes lie between 0 and 1", ~shares.between(0, 1)),
    ]  # fmt: skip


def of_diagnostics(diagnostics: pd.DataFrame) -> list[dict]:
    """Check the diagnostics against their rules: a value or a reason, intervals, shares, limits."""
    value = diagnostics["value"]
    given = value.notna()
    kind = diagnostics["diagnostic"]
    inside = value.between(diagnostics["low"], diagnostics["high"])
    drawn = diagnostics[diagnostics["reference_low"].notna() & (kind != "influence")]
    key = [*BY, "diagnostic", "of", "part", "x"]
    return [
        _rule("diagnostics: a reason where, and only where, there is no value",
              given == diagnostics["message"].notna()),
        _rule("diagnostics: every value lies in its interval",
              (given & diagnostics["low"].notna()) & ~inside),
        _rule("diagnostics: the mean of what the model draws lies in its range",
              ~drawn["reference"].between(drawn["reference_low"], drawn["reference_high"])),
        _rule("diagnostics: p lies between 0 and 1",
              ~diagnostics["p"].dropna().between(0, 1)),
        _rule("diagnostics: autocorrelations lie between -1 and 1",
              ~value[given & kind.isin(["autocorrelation", "rho"])].between(-1, 1)),
        _rule("diagnostics: shares lie between 0 and 1",
              ~value[given & (kind == "ends")].between(0, 1)),
        _rule("diagnostics: each place of a curve occurs once",
              diagnostics[kind != "residual"].duplicated(key)),
    ]  # fmt: skip


def of_claims(claims: pd.DataFrame, detection: pd.DataFrame) -> list[dict]:
    """Check the claims against their rules: a verdict with its reason, an interval where judged."""
    judged = claims["verdict"] != "not assessable"
    interval = claims[["ci_low", "estimate", "ci_high"]]
    whole = interval.notna().all(axis=1)
    inside = interval["estimate"].between(interval["ci_low"], interval["ci_high"])
    parts = claims.groupby(BY, observed=True).size()
    return [
        _rule("claims: only known verdicts", ~claims["verdict"].isin(VERDICTS)),
        _rule("claims: every verdict has its reason",
              ~(claims["reason"].fillna("").str.len() > 0)),
        _rule("claims: a whole interval, or none, and one where there is a judgement",
              ~whole & (judged | interval.notna().any(axis=1))),
        _rule("claims: every estimate lies in its interval", whole & ~inside),
        _rule("claims: every part of every claim for every criterion",
              parts.reindex(pd.MultiIndex.from_frame(detection[BY])) != parts.max()),
    ]  # fmt: skip


def of_multiverse(plan: pd.DataFrame, fits: pd.DataFrame, summary: pd.DataFrame) -> list[dict]:
    """Check the multiverse against its rules: every specification of the plan, with its reason."""
    per = fits.groupby("specification").size().reindex(plan["specification"], fill_value=0)
    without = fits["estimate"].isna()
    ended = summary[["n_fitted", "n_failed", "n_not_assessable"]].sum(axis=1)
    shares = summary.filter(regex="^(share|p)_(?!error)").melt()["value"].dropna()
    return [
        _rule("multiverse: every specification of the plan has its rows",
              per != len(summary)),
        _rule("multiverse: one main specification at most", plan["main"].sum() > 1),
        _rule("multiverse: a specification without estimate gives its reason",
              without & ~(fits["message"].fillna("").str.len() > 0)),
        _rule("multiverse: fitted, failed and not assessable sum to the specifications",
              ended != summary["n_specifications"]),
        _rule("multiverse: shares and p lie between 0 and 1", ~shares.between(0, 1)),
    ]  # fmt: skip


def of_csv(files: Iterable[str | Path]) -> list[dict]:
    """Check that each CSV file says what the table for the next steps says, line by line."""
    rules = []
    for csv in sorted(map(Path, files)):
        file, text = csv.with_suffix(".parquet"), io.StringIO()
        write_csv(pd.read_parquet(file, page_checksum_verification=True), text)
        pairs = zip_longest(
            text.getvalue().split("\n"), csv.read_text(encoding="utf-8").split("\n")
        )
        differ = [one != other for one, other in pairs]
        rules.append(_rule(f"{csv.name}: every line is that of {file.name}", np.array(differ)))
    return rules


def failed_models(estimates: pd.DataFrame) -> ProblemsFound | None:
    """Return the models that could not be fitted as problems (E590), None where all could."""
    key = [*BY, "model", "variant"]
    failed = estimates[estimates["status"] == "failed"].drop_duplicates(key)
    rows = failed[["dataset", *key, "message"]].to_dict("records")
    return ProblemsFound([problem("E590", **row) for row in rows]) if rows else None


def verify(
    folder: str | Path,
    measures: Measures,
    *,
    overlapping: Collection[str],
    csv: Iterable[str | Path],
) -> list[dict]:
    """Check all tables of a dataset against the rules.

    Parameters
    ----------
    folder : path
        ``data/processed/<dataset>``.
    measures : mapping of str to Measure
    overlapping : collection of str
        Criteria that allow an onset inside an open episode.
    csv : iterable of path
        The CSV files to be held against the Parquet file of the same name beside them.

    Returns
    -------
    list of dict
        One entry per rule: `rule`, `rows`, `broken` (0 everywhere).

    Raises
    ------
    RuleBroken
        If any rule is broken; names each.
    """
    folder = Path(folder)
    detection = pd.read_parquet(folder / "detection.parquet")
    states = pd.read_parquet(folder / "session_states.parquet", columns=_STATE_COLUMNS)
    rules = of_sessions(pd.read_parquet(folder / "sessions.parquet"), measures)
    rules += of_states(states, detection)
    rules += of_episodes(pd.read_parquet(folder / "episodes.parquet"), detection, overlapping)
    estimates = pd.read_parquet(folder / "estimates.parquet")
    rules += of_estimates(estimates, detection)
    rules += of_flow(pd.read_parquet(folder / "flow.parquet"), estimates)
    rules += of_agreement(pd.read_parquet(folder / "agreement.parquet"), detection)
    rules += of_claims(pd.read_parquet(folder / "claims.parquet"), detection)
    rules += of_diagnostics(pd.read_parquet(folder / "diagnostics.parquet"))
    rules += of_multiverse(
        pd.read_parquet(folder / "multiverse.parquet"),
        pd.read_parquet(folder / "multiverse_estimates.parquet"),
        pd.read_csv(folder / "multiverse_summary.csv"),
    )
    rules += of_csv(csv)
    broken = [entry for entry in rules if entry["broken"]]
    if broken:
        lines = [
            f"{entry['rule']}: {entry['broken']} of {entry['rows']}, first in row {entry['first']}"
            for entry in broken
        ]
        raise RuleBroken(f"tables in {folder} break their rules: " + "; ".join(lines))
    return rules
