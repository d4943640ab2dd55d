"""The simulated dataset: reproducible, realistic, and true to what was planted."""

import ast
import inspect
import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma, polygamma

from repository import ROOT
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.simulation.files import DEFAULT_SEED, write_dataset
from rupture_repair.simulation.ratings import autoregressive
from rupture_repair.simulation.ruptures import CAUSES, STRATEGIES
from rupture_repair.simulation.settings import REPAIR_WINDOW, SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset
from rupture_repair.simulation.truth import true_states

FORMS = {
    "srs": ["bond", "goals", "tasks", "overall"],
    "srs_t": ["bond", "goals", "tasks", "overall"],
    "ors": ["individual", "interpersonal", "social", "overall"],
}


def ratings(tables):
    """Return sessions with the names of the truth."""
    return tables["sessions"].rename(columns={"client_id": "course", "session_no": "session"})


def at(tables, sessions, column="srs_total"):
    """Return a column at the given course and session of each planted episode."""
    values = ratings(tables).set_index(["course", "session"])[column]
    index = pd.MultiIndex.from_arrays([tables["truth"]["course"], sessions])
    return values.reindex(index).to_numpy()


# --- files


# --- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_courses", 0), ("noticed", 1.2), ("max_sessions", 2), ("depth_sigma", -1), ("skipped", -1)],
)
def test_impossible_settings_are_refused_by_name(name, value):
    with pytest.raises(ProblemsFound) as refused:
        SimulationSettings(**{name: value})
    assert name in [problem.key for problem in refused.value.problems]


def test_a_negative_seed_is_refused():
    with pytest.raises(ProblemsFound, match="E602 key seed: -1"):
        simulate_dataset(seed=-1)


def test_each_setting_is_described():
    groups = re.findall(
        r"^([a-z_]+(?:, [a-z_]+)*) : ", inspect.getdoc(SimulationSettings), re.MULTILINE
    )
    names = [name for group in groups for name in group.split(", ")]
    assert sorted(names) == sorted(field.name for field in fields(SimulationSettings))


def test_the_values_in_the_documentation_are_the_defaults():
    text = (ROOT / "docs" / "simulate.md").read_text()
    stated = re.findall(r"`(\w+)` (?:\(|= )(-?[.\d]+\d|-?\d+)", text)
    assert len(stated) >= 8
    defaults = {field.name: field.default for field in fields(SimulationSettings)}
    wrong = [(name, value) for name, value in stated if float(value) != defaults[name]]
    assert not wrong, f"correct docs/simulate.md: {wrong}"


def test_without_a_rate_there_are_no_ruptures():
    tables = simulate_dataset(SimulationSettings(rupture_rate=0, false_reports=0), seed=1)
    assert tables["truth"].empty
    assert tables["events"].empty
    assert set(tables["truth_sessions"]["state"]) == {"steady"}
    assert (tables["truth_sessions"]["fall"] == 0).all()


def test_one_setting_leaves_all_other_draws_as_they_were(demo):
    """Only the outcome differs between worlds with and without effects."""
    other = simulate_dataset(
        SimulationSettings(effect_open=0, effect_repaired=0), seed=DEFAULT_SEED
    )
    for name in ("courses", "events", "truth", "truth_sessions"):
        pd.testing.assert_frame_equal(demo[name], other[name])
    same = [column for column in demo["sessions"] if not column.startswith("ors_")]
    pd.testing.assert_frame_equal(demo["sessions"][same], other["sessions"][same])
    assert not demo["sessions"].equals(other["sessions"])


def test_one_course_is_enough():
    tables = simulate_dataset(SimulationSettings(n_courses=1, n_therapists=1), seed=1)
    assert tables["courses"]["client_id"].tolist() == ["C001"]


# --- shape of the demo


