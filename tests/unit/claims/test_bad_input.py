"""Datasets that lack what claims and models need: each says what is missing, and nothing crashes.

One simulated dataset, ingested as real data are, and spoiled in four ways.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from made_settings import EDGE_RULES, EXPOSURE_RULES
from rupture_repair.claims import mediation
from rupture_repair.claims.judge_claims import judge_claims
from rupture_repair.claims.verdicts import VERDICTS, load
from rupture_repair.detection import criteria, detect
from rupture_repair.exposure.courses import course_exposures
from rupture_repair.ingest import ingest
from rupture_repair.models.definitions import MODELS, SAME_SCORES
from rupture_repair.models.evidence import STANDS_IN
from rupture_repair.models.fit_models import fit_models
from rupture_repair.models.flow import flow_of
from rupture_repair.project.dataset import Detected
from rupture_repair.project.reasons import in_full
from rupture_repair.project.setting_groups import ModelSettings
from rupture_repair.settings import default
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings

RULE = "own_mean_2sd"


@dataclass(frozen=True)
class Found:
    """Everything that the pipeline makes of a dataset, for the client's alliance and one rule."""

    data: ingest.Dataset
    states: pd.DataFrame
    episodes: pd.DataFrame
    detection: pd.DataFrame
    estimates: pd.DataFrame
    claims: pd.DataFrame
    flow: pd.DataFrame

    def claim(self, name):
        """Return the row of a part, ``C7.repaired``."""
        claim, part = name.split(".")
        return self.claims[(self.claims["claim"] == claim) & (self.claims["part"] == part)].iloc[0]

    def model(self, name, variant="main"):
        own = self.estimates
        return own[(own["model"] == name) & (own["variant"] == variant)]


def detected(data):
    found = list(
        detect.detect(
            data.sessions, {"alliance": data.measures["alliance"]}, criteria.load([RULE]),
            EDGE_RULES, dataset="bad", events=data.events,
        )
    )  # fmt: skip
    states = pd.concat([one.states.to_pandas() for one in found], ignore_index=True)
    episodes = pd.concat([one.episodes for one in found], ignore_index=True)
    return states, episodes, pd.DataFrame([one.summary for one in found])


def analysed(data, states, episodes, detection):
    found = Detected(states, episodes, detection)
    fitted = fit_models(data, found, default(ModelSettings), EDGE_RULES, RULE)
    chance = pd.DataFrame(columns=["measure", "criterion", "course", "expected"])
    judged = judge_claims(data, found, fitted, chance, EXPOSURE_RULES, smallest={}, seed=1)
    told = flow_of(data, found, fitted, EXPOSURE_RULES)
    return Found(data, states, episodes, detection, fitted, judged, told)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    settings = SimulationSettings(
        n_courses=70, n_therapists=7, rupture_rate=0.1, leave_log_odds=-2.5
    )
    folder = tmp_path_factory.mktemp("bad") / "bad"
    return ingest.ingest("bad", write_dataset(folder, seed=3, settings=settings))


def one_therapist(data):
    tables = {name: getattr(data, name).assign(therapist="T1") for name in ("sessions", "courses")}
    data = replace(data, **tables)
    return analysed(data, *detected(data))


def no_repaired_episode(data):
    states, episodes, detection = detected(data)
    state = states["state"].astype("str")
    states["state"] = state.replace(
        {"repaired_here": "after_unrepaired", "after_repair": "after_unrepaired"}
    )
    repaired = episodes["status"].astype("str") == "repaired"
    episodes["status"] = episodes["status"].astype("str").mask(repaired, "unrepaired")
    episodes["repair"] = pd.array([pd.NA] * len(episodes), dtype="Int32")
    episodes["persistence"] = pd.array([pd.NA] * len(episodes), dtype="Int32")
    return analysed(data, states, episodes, detection)


