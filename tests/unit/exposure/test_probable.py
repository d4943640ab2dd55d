"""Exposures as probabilities: what is written, in which direction, and how it is split."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from made_measures import made_measure
from rupture_repair.detection.hidden_markov import chain, rupture_probability
from rupture_repair.detection.hidden_markov.parameters import POINTS, SHARES, Parameters
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


def by_all_paths(ratings, grid):
    """Sum over all paths of states and nodes: open, lasting, repaired, fall, path, deviation.

    A course of sessions 1, 2, ...; states are steady, three passing, three lasting, repaired.
    """
    falls = LAW.depth * np.exp(LAW.depth_spread * POINTS)
    fall_of = np.array([0, *falls, *falls, 0])
    move = np.zeros((8, 8))
    for steady in (0, 7):
        begins = np.concatenate([(1 - LAW.lasting) * SHARES, LAW.lasting * SHARES])
        move[steady, 1:7], move[steady, steady] = LAW.onset * begins, 1 - LAW.onset
    for state in range(1, 7):
        ends = LAW.recovery if state < 4 else LAW.late_recovery
        move[state, [state, 7]] = 1 - ends, ends
    # From the third session on each path goes on to every state that it can reach.
    paths, chance = np.zeros((1, min(2, len(ratings))), dtype=int), np.ones(1)
    for _ in ratings[2:]:
        before, now = np.nonzero(move[paths[:, -1]])
        chance = chance[before] * move[paths[before, -1], now]
        paths = np.column_stack([paths[before], now])
    level, trend = grid.level[0][:, None], grid.trend[0][:, None]
    volatility = np.repeat(POINTS, len(level) // 3)[:, None]
    weight, off, lines = chance * np.exp(grid.log[0])[:, None], 0.0, []
    for t, rating in enumerate(ratings):
        kept = LAW.carry if t else 0.0
        scale = LAW.noise * np.exp(LAW.volatility * volatility) * np.sqrt(1 - kept**2)
        lines.append(level + trend * (t + 1 - MODEL.centre))
        mean = lines[t] - fall_of[paths[:, t]] + kept * off
        off = rating - lines[t] + fall_of[paths[:, t]]
        # Both tails from the side on which they are small, so that nothing cancels.
        z = -np.abs(rating - mean) / scale
        half = MODEL.step / 2 / scale
        weight = weight * (expit(z + half) - expit(z - half))
    weight /= weight.sum()
    said = []
    for t, rating in enumerate(ratings):
        now, line = paths[:, t], lines[t]
        fall = fall_of[now]
        values = ((now > 0) & (now < 7), (now > 3) & (now < 7), now == 7, fall, line)
        said.append([(weight * value).sum() for value in (*values, rating - line + fall)])
    return np.array(said)


@pytest.mark.parametrize("ratings", [[30, 31, 22, 24, 30, 29], [27, 28, 27, 19, 18], [31, 30]])
def test_exposures_are_the_sums_over_all_paths(ratings):
    sessions = np.arange(1, len(ratings) + 1)
    table = pd.DataFrame({"course": "a", "session": sessions, "rating": np.float64(ratings)})
    found = probable(table, {"rating": made_measure("rating")}, {"rating": MODEL}, dataset="d")
    names = ["open", "lasting", "repaired", "fall", "path", "deviation"]
    of = {view: rows[names].to_numpy() for view, rows in found.groupby("view")}
    courses = arrange(table, "rating", made_measure("rating")).courses
    (block,) = rupture_probability.blocks_of(courses, MODEL)
    grid = chain.grid(*chain.centred(block, LAW), LAW)
    np.testing.assert_allclose(of["smoothed"], by_all_paths(ratings, grid), rtol=0, atol=1e-10)
    # What is filtered is what is smoothed of the course that ends there.
    prior = chain.grid_of_prior(LAW, 1)
    cut = [by_all_paths(ratings[:end], prior)[-1] for end in sessions]
    np.testing.assert_allclose(of["filtered"], cut, rtol=0, atol=1e-10)
    for end in sessions:
        steps = chain.Chain(
            *rupture_probability.blocks_of(
                arrange(table[:end], "rating", made_measure("rating")).courses, MODEL
            ),
            LAW,
            prior,
        )
        steps.forward()
        last = rupture_probability.summary(steps, next(steps.smoothed()))[:, 0]
        np.testing.assert_allclose(of["filtered"][end - 1], last, rtol=0, atol=1e-10)


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
