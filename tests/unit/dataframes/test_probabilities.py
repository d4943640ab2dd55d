"""Probabilities of a rupture in a table: turned, numbered from zero, without evidence."""

import numpy as np
import pandas as pd
import pytest

import rupture_repair
from made_measures import made_measure
from rupture_repair import NoteWarning, ProblemsFound, rupture_probabilities
from rupture_repair.dataframes.probabilities import MOST_SOFT
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.detection.ratings import arrange, fitted_model
from rupture_repair.project import yaml_files
from rupture_repair.project.setting_groups import HiddenMarkovSettings
from rupture_repair.settings import default

ASKED = {"better": "higher", "range": (0, 40)}


@pytest.fixture(scope="module")
def ratings():
    study = rupture_repair.simulate(seed=1, n_courses=25, n_therapists=2, depth=12)
    return study.sessions[["course", "session", "alliance"]].rename(columns={"alliance": "rating"})


@pytest.fixture(scope="module")
def found(ratings):
    return rupture_probabilities(ratings, **ASKED)


def test_the_same_as_the_model_says(ratings, found):
    measure = made_measure("rating")
    arranged = arrange(ratings, "rating", measure)
    model = fitted_model(arranged, measure)
    assert model.identified
    expected = rupture_probability.assess(arranged.courses, model)
    np.testing.assert_array_equal(found["probability"], expected.probability)
    rated = ratings.dropna()
    pd.testing.assert_frame_equal(
        found[["course", "session"]], rated[["course", "session"]].reset_index(drop=True),
        check_dtype=False,
    )  # fmt: skip
    past = rupture_probabilities(ratings, past_only=True, **ASKED)
    filtered = rupture_probability.posterior(arranged.courses, model, past_only=True)
    np.testing.assert_array_equal(past["probability"], filtered)


def test_the_ends_of_the_scale_are_as_soft_as_config_yaml_would_make_them(ratings, found):
    hard = rupture_probabilities(ratings, soft_ends=0, **ASKED)
    measure = made_measure("rating")
    arranged = arrange(ratings, "rating", measure)
    model = fitted_model(arranged, measure, 0.0)
    assert (model.soft, model.identified) == ((0, 40), True)
    expected = rupture_probability.assess(arranged.courses, model)
    np.testing.assert_array_equal(hard["probability"], expected.probability)
    assert (hard["probability"] != found["probability"]).any()
    setting = default(HiddenMarkovSettings).soft_ends
    given = rupture_probabilities(ratings, soft_ends=setting, **ASKED)
    pd.testing.assert_frame_equal(given, found)
    allowed = yaml_files.schema("config")["properties"]["hidden_markov"]["properties"]["soft_ends"]
    assert (allowed["minimum"], allowed["maximum"]) == (0, MOST_SOFT)


@pytest.mark.parametrize("share", [-0.01, 0.3, np.nan, "0.1", None])
def test_an_end_that_is_none_is_refused(ratings, share):
    with pytest.raises(ProblemsFound) as refused:
        rupture_probabilities(ratings, soft_ends=share, **ASKED)
    (text,) = [entry.text for entry in refused.value.problems]
    assert text == f"E719 soft_ends=: '{share}' cannot be used. Allowed: a number from 0 to 0.25."


def test_lower_is_better_gives_the_mirror_image(ratings, found):
    mirrored = ratings.assign(rating=40 - ratings["rating"])
    turned = rupture_probabilities(mirrored, better="lower", range=(0, 40))
    np.testing.assert_allclose(turned["probability"], found["probability"], atol=1e-6)
    np.testing.assert_allclose(turned["reference"], 40 - found["reference"], atol=1e-6)


def test_sessions_may_be_numbered_from_zero(ratings, found):
    zero = rupture_probabilities(ratings.assign(session=ratings["session"] - 1), **ASKED)
    pd.testing.assert_frame_equal(zero.assign(session=zero["session"] + 1), found)


def test_without_evidence_of_ruptures_nothing_is_claimed():
    random = np.random.default_rng(2)
    ratings = pd.DataFrame({"course": np.repeat(np.arange(20), 10),
                            "session": np.tile(np.arange(1, 11), 20),
                            "rating": np.round(random.normal(20, 3, 200))})  # fmt: skip
    with pytest.warns(NoteWarning, match="no evidence of a ruptured state|ruptures lie only"):
        found = rupture_probabilities(ratings, **ASKED)
    assert found["probability"].isna().all()
    assert found["course"].dtype == ratings["course"].dtype


def test_without_any_rating():
    with pytest.warns(NoteWarning, match="there is no rating"):
        found = rupture_probabilities(
            pd.DataFrame({"course": ["a"], "session": [1], "rating": [None]}), **ASKED
        )
    assert found.columns.tolist() == ["course", "session", "probability", "reference", "noise_sd"]
    assert found.empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"range": None}, "E719 range=: 'None' cannot be used. Allowed: the lowest and the highest "
         "possible rating."),
        ({"better": "up"}, "E719 better=: 'up' cannot be used."),
        ({"rating": "srs"}, "E714 rating=: there is no column 'srs'."),
    ],
)  # fmt: skip
def test_messages(ratings, changes, message):
    with pytest.raises(ProblemsFound) as problems:
        rupture_probabilities(ratings, **(ASKED | changes))
    assert str(problems.value).startswith(message)
