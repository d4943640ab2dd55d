"""Random corruptions: each ends in a listed problem or in what the file says."""

import random

import numpy as np
import pandas as pd
import pytest

from campaign import each, figure, number
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


def outcome(kind, at, folder):
    """Return whether a damaged file was read, and what is wrong about it; nothing as a rule."""
    case = KINDS[kind](random.Random(f"{kind} {at}"))
    folder = write(folder, case.edits, case.files)
    try:
        dataset, problems = examine("s", folder, None)
    except Exception as error:
        return False, f"{at}: traceback {error!r}"
    assert {one.code for one in problems} <= set(CATALOGUE)
    assert dataset is not None or any(one.is_error for one in problems)
    said = "" if dataset is None else difference(dataset, case)
    return dataset is not None, f"{at}: {said}" if said else ""


@pytest.mark.parametrize("kind", KINDS)
def test_random_corruptions(kind, tmp_path):
    usual, campaign = COUNTS[kind]
    outcomes = each(
        kind, range(number(usual, campaign)), lambda at: outcome(kind, at, tmp_path / "s")
    )
    read, wrong = sum(was for was, _ in outcomes), [text for _, text in outcomes if text]
    print(kind, "read", read, "of", len(outcomes), *wrong[:10], sep="\n")
    figure(
        f"silently different tables and tracebacks among {kind} files", len(wrong), 0, 0,
        usual=usual, campaign=campaign,
    )  # fmt: skip
    assert read > usual / 20
