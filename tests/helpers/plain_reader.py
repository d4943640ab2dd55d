"""An independent reading of small tables of sessions, in plain Python, for comparison."""

import csv
import io
import math
from typing import Any

MISSING = {"", "NA", "-99"}


def read_long(text: str, scores: dict[str, str]) -> dict[tuple[str, int], dict[str, float]]:
    """Return (course, session) -> the scores of a long table.

    Parameters
    ----------
    text : str
        Delimited by commas, with the columns client_id and session_no.
    scores : dict of str to str
        Name of a score -> its column.

    Raises
    ------
    Exception
        Of any kind, where the table cannot be read in one way only.
    """
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    header = [name.strip() for name in rows[0]]
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows[1:]:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) > len(header) and not any(cells[len(header) :]):
            cells = cells[: len(header)]
        if len(cells) != len(header):
            raise ValueError("a ragged row")
        by_name = dict(zip(header, cells, strict=True))
        key = by_name["client_id"], int(by_name["session_no"])
        if key in found or not key[0]:
            raise ValueError("two rows of one session")
        found[key] = {
            name: math.nan if by_name[column] in MISSING else float(by_name[column])
            for name, column in scores.items()
        }
    return found
