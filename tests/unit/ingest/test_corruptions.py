"""Random corruptions: each ends in a listed problem or in what the file says."""

import random

import numpy as np

from made_files import cells, xlsx
from plain_reader import read_long
from rupture_repair.ingest import check, ingest
from rupture_repair.project.messages.catalogue import CATALOGUE
from small_dataset import SESSIONS, write

LONG, SPREADSHEETS = 250, 60
SCORES = {"alliance": "srs_total", "outcome": "phq"}
CELLS = ["", " ", "NA", "nan", "inf", "1e3", "11", "-1", "7,5", "7.5", "1.023", "9%", "#REF!", "?",
         "x", "S1", "now", "2024-01-01", "\u200b", "9\u00a0", "007", "1.0", "+2", "A ", "a", "A\u200b",
         "Ａ", "true", "0x1", "1_0", "٣", "−1", '"9"', '"', '""', "9\"", "9;8", "=1+1", "1E+14"]  # fmt: skip


def corrupted(rng):
    """Return the table with one to three mishaps."""
    rows = [line.split(",") for line in SESSIONS.splitlines()]
    for _ in range(rng.randint(1, 3)):
        row = rng.randrange(1, len(rows))
        column = rng.randrange(len(rows[row])) if rows[row] else 0
        mishap = rng.randrange(9)
        if mishap < 4 and rows[row]:
            rows[row][column] = rng.choice(CELLS)
        elif mishap == 4 and rows[row]:
            del rows[row][column]
        elif mishap == 5:
            rows[row].insert(column, rng.choice(CELLS))
        elif mishap == 6:
            rows.insert(row, list(rng.choice(rows[1:])))
        elif mishap == 7 and rows[row]:
            rows[row][column] = '"' + rows[row][column]
            last = rng.randrange(row, len(rows))
            if rows[last]:
                rows[last][rng.randrange(len(rows[last]))] += '"'
        else:
            rows[row] = rows[row][1:] + rows[row][:1]
    return "\n".join(map(",".join, rows)) + "\n"


def outcome(folder, files, edits=None):
    """Return the codes of the errors, or the sessions."""
    folder = write(folder, {"tables.events": None, **(edits or {})}, files)
    found = check.check("s", folder)
    assert all(one.code in CATALOGUE for one in found)
    errors = [one.code for one in found if one.is_error]
    return errors or ingest.ingest("s", folder).sessions


def same(sessions, text):
    expected = read_long(text, SCORES)
    assert len(sessions) == len(expected)
    for row in sessions.itertuples():
        stated = expected[row.course, row.session]
        for name, value in stated.items():
            assert np.isclose(getattr(row, name), value, equal_nan=True), (row, stated)


def test_random_corruptions_of_long_files(tmp_path):
    rng = random.Random(20240)
    read = 0
    for _ in range(LONG):
        text = corrupted(rng)
        found = outcome(tmp_path, {"sessions.csv": text})
        if not isinstance(found, list):
            same(found, text)
            read += 1
    assert read > 5


def test_random_corruptions_of_spreadsheets(tmp_path):
    rng = random.Random(20241)
    read = 0
    for _ in range(SPREADSHEETS):
        rows = cells(SESSIONS)
        for _ in range(rng.randint(1, 2)):
            row = rng.randrange(1, len(rows))
            rows[row][rng.randrange(9)] = rng.choice([*CELLS, 7.25, 7, 8.0, None, True])
        text = "\n".join(
            ",".join(
                "" if one is None else f'"{str(one).replace(chr(34), 2 * chr(34))}"' for one in row
            )
            for row in rows
        )
        edits = {"tables.sessions.file": "r.xlsx"}
        found = outcome(tmp_path, {"r.xlsx": xlsx({"a": rows})}, edits)
        if not isinstance(found, list):
            same(found, text.replace('.0"', '"'))
            read += 1
    assert read > 5
