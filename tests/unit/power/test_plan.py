"""Planning a study: what is asked, what is offered, and what is planted."""

import argparse
from dataclasses import MISSING, fields, replace

import numpy as np
import pytest

from made_plans import plan, problems
from rupture_repair.commands import power
from rupture_repair.power.plan import Wishes
from rupture_repair.power.questions import LINKS, NOT_OFFERED, QUESTIONS, UNITS
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study, within_sd_of_outcome

OFFERED = (
    "C5.leaving, C7.open, C7.repaired, C7.repaired_against_open, C9.open, C9.repaired, "
    "C10.noticed, C12.repair, C13.repair, C13.depth"
)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"claim": "C77"},
            "E801 --claim: no study can be planned for the claim 'C77'. Did you mean "
            f"'C7'? Offered: {OFFERED}. docs/power.md says why the others are not.",
        ),
        (
            {"claim": "C3"},
            "E801 --claim: no study can be planned for the claim 'C3': what noise alone gives "
            f"recovered courses takes a null of its own in every study. Offered: {OFFERED}. ",
        ),
        (
            {"claim": "C10.disagreement"},
            "E801 --claim: no study can be planned for the claim 'C10.disagreement': the "
            f"simulation plants no effect of disagreement between the raters. Offered: {OFFERED}.",
        ),
        (
            {"claim": "C13.depth", "effect": 15, "unit": "points"},
            "E802 --effect: an effect of 15 is not possible. Give its size from 0 to 9, in points, "
            "in the direction that the claim expects. It is the points by which the fall in a "
            "confrontation is deeper than in a withdrawal.",
        ),
        (
            {"claim": "C9", "simulation": {"effect_interpersonal": 0.0}},
            "E719 --set effect_interpersonal: '0.0' cannot be used. Allowed: a share above 0.",
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


def test_what_is_planted_makes_the_effect_of_the_claim():
    inside = plan(claim="C9.open", effect=0.8, unit="points")
    # 40 % of an effect on the total falls on the interpersonal component.
    assert (inside.truth, inside.settings.effect_open) == (-0.8, pytest.approx(-2.0))
    both = {"effect_open": -2.0}
    apart = plan(claim="C7.repaired_against_open", effect=3.5, unit="points", simulation=both)
    assert (apart.truth, apart.settings.effect_repaired) == (3.5, 1.5)
    deeper = plan(claim="C13.depth", effect=2.0, simulation={"confrontation": 0.5})
    large = replace(deeper.settings, n_courses=6000, n_therapists=600, rupture_rate=0.2)
    episodes = simulate_study(large, seed=2, details=True).episodes
    depth = episodes.groupby("type")["depth_points"]
    error = np.sqrt((depth.var() / depth.size()).sum())
    difference = depth.mean()["confrontation"] - depth.mean()["withdrawal"]
    assert difference == pytest.approx(2.0, abs=4 * error)
    assert error < 0.1


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
    of_codes = plan(claim="C12", effect=0).settings
    assert (of_codes.repair_noticed, of_codes.repair_strategy) == (0.0, 0.0)
    assert plan(claim="C5", effect=0).settings.leave_open == 0
    assert plan(simulation={"outcome_alliance": 0.2}).settings.outcome_alliance == 0.2


def test_every_question_names_a_part_of_a_claim_a_variant_and_a_setting():
    from rupture_repair.claims import verdicts
    from rupture_repair.models.definitions import MODELS

    parts = {f"{claim.id}.{part.name}": part for claim in verdicts.load() for part in claim.parts}
    for name, question in QUESTIONS.items():
        expected = {"more": 1, "less": -1, "differ": question.sign}[parts[name].expected]
        assert question.sign == expected
        assert set(question.units) <= set(UNITS)
        assert hasattr(SimulationSettings(), question.planted)
        if question.model is None:
            continue
        assert question.model in parts[name].statistic
        for variant, term in question.terms.items():
            described = MODELS[question.model].variants[variant]
            assert term in described.formula or term in described.contrasts


def test_every_claim_is_offered_or_says_why_not():
    from rupture_repair.claims import verdicts

    offered = {name.partition(".")[0] for name in QUESTIONS}
    assert {claim.id for claim in verdicts.load()} == offered | set(NOT_OFFERED)
