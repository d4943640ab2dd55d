"""Effects by probabilities: their size where nobody knows the states, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of, detected_of
from made_measures import made_measures
from made_settings import ALL_VARIANTS, EDGE_RULES, EXPOSURE_RULES
from planted_chain import TRUTH, draw
from rupture_repair.detection.hidden_markov import uncertainty
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel
from rupture_repair.exposure.probable import probable
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.models import fit_models
from rupture_repair.models.definitions import (
    MODELS,
    PROBABLE_CRITERION,
    PROBABLE_VARIANTS,
    REPAIRED_MINUS_OPEN,
    SAME_SCORES,
)
from rupture_repair.models.expected_share import expected_shares, expected_slopes
from rupture_repair.models.probable import Probabilities, fit_probable
from rupture_repair.project.reasons import in_full
from rupture_repair.statistics import estimates

OPEN, REPAIRED, FOLLOWS = -2.0, 1.5, 0.3
LAW = Parameters(
    covariance=np.diag([TRUTH["level_sd"] ** 2, TRUTH["trend_sd"] ** 2]),
    **{name: value for name, value in TRUTH.items() if not name.endswith("_sd")},
)
MODEL = HiddenMarkovModel(LAW, 7.5, 0.0, 40.0, 0.5, identified=True)
MEASURES = made_measures(
    alliance={"outcome": "outcome", "range": (0, 40)}, outcome={"role": "outcome"}
)
DETECTION = pd.DataFrame({
    "measure": "alliance", "criterion": ["dip", PROBABLE_CRITERION], "assessable": True,
    "reason": "", "uses_future": True,
})  # fmt: skip
EPISODES = [
    *("course", "session", "measure", "criterion", "status"),
    *("onset", "first_low", "end", "repair", "fall"),
]


class Study:
    """Courses of the model itself, and outcomes that follow the session before."""

    def __init__(self, courses, seed):
        self.chain = draw(courses, seed=seed, rated=1.0)
        found, random = self.chain.courses, np.random.default_rng(seed)
        self.sessions = pd.DataFrame({
            "course": [f"c{one:03d}" for one in found.course], "client": "x",
            "therapist": [f"t{one // 8:02d}" for one in found.course],
            "session": found.session, "alliance": found.rating,
        })  # fmt: skip
        self.plain = 20 + 3 * random.standard_normal(courses)[found.course]
        self.plain += 1.5 * random.standard_normal(len(found.course))
        models = {"alliance": MODEL}
        self.said = Probabilities(probable(self.sessions, MEASURES, models, dataset="d"), models)

    def with_effects(self, open_=0.0, repaired=0.0, usual=0.0, rating=0.0):
        chain = self.chain
        moved = open_ * chain.ruptured + repaired * chain.repaired
        moved = moved + usual * chain.deviation + rating * chain.courses.rating
        before = np.where(chain.courses.session > 1, np.roll(moved, 1), 0.0)
        return self.sessions.assign(outcome=self.plain + before)

    def tables(self, sessions):
        courses = sessions[["course", "client", "therapist"]].drop_duplicates("course")
        state = np.where(sessions["session"] < 3, "not_assessable", "steady")
        states = sessions[["course", "session"]].assign(state=state, measure="alliance")
        return {"measures": MEASURES, "sessions": sessions, "courses": courses, "states": states}

    def fit(self, sessions, said=None):
        tables = self.tables(sessions)
        dataset, states = dataset_of(tables), tables["states"]
        table = session_exposures(states, dataset, "alliance", "outcome", EXPOSURE_RULES)
        return fit_probable(PROBABLE_VARIANTS, table, dataset, "alliance", said or self.said)

    def fit_all(self, sessions, **settings):
        """Fit every model, as a dataset's are, by two criteria."""
        states = pd.concat(self.tables(sessions)["states"].assign(criterion=name)
                           for name in DETECTION["criterion"])  # fmt: skip
        given = self.tables(sessions) | {
            "states": states, "detection": DETECTION, "episodes": pd.DataFrame(columns=EPISODES)
        }  # fmt: skip
        rows = fit_models.fit_models(
            dataset_of(given), detected_of(given), replace(ALL_VARIANTS, **settings),
            EDGE_RULES, "dip", probabilities=self.said,
        )  # fmt: skip
        return rows[rows["variant"].isin(PROBABLE_VARIANTS)]


