"""No small count, and no id, in any form of a report or any file of a figure."""

import re
from dataclasses import replace
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from document_texts import docx_text, pdf_text
from made_reports import ABOUT, material
from made_tables import tables
from rupture_repair.project import disclosure
from rupture_repair.project.setting_groups import ReportSettings
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.dataset_tables import Material
from rupture_repair.report.failed_page import failure_report
from rupture_repair.report.index_page import index
from rupture_repair.report.output_formats import render
from rupture_repair.settings import default

TELLING = "SMITHJANE1970"


@given(st.lists(st.integers(0, 30), min_size=2, max_size=6), st.integers(2, 8))
def test_a_total_never_gives_a_small_count_away(counts, least):
    hidden = disclosure.withheld(counts, least)
    small = [0 < count < least for count in counts]
    assert all(hidden[place] for place, one in enumerate(small) if one)
    kept = [count for count, out in zip(counts, hidden, strict=True) if out]
    if not any(small):
        assert not kept
    elif sum(counts) >= least and sum(count > 0 for count in counts) > 1:
        assert len(kept) > 1
        assert sum(kept) >= least


def test_what_is_left_of_a_total_is_withheld_too():
    assert disclosure.apart([38, 30, 3, 40, 0], 40, 5).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("synthetic", "setting", "least"),
    [(True, "demo_only", 1), (False, "demo_only", 7), (False, "allowed", 1), (True, "never", 7)],
)
def test_counts_are_withheld_where_single_courses_are_not_shown(synthetic, setting, least):
    report = replace(default(ReportSettings), individuals=setting, min_cell=7)
    assert disclosure.min_cell({"synthetic": synthetic}, report) == least


def test_detection_has_no_small_count_and_none_that_can_be_computed():
    table = tables()["detection"]
    held = disclosure.of_detection(table, 9)
    statuses = ["n_repaired", "n_unrepaired", "n_censored"]
    assert held[statuses].isna().any(axis=None)
    for before, row in zip(table.to_dict("records"), held.to_dict("records"), strict=True):
        for name in [name for name in row if name.startswith("n_")]:
            assert np.isnan(row[name]) or row[name] == before[name]
            assert not 0 < row[name] < 9
        known = sum(not np.isnan(row[name]) for name in statuses)
        assert known != 2
        left = before["n_courses_assessable"] - row["n_courses_with_episode"]
        assert not 0 < left < 9
        left = before["n_courses"] - row["n_courses_assessable"]
        assert not 0 < left < 9
    pd.testing.assert_frame_equal(disclosure.of_detection(table, 1), table, check_dtype=False)


def test_estimates_of_a_few_courses_are_withheld():
    table = pd.DataFrame(
        {"n_courses": [3, 40, 38], "n_sessions": [30, 400, 380], "estimate": [1.0, 2.0, 3.0],
         "message": ["3 courses only", "2 rows in 12 courses", "1.5 points"]}
    )  # fmt: skip
    held = disclosure.of_fits(table, 5, n_courses=40, n_sessions=400)
    assert held["estimate"].isna().tolist() == [True, False, False]
    assert held["n_courses"].isna().tolist() == [True, False, True]
    assert held["message"].tolist() == [
        "fewer than 5 courses only", "fewer than 5 rows in 12 courses", "1.5 points"
    ]  # fmt: skip