def test_sizes_of_the_demo(demo):
    sessions = demo["sessions"]
    assert len(demo["courses"]) == sessions["client_id"].nunique() == 240
    caseload = sessions.groupby("client_id")["therapist_id"].agg(["first", "nunique"])
    assert (caseload["nunique"] == 1).all()
    counts = caseload["first"].value_counts()
    assert len(counts) == 24
    assert counts.max() >= 4 * counts.min()
    length = sessions.groupby("client_id")["session_no"].max()
    assert length.min() >= 3
    assert length.max() == 30
    assert 11 <= length.median() <= 13
    assert length.skew() > 0.5
    assert not sessions.duplicated(["client_id", "session_no"]).any()
    assert set(demo["courses"]["ending_reason"]) == {
        *("completed", "dropped_out", "ongoing", "unknown")
    }


def test_sessions_are_skipped_and_forms_and_items_left_blank(demo):
    sessions = demo["sessions"]
    planned = sessions.groupby("client_id")["session_no"].max().sum()
    assert 0.02 < 1 - len(sessions) / planned < 0.06
    assert (sessions.groupby("client_id")["session_no"].min() == 1).all()
    for form, items in FORMS.items():
        blank = sessions[[f"{form}_{item}" for item in items]].isna()
        assert blank.all(axis=1).mean() > 0.03
        assert (blank.any(axis=1) & ~blank.all(axis=1)).any()
        assert sessions[f"{form}_total"].isna().equals(blank.any(axis=1))


@pytest.mark.parametrize("form", FORMS)
def test_totals_are_the_sum_of_items_in_whole_millimetres(demo, form):
    sessions = demo["sessions"].dropna()
    items = sessions[[f"{form}_{item}" for item in FORMS[form]]]
    assert items.to_numpy().min() >= 0
    assert items.to_numpy().max() <= 10
    millimetres = (items * 10).round().astype(int)
    assert np.array_equal(millimetres / 10, items)
    assert np.array_equal(millimetres.sum(axis=1) / 10, sessions[f"{form}_total"])


def test_srs_has_the_level_ceiling_and_skew_of_real_srs(demo, large):
    for tables in (demo, large):
        total = tables["sessions"]["srs_total"].dropna()
        assert 34.5 < total.mean() < 36
        assert 0.12 < (total == 40).mean() < 0.25
        assert total.skew() < -0.8


@pytest.mark.parametrize(("form", "low", "high"), [("srs", 0.88, 0.97), ("ors", 0.82, 0.92)])
def test_internal_consistency_is_that_of_the_instruments(large, form, low, high):
    """Coefficient alpha as in design notes: SRS .88 to .97, ORS .82 to .92."""
    items = large["sessions"][[f"{form}_{item}" for item in FORMS[form]]].dropna()
    alpha = 4 / 3 * (1 - items.var().sum() / items.sum(axis=1).var())
    assert low < alpha < high


def test_courses_differ_in_level_volatility_and_therapist():
    """Expected values: moments of the log of a sample SD; unbalanced one-way ANOVA."""
    settings = SimulationSettings(
        **{"n_courses": 3000, "n_therapists": 300, "min_sessions": 30, "ends_of_scale": False},
        **{"rupture_rate": 0, "leave_log_odds": -50, "skipped": 0, "unrated": 0, "missing_item": 0},
        **{"autocorrelation": 0, "alliance_trend": 0, "alliance_trend_sd": 0, "item_noise": 0},
    )
    sessions = simulate_dataset(settings, seed=14)["sessions"]
    courses = sessions.groupby(["therapist_id", "client_id"])["srs_total"]
    log_sd = np.log(courses.std())
    bias = (digamma(29 / 2) - np.log(29 / 2)) / 2
    assert log_sd.mean() - bias == pytest.approx(np.log(settings.alliance_sd_within), abs=0.03)
    sampling = polygamma(1, 29 / 2) / 4
    assert log_sd.var() == pytest.approx(settings.volatility_sigma**2 + sampling, abs=0.02)
    level = courses.mean().groupby("therapist_id")
    size = level.count()
    within = (level.var() * (size - 1)).sum() / (size - 1).sum()
    between = (size * (level.mean() - courses.mean().mean()) ** 2).sum() / (len(size) - 1)
    typical = (size.sum() - (size**2).sum() / size.sum()) / (len(size) - 1)
    therapist = (between - within) / typical
    assert therapist == pytest.approx(settings.alliance_sd_therapist**2, abs=0.7)
    # Items have means of their own in each course, and a course's mean its sampling error.
    noise = (
        4 * settings.item_sd_course**2 + np.exp(2 * 0.4**2) * settings.alliance_sd_within**2 / 30
    )
    assert within == pytest.approx(settings.alliance_sd_course**2 + noise, rel=0.08)


