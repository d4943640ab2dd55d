"""One id written in two ways is a problem wherever ids and words are read."""

import dataclasses
import string

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_files import cells, xlsx
from rupture_repair import cli, lmm
from rupture_repair.ingest import check, ingest, spellings
from rupture_repair.ingest.columns import RawColumn
from rupture_repair.project.problems import ProblemsFound
from small_dataset import AS_WIDE, COURSES, EVENTS, GONE, SESSIONS, WIDE, write

#: What separates two spellings -> the spellings.
ALIKE = {
    "capitals": ("C01", "c01"),
    "no-break space": ("C 01", "C\u00a001"),
    "narrow no-break space": ("C 01", "C\u202f01"),
    "no space": ("C 01", "C01"),
    "two spaces": ("not known", "not  known"),
    "zero-width space": ("C01", "C01\u200b"),
    "zero-width joiner": ("C01", "C\u200d01"),
    "soft hyphen": ("C01", "C\u00ad01"),
    "mark of direction": ("C01", "\u200eC01"),
    "byte-order mark": ("C01", "\ufeffC01"),
    "word joiner": ("C01", "C\u206001"),
    "variation selector": ("C01", "C01\ufe0f"),
    "Hangul filler": ("C01", "C01\u3164"),
    "control character": ("C01", "C01\x7f"),
    "composed letter": ("Mü1", "Mu\u03081"),
    "full width": ("C01", "Ｃ０１"),
    "Arabic digits": ("C01", "C٠١"),
    "Devanagari digits": ("12", "१२"),
    "en dash": ("C-01", "C–01"),
    "minus": ("C-01", "C−01"),
    "no-break hyphen": ("1-2", "1‑2"),
    "underscore": ("C_01", "C01"),
    "zeros before a number": ("7", "007"),
    "zeros after a letter": ("C7", "C007"),
    "a float": ("7", "7.0"),
    "a float with a comma": ("7", "7,0"),
    "a plus": ("7", "+7"),
    "Cyrillic letter": ("C01", "С01"),
    "Greek letter": ("A1", "Α1"),
    "sharp s": ("Straße", "STRASSE"),
    "apostrophe": ("O'N", "O’N"),
    "quotation marks": ("C01", "„C01“"),
    "a spreadsheet's mark of a text": ("7", "'7"),
    "dotless i": ("Ali", "Alı"),
    "dotted I": ("ALI", "ALİ"),
    "a line as a dash": ("C-01", "C─01"),
    "slash of a fraction": ("3/7", "3⁄7"),
    "spaces for dashes": ("12-07", "12 07"),
    "underscores for dashes": ("12-07", "12_07"),
}

DIFFERENT = [
    ("C01", "C10"), ("1-12", "11-2"), ("1 12", "11 2"), ("7", "70"), ("7", "-7"), ("7.5", "75"),
    ("A", "B"), ("C1a", "C1b"), ("0", "00a"), ("ü", "u"), ("m", "w"), ("10", "1"), ("100", "10"),
]  # fmt: skip


def column(*texts):
    """Return a column with one row for each text."""
    distinct = list(dict.fromkeys(texts))
    rows = list(range(2, len(texts) + 2))
    codes = [distinct.index(text) for text in texts]
    return RawColumn(
        "f.csv", "id", pa.array(rows).to_numpy(), pa.array(codes).to_numpy(), pa.array(distinct)
    )


@pytest.mark.parametrize("name", ALIKE)
def test_two_spellings_are_one_id_and_the_message_names_both_with_their_rows(name):
    first, second = ALIKE[name]
    assert spellings.folded(first) == spellings.folded(second)
    found = spellings.two_spellings(column(first, "X9", second), "course")
    assert [(one.code, one.row, one.finding) for one in found] == [("E219", 4, "mixed_case")]
    assert "(row 2)" in found[0].message


@pytest.mark.parametrize("pair", DIFFERENT)
def test_different_ids_stay_different(pair):
    assert spellings.folded(pair[0]) != spellings.folded(pair[1])
    assert spellings.two_spellings(column(*pair), "course") == []


@given(st.text(max_size=8))
def test_folding_once_is_enough_and_never_fails(text):
    once = spellings.folded(text)
    assert spellings.folded(once) == once


@given(st.text(string.ascii_lowercase + string.digits + "-_ .", max_size=6))
def test_the_short_way_for_plain_texts_is_the_long_way(text):
    folded = text
    for _, step in spellings.STEPS:
        folded = step(folded)
    assert spellings.folded(text) == folded


