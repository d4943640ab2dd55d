"""Planted and found: what reports say of it, and of no dataset whose courses are hidden."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from bundles import material_of
from made_reports import ABOUT
from made_tables import tables
from rupture_repair.compare_with_truth import Truth, compare_with_truth
from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.criteria import effects_forest
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.markdown import Md
from rupture_repair.report.sections import planted


@pytest.fixture(scope="module")
def made():
    """Made-up tables into which the episodes of one criterion were planted, with effects."""
    made = tables()
    own = made["episodes"].query("measure == 'srs' and criterion == 'own_mean_2sd'")
    truth = own[["course", "first_low", "end", "status"]].reset_index(drop=True)
    settings = {"effect_open": -2.0, "effect_repaired": 1.5, "leave_open": 1.2}
    compared = compare_with_truth(
        Truth(truth, settings), synthetic=True, courses=made["courses"]["course"].tolist(),
        **{name: made[name] for name in ("detection", "episodes", "estimates")},
    )  # fmt: skip
    names = ("planted_ruptures", "planted_effects")
    return made | {"planted": dict(zip(names, compared, strict=True))}


def test_what_is_shown_is_the_criterion_of_the_report(made):
    found = planted.of_planted(material_of(made))
    number = len(made["episodes"].query("measure == 'srs' and criterion == 'own_mean_2sd'"))
    assert found["shown"]["criterion"] == "dip"
    assert found["shown"]["n_planted"] == number


def test_a_dataset_without_a_planted_rupture_has_a_report_too(made):
    none = made["planted"]["planted_ruptures"].assign(n_planted=0, n_found=0, n_episodes=0)
    material = material_of(made | {"planted": made["planted"] | {"planted_ruptures": none}})
    assert "0 ruptures were planted into these data" in dataset_report(material, ABOUT)


def test_rows_say_how_many_of_how_many_and_why_not(made):
    rows = planted.planted_ruptures(material_of(made))
    best = next(row for row in rows if "below the own mean" in row["criterion"])
    number = len(made["episodes"].query("measure == 'srs' and criterion == 'own_mean_2sd'"))
    assert best["found"] == f"{number} of {number} (100\u00a0%)"
    assert best["not_planted"].startswith(f"0 of {number}")
    assert best["deep"] == "–"  # truth.csv does not say how deep they are
    refused = [row for row in rows if row["reason"] != "–"]
    assert refused
    assert {row["found"] for row in refused} == {"–"}


def test_effects_begin_with_what_was_planted(made):
    rows = planted.planted_effects(material_of(made))
    assert rows[0]["criterion"] == "What was planted"
    assert (rows[0]["open"], rows[0]["repaired"]) == ("−2.00", "1.50")
    assert len(rows) > 2
    assert all(isinstance(row["criterion"], Md) for row in rows)  # else a page shows the markup


def test_effects_by_probabilities_are_rows_of_their_own(made):
    table = made["planted"]["planted_effects"]
    own = table[(table["measure"] == "srs") & (table["criterion"] == "dip")]
    both = pd.concat([table, own.assign(variant="probable_total", estimate=-1.9)])
    planted_too = made["planted"] | {"planted_effects": both}
    rows = planted.planted_effects(material_of(made | {"planted": planted_too}))
    assert len(rows) == len(planted.planted_effects(material_of(made))) + 1
    (row,) = (row for row in rows if "probable total" in row["criterion"])
    assert row["open"].startswith("−1.90")
    by = both.assign(
        criterion=both["criterion"].mask(both["variant"] != "main", "rupture_probability")
    )
    planted_too = made["planted"] | {"planted_effects": by}
    text = dataset_report(material_of(made | {"planted": planted_too}), ABOUT)
    assert "recovered by probabilities: −1.9 and −1.9" in text.replace("\\", "")


def test_the_report_begins_with_it_and_keeps_its_headings_apart(made):
    text = dataset_report(material_of(made), ABOUT)
    number = len(made["episodes"].query("measure == 'srs' and criterion == 'own_mean_2sd'"))
    assert f"{number} ruptures were planted into these data" in text
    assert text.count("ruptures were planted") == 1
    for name in ("planted-and-found", "data", "claims"):  # its own, and those that follow
        assert re.search(rf"\n\n## [^\n]+ \{{#{name}\}}\n", text), name


def test_nothing_is_said_where_courses_are_hidden_or_nothing_was_planted(made):
    material = material_of(made)
    hidden = replace(material, known_gate=Gate(5)).disclosed()
    assert hidden.planted == {}
    assert planted.of_planted(hidden) == {}
    assert planted.of_planted(replace(material, planted={})) == {}


def test_the_forest_marks_what_was_planted(made):
    given = made["estimates"], made["detection"], made["measures"]
    figure, numbers = effects_forest(*given, made["planted"]["planted_effects"])
    assert dict(zip(numbers["term"], numbers["planted"], strict=True)) == {
        "repaired_within": 1.5, "open_within": -2.0,
    }  # fmt: skip
    marks = [line for line in figure.axes[0].lines if line.get_xdata()[0] in (1.5, -2.0)]
    assert len(marks) >= 2
    assert "Planted was −2.00" in alt_text("effects_forest", numbers)
    assert "Planted" not in alt_text("effects_forest", effects_forest(*given)[1])
