"""Planning a study: what is asked, what is kept, what is counted."""

import argparse
import io
import json
import sys
from dataclasses import MISSING, fields, replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from made_settings import EDGE_RULES, made_settings
from rupture_repair.commands import power
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.ratings import arrange, prepared, why_not_assessable
from rupture_repair.figures.power import power_curve
from rupture_repair.ingest import ingest
from rupture_repair.power import search, studies
from rupture_repair.power.in_words import as_text, title
from rupture_repair.power.plan import Wishes, make
from rupture_repair.power.preparation import world_of as world_from
from rupture_repair.power.questions import LINKS, QUESTIONS, UNITS
from rupture_repair.power.run import run_plan
from rupture_repair.power.store import REPLICATES, SETTINGS, Store
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study, within_sd_of_outcome
from rupture_repair.simulation.tables import simulate_dataset

pytestmark = pytest.mark.usefixtures("quickly_planned")
SETTINGS_OF_PROJECT = made_settings()


def asked(**changes):
    small = {"criterion": "own_mean_2sd", "courses": (40,), "replicates": 20}
    return Wishes(**(small | changes))


def plan(**changes):
    return make(asked(**changes), SETTINGS_OF_PROJECT)


def problems(run, *arguments, **keywords) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        run(*arguments, **keywords)
    return [entry.text for entry in found.value.problems]


# ---------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"claim": "C77"},
            "E801 --claim: no study can be planned for the claim 'C77'. Did you mean "
            "'C7'? Offered: C7.repaired, C7.open, C5.leaving. For the others no effect can be "
            "planted whose absence leaves the model at its level (docs/power.md).",
        ),
        (
            {"effect": 9},
            "E802 --effect: an effect of 9 is not possible. Give its size from 0 to 5, in "
            "within-course SD of the outcome (around the course's own line, without any effect), "
            "in the direction that the claim expects. It is the rise of the outcome at the session "
            "after one at or after a repair, against that after a steady session of the same "
            "course, as planted by the true states.",
        ),
        (
            {"claim": "C5", "effect": float("nan")},
            "E802 --effect: an effect of nan is not possible. Give its size from 0 to 5, "
            "in log odds ratio, in the direction that the claim expects. It is the log odds ratio "
            "of leaving with the session after one that is truly in an open rupture, against the "
            "session after any other.",
        ),
        (
            {"target": 1.2},
            "E803 --target: a target power of 1.2 is not possible. Give a number above "
            "alpha, which is 0.05, and below 1; 0.8 is usual.",
        ),
        (
            {"simulation": {"median_session": 9}},
            "E804 --set median_session: the simulation has no setting "
            "'median_session'. Did you mean 'median_sessions'? Allowed: ",
        ),
        (
            {"simulation": {"effect_repaired": 1}},
            "E805 --set effect_repaired: this setting carries the effect that the "
            "study is planned for. Leave it out and give the effect by --effect.",
        ),
        (
            {"simulation": {"skipped": 2}},
            "E602 --set skipped: 2 is not possible for the simulation. Allowed: 0..1.",
        ),
        (
            {"simulation": {"first_rupture": 3.5}},
            "E719 --set first_rupture: '3.5' cannot be used. Allowed: numbers like 3.",
        ),
        (
            {"criterion": "dipp"},
            "E720 --criterion: there is no criterion 'dipp'. Did you mean 'dip'? Allowed",
        ),
        (
            {"unit": "log_odds"},
            "E719 --unit: 'log_odds' cannot be used. Allowed: sd, points.",
        ),
        (
            {"variant": "main"},
            "E810 --variant: no study can be planned with the variant 'main' of the model "
            "next_session. Offered: ar1. Others do not hold their level: of simulated studies "
            "without effect more than alpha are significant (docs/power.md).",
        ),
        (
            {"courses": [5, 100]},
            "E719 --courses: '5' cannot be used. Allowed: whole numbers from 20 to 100000.",
        ),
        (
            {"replicates": 3},
            "E719 --replicates: '3' cannot be used. Allowed: a whole number from 20.",
        ),
    ],
)
def test_what_is_not_possible_is_told(changes, text):
    (found,) = problems(plan, **changes)
    assert found.startswith(text)


def test_the_help_of_each_option_says_its_default():
    parser = argparse.ArgumentParser()
    power.add_options(parser)
    texts = {option.dest: option.help for option in parser._actions}
    stated = {field.name: field.default for field in fields(Wishes) if field.default is not MISSING}
    for name, value in stated.items():
        assert value is None or texts[name].endswith(f"({value})"), name


