"""What `new` must not guess: it would be read wrongly without a word."""

import itertools

import pandas as pd
import pyreadstat
import pytest

from rupture_repair.describe import new
from rupture_repair.ingest import check, ingest
from small_dataset import GONE, SESSIONS, write


def guessed(folder, text, answers=(), name="g"):
    (folder / f"{name}.csv").write_text(text)
    return new.new(name, folder / f"{name}.csv", answers, folder).described.content


def ratings(values):
    rows = [f"C{n // 5},{n % 5 + 1},{value}" for n, value in enumerate(values)]
    return "\n".join(["client,session,alliance", *rows, ""])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([56, 70, 80, 98, 99] * 3, False),
        ([60, 70, 80, 85, 99] * 3, False),
        ([5, 10, 20, 38, 99] * 3, True),
        ([1, 3, 4, 7, -9] * 3, True),
        ([940, 960, 980, 998, 999] * 3, False),
    ],
)
def test_a_code_inside_the_range_is_no_missing_code(values, code, tmp_path):
    made = guessed(tmp_path, ratings(values))
    assert ("missing" in made) == code


def test_an_answered_range_says_whether_a_code_is_a_rating(tmp_path):
    text = ratings([5, 10, 20, 38, 99] * 3)
    inside = ["measures.alliance.range=[0, 100]"]
    assert "missing" not in guessed(tmp_path, text, inside, "a")
    assert guessed(tmp_path, text, ["measures.alliance.range=[0, 40]"], "b")["missing"][-1] == 99


def items(names):
    rows = [f"K{n}," + ",".join(str((n + k) % 9 + 1) for k in range(len(names))) for n in range(20)]
    return "\n".join([",".join(["client", *names]), *rows, ""])


@pytest.mark.parametrize("sessions", [4, 6])
def test_items_and_sessions_are_asked_for_where_nothing_tells_them_apart(sessions, tmp_path):
    names = [f"srs_{a}_{b}" for a, b in itertools.product(range(1, sessions + 1), range(1, 5))]
    made = guessed(tmp_path, items(names))
    assert made["tables"]["sessions"]["layout"] == "wide"
    assert made["measures"]["alliance"]["items"] == "TODO"
    told = [f"srs_s{a}_i{b}" for a, b in itertools.product(range(1, sessions + 1), range(1, 5))]
    made = guessed(tmp_path, items(told), name="t")
    assert made["measures"]["alliance"]["items"]["item_1"] == "srs_s{session}_i1"


def test_the_items_of_one_form_are_no_sessions(tmp_path):
    rows = [f"K{n}," + ",".join(str((n * k) % 5 + 3) for k in range(12)) for n in range(20)]
    text = "\n".join(["id," + ",".join(f"WAIC{k}" for k in range(1, 13)), *rows, ""])
    made = guessed(tmp_path, text)["tables"]["sessions"]
    assert (made["layout"], made["session"]) == ("long", "TODO")


def test_a_treatment_arm_is_no_course(tmp_path):
    rows = [f"C{n // 5},{'AB'[n // 50]},{n % 5 + 1},{20 + n % 7}" for n in range(100)]
    text = "\n".join(["client,treatment,session,alliance", *rows, ""])
    tables = guessed(tmp_path, text)["tables"]
    assert tables["sessions"]["course"] == "client"
    assert "treatment" in tables["courses"]["covariates"].values()
    made = guessed(tmp_path, text.replace("client", "zz"), name="b")
    assert made["tables"]["sessions"]["course"] == "TODO"


