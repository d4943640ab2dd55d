"""The worlds in which estimates are judged (docs/effects.md) hold what they are said to hold."""

import numpy as np
import pandas as pd
import pytest

from found_in_worlds import PLANTED, figures_of
from worlds_of_effects import ALLIANCES, FEEDS_BACK, simulated

KEYS = ["course", "session"]


def made(alliance, courses=150, seed=3, **changes):
    asked = ALLIANCES[alliance]
    settings = {**asked.changes, **changes}
    return simulated(courses, seed, asked.worlds, settings, asked.feeds_back)


def within(values, course):
    """Return values less the mean of their course."""
    return values - values.groupby(course).transform("mean")


@pytest.mark.parametrize(
    ("alliance", "world"), [("usual", "A"), ("hard", "D"), ("left", "G")]
)  # fmt: skip
def test_what_is_planted_after_each_true_state_is_there(alliance, world):
    worlds = made(alliance)
    with_, without = (worlds.data[name].sessions for name in (world, ALLIANCES[alliance].nothing))
    moved = with_[KEYS].assign(by=with_["outcome"] - without["outcome"]).dropna()
    before = worlds.states.assign(session=worlds.states["session"] + 1)
    by = moved.merge(before, on=KEYS).groupby("state")["by"].agg(["mean", "size"])
    planted = PLANTED[world]
    assert by.loc["ruptured", "mean"] == pytest.approx(planted["total"], abs=0.02)
    assert by.loc["after_repair", "mean"] == pytest.approx(planted["repaired"], abs=0.02)
    assert by.loc[["steady", "not_assessable"], "mean"].tolist() == [0.0, 0.0]
    assert (by["size"] > 50).all()
    pd.testing.assert_series_equal(with_["alliance"], without["alliance"])


def test_ruptures_of_world_d_are_shallow_and_its_courses_restless():
    falls, carries, spreads = [], [], []
    for alliance in ("usual", "hard"):
        worlds = made(alliance, courses=400, alliance_level=25.0)
        sessions = worlds.data[ALLIANCES[alliance].nothing].sessions
        state = sessions.merge(worlds.states, on=KEYS)["state"]
        rated = sessions.dropna(subset="alliance").reset_index(drop=True)
        own = within(rated["alliance"], rated["course"])
        falls.append(own[state.eq("steady")].mean() - own[state.eq("ruptured")].mean())
        outcome = within(sessions["outcome"], sessions["course"])
        carries.append(outcome.corr(outcome.groupby(sessions["course"]).shift()))
        spreads.append(np.log(rated.groupby("course")["alliance"].std()).std())
    assert falls[1] < 0.85 * falls[0]
    assert carries[1] > carries[0] + 0.1
    assert spreads[1] > 1.1 * spreads[0]


def test_nothing_is_ruptured_in_world_e():
    assert set(made("none").states["state"]) == {"not_assessable", "steady"}


def test_the_outcome_of_world_f_moves_the_rating_of_the_same_session_and_nothing_else():
    # A level in the middle of the scale: no rating is cut.
    usual, moved = made("usual", alliance_level=20.0), made("feedback", alliance_level=20.0)
    nothing, fed = usual.data["C"].sessions, moved.data["F"].sessions
    pd.testing.assert_series_equal(nothing["outcome"], fed["outcome"])
    pd.testing.assert_frame_equal(usual.states, moved.states)
    by = fed["alliance"] - nothing["alliance"]
    assert by.std() == pytest.approx(FEEDS_BACK * 2.8, rel=0.06)
    outcome = within(fed["outcome"], fed["course"])
    assert by.corr(outcome) > 0.6
    assert abs(by.corr(outcome.groupby(fed["course"]).shift())) < 0.3


def test_whoever_leaves_earlier_in_world_g_leaves_after_an_open_rupture():
    usual, left = made("usual"), made("left")
    last, early = (
        worlds.data[name].sessions.groupby("course")["session"].max()
        for worlds, name in ((usual, "C"), (left, "G"))
    )
    assert (early <= last).all()
    gone = early[early < last]
    assert len(gone) > 0.1 * len(last)
    before = gone.sub(1).rename("session").reset_index().merge(usual.states, on=KEYS)
    assert len(before) > 0.8 * len(gone)
    assert set(before["state"]) == {"ruptured"}


def test_figures_of_studies_are_those_that_their_estimates_give():
    shown = {"direct": -1.0, "filtered": -1.0, "repaired": np.nan}

    def row(study, world, total, low, high, verdict, **more):
        own = {"alliance": "hard", "courses": 60, "study": study, "world": world}
        ends = {f"{name}_{end}": value for name, value in shown.items() for end in ("low", "high")}
        own |= {"identified": True, "total": total, "total_low": low, "total_high": high}
        return own | shown | ends | {"total_error": 0.6, "C7": verdict} | more

    rows = pd.DataFrame([
        row(0, "D", -1.5, -2.5, -0.5, "supported", known_error=0.3),
        row(0, "D0", 0.4, -0.6, 1.4, "undecided"),
        row(1, "D", -0.5, -1.5, 0.5, "undecided", known_error=0.2),
        row(1, "D0", 1.0, 0.1, 1.9, "undecided"),
        {"alliance": "hard", "courses": 60, "study": 2, "world": "D", "identified": False},
        {"alliance": "hard", "courses": 60, "study": 2, "world": "D0", "identified": False},
    ])  # fmt: skip
    found = figures_of(rows)
    own, none = found["D"], found["D0"]
    assert [own[name] for name in ("studies", "identified", "estimated")] == [3, 2, 2]
    assert (own["total"], own["total_error"]) == pytest.approx((-1.0, 0.5))
    assert own["total_recovered"] == pytest.approx((-1.9 - 1.5) / 2)
    assert (own["total_coverage"], none["total_coverage"]) == (0.5, 0.5)
    assert (own["direct_coverage"], own["supported"], none["supported"]) == (0.0, 0.5, 0.0)
    assert own["times"] == pytest.approx((2 + 3) / 2)
    assert np.isnan(own["repaired"])
    assert np.isnan(none["total_recovered"])