def test_raters_agree_a_little_within_courses(large):
    sessions = large["sessions"]
    columns = ["srs_total", "srs_t_total"]
    deviation = sessions[columns] - sessions.groupby("client_id")[columns].transform("mean")
    assert 0.3 < deviation.corr().iloc[0, 1] < 0.4
    assert sessions["srs_t_total"].mean() < sessions["srs_total"].mean() - 2


def test_outcome_starts_in_the_clinical_range_and_grows(large):
    rows = ratings(large)
    first = rows.loc[rows["session"] == 1, "ors_total"]
    assert first.mean() == pytest.approx(19, abs=0.5)
    assert first.std() == pytest.approx(7, abs=0.5)
    assert rows.loc[rows["session"] == 12, "ors_total"].mean() > first.mean() + 3


def test_autoregression_has_its_coefficient_and_unit_variance():
    series = autoregressive(np.random.default_rng(1).normal(size=(50_000, 6)), 0.3)
    np.testing.assert_allclose(series.std(axis=0), 1, atol=0.015)
    correlation = np.corrcoef(series, rowvar=False)
    np.testing.assert_allclose(np.diag(correlation, 1), 0.3, atol=0.015)
    np.testing.assert_allclose(np.diag(correlation, 2), 0.09, atol=0.015)


# --- planted ruptures


def test_truth_is_consistent(demo, large):
    for tables in (demo, large):
        truth = tables["truth"]
        length = tables["sessions"].groupby("client_id")["session_no"].max()[truth["course"]]
        length = length.to_numpy()
        window = truth["first_low"] + REPAIR_WINDOW
        repaired, censored = truth["status"] == "repaired", truth["status"] == "censored"
        assert (truth["onset"] == truth["first_low"] - 1).all()
        assert (truth["onset"] >= 1).all()
        assert truth["nadir"].between(truth["first_low"], truth["end"]).all()
        assert truth["repair"].notna().equals(repaired)
        assert (truth["repair"] <= window)[repaired].all()
        assert (truth["half_back"] <= truth["repair"])[repaired].all()
        assert (truth["end"] == window)[truth["status"] == "unrepaired"].all()
        assert (truth["end"] == length)[censored].all()
        assert (length < window)[censored].all()
        assert truth["depth_points"].between(2, 15).all()
        after = truth.groupby("course")["end"].shift()
        assert (truth["onset"] > after)[after.notna()].all()
        assert {"repaired", "unrepaired", "censored"} == set(truth["status"])


def test_states_follow_from_truth_and_sessions(demo, large, tmp_path):
    for tables in (demo, large):
        columns = ["course", "session", "state", "episode", "open", "repaired"]
        states = true_states(tables["truth"], tables["sessions"])
        pd.testing.assert_frame_equal(states, tables["truth_sessions"][columns])
    folder = write_dataset(tmp_path / "demo")
    read = true_states(pd.read_csv(folder / "truth.csv"), pd.read_csv(folder / "sessions.csv"))
    expected = demo["truth_sessions"][columns]
    pd.testing.assert_frame_equal(read, expected, check_dtype=False)


def test_states_of_a_course_by_hand():
    truth = pd.DataFrame(
        {
            "course": ["a", "a", "b"],
            "first_low": [3, 8, 2],
            "end": [5, 9, 5],
            "status": ["repaired", "censored", "unrepaired"],
        }
    )
    sessions = pd.DataFrame({"client_id": ["a", "a", "b", "b"], "session_no": [1, 9, 1, 7]})
    states = true_states(truth, sessions)
    a = states[states["course"] == "a"]
    assert a["state"].tolist() == [
        *("steady", "steady", "ruptured", "ruptured", "repaired_here"),
        *("after_repair", "after_repair", "ruptured", "ruptured"),
    ]
    assert a["episode"].tolist() == [pd.NA, pd.NA, 1, 1, 1, pd.NA, pd.NA, 2, 2]
    b = states[states["course"] == "b"]
    assert b["state"].tolist() == ["steady", *["ruptured"] * 4, *["after_unrepaired"] * 2]
    assert b["open"].tolist() == [False] + [True] * 6


