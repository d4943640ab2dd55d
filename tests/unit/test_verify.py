"""Each rule on the outputs can be broken, and says so."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measures
from made_settings import EDGE_RULES
from rupture_repair import verify
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.agreement import agreement

MEASURES = made_measures(alliance={"instrument": "SRS", "reliable_change": {"value": 4.0}})


@pytest.fixture
def folder(tmp_path):
    ratings = [36, 36, 20, 22, 35, 36, np.nan, 36, 30, 20, 20, 20, 21, 20, 36, 36, 10]
    sessions = pd.DataFrame(
        {"course": ["a"] * 17, "session": np.arange(1, 18), "alliance": ratings}
    )
    rules = criteria.load(["reliable_drop", "v_1sd"])
    detect.write(detect.detect(sessions, MEASURES, rules, EDGE_RULES, dataset="d"), tmp_path)
    sessions.to_parquet(tmp_path / "sessions.parquet")
    common = {"dataset": "d", "measure": "alliance", "model": "final", "variant": "main"}
    numbers = {"estimate": 1.0, "std_error": 0.5, "p": 0.04, "ci_low": 0.1, "ci_high": 1.9}
    rows = [
        common | numbers | {"criterion": "reliable_drop", "term": "x", "status": "converged"},
        common | {"criterion": "v_1sd", "status": "not_assessable", "message": "no outcome"},
    ]
    estimates = pd.DataFrame(
        rows,
        columns=[
            *(*common, "criterion", "term", "status", "message", "n_sessions", "n_courses"),
            *numbers,
        ],
    )
    estimates.to_parquet(tmp_path / "estimates.parquet")
    _flow().to_parquet(tmp_path / "flow.parquet")
    found = [
        pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("session_states", "episodes")
    ]
    agreement(*found).to_parquet(tmp_path / "agreement.parquet")
    _write_multiverse(tmp_path)
    judged = {"estimate": 1.0, "ci_low": 0.1, "ci_high": 1.9, "verdict": "supported"}
    claims = pd.DataFrame(
        [
            {"measure": "alliance", "criterion": "reliable_drop", "claim": "C7", "part": "open"}
            | judged | {"reason": "the interval lies above zero"},
            {"measure": "alliance", "criterion": "v_1sd", "claim": "C7", "part": "open"}
            | {"verdict": "not assessable", "reason": "no outcome"},
        ]
    )  # fmt: skip
    claims.to_parquet(tmp_path / "claims.parquet")
    place = {"measure": "alliance", "criterion": "v_1sd", "part": None, "message": None}
    limits = {"low": 0.0, "high": 0.4, "reference": 0.0, "reference_low": -0.1,
              "reference_high": 0.1, "p": 0.02}  # fmt: skip
    curve = [
        place | limits | {"diagnostic": "autocorrelation", "of": "residual", "x": x, "value": 0.2}
        for x in (1.0, 2.0)
    ]
    ends = place | {"diagnostic": "ends", "of": "outcome", "part": "best", "value": 0.3}
    why_not = place | {"diagnostic": "mean", "of": "residual", "message": "too few courses"}
    pd.DataFrame([*curve, ends, why_not]).to_parquet(tmp_path / "diagnostics.parquet")
    return tmp_path


def _flow():
    """The steps of one criterion whose model has no result."""
    numbers = {"session": [17, 16, 10, 0], "course": [1, 1, 1, 0]}
    return pd.DataFrame(
        [
            {"measure": "alliance", "criterion": "v_1sd", "unit": unit, "n_before": before,
             "n_left_out": before - after, "n_after": after}
            for unit, kept in numbers.items()
            for before, after in pairwise(kept)
        ]
    )  # fmt: skip


def _write_multiverse(folder):
    """Two specifications, one of them without result, of two exposures."""
    plan = pd.DataFrame({"specification": [1, 2], "main": [True, False]})
    plan.to_parquet(folder / "multiverse.parquet")
    fits = pd.DataFrame(
        {
            "specification": [1, 1, 2, 2], "term": ["repaired", "open"] * 2,
            "estimate": [1.0, 2.0, np.nan, np.nan], "message": ["", "", "too few", "too few"],
        }
    )  # fmt: skip
    fits.to_parquet(folder / "multiverse_estimates.parquet")
    summary = pd.DataFrame(
        {
            "term": ["repaired", "open"], "n_specifications": 2, "n_fitted": 1, "n_failed": 0,
            "n_not_assessable": 1, "share_positive": 1.0, "p_median": 0.2, "p_error_median": 0.1,
        }
    )  # fmt: skip
    summary.to_csv(folder / "multiverse_summary.csv", index=False)


def change(folder, name, edit):
    path = folder / f"{name}.parquet"
    if not path.exists():
        table = pd.read_csv(path.with_suffix(".csv"))
        edit(table)
        table.to_csv(path.with_suffix(".csv"), index=False)
        return
    table = pd.read_parquet(path)
    categories = table.select_dtypes("category").columns
    table = table.astype(dict.fromkeys(categories, "str"))
    edit(table)
    table.to_parquet(path)


def checked(folder, overlapping=()):
    csv = [file for file in folder.glob("*.csv") if file.with_suffix(".parquet").exists()]
    return verify.verify(folder, MEASURES, overlapping=overlapping, csv=csv)


def test_tables_as_written_keep_every_rule(folder):
    rules = checked(folder)
    assert all(entry["broken"] == 0 for entry in rules)
    assert sum(entry["rows"] > 0 for entry in rules) == len(rules)


def setter(column, row, value):
    def edit(table):
        table.loc[table.index[row], column] = value

    return edit


BREAKS = [
    ("sessions", setter("session", 0, 2), "a course and session occur once"),
    ("sessions", setter("session", 0, 0), "session numbers begin at 1"),
    ("sessions", setter("course", 0, None), "every row names its course"),
    ("sessions", setter("alliance", 0, 41.0), "alliance lies in its range"),
    ("session_states", setter("session", 1, 1), "each session has one state"),
    ("session_states", setter("state", 1, "calm"), "only known states"),
    ("session_states", setter("reason", 1, "why"), "a reason where, and only where"),
    ("session_states", setter("reason", 6, "other"), "rated sessions sum to the total"),
    ("session_states", setter("state", 2, "steady"), "in an episode where, and only where"),
    ("session_states", setter("censored", 1, True), "only sessions of an episode are censored"),
    ("episodes", setter("onset", 0, 3), "onset before first low rating"),
    ("episodes", setter("nadir", 0, 9), "nadir between first low rating and end"),
    ("episodes", setter("status", 0, "mended"), "only known statuses"),
    ("episodes", setter("status", 0, "censored"), "repaired where, and only where"),
    ("episodes", setter("repair", 0, 4), "a repaired episode ends with its repair"),
    ("episodes", setter("fall", 0, 0.0), "every fall is positive"),
    ("episodes", setter("first_low", 1, 5), "no onset inside an open episode"),
    ("detection", setter("n_repaired", 0, 7), "statuses sum to the totals"),
    ("detection", setter("n_episodes", 0, 9), "sum to the episodes"),
    ("detection", setter("n_courses_with_episode", 0, 9), "no more courses with an episode"),
    ("estimates", setter("status", 0, "fine"), "every fit has a known status"),
    ("estimates", setter("message", 1, ""), "a fit without result gives its reason"),
    ("estimates", setter("estimate", 1, 0.0), "a fit without result has no estimate"),
    ("estimates", setter("ci_low", 0, 1.5), "every estimate lies in its interval"),
    ("estimates", setter("std_error", 0, 0.0), "every standard error is positive"),
    ("estimates", setter("p", 0, 1.5), "p lies between 0 and 1"),
    ("estimates", setter("criterion", 1, "dip"), "every criterion of every measure is there"),
    ("flow", setter("n_left_out", 0, 2), "flow: every step adds up"),
    ("flow", setter("n_left_out", 1, -1), "flow: nothing is counted below zero"),
    ("flow", setter("n_before", 1, 15), "every step begins where the one before ends"),
    ("flow", setter("n_after", 2, 3), "it ends at what the model was fitted to"),
    ("agreement", setter("measure", 0, "other"), "every pair of criteria is there"),
    ("agreement", setter("n_both", 0, 99), "cells sum to the sessions"),
    ("agreement", setter("kappa", 0, 1.5), "kappa and AC1 lie between -1 and 1"),
    ("agreement", setter("reason", 0, "why"), "a reason where, and only where, there is no kappa"),
    ("agreement", setter("shared", 0, 1.5), "shares of episodes lie between 0 and 1"),
    ("multiverse_estimates", setter("specification", 0, 2), "every specification of the plan"),
    ("multiverse", setter("main", 1, True), "one main specification at most"),
    ("multiverse_estimates", setter("message", 2, ""), "a specification without estimate gives"),
    ("multiverse_summary", setter("n_failed", 0, 1), "fitted, failed and not assessable sum"),
    ("multiverse_summary", setter("p_median", 0, 1.5), "multiverse: shares and p lie between"),
    ("diagnostics", setter("message", 0, "why"), "a reason where, and only where, there is no"),
    ("diagnostics", setter("low", 0, 0.3), "every value lies in its interval"),
    ("diagnostics", setter("reference", 0, 0.5), "the mean of what the model draws"),
    ("diagnostics", setter("p", 0, 1.5), "diagnostics: p lies between 0 and 1"),
    ("diagnostics", setter("value", 2, 1.5), "shares lie between 0 and 1"),
    ("diagnostics", setter("x", 1, 1.0), "each place of a curve occurs once"),
    ("claims", setter("verdict", 0, "yes"), "only known verdicts"),
    ("claims", setter("reason", 1, ""), "every verdict has its reason"),
    ("claims", setter("ci_low", 0, np.nan), "a whole interval, or none"),
    ("claims", setter("ci_low", 0, 1.5), "every estimate lies in its interval"),
    ("claims", setter("ci_low", 1, 0.5), "a whole interval, or none"),
    ("claims", setter("criterion", 1, "dip"), "every part of every claim for every criterion"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "rule"), BREAKS, ids=[entry[2] for entry in BREAKS])
def test_a_broken_rule_is_named(folder, name, edit, rule):
    change(folder, name, edit)
    with pytest.raises(verify.RuleBroken, match=rule):
        checked(folder)


def test_overlapping_episodes_are_allowed_where_the_edge_rules_allow_them(folder):
    change(folder, "episodes", setter("first_low", 1, 5))
    with pytest.raises(verify.RuleBroken) as broken:
        checked(folder, overlapping=("reliable_drop", "v_1sd"))
    assert "no onset inside" not in str(broken.value)


def test_failed_models_are_problems_of_the_user():
    estimates = pd.DataFrame(
        {
            "dataset": "d", "measure": "alliance", "criterion": "dip", "model": "final",
            "variant": "main", "status": ["failed", "failed", "converged"],
            "message": ["no optimum", "no optimum", ""],
        }
    )  # fmt: skip
    found = verify.failed_models(estimates)
    assert [entry.text for entry in found.problems] == [
        "E590: dataset d: the model final (main) for alliance by the criterion dip could not be "
        "fitted (no optimum). The report is built and lists it; with models.failed_fit: listed in "
        "config.yaml the run ends without an error."
    ]
    assert verify.failed_models(estimates.query("status == 'converged'")) is None


def test_a_csv_file_that_says_something_else_is_named_with_its_row(folder):
    file = folder / "episodes.csv"
    lines = file.read_text().split("\n")
    lines[2] = lines[2].replace("repaired", "unrepaired")
    file.write_text("\n".join(lines))
    rule = r"episodes.csv: every line is that of episodes.parquet: 1 of \d+, first in row 3"
    with pytest.raises(verify.RuleBroken, match=rule):
        checked(folder)
    file.write_text("\n".join(lines[:2]))
    with pytest.raises(verify.RuleBroken, match=r"every line is that of episodes.parquet: \d"):
        checked(folder)
