"""Every run of ratings that a criterion considered, as a table and in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES
from rupture_repair.detection import criteria
from rupture_repair.detection.explain import AppliedCriterion
from rupture_repair.detection.explain_runs import runs_as_text, runs_considered
from rupture_repair.detection.ratings import arrange
from rupture_repair.detection.run_rules import falls
from simulated_courses import sessions_of

MEASURE = made_measure(label="Session Rating Scale", instrument="SRS")
NUMBER, LENGTH = 60, 8


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Quiet courses, and c0000 with two ratings far below the others."""
    rating = np.clip(sessions_of(NUMBER, LENGTH, seed=4) - 4, 0, 40)
    rating[0] = [33, 34, 33, 34, 20, 21, 33, 34]
    return pd.DataFrame(
        {
            "course": [f"c{course:04}" for course in np.repeat(np.arange(NUMBER), LENGTH)],
            "session": np.tile(np.arange(1, LENGTH + 1), NUMBER),
            "alliance": rating.ravel(),
        }
    )


def rule_of(name: str = "dip", k: float = 3.0) -> AppliedCriterion:
    criterion = criteria.load([name])[0]
    return AppliedCriterion(criterion, k, 0.0)


def considered(table, rule, measure=MEASURE, course="c0000") -> pd.DataFrame:
    return runs_considered(
        table, {"alliance": measure}, rule, EDGE_RULES.max_gap, course=course, measure="alliance"
    )


def test_each_run_that_may_begin_at_the_third_rating_is_there(table):
    runs = considered(table, rule_of())
    expected = {
        (first, first + length - 1)
        for length in range(1, 5)
        for first in range(3, LENGTH + 2 - length)
    } | {(3, LENGTH), (4, LENGTH)}
    assert set(zip(runs["first"], runs["last"], strict=True)) == expected
    assert len(runs) == len(expected)


def test_the_run_that_was_planted_is_found_and_described(table):
    runs = considered(table, rule_of())
    found = runs[runs["found"]]
    assert found[["first", "last"]].to_numpy().tolist() == [[5, 6]]
    assert found["ratings"].tolist() == ["20, 21"]
    assert found["level"].iloc[0] == pytest.approx(20.5)
    assert found["line"].iloc[0] == pytest.approx(33.5, abs=0.7)
    assert runs["fall"].to_numpy() == pytest.approx((runs["line"] - runs["level"]).to_numpy())


def test_what_is_found_is_what_detection_finds(table):
    rule = rule_of(k=2.0)
    ratings = arrange(table, "alliance", MEASURE)
    found = falls(
        ratings.courses, replace(rule.criterion, k=2.0), ratings.scale, EDGE_RULES.max_gap
    )
    several = 0
    for number in range(20):
        own = slice(*ratings.courses.start[number : number + 2])
        low = ratings.courses.session[own][found.low[own]].tolist()
        runs = considered(table, rule, course=f"c{number:04}")
        taken = runs[runs["found"]]
        inside = [
            session
            for first, last in zip(taken["first"], taken["last"], strict=True)
            for session in range(first, last + 1)
        ]
        assert inside == low
        several += bool(low)
    assert several > 3


def test_lower_is_better_shows_the_values_as_they_were_given(table):
    turned = table.assign(alliance=-table["alliance"])
    measure = replace(MEASURE, better="lower", range=(-40.0, 0.0))
    plain, mirrored = considered(table, rule_of()), considered(turned, rule_of(), measure)
    for name in ("level", "line"):
        assert mirrored[name].to_numpy() == pytest.approx(-plain[name].to_numpy())
    for name in ("fall", "unit", "z"):
        assert mirrored[name].to_numpy() == pytest.approx(plain[name].to_numpy(), nan_ok=True)
    assert mirrored.loc[mirrored["found"], "ratings"].tolist() == ["-20, -21"]


def test_sentences_name_ratings_line_unit_z_and_k(table):
    runs = considered(table, rule_of())
    lines = runs_as_text(runs, 3.0)
    assert lines[0] == (
        f"Runs of ratings that were considered ({len(runs)}); a rupture needs z >= 3:"
    )
    (found,) = [line for line in lines if line.endswith(": a rupture")]
    run = runs[runs["found"]].iloc[0]
    assert found == (
        f"  sessions 5-6: 20, 21; {run['fall']:.1f} points below the line of the other ratings "
        f"({run['line']:.1f}), unit {run['unit']:.2f}, z = {run['z']:.2f} >= 3: a rupture"
    )
    lenient = runs_as_text(considered(table, rule_of(k=1.0)), 1.0)
    assert any(line.endswith("overlaps a lower run") for line in lenient)
    assert any("not below the line" in line and line.startswith("  session 3: ") for line in lines)


def test_tooth_compares_with_the_ratings_before(table):
    runs = considered(table, rule_of("tooth"))
    assert runs.loc[runs["found"], "line"].iloc[0] == pytest.approx(33.5)


@pytest.mark.parametrize("ratings", [1, 2])
def test_a_course_too_short_has_no_run(table, ratings):
    short = table[(table["course"] != "c0003") | (table["session"] <= ratings)]
    runs = considered(short, rule_of(), course="c0003")
    assert runs.empty
    assert runs_as_text(runs, 3.0) == ["No run of ratings could be considered."]


def test_ratings_that_never_vary_give_no_run(table):
    assert considered(table.assign(alliance=40.0), rule_of()).empty