def test_what_separates_two_spellings_is_said():
    said = {name: spellings.difference(*ALIKE[name]) for name in ALIKE}
    assert said["no-break space"] == "white space or dashes"
    assert said["byte-order mark"] == "invisible characters"
    assert said["en dash"] == "the kind of dash"
    assert said["Arabic digits"] == "digits of another script"
    assert said["Cyrillic letter"] == "letters of another alphabet that look alike"
    assert said["a float"] == "leading or trailing zeros"
    assert said["composed letter"] == "the way in which one letter or digit is coded"
    assert said["capitals"] == "capitals"
    assert said["a spreadsheet's mark of a text"] == "quotation marks"
    assert spellings.difference("C01", "c\u00a001") == "capitals and white space or dashes"
    assert not any("in which they are written" in words for words in said.values())


#: Signs that mean the same as the first of them.
SAME = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4\u0060\u02bc",
    '"': "\u201c\u201d\u201e\u00ab\u00bb",
    "/": "\u2044\u2215",
    "-": "\u2212\u2043\u02d7\u2053\u23af\u2500\u2796\u2010\u2011\u2012\u2013\u2014",
}


@pytest.mark.parametrize("plain", SAME)
def test_every_sign_of_a_kind_is_the_plain_one(plain):
    for sign in SAME[plain]:
        assert spellings.folded(f"7{sign}8") == f"7{plain}8"
    assert spellings.folded(f"XX{plain}") == spellings.folded(f"XX{SAME[plain][-1]}")


def test_letters_are_no_quotation_marks_and_no_dashes():
    assert spellings.folded("x7x") == "x7x"
    assert spellings.folded("aX-Xb") == "axxb"
    assert (spellings.folded("C- 7"), spellings.folded("7 - 8")) == ("c7", "7-8")
    assert spellings.folded("'") == "'"


def test_long_and_extreme_numbers_stay_as_they_are():
    for digits in (399, 400, 401):
        number = "1" * digits
        assert spellings.folded(number) == number
    assert spellings.folded("0" + "1" * 398) == "1" * 398
    assert spellings.folded("1e399") == "1" + "0" * 399
    assert spellings.folded("1e400") == "1e400"


def test_capitals_alone_do_not_count_where_they_are_told_apart():
    for texts, count in ((("B", "b"), 0), (("B", "b "), 1), (("B", "B\u200b"), 1)):
        found = spellings.two_spellings(column(*texts), "category", capitals=False)
        assert len(found) == count
    (usual,) = spellings.two_spellings(column("B", "b"), "category")
    assert "accept this in dataset.yaml (finding: mixed_case)" in usual.message


def test_what_can_be_accepted_is_said_where_there_is_a_dataset_yaml():
    for accept in (True, False):
        found = spellings.id_faults(column("C1", "c1", "C1", "c1", "4-May"), "course", accept)
        assert [(one.code, one.row, one.more) for one in found] == [
            ("E219", 3, 1), ("E221", 6, 0)
        ]  # fmt: skip
        for one, finding in zip(found, ("mixed_case", "changed_id"), strict=True):
            assert (f"(finding: {finding})" in one.message) == accept
            assert "one course" in one.message or "of a course" in one.message
            assert "XX" not in one.message


def test_fifty_pairs_are_told_and_texts_of_no_row_are_not():
    names = [f"{letter}{number}" for letter in "Aa" for number in range(60)]
    assert len(spellings.two_spellings(column(*names), "course")) == 50
    unused = column("A1", "B1")
    unused = dataclasses.replace(unused, texts=pa.array(["A1", "B1", "a1"]))
    assert spellings.two_spellings(unused, "course") == []


def test_a_column_of_pandas_keeps_its_rows_and_texts():
    found = spellings.of_series(pd.Series(["x", None, "y", "x"], name="g"), np.array([4, 5, 9, 12]))
    assert (found.file, found.name, found.texts.to_pylist()) == (None, "g", ["x", "y"])
    assert (found.codes.tolist(), found.rows.tolist()) == ([0, -1, 1, 0], [4, 5, 9, 12])


def test_ids_of_two_tables_are_compared_where_they_have_no_partner():
    sessions = dataclasses.replace(column("C1", "C2", "C3"), file="s.csv")
    found, flags = spellings.between_tables(column("C1", "c2", "X", "c1"), sessions, "course")
    # c1 has its partner C1 in its own column and is found there.
    assert [(one.code, one.row) for one in found] == [("E219", 3)]
    assert "'C2' (row 3 of s.csv)" in found[0].message
    assert flags.tolist() == [False, True, False, True]
    many = column(*(f"a{number}" for number in range(60)))
    found, flags = spellings.between_tables(
        many, dataclasses.replace(column(*(f"A{n}" for n in range(60))), file="s.csv"), "course"
    )
    assert (len(found), flags.all()) == (50, True)


