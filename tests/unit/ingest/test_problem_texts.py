"""Every message about a dataset, word for word, from a small dataset spoilt in that way."""

from pathlib import Path

import pytest

from descriptor_cases import BY_DAY, DESCRIPTOR
from made_files import cells, xlsx
from reading_cases import READING, Case
from repository import ROOT
from rupture_repair.ingest import check
from rupture_repair.project.messages.catalogue import CATALOGUE
from small_dataset import AS_WIDE, COURSES, SESSIONS, write
from value_cases import HEADER, VALUES

#: Broken datasets, each named by the code that it brings about.
BROKEN = ROOT / "tests/data" / "broken"

CASES = [
    Case(
        (
            "E301 data/session.csv, key tables.sessions.file: the file does not exist. Did you "
            "mean 'sessions.csv'? Put it there, or correct its name in dataset.yaml."
        ),
        edits={"tables.sessions.file": "session.csv"},
    ),
    Case(
        (
            "E302 data/sessions.csv: the file is empty. The first row must hold the column names, "
            "the others the data."
        ),
        files={"sessions.csv": ""},
    ),
    Case(
        (
            "E302 data/sessions.csv: the file has a header but no rows. The first row must hold "
            "the column names, the others the data."
        ),
        files={"sessions.csv": HEADER},
    ),
    Case(
        (
            "E302 data/sessions.csv: the first row holds no column names. The first row must hold "
            "the column names, the others the data."
        ),
        files={"sessions.csv": "\n" + SESSIONS},
    ),
    Case(
        (
            "E303 data/sessions.csv: the file has one column when split at ','. Set delimiter in "
            "dataset.yaml, most likely to ';'."
        ),
        files={"sessions.csv": SESSIONS.replace(",", ";")},
    ),
    Case(
        (
            "E304 data/sessions.csv, row 6: the byte 0xfc cannot be read as utf-8. Set encoding "
            "in dataset.yaml (often cp1252 or latin-1), or save the file as UTF-8."
        ),
        files={"sessions.csv": SESSIONS.replace("B,T1", "B,Tü").encode("latin-1")},
    ),
    Case(
        (
            "E305 data/sessions.csv: the file is a spreadsheet in the form XLSX. Give it the "
            "suffix .xlsx."
        ),
        files={"sessions.csv": xlsx({"a": cells(SESSIONS)})},
    ),
    Case(
        "E305 data/sessions.csv: the file is a ZIP archive. Unpack it.",
        files={"sessions.csv": b"PK\x03\x04 and so on"},
    ),
    Case(
        (
            "E305 data/ratings.xls: the file is a spreadsheet in the old form XLS, or one with a "
            "password. Open it in Excel or LibreOffice and save it as XLSX (.xlsx), or as CSV."
        ),
        edits={"tables.sessions.file": "ratings.xls"},
        files={"ratings.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"},
    ),
    Case(
        (
            "E305 data/sessions.csv: the file is not a text (it holds NUL bytes). Save it as "
            "CSV, or "
            "give it the suffix of what it is (.xlsx, .sav, .dta, .sas7bdat)."
        ),
        files={"sessions.csv": SESSIONS.replace("B", "\x00")},
    ),
    Case(
        (
            "E306 data/sessions.csv, row 3: the row has 10 cells, the header 9. Look for a "
            "missing or extra ',', or one in a text that is not in quotes. (and 1 more)"
        ),
        files={"sessions.csv": SESSIONS.replace("36,18\n", "36,18,1\n").replace("40,12\n", "40\n")},
    ),
    Case(
        (
            "E307 data/sessions.csv, column srs4: the file has no such column. Did you mean "
            "'srs_4'? Correct measures.alliance.items.overall in dataset.yaml. Columns here: "
            "client_id, therapist_id, session_no, srs1, srs2, srs3, srs_4, srs_total, phq."
        ),
        files={"sessions.csv": ("srs4", "srs_4")},
    ),
    Case(
        (
            "E308 data/sessions.csv, column srs3: 2 columns have this name. Rename one of them in "
            "the file, so that measures.alliance.items.tasks of dataset.yaml names one column."
        ),
        files={"sessions.csv": ("srs4", "srs3")},
    ),
    Case(
        (
            "E309 data/sessions.csv, row 5, column session_no: session 3 of course 'A' is already "
            "in row 4. If a second course of therapy of one client begins here, add a column with "
            "an id for each course (such as A-1 and A-2), name it under course, and the column of "
            "clients under client. If not, correct the number, or put what belongs to one session "
            "into one row."
        ),
        files={"sessions.csv": ("A,T1,5", "A,T1,3")},
    ),
    Case(
        (
            "E310 data/sessions.csv, row 5, column session_no: course 'A' already has a row for "
            "this day, row 4. Write same_day: mean in dataset.yaml to take their mean, or correct "
            "the day."
        ),
        edits=BY_DAY,
        files={"sessions.csv": ("A,T1,5", "A,T1,3")},
    ),
    Case(
        (
            "E311 data/clients.csv, row 5, column client_id: course 'A' has a row above. Put "
            "what belongs to one course into one row, or give the second course of a client an id "
            "of its own."
        ),
        files={"clients.csv": COURSES + "A,completed,f\n"},
    ),
    Case(
        (
            "E312 data/sessions.csv, row 8, column therapist_id: the therapist of course 'B' is "
            "'T2' here, but 'T1' in row 6. A course is one client with one therapist, and what is "
            "known of it once is the same in all of its rows: correct the cell, or give the rows "
            "another course id."
        ),
        files={"sessions.csv": ("B,T1,3", "B,T2,3")},
    ),
    Case(
        (
            "E313 data/events.csv, row 3, column course: course 'Z' has no session. Correct the "
            "id, or add the sessions of this course."
        ),
        files={"events.csv": ("A,5", "Z,5")},
    ),
    Case(
        (
            'E314 data/sessions.csv: a quotation mark is opened and never closed. Find the " '
            "without its partner and correct the cell."
        ),
        files={"sessions.csv": ("40,12", '40,"12')},
    ),
    Case(
        (
            "E315 data/dataset.yaml, key mirror_folder: the folder nowhere/clinic does not exist. "
            "Get the files (the source is in dataset.yaml), or correct mirror in config.yaml."
        ),
        edits={"mirror_folder": "clinic"},
        mirror="nowhere",
    ),
    Case(
        (
            "E316 data/wide.csv, column Week{session}, key measures.outcome: no column follows "
            "this pattern. {session} matches digits only. Columns here: id, doctor, W1, W2, "
            "W4, W1_flag."
        ),
        edits={**AS_WIDE, "measures.outcome.pattern": "Week{session}"},
    ),
    Case(
        (
            "E317 data/wide.csv, column W{session}, key measures.alliance: the columns 'W1' and "
            "'W01' are the same session. Rename one of them in the file."
        ),
        edits=AS_WIDE,
        files={"wide.csv": ("W1_flag", "W01")},
    ),
    Case(
        ("E318 data/wide.csv: no course has a rating. Name the columns that hold the ratings."),
        edits=AS_WIDE,
        files={"wide.csv": "id,doctor,W1,W2\n1,d1,NA,NA\n"},
    ),
    Case(
        (
            "E323 data/ratings.xlsx: the file has no sheet 'Ratngs'. Did you mean 'Ratings'? Set "
            "sheet in dataset.yaml to one of: Notes, Ratings."
        ),
        edits={"tables.sessions.file": "ratings.xlsx", "tables.sessions.sheet": "Ratngs"},
        files={"ratings.xlsx": xlsx({"Notes": [], "Ratings": cells(SESSIONS)})},
    ),
    Case(
        (
            "E324 data/ratings.xlsx: the file cannot be read as an XLSX file: File is not a zip "
            "file. Open it in the program that wrote it and save it again, or save it as CSV."
        ),
        edits={"tables.sessions.file": "ratings.xlsx"},
        files={"ratings.xlsx": b"PK\x03\x04 and so on"},
    ),
    Case(
        (
            "E325 data/sessions.csv: the file has 20,009 columns; 20,000 can be read. Keep the "
            "columns that are needed, or make it long: one row per session."
        ),
        files={"sessions.csv": HEADER + ",x" * 20_000 + "\n"},
    ),
    *DESCRIPTOR,
    *VALUES,
    *READING,
]


