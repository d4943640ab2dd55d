"""Problems as others read them: kind and place, nothing of what was found."""

import pytest

from rupture_repair.disclosure.problem_texts import kinds, public

CELL = "E202 a.csv, row 4, column x: 'inf of Jane' is not a finite number. (and 2 more)"


@pytest.mark.parametrize(
    ("said", "others"),
    [
        (CELL, "E202 a.csv, row 4, column x: '…' is not a finite number."),
        ("E103 config.yaml, key x: 'x' is not a known key.",
         "E103 config.yaml, key x: 'x' is not a known key."),
        ("E401 dataset.yaml: x", "E401 dataset.yaml: x"),
        ("W102 dataset.yaml: 25 or 28.", "W102 dataset.yaml: 25 or 28."),
        ("E901 x: y", "E901 x: y"),
        ("E203 a.csv, row 2: 99 is outside 0..40 (SRS).", "E203 a.csv, row 2: … is outside …."),
        ("E209 a.csv, row 2: 'gone' is not a known ending. Is it 'left'?",
         "E209 a.csv, row 2: '…' is not a known ending."),
        ("E999 a.csv: Jane", "E999"),
        ("KeyError: 'Jane'", "KeyError"),
        ("'Jane' was missing", "The log says more."),
        ("", "The log says more."),
        ("W305 a.csv, row 4: the row is empty.", "W305 a.csv, row 4: the row is empty."),
    ],
)  # fmt: skip
def test_what_was_found_is_not_told(said, others):
    assert public(said) == others


def test_a_kind_of_problem_is_named_once_and_without_its_places():
    said = [f"W305 a.csv, row {row}: the row is empty." for row in (4, 9)]
    assert kinds([*said, CELL]) == ["W305: the row is empty.", "E202: '…' is not a finite number."]