def test_planted_depth_is_visible_in_the_ratings(endless, large):
    """From the onset to the nadir the ratings fall by the depth, on average; so do the items."""
    for tables, tolerance in ((endless, 0.25), (large, 0.35)):
        truth = tables["truth"]
        fall = at(tables, truth["onset"]) - at(tables, truth["nadir"])
        for _, part in truth.groupby(pd.cut(truth["depth_points"], [1.9, 4, 8, 15])):
            difference = np.nanmean(fall[part.index]) - part["depth_rated"].mean()
            assert abs(difference) < 3 * tolerance
        assert np.nanmean(fall - truth["depth_rated"]) == pytest.approx(0, abs=2 * tolerance)
        slope = np.polyfit(*_without_gaps(truth["depth_rated"], fall), 1)[0]
        assert slope == pytest.approx(1, abs=0.1)


def test_a_client_at_the_ceiling_comes_down_by_all_of_the_fall(large):
    truth = large["truth"]
    high = at(large, truth["onset"]) == 40
    fall = (at(large, truth["onset"]) - at(large, truth["nadir"]))[high]
    expected = truth["depth_points"][high]
    assert high.sum() > 100
    assert np.nanmean(fall - expected) > -0.5
    assert (truth["depth_rated"] <= truth["depth_points"] + 0.05).all()


def test_the_component_hit_falls_most(endless):
    truth = endless["truth"]
    falls = {
        item: at(endless, truth["onset"], f"srs_{item}")
        - at(endless, truth["nadir"], f"srs_{item}")
        for item in ("bond", "goals", "tasks")
    }
    for hit in falls:
        means = {item: np.nanmean(fall[truth["component"] == hit]) for item, fall in falls.items()}
        assert max(means, key=means.get) == hit
        others = np.mean([means[item] for item in means if item != hit])
        assert means[hit] / others == pytest.approx(2, abs=0.3)  # shares .4 and .2


def test_repair_wins_back_what_the_truth_says(endless):
    truth = endless["truth"]
    repaired = truth["status"] == "repaired"
    back = at(endless, truth["repair"].fillna(1)) - at(endless, truth["onset"])
    lost = (truth["regain"] - 1) * truth["depth_points"]
    assert np.nanmean((back - lost)[repaired]) == pytest.approx(0, abs=0.3)
    after = at(endless, truth["end"] + 1) - at(endless, truth["onset"])
    unrepaired = truth["status"] == "unrepaired"
    assert np.nanmean((after - lost)[unrepaired]) == pytest.approx(0, abs=0.5)
    assert np.nanmean(after[unrepaired]) < -3


def test_gradual_falls_and_repairs_have_steps_between(large):
    """In first episodes, so that no lasting loss is added."""
    truth = large["truth"].query("episode == 1 and status == 'repaired'")
    fall = large["truth_sessions"].set_index(["course", "session"])["fall"]

    def depth_at(rows, session):
        index = pd.MultiIndex.from_arrays([rows["course"], session])
        return (fall.loc[index].to_numpy() / rows["depth_points"]).to_numpy()

    np.testing.assert_allclose(depth_at(truth, truth["nadir"]), 1, atol=0.01)
    np.testing.assert_allclose(depth_at(truth, truth["repair"]), 1 - truth["regain"], atol=0.01)
    slow = truth[truth["onset_shape"] == "gradual"]
    np.testing.assert_allclose(depth_at(slow, slow["first_low"]), 0.5, atol=0.01)
    long = truth[truth["repair"] - truth["nadir"] == 3]
    for shape, steps in (("sudden", (0, 0)), ("gradual", (1 / 3, 2 / 3))):
        rows = long[long["repair_shape"] == shape]
        assert len(rows) > 30
        for step, climbed in enumerate(steps, start=1):
            left = depth_at(rows, rows["nadir"] + step)
            np.testing.assert_allclose(left, 1 - climbed * rows["regain"], atol=0.01)
    back = depth_at(truth, truth["half_back"])
    before = depth_at(truth, truth["half_back"] - 1)
    assert (back <= 0.51).all()
    assert (before > 0.49).all()


