from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from detected_table import MEASURE, sessions
from made_settings import EDGE_RULES
from rupture_repair.detection import criteria, detect
from rupture_repair.project.reasons import in_full


def detected(table, rule="reliable_drop", measure=MEASURE, settings=None, edge=EDGE_RULES):
    rules = oracle.rules(rule, **({rule: settings} if settings else {}))
    found = list(detect.detect(table, {"alliance": measure}, rules, edge, dataset="d"))
    assert len(found) == 1
    return found[0]


COURSE = {"a": [36, 36, 20, 22, 35, 36, np.nan, 36, 30, 20, 20, 20, 21, 20]}


def test_every_column_of_an_episode():
    # Level before: 36 and 36; after the repair at session 5: 36, 36 and 30.
    episodes = detected(sessions(COURSE)).episodes
    first = episodes.iloc[0].to_dict()
    assert first == {
        "dataset": "d", "measure": "alliance", "criterion": "reliable_drop", "course": "a",
        "episode": 1, "onset": 2, "first_low": 3, "nadir": 3, "repair": 5, "end": 5,
        "status": "repaired", "fall": 16.0, "fall_units": 16 / (4 / 1.96), "persistence": 3,
        "regained": 15 / 16, "level_change": -2.0, "onset_shape": "sudden",
        "repair_shape": "sudden", "component": "bond", "severity": first["severity"],
        "at_last_rating": False,
    }  # fmt: skip
    second = episodes.iloc[1]
    assert second[["onset", "first_low", "nadir", "end"]].tolist() == [8, 9, 10, 12]
    assert second["status"] == "unrepaired"
    assert pd.isna(second["repair"])
    assert pd.isna(second["persistence"])
    assert second["repair_shape"] == "none"
    # Up to and including the onset 36, 36, 35 (session 7 was not rated); after the end 21, 20.
    assert second["level_change"] == pytest.approx(20.5 - 107 / 3)


def test_every_column_of_the_states():
    states = detected(sessions(COURSE)).states.to_pandas()
    assert states["session"].tolist() == list(range(1, 15))
    assert states["state"].tolist() == [
        "not_assessable", "steady", "ruptured", "ruptured", "repaired_here", "after_repair",
        "not_assessable", "after_repair", "ruptured", "ruptured", "ruptured", "ruptured",
        "after_unrepaired", "after_unrepaired",
    ]  # fmt: skip
    reasons = states.set_index("session")["reason"].dropna()
    assert reasons.to_dict() == {1: "nothing to compare with", 7: "not rated"}
    assert states["episode"].tolist()[2:5] == [1, 1, 1]
    assert states.loc[2, ["reference", "fall", "threshold"]].tolist() == [36.0, 16.0, 4.0]
    assert states.loc[2, "unit"] == pytest.approx(4 / 1.96)
    assert not states["censored"].any()


def test_an_absent_row_is_the_same_as_an_empty_rating():
    table = sessions(COURSE)
    for rule in criteria.load():
        whole = detected(table, rule.id)
        without = detected(table.dropna(subset=["alliance"]), rule.id)
        pd.testing.assert_frame_equal(whole.states.to_pandas(), without.states.to_pandas())
        pd.testing.assert_frame_equal(whole.episodes, without.episodes)


def test_lower_is_better_gives_the_mirror_image():
    table = sessions(COURSE | {"b": [10, 12, 30, 9, 40, 38, 2, 33, 31, 12]})
    mirrored = table.assign(**{name: -table[name] for name in table.columns[2:]})
    measure = replace(MEASURE, better="lower", range=(-40, 0))
    for rule in criteria.load():
        settings = {"value": -36} if rule.reference == "fixed" else None
        plain = detected(table, rule.id)
        turned = detected(mirrored, rule.id, measure, settings)
        pd.testing.assert_frame_equal(plain.episodes, turned.episodes)
        left, right = plain.states.to_pandas(), turned.states.to_pandas()
        right["reference"] = -right["reference"]
        pd.testing.assert_frame_equal(left, right)


