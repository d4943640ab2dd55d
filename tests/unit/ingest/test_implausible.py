"""Faults seen in real files: each is told by its own code, and by no other."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from repository import ROOT
from rupture_repair.ingest import check, implausible, ingest
from small_dataset import COURSES, GONE, SESSIONS, write

BROKEN = ROOT / "tests/data" / "broken"

#: The faults that were seen in real files of alliance ratings.
SEEN = {
    "reverse-keyed items left unreversed": "E218",
    "blanks turned into values by a reverse-score formula": "E215",
    "a whole blank form scored as a total": "E216",
    "a blank item counted as nothing": "E217",
    "values outside the range": "E203",
    "#VALUE!": "E214",
    "one row shifted a column to the left": "E319",
    "one course's ratings repeated under another id": "E321",
    "mixed case in categories": "E219",
    "? in categories": "E220",
    "ragged trailing commas": "W308",
    "a title in the first cell": "E322",
    "two scores on one day": "E310",
    "totals that do not equal their items": "E211",
    "a column that identifies persons": "E330",
}


def test_every_fault_seen_has_a_broken_example_and_every_example_a_fault():
    assert {folder.name for folder in BROKEN.iterdir()} == set(SEEN.values())


@pytest.mark.parametrize("fault", SEEN)
def test_exactly_this_code_comes_out(fault, tmp_path, monkeypatch):
    code = SEEN[fault]
    shutil.copytree(BROKEN / code, tmp_path / code)
    monkeypatch.chdir(tmp_path)
    found = check.check("broken", Path(code))
    assert [one.text for one in found] == [(BROKEN / code / "expected.txt").read_text().strip()]
    assert found[0].code == code


ACCEPTABLE = sorted(set(SEEN.values()) & {"E215", "E216", "E217", "E218", "E219", "E321", "E330"})


@pytest.mark.parametrize("code", ACCEPTABLE)
def test_what_may_be_right_can_be_accepted_with_a_reason(code, tmp_path):
    shutil.copytree(BROKEN / code, tmp_path / code)
    path = tmp_path / code / "dataset.yaml"
    found = check.check("broken", path)[0]
    content = yaml.safe_load(path.read_text())
    reason = {"finding": found.finding, "column": found.column, "reason": "asked the clinic"}
    path.write_text(yaml.safe_dump({**content, "accepted": [reason]}))
    dataset = ingest.ingest("broken", path)
    assert [text.split()[0] for text in dataset.about["warnings"]] == ["W309"]
    assert "asked the clinic" in dataset.about["warnings"][0]
    assert dataset.about["accepted"] == [found.finding]
    other = {**reason, "column": "another"}
    path.write_text(yaml.safe_dump({**content, "accepted": [other]}))
    assert code in [one.code for one in check.check("broken", path)]


def codes(folder, edits=None, files=None):
    return [one.code for one in check.check("small", write(folder / "data", edits, files))]


# ---------------------------------------------------------------------------- what is no fault


def test_a_highest_answer_on_a_few_forms_is_no_blank(tmp_path):
    lone = SESSIONS.replace("7,8,8,7,30", "10,,,,").replace(",8,9,8,33", "10,,,,")
    edits = {"measures.alliance.total": GONE}
    assert "E215" not in codes(tmp_path, edits, {"sessions.csv": lone})
    every = lone.replace("9,9,9,9,36", "10,,,,")
    assert codes(tmp_path, edits, {"sessions.csv": every}) == ["E215"]


def test_a_total_without_items_stands_unless_it_is_that_of_a_blank_form(tmp_path):
    stands = SESSIONS.replace("7,8,8,7,30", ",,,,30")
    assert codes(tmp_path, files={"sessions.csv": stands}) == []
    assert codes(tmp_path, files={"sessions.csv": stands.replace(",,,,30", ",,,,0")}) == ["E216"]


def test_a_blank_form_with_turned_items_is_told_by_the_sum_of_their_blanks(tmp_path):
    edits = {"measures.alliance.reverse": ["srs3"]}
    header, *rows = SESSIONS.splitlines()
    turned = []
    for row in rows:
        cells = row.split(",")
        cells[5] = f"{10 - float(cells[5]):g}"
        turned.append(",".join(cells))
    text = "\n".join([header, *turned])
    assert codes(tmp_path, edits, {"sessions.csv": text}) == []
    blank = text.replace("7,8,2,7,30", ",,,,10")
    assert codes(tmp_path, edits, {"sessions.csv": blank}) == ["E216"]
    assert codes(tmp_path, {}, {"sessions.csv": blank})[-1] == "E211"


def test_a_moved_row_must_fit_one_column_further_right(tmp_path):
    moved = SESSIONS.replace("7,8,8,7,30,17", "7,8,7,30,17,")
    assert codes(tmp_path, files={"sessions.csv": moved}) == ["E319"]
    # 41 fits nowhere: the cell is simply wrong.
    wrong = SESSIONS.replace("7,8,8,7,30,17", "7,8,41,7,,")
    assert codes(tmp_path, files={"sessions.csv": wrong}) == ["E203"]
    # Without the empty last cell nothing was lost on the right.
    full = SESSIONS.replace("7,8,8,7,30,17", "7,8,7,30,17,17")
    assert codes(tmp_path, files={"sessions.csv": full}) == ["E203"]


def test_short_or_flat_courses_may_be_alike(tmp_path):
    header = SESSIONS.splitlines()[0]
    flat = [f"{c},T1,{s},10,10,10,10,40,5" for c in "ABCDEF" for s in range(1, 7)]
    files = {"sessions.csv": "\n".join([header, *flat])}
    bare = {"tables.courses": GONE, "tables.events": GONE}
    assert "E321" not in codes(tmp_path, bare, files)
    # Two that stay at the top while others go up and down may be alike as well.
    moving = [f"{c},T2,{s},{(s + at) % 9},{(s * at) % 9},5,{s % 8},30,{s}"
              for at, c in enumerate("GHIJKLMN", 2) for s in range(1, 7)]  # fmt: skip
    files = {"sessions.csv": "\n".join([header, *flat[:12], *moving])}
    assert "E321" not in codes(tmp_path, bare, files)
    files = {"sessions.csv": "\n".join([header, *moving, *moving[:6]]).replace("\nG", "\nX", 6)}
    assert "E321" in codes(tmp_path, bare, files)
    # One that differs in a single rating, whichever, is another course.
    copied = [*moving, *moving[:6]]
    for place in range(len(moving), len(copied)):
        one = copied.copy()
        one[place] = one[place].rsplit(",", 1)[0] + ",9"
        text = "\n".join([header, *one[: len(moving)]])
        text += "\n" + "\n".join("X" + row[1:] for row in one[len(moving) :])
        assert "E321" not in codes(tmp_path, bare, {"sessions.csv": text})
    short = SESSIONS + "D,T2,1,10,10,10,10,40,12\nD,T2,2,10,9,10,10,39,11\n"
    assert "E321" not in codes(tmp_path, bare, {"sessions.csv": short})


@pytest.mark.parametrize("seed", range(3))
def test_items_that_agree_weakly_are_not_called_unreversed(seed):
    random = np.random.default_rng(seed)
    items = random.normal(size=(400, 5))
    assert implausible._against(items, 60) == {}
    common = random.normal(size=(400, 1))
    agree = common + random.normal(size=(400, 5))
    assert implausible._against(agree, 60) == {}
    agree[:, 1] *= -1
    against = implausible._against(agree, 60)
    assert list(against) == [1]
    others = np.delete(agree, 1, axis=1)
    expected = np.corrcoef(
        (agree[:, 1] - agree[:, 1].mean()) / agree[:, 1].std(),
        ((others - others.mean(axis=0)) / others.std(axis=0)).sum(axis=1),
    )[0, 1]
    assert against[1] == pytest.approx(expected)
    assert implausible._against(agree[:, [0, 1, 2]] * [1, 0, 1], 60) == {}


def test_case_in_ids_and_codes(tmp_path):
    ids = {"sessions.csv": SESSIONS.replace("A,T1,5", "a,T1,5")}
    found = codes(tmp_path, {"tables.events": GONE}, ids)
    assert "E219" in found
    events = "course,session,kind,code,reporter\nA,3,rupture,withdrawal,client\n"
    events += "A,5,rupture,Withdrawal,client\n"
    assert codes(tmp_path, files={"events.csv": events}) == ["E219"]
    spaces = {"clients.csv": COURSES.replace(",f", ",not  known", 1).replace(",m", ",not known")}
    assert codes(tmp_path, files=spaces) == ["E219"]


def test_errors_of_spreadsheets_in_other_languages_and_places(tmp_path):
    for error in ("#WERT!", "#N/A", "#NV", "#¡VALOR!", "#DIV/0!", "#NAME?", "#REF!"):
        text = SESSIONS.replace("A,T1,2,9,9,9,9", f"A,T1,2,{error},9,9,9")
        assert codes(tmp_path, files={"sessions.csv": text}) == ["E214"], error
        assert codes(tmp_path, files={"clients.csv": COURSES.replace(",m", f",{error}")}) == [
            "E214"
        ]
    assert "E214" not in codes(tmp_path, files={"clients.csv": COURSES.replace(",m", ",#1")})


def test_titles(tmp_path):
    for title in ("Ratings\n", "Ratings 2023,,,,,,,,\n\n", "Ratings, 2023\n", ",,Ratings,,,,,,\n"):
        assert codes(tmp_path, files={"sessions.csv": title + SESSIONS}) == ["E322"], title


def test_trailing_delimiters_lose_nothing(tmp_path):
    expected = ingest.ingest("small", write(tmp_path / "a"))
    header, *rows = SESSIONS.splitlines()
    ragged = "\n".join([header, *(row + "," * (at % 3) for at, row in enumerate(rows))])
    dataset = ingest.ingest("small", write(tmp_path / "b", files={"sessions.csv": ragged}))
    assert dataset.sessions.equals(expected.sessions)
    every = "\n".join([header, *(f"{row}, ," for row in rows)])
    dataset = ingest.ingest("small", write(tmp_path / "c", files={"sessions.csv": every}))
    assert dataset.sessions.equals(expected.sessions)
    assert "(and 8 more)" in dataset.about["warnings"][0]
