from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_courses import with_sessions
from rupture_repair.models.definitions import MODELS
from rupture_repair.models.fit_models import status_counts
from rupture_repair.project.reasons import because, in_full
from rupture_repair.statistics import estimates as estimates_module
from rupture_repair.statistics.estimates import COLUMNS
from rupture_repair.statistics.statuses import STATUSES


def test_an_outcome_that_nobody_rated_is_not_assessable(made):
    every = made.fit_all(sessions=made.sessions.assign(outcome=np.nan))
    about_outcome = every[every["model"].isin(["next_session", "trajectory", "final"])]
    assert set(about_outcome["status"]) == {"not_assessable"}
    assert not (every["status"] == "failed").any()


# ------------------------------------------------------------------ a dataset


def test_every_model_and_variant_has_its_rows_in_order(estimates):
    assert list(estimates.columns) == list(COLUMNS)
    found = estimates[["model", "variant"]].drop_duplicates().itertuples(index=False, name=None)
    assert list(found) == [
        ("next_session", "main"), ("next_session", "with_outcome_now"),
        ("next_session", "detrended"), ("next_session", "ar1"),
        ("trajectory", "main"), ("trajectory", "landmark"),
        ("final", "main"), ("final", "recovered"), ("final", "recovered_gee"),
        ("ending", "main"), ("ending", "without_baseline"), ("growth", "main"),
        ("moderation", "main"), ("moderation", "disagreement"), ("moderation", "noticed"),
        ("moderation", "kind"), ("moderation", "cause"), ("moderation", "strategy"),
    ]  # fmt: skip
    contrast = estimates[estimates["term"] == "repaired_minus_open"]
    assert list(contrast["variant"]) == ["main", "with_outcome_now", "detrended", "ar1"]
    ar1 = estimates[estimates["variant"] == "ar1"]
    assert ar1["status"].isin(["converged", "singular"]).all()
    # The residuals were drawn without autocorrelation.
    assert abs(ar1["rho"].iloc[0]) < 0.2
    assert estimates[estimates["variant"] == "main"]["rho"].isna().all()
    final = estimates[estimates["model"] == "final"]
    assert final["n_sessions"].isna().all()
    assert (final["n_courses"] == 60).all()


def test_trajectories_are_compared_with_courses_without_ruptures(estimates):
    terms = estimates.loc[estimates["model"] == "trajectory", "term"]
    assert "time:group[any unrepaired]" in set(terms)
    assert not terms.str.contains("none").any()


def test_courses_that_all_have_ruptures_are_compared_with_what_there_is(made):
    every = made.courses[["course"]].assign(status=["repaired", "unrepaired"] * 30, session=2)
    every = with_sessions(every, np.random.default_rng(0))
    every = every.assign(measure="alliance", criterion="dip")
    rows = made.fit_all(episodes=every)
    trajectory = rows[rows["model"] == "trajectory"]
    assert trajectory["message"].map(in_full).str.contains("the reference is 'repaired only'").all()
    assert "time:group[any unrepaired]" in set(trajectory["term"])


def test_the_number_of_processes_changes_nothing(made):
    criteria = ["dip", "tooth"]
    shuffled = made.states.assign(state=made.states["state"].sample(frac=1, random_state=1).array)
    tables = {
        "states": pd.concat([made.states, shuffled.assign(criterion="tooth")]),
        "episodes": pd.concat([made.episodes.assign(criterion=name) for name in criteria]),
        "detection": pd.concat([made.detection.assign(criterion=name) for name in criteria[::-1]]),
    }
    alone, shared = (made.fit_all(processes, **tables) for processes in (1, 2))
    pd.testing.assert_frame_equal(alone, shared)
    assert list(alone["criterion"].unique()) == criteria


def statuses(rows):
    """Return status and message by model and variant."""
    rows = rows.drop_duplicates(["model", "variant"]).set_index(["model", "variant"])
    return rows["status"], rows["message"].map(in_full, na_action="ignore")


def test_a_criterion_that_is_not_assessable(made):
    detection = made.detection.assign(assessable=False, reason="too few ratings")
    status, message = statuses(made.fit_all(detection=detection))
    assert (status == "not_assessable").all()
    assert (message == in_full(because("criterion", reason="too few ratings"))).all()


def test_a_measure_without_outcome(made):
    alone = made.measures | {"alliance": replace(made.measures["alliance"], outcome=None)}
    rows = made.fit_all(measures=alone)
    assert (rows["status"] == "not_assessable").all()
    assert (rows["message"] == because("no_outcome", measure="alliance")).all()
    assert rows["outcome"].isna().all()


