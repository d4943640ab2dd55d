"""Messages about files that look right and would be read wrongly, and what brings each about."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from made_files import cells, sav, xlsx
from small_dataset import COURSES, GONE, SESSIONS


class Case(NamedTuple):
    """A message, and what brings it about."""

    text: str
    edits: dict[str, Any] = {}  # noqa: RUF012
    files: dict[str, Any] = {}  # noqa: RUF012
    mirror: str | None = None


#: A clinic whose clients have ids of digits.
IDS = {"A,": "99,", "B,": "1.5E+14,"}


def with_ids(text: str) -> str:
    """Return a table with other ids."""
    for old, new in IDS.items():
        text = text.replace(old, new)
    return text


def book(change: Callable[[Any], None] | None = None, **sheets: str) -> dict[str, Any]:
    """Return the facts of a case whose sessions are in a spreadsheet."""
    tables = {name: cells(text) for name, text in (sheets or {"Ratings": SESSIONS}).items()}
    files = {"ratings.xlsx": xlsx(tables, change)}
    return {"edits": {"tables.sessions.file": "ratings.xlsx"}, "files": files}


def formulas(book: Any) -> None:
    """Put formulas in place of two totals, as a program does that computes nothing."""
    for row in (3, 5):
        book.active.cell(row, 8).value = f"=SUM(D{row}:G{row})"


def merged(book: Any) -> None:
    """Merge the ids of one course."""
    book.active.merge_cells("A2:A5")


def in_thousands(book: Any) -> None:
    """Show two ratings in thousands."""
    for row in (3, 4):
        book.active.cell(row, 9).number_format = "0,"


def as_dates(book: Any) -> None:
    """Show all ratings of one column as dates."""
    for row in range(2, 11):
        book.active.cell(row, 9).number_format = "yyyy-mm-dd"


def hide(book: Any) -> None:
    """Hide two rows, as a filter does."""
    for row in (4, 6):
        book.active.row_dimensions[row].hidden = True


def hide_second(book: Any) -> None:
    """Hide the second sheet."""
    book.worksheets[1].sheet_state = "hidden"


def labelled(labels: dict[float, str]) -> dict[str, Any]:
    """Return the facts of a case whose courses are in an SPSS file with labels of sex."""
    table = pd.DataFrame({"client_id": list("ABC"), "sex": [1.0, 2.0, 1.0]})
    files = {"clients.sav": sav(table, variable_value_labels={"sex": labels})}
    edits = {"tables.courses.file": "clients.sav", "tables.courses.ending": GONE}
    return {"edits": edits, "files": files}


def cell(old: str, new: str) -> dict[str, Any]:
    """Return the files of a case in which one text of the sessions is replaced."""
    return {"sessions.csv": (old, new)}


READING = [
    Case(
        (
            "E222 data/clients.csv, row 4, column sex: 'f' is one of 1 words and 2 numbers in one "
            "column of covariates. Correct the cells; add the word to missing in dataset.yaml if "
            "it means 'not known'; or, if all are names of categories, accept this in "
            "dataset.yaml (finding: numbers_and_words)."
        ),
        files={"clients.csv": COURSES.replace("d,f", "d,34").replace("t,m", "t,35")},
    ),
    Case(
        (
            "E223 data/sessions.csv, row 2, column srs_total: '1.023' may be 1023, with a sign "
            "between the thousands: it has three places after the '.', as all such numbers here, "
            "and '985' has none. Write 1023; or 1.0230 if '.' is the decimal sign."
        ),
        edits={
            "measures.alliance.items": GONE,
            "measures.alliance.instrument": GONE,
            "measures.alliance.range": [0, 2000],
            "measures.alliance.better": "higher",
        },
        files={"sessions.csv": SESSIONS.replace(",36,20", ",1.023,20").replace(",32.5,", ",985,")},
    ),
    Case(
        (
            "E224 data/sessions.csv, row 3, column session_no: the year of '0024-01-08' is not "
            "possible. Correct the cell, or date_format in dataset.yaml (%y for years of two "
            "digits). Years from 1930 to 2100 are read."
        ),
        edits={"tables.sessions.session": GONE, "tables.sessions.date": "session_no"},
        files=cell("A,T1,2", "A,T1,0024-01-08"),
    ),
    Case(
        (
            "W314 data/sessions.csv, row 5, column session_no: 40 session numbers lie between this "
            "session of course 'A' and the one before it (row 4); half of all sessions follow "
            "within 1. Correct the cell if it is a slip. If a second course of therapy begins "
            "here, give it a course id of its own, and name the column of clients under client."
        ),
        edits={"tables.events": GONE},
        files=cell("A,T1,5", "A,T1,43"),
    ),
    Case(
        (
            "W320 data/sessions.csv, row 3, column session_no: 2024-05-02 is out of the order of "
            "the rows of this course (2024-02-01 above, 2024-02-07 below); with day and month "
            "swapped, 2024-02-05, it would be in order. Correct the cell if day and month are "
            "swapped, and look at the others of the same hand."
        ),
        edits={
            "tables.events": GONE,
            "tables.sessions.session": GONE,
            "tables.sessions.date": "session_no",
        },
        files={
            "sessions.csv": SESSIONS.replace("A,T1,1,", "A,T1,2024-02-01,")
            .replace("A,T1,2,", "A,T1,2024-05-02,")
            .replace("A,T1,3,", "A,T1,2024-02-07,")
            .replace("A,T1,5,", "A,T1,2024-02-09,")
            .replace("T1,1,", "T1,2024-03-01,")
            .replace("T1,2,", "T1,2024-03-02,")
            .replace("T1,3,", "T1,2024-03-03,")
            .replace("T2,1,", "T2,2024-03-01,")
            .replace("T2,2,", "T2,2024-03-02,")
        },
    ),
    Case(
        (
            "E225 data/sessions.csv, row 9, column client_id: 'Mean' names a summary, not a "
            "course. Remove the rows of means and sums from the file; or accept them in "
            "dataset.yaml (finding: summary_row) if this is an id. (and 1 more)"
        ),
        files={"sessions.csv": SESSIONS.replace("C,T2", "Mean,T2")},
    ),
    Case(
        (
            "E226 data/sessions.csv, row 9, column session_no: 1 of 3 courses begin with session 0 "
            "here, the others with session 1. Number the sessions of these courses as those of "
            "the others; or accept this in dataset.yaml (finding: mixed_numbering) if session 0 is "
            "one that only some had."
        ),
        edits={"tables.sessions.first_session": 0},
        files={"sessions.csv": SESSIONS.replace("C,T2,1", "C,T2,0")},
    ),
    Case(
        (
            "W319 data/sessions.csv, row 9, column session_no: 1 of 3 courses begin with session 1 "
            "here, the others with session 0. If these courses are numbered from 1, number their "
            "sessions from 0 as those of the others; if their session 0 was skipped, nothing is to "
            "be done."
        ),
        edits={"tables.sessions.first_session": 0},
        files={"sessions.csv": SESSIONS.replace("A,T1,1", "A,T1,0").replace("B,T1,1", "B,T1,0")},
    ),
    Case(
        (
            "E227 data/sessions.csv, row 11, column client_id: the ratings of this row ('Z') are "
            "the mean of those in rows 2 to 10. Remove the row if it sums up others; or accept it "
            "in dataset.yaml (finding: summary_row) if it is a session."
        ),
        files={"sessions.csv": f"{SESSIONS}Z,T2,3,8.75,8.72,8.89,8.78,35.06,15.29\n"},
    ),
    Case(
        (
            "E228 data/sessions.csv, row 3, column session_no: '2a' is not the number of a "
            "session. Write its number alone (1 for Session 1a, for example), or name a column "
            "with the date or day instead."
        ),
        files=cell("A,T1,2", "A,T1,2a"),
    ),
    Case(
        (
            "W315 data/ratings.xlsx: hidden sheets hold tables that are not read: old (9 rows). "
            "Read is 'Ratings'. If another sheet is meant, write sheet: and its name under the "
            "table in dataset.yaml."
        ),
        **book(hide_second, Ratings=SESSIONS, old=SESSIONS),
    ),
    Case(
        (
            "W316 data/sessions.csv, row 3, column phq: 18 means 'not known' here, as missing in "
            "dataset.yaml says, although it lies within 0..27. If it is a rating, take it out of "
            "missing; if not, nothing is to be done. (and 1 more)"
        ),
        edits={"missing": ["", "NA", "18"]},
        files={"sessions.csv": SESSIONS.replace("37,NA", "37,18").replace("-99", "11")},
    ),
    Case(
        (
            "W317 data/clients.sav, row 2, column sex: the values are read as the categories by "
            "which the file labels them: 1 = female, 2 = male. Remove the labels from the file if "
            "they are numbers."
        ),
        **labelled({1.0: "female", 2.0: "male"}),
    ),
    Case(
        (
            "W318 data/clients.sav, row 3, column sex: the file labels some of these numbers, and "
            "they are read as numbers: 2 = refused. If a label means 'not known', add its number "
            "to missing in dataset.yaml; if the values are categories, label all of them, each "
            "with a word of its own."
        ),
        **labelled({2.0: "refused"}),
    ),
    Case(
        (
            "E329 data/sessions.csv, row 2, column therapist_id: the cell holds line breaks and "
            "signs that separate columns: a quotation mark seems to have swallowed rows. Find the "
            '" without its partner in this row or the rows below it, and correct the cell.'
        ),
        files=cell("A,T1,1,9,8.5,9,9.5,36,20\nA,T1", 'A,"T1,1,9,8.5,9,9.5,36,20\nA,T1"'),
    ),
    Case(
        (
            "E329 data/sessions.csv, row 2, column therapist_id: the cell holds line breaks and "
            "signs that separate columns: a quotation mark seems to have swallowed rows. Find the "
            '" without its partner in this row or the rows below it, and correct the cell. If it '
            "is a text of several lines, accept it in dataset.yaml (finding: line_break) or remove "
            "the column."
        ),
        files=cell("A,T1,1", 'A,"T1,\nT2",1'),
    ),
    Case(
        (
            "E335 data/sessions.csv, row 3: the row is not written as CSV is: after a closing "
            "quotation mark comes something else than ','. Put the whole cell in quotation marks, "
            'and write each " within it twice, or remove them.'
        ),
        files=cell("A,T1,2,9", 'A,"T"1,2,9'),
    ),
    Case(
        (
            "E326 data/ratings.xlsx: 2 sheets hold a table, and dataset.yaml names none: T1 (9 "
            "rows), T2 (9 rows). Write sheet: 'T1' (or another one) under each table in "
            "dataset.yaml. With `new`, add --answer tables.sessions.sheet=NAME. If the sheets "
            "belong together, copy their rows into one sheet."
        ),
        **book(T1=SESSIONS, Note="Read me", T2=SESSIONS),
    ),
    Case(
        (
            "E327 data/ratings.xlsx: these cells hold a formula whose value was never saved: H3, "
            "H5. Open the file in Excel or LibreOffice, save it there, and use that file. "
            "(and 1 more)"
        ),
        **book(formulas),
    ),
    Case(
        (
            "E328 data/ratings.xlsx: these cells are merged, so that only the first of each area "
            "holds its value: A2:A5. Unmerge them, and write the value into every row that it "
            "belongs to."
        ),
        **book(merged),
    ),
    Case(
        (
            "E333 data/ratings.xlsx: the number format '0,' hides what these cells hold, or shows "
            "something else: I3, I4. Format the cells as plain numbers (General) and save the "
            "file. (and 1 more)"
        ),
        **book(in_thousands),
    ),
    Case(
        (
            "E334 data/ratings.xlsx: these cells seem to hold numbers that are formatted as dates "
            "(1900-01-20 is the first): I2, I3, I4, I6, I7, I8, I9, I10. Format the cells as "
            "plain numbers (General) and save the file. (and 7 more)"
        ),
        **book(as_dates),
    ),
    Case(
        (
            "W313 data/ratings.xlsx, row 4: the row is hidden in the spreadsheet, for example by a "
            "filter. It is read like all others. Delete it in the file if it should not count. "
            "(and 1 more)"
        ),
        **book(hide),
    ),
    Case(
        (
            "E221 data/sessions.csv, row 6, column client_id: '1.5E+14' is not the id of a course "
            "as it was given: it is in exponent form, so its last digits may be lost. Export the "
            "file again from the program that holds the ids, with this column as text."
            " (and 2 more)"
        ),
        edits={"tables.events": GONE},
        files={"sessions.csv": with_ids(SESSIONS), "clients.csv": with_ids(COURSES)},
    ),
    Case(
        (
            "E221 data/sessions.csv, row 2, column client_id: '1-Mar' is not the id of a course as "
            "it was given: it was turned into a date. Export the file again from the program that "
            "holds the ids, with this column as text, or accept this in dataset.yaml (finding: "
            "changed_id). (and 3 more)"
        ),
        edits={"tables.events": GONE},
        files={
            "sessions.csv": SESSIONS.replace("A,", "1-Mar,"),
            "clients.csv": COURSES.replace("A,", "1-Mar,"),
        },
    ),
    Case(
        (
            "E332 data/clients.csv, row 2, column client_id: no id of this column (3 in all) is "
            "that of a course with a rating: the first here is 'XA', the first in "
            "data/sessions.csv is 'A'. Name the column with the same ids in both tables, or write "
            "the ids alike."
        ),
        files={"clients.csv": COURSES.replace("\n", "\nX").removesuffix("X")},
    ),
    Case(
        (
            "W312 data/sessions.csv, row 2, column client_id: '99' is taken for an id here, "
            "although missing in dataset.yaml lists it. Clear the cell if it means that the id is "
            "not known. (and 3 more)"
        ),
        edits={"tables.events": GONE, "missing": ["", "NA", "-99", "99"]},
        files={
            "sessions.csv": SESSIONS.replace("A,", "99,"),
            "clients.csv": COURSES.replace("A,", "99,"),
        },
    ),
]
