import ast
import json
from dataclasses import replace

import numpy as np
import pytest

from made_measures import made_measure
from made_tables import MEASURES
from repository import ROOT
from rupture_repair.project.measures import CutOff, Measure, measures_from_dicts, read_measures


def test_measures_come_back_from_their_file_as_they_were(tmp_path):
    entries = {name: one.as_dict() for name, one in MEASURES.items()}
    assert measures_from_dicts(entries) == MEASURES
    file = tmp_path / "measures.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    assert read_measures(file) == MEASURES
    assert list(read_measures(file)) == list(MEASURES)


def test_entries_are_plain_data_with_the_keys_of_measures_json():
    distress = made_measure(
        "distress", range=[0, 27], components=["mood"], cut_off={"value": 10, "inclusive": True}
    )
    entry = distress.as_dict()
    assert list(entry) == [
        "label", "role", "instrument", "rater", "timing", "level", "better", "outcome",
        "stands_in", "range", "reliability", "reliable_change", "cut_off", "components", "scored",
        "most_missing", "reversed",
    ]  # fmt: skip
    assert (entry["range"], entry["components"]) == ([0, 27], ["mood"])
    assert entry["cut_off"] == {"value": 10, "inclusive": True, "source": "made up"}
    assert distress.cut_off == CutOff(10, True, "made up")


def test_an_entry_with_an_unknown_key_is_refused():
    with pytest.raises(TypeError, match="colour"):
        Measure.from_dict("x", {"role": "alliance", "better": "higher", "colour": "red"})


@pytest.mark.parametrize(
    ("better", "sign", "ends"), [("higher", 1.0, (0.0, 27.0)), ("lower", -1.0, (-27.0, 0.0))]
)
def test_turned_ratings_are_better_the_higher_they_are(better, sign, ends):
    measure = made_measure(better=better, range=[0, 27])
    assert measure.sign == sign
    assert measure.turned_range == ends
    worst = 0 if better == "higher" else 27
    assert measure.sign * worst == measure.turned_range[0]


def test_ends_that_are_not_known_are_infinite():
    assert replace(made_measure(), range=None).turned_range == (-np.inf, np.inf)


def test_ruptures_show_in_alliance_measures_of_sessions_only():
    assert made_measure().shows_ruptures
    assert not made_measure(role="outcome").shows_ruptures
    assert not made_measure(level="course").shows_ruptures


def test_the_library_passes_measures_and_no_dictionaries_of_them():
    """An argument or attribute called measure or measures has the type Measure or Measures."""
    named: dict[str, set[str]] = {}
    for file in (ROOT / "workflow/rupture_repair").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arg):
                name, kind = node.arg, node.annotation
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name, kind = node.target.id, node.annotation
            else:
                continue
            if name in ("measure", "measures") and kind is not None:
                named.setdefault(ast.unparse(kind), set()).add(file.name)
    loose = {kind: files for kind, files in named.items() if "Any" in kind}
    assert not loose
    assert {"Measure", "Measures"} <= set(named)
