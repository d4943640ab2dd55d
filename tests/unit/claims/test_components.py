"""Components of the alliance: reliabilities against plain computations, and which one falls."""

import numpy as np
import pandas as pd
import pingouin as pg
import pytest

from made_measures import made_measures
from made_settings import made_settings
from rupture_repair.claims import components
from rupture_repair.claims.components import components_of
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.reasons import in_full

PARTS = ["bond", "goals", "tasks"]
COLUMNS = [f"alliance__{part}" for part in PARTS]
MEASURES = made_measures(alliance={"components": PARTS}, other={})


def sessions(courses=40, each=5, seed=1):
    """Return components with a course's own level, a common movement and noise of their own."""
    rng = np.random.default_rng(seed)
    course = np.repeat(np.arange(courses), each)
    level = rng.normal(0, 2, courses)[course] + rng.normal(0, 1, len(course))
    noise = rng.normal(0, [0.5, 1.0, 2.0], (len(course), 3))
    table = pd.DataFrame(5 + level[:, None] + noise, columns=COLUMNS)
    table.insert(0, "course", [f"c{number:02d}" for number in course])
    table.insert(1, "session", np.tile(np.arange(1, each + 1), courses))
    return table


@pytest.fixture(scope="module")
def table():
    return sessions()


@pytest.fixture(scope="module")
def found(table):
    return components.reliabilities(table, COLUMNS)


def test_alpha_is_pingouins_at_first_ratings_with_and_without_each_component(table, found):
    first = table.drop_duplicates("course")[COLUMNS]
    expected = [pg.cronbach_alpha(first.drop(columns=name))[0] for name in COLUMNS]
    assert list(found["alpha"]) == pytest.approx([*expected, pg.cronbach_alpha(first)[0]])


def test_generalizability_of_change_is_that_of_the_analysis_of_variance(table, found):
    # Variance of movements against that of what a component does alone, within courses.
    change = table[COLUMNS] - table.groupby("course")[COLUMNS].transform("mean")
    values, free = change.to_numpy(), len(table) - table["course"].nunique()
    of_session = 3 * (values.mean(axis=1) ** 2).sum() / free
    alone = ((values - values.mean(axis=1, keepdims=True)) ** 2).sum() / (2 * free)
    moved = (of_session - alone) / 3
    assert found["of_change"].iloc[-1] == pytest.approx(moved / (moved + alone / 3))


def test_the_lower_bound_of_a_component_is_the_r_squared_of_the_others(table, found):
    change = table[COLUMNS] - table.groupby("course")[COLUMNS].transform("mean")
    for at, name in enumerate(COLUMNS):
        others = change.drop(columns=name)
        expected = pg.linear_regression(others, change[name])["r2"].iloc[0]
        assert found["of_change"].iloc[at] == pytest.approx(expected, abs=1e-9)
    reliable = 1 / (1 + np.array([0.25, 1.0, 4.0]))
    assert (found["of_change"][:3] < reliable + 0.05).all()


def test_the_reliability_of_a_course_mean_is_that_of_pingouin(table, found):
    for at, name in enumerate(COLUMNS):
        icc = pg.intraclass_corr(table, "course", "session", name).set_index("Type")["ICC"]
        assert found["of_course_mean"].iloc[at] == pytest.approx(icc.iloc[3], abs=1e-3)


def test_few_courses_say_how_many_are_needed():
    few = components.reliabilities(sessions(courses=19), COLUMNS)
    assert few["alpha"].isna().all()
    said = set(few["reason"].map(in_full))
    assert said == {"19 courses with 3 sessions with all components, 20 are needed"}
    assert set(few["n_courses"]) == {19}


def test_components_that_do_not_move_have_no_reliability(table):
    found = components.reliabilities(table.assign(alliance__goals=5.0), COLUMNS)
    assert found["of_change"][:3].isna().all()
    assert found["reason"].iloc[1] == components._WHY_NOT


def test_a_component_that_is_the_sum_of_others_is_wholly_shared(table):
    both = table.assign(alliance__tasks=table["alliance__bond"] + table["alliance__goals"])
    assert list(components.reliabilities(both, COLUMNS)["of_change"][:3]) == [1.0, 1.0, 1.0]


def counted(table, episodes, detection):
    dataset = Dataset("made", MEASURES, table, pd.DataFrame())
    return components_of(dataset, Detected(pd.DataFrame(), episodes, detection))


def test_which_component_fell_most_is_counted_by_criterion(table):
    episodes = pd.DataFrame(
        {
            "measure": "alliance", "criterion": ["a"] * 5 + ["b"],
            "component": ["bond", "bond", "tasks", None, "bond", "goals"],
        }
    )  # fmt: skip
    detection = pd.DataFrame(
        [{"measure": m, "criterion": c} for m in ("alliance", "other") for c in ("a", "b", "c")]
    )
    found = counted(table, episodes, detection)
    assert list(found.columns) == list(components.COLUMNS)
    assert len(found) == 12  # a measure without components has no rows
    a = found[found["criterion"] == "a"].set_index("component")
    assert a["n_fell_most"].iloc[:3].tolist() == [3, 0, 1]
    assert a["n_fell_most"].isna().tolist() == [False, False, False, True]
    assert set(a["n_episodes"]) == {4}
    assert a.loc["bond", "share_fell_most"] == 0.75
    assert a.loc["bond", "share_low"] < 0.75 < a.loc["bond", "share_high"]
    none = found[found["criterion"] == "c"]
    assert none["share_fell_most"].isna().all()
    assert set(none["n_episodes"]) == {0}
    assert found.groupby("component")["alpha"].nunique().eq(1).all()


def test_without_components_the_table_is_empty_with_its_columns(table):
    detection = pd.DataFrame([{"measure": "other", "criterion": "a"}])
    found = counted(table, pd.DataFrame(), detection)
    assert found.empty
    assert list(found.columns) == list(components.COLUMNS)


def shown(table):
    from types import SimpleNamespace

    from rupture_repair.report.sections import components as parts

    episodes = pd.DataFrame(
        {"measure": "alliance", "criterion": "a",
         "component": ["bond"] * 9 + ["goals"] * 7 + ["tasks"] * 2}
    )  # fmt: skip
    detection = pd.DataFrame([{"measure": "alliance", "criterion": "a"}])
    made = counted(table, episodes, detection)
    about = {"shown": ("alliance", "a"), "about": {}}
    return parts.components(SimpleNamespace(components=made, config=made_settings(), **about))


def test_the_report_shows_bounds_as_such(table):
    rows = shown(table)
    assert [row["component"] for row in rows][-1] == "all together"
    assert rows[0]["fell"].startswith("9 of 18 (50")
    assert rows[0]["change"].startswith("≥ ")
    assert not rows[-1]["change"].startswith("≥")
    assert rows[-1]["fell"] == "of 18 episodes"