# ---------------------------------------------------------------------------- everywhere

#: Where an id or a word is read -> the file, what is replaced there, and what it looks like there.
PLACES = {
    "course": ("sessions.csv", SESSIONS.replace("A,T1,5", "{}A,T1,5")),
    "therapist": ("sessions.csv", SESSIONS.replace("A,T1,5", "A,T1{},5")),
    "course of the courses table": ("clients.csv", COURSES.replace("B,", "B{},")),
    "covariate": ("clients.csv", COURSES.replace(",f\n", ",f{}\n", 1)),
    "course of events": ("events.csv", EVENTS.replace("A,5", "A{},5")),
    "code of events": ("events.csv", EVENTS + "A,2,rupture,withdrawal{},client\n"),
}


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u2060", "\ufe0f"])
@pytest.mark.parametrize("place", PLACES)
def test_an_invisible_sign_is_found_wherever_ids_and_words_are_read(place, sign, tmp_path):
    file, text = PLACES[place]
    folder = write(tmp_path, files={file: text.format(sign)})
    found = [one for one in check.check("small", folder) if one.code == "E219"]
    assert len(found) == 1
    assert found[0].file == str(tmp_path / file)
    assert f"<U+{ord(sign):04X}>" in found[0].message


def test_wide_files_and_spreadsheets(tmp_path):
    text = WIDE.replace("3,d2", "02,d2")
    assert [one.code for one in check.check("w", write(tmp_path, AS_WIDE, {"wide.csv": text}))] == [
        "E219"
    ]
    rows = cells(SESSIONS.replace("A,T1,", "7,T1,"))
    rows[2][0] = "007"
    book = {"sessions.xlsx": xlsx({"a": rows}), "clients.csv": COURSES.replace("A,", "7,")}
    edits = {"tables.sessions.file": "sessions.xlsx", "tables.events": GONE}
    found = check.check("x", write(tmp_path / "x", edits, book))
    assert {one.code for one in found} == {"E219", "W304"}


def test_tables_whose_ids_never_match_are_an_error_and_not_two_warnings(tmp_path):
    respelled = {"clients.csv": COURSES.replace("A,", "a,").replace("B,", "B ,")}
    found = check.check("small", write(tmp_path / "a", files=respelled))
    assert [(one.code, one.row) for one in found] == [("E219", 2)]
    others = {"clients.csv": COURSES.replace("A,", "X,").replace("B,", "Y,").replace("C,", "Z,")}
    found = check.check("small", write(tmp_path / "b", files=others))
    assert [one.code for one in found] == ["E332"]
    one_more = {"clients.csv": COURSES + "Z,completed,f\n"}
    assert [one.code for one in check.check("small", write(tmp_path / "c", files=one_more))] == [
        "W303"
    ]


def test_accepted_spellings_stay_two(tmp_path):
    edits = {"accepted": [{"finding": "mixed_case", "column": "client_id", "reason": "asked"}]}
    more = SESSIONS + "c,T2,1,10,10,10,10,40,12\nc,T2,2,10,9,10,10,39,11\n"
    files = {"sessions.csv": more, "clients.csv": COURSES + "c,ongoing,m\n"}
    made = ingest.ingest("small", write(tmp_path, edits, files))
    assert sorted(made.courses["course"]) == ["A", "B", "C", "c"]


# ---------------------------------------------------------------------------- changed ids

CHANGED = [
    ["1.23457E+14", "A"], ["1,23457E+14"], ["1e+05", "100001"], ["1.5e5"], ["4E+15"],
    ["12-Mar", "7"], ["Mar-12"], ["Jan-12"], ["5-Jan"], ["Dic 5"], ["05-dez-24"],
    ["1. Mai"], ["02-Okt-24"], ["2024-03-12", "1-40"],
    ["2024-03-12 00:00:00", "x"], ["4532017788901230", "4532017788901240"],
    ["45320177889012300"], ["12345678901234567168", "12345678901234569216"],
    ["123456789012345680", "223456789012345696", "323456789012345728"],
    ["123456792", "223456784", "923456832"],
]  # fmt: skip

