"""Every message about a dataset, word for word, from a small dataset spoilt in that way."""

from pathlib import Path

import pytest

from made_files import cells, xlsx
from reading_cases import READING, Case
from repository import ROOT
from rupture_repair.ingest import check
from rupture_repair.project.messages.catalogue import CATALOGUE
from small_dataset import AS_WIDE, COURSES, GONE, SESSIONS, write

#: Broken datasets, each named by the code that it brings about.
BROKEN = ROOT / "tests/data" / "broken"

HEADER, *ROWS = SESSIONS.splitlines()
BY_DAY = {"tables.sessions.session": GONE, "tables.sessions.day": "session_no"}
BY_DATE = {"tables.sessions.session": GONE, "tables.sessions.date": "session_no"}
MOOD = {
    "rater": "client",
    "timing": "day",
    "total": "phq",
    "range": [0, 27],
    "better": "lower",
}


def table(*rows: str) -> str:
    """Return a sessions table with these rows."""
    return "\n".join([HEADER, *rows, ""])


CASES = [
    Case(
        (
            "E110 data/dataset.yaml, key measures.alliance.instrument: 'SSR' is not a known "
            "instrument. Did you mean 'SRS'? Known: SRS, WAI, WAI-S, WAI-SR, SAI, ARM-28, ARM-12, "
            "ARM-5, CALPAS-P, BPSR-P, ORS, PHQ-9, GAD-7, CORE-10, CORE-OM, OQ-45.2, BDI-II, "
            "HSCL-11, PCL-5. For another one leave `instrument` out and write range and better."
        ),
        edits={"measures.alliance.instrument": "SSR"},
    ),
    Case(
        (
            "E111 data/dataset.yaml, key measures.mood: the measure 'mood' has no role. Write "
            "role: alliance, outcome or other; only measures named alliance or outcome do "
            "without."
        ),
        edits={"measures.mood": MOOD},
    ),
    Case(
        (
            "E112 data/dataset.yaml, key measures.outcome: 'range' is missing, and no instrument "
            "says it. Write range: [lowest, highest] and better: higher or lower, or name an "
            "instrument."
        ),
        edits={"measures.outcome.instrument": GONE},
    ),
    Case(
        (
            "E113 data/dataset.yaml, key measures.outcome.range: [27, 0] is no range. Write "
            "[lowest, highest] with two finite numbers, the lower one first."
        ),
        edits={"measures.outcome.range": [27, 0]},
    ),
    Case(
        (
            "E114 data/dataset.yaml, key tables.sessions: exactly one of session, date and day "
            "must name a column; found: session, date. Keep the one by which sessions are to be "
            "numbered."
        ),
        edits={"tables.sessions.date": "date"},
    ),
    Case(
        (
            "E115 data/dataset.yaml, key measures.outcome.pattern: 'pattern' does not go with the "
            "long layout. Write 'total' instead."
        ),
        edits={"measures.outcome.total": GONE, "measures.outcome.pattern": "W{session}"},
    ),
    Case(
        (
            "E115 data/dataset.yaml, key tables.sessions.same_day: 'same_day' does not go with "
            "sessions known by their number. Remove it, or name the column with the date or day."
        ),
        edits={"tables.sessions.same_day": "mean"},
    ),
    Case(
        (
            "E116 data/dataset.yaml, key measures.outcome: the values come from (none). Write "
            "items, a total (pattern in the wide layout) or both for a measure rated at sessions; "
            "first and last for one rated before and after the course."
        ),
        edits={"measures.outcome.total": GONE},
    ),
    Case(
        (
            "E116 data/dataset.yaml, key measures.outcome: the values come from total, first. "
            "Write items, a total (pattern in the wide layout) or both for a measure rated at "
            "sessions; first and last for one rated before and after the course."
        ),
        edits={"measures.outcome.first": "phq_first"},
    ),
    Case(
        (
            "E117 data/dataset.yaml, key measures.alliance: there are several outcome measures "
            "(outcome, mood), and none is named for this measure. Write outcome: <name of the "
            "outcome measure>."
        ),
        edits={"measures.mood": {"role": "outcome", **MOOD}},
    ),
    Case(
        (
            "E118 data/dataset.yaml, key measures.alliance.outcome: 'outcomes' is not a measure "
            "with the role outcome. Did you mean 'outcome'? Outcome measures here: outcome."
        ),
        edits={"measures.alliance.outcome": "outcomes"},
    ),
    Case(
        (
            "E119 data/dataset.yaml, key measures.outcome.first: 'first' names a column of the "
            "courses table, but there is none. Describe it under tables.courses."
        ),
        edits={
            "tables.courses": GONE,
            "measures.outcome.total": GONE,
            "measures.outcome.first": "phq_first",
        },
    ),
    Case(
        (
            "E120 data/dataset.yaml, key tables.courses.covariates: 'sex (m/f)' cannot name a "
            "column of the tables and a term of a formula. Write covariates: {sex_m_f: 'sex "
            "(m/f)'} instead of a list."
        ),
        edits={"tables.courses.covariates": ["sex (m/f)"]},
    ),
    Case(
        (
            "E121 data/dataset.yaml, key tables.courses.covariates.session: the name 'session' is "
            "already used. Choose another one; taken are the other names here, words of Python, "
            "and: course, client, therapist, session, day, ending, dataset, measure, criterion, "
            "state, episode."
        ),
        edits={"tables.courses.covariates": ["session"]},
    ),
    Case(
        (
            "E122 data/dataset.yaml, key measures.alliance.items: 2 items are given, but the "
            "total of SRS has 4. Give all items, or the total, or the range of the total that "
            "these items make."
        ),
        edits={
            "measures.alliance.items": {"bond": "srs1", "goals": "srs2"},
            "measures.alliance.total": GONE,
        },
    ),
    Case(
        (
            "E123 data/dataset.yaml, key measures.outcome.pattern: 'W1' does not hold {session} "
            "once. In the wide layout write for example 'Week{session}' for Week1, Week2 and so "
            "on."
        ),
        edits={**AS_WIDE, "measures.outcome.pattern": "W1"},
    ),
    Case(
        (
            "E124 data/dataset.yaml, key measures: no measure has the role alliance, so there is "
            "nothing to look for ruptures in; measures: alliance, outcome. Give one of them role: "
            "alliance, with stands_in if it is no alliance measure."
        ),
        edits={"measures.alliance.role": "other"},
    ),
    Case(
        (
            "E125 data/dataset.yaml, key measures.alliance.first: a measure with the role "
            "alliance must be rated at sessions. Name its items or total instead of first and "
            "last, or give it another role."
        ),
        edits={
            "measures.alliance": {
                "rater": "client",
                "timing": "day",
                "first": "sex",
                "range": [0, 1],
                "better": "higher",
            }
        },
    ),
    Case(
        (
            "E126 data/dataset.yaml, key tables.courses.therapist: 'therapist' is named for the "
            "sessions table and for the courses table. Name the column in one of them."
        ),
        edits={"tables.courses.therapist": "therapist"},
    ),
    Case(
        (
            "E127 data/dataset.yaml, key measures.alliance.items: the column 'srs3' is used for "
            "two items. Name each column once."
        ),
        edits={"measures.alliance.items.overall": "srs3"},
    ),
    Case(
        (
            "E128 data/dataset.yaml, key tables.sessions.date_format: '%d.%m.' does not tell day, "
            "month and year. Use the signs %Y (2024) or %y (24), %m and %d, for example "
            "'%d.%m.%Y'."
        ),
        edits={**BY_DATE, "tables.sessions.date_format": "%d.%m."},
    ),
    Case(
        (
            "E129 data/dataset.yaml, key tables.sessions.encoding: 'utf8x' is not a known "
            "encoding. Did you mean 'utf-8'? Common ones: utf-8, utf-16, cp1252, latin-1, "
            "iso-8859-15, mac-roman."
        ),
        edits={"tables.sessions.encoding": "utf8x"},
    ),
    Case(
        (
            "E130 data/dataset.yaml, key tables.sessions.file: '../sessions.csv' leads out of the "
            "dataset's folder. Put the file into that folder and write its name only."
        ),
        edits={"tables.sessions.file": "../sessions.csv"},
    ),
    Case(
        (
            "E131 data/dataset.yaml, key mirror_folder: the files are those of a public dataset, "
            "and are not here. Fetch them with `snakemake --cores 1 fetch_data`, or set mirror in "
            "config.yaml to the folder that holds 'clinic'."
        ),
        edits={"mirror_folder": "clinic"},
    ),
    Case(
        (
            "E132 data/dataset.yaml, key measures.alliance.reverse: 'srs5' is none of the columns "
            "under items. Did you mean 'srs4'? Columns of items here: srs1, srs2, srs3, srs4."
        ),
        edits={"measures.alliance.reverse": ["srs5"]},
    ),
    Case(
        (
            "E201 data/sessions.csv, row 6, column srs1: 'high' is not a number. Correct the "
            "cell, or add 'high' to missing in dataset.yaml if it means 'not known'."
        ),
        files={"sessions.csv": ("B,T1,1,8,8", "B,T1,1,high,8")},
    ),
    Case(
        (
            "E201 data/sessions.csv, row 2, column srs2: '8,5' is not a number. Correct the cell, "
            "or add '8,5' to missing in dataset.yaml if it means 'not known'. If ',' is the "
            "decimal sign, write decimal: ',' in dataset.yaml. (and 1 more)"
        ),
        files={
            "sessions.csv": (
                "A,T1,1,9,8.5,9,9.5,36,20\nA,T1,2,9,9,9,9,36,18",
                'A,T1,1,9,"8,5",9,9.5,36,20\nA,T1,2,9,x,9,9,36,18',
            )
        },
    ),
    Case(
        (
            "E202 data/sessions.csv, row 3, column phq: 'inf' is not a finite number. Correct the "
            "cell."
        ),
        files={"sessions.csv": ("36,18", "36,inf")},
    ),
    Case(
        (
            "E203 data/sessions.csv, row 3, column srs1: 11 is outside 0..10 (SRS). Correct the "
            "value or set range in dataset.yaml."
        ),
        files={"sessions.csv": ("A,T1,2,9,", "A,T1,2,11,")},
    ),
    Case(
        (
            "E203 data/sessions.csv, row 5, column phq: 28 is outside 0..27 (PHQ-9). Correct the "
            "value or set range in dataset.yaml. (and 1 more)"
        ),
        files={"sessions.csv": SESSIONS.replace("NA", "28").replace("-99", "-1")},
    ),
    Case(
        (
            "E204 data/sessions.csv, row 3, column session_no: '2.5' is not a whole number. "
            "Sessions have whole numbers; number them, or name a column with the date or day."
        ),
        files={"sessions.csv": ("A,T1,2", "A,T1,2.5")},
    ),
    Case(
        (
            "E205 data/sessions.csv, row 6, column session_no: session 0 is outside 1..9999. "
            "Correct the number, or set first_session in dataset.yaml to the number that the file "
            "gives to the first session."
        ),
        files={"sessions.csv": ("B,T1,1", "B,T1,0")},
    ),
    Case(
        (
            "E206 data/sessions.csv, row 7, column client_id: the course has no id. Fill in the "
            "cell, or remove the row."
        ),
        files={"sessions.csv": ("B,T1,2", ",T1,2")},
    ),
    Case(
        (
            "E207 data/sessions.csv, row 7, column session_no: the session is not given. Fill in "
            "the cell, or remove the row."
        ),
        files={"sessions.csv": ("B,T1,2", "B,T1,")},
    ),
    Case(
        (
            "E208 data/sessions.csv, row 3, column session_no: '2024-02-30' is not a date of the "
            "form %Y-%m-%d. Correct the cell, or set date_format in dataset.yaml."
        ),
        edits=BY_DATE,
        files={
            "sessions.csv": table(
                "A,T1,2024-01-31,9,8.5,9,9.5,36,20", "A,T1,2024-02-30,9,9,9,9,36,18"
            )
        },
    ),
    Case(
        (
            "E209 data/clients.csv, row 3, column reason: 'droped out' is not a known ending. Did "
            "you mean 'dropped_out'? Allowed: completed, dropped_out, ongoing, unknown. Say what "
            "it means under ending_codes in dataset.yaml."
        ),
        files={"clients.csv": ("B,dropped_out", "B,droped out")},
    ),
    Case(
        (
            "E210 data/events.csv, row 3, column kind: 'Repair' is not a known kind of events. "
            "Did you mean 'repair'? Allowed: rupture, cause, repair, type."
        ),
        files={"events.csv": ("A,5,repair", "A,5,Repair")},
    ),
    Case(
        (
            "E211 data/sessions.csv, row 4, column srs_total: the total is 31, but the sum of the "
            "items is 30. Correct the total or the items, or set scored in dataset.yaml."
        ),
        files={"sessions.csv": ("7,30,17", "7,31,17")},
    ),
    Case(
        (
            "E212 data/sessions.csv, row 5, column session_no: 20240131 is not a day within "
            "100000 days of day 0. Correct the cell; for dates name the column under date instead "
            "of day."
        ),
        edits=BY_DAY,
        files={"sessions.csv": ("A,T1,5", "A,T1,20240131")},
    ),
    Case(
        (
            "E213 data/events.csv, row 3, column code: the code of the event is missing. Fill in "
            "the cell, or remove the row."
        ),
        files={"events.csv": ("noticing", "")},
    ),
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
            "in row 4. Keep one row for each session of a course. If a second course of therapy of "
            "one client begins here, add a column with an id for each course (such as A-1 and "
            "A-2), name it under course, and the column of clients under client."
        ),
        files={"sessions.csv": ("A,T1,5", "A,T1,3")},
    ),
    Case(
        (
            "E310 data/sessions.csv, row 5, column session_no: course 'A' already has a row for "
            "this day, row 4. Keep one of them, or write same_day: mean in dataset.yaml to take "
            "their mean."
        ),
        edits=BY_DAY,
        files={"sessions.csv": ("A,T1,5", "A,T1,3")},
    ),
    Case(
        (
            "E311 data/clients.csv, row 5, column client_id: course 'A' has a row above. Keep one "
            "row for each course."
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
            "id, or remove the row."
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
    Case(
        (
            "W101 data/dataset.yaml, key measures: no measure has the role outcome. Ruptures and "
            "repairs are described, but not linked to outcome."
        ),
        edits={"measures.outcome.role": "other"},
    ),
    Case(
        (
            "W102 data/dataset.yaml, key measures.outcome.cut_off: several values are published "
            "for GAD-7: 8 (adults in psychological therapies, England), 10 (adults in primary "
            "care, United States). None is used, for nothing says which holds here; state one "
            "with its source."
        ),
        edits={
            "measures.outcome": {
                "instrument": "GAD-7",
                "rater": "client",
                "timing": "start",
                "total": "phq",
            }
        },
    ),
    Case(
        (
            "W103 data/dataset.yaml, key measures.alliance: the reliable change of 'alliance' is "
            "not known. Criteria that need it cannot be assessed; state reliability or "
            "reliable_change with its source, if there is one."
        ),
        edits={**AS_WIDE, "measures.alliance.reliability": GONE},
    ),
    Case(
        (
            "W104 data/dataset.yaml, key measures.alliance.reverse: 2 of 12 items of WAI-S are "
            "reverse-keyed (numbers 4, 10), and dataset.yaml does not say whether they are "
            "turned in "
            "the file. Write reverse: [] if they are, or their columns if they are not."
        ),
        edits={
            "measures.alliance": {
                "instrument": "WAI-S",
                "rater": "client",
                "timing": "end",
                "items": [f"wai{item}" for item in range(1, 13)],
            }
        },
    ),
    Case(
        (
            "W201 data/dataset.yaml, key measures.outcome: 'outcome' has no value in any session. "
            "Nothing can be said about it."
        ),
        files={"sessions.csv": table(*(row.rsplit(",", 1)[0] + "," for row in ROWS))},
    ),
    Case(
        (
            "W202 data/sessions.csv, row 4, column srs_total: the total is missing although all "
            "items are there. It is left missing; leave `total` out of dataset.yaml to have "
            "totals made from items."
        ),
        files={"sessions.csv": ("7,30,17", "7,,17")},
    ),
    Case(
        (
            "W203 data/dataset.yaml, key measures.outcome: 'outcome' has the value 5 everywhere. "
            "Without variation nothing can be said about it."
        ),
        files={"sessions.csv": table(*(row.rsplit(",", 1)[0] + ",5" for row in ROWS))},
    ),
    Case(
        (
            "W301 data/sessions.csv: there is only one course. Nothing between courses can be "
            "estimated."
        ),
        files={
            "sessions.csv": table(*ROWS[:4]),
            "clients.csv": "client_id,reason,sex\nA,completed,f\n",
        },
    ),
    Case(
        (
            "W302 data/sessions.csv: every course has only one session. No rupture can be seen: "
            "that takes a rating before and one after."
        ),
        files={
            "sessions.csv": table(ROWS[0], ROWS[4], ROWS[7]),
            "events.csv": "course,session,kind,code,reporter\nA,1,type,withdrawal,observer\n",
        },
    ),
    Case(
        (
            "W303 data/clients.csv, row 5, column client_id: the course of this row has no session "
            "with a rating. It is left out. (and 1 more)"
        ),
        files={"clients.csv": COURSES + "D,unknown,f\nE,unknown,f\n"},
    ),
    Case(
        (
            "W304 data/sessions.csv, row 9: the course is missing in data/clients.csv. Its ending "
            "counts as unknown and its covariates as missing."
        ),
        files={"clients.csv": ("C,ongoing,f\n", "")},
    ),
    Case(
        ("W305 data/sessions.csv, row 6: the row is empty. It is left out. (and 1 more)"),
        files={"sessions.csv": ("B,T1,1", ",,,,,,,,\n\nB,T1,1")},
    ),
    Case(
        (
            "W306 data/sessions.csv, row 5: two scores on one day. The mean of a day's scores is "
            "its score."
        ),
        edits={**BY_DAY, "tables.sessions.same_day": "mean"},
        files={"sessions.csv": ("A,T1,5", "A,T1,3")},
    ),
    Case(
        (
            "W307 data/events.csv, row 3: session 4 of this course has an event but no row among "
            "the "
            "sessions. The event is kept, but belongs to no rating."
        ),
        files={"events.csv": ("A,5,", "A,4,")},
    ),
    Case(
        (
            "W309 data/clients.csv, column sex: dataset.yaml accepts this (mixed case): two "
            "codes on purpose. Nothing is to be done; remove the entry under accepted to have it "
            "refused again."
        ),
        edits={
            "accepted": [
                {"finding": "mixed_case", "column": "sex", "reason": "two codes on purpose"}
            ]
        },
        files={"clients.csv": ("C,ongoing,f", "C,ongoing,F")},
    ),
    Case(
        (
            "W310 data/dataset.yaml, column sex, key accepted: dataset.yaml accepts 'email' here, "
            "but nothing like it was found. Remove it under accepted, or correct the column's name."
        ),
        edits={"accepted": [{"finding": "email", "column": "sex", "reason": "no e-mail"}]},
    ),
    Case(
        (
            "W311 data/dataset.yaml, key tables.courses.covariates: of the combinations of sex, "
            "the "
            "rarest is that of 1 course; courses alone in theirs: 1. Who knows these facts of a "
            "client finds the course. Merge categories or leave columns out where the tables are "
            "to be shared."
        ),
        edits={"ids": "hashed"},
    ),
    Case(
        (
            "E133 data/dataset.yaml, line 3, key licence: TODO is left: nobody but you can know "
            "this. Under which terms the data may be used; shown wherever results appear. Write "
            "the value in its place (allowed: text, not empty)."
        ),
        edits={"licence": "TODO"},
    ),
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