def test_an_outcome_before_and_after_therapy_leaves_the_final_model(made):
    by_course = made.sessions.groupby("course")["outcome"]
    ends = by_course.agg(["first", "last"]).add_prefix("outcome__").reset_index()
    measures = made.measures | {"outcome": replace(made.measures["outcome"], level="course")}
    whole, message = statuses(made.fit_all())
    status, message = statuses(
        made.fit_all(
            sessions=made.sessions.drop(columns="outcome"),
            courses=made.courses.merge(ends),
            measures=measures,
        )
    )
    assert status["final", "main"] == whole["final", "main"] != "not_assessable"
    for key in [("next_session", "main"), ("trajectory", "main")]:
        assert status[key] == "not_assessable"
        assert "before and after therapy only" in message[key]


def test_no_ruptures_at_all(made):
    state = made.states["state"].where(made.states["state"] == "not_assessable", "steady")
    rows = made.fit_all(states=made.states.assign(state=state), episodes=made.episodes.head(0))
    status, message = statuses(rows)
    assert (status == "not_assessable").all()
    assert "combination of other terms: repaired_within" in message["next_session", "main"]
    assert "n_repaired, n_unrepaired" in message["final", "main"]
    assert "time:group" in message["trajectory", "main"]


@pytest.mark.parametrize("keep", [lambda t: t["session"] == 1, lambda t: t["course"] == "c001"])
def test_courses_of_one_session_and_one_course(made, keep):
    episodes = made.episodes.assign(session=made.episodes["end"])
    rows = made.fit_all(sessions=made.sessions[keep(made.sessions)],
                        states=made.states[keep(made.states)],
                        episodes=episodes[keep(episodes)])  # fmt: skip
    status, message = statuses(rows)
    assert (status == "not_assessable").all()
    assert message.str.len().min() > 0
    # Probabilities were not given.
    variants = [one for model in MODELS.values() for one in model.variants.values()]
    assert len(rows) == sum(variant.view is None for variant in variants)


def test_no_therapist_is_said_and_the_rest_is_fitted(made):
    rows = made.fit_all(courses=made.courses.assign(therapist=None))
    fitted = rows[rows["status"] != "not_assessable"]
    assert set(fitted["model"]) == {"next_session", "trajectory", "final", "growth", "moderation"}
    # Growth has no therapist level.
    assert (
        fitted["message"]
        .map(in_full)
        .str.contains("no therapist is named")
        .eq(fitted["model"] != "growth")
        .all()
    )
    assert (fitted.loc[fitted["model"] == "final", "df"] > 40).all()


def test_same_scores_are_said_in_every_row(made):
    rows = made.fit_all(sessions=made.sessions.assign(alliance=30 - made.sessions["outcome"]))
    said = rows["message"].str.contains("rating and outcome are the same scores")
    # The outcome has no part in the others.
    assert said.eq(~rows["model"].isin(["growth", "moderation"])).all()


def test_one_failed_fit_does_not_stop_the_others(made, monkeypatch):
    fit = estimates_module.fit

    def breaks_once(formula, *arguments, **rest):
        if "outcome_now" in formula:
            raise RuntimeError("the disk is on fire")
        return fit(formula, *arguments, **rest)

    monkeypatch.setattr(estimates_module, "fit", breaks_once)
    status, message = statuses(made.fit_all())
    assert status["next_session", "with_outcome_now"] == "failed"
    assert message["next_session", "with_outcome_now"] == "RuntimeError: the disk is on fire"
    assert status["next_session", "detrended"] in ("converged", "singular")


def test_status_counts(estimates):
    counts = status_counts(estimates).set_index(["model", "variant"])
    assert list(counts.columns) == [*STATUSES, "fits"]
    assert counts.loc[("ending", "main"), "not_assessable"] == 1
    assert (counts["fits"] == 1).all()
    assert counts.index[0] == ("next_session", "main")


def test_types_do_not_depend_on_what_was_fitted(made, estimates):
    nothing = made.fit_all(detection=made.detection.assign(assessable=False))
    assert list(nothing.dtypes.astype(str)) == list(estimates.dtypes.astype(str))


def test_every_term_has_a_reading_and_every_variant_a_purpose(estimates):
    for model in MODELS.values():
        assert set(model.about) == set(model.variants)
        terms = estimates.loc[estimates["model"] == model.id, "term"].dropna()
        plain = set(terms.str.replace(r"\[.*\]", "", regex=True)) - {"Intercept"}
        read = set(model.reading) | {"repaired_between", "open_between"}
        assert plain <= read
