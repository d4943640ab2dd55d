"""What the gate of a dataset lets pass, and how it is kept between steps."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of, detected_of
from made_settings import for_figures
from made_tables import tables
from rupture_repair.disclosure import disclose as disclose_step
from rupture_repair.disclosure.disclose import TABLES, disclose, write
from rupture_repair.disclosure.gate import Gate, gate_of, small_groups
from rupture_repair.project.reasons import because

GATE = Gate(5, {("courses",): 36, ("ratings", "a"): 210}, frozenset({("a", "dip", "with")}))


def test_what_is_not_on_the_list_is_withheld():
    assert GATE.count(("courses",), 36) == 36
    assert np.isnan(GATE.count(("sessions",), 260))
    assert np.isnan(GATE.count(("courses",), None))
    assert GATE.passes(("courses",))
    assert not GATE.passes(("sessions",))
    assert not GATE.open
    assert not Gate(2).open


def test_a_gate_of_other_tables_is_noticed():
    with pytest.raises(ValueError, match="is 37, but 36 was let pass"):
        GATE.count(("courses",), 37)


def test_an_open_gate_changes_nothing():
    everything = Gate()
    assert everything.open
    assert everything.count(("courses",), 3) == 3
    assert everything.passes(("nothing",))
    assert everything.text(because("few_pairs", pairs=7)) == "7 pairs are too few"
    assert everything.enough([1, 0]).all()
    assert not everything.rests_on_few("a", "dip", "with")


def test_reasons_pass_without_their_counts():
    assert GATE.text(because("few_pairs", pairs=7)) == "too few pairs"
    assert GATE.text(because("not_zero", low=1, high=2), estimates=False).startswith("the reason")
    assert GATE.text(None) is None
    assert GATE.text("") == ""
    assert GATE.enough(5)
    assert GATE.enough(0)
    assert not GATE.enough(4)


def test_groups_are_looked_up_by_measure_and_criterion():
    assert GATE.rests_on_few("a", "dip", "repaired", "with")
    assert not GATE.rests_on_few("a", "dip", "repaired")
    assert not GATE.rests_on_few("b", "dip", "with")


def test_what_is_written_is_read(tmp_path):
    write(GATE, tmp_path / "disclosed.json")
    assert Gate.read(tmp_path / "disclosed.json") == GATE
    assert json.loads((tmp_path / "disclosed.json").read_text())["least"] == 5
    write(Gate(), tmp_path / "open.json")
    assert Gate.read(tmp_path / "open.json").open


def test_a_folder_has_the_gate_of_its_tables(tmp_path, monkeypatch):
    made = tables()
    claim = {"measure": "srs", "criterion": "dip", "claim": "C3", "part": "recovered",
             "n_courses": 20, "n_sessions": 90, "n_episodes": None,
             "n_with_episode": 8}  # fmt: skip
    made |= {
        "events": pd.DataFrame(columns=["course", "session", "kind", "code", "reporter"]),
        "claims": pd.DataFrame([claim]),
        "components": pd.DataFrame(columns=["measure", "criterion", "n_episodes"]),
        "diagnostics": pd.DataFrame(columns=["measure", "part", "n"]),
    }
    private = made["dataset"] | {"synthetic": False}
    (tmp_path / "dataset.json").write_text(json.dumps(private))
    measures = {name: one.as_dict() for name, one in made["measures"].items()}
    (tmp_path / "measures.json").write_text(json.dumps(measures))
    for name in ("sessions", "courses", "events", "episodes", "detection", *TABLES):
        made[name].to_parquet(tmp_path / f"{name}.parquet")
    made["states"].to_parquet(tmp_path / "session_states.parquet")
    config = made["config"]
    rule = {"reference": "previous", "unit": "own_sd"}
    criteria = [{"id": name, "k": k, **rule} for k, name in enumerate(["dip", "own_mean_2sd"])]
    how = for_figures(config) | {"report": config.report, "criteria": criteria}
    given = {name: made[name] for name in TABLES}
    gate = gate_of(private, dataset_of(made, tmp_path.name), detected_of(made), given, **how)
    assert len(gate.shown) > 20
    assert {key[0] for key in gate.shown} >= {"courses", "detection", "estimates", "claims", "flow"}
    assert disclose(tmp_path, **how) == gate
    handed = {}
    monkeypatch.setattr(disclose_step, "gate_of", lambda *_, **given: handed.update(given))
    disclose(tmp_path, **how)
    assert handed == how


def test_groups_that_are_too_small_are_found():
    episodes = pd.DataFrame(
        [("a", "x", f"c{course}", "repaired") for course in range(6)]
        + [("a", "x", f"c{course}", "unrepaired") for course in range(5, 8)]
        + [("a", "x", "c9", "censored"), ("b", "x", "c1", "censored")],
        columns=["measure", "criterion", "course", "status"],
    )
    detection = pd.DataFrame(
        {"measure": ["a", "b"], "criterion": "x", "n_courses_assessable": [10, 40]}
    )
    fits = pd.DataFrame(
        {"measure": ["a", "b"], "criterion": "x", "variant": "landmark",
         "message": [because("few_courses", groups="1 in 'none'"), None]}
    )  # fmt: skip
    found = small_groups(detection, episodes, fits, 4)
    assert {group for measure, _, group in found if measure == "a"} == {
        "without", "unrepaired", "censored", "only censored", "landmark",
    }  # fmt: skip
    assert {group for measure, _, group in found if measure == "b"} == {
        "with", "censored", "only censored",
    }  # fmt: skip
    # Six repaired, one of them unrepaired as well; the landmark's message knows of fewer than 5.
    more = {group for measure, _, group in small_groups(detection, episodes, fits, 7)
            if measure == "a"}  # fmt: skip
    assert more >= {"repaired", "only repaired", "landmark"}
    landmark = ("b", "x", "landmark")
    assert [landmark in small_groups(detection, episodes, fits, least) for least in (5, 6, 7)] == [
        False, True, True,
    ]  # fmt: skip
    assert ("a", "x", "landmark") in small_groups(detection, episodes, fits, 2)


def test_the_gate_is_open_where_single_courses_may_be_shown():
    made = tables()
    given = (
        dataset_of(made),
        detected_of(made),
        {name: made[name] for name in ("estimates", "flow")},
    )
    private = made["dataset"] | {"synthetic": False}
    config = made["config"]
    how = for_figures(config) | {"report": config.report}
    assert gate_of(made["dataset"], *given, **how).open
    closed = gate_of(private, *given, **how)
    assert closed.least == 5
    two = how | {"report": replace(config.report, min_cell=2)}
    assert gate_of(private, *given, **two).shown
    assert closed.shown["courses",] == 30
    assert min(count for count in closed.shown.values() if count) >= 5
