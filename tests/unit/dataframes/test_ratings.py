"""Ratings taken out of a table: types, order, and every message."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair import ProblemsFound, find_episodes
from rupture_repair.dataframes.ratings import Columns, read

COLUMNS = Columns("course", "session", "rating")


def table(rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def refused(data, **changes):
    asked = {"better": "higher", "criterion": "v_2sd"} | changes
    with pytest.raises(ProblemsFound) as found:
        find_episodes(data, **asked)
    return [entry.text for entry in found.value.problems]


GOOD = table([("a", 1, 30.0), ("a", 2, 31.0), ("a", 3, 30.0)])

BAD = [
    (GOOD.rename(columns={"rating": "ratings"}), {},
     "E714 rating=: there is no column 'rating'. Did you mean 'ratings'? Columns here: course, "
     "session, ratings."),
    (pd.concat([GOOD, GOOD["rating"]], axis=1), {},
     "E715 rating=: 2 columns have the name 'rating'. Rename all but one of them."),
    (table([("a", 1, 30), ("a", 2, "high"), ("a", 3, "low")]), {},
     "E716 row 3, column rating: 'high' is not a number. Correct the cell, or leave it empty (or "
     "NA) where the session was not rated. (and 1 more)"),
    (table([("a", 1, np.inf)]), {}, "E716 row 2, column rating: 'inf' is not a number."),
    (table([("a", 1, pd.Timestamp("2024-01-01"))]), {},
     "E716 row 2, column rating: '2024-01-01 00:00:00' is not a number."),
    (table([("a", 1, 41.0)]), {"range": (0, 40)},
     "E717 row 2, column rating: 41 is outside 0..40. Correct the cell, or the range."),
    (table([("a", 1, 3), ("b", 1, 3), ("a", 1, None)]), {},
     "E309 row 4, column session: session 1 of course 'a' is already in row 2."),
    (table([("a", 1.5, 3)]), {}, "E718 row 2, column session: '1.5' is no session number."),
    (table([("a", -1, 3)]), {}, "E718 row 2, column session: '-1' is no session number."),
    (table([("a", "first", 3)]), {}, "E718 row 2, column session: 'first' is no session number."),
    (table([("a", None, 3)]), {}, "E207 row 2, column session: the session is not given."),
    (table([(None, 1, 3)]), {}, "E206 row 2, column course: the course has no id."),
    (table([(" ", 1, 3)]), {}, "E206 row 2, column course: the course has no id."),
    (GOOD.iloc[:0], {}, "E302 data=: the table has no rows."),
    ([1, 2, 3], {}, "E719 data=: 'list' cannot be used. Allowed: a DataFrame of pandas."),
    (GOOD, {"criterion": "v_3sd"}, "E720 criterion=: there is no criterion 'v_3sd'. Did you mean "
     "'v_2sd'?"),
    (GOOD, {"criterion": []}, "E719 criterion=: '' cannot be used."),
    (GOOD, {"settings": {"v_9sd": {"k": 1}}}, "E720 settings=: there is no criterion 'v_9sd'."),
    (GOOD, {"settings": {"v_2sd": {"k": "much"}}},
     "E402 settings=, key settings_of_criteria.v_2sd: the changed settings do not make a valid "
     "criterion:"),
    (GOOD, {"better": "up"}, "E719 better=: 'up' cannot be used. Allowed: higher, lower."),
    (GOOD, {"range": (40, 0)}, "E719 range=: '40 0' cannot be used. Allowed: the lowest and the "
     "highest possible rating."),
    (GOOD, {"range": 40}, "E719 range=: '40' cannot be used."),
    (GOOD, {"reliability": 1.2}, "E719 reliability=: '1.2' cannot be used. Allowed: a number "
     "between 0 and 1."),
    (GOOD, {"sample_sd": 0}, "E719 sample_sd=: '0' cannot be used. Allowed: a number above 0."),
    (GOOD, {"max_gap": 0}, "E719 max_gap=: '0' cannot be used. Allowed: a whole number from 1."),
    (GOOD, {"seed": -1}, "E719 seed=: '-1' cannot be used. Allowed: a whole number from 0."),
    (GOOD, {"instrument": "SSR"}, "E719 instrument=: 'SSR' cannot be used. Did you mean 'SRS'?"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "changes", "message"), BAD, ids=[row[2][:30] for row in BAD])
def test_messages(data, changes, message):
    said = refused(data, **changes)
    assert len(said) == 1
    assert said[0].startswith(message)


def test_everything_is_reported_at_once():
    data = table([("a", 1, "x"), ("a", 2.5, 50), (None, 3, 1), ("b", 1, 2), ("b", 1, 3)])
    said = refused(data, range=(0, 40), reliability=2, criterion=["dip", "nope"])
    codes = sorted(text.split()[0] for text in said)
    assert codes == ["E206", "E309", "E716", "E717", "E718", "E719", "E720"]


def test_rows_are_sorted_by_ids_with_numbers_by_their_value():
    data = table([("C10", 2, 1.0), ("C2", 1, 2.0), ("C10", 1, 3.0), ("b", 0, None)])
    given, found = read(data, COLUMNS)
    assert found == []
    assert given.table["course"].astype(str).tolist() == ["C2", "C10", "C10", "b"]
    assert given.table["session"].tolist() == [1, 1, 2, 0]
    assert given.table["rating"].tolist()[:3] == [2.0, 3.0, 1.0]
    assert np.isnan(given.table["rating"][3])


@pytest.mark.parametrize(
    "ids",
    [
        pd.array([7, 7, 11], dtype="int64"),
        pd.array([7, 7, 11], dtype="Int64"),
        pd.array(["x", "x", "y"], dtype="string"),
        pd.Categorical(["x", "x", "y"]),
        np.array(["x", "x", "y"], dtype=object),
    ],
)
def test_ids_come_back_in_their_own_type(ids):
    data = pd.DataFrame({"course": ids, "session": [1, 2, 1], "rating": [3.0, 4.0, 5.0]})
    given, _ = read(data, COLUMNS)
    back = given.renamed(given.table)["course"]
    assert back.dtype == data["course"].dtype
    assert back.tolist() == list(ids)


@pytest.mark.parametrize(
    "numbers",
    [
        pd.array([1, 2, 3], dtype="Int64"),
        pd.array([1, 2, 3], dtype="float32"),
        pd.array([1, 2, 3], dtype="Float64"),
        pd.array([1, 2, 3], dtype="int64[pyarrow]"),
        pd.array([1, 2, 3], dtype="uint8"),
        np.array(["1", "2", "3"], dtype=object),
        np.array([1, "2", 3.0], dtype=object),
    ],
)
def test_numbers_of_any_type(numbers):
    given, found = read(
        pd.DataFrame({"course": "a", "session": numbers, "rating": numbers}), COLUMNS
    )
    assert found == []
    assert given.table["session"].tolist() == given.table["rating"].tolist() == [1, 2, 3]


def test_the_table_is_left_alone():
    data = table([("b", 2, 1.0), ("a", 1, 2.0), ("b", 3, None), ("b", 4, 2.0), ("b", 5, 2.0)])
    before = data.copy()
    find_episodes(data, better="higher", criterion="v_2sd")
    pd.testing.assert_frame_equal(data, before)
