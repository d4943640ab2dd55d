"""Planted falls: where they are put, and how they are scored."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import calibrate, planted_falls, replicates
from rupture_repair.chance.smallest_found import smallest_found
from rupture_repair.detection import courses as flat
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import arrange

SETTINGS = chance_settings(
    replicates=60, slow_replicates=2, null_models=("autoregressive", "shuffle"), false_alarm=0.05,
    depths=(1, 2, 3), duration=2, courses=2000,
)  # fmt: skip


MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 5.0})


def sessions(rating: np.ndarray, **columns) -> pd.DataFrame:
    courses, ratings = rating.shape
    return pd.DataFrame(
        {
            "course": [f"c{number:04}" for number in np.repeat(np.arange(courses), ratings)],
            "session": np.tile(np.arange(1, ratings + 1), courses),
            "srs": rating.ravel(),
            **columns,
        }
    )


def rules(*names: str, **settings) -> list[criteria.Criterion]:
    calibrated = {"k": 2, "unit": "larger_sd"}
    changes = {name: (calibrated if name in ("dip", "tooth") else {}) | settings for name in names}
    return criteria.load(names, changes)


def calibrated(made, name="dip", **settings) -> pd.Series:
    rule = replace(rules(name, **settings)[0], k="calibrated")
    return calibrate.calibrated_k(
        made, [rule], EDGE_RULES, SETTINGS.false_alarm, dataset="made"
    ).iloc[0]


def test_a_fall_begins_where_its_onset_and_repair_can_be_seen():
    session = np.array([1, 2, 3, 4, 5, 6, 1, 2, 3, 1, 2, 3, 9])
    courses = flat.Courses(np.zeros(13), session, np.array([0, 6, 9, 13]))
    possible = planted_falls.eligible(courses, 2)
    assert session[:6][possible[:6]].tolist() == [3, 4]
    assert not possible[6:].any()
    begins = planted_falls.chosen_sessions(courses, possible, 200, np.random.default_rng(1))
    assert set(begins[:, 0]) == {3, 4}
    assert (begins[:, 1:] == -1).all()


def test_falls_are_scored_against_the_sessions_where_they_were_planted():
    rating = np.full((3, 9), 30.0) + np.tile([0, 0.5, 0], 3)
    rating[0, 4:6] -= 10  # planted at session 5, found there
    rating[1, 2:4] -= 10  # planted at session 6, found elsewhere
    table = sessions(rating)
    ratings = arrange(table, "srs", MEASURE)
    rule = rules("v_2sd")[0]
    rule = replace(rule, unit="raw", k=8)
    result = replicates.find(ratings.courses, ratings.scale, rule, EDGE_RULES)
    group = np.zeros(3, dtype=int)
    score = planted_falls.score(ratings.courses, *result, np.array([5, 6, -1]), 2, group)
    total = {name: values.tolist() for name, values in score.items()}
    assert total == {
        "planted": [2, 0, 0, 0], "found": [1, 0, 0, 0], "episodes": [2, 0, 0, 0],
        "matched": [1, 0, 0, 0], "onset_error": [0, 0, 0, 0], "right": [1, 0, 0, 0],
    }  # fmt: skip


def test_the_smallest_depth_found_is_interpolated():
    table = pd.DataFrame(
        {
            "dataset": "made", "measure": "srs", "criterion": ["a"] * 3 + ["b"] * 3,
            "volatility": "all", "depth": [1, 2, 3] * 2,
            "sensitivity": [0.2, 0.6, 1.0, 0.1, 0.2, 0.3], "status": "assessed", "reason": None,
        }
    )  # fmt: skip
    found = smallest_found(table)
    assert found.depth[0] == pytest.approx(2.5)
    assert found.text.tolist() == ["2.5 SD", "none up to 3 SD"]
