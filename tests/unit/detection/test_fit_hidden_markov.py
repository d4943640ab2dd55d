"""The hidden Markov models of a dataset."""

from dataclasses import replace

import pandas as pd

import oracle
from detected_table import MEASURE
from made_settings import EDGE_RULES
from rupture_repair.detection import detect
from rupture_repair.detection.fit_hidden_markov import fit_hidden_markov


def test_hidden_markov_models_fitted_before_give_what_is_found_without_them():
    from rupture_repair.simulation.settings import SimulationSettings
    from rupture_repair.simulation.tables import simulate_dataset

    made = simulate_dataset(SimulationSettings(n_courses=80), seed=3)["sessions"]
    table = made.rename(columns={"client_id": "course", "session_no": "session"})
    table = table.assign(alliance=table["srs_total"], other=40 - table["srs_total"])
    table["unknown"] = table["alliance"]
    measure = replace(MEASURE, components=())
    measures = {
        "alliance": measure,
        "other": replace(measure, better="lower"),
        "outcome": replace(measure, role="outcome"),
        "unknown": replace(measure, range=None),
    }
    one, two = (fit_hidden_markov(table, measures, processes=processes) for processes in (1, 2))
    assert list(one) == ["alliance", "other"]
    assert one["alliance"].soft == (1.0, 39.0)
    assert one["other"].soft == (-39.0, -1.0)
    assert [one[name].as_dict() for name in one] == [two[name].as_dict() for name in two]
    rules = oracle.rules("rupture_probability")
    given, fitted = (
        list(detect.detect(table, measures, rules, EDGE_RULES, dataset="d", models=models))
        for models in (one, None)
    )
    assert sum(found.summary["n_episodes"] for found in given) > 10
    for with_models, without in zip(given, fitted, strict=True):
        states = (found.states.to_pandas() for found in (with_models, without))
        pd.testing.assert_frame_equal(*states, check_exact=True)
        pd.testing.assert_frame_equal(with_models.episodes, without.episodes, check_exact=True)