def all_courses_censored(data):
    """No course has ended, and of no episode is it known what became of it."""
    data = replace(data, courses=data.courses.assign(ending="ongoing"))
    states, episodes, detection = detected(data)
    state = states["state"].astype("str")
    later = ["repaired_here", "after_repair", "after_unrepaired"]
    states["state"] = state.where(~state.isin(later), "ruptured")
    episodes["status"] = "censored"
    episodes["repair"] = pd.array([pd.NA] * len(episodes), dtype="Int32")
    episodes["persistence"] = pd.array([pd.NA] * len(episodes), dtype="Int32")
    return analysed(data, states, episodes, detection)


def outcome_once(data):
    later = data.sessions["course"].duplicated()
    outcome = [name for name in data.sessions if name.startswith("outcome")]
    sessions = data.sessions.copy()
    sessions.loc[later, outcome] = np.nan
    data = replace(data, sessions=sessions)
    return analysed(data, *detected(data))


SPOILED = {
    spoil.__name__: spoil
    for spoil in (one_therapist, no_repaired_episode, all_courses_censored, outcome_once)
}


@pytest.fixture(scope="module")
def spoiled(whole):
    return cache(lambda name: SPOILED[name](whole))


@pytest.fixture(params=SPOILED)
def bad(request, spoiled):
    return spoiled(request.param)


# ------------------------------------------------------------------ no evidence on the alliance


@pytest.mark.parametrize("why", [STANDS_IN, SAME_SCORES])
def test_no_claim_is_judged_where_nothing_is_evidence_on_the_alliance(whole, why):
    states, episodes, detection = detected(whole)
    judged = analysed(whole, states, episodes, detection).claims
    assert set(judged["verdict"]) > {"not assessable", "undecided"}
    change = {"stands_in": "Symptoms."} if why == STANDS_IN else {"outcome": "alliance"}
    alliance = replace(whole.measures["alliance"], **change)
    data = replace(whole, measures={**whole.measures, "alliance": alliance})
    claims = analysed(data, states, episodes, detection).claims
    assert set(claims["verdict"]) == {"not assessable"}
    estimated = claims["estimate"].notna()
    assert set(claims.loc[estimated, "reason"]) == {why}
    if why == STANDS_IN:
        numbers = ["estimate", "ci_low", "ci_high", "standardised", "n_courses"]
        pd.testing.assert_frame_equal(claims[numbers], judged[numbers])
    else:
        parts = claims["claim"] + claims["part"]
        assert set(parts[estimated]) >= {"C2distinct", "C4intensity"}
        assert (claims.loc[parts == "C7repaired", "reason"] == why).all()


# ------------------------------------------------------------------ all four


def test_every_claim_has_a_verdict_and_a_reason_and_none_crashed(bad):
    table = bad.claims
    assert len(table) == sum(len(claim.parts) for claim in load())
    assert set(table["verdict"]) <= set(VERDICTS)
    assert (table["reason"].str.len() > 0).all()
    assert not table["reason"].str.contains("estimation failed|Error|nan|None", regex=True).any()


def test_every_model_has_a_status_with_its_reason_and_none_crashed(bad):
    table = bad.estimates
    variants = [one for model in MODELS.values() for one in model.variants.values()]
    expected = sum(variant.view is None for variant in variants)  # no probabilities were given
    assert len(table[["model", "variant"]].drop_duplicates()) == expected
    assert not (table["status"] == "failed").any(), table.loc[
        table["status"] == "failed", ["model", "variant", "message"]
    ].to_numpy()
    without = table[table["term"].isna()]
    assert (without["status"] == "not_assessable").all()
    assert (without["message"].str.len() > 0).all()


def test_every_number_carries_its_n(bad):
    counts = ["n_courses", "n_sessions", "n_episodes"]
    judged = bad.claims[bad.claims["estimate"].notna()]
    assert len(judged)
    assert judged[counts].notna().any(axis=1).all()
    assert bad.claims.loc[bad.claims["estimate"].isna(), "verdict"].eq("not assessable").all()
    fitted = bad.estimates[bad.estimates["term"].notna()]
    assert fitted[counts].notna().any(axis=1).all()


