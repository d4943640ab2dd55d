"""What goes on around episodes: their shape beside matched stretches, endings, components."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from made_measures import made_measures
from rupture_repair.claims import components as reliability
from rupture_repair.disclosure.curves import around_onsets
from rupture_repair.disclosure.gate import Gate
from rupture_repair.exposure.aligned import aligned, onsets
from rupture_repair.exposure.summaries import leaving_by_state
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.episodes import (
    components,
    criterion_pictures,
    ending_hazard,
    episode_shapes,
)

MEASURES = made_measures(
    alliance={"components": ["bond", "goals", "tasks"], "outcome": "outcome"},
    outcome={"role": "outcome"},
)


@pytest.fixture(scope="module")
def made():
    """Ratings of 30 courses, one episode in each third one, and the states of all sessions."""
    random = np.random.default_rng(3)
    course = np.repeat([f"c{number:02}" for number in range(30)], 12)
    session = np.tile(np.arange(1, 13), 30)
    sessions = pd.DataFrame({"course": course, "session": session})
    sessions["alliance"] = 30 + random.normal(0, 2, 30).repeat(12) + random.normal(0, 1, 360)
    ruptured = (np.arange(30) % 3 == 0).repeat(12) & np.isin(session, (5, 6))
    sessions.loc[ruptured, "alliance"] -= 8
    state = np.where(ruptured, "ruptured", "steady")
    states = sessions[["course", "session"]].assign(measure="alliance", criterion="x", state=state)
    episodes = pd.DataFrame({"course": sorted(set(course))[::3], "onset": 4, "first_low": 5})
    episodes = episodes.assign(measure="alliance", criterion="x")
    return sessions, states, episodes


def test_the_curve_of_episodes_is_the_mean_around_their_onsets(made):
    sessions, states, episodes = made
    found = aligned(episodes, states, sessions, MEASURES, "alliance")
    wide = sessions.pivot(index="course", columns="session", values="alliance")
    around = wide.loc[episodes["course"]].sub(wide.loc[episodes["course"], 4], axis=0)
    own = found[found["kind"] == "episodes"].set_index("offset")
    assert list(own.index) == list(range(-3, 9))
    assert own["n"].eq(10).all()
    for offset, row in own.iterrows():
        values = around[4 + offset]
        assert row["mean"] == pytest.approx(values.mean())
        assert [row["low"], row["high"]] == pytest.approx(list(values.quantile([0.25, 0.75])))


def test_matched_stretches_are_of_other_courses_and_hold_no_rupture(made):
    sessions, states, episodes = made
    found = aligned(episodes, states, sessions, MEASURES, "alliance")
    own, matched = (
        found[found["kind"] == kind].set_index("offset") for kind in ("episodes", "matched")
    )
    # Five for each of ten episodes, some of them the same; none falls as episodes do.
    assert 5 <= matched.loc[0, "n"] <= 50
    assert own.loc[1, "mean"] < -6
    assert matched.loc[1:, "mean"].abs().max() < 1


def test_turned_measures_give_the_same_curve(made):
    sessions, states, episodes = made
    upside_down = sessions.assign(alliance=40 - sessions["alliance"])
    measures = {"alliance": replace(MEASURES["alliance"], better="lower")}
    for function in (aligned, lambda e, _, *rest: onsets(e, *rest)):
        one = function(episodes, states, sessions, MEASURES, "alliance")
        two = function(episodes, states, upside_down, measures, "alliance")
        pd.testing.assert_frame_equal(one, two)


def test_onsets_are_drawn_by_criterion_and_few_are_said(made):
    sessions, _, episodes = made
    both = pd.concat([episodes, episodes.head(2).assign(criterion="y")])
    curves = onsets(both, sessions, MEASURES, "alliance")
    assert curves.groupby("criterion")["n"].max().to_dict() == {"x": 10, "y": 2}
    names = {"x": "One", "y": "Other"}
    detection = pd.DataFrame({"measure": "alliance", "criterion": ["x", "y"]})
    detection["name"] = detection["criterion"].map(names)
    shown = around_onsets(Gate(5), curves)
    figure, numbers = criterion_pictures(shown, detection, MEASURES, measure="alliance")
    assert numbers["n"].isna().all()
    assert set(numbers["criterion"]) == {"x"}
    titles = {
        axes.get_title(loc="left"): [text.get_text() for text in axes.texts] for axes in figure.axes
    }
    assert titles == {"One": [], "Other": ["too few"]}
    assert "One −" in alt_text("criterion_pictures", numbers)


def test_without_onsets_there_is_nothing_to_align(made):
    sessions, states, episodes = made
    none = episodes.assign(onset=pd.NA)
    curves = aligned(none, states, sessions, MEASURES, "alliance")
    assert curves.empty
    assert onsets(none, sessions, MEASURES, "alliance").empty
    _, numbers = episode_shapes(curves, MEASURES, measure="alliance")
    assert numbers.empty


def leaving(left=6):
    """Sixty sessions without a rupture before, twenty with one; some courses end there."""
    table = pd.DataFrame({"session": [2, 3, 4] * 20 + [3] * 20, "repaired_prev": 0.0})
    table["open_prev"] = [0.0] * 60 + [1.0] * 20
    table["left"] = [1.0] * left + [0.0] * (60 - left) + [1.0] * 8 + [0.0] * 12
    return leaving_by_state(table)


def test_shares_of_endings_are_those_counted_with_wilson_intervals():
    _, numbers = ending_hazard(leaving())
    found = numbers.set_index("before")
    for before, (left, number) in {"no rupture": (6, 60), "open rupture": (8, 20)}.items():
        row = found.loc[before]
        assert (row["session_from"], row["session_to"], row["n"]) == (2, 4, number)
        assert row["share"] == pytest.approx(left / number)
        ends = proportion_confint(left, number, method="wilson")
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(list(ends))
    assert "40 %" in alt_text("ending_hazard", numbers)


def test_endings_of_a_few_courses_are_not_drawn():
    few = leaving().assign(n=4)
    figure, numbers = ending_hazard(few)
    assert numbers.empty
    assert list(numbers) == list(ending_hazard(leaving())[1])
    assert "not known" in figure.texts[0].get_text()


@pytest.mark.parametrize("drawn", [leaving(left=5), leaving(left=4), leaving()[:1]])
def test_endings_are_drawn_where_five_courses_were_left_after_each_state(drawn):
    _, numbers = ending_hazard(drawn)
    assert numbers.empty == (drawn["left"].min() < 5 or len(drawn) < 2)


def test_the_figure_of_components_shows_what_their_table_holds(made):
    sessions, _, _ = made
    random = np.random.default_rng(4)
    columns = [f"alliance__{name}" for name in MEASURES["alliance"].components]
    for column in columns:
        sessions = sessions.assign(**{column: sessions["alliance"] + random.normal(0, 1, 360)})
    table = reliability.reliabilities(sessions, columns)
    figure, numbers = components(table, MEASURES, measure="alliance")
    for level, name in (("between", "of_course_mean"), ("within", "of_change")):
        drawn = numbers[numbers["level"] == level]
        assert list(drawn["component"]) == ["bond", "goals", "tasks", "all"]
        np.testing.assert_array_equal(drawn["value"], table[name])
    assert len(figure.axes) == 1
    assert "all" in alt_text("components", numbers)
    few = reliability.reliabilities(sessions.head(120), columns)
    assert components(few, MEASURES, measure="alliance")[1].empty  # ten courses tell none
    assert components(None, MEASURES, measure="alliance")[1].empty


def test_words_for_chance_do_without_a_ratio():
    numbers = pd.DataFrame(
        {"status": "assessed", "observed": [0.0], "expected": [0.0], "expected_high": [0.0],
         "ratio": [np.nan], "name": ["Dip"]}
    )  # fmt: skip
    assert alt_text("observed_and_expected", numbers) == (
        "Observed and expected episodes by 1 criteria."
    )