def test_the_order_of_rows_does_not_matter():
    table = sessions(COURSE | {"b": [10, 12, 30, 9, 40, 38, 2, 33, 31, 12]})
    shuffled = table.sample(frac=1, random_state=1)
    shuffled["course"] = pd.Categorical(shuffled["course"])
    for rule in criteria.load():
        plain, other = detected(table, rule.id).episodes, detected(shuffled, rule.id).episodes
        order = ["course", "episode"]
        pd.testing.assert_frame_equal(
            plain.sort_values(order, ignore_index=True),
            other.sort_values(order, ignore_index=True),
        )


@pytest.mark.parametrize(
    ("rule", "changes", "reason"),
    [
        ("srs_cutoff", {"instrument": "WAI"}, "the rule is for SRS, this measure is WAI"),
        ("srs_cutoff", {"instrument": None}, "the rule is for SRS, this measure is another scale"),
        (
            "dip_simple",
            {"reliable_change": None},
            "no reliability is known for this measure, so there is no reliable change",
        ),
        (
            "reliable_drop",
            {"reliable_change": None},
            "no reliability is known for this measure, so there is no reliable change",
        ),
        ("srs_cutoff", {"range": [0, 10]}, "the level 36 lies outside the range 0 to 10"),
    ],
)
def test_a_criterion_that_the_measure_cannot_support(rule, changes, reason):
    found = detected(sessions(COURSE), rule, replace(MEASURE, **changes))
    assert not found.summary["assessable"]
    assert in_full(found.summary["reason"]) == reason
    assert found.summary["n_courses_assessable"] == 0
    states = found.states.to_pandas()
    assert (states["state"] == "not_assessable").all()
    assert {in_full(one) for one in set(states["reason"])} == {reason, "not rated"}
    assert len(found.episodes) == 0


def test_no_course_long_enough_is_not_assessable_rather_than_zero():
    found = detected(sessions({"a": [30, 31, 32], "b": [20]}), "own_mean_2sd")
    assert not found.summary["assessable"]
    assert in_full(found.summary["reason"]) == (
        "no session could be assessed, mostly: too few ratings for any to reach the threshold"
    )


def test_a_measure_without_any_rating():
    found = detected(sessions({"a": [np.nan, np.nan]}))
    assert found.summary["reason"] == "the measure has no rating"
    assert found.states.num_rows == 0
    assert len(found.episodes) == 0


def test_courses_without_variation():
    found = detected(sessions({"a": [36.3] * 12, "b": [30.1] * 9}), "dip_simple")
    assert found.summary["reason"] == "the ratings do not vary within courses"
    found = detected(sessions({"a": [36.3] * 12, "b": [30, 31, 32, 20, 30, 31]}), "v_2sd")
    flat = found.states.to_pandas().query("course == 'a'")
    assert set(flat["reason"]) == {"no variation in the ratings of this course"}


def test_counts_of_the_summary():
    table = sessions(COURSE | {"b": [36, 20], "c": [36, 36, 36], "d": [np.nan]})
    summary = detected(table).summary
    expected = {
        "n_courses": 4, "n_courses_assessable": 3, "n_courses_with_episode": 2, "n_episodes": 3,
        "n_repaired": 1, "n_unrepaired": 1, "n_censored": 1, "n_sawtooth": 1, "n_sessions": 18,
        "n_sessions_assessable": 15,
    }  # fmt: skip
    assert {key: summary[key] for key in expected} == expected


def test_censored_sessions_are_marked():
    states = detected(sessions({"a": [36, 36, 20, 21]})).states.to_pandas()
    assert states["state"].tolist()[2:] == ["ruptured", "ruptured"]
    assert states["censored"].tolist() == [False, False, True, True]


def test_a_first_rating_below_the_level_has_no_onset():
    episodes = detected(sessions({"a": [20, 37, 38]}), "srs_cutoff").episodes
    row = episodes.iloc[0]
    assert pd.isna(row["onset"])
    assert pd.isna(row["persistence"])
    assert pd.isna(row["onset_shape"])
    assert row["repair"] == 2


