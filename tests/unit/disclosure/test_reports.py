"""No small count, and no id, in any form of a report or any file of a figure."""

import re
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from bundles import material_of
from document_texts import docx_text, pdf_text
from made_reports import ABOUT, material
from made_tables import tables
from rupture_repair.disclosure import problem_texts
from rupture_repair.disclosure import tables as passed
from rupture_repair.disclosure.limits import WITHHELD
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.failed_page import failure_report
from rupture_repair.report.index_page import index
from rupture_repair.report.output_formats import render

TELLING = "SMITHJANE1970"


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
    same = f"W307 a.csv, row 9: session {TELLING} of this course has an event but no row."
    made["dataset"]["warnings"] = [same]
    markdown = dataset_report(material(made, folder), ABOUT)
    return made, markdown, folder, render(markdown, folder / "small.html")


def test_no_id_in_any_form_or_figure(private):
    _, _, folder, (_, pdf, word) = private
    written = [path for path in folder.rglob("*") if path.is_file()]
    kinds = {".html", ".pdf", ".docx", ".svg", ".png", ".csv", ".json"}
    assert {path.suffix for path in written} == kinds
    assert not [path for path in written if TELLING.encode() in path.read_bytes()]
    assert "W307: session … of this course has an event" in " ".join(pdf_text(pdf).split())
    assert TELLING not in pdf_text(pdf)
    assert TELLING not in docx_text(word)
    with ZipFile(word) as archive:
        assert not [name for name in archive.namelist() if TELLING.encode() in archive.read(name)]


def test_no_cell_in_the_report_of_a_failure():
    told = {
        "dataset": "clinic", "step": "check", "traceback": "", "log": "logs/clinic/check.log",
        "problems": [f"E311 a.csv, row 4: course '{TELLING}' has a row above. (and 3 more)"],
    }  # fmt: skip
    ours = told | {"step": "fit", "traceback": "Traceback", "problems": [f"KeyError: '{TELLING}'"]}
    for failure in (told, ours):
        pages = failure_report(failure, ABOUT) + index([], [failure], ABOUT)
        assert TELLING not in pages
        assert "3 more" not in pages
    assert "KeyError" in failure_report(ours, ABOUT)
    setting = "E103 config.yaml, line 1, key x: 'x' is not a known key."
    assert problem_texts.public(setting) == setting
    assert problem_texts.public("E999 a.csv: Jane") == "E999"
    assert problem_texts.public("'Jane' was missing") == "The log says more."


def test_no_small_count_in_tables_and_figures(private):
    made, markdown, folder, (_, pdf, word) = private
    given = material_of(made)
    drawn = pd.read_csv(folder / "figures/small/episodes_per_criterion.csv")
    held = passed.detection(given.gate, made["detection"])
    for name in ("n_repaired", "n_unrepaired", "n_censored", "n_courses_with_episode"):
        np.testing.assert_array_equal(drawn[name], held[name].astype(float))
        assert not drawn[name].between(1, 4).any()
    raster = pd.read_csv(folder / "figures/small/raster.csv")
    assert raster["n"].min() >= 5
    assert "course" not in raster
    assert held[["n_unrepaired"]].isna().any(axis=None)
    assert made["dataset"]["files"][0]["sha256"] not in markdown
    for table in markdown.split("Table: ")[1:]:
        cells = [
            cell.strip().replace("\\", "")
            for line in table.split(":::")[0].splitlines()
            if line.startswith("| [")
            for cell in line.split("|")[2:]
        ]
        small = [cell for cell in cells if re.fullmatch(r"[1-4]", cell)]
        assert not small or "*k* is the number of units" in table
    for text in (pdf_text(pdf), docx_text(word)):
        assert WITHHELD in text
        assert "withheld" in text
        assert "1 course" not in text


def test_the_flow_adds_up_and_gives_nothing_away(private):
    from rupture_repair.report.sections.data import of_flow

    rows = of_flow(material_of(tables()))
    for level in ("courses", "sessions"):
        numbers = [int(row[level].replace(",", "")) for row in rows]
        assert numbers[0] - sum(numbers[1:-1]) == numbers[-1]
    hidden = of_flow(material_of(private[0]).disclosed())
    for level in ("courses", "sessions"):
        parts = [row[level] for row in hidden[1:]]
        assert parts.count(WITHHELD) != 1
        assert not [one for one in parts if re.fullmatch("[1-4]", one)]


def test_material_that_passed_the_gate_has_no_single_course(private):
    shown = material_of(private[0]).disclosed()
    single = (shown.dataset.sessions, shown.dataset.courses, shown.dataset.events)
    assert all(table.empty for table in (*single, shown.detected.states, shown.detected.episodes))
    assert shown.gate.least == 5


def test_episodes_of_which_none_is_known_to_be_repaired_have_no_median_persistence():
    from rupture_repair.report.sections.shapes import of_shapes

    given = tables()
    given["episodes"]["persistence"] = pd.array([None] * len(given["episodes"]), dtype="Int32")
    found = of_shapes(material_of(given))
    assert np.isnan(found["persistence"]["median"])
    assert found["fall"]["median"] > 0
