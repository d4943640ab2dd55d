"""Random corruptions: each ends in a listed problem or in what the file says."""

import random

import numpy as np
import pandas as pd
import pytest

from campaign import figure, number
from corruptions import KINDS
from rupture_repair.ingest.ingest import examine
from rupture_repair.project.messages.catalogue import CATALOGUE
from small_dataset import write

#: Kind of file -> corruptions in `make test` and in `make campaign`.
COUNTS = {"long": (400, 4_000), "wide": (250, 2_500), "xlsx": (180, 1_800), "sav": (170, 1_700)}


def difference(dataset, case):
    """Return how the tables differ from a plain reading of the files; empty where they do not."""
    try:
        expected = case.read()
    except Exception as error:  # a table that cannot be read in one way only may not be read
        return f"was read, although {error!r}"
    sessions = dataset.sessions
    found = {(row.course, row.session): row for row in sessions.itertuples()}
    if set(found) != set(expected) or len(sessions) != len(expected):
        return f"sessions {set(found) ^ set(expected)}"
    for key, stated in expected.items():
        for name, value in stated.items():
            got = getattr(found[key], name)
            same = (got == value) if isinstance(value, str) else _alike(got, value)
            if not same:
                return f"{name} of {key}: {got!r}, stated is {value!r}"
    return _difference_of_courses(dataset.courses, case, {course for course, _ in expected})


def _alike(got, value):
    if value is None or pd.isna(value):
        return bool(pd.isna(got))
    return bool(np.isclose(got, value, rtol=1e-12, atol=0))


def _difference_of_courses(courses, case, rated):
    if case.read_courses is None:
        return ""
    try:
        expected = case.read_courses()
    except Exception as error:
        return f"courses were read, although {error!r}"
    for row in courses.itertuples():
        ending, sex = expected.get(row.course, ("unknown", None))
        same = row.sex == sex if isinstance(sex, str) else _alike(row.sex, sex)
        if row.ending != ending or not same:
            return f"course {row.course}: {row.ending, row.sex}, stated is {ending, sex}"
    return "" if set(courses["course"]) == rated else "courses without sessions"


@pytest.mark.parametrize("kind", KINDS)
def test_random_corruptions(kind, tmp_path):
    usual, campaign = COUNTS[kind]
    wrong, read = [], 0
    for at in range(number(usual, campaign)):
        case = KINDS[kind](random.Random(f"{kind} {at}"))
        folder = write(tmp_path / "s", case.edits, case.files)
        try:
            dataset, problems = examine("s", folder, None)
        except Exception as error:
            wrong.append((at, f"traceback {error!r}"))
            continue
        assert {one.code for one in problems} <= set(CATALOGUE)
        assert dataset is not None or any(one.is_error for one in problems)
        if dataset is not None:
            read += 1
            said = difference(dataset, case)
            wrong += [(at, said)] if said else []
    print(kind, "read", read, "of", at + 1)
    assert not wrong, wrong[:10]
    figure(
        f"silently different tables and tracebacks among {kind} files", len(wrong), 0, 0,
        usual=usual, campaign=campaign,
    )  # fmt: skip
    assert read > usual / 20