def test_states_of_a_few_courses_are_put_together():
    counts = pd.DataFrame(
        {"session": [1, 1, 1, 2, 2], "n": [20, 3, 8, 2, 1],
         "state": ["steady", "ruptured", "repaired_here", "steady", "ruptured"]}
    )  # fmt: skip
    shown = disclosure.of_states(counts, 5)
    assert shown["session"].tolist() == [1, 1]
    assert dict(zip(shown["state"], shown["n"], strict=True)) == {"steady": 20, "withheld": 11}


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A dataset with telling ids, of real persons, in all forms."""
    made, folder = tables(), tmp_path_factory.mktemp("private")
    for name in ("sessions", "courses", "states", "episodes"):
        for column in ("course", "client", "therapist"):
            if column in made[name]:
                made[name][column] = TELLING + made[name][column]
    made["dataset"]["synthetic"] = False
    made["dataset"]["ids"] = "hashed"
    same = f"W231 a.csv, row 9: course '{TELLING}1' has the same 5 ratings as '{TELLING} O'Neil'."
    made["dataset"]["warnings"] = [same]
    markdown = dataset_report(material(made, folder), ABOUT)
    return made, markdown, folder, render(markdown, folder / "small.html")


def test_no_id_in_any_form_or_figure(private):
    _, _, folder, (_, pdf, word) = private
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".html", ".pdf", ".docx", ".svg", ".png", ".csv"}
    assert not [path for path in written if TELLING.encode() in path.read_bytes()]
    assert "row 9: course '…' has the same 5 ratings" in " ".join(pdf_text(pdf).split())
    assert TELLING not in pdf_text(pdf)
    assert TELLING not in docx_text(word)
    with ZipFile(word) as archive:
        assert not [name for name in archive.namelist() if TELLING.encode() in archive.read(name)]


def test_no_id_in_the_report_of_a_failure(tmp_path):
    told = {
        "dataset": "clinic", "step": "check", "traceback": "", "log": "logs/clinic/check.log",
        "problems": [f"E311 a.csv, row 4: course '{TELLING}' has a row above."],
    }  # fmt: skip
    ours = told | {"step": "fit", "traceback": "Traceback", "problems": [f"KeyError: '{TELLING}'"]}
    for failure in (told, ours):
        pages = failure_report(failure, ABOUT) + index([], [failure], ABOUT)
        assert TELLING not in pages
        assert "…" in pages
    setting = "E103 config.yaml, line 1, key x: 'x' is not a known key."
    assert disclosure.without_cells(setting) == setting


def test_no_small_count_in_tables_and_figures(private):
    made, markdown, folder, (_, pdf, word) = private
    drawn = pd.read_csv(folder / "figures/small/episodes_per_criterion.csv")
    held = disclosure.of_detection(made["detection"], 5)
    for name in ("n_repaired", "n_unrepaired", "n_censored", "n_courses_with_episode"):
        np.testing.assert_array_equal(drawn[name], held[name])
        assert not drawn[name].between(1, 4).any()
    raster = pd.read_csv(folder / "figures/small/raster.csv")
    assert raster["n"].min() >= 5
    assert "course" not in raster
    assert held[["n_unrepaired"]].isna().any(axis=None)
    table = markdown.split("Courses with a rupture, and")[1].split(":::")[0]
    cells = [
        cell.strip()
        for line in table.splitlines()
        if line.startswith("| [")
        for cell in line.split("|")
    ]
    assert not [cell for cell in cells if re.fullmatch(r"[1-4]", cell)]
    for text in (pdf_text(pdf), docx_text(word)):
        assert disclosure.WITHHELD in text
        assert "withheld" in text


def test_the_flow_adds_up_and_gives_nothing_away(private):
    from rupture_repair.report.sections.data import of_flow

    shown = Material(**tables())
    rows = of_flow(shown)
    for level in ("courses", "sessions"):
        numbers = [int(row[level].replace(",", "")) for row in rows]
        assert numbers[0] - sum(numbers[1:-1]) == numbers[-1]
    hidden = of_flow(Material(**private[0]))
    for level in ("courses", "sessions"):
        parts = [row[level] for row in hidden[1:]]
        assert parts.count(disclosure.WITHHELD) != 1
        assert not [one for one in parts if re.fullmatch("[1-4]", one)]


def test_episodes_of_which_none_is_known_to_be_repaired_have_no_median_persistence():
    from rupture_repair.report.sections.shapes import of_shapes

    given = tables()
    given["episodes"]["persistence"] = pd.array([None] * len(given["episodes"]), dtype="Int32")
    found = of_shapes(Material(**given))
    assert np.isnan(found["persistence"]["median"])
    assert found["fall"]["median"] > 0