def codes_of_this_part() -> set[str]:
    """Return the codes that reading a dataset can produce."""
    return {
        code
        for code in CATALOGUE
        if code.startswith(("E2", "E3", "W1", "W2", "W3")) or "E110" <= code <= "E139"
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text.split()[0])
def test_message(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = write(Path("data"), case.edits, case.files)
    texts = [entry.text for entry in check.check("small", folder, case.mirror)]
    assert case.text in texts


def test_every_code_has_a_case():
    tested = {case.text.split()[0].rstrip(":") for case in CASES}
    tested |= {folder.name for folder in BROKEN.iterdir()}  # in test_faults.py
    elsewhere = {"E320", "E331"}  # below, and in test_anonymity.py
    assert codes_of_this_part() - tested - elsewhere == set()


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = write(Path("data"))

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = check.check("small", folder)
    assert found[0].text == (
        "E320 data/sessions.csv: the file cannot be read: Permission denied. "
        "Correct its permissions or copy it anew."
    )


def test_valid_dataset_has_no_problem(tmp_path: Path):
    assert check.check("small", write(tmp_path / "data")) == []
    assert check.check("small", write(tmp_path / "wide", AS_WIDE)) == []


def test_all_problems_are_listed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    spoilt = SESSIONS.replace("A,T1,2,9,", "A,T1,2,11,").replace("B,T1,3", "B,T2,1")
    spoilt = spoilt.replace("40,12", "40,n/a")
    folder = write(
        Path("data"),
        files={
            "sessions.csv": spoilt,
            "clients.csv": ("dropped_out", "left"),
            "events.csv": ("A,5", "Z,5"),
        },
    )
    found = [(entry.code, entry.column) for entry in check.check("small", folder)]
    assert found == [
        ("E203", "srs1"),
        ("E201", "phq"),
        ("E309", "session_no"),
        ("E312", "therapist_id"),
        ("E209", "reason"),
        ("E313", "course"),
    ]
