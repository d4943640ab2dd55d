"""Planning a study: what is simulated, what is kept, what is counted."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from made_plans import plan, problems
from made_settings import EDGE_RULES
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.ratings import arrange, prepared, why_not_assessable
from rupture_repair.figures.power import power_curve
from rupture_repair.ingest import ingest
from rupture_repair.power import answers, search, studies
from rupture_repair.power.in_words import as_text, title
from rupture_repair.power.preparation import world_of as world_from
from rupture_repair.power.run import run_plan
from rupture_repair.power.store import REPLICATES, SETTINGS, Store
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study
from rupture_repair.simulation.tables import simulate_dataset

pytestmark = pytest.mark.usefixtures("quickly_planned")
WAYS = ("truth", "own_mean_2sd")


# ---------------------------------------------------------------------------- one study


@pytest.fixture(scope="module")
def settings():
    return SimulationSettings(n_courses=40, n_therapists=4)


def test_a_study_is_what_the_pipeline_ingests(settings, tmp_path):
    study = simulate_study(settings, seed=5)
    dataset = ingest.ingest("simulated", write_dataset(tmp_path / "s", seed=5, settings=settings))
    for name in ("course", "client", "therapist", "session"):
        assert list(study.sessions[name]) == list(dataset.sessions[name])
    for name in ("alliance", "outcome"):
        np.testing.assert_allclose(study.sessions[name], dataset.sessions[name], atol=1e-9)
    for name in ("course", "therapist", "ending"):
        assert list(study.courses[name]) == list(dataset.courses[name].astype(str))
    truth = simulate_dataset(settings, seed=5)["truth_sessions"]
    assert list(study.states["state"]) == list(truth["state"])
    assert list(study.states["session"]) == list(truth["session"])


@pytest.mark.parametrize("name", ["dip", "own_mean_2sd", "v_1sd", "srs_cutoff", "reported"])
def test_states_of_ratings_are_those_of_full_detection(settings, name):
    world = world_of(criterion=name)
    study = simulate_study(settings, seed=6)
    measure = studies.measures_of(world, study.sessions)["alliance"]
    ratings = arrange(study.sessions, "alliance", measure)
    rules = EDGE_RULES
    full = detect.detect_one(
        ratings, *world.criteria, rules, dataset="s", name="alliance", measure=measure
    ).states.to_pandas()
    full = full[full["reason"].astype(str) != "not rated"]
    quick = detect.states_of_ratings(ratings, *world.criteria, rules, measure)
    for column in ("course", "session", "state"):
        assert list(quick[column].astype(str)) == list(full[column].astype(str))
    nothing = bool((quick["state"] == "not_assessable").all())
    assert nothing == (name == "reported")


def world_of(courses=40, **changes) -> studies.World:
    made = plan(**changes)
    k = {rule.id: 2.5 for rule in made.criteria if rule.needs_k}
    return world_from(made, {"k": k, "reliability": 0.95})


@pytest.mark.parametrize("claim", ["C7", "C5"])
def test_studies_do_not_depend_on_how_they_are_put_in_blocks(claim):
    world = world_of(claim=claim, simulation={"leave_log_odds": -3.0})
    whole = answers.run_block(world, 120, range(4))
    parts = pd.concat([answers.run_block(world, 120, part) for part in ([2, 3], [0], [1])])
    parts = parts.sort_values(["replicate", "detection"], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts, check_exact=True)
    assert list(whole["detection"]) == ["own_mean_2sd", "truth"] * 4
    # One of these studies of C5 has no open session before one where a client left.
    known = whole["estimate"].dropna()
    assert len(known) >= 7
    assert known.is_unique


def test_studies_of_a_world_without_repairs_have_no_result_but_a_reason():
    world = world_of(simulation={"rupture_rate": 0.0})
    found = answers.run_block(world, 40, [0, 1], ["truth"])
    assert found["p"].isna().all()
    assert set(found["verdict"]) == {"not assessable"}
    counted = search.shares(found, plan(simulation={"rupture_rate": 0.0}))
    assert (counted["power"][0], counted["not_assessable"][0]) == (0.0, 1.0)
    assert counted["reason"][0]


def test_therapists_are_as_many_as_the_caseload_says():
    world = world_of()
    assert world.sized(95).n_therapists == 10
    assert replace(world, courses_per_therapist=500.0).sized(95).n_therapists == 1
    found = simulate_study(world.sized(60), seed=1)
    assert found.courses["therapist"].nunique() == 6


# ---------------------------------------------------------------------------- keeping


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path):
    made = plan(courses=[25, 30])
    whole = run_plan(made, tmp_path / "whole")
    run_plan(made, tmp_path / "parts")
    file = tmp_path / "parts" / REPLICATES
    text = file.read_text()
    # As a stop in the middle of a row leaves it: half of a study, and half of a row.
    lines = text.splitlines(keepends=True)
    file.write_text("".join(lines[:20]) + lines[20][:9])
    again = run_plan(made, tmp_path / "parts")
    pd.testing.assert_frame_equal(again.power, whole.power, check_exact=True)
    kept, first = (
        pd.read_csv(folder / REPLICATES).sort_values(["courses", "replicate", "detection"])
        for folder in (tmp_path / "parts", tmp_path / "whole")
    )
    assert kept.to_csv(index=False) == first.to_csv(index=False)
    before = file.read_bytes()
    run_plan(made, tmp_path / "parts")
    assert file.read_bytes() == before  # nothing was left to do


def test_more_studies_take_up_those_that_are_there(tmp_path):
    run_plan(plan(replicates=20), tmp_path)
    first = pd.read_csv(tmp_path / REPLICATES)
    more = io.StringIO()
    run_plan(plan(replicates=25), tmp_path, progress=more)
    assert "40 courses: 25 of 25 studies" in more.getvalue()
    both = pd.read_csv(tmp_path / REPLICATES)
    assert len(both) == 50
    pd.testing.assert_frame_equal(both.head(40), first)


def test_results_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "COURSES_AT_ONCE", 200)
    made = plan(courses=[40], replicates=20)
    assert len(studies.blocks(40, range(20))) == 4
    one = run_plan(made, tmp_path / "one", processes=1)
    two = run_plan(made, tmp_path / "two", processes=2)
    pd.testing.assert_frame_equal(one.power, two.power, check_exact=True)


def test_a_folder_of_other_settings_is_refused(tmp_path):
    Store(tmp_path, plan().decisive(), WAYS).remember({"k": {}, "reliability": 0.9})
    other = plan(effect=0.3, simulation={"depth": 6.0}).decisive()
    (text,) = problems(Store, tmp_path, other, WAYS)
    assert text == (
        f"E806 {tmp_path}: the folder holds studies that were simulated with other settings: "
        "effect 0.2, now 0.3, simulation.depth 5.0, now 6.0, simulation.effect_repaired "
        f"{plan().planted}, now {plan(effect=0.3).planted}. Name another folder by --out, or "
        "remove this one."
    )
    Store(tmp_path, plan(target=0.9, alpha=0.01, replicates=50).decisive(), WAYS)


@pytest.mark.parametrize("damage", ["settings", "no settings", "header", "cell"])
def test_a_damaged_folder_is_refused_and_left_as_it_is(tmp_path, damage):
    decisive = plan().decisive()
    Store(tmp_path, decisive, WAYS).remember({"k": {}, "reliability": 0.9})
    file = tmp_path / (SETTINGS if "settings" in damage else REPLICATES)
    if damage == "no settings":
        file.unlink()
        (tmp_path / REPLICATES).write_text("courses\n")
    else:
        cells = ",".join(answers.REPLICATE) + "\n40,0,truth,x,1,1,1,1,,,,9,undecided,\n"
        texts = {"settings": "{", "header": "client,srs\n1,2\n", "cell": cells}
        file.write_text(texts[damage])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (text,) = problems(Store, tmp_path, decisive, WAYS)
    assert text == (
        f"E807 {file}: the file was not written by 'rupture-repair power', or is damaged. Nothing "
        "was changed. Name another folder by --out, or remove this one."
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_criterion_that_simulated_studies_cannot_meet_is_refused(tmp_path):
    (text,) = problems(run_plan, plan(criterion="reported"), tmp_path)
    assert text == (
        "E808 key criterion: the criterion 'reported' cannot be tried on simulated studies: no "
        "coded events: no rupture was reported. Name another criterion."
    )
    assert not list(tmp_path.iterdir())


def test_k_is_solved_once_and_kept(tmp_path, monkeypatch):
    made = plan(criterion="dip")
    run_plan(made, tmp_path)
    content = json.loads((tmp_path / SETTINGS).read_text())
    assert 1 < content["solved"]["k"]["dip"] < 5
    (rule,) = world_from(made, content["solved"]).criteria
    assert rule.k == content["solved"]["k"]["dip"]
    monkeypatch.setattr(sys.modules["rupture_repair.power.run"], "solved", None)
    run_plan(replace(made, replicates=21), tmp_path)
    assert json.loads((tmp_path / SETTINGS).read_text()) == content


# ---------------------------------------------------------------------------- counting


def replicates_of(p, estimate, detection="own_mean_2sd", courses=40):
    number = len(p)
    return pd.DataFrame(
        {
            "courses": courses, "replicate": range(number), "detection": detection,
            "estimate": estimate, "std_error": 0.5, "df": 30.0, "p": p,
            "ci_low": np.array(estimate) - 1, "ci_high": np.array(estimate) + 1, "rows": 100,
            "direct": np.nan, "direct_low": np.nan, "direct_high": np.nan,
            "verdict": np.where(np.array(p) < 0.05, "supported", "undecided"),
            "reason": ["the {2} of {3} rows"] * number,
        }
    )  # fmt: skip


def test_a_result_against_the_effect_is_no_power():
    table = replicates_of([0.01, 0.01, 0.2, np.nan], [1.0, -1.0, 0.3, np.nan])
    made = plan(effect=0.5, unit="points")
    (row,) = search.shares(table, made).to_dict("records")
    assert (row["significant"], row["power"]) == (1, 0.25)
    # Wilson (1927) by hand: (p + z2/2n -+ z sqrt(pq/n + z2/4n2)) / (1 + z2/n) with n = 4.
    assert [row["power_low"], row["power_high"]] == pytest.approx([0.0456, 0.6994], abs=1e-4)
    assert (row["wrong_direction"], row["not_assessable"]) == (0.25, 0.25)
    assert (row["supported"], row["reason"]) == (0.5, "the 2 of 3 rows")
    assert row["supported_error"] == pytest.approx(0.25)
    assert row["coverage"] == pytest.approx(2 / 3)
    (falling,) = search.shares(table, plan(claim="C7.open", effect=0.5)).to_dict("records")
    assert (falling["significant"], falling["wrong_direction"]) == (1, 0.25)
    (false_alarms,) = search.shares(table, plan(effect=0)).to_dict("records")
    assert (false_alarms["power"], false_alarms["wrong_direction"]) == (0.5, 0.0)


def made_up(courses, replicates, level=-1.96, slope=0.16, random=None):
    """Return shares of studies whose power is known."""
    share = ndtr(level + slope * np.sqrt(courses))
    hits = round(share * replicates) if random is None else random.binomial(replicates, share)
    return {
        "courses": courses, "detection": "own_mean_2sd", "replicates": replicates,
        "significant": hits, "power": hits / replicates,
    }  # fmt: skip


def test_the_curve_finds_the_number_that_a_known_power_needs():
    needed = ((1.96 + 0.8416) / 0.16) ** 2
    table = pd.DataFrame([made_up(size, 10**7) for size in (180, 240, 320, 400)])
    number, low, high = search.curve(table).courses(0.8)
    assert number == pytest.approx(needed, rel=1e-3)
    assert low < number < high
    random = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        rows = [made_up(size, 200, random=random) for size in (180, 240, 320, 400)]
        _, low, high = search.curve(pd.DataFrame(rows)).courses(0.8)
        inside.append(low <= needed <= high)
    assert 0.92 <= np.mean(inside) <= 0.98


def searched(made, **truth):
    """Let the search run against a known power; return what it simulated."""
    steps, search_of = [], search.sizes(made)
    try:
        step = next(search_of)
        while True:
            steps.append(step)
            step = search_of.send(made_up(*step[1:], **truth))
    except StopIteration:
        return steps


def test_the_search_ends_with_a_check_at_the_smallest_number():
    made = replace(plan(effect=0.5, replicates=1000), courses=())
    steps = searched(made)
    needed = ((1.96 + 0.8416) / 0.16) ** 2
    assert [step for step, _, _ in steps] == ["rough"] * 4 + ["curve"] * 4 + ["check"]
    assert steps[-1][1] == pytest.approx(needed, rel=0.02)
    assert {number for step, _, number in steps if step == "rough"} == {100}
    assert {number for step, _, number in steps if step != "rough"} == {1000}


def test_the_search_gives_up_where_power_is_out_of_reach():
    made = replace(plan(effect=0.5, replicates=1000), courses=(), most_courses=300)
    steps = searched(made, slope=0.01)
    assert [size for _, size, _ in steps] == [50, 100, 200, 300]
    rough = pd.DataFrame(columns=["courses", "detection", "step"])
    rows = search.smallest(rough, made)
    assert set(rows["reason"]) == {"out of reach: with 300 courses power is lower"}


def test_an_effect_of_zero_is_looked_at_but_not_searched_for():
    made = replace(plan(effect=0), courses=())
    assert [size for _, size, _ in search.sizes(made)] == list(search.WITHOUT_EFFECT)


def test_of_a_way_that_always_finds_the_effect_the_number_is_smaller_than_those_tried():
    made = plan(effect=0.5, courses=[100, 150])
    rows = [
        {**made_up(size, 100, level=9.0), "detection": way, "power_low": 0.96, "step": "stated"}
        for size in (100, 150) for way in ("truth", "own_mean_2sd")
    ]  # fmt: skip
    found = search.smallest(pd.DataFrame(rows), made).set_index("detection")
    assert set(found["reason"]) == {"smaller than the numbers tried, 100 to 150"}
    few = pd.DataFrame(rows).assign(power_low=0.7)
    assert "power does not rise" in search.smallest(few, made)["reason"][0]


def test_one_number_of_courses_tells_nothing_of_others():
    row = made_up(100, 100) | {"power_low": 0.3, "step": "stated"}
    found = search.smallest(pd.DataFrame([row]), plan(effect=0.5)).set_index("detection")
    reason = found.loc["own_mean_2sd", "reason"]
    assert reason == "one number of courses tells nothing of others"


def test_a_number_outside_those_tried_is_not_made_up():
    made = plan(effect=0.5, courses=[100, 150])
    table = pd.DataFrame([made_up(size, 1000) for size in (100, 150)]).assign(step="stated")
    rows = search.smallest(table, made).set_index("detection")
    assert rows.loc["own_mean_2sd", "reason"] == "larger than the numbers tried, 100 to 150"
    assert rows["courses"].isna().all() if "courses" in rows else True


# ---------------------------------------------------------------------------- showing


def test_the_figure_shows_what_was_simulated(tmp_path):
    made = plan(effect=1.0, courses=[40, 60, 90])
    found = run_plan(made, tmp_path)
    figure, numbers = power_curve(found.power, found.smallest, title=title(made))
    assert numbers.equals(found.power)
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == title(made)
    drawn = {tuple(line.get_xdata()) for line in axes.lines}
    assert (40, 60, 90) in drawn
    text = as_text(found, made)
    assert "planted 3.22 (effect_repaired)" in text
    assert "Tested: repaired_within, two-sided" in text
    assert "known states" in text


def test_what_is_not_assessable_is_said_once_for_each_way_with_its_reason(tmp_path):
    made = plan(claim="C12", effect=1.0, courses=[40])
    text = as_text(run_plan(made, tmp_path), made)
    (note,) = [line for line in text.splitlines() if line.startswith("note: own_mean_2sd: with")]
    assert note.startswith("note: own_mean_2sd: with 40 courses 100% of the studies are not assess")
    assert "{" not in note
    assert "there is no estimate by probabilities: whole episodes are counted" in text
    assert "nobody codes" in text


# ---------------------------------------------------------------------------- fitted values


def test_every_criterion_can_be_planned_or_says_why_not():
    refused = []
    for rule in criteria.load():
        rule = replace(rule, k=2.5) if rule.needs_k else rule
        world = replace(world_of(), criteria=(rule,))
        study = simulate_study(world.sized(60), seed=1)
        measure = studies.measures_of(world, study.sessions)["alliance"]
        ratings = prepared(study.sessions, "alliance", measure, [rule])
        if why_not_assessable(rule, measure, ratings):
            refused.append(rule.id)
        elif rule.id not in ("sudden_loss", "rupture_probability"):
            assert len(set(studies.states_of(world, study, rule.id)["state"])) > 1, rule.id
    assert "reported" in refused
    assert set(refused) <= {"reported", "rupture_probability"}