def test_all_mistakes_are_told_at_once():
    found = problems(plan, claim="C99", criterion="nonsense", target=0.01, alpha=2)
    assert [text[:4] for text in found] == ["E801", "E720", "E719", "E803"]


def test_an_effect_is_planted_in_the_direction_that_the_claim_expects():
    sd = within_sd_of_outcome(SimulationSettings())
    assert plan(effect=0.5).settings.effect_repaired == pytest.approx(0.5 * sd)
    down = plan(claim="C7.open", effect=0.5)
    assert (down.settings.effect_open, down.settings.effect_repaired) == (
        pytest.approx(-0.5 * sd), 0.0,
    )  # fmt: skip
    assert plan(claim="C7.open", effect=0.5, unit="points").planted == -0.5
    leaving = plan(claim="C5", effect=0.7)
    assert (leaving.unit, leaving.settings.leave_open) == ("log_odds", 0.7)


def test_the_unit_of_effects_is_the_sd_of_the_outcome_around_the_lines_of_courses():
    settings = SimulationSettings(
        n_courses=3000, n_therapists=300, ends_of_scale=False, outcome_growth_sd=0,
        autocorrelation=0, **dict.fromkeys(LINKS, 0.0),
    )  # fmt: skip
    table = simulate_study(settings, seed=3).sessions.dropna(subset="outcome")
    rest = table["outcome"] - settings.outcome_growth * table["session"]
    rest -= rest.groupby(table["course"]).transform("mean")
    sd = np.sqrt((rest**2).sum() / (len(rest) - table["course"].nunique()))
    assert sd == pytest.approx(within_sd_of_outcome(settings), rel=0.01)


def test_without_an_effect_nothing_links_alliance_and_outcome_unless_stated():
    nothing = plan(effect=0).settings
    assert {name: getattr(nothing, name) for name in LINKS} == dict.fromkeys(LINKS, 0.0)
    assert plan(claim="C5", effect=0).settings.leave_open == 0
    assert plan(simulation={"outcome_alliance": 0.2}).settings.outcome_alliance == 0.2


def test_every_question_names_a_part_of_a_claim_a_variant_and_a_setting():
    from rupture_repair.claims import verdicts
    from rupture_repair.models.definitions import MODELS

    parts = {f"{claim.id}.{part.name}": part for claim in verdicts.load() for part in claim.parts}
    for name, question in QUESTIONS.items():
        expected = {"more": 1, "less": -1}[parts[name].expected]
        assert question.sign == expected
        assert question.model in parts[name].statistic
        assert set(question.units) <= set(UNITS)
        assert hasattr(SimulationSettings(), question.planted)
        for variant, term in question.terms.items():
            assert term in MODELS[question.model].variants[variant].formula


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
        ratings, world.criterion, rules, dataset="s", name="alliance", measure=measure
    ).states.to_pandas()
    full = full[full["reason"].astype(str) != "not rated"]
    quick = detect.states_of_ratings(ratings, world.criterion, rules, measure)
    for column in ("course", "session", "state"):
        assert list(quick[column].astype(str)) == list(full[column].astype(str))
    nothing = bool((quick["state"] == "not_assessable").all())
    assert nothing == (name == "reported")


def world_of(courses=40, **changes) -> studies.World:
    made = plan(**changes)
    rule = made.criterion if not made.criterion.needs_k else replace(made.criterion, k=2.5)
    return studies.World(
        made.settings, made.question, made.variant, rule, 0.95, 10.0, "SRS",
        made.edge_rules, made.exposure, 1,
    )  # fmt: skip


@pytest.mark.parametrize("claim", ["C7", "C5"])
def test_studies_do_not_depend_on_how_they_are_put_in_blocks(claim):
    world = world_of(claim=claim, simulation={"leave_log_odds": -3.0})
    whole = studies.run_block(world, 120, range(4))
    parts = pd.concat([studies.run_block(world, 120, part) for part in ([2, 3], [0], [1])])
    parts = parts.sort_values(["replicate", "detection"], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts, check_exact=True)
    assert list(whole["detection"]) == ["criterion", "truth"] * 4
    # One of these studies of C5 has no open session before one where a client left.
    known = whole["estimate"].dropna()
    assert len(known) >= 7
    assert known.is_unique


