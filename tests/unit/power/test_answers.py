"""What simulated studies answer: as theory says, and as the pipeline would."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from made_settings import EDGE_RULES, EXPOSURE_RULES, made_settings
from rupture_repair.claims.context import Estimate
from rupture_repair.claims.judge_claims import judge_claims
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.fit_hidden_markov import fit_hidden_markov
from rupture_repair.exposure.probable import probable
from rupture_repair.models.definitions import PROBABLE_CRITERION
from rupture_repair.models.fit_models import fit_models
from rupture_repair.models.probable import Probabilities
from rupture_repair.power import answers, search
from rupture_repair.power.plan import Wishes, make
from rupture_repair.power.preparation import world_of
from rupture_repair.power.questions import QUESTIONS
from rupture_repair.power.studies import PROBABILITIES, StudyBlock, dataset_of
from rupture_repair.project.dataset import Detected
from rupture_repair.simulation.study import within_sd_of_outcome

SETTINGS = made_settings()


def planned(**asked):
    usual = {"claim": "C7.open", "criterion": "own_mean_2sd", "courses": (40,), "replicates": 20}
    return make(Wishes(**(usual | asked)), SETTINGS)


def world(**asked):
    return world_of(planned(**asked), {"k": {}, "reliability": 0.95})


# ---------------------------------------------------------------------------- theory

#: A world in which the test of an open rupture is a t-test within courses, whose errors are known:
#: no repair, no carry over, no own growth, no end of the scale, no gap.
BY_THE_BOOK = {
    "repair_log_odds": -30.0, "autocorrelation": 0.0, "outcome_growth_sd": 0.0, "skipped": 0.0,
    "unrated": 0.0, "missing_item": 0.0, "leave_log_odds": -30.0, "ends_of_scale": False,
}  # fmt: skip


def analytic_power(study, effect: float, error_sd: float) -> float:
    """Return the power of the t-test of open against steady sessions, within courses."""
    table = study.states.assign(open=study.states["state"].isin(["ruptured", "after_unrepaired"]))
    # The last session is followed by no outcome.
    table = table[table.groupby("course").cumcount(ascending=False) > 0]
    columns = table[["session", "open"]].astype(float)
    columns -= columns.groupby(table["course"]).transform("mean")
    time, exposure = columns["session"], columns["open"]
    rest = exposure - time * (time @ exposure) / (time @ time)
    freedom = len(table) - table["course"].nunique() - 2
    away = effect * np.sqrt(rest @ rest) / error_sd
    return float(stats.nct.cdf(-stats.t.isf(0.025, freedom), freedom, away))


def test_the_power_with_known_states_is_that_of_the_t_test():
    effect, studies = 0.3, 100
    made = planned(effect=effect, simulation=BY_THE_BOOK, probabilities=False)
    where = world_of(made, {"k": {}, "reliability": 0.95})
    found = answers.run_block(where, 40, range(studies), ["truth"])
    (row,) = search.shares(found, made).to_dict("records")
    sd = within_sd_of_outcome(where.settings)
    simulated = StudyBlock.simulated(where, 40, range(studies)).studies
    power = np.mean([analytic_power(study, -effect * sd, sd) for study in simulated])
    assert 0.3 < power < 0.9
    low, high = stats.binom(studies, power).interval(0.999)
    assert low <= row["significant"] <= high
    # Half as much, or the whole effect for nothing, would be told from it.
    assert not low <= stats.binom(studies, 0.025).mean() <= high
    assert abs(row["estimate"] + effect * sd) < 4 * row["estimate_error"]
    assert row["coverage"] > 0.87


# ---------------------------------------------------------------------------- the pipeline

#: Ruptures so clear and frequent that few courses identify the hidden Markov model.
CLEAR = {"depth": 9.0, "depth_max": 20.0, "rupture_rate": 0.12}
COURSES = 60


@pytest.fixture(scope="module")
def pipeline():
    """Return one study, and what the steps of the pipeline make of it: its table of claims."""
    where = world(
        criterion="v_1sd", claim="C9.open", effect=1.5, simulation=CLEAR | {"leave_log_odds": -3.0}
    )
    block = StudyBlock.simulated(where, COURSES, [0])
    dataset = dataset_of(where, block.studies[0])
    models = fit_hidden_markov(dataset.sessions, dataset.measures)
    assert models["alliance"].identified
    said = Probabilities(
        probable(dataset.sessions, dataset.measures, models, dataset="study"), models
    )
    rules = criteria.load(["v_1sd", PROBABLE_CRITERION])
    found = list(
        detect.detect(dataset.sessions, dataset.measures, rules, EDGE_RULES, dataset="study",
                      events=dataset.events, models=models)
    )  # fmt: skip
    detected = Detected(
        pd.concat([one.states.to_pandas() for one in found]),
        pd.concat([one.episodes for one in found]),
        pd.DataFrame([one.summary for one in found]),
    )
    fits = fit_models(dataset, detected, SETTINGS.models, EDGE_RULES, "v_1sd", probabilities=said)
    table = judge_claims(
        dataset, detected, fits, pd.DataFrame(columns=["measure", "criterion"]),
        EXPOSURE_RULES, smallest={}, seed=1, probabilities=said,
    )  # fmt: skip
    return where.settings, table.set_index(["criterion", "claim", "part"])


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_study_is_answered_as_the_pipeline_answers_it(pipeline, name):
    settings, table = pipeline
    where = replace(world(criterion="v_1sd", claim=name), settings=settings)
    claim, part = name.split(".")
    ways = {"v_1sd": "v_1sd"}
    if where.probable:
        ways[PROBABILITIES] = PROBABLE_CRITERION
    for way, criterion in ways.items():
        (answer,) = answers.run_block(where, COURSES, [0], [way]).to_dict("records")
        row = table.loc[(criterion, claim, part)]
        assert answer["verdict"] == row["verdict"], (name, way, answer["reason"], row["reason"])
        if way == PROBABILITIES or claim != "C13":
            assert answer["verdict"] != "not assessable", answer["reason"]
        if answer["verdict"] != "not assessable":
            for key in ("estimate", "std_error", "ci_low", "ci_high"):
                assert answer[key] == pytest.approx(row[key], rel=1e-6), (name, way)


# ---------------------------------------------------------------------------- probabilities


def test_probabilities_do_not_depend_on_blocks_and_are_missing_with_a_reason():
    where = world(effect=3.0, unit="points", simulation=CLEAR)
    assert where.ways == ("truth", PROBABILITIES, "own_mean_2sd")
    both = answers.run_block(where, 50, [0, 1])
    alone = answers.run_block(where, 50, [1])
    second = both[both["replicate"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(second, alone, check_exact=True)
    known = both[both["detection"] == PROBABILITIES]
    assert known["estimate"].notna().any()
    none = answers.run_block(
        replace(where, settings=replace(where.settings, rupture_rate=0.0)), 40, [0], [PROBABILITIES]
    )
    assert list(none["verdict"]) == ["not assessable"]
    assert none["reason"][0] == "no evidence of a ruptured state: one state fits as well by BIC"
    assert none["p"].isna().all()


@pytest.mark.parametrize(
    ("direct", "p", "verdict"),
    [
        (Estimate(-1.5, -2.5, -0.5, p=0.02), 0.02, "supported"),
        (Estimate(-1.5, -3.5, 0.5, p=0.2), 0.2, "undecided"),
        (Estimate(1.5, 0.5, 2.5, p=0.02), 1.0, "undecided"),
        ("the rating does not vary", 1.0, "undecided"),
    ],
)
@pytest.mark.parametrize("place", ["by_direct", "by_early"])
def test_a_claim_by_probabilities_needs_all_effects(place, direct, p, verdict):
    total = Estimate(-2.0, -3.0, -1.0, p=0.001)
    others = {"by_direct": total, "by_early": total, place: direct}
    said = answers.of_all(world(), total, others)
    assert (said["estimate"], said["p"], said["verdict"]) == (-2.0, p, verdict)
    nothing = answers.of_all(world(), "few courses", others)
    assert (nothing["verdict"], nothing["reason"]) == ("not assessable", "few courses")


def test_fewer_studies_are_made_where_each_takes_seconds():
    assert (planned(replicates=None).replicates, planned().lead) == (100, PROBABILITIES)
    quick = planned(replicates=None, probabilities=False)
    assert (quick.replicates, quick.lead) == (1000, "own_mean_2sd")
    assert planned(claim="C5", replicates=None).replicates == 1000
    several = planned(criterion=["v_1sd", "own_mean_2sd"])
    assert several.ways == ("truth", PROBABILITIES, "v_1sd", "own_mean_2sd")
