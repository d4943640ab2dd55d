"""Exposures as probabilities: what is written, in which direction, and how it is split."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel
from rupture_repair.detection.ratings import arrange
from rupture_repair.exposure.probable import COLUMNS, EXPOSURES, probable

LAW = Parameters(
    30.0, 0.0, np.diag([9.0, 0.01]), 1.2, depth=6.0, onset=0.05, lasting=0.3, recovery=0.5
)
MODEL = HiddenMarkovModel(LAW, 4.0, 0.0, 40.0, 1.0, identified=True)
RATINGS = [30, 31, 29, 22, 30, 32, 31, None, 28, 27, 28, 19, 18, 19, 18]
TABLE = pd.DataFrame({
    "course": np.repeat(["a", "b"], [8, 7]), "session": [*range(1, 9), *range(1, 8)],
    "rating": pd.array(RATINGS, dtype="Float64"),
})  # fmt: skip


@pytest.fixture(scope="module")
def found():
    return probable(TABLE, {"rating": made_measure("rating")}, {"rating": MODEL}, dataset="d")


@pytest.mark.parametrize("view", ["smoothed", "filtered"])
def test_each_rated_session_has_what_the_model_says_of_it(found, view):
    courses = arrange(TABLE, "rating", made_measure("rating")).courses
    said = rupture_probability.assess(courses, MODEL, past_only=view == "filtered")
    rows = found[found["view"] == view]
    assert list(found.columns) == list(COLUMNS)
    assert rows[["course", "session", "rating"]].to_numpy().tolist() == (
        TABLE.dropna()[["course", "session", "rating"]].to_numpy().tolist()
    )
    for column, name in {"open": "probability", "repaired": "repaired", "fall": "fall",
                         "path": "reference", "deviation": "deviation"}.items():  # fmt: skip
        np.testing.assert_array_equal(rows[column], getattr(said, name))
    inside = rows["rating"].to_numpy() - rows["path"] + rows["fall"]
    np.testing.assert_allclose(rows["deviation"], inside, atol=1e-9)


def test_parts_sum_to_the_value_and_the_detrended_one_has_no_slope(found):
    for _, rows in found.groupby(["view", "course"]):
        for exposure in EXPOSURES:
            within, between = rows[f"{exposure}_within"], rows[f"{exposure}_between"]
            np.testing.assert_allclose(within + between, rows[exposure], atol=1e-12)
            assert np.ptp(between) == 0
            assert within.mean() == pytest.approx(0, abs=1e-12)
            slope = np.polyfit(rows["session"], rows[f"{exposure}_detrended"], 1)[0]
            assert slope == pytest.approx(0, abs=1e-10)


def test_a_rupture_is_seen_and_so_is_its_repair(found):
    course = found[(found["view"] == "smoothed") & (found["course"] == "a")].set_index("session")
    assert course.loc[4, "open"] > 0.7
    assert course.loc[7, "repaired"] > 0.7
    assert course.loc[2, "open"] == 0
    other = found[found["course"] == "b"].set_index(["view", "session"])
    assert other.loc[("smoothed", 7), "lasting"] > 0.5
    # What is filtered knows nothing of what follows.
    cut = TABLE[TABLE["session"] < 6]
    less = probable(cut, {"rating": made_measure("rating")}, {"rating": MODEL}, dataset="d")
    early = found[(found["view"] == "filtered") & (found["session"] < 6)]
    same = less[less["view"] == "filtered"]
    np.testing.assert_allclose(same["open"], early["open"], atol=1e-12)


def test_lower_ratings_that_are_better_are_turned(found):
    turned = TABLE.assign(rating=40 - TABLE["rating"])
    law = Parameters(
        -10.0, 0.0, np.diag([9.0, 0.01]), 1.2, depth=6.0, onset=0.05, lasting=0.3, recovery=0.5
    )
    model = HiddenMarkovModel(law, 4.0, -40.0, 0.0, 1.0, identified=True)
    measures = {"rating": made_measure("rating", better="lower")}
    other = probable(turned, measures, {"rating": model}, dataset="d")
    np.testing.assert_allclose(other["open"], found["open"], atol=1e-9)
    np.testing.assert_allclose(other["rating"], found["rating"] - 40)


def test_without_a_model_that_is_identified_there_is_no_row():
    for models in ({}, {"rating": HiddenMarkovModel(LAW, 4.0, 0.0, 40.0, 1.0)}):
        none = probable(TABLE, {"rating": made_measure("rating")}, models, dataset="d")
        assert none.empty
        assert list(none.columns) == list(COLUMNS)
