"""Messages about files that look right and would be read wrongly, and what brings each about."""

from typing import Any, NamedTuple

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


READING = [
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
