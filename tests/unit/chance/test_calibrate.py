"""The step that solves for k in all alliance measures of a dataset."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from rupture_repair.chance import calibrate as solver
from rupture_repair.chance.calibrate import calibrate
from rupture_repair.detection import criteria
from rupture_repair.project.setting_groups import EdgeRules

EDGE_RULES = EdgeRules(max_gap=2, onset_inside_episode=False)
MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 5.0})


def test_each_alliance_measure_has_a_k_whatever_the_number_of_processes():
    rating = 25 + 4 * np.random.default_rng(1).standard_normal((60, 8))
    table = pd.DataFrame(
        {
            "course": np.repeat([f"c{number:02}" for number in range(60)], 8),
            "session": np.tile(np.arange(1, 9), 60),
            "srs": rating.clip(0, 40).round(1).ravel(),
        }
    )
    rules = criteria.load(["v_2sd"], {"v_2sd": {"k": "calibrated"}})
    given = (table, {"srs": MEASURE}, rules, EDGE_RULES, 0.05)
    one, two = (calibrate(*given, dataset="made", seed=1, processes=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one[["measure", "criterion"]].to_numpy().tolist() == [["srs", "v_2sd"]]
    assert one["k"].between(0.5, 4).all()


def test_the_error_of_a_share_is_that_of_a_mean_where_replicates_are_of_one_size():
    found, assessable = np.array([1, 3, 2, 6]), np.full(4, 10)
    share, error, courses = solver._share(found, assessable)
    assert (share, courses) == (0.3, 10)
    assert error == pytest.approx((found / 10).std(ddof=1) / 2)