def test_the_flow_of_exclusions_adds_up(bad):
    for unit, steps in bad.flow.groupby("unit"):
        assert (steps["n_before"] == steps["n_left_out"] + steps["n_after"]).all()
        assert list(steps["n_before"][1:]) == list(steps["n_after"][:-1])
        every = {"session": len(bad.data.sessions), "course": len(bad.data.courses)}[unit]
        assert steps["n_before"].iloc[0] == every
        fitted = bad.model("next_session").dropna(subset="term")
        analysed_rows = fitted[f"n_{unit}s"].iloc[0] if len(fitted) else 0
        assert steps["n_after"].iloc[-1] == analysed_rows
    row = bad.detection.iloc[0]
    status = bad.episodes["status"].astype("str").value_counts()
    assert status.sum() == len(bad.episodes)
    assert row["n_courses_assessable"] <= row["n_courses"] == len(bad.data.courses)


def test_the_courses_of_the_mediation_add_up(bad):
    table = course_exposures(bad.episodes, bad.states, bad.data, "alliance", "outcome")
    chosen = mediation.courses(bad.episodes, table, bad.data, "alliance", "outcome")
    assert len(chosen.table) + sum(chosen.left_out.values()) == len(table)
    assert f"of {len(table)} courses" in in_full(chosen.flow())


# ------------------------------------------------------------------ what is missing, by name


def missing(found, name, text):
    row = found.claim(name)
    assert row["verdict"] == "not assessable", name
    assert text in in_full(row["reason"]), (name, row["reason"])
    assert pd.isna(row["estimate"])


def test_one_therapist(spoiled):
    found = spoiled("one_therapist")
    missing(found, "C4.frequency", "of 1 therapists are too few to tell them apart")
    messages = found.model("next_session")["message"].map(in_full)
    assert messages.str.contains("only one therapist: fitted without the therapist level").all()
    assert found.claim("C7.open")["verdict"] != "not assessable"


def test_no_repaired_episode(spoiled):
    found = spoiled("no_repaired_episode")
    missing(found, "C7.repaired", "repaired_within: none occurred")
    missing(found, "C4.persistence", "0 repaired episodes of 0 courses are too few")
    missing(found, "C6.alliance", "repaired")
    missing(found, "C6.through_alliance", "0 courses with the first rupture repaired")
    assert found.claim("C7.open")["verdict"] != "not assessable"
    assert (found.model("moderation")["status"] == "not_assessable").all()


def test_all_courses_and_episodes_censored(spoiled):
    found = spoiled("all_courses_censored")
    missing(found, "C5.leaving", "no course was dropped out of")
    missing(found, "C7.repaired", "repaired_within: none occurred")
    missing(found, "C8.alliance", "unrepaired")
    missing(found, "C10.noticed", "")
    missing(found, "C6.through_alliance", "with a first rupture whose repair is not known")
    assert (found.model("ending")["message"].str.contains("dropped out")).all()
    few = found.model("final", "recovered_gee").iloc[0]
    assert in_full(few["message"]) == (
        "the estimating equations have no solution: 7 rows with the rarer outcome are too few for "
        "5 terms"
    )


def test_outcome_measured_once(spoiled):
    found = spoiled("outcome_once")
    for name in ("C1.within", "C7.repaired", "C7.open", "C9.repaired", "C9.open", "C6.outcome"):
        missing(found, name, "")
    missing(found, "C1.between", "0 courses with first and last outcome")
    missing(found, "C3.recovered", "0 recovered courses")
    missing(found, "C6.through_alliance", "without first or last outcome")
    assert (found.model("next_session")["status"] == "not_assessable").all()
    assert found.claim("C4.intensity")["verdict"] != "not assessable"