@pytest.fixture(scope="module", autouse=True)
def learnt_from_few():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncertainty, "MOST_MOVED", 4)
        yield


@pytest.fixture(scope="module")
def study():
    return Study(240, seed=4)


@pytest.fixture(scope="module")
def nothing(study):
    return study.fit(study.with_effects())


def answers(study, nothing, term, **effects):
    """Return how the estimates answer to effects: the noise is the same with them and without."""
    fits = study.fit(study.with_effects(**effects))
    return [fits[name].row(term)["estimate"] - nothing[name].row(term)["estimate"]
            for name in PROBABLE_VARIANTS]  # fmt: skip


def test_effects_of_states_that_nobody_knows_come_back_in_their_size(study, nothing):
    total, direct, filtered = answers(study, nothing, "open_within", open_=OPEN, repaired=REPAIRED)
    assert total == pytest.approx(OPEN, abs=0.2)
    assert direct == pytest.approx(OPEN, abs=0.25)
    assert OPEN - 0.2 < filtered < 0.75 * OPEN
    back = answers(study, nothing, "repaired_within", repaired=REPAIRED)
    assert back == pytest.approx([REPAIRED] * 3, abs=0.45)


def test_what_follows_ordinary_ups_and_downs_or_the_rating_is_no_effect(study, nothing):
    # Sessions in a rupture lie seven points lower: .3 points of outcome for each would be 2.1.
    total, _, filtered = answers(study, nothing, "open_within", usual=FOLLOWS)
    assert abs(total) < 0.2
    assert abs(filtered) < 0.4
    _, direct, _ = answers(study, nothing, "open_within", rating=FOLLOWS)
    assert direct == pytest.approx(0, abs=1e-4)


def test_intervals_hold_what_is_not_there_and_the_contrast_is_a_row(nothing):
    for fit in nothing.values():
        for term in ("open_within", "repaired_within", REPAIRED_MINUS_OPEN):
            row = fit.row(term)
            assert row["ci_low"] < 0 < row["ci_high"]
            assert 0.05 < row["std_error"] < 0.5
        # Units are courses, where therapists are fewer than forty.
        assert fit.row("open_within")["df"] <= 239
        assert "may move later ratings" not in fit.message


def test_the_rows_stand_under_the_criterion_whose_model_it_is(study, nothing):
    rows = study.fit_all(study.with_effects())
    assert set(rows["criterion"]) == {PROBABLE_CRITERION}
    own = rows.set_index(["variant", "term"])
    for name, fit in nothing.items():
        row = own.loc[(name, "open_within")]
        assert row["estimate"] == pytest.approx(fit.row("open_within")["estimate"])
        assert row["n_courses"] == 240


def test_other_ids_in_another_order_change_no_number(study, nothing):
    sessions = study.with_effects()
    other = (7 * sessions["course"].str[1:].astype(int) + 3) % 240
    sessions = sessions.assign(course=other.map("k{:03d}".format))
    sessions = sessions.sort_values(["course", "session"], ignore_index=True)
    table = probable(sessions, MEASURES, study.said.models, dataset="d")
    fits = study.fit(sessions, replace(study.said, table=table))
    for name, fit in fits.items():
        for key in ("estimate", "std_error"):
            found, expected = (one.row("open_within")[key] for one in (fit, nothing[name]))
            assert found == pytest.approx(expected, rel=1e-6)