def test_labels_of_values_say_how_courses_ended(tmp_path):
    table = pd.DataFrame(
        {
            "client": [f"C{n // 4}" for n in range(24)],
            "session": [float(n % 4 + 1) for n in range(24)],
            "alliance": [float(20 + n % 9) for n in range(24)],
            "ending": [float(n // 4 % 4) for n in range(24)],
        }
    )
    words = {0: "regular end", 1: "dropout", 2: "ongoing", 3: "moved away"}
    path = str(tmp_path / "l.sav")
    pyreadstat.write_sav(table, path, variable_value_labels={"ending": words})
    made = new.new("l", tmp_path / "l.sav", root=tmp_path)
    codes = made.described.content["tables"]["courses"]["ending_codes"]
    assert codes == {"0": "completed", "1": "dropped_out", "2": "ongoing", "3": "TODO"}
    assert "'moved away'" in new.as_text(made)


def test_sessions_with_a_word_before_the_number(tmp_path):
    for word in ("S", "Session ", "Sitzung_", "s0"):
        text = "\n".join(
            ",".join([*row.split(",")[:2], f"{word}{row.split(',')[2]}", *row.split(",")[3:]])
            for row in SESSIONS.splitlines()[1:]
        )
        folder = write(tmp_path / word, files={"sessions.csv": f"{SESSIONS.split()[0]}\n{text}\n"})
        plain = ingest.ingest("s", write(tmp_path / f"{word}plain"))
        assert ingest.ingest("s", folder).sessions.equals(plain.sessions)
    mixed = SESSIONS.replace("A,T1,1", "A,T1,S1")
    folder = write(tmp_path / "m", files={"sessions.csv": mixed})
    assert ingest.ingest("s", folder).sessions.equals(plain.sessions)
    two = mixed.replace("A,T1,2", "A,T1,FU1")
    found = check.check("s", write(tmp_path / "t", files={"sessions.csv": two}))
    assert [one.code for one in found] == ["E228"]


def test_summaries_in_other_languages_and_an_accepted_one(tmp_path):
    for word in ("SUM", "Mittelwert", "Std. dev.", "Moyenne:", " total "):
        text = SESSIONS.replace("C,T2", f"{word},T2")
        found = check.check("s", write(tmp_path / word.strip(" .:"), files={"sessions.csv": text}))
        assert "E225" in [one.code for one in found], word
    edits = {"accepted": [{"finding": "summary_row", "column": "client_id", "reason": "an id"}]}
    edits["tables.courses"] = GONE
    folder = write(tmp_path / "x", edits, {"sessions.csv": SESSIONS.replace("C,T2", "Max,T2")})
    assert "Max" in set(ingest.ingest("s", folder).courses["course"])


def alliance_of(numbers, others=()):
    names = [f"alliance{number}" for number in numbers] + [
        f"{o}{n}" for o in others for n in numbers
    ]
    rows = [f"K{n}," + ",".join(str((n * k) % 7 + 3) for k in range(len(names))) for n in range(20)]
    return "\n".join([",".join(["client", *names]), *rows, ""])


@pytest.mark.parametrize(
    ("numbers", "others", "layout"),
    [
        (range(1, 9), (), "TODO"),
        ((1, 2, 3, 5, 8), (), "wide"),
        (range(1, 9), ("phq",), "wide"),
    ],
)
def test_columns_that_may_be_items_or_sessions_are_asked_for(numbers, others, layout, tmp_path):
    made = guessed(tmp_path, alliance_of(numbers, others))
    assert made["tables"]["sessions"]["layout"] == layout


def test_numbered_columns_next_to_session_numbers_are_no_sessions(tmp_path):
    text = alliance_of(range(1, 9)).replace("client,", "client,session,")
    text = "\n".join(
        line if at == 0 else line.replace(f"K{at - 1},", f"K{(at - 1) // 4},{(at - 1) % 4 + 1},")
        for at, line in enumerate(text.splitlines())
    )
    for name in ("client", "zz"):
        made = guessed(tmp_path, text.replace("client", name), name=name)
        assert made["tables"]["sessions"]["layout"] == "long"
        assert made["tables"]["sessions"]["session"] == "session"


def test_a_second_course_and_numbers_from_0_and_1_are_said(tmp_path):
    rows = [f"C{n // 6},{n % 3 + 1},{20 + n % 7}" for n in range(12)]
    rows += [f"D{n // 3},{n % 3 + (n > 5)},{21 + n % 7}" for n in range(12)]
    (tmp_path / "g.csv").write_text("\n".join(["client,session,alliance", *rows, ""]))
    reasons = new.new("g", tmp_path / "g.csv", (), tmp_path).described.reasons
    said = reasons["tables", "sessions", "session"]
    assert "2 of 6 have a number twice ('C0' is the first)" in said
    assert "C0-1 and C0-2" in said
    assert "2 begin with 0 and 4 with 1" in said


def test_the_column_that_tells_two_courses_of_a_client_apart_is_named(tmp_path):
    rows = [f"C{n // 6},{n % 6 // 3 + 1},{n % 3 + 1},{20 + n % 7}" for n in range(24)]
    (tmp_path / "g.csv").write_text("\n".join(["client,block,session,alliance", *rows, ""]))
    reasons = new.new("g", tmp_path / "g.csv", (), tmp_path).described.reasons
    assert "'block' tells the rows apart" in reasons["tables", "sessions", "session"]


@pytest.mark.parametrize("name", ["id", "case"])
def test_a_number_of_rows_is_no_course(name, tmp_path):
    rows = [f"{n},K{n // 5},{n % 5 + 1},{20 + n % 7}" for n in range(30)]
    text = "\n".join([f"{name},client,session,alliance", *rows, ""])
    assert guessed(tmp_path, text)["tables"]["sessions"]["course"] == "client"
    once = "\n".join([f"{name},client,session,alliance", *rows[::5], ""])
    assert guessed(tmp_path, once, name="o")["tables"]["sessions"]["course"] == name
