"""Messages about cells and ratings, and what brings each about."""

from descriptor_cases import BY_DATE, BY_DAY
from reading_cases import Case
from small_dataset import AS_WIDE, COURSES, GONE, SESSIONS

HEADER, *ROWS = SESSIONS.splitlines()


def table(*rows: str) -> str:
    """Return a sessions table with these rows."""
    return "\n".join([HEADER, *rows, ""])


#: Of cells and of what they add up to.
VALUES = [
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
            "cell; remove the row only if nobody was rated in it."
        ),
        files={"sessions.csv": ("B,T1,2", ",T1,2")},
    ),
    Case(
        (
            "E207 data/sessions.csv, row 7, column session_no: the session is not given. Fill in "
            "the cell, or name a column with the date or day. Remove the row only if it is no "
            "session."
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
            "the cell; remove the row only if nothing was coded."
        ),
        files={"events.csv": ("noticing", "")},
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
]