def test_studies_of_a_world_without_repairs_have_no_result_but_a_reason():
    world = world_of(simulation={"rupture_rate": 0.0})
    found = studies.run_block(world, 40, [0, 1], ["truth"])
    assert found["p"].isna().all()
    assert set(found["status"]) == {"not_assessable"}
    counted = search.shares(found, plan(simulation={"rupture_rate": 0.0}))
    assert (counted["power"][0], counted["without_result"][0]) == (0.0, 1.0)


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
    Store(tmp_path, plan().decisive()).remember({"k": None, "reliability": 0.9})
    (text,) = problems(Store, tmp_path, plan(effect=0.3, simulation={"depth": 6.0}).decisive())
    assert text == (
        f"E806 {tmp_path}: the folder holds studies that were simulated with other settings: "
        "effect 0.2, now 0.3, simulation.depth 5.0, now 6.0, simulation.effect_repaired "
        f"{plan().planted}, now {plan(effect=0.3).planted}. Name another folder by --out, or "
        "remove this one."
    )
    Store(tmp_path, plan(target=0.9, alpha=0.01, replicates=50).decisive())


@pytest.mark.parametrize("damage", ["settings", "no settings", "header", "cell"])
def test_a_damaged_folder_is_refused_and_left_as_it_is(tmp_path, damage):
    decisive = plan().decisive()
    Store(tmp_path, decisive).remember({"k": None, "reliability": 0.9})
    file = tmp_path / (SETTINGS if "settings" in damage else REPLICATES)
    if damage == "no settings":
        file.unlink()
        (tmp_path / REPLICATES).write_text("courses\n")
    else:
        cells = ",".join(studies.REPLICATE) + "\n40,0,truth,x,1,1,1,1,1,9,converged\n"
        texts = {"settings": "{", "header": "client,srs\n1,2\n", "cell": cells}
        file.write_text(texts[damage])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (text,) = problems(Store, tmp_path, decisive)
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
    assert 1 < content["solved"]["k"] < 5
    assert world_from(made, content["solved"]).criterion.k == content["solved"]["k"]
    monkeypatch.setattr(sys.modules["rupture_repair.power.run"], "solved", None)
    run_plan(replace(made, replicates=21), tmp_path)
    assert json.loads((tmp_path / SETTINGS).read_text()) == content


# ---------------------------------------------------------------------------- counting


def replicates_of(p, estimate, detection="criterion", courses=40):
    number = len(p)
    return pd.DataFrame(
        {
            "courses": courses, "replicate": range(number), "detection": detection,
            "estimate": estimate, "std_error": 0.5, "df": 30.0, "p": p,
            "ci_low": np.array(estimate) - 1, "ci_high": np.array(estimate) + 1, "rows": 100,
            "status": "converged",
        }
    )  # fmt: skip


def test_a_result_against_the_effect_is_no_power():
    table = replicates_of([0.01, 0.01, 0.2, np.nan], [1.0, -1.0, 0.3, np.nan])
    made = plan(effect=0.5, unit="points")
    (row,) = search.shares(table, made).to_dict("records")
    assert (row["significant"], row["power"]) == (1, 0.25)
    # Wilson (1927) by hand: (p + z2/2n -+ z sqrt(pq/n + z2/4n2)) / (1 + z2/n) with n = 4.
    assert [row["power_low"], row["power_high"]] == pytest.approx([0.0456, 0.6994], abs=1e-4)
    assert (row["wrong_direction"], row["without_result"]) == (0.25, 0.25)
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
        "courses": courses, "detection": "criterion", "replicates": replicates,
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


def test_a_number_outside_those_tried_is_not_made_up():
    made = plan(effect=0.5, courses=[100, 150])
    table = pd.DataFrame([made_up(size, 1000) for size in (100, 150)]).assign(step="stated")
    rows = search.smallest(table, made).set_index("detection")
    assert rows.loc["criterion", "reason"] == "larger than the numbers tried, 100 to 150"
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


# ---------------------------------------------------------------------------- fitted values


def test_every_criterion_can_be_planned_or_says_why_not():
    refused = []
    for rule in criteria.load():
        world = replace(world_of(), criterion=replace(rule, k=2.5) if rule.needs_k else rule)
        study = simulate_study(world.sized(60), seed=1)
        measure = studies.measures_of(world, study.sessions)["alliance"]
        ratings = prepared(study.sessions, "alliance", measure, [world.criterion])
        if why_not_assessable(world.criterion, measure, ratings):
            refused.append(rule.id)
        elif rule.id not in ("sudden_loss", "rupture_probability"):
            assert len(set(studies.detected(world, study)["state"])) > 1, rule.id
    assert "reported" in refused
    assert set(refused) <= {"reported", "rupture_probability"}
