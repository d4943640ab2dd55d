"""What the check tells: grouped, worst first, as text, as data and as a page."""

import json
import re
import shutil

import pytest

from made_reports import ABOUT, Page
from repository import ROOT
from rupture_repair import cli
from rupture_repair.ingest import check, check_text, ingest
from rupture_repair.project.messages.catalogue import CATALOGUE
from rupture_repair.project.messages.page import documentation
from rupture_repair.project.problems import problem
from rupture_repair.report.check_page import write_check
from small_dataset import SESSIONS, write

BROKEN = ROOT / "tests" / "data" / "broken"


def test_docs_hold_the_catalogue():
    written = (ROOT / "docs/problems.md").read_text(encoding="utf-8")
    assert written == documentation(), "run `python docs/reference_pages.py`"
    assert set(re.findall(r"^### (\w+)$", written, flags=re.M)) == set(CATALOGUE)
    assert "{found}" in written
    assert "{{" not in written


def many():
    """Return problems of twelve kinds, each with one cell more than the one before."""
    codes = sorted(code for code in CATALOGUE if code.startswith("E2"))[:12]
    facts = dict.fromkeys(
        ("found", "advice", "low", "high", "scale", "written", "allowed", "what", "scored",
         "expected", "most"), "x",
    )  # fmt: skip
    return [
        problem(code, file="a.csv", row=2, column="c", more=at, **facts)
        for at, code in enumerate(codes)
    ]


def test_worst_first_and_ten_kinds_in_full():
    found = [problem("W301", file="a.csv", more=99), *many()]
    groups = check_text.grouped(found)
    assert [group.cells for group in groups] == [*range(12, 0, -1), 100]
    assert groups[-1].code == "W301"
    lines = check_text.as_text("d", found).splitlines()
    assert lines[0] == "d: 12 errors, 1 warnings"
    assert len([line for line in lines if line.startswith("  E2")]) == 10
    assert lines[-2].startswith("  and of other kinds: ")
    assert "W301 (100)" in lines[-2]
    assert "--all" in lines[-1]
    assert len(check_text.as_text("d", found, everything=True).splitlines()) == 14


def test_places_of_one_kind_stand_together():
    found = [
        problem("E206", file="a.csv", row=row, column=str(row), more=row) for row in range(1, 9)
    ]
    lines = check_text.as_text("d", found).splitlines()
    assert "column 8" in lines[1]
    assert lines[6] == "    E206 also in 3 more places"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("E203", "E330", "W308"):
        shutil.copytree(BROKEN / name, tmp_path / "data/raw" / name)
    (tmp_path / "config.yaml").write_text("datasets: [E203, W308]\n")
    return tmp_path


def test_json_holds_every_problem_and_nothing_else(project, capsys):
    assert cli.main(["check", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["datasets"]
    assert [(one["dataset"], one["errors"], one["warnings"]) for one in told] == [
        ("E203", 1, 0),
        ("W308", 0, 1),
    ]
    assert told[0]["problems"][0] == {
        "code": "E203",
        "message": "28 is outside 0..27 (PHQ-9). Correct the value or set range in dataset.yaml.",
        "file": "data/raw/E203/sessions.csv",
        "row": 3,
        "column": "phq",
        "key": None,
        "line": None,
        "more": 0,
        "rows": [3],
        "finding": None,
        "cells": 1,
        "text": "E203 data/raw/E203/sessions.csv, row 3, column phq: 28 is outside 0..27 (PHQ-9). "
        "Correct the value or set range in dataset.yaml.",
    }
    assert cli.main(["check", "W308"]) == 0


def test_the_page_shows_the_cell_among_its_neighbours(project):
    cli.main(["check", "E203"])
    html = (project / "data/processed/E203/E203-check.html").read_text(encoding="utf-8")
    page = Page(html)
    assert "1 error stops this dataset" in page.text
    assert re.findall(r"<mark>(.*?)</mark>", html) == ["3", "28"]
    cells = re.findall(r"<t[dh][^>]*>(?:<mark>)?(.*?)(?:</mark>)?</t[dh]>", html)
    rows = ["2 A 9 9.5 36 20", "3 A 9 9 36 28", "4 A 8 7 30 17"]
    assert " ".join(cells).endswith(" ".join(" ".join(rows).split()))
    assert "http" not in re.sub(r"<style.*?</style>", "", html, flags=re.S)
    assert len(page.all("script")) == 1  # that of all pages, which sorts tables


def test_what_identifies_is_not_shown(project, capsys):
    cli.main(["check", "E330"])
    html = (project / "data/processed/E330/E330-check.html").read_text(encoding="utf-8")
    said = capsys.readouterr()
    assert "(hidden)" in html
    assert "example.org" not in html + said.out + said.err


def test_cells_with_markup_are_shown_as_they_are(tmp_path):
    odd = "<script>alert(1)</script> **x** | `y`"
    folder = write(tmp_path, files={"sessions.csv": SESSIONS.replace("36,18", f"36,{odd}")})
    found = check.check("small", folder)
    page = tmp_path / "small-check.html"
    write_check("small", found, ingest.forms(folder), ABOUT, page)
    html = page.read_text(encoding="utf-8")
    assert odd in Page(html).text
    assert "<script>alert" not in html


def test_the_page_of_a_dataset_without_files(tmp_path):
    found = check.check("none", tmp_path / "nothing")
    page = write_check(
        "none", found, ingest.forms(tmp_path / "nothing"), ABOUT, tmp_path / "none-check.html"
    )
    assert "E101" in page.read_text(encoding="utf-8")
    clean = write_check("clean", [], {}, ABOUT, tmp_path / "clean-check.html")
    assert "No errors, no warnings." in Page(clean.read_text(encoding="utf-8")).text
