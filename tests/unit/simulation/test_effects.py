"""Planted effects of ruptures on the next outcome and on leaving are there."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset


def ratings(tables):
    """Return sessions with the names of the truth."""
    return tables["sessions"].rename(columns={"client_id": "course", "session_no": "session"})


def next_session_effects(tables, outcome="ors_total"):
    """Return open and repaired effects from within-course regression with own linear trends."""
    following = ratings(tables)[["course", "session", outcome]]
    following = following.assign(session=following["session"] - 1)
    rows = (
        tables["truth_sessions"].merge(following, on=["course", "session"]).dropna(subset=outcome)
    )
    x = rows[["open", "repaired", "session", outcome]].astype(float)
    x -= x.groupby(rows["course"]).transform("mean")
    time = x.pop("session")
    square = (time**2).groupby(rows["course"]).transform("sum")
    slope = x.mul(time, axis=0).groupby(rows["course"]).transform("sum").div(square, axis=0)
    x -= slope.fillna(0).mul(time, axis=0)
    return np.linalg.lstsq(x[["open", "repaired"]], x[outcome], rcond=None)[0]


def leaving(tables, settings):
    """Return the log odds of leaving after steady sessions, and what an open rupture adds."""
    rows = tables["truth_sessions"]
    before = rows.groupby("course")["open"].shift(fill_value=False)
    last = rows["session"] == rows.groupby("course")["session"].transform("max")
    at_risk = (rows["session"] >= settings.min_sessions) & (~last | rows["left"])
    counts = pd.crosstab(before[at_risk], rows["left"][at_risk]).to_numpy()
    log_odds = np.log(counts[:, 1] / counts[:, 0])
    return log_odds[0], log_odds[1] - log_odds[0]


def test_effects_on_the_next_outcome_are_recovered(endless):
    """Standard errors are about .04; the ends of the scale weaken effects, see below."""
    settings = SimulationSettings()
    effects = next_session_effects(endless)
    expected = [settings.effect_open, settings.effect_repaired]
    np.testing.assert_allclose(effects, expected, atol=0.15)
    share = next_session_effects(endless, "ors_interpersonal")
    np.testing.assert_allclose(share, np.multiply(expected, 0.4), atol=0.06)


def test_the_ends_of_the_scale_weaken_effects_only_a_little(large):
    settings = SimulationSettings()
    effects = next_session_effects(large)
    np.testing.assert_allclose(effects, [settings.effect_open, settings.effect_repaired], atol=0.25)


def test_without_effects_none_are_found():
    settings = SimulationSettings(
        n_courses=6000, n_therapists=100, effect_open=0, effect_repaired=0, leave_open=0
    )
    tables = simulate_dataset(settings, seed=13)
    np.testing.assert_allclose(next_session_effects(tables), 0, atol=0.15)
    base, added = leaving(tables, settings)
    assert base == pytest.approx(settings.leave_log_odds, abs=0.12)
    assert added == pytest.approx(0, abs=0.25)


def test_an_open_rupture_raises_the_hazard_of_leaving(endless, large):
    for tables in (endless, large):
        base, added = leaving(tables, SimulationSettings())
        assert base == pytest.approx(SimulationSettings().leave_log_odds, abs=0.12)
        assert added == pytest.approx(SimulationSettings().leave_open, abs=0.25)


def test_leaving_ends_a_course_as_dropped_out(large):
    left = large["truth_sessions"].groupby("course")["left"].agg(["any", "last", "sum"])
    assert (left["any"] == left["last"]).all()
    assert left["sum"].max() == 1
    ending = large["courses"].set_index("client_id")["ending_reason"].reindex(left.index)
    assert set(ending[left["any"]]) == {"dropped_out", "unknown"}
    assert "dropped_out" not in set(ending[~left["any"]])
    assert (ending == "unknown").mean() == pytest.approx(
        SimulationSettings().ending_unknown, abs=0.01
    )