def test_the_share_that_is_expected_of_a_criterion_is_what_is_left_of_an_effect(study):
    # Sessions far below their course's mean are flagged, and those after them count as repaired.
    low = study.sessions["alliance"] < study.sessions.groupby("course")["alliance"].transform(
        "mean"
    ) - 5  # fmt: skip
    after = low.groupby(study.sessions["course"]).cummax()
    state = np.where(low, "ruptured", np.where(after, "after_repair", "steady"))
    found = []
    for effects in ({}, {"open_": OPEN}, {"open_": OPEN, "repaired": REPAIRED}):
        tables = study.tables(study.with_effects(**effects))
        states = tables["states"].assign(state=state)
        table = session_exposures(states, dataset_of(tables), "alliance", "outcome", EXPOSURE_RULES)
        variant = MODELS["next_session"].variants["ar1"]
        fit = estimates.fit(variant.formula, table, ar1=variant.ar1)
        found.append(fit.row("open_within")["estimate"])
    slopes = expected_slopes(table, study.said, "alliance")
    share = expected_shares(table, study.said, "alliance")
    assert list(share) == ["repaired_within", "open_within"]
    assert share["open_within"] == slopes[1, 1]
    assert 0.3 < slopes[1, 1] < 0.95
    assert (found[1] - found[0]) / OPEN == pytest.approx(slopes[1, 1], abs=0.04)
    both = REPAIRED * slopes[0, 1] + OPEN * slopes[1, 1]
    assert found[2] - found[0] == pytest.approx(both, abs=0.12)
    models = {"alliance": replace(MODEL, identified=False)}
    assert expected_shares(table, replace(study.said, models=models), "alliance") == {}
    steady = table.assign(open_within=0.0)
    assert expected_shares(steady, study.said, "alliance") == {}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("same", in_full(SAME_SCORES)),
        ("statsmodels", "no autocorrelated residuals"),
        ("unrated", "no session whose state is known"),
    ],
)
def test_what_cannot_be_fitted_at_all_is_not_assessable(study, what, reason):
    sessions = study.with_effects()
    some = sessions[sessions["course"].isin(sessions["course"].unique()[:45])]
    if what == "same":
        some = some.assign(outcome=some["alliance"])
    if what == "unrated":
        some = some.assign(outcome=np.nan)
    engine = what if what == "statsmodels" else "blocks"
    # One rating is left of each course, so that no other model is fitted.
    rows = study.fit_all(some if what == "same" else some[some["session"] == 3], engine=engine)
    assert set(rows["status"]) == {"not_assessable"}
    assert rows["message"].map(in_full).str.contains(reason).all()


def test_twenty_courses_and_ratings_at_the_end_of_their_scale_are_refused(study):
    sessions = study.with_effects()
    few = sessions[sessions["course"].isin(sessions["course"].unique()[:20])]
    at_end = sessions.assign(alliance=np.where(sessions["session"] % 2, 40.0, 30.0))
    for given, reason in ((few, "fewer than 40 courses"), (at_end, "50% of the ratings are at")):
        for fit in study.fit(given).values():
            assert fit.status == "not_assessable"
            assert reason in in_full(fit.message)


def test_no_wild_number_is_printed(study):
    rare = replace(MODEL, parameters=replace(LAW, recovery=0.02, late_recovery=0.01))
    table = study.said.table
    unsure = table.assign(open=table["open"] * 0.01)
    cases = {
        "end within a session": (replace(study.said, models={"alliance": rare}), "repaired"),
        "exceeds the SD of the outcome: open_within": (replace(study.said, table=unsure), "open"),
    }
    for reason, (said, gone) in cases.items():
        fit = study.fit(study.with_effects(), said)["probable_total"]
        assert reason in in_full(fit.message)
        terms = list(fit.rows["term"])
        assert not any(term.startswith(gone) for term in terms if term != f"{gone}_between")
        assert f"{'open' if gone == 'repaired' else 'repaired'}_within" in terms
        assert len(fit.rows["estimate"]) == len(terms)


def test_the_view_from_before_and_a_rare_outcome_are_said(study):
    sessions = study.with_effects(open_=OPEN)
    table = study.said.table
    # By the ratings so far half of each probability: twice the effect.
    half = np.where(table["view"] == "filtered", table["open"] / 2, table["open"])
    said = replace(study.said, table=table.assign(open=half))
    fits = study.fit(sessions, said)
    assert "may move later ratings" in fits["probable_filtered"].message
    assert "may move later ratings" not in fits["probable_total"].message
    rare = sessions.assign(outcome=sessions["outcome"].where(sessions["session"] % 5 < 2))
    assert all("of the rated sessions" in fit.message for fit in study.fit(rare).values())