def test_confrontations_are_deeper_and_noticing_and_strategies_help(endless):
    truth = endless["truth"]
    depth = truth.groupby("type")["depth_points"].median()
    assert depth["confrontation"] / depth["withdrawal"] == pytest.approx(1.3, abs=0.1)
    # Known outcomes only: censoring is more frequent among the unrepaired.
    settings = SimulationSettings()
    length = endless["sessions"].groupby("client_id")["session_no"].max()[truth["course"]]
    known = truth[length.to_numpy() >= truth["first_low"] + REPAIR_WINDOW]
    for group, odds in known.groupby([known["noticed"], known["strategy"].notna(), known["type"]]):
        noticed, tried, kind = group
        log_odds = settings.repair_log_odds + settings.repair_noticed * noticed
        log_odds += settings.repair_strategy * tried
        log_odds += settings.repair_confrontation * (kind == "confrontation")
        share = (odds["status"] == "repaired").mean()
        error = np.sqrt(share * (1 - share) / len(odds))
        assert share == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=4 * error)


def test_observable_ruptures_have_ratings_on_both_sides(large):
    truth = large["truth"]
    onset, low = at(large, truth["onset_rated"]), at(large, truth["first_low_rated"])
    both = ~np.isnan(onset) & ~np.isnan(low)
    assert truth["observable"].tolist() == both.tolist()
    assert not truth["observable"].all()
    seen = truth["observable"].to_numpy()
    assert (truth["first_low_rated"] <= truth["end"])[seen].all()
    assert (truth["onset_rated"] <= truth["onset"])[truth["onset_rated"].notna()].all()
    assert (~np.isnan(at(large, truth["nadir"]))).tolist() == truth["nadir_rated"].tolist()


# --- known effects


# --- coded events


def test_events_are_coded_with_noise(large):
    events, truth = large["events"], large["truth"]
    assert list(events) == ["course", "session", "kind", "code", "reporter"]
    held = pd.MultiIndex.from_frame(ratings(large)[["course", "session"]])
    assert pd.MultiIndex.from_frame(events[["course", "session"]]).isin(held).all()
    assert not events.duplicated(["course", "session", "kind", "reporter"]).any()
    codes = events.groupby("kind")["code"].agg(set)
    assert codes["cause"] == set(CAUSES)
    assert codes["repair"] == set(STRATEGIES)
    assert codes["type"] == {"withdrawal", "confrontation"}
    coded = truth.merge(
        events[events["kind"] == "type"],
        left_on=["course", "first_low"],
        right_on=["course", "session"],
        how="left",
    )
    settings = SimulationSettings()
    expected = settings.coded * (1 - settings.skipped)
    assert coded["code"].notna().mean() == pytest.approx(expected, abs=0.04)
    wrong = (coded["code"] != coded["type"])[coded["code"].notna()]
    assert wrong.mean() == pytest.approx(settings.miscoded, abs=0.03)
    reports = events[events["kind"] == "rupture"].merge(
        large["truth_sessions"], on=["course", "session"]
    )
    false = (reports["state"] != "ruptured").groupby(reports["reporter"]).sum()
    calm = (
        large["truth_sessions"]["held"] & (large["truth_sessions"]["state"] != "ruptured")
    ).sum()
    np.testing.assert_allclose(false / calm, settings.false_reports, atol=0.002)


def test_no_loop_over_courses_or_sessions():
    """The only loops of the package run over columns, kinds, files and settings."""
    folder = ROOT / "workflow" / "rupture_repair" / "simulation"
    loops = [
        f"{file.name}: {ast.unparse(node.iter)}"
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.For | ast.While)
    ]
    assert sorted(loops) == [
        "files.py: FILES",
        "settings.py: values.items()",
        "tables.py: COVARIATES.items()",
        "tables.py: zip(FORMS.items(), given, strict=True)",
    ]


def _without_gaps(x, y):
    kept = ~np.isnan(y)
    return np.asarray(x)[kept], y[kept]