KEPT = [
    ["1E5", "2E5"], ["E12"], ["12e"], ["2024-03-12", "2024-03-19"], ["March"], ["MAR1"],
    ["12345678901234567", "22345678901234564"], ["123456789", "223456784", "923456832"],
    ["20240001", "20240002", "20240003", "20240005"], ["300000000", "400000000", "500000000"],
    ["4532017788901230"], ["4532017788901234", "4532017788901240"], ["100000000000000"],
]  # fmt: skip


@pytest.mark.parametrize("texts", CHANGED)
def test_ids_that_a_spreadsheet_has_changed_are_refused(texts):
    assert [one.code for one in spellings.changed_ids(column(*texts), "course")] == ["E221"]


@pytest.mark.parametrize("limit", [2**53, 2**24])
def test_rounded_ids_are_told_where_chance_brings_them_in_one_of_a_hundred_files(limit):
    even = [str(limit + 2 * step) for step in range(1, 12) if (limit + 2 * step) % 10]
    assert spellings.changed_ids(column(*even[:6]), "course") == []
    (found,) = spellings.changed_ids(column("A", *even[:7], "7"), "course")
    assert (found.code, found.row, found.more) == ("E221", 3, 6)
    assert "a program keeps when it rounds" in found.message
    assert "accept this in dataset.yaml (finding: changed_id)" in found.message
    assert spellings.changed_ids(column(*even[:7], str(limit + 1)), "course") == []


def test_a_column_without_ids_has_no_changed_ones():
    empty = dataclasses.replace(column("A"), texts=pa.array([], pa.string()), codes=np.array([-1]))
    assert spellings.changed_ids(empty, "course") == []


def test_only_ids_beyond_the_digits_kept_are_told():
    cut = column("100000000000001", "4532017788901230", "4532017788901240", "x")
    (found,) = spellings.changed_ids(cut, "course")
    assert (found.row, found.more, found.rows) == (3, 1, (3, 4))


@pytest.mark.parametrize("texts", KEPT)
def test_ids_that_only_look_odd_are_kept(texts):
    assert spellings.changed_ids(column(*texts), "course") == []


# ---------------------------------------------------------------------------- missing codes


def test_codes_of_missing_ratings_are_ids_in_columns_of_ids(tmp_path):
    text = SESSIONS.replace("A,T1,", "99,T1,")
    files = {"sessions.csv": text, "clients.csv": COURSES.replace("A,", "99,")}
    edits = {"missing": ["", "NA", -99, 99], "tables.events": GONE}
    folder = write(tmp_path, edits, files)
    found = check.check("small", folder)
    assert [one.code for one in found] == ["W312", "W312"]
    made = ingest.ingest("small", folder)
    assert sorted(made.courses["course"]) == ["99", "B", "C"]
    assert made.sessions["outcome"].isna().sum() == 2


def test_negative_codes_and_words_mean_that_an_id_is_not_known(tmp_path):
    for code in ("NA", "-99"):
        text = SESSIONS.replace("C,T2,1", f"{code},T2,1")
        found = check.check("small", write(tmp_path / code, files={"sessions.csv": text}))
        assert [one.code for one in found] == ["E206"]


# ---------------------------------------------------------------------------- single files


def test_fit_and_episodes_refuse_two_spellings(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ids = ["g1", "g1\u200b"]
    rows = "".join(f"{ids[n % 2]},{n},{n % 3}\n" for n in range(1, 13))
    (tmp_path / "f.csv").write_text("course,session,y\n" + rows, encoding="utf-8")
    for command in (
        ["fit", "f.csv", "y ~ session + (1 | course)"],
        ["fit", "f.csv", "y ~ course"],
        ["episodes", "f.csv", "--course", "course", "--session", "session", "--rating", "y",
         "--better", "higher", "--criterion", "dip"],
    ):  # fmt: skip
        assert cli.main(command) == 1
        said = capsys.readouterr().err
        assert said.startswith("E219 f.csv, row ")
        assert "column course: " in said
        assert "'g1<U+200B>'" in said
        assert "dataset.yaml" not in said


def test_the_model_from_python_refuses_two_spellings():
    table = pd.DataFrame(
        {"y": range(12), "g": ["g1", "g1\u200b", "g2"] * 4, "c": ["Site", "site "] * 6}
    )
    for formula, name in (("y ~ 1 + (1 | g)", "g"), ("y ~ c + (1 | y)", "c")):
        with pytest.raises(ProblemsFound) as refused:
            lmm.fit(formula, table)
        found = [(one.code, one.column) for one in refused.value.problems]
        assert found == [("E219", name)], refused.value.problems