def test_written_tables_hold_every_criterion(tmp_path):
    table = sessions(COURSE | {"b": [10, 12, 30, 9, 40, 38, 2, 33, 31, 12]})
    rules = oracle.rules()
    other = replace(MEASURE, reliable_change=None, components=())
    measures = {"alliance": MEASURE, "outcome": replace(MEASURE, role="outcome"), "other": other}
    table["other"] = table["alliance"]
    found = detect.detect(table, measures, rules, EDGE_RULES, dataset="d")
    detect.write(found, tmp_path)
    summary = pd.read_parquet(tmp_path / "detection.parquet")
    assert summary["measure"].unique().tolist() == ["alliance", "other"]
    assert summary["criterion"].tolist() == [rule.id for rule in rules] * 2
    states = pd.read_parquet(tmp_path / "session_states.parquet")
    assert len(states) == 24 * len(rules) * 2
    episodes = pd.read_parquet(tmp_path / "episodes.parquet")
    assert summary["n_episodes"].sum() == len(episodes) > 5
    csv = pd.read_csv(tmp_path / "episodes.csv")
    assert csv["fall"].tolist() == pytest.approx(episodes["fall"].tolist())
    first = (tmp_path / "episodes.csv").read_bytes()
    detect.write(detect.detect(table, measures, rules, EDGE_RULES, dataset="d"), tmp_path)
    assert (tmp_path / "episodes.csv").read_bytes() == first


def test_the_model_writes_its_probability_and_says_where_it_is_not_identified():
    from rupture_repair.simulation.settings import SimulationSettings
    from rupture_repair.simulation.tables import simulate_dataset

    made = simulate_dataset(SimulationSettings(n_courses=80), seed=3)["sessions"]
    table = made.rename(columns={"client_id": "course", "session_no": "session"})
    table = table.assign(alliance=table["srs_total"])[["course", "session", "alliance"]]
    measure = replace(MEASURE, components=())
    found = detected(table, "rupture_probability", measure)
    assert found.summary["assessable"]
    assert found.summary["n_episodes"] > 20
    states = found.states.to_pandas()
    low = states[(states["state"] == "ruptured") & ~states["censored"]]
    first = low.groupby(["course", "episode"], observed=True)["probability"].first()
    assert (first >= 0.5).all()
    assert states["probability"].between(0, 1).sum() == table["alliance"].notna().sum()
    steady = simulate_dataset(SimulationSettings(n_courses=80, rupture_rate=0), seed=3)["sessions"]
    table = steady.rename(columns={"client_id": "course", "session_no": "session"})
    table = table.assign(alliance=table["srs_total"])[["course", "session", "alliance"]]
    none = detected(table, "rupture_probability", measure)
    assert not none.summary["assessable"]
    assert none.summary["reason"]
    assert none.summary["n_episodes"] == 0


def test_a_dataset_of_one_low_rating_has_one_episode():
    episodes = detected(sessions({"c0": [0.0]}), "srs_cutoff").episodes
    assert episodes["status"].tolist() == ["censored"]
    assert episodes["first_low"].tolist() == [1]


RATINGS = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=15)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(RATINGS, min_size=1, max_size=5),
    st.sampled_from([rule.id for rule in criteria.load() if rule.id != "rupture_probability"]),
    st.randoms(),
)
def test_mirror_rows_and_absence_for_every_criterion(courses, rule, random):
    """Better: higher on x is better: lower on -x; order of rows and empty rows change nothing."""
    made = {f"c{i}": [np.nan if r is None else float(r) for r in c] for i, c in enumerate(courses)}
    table = sessions(made)
    plain = detected(table, rule)
    ratings = table.columns[2:]
    mirrored = table.assign(**{name: -table[name] for name in ratings})
    changed = {"value": -36} if rule == "srs_cutoff" else None
    turned = detected(mirrored, rule, replace(MEASURE, better="lower", range=(-40, 0)), changed)
    pd.testing.assert_frame_equal(plain.episodes, turned.episodes)
    order = list(range(len(table)))
    random.shuffle(order)
    shuffled = detected(table.iloc[order].dropna(subset=["alliance"]), rule)
    by = ["course", "episode"]
    pd.testing.assert_frame_equal(
        plain.episodes.sort_values(by, ignore_index=True),
        shuffled.episodes.sort_values(by, ignore_index=True),
    )
