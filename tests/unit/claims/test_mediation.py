"""Repair, alliance, outcome: which courses and sessions count, and what is estimated."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measures
from rupture_repair.claims import mediation
from rupture_repair.project.dataset import Dataset
from rupture_repair.project.reasons import in_full

MEASURES = made_measures(alliance={}, outcome={"role": "outcome", "better": "lower"})


def made(rows):
    """Return episodes, courses and sessions: five sessions each, alliance 1..5, outcome 5..1."""
    names = [row[0] for row in rows]
    episodes = pd.DataFrame(
        [row for row in rows if row[1] is not None],
        columns=["course", "status", "first_low", "end"],
    )
    course_table = pd.DataFrame({"course": names, "first_outcome": -5.0, "last_outcome": -1.0})
    sessions = pd.DataFrame(
        {
            "course": np.repeat(names, 5), "session": np.tile(np.arange(1, 6), len(names)),
            "alliance": np.tile(np.arange(1.0, 6.0), len(names)),
            "outcome": np.tile(np.arange(5.0, 0.0, -1), len(names)),
        }
    )  # fmt: skip
    return episodes, course_table, sessions


def chosen(rows, change=lambda table: table):
    episodes, course_table, sessions = made(rows)
    dataset = Dataset("made", MEASURES, sessions, course_table[["course"]])
    return mediation.courses(episodes, change(course_table), dataset, "alliance", "outcome")


def test_the_alliance_counts_before_the_fall_and_after_the_end_up_to_the_last_outcome():
    found = chosen([("a", "repaired", 2, 3), ("b", "unrepaired", 3, 3)])
    a, b = found.table.to_dict("records")
    assert (a["repaired"], a["before"], a["after"]) == (1, 1.0, 4.0)  # session 5 is the outcome's
    assert (b["repaired"], b["before"], b["after"]) == (0, 1.5, 4.0)


def test_the_first_rupture_decides_and_every_other_course_is_counted():
    found = chosen(
        [
            ("a", "repaired", 2, 3), ("b", None, 0, 0), ("c", "censored", 2, 3),
            ("d", "unrepaired", 1, 3), ("e", "repaired", 3, 5), ("f", "unrepaired", 2, 3),
        ],
        lambda table: table.assign(last_outcome=[-1.0] * 5 + [np.nan]),
    )  # fmt: skip
    assert list(found.table["course"]) == ["a"]
    assert list(found.left_out.values()) == [1, 1, 1, 2]
    assert in_full(found.flow()) == (
        "of 6 courses, left out: 1 courses without rupture, 1 courses with a first rupture whose "
        "repair is not known, 1 courses without first or last outcome, 2 courses without rating "
        "before or after it"
    )
    assert in_full(found.why_not()).startswith(
        "1 courses, 1 courses with the first rupture repaired and 0 courses with it not repaired, "
        "30 are needed, 8 of each; of 6 courses"
    )


def drawn(number, seed, to_alliance=1.0, to_outcome=0.8):
    rng = np.random.default_rng(seed)
    repaired = (rng.random(number) < 0.5).astype(float)
    before, first = rng.normal(size=(2, number))
    after = to_alliance * repaired + 0.5 * before + rng.normal(size=number)
    last = to_outcome * after + 0.3 * repaired + 0.4 * first + rng.normal(size=number)
    return pd.DataFrame(
        {"repaired": repaired, "before": before, "after": after, "first_outcome": first,
         "last_outcome": last}
    )  # fmt: skip


def test_a_known_indirect_effect_is_found_and_total_is_direct_plus_indirect():
    found = mediation.paths(drawn(3000, seed=1), seed=1, draws=300)
    for path, true in {"Total": 1.1, "Direct": 0.3, "Indirect": 0.8}.items():
        assert abs(found.loc[path, "coef"] - true) < 3.5 * found.loc[path, "se"]
    assert found.loc["Indirect", "se"] < 0.06
    both = found.loc["Direct", "coef"] + found.loc["Indirect", "coef"]
    assert found.loc["Total", "coef"] == pytest.approx(both)


def test_the_interval_of_no_indirect_effect_holds_zero():
    # At 95 % chance leaves 68 or more of 80 intervals with zero (99.9 %).
    holds = 0
    for seed in range(80):
        row = mediation.paths(drawn(60, seed, to_alliance=0.0), seed=seed, draws=200).loc[
            "Indirect"
        ]
        holds += row["low"] <= 0 <= row["high"]
    assert holds >= 68


def test_the_seed_decides_the_bootstrap():
    table = drawn(60, seed=2)
    first, again, other = (mediation.paths(table, seed=seed, draws=100) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert first.loc["Indirect", "low"] != other.loc["Indirect", "low"]
