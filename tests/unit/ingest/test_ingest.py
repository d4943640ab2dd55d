"""Reading, checking and writing datasets; the messages are in test_problem_texts_ingest.py."""

import math
import os

import numpy as np
import pandas as pd
import pytest

from canonical_tables import assert_canonical, codes, read
from rupture_repair.ingest import check, ingest, scoring
from rupture_repair.project.problems import ProblemsFound
from small_dataset import AS_WIDE, COURSES, EVENTS, FILES, GONE, SESSIONS, write

# ---------------------------------------------------------------------------- the long layout


def test_small_dataset_becomes_canonical(tmp_path):
    dataset = read(tmp_path)
    assert_canonical(dataset)
    sessions = dataset.sessions
    assert list(sessions["course"]) == ["A"] * 4 + ["B"] * 3 + ["C"] * 2
    assert list(sessions["session"]) == [1, 2, 3, 5, 1, 2, 3, 1, 2]
    assert list(sessions["client"]) == list(sessions["course"])
    assert sessions["day"].isna().all()
    third = sessions.loc[(sessions["course"] == "B") & (sessions["session"] == 3)].iloc[0]
    assert math.isnan(third["alliance__bond"])
    assert math.isnan(third["outcome"])  # -99
    assert third["alliance"] == 33  # the file's total stands, although an item is missing
    courses = dataset.courses
    assert list(courses.columns) == ["course", "client", "therapist", "ending", "sex"]
    assert list(courses["ending"]) == ["completed", "dropped_out", "ongoing"]
    assert list(dataset.events["kind"]) == ["rupture", "repair"]
    assert dataset.events["session"].dtype == "int32"


def test_about_and_measures(tmp_path):
    dataset = read(tmp_path, {"cautions": ["mind this"], "synthetic": True})
    about = dataset.about
    assert (about["name"], about["synthetic"], about["cautions"]) == ("small", True, ["mind this"])
    assert [file["rows"] for file in about["files"]] == [9, 3, 2]
    assert all(len(file["sha256"]) == 64 for file in about["files"])
    assert about["warnings"] == []
    alliance = dataset.measures["alliance"]
    assert alliance.components == ("bond", "goals", "tasks", "overall")
    assert alliance.range == (0, 40)
    assert alliance.outcome == "outcome"
    assert alliance.cut_off.value == 36
    assert alliance.label == "Alliance"
    outcome = dataset.measures["outcome"]
    assert (outcome.better, outcome.outcome, outcome.scored) == ("lower", None, None)
    assert outcome.reliable_change.value == 6
    assert outcome.reliable_change.standing == "source seen"


def test_write_and_load_return_the_same(tmp_path):
    for edits in ({}, AS_WIDE, {"tables.events": GONE, "tables.courses": GONE}):
        dataset = read(tmp_path, edits)
        ingest.write(dataset, tmp_path / "out" / "small")
        back = ingest.load(tmp_path / "out" / "small")
        assert (back.about, back.measures) == (dataset.about, dataset.measures)
        for name in ("sessions", "courses", "events"):
            pd.testing.assert_frame_equal(getattr(back, name), getattr(dataset, name))


def test_order_of_rows_and_absent_or_empty_sessions_do_not_matter(tmp_path):
    header, *rows = SESSIONS.splitlines()
    expected = read(tmp_path).sessions
    turned = read(tmp_path, files={"sessions.csv": "\n".join([header, *rows[::-1]])}).sessions
    pd.testing.assert_frame_equal(turned, expected)
    empty = read(tmp_path, files={"sessions.csv": SESSIONS + "A,T1,4,,,,,,\n"}).sessions
    rated = empty.dropna(subset=["alliance", "outcome"], how="all").reset_index(drop=True)
    pd.testing.assert_frame_equal(rated, expected)


def test_totals_are_made_from_items(tmp_path):
    sessions = read(tmp_path, {"measures.alliance.total": GONE}).sessions
    assert sessions["alliance"].tolist()[:2] == [36, 36]
    assert math.isnan(sessions["alliance"][6])  # an item is missing
    scored = {"measures.alliance.total": GONE, "measures.alliance.scored": "mean"}
    dataset = read(tmp_path, scored)
    assert dataset.sessions["alliance"][0] == 9
    assert dataset.measures["alliance"].range == (0, 10)
    assert dataset.measures["alliance"].cut_off is None  # 36 is on the scale of the sum


def test_items_of_an_own_scale_in_a_list(tmp_path):
    alliance = {
        "rater": "client",
        "timing": "end",
        "items": ["srs1", "srs2", "srs3", "srs4"],
        "range": [0, 40],
        "better": "lower",
    }
    dataset = read(tmp_path, {"measures.alliance": alliance})
    assert dataset.measures["alliance"].components == ("srs1", "srs2", "srs3", "srs4")
    assert dataset.sessions["alliance"][0] == 36  # stored in the direction of the file
    assert codes(tmp_path, {"measures.alliance": {**alliance, "range": [0, 36]}}) == ["E203"] * 4


@pytest.mark.parametrize(("total", "fits"), [("36.0", True), ("36.04", False), ("36.4", False)])
def test_totals_are_compared_up_to_half_of_their_last_decimal(tmp_path, total, fits):
    found = codes(tmp_path, files={"sessions.csv": ("36,20", f"{total},20")})
    assert found == ([] if fits else ["E211"])


def test_rounded_totals_agree():
    items = np.array([[1.15, 2.21], [1.0, 2.0]])
    assert not scoring.disagree(items, np.array([3.4, 3.0]), "sum").any()
    assert scoring.disagree(items, np.array([3.5, 3.0]), "sum").tolist() == [True, False]
    assert not scoring.disagree(items, np.array([np.nan, 1.5]), "mean").any()


def test_subscales_make_up_the_total(tmp_path):
    header = "client_id,session_no,g,t,b"
    wai = {
        "instrument": "WAI",
        "rater": "client",
        "timing": "end",
        "items": {"goals": "g", "tasks": "t", "bond": "b"},
    }
    edits = {
        "measures.alliance": wai,
        "measures.outcome": GONE,
        "tables.sessions.therapist": GONE,
        "tables.courses": GONE,
        "tables.events": GONE,
    }
    sessions = f"{header}\nA,1,84,60,12\nA,2,80,70,60\n"
    dataset = read(tmp_path, edits, {"sessions.csv": sessions})
    assert dataset.sessions["alliance"].tolist() == [156, 210]
    spoilt = {"sessions.csv": sessions.replace("84", "85").replace("12", "11")}
    assert codes(tmp_path, edits, spoilt).count("E203") == 2


def test_missing_codes(tmp_path):
    as_decimal = {"sessions.csv": SESSIONS.replace("-99", "-99.0").replace("NA", " NA ")}
    assert read(tmp_path, files=as_decimal).sessions["outcome"].isna().sum() == 2
    assert codes(tmp_path, {"missing": []}) == ["E201", "E203"]
    assert codes(tmp_path, {"missing": [-99, "NA"]}) == []


def test_decimal_comma_semicolon_and_encoding(tmp_path):
    text = SESSIONS.replace(",", ";").replace(".", ",").replace("T1", "Müller")
    edits = {
        "tables.sessions.delimiter": ";",
        "tables.sessions.decimal": ",",
        "tables.sessions.encoding": "cp1252",
        "tables.courses.delimiter": ",",
        "tables.courses.decimal": ".",
        "tables.events.delimiter": ",",
    }
    dataset = read(tmp_path, edits, {"sessions.csv": text.encode("cp1252")})
    expected = read(tmp_path).sessions
    assert set(dataset.sessions["therapist"]) == {"Müller", "T2"}
    columns = list(expected.columns[5:])
    pd.testing.assert_frame_equal(dataset.sessions[columns], expected[columns])
    points = {"sessions.csv": text.replace("8,5", "8.5").encode("cp1252")}
    assert codes(tmp_path, edits, points) == ["E201"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_byte_order_marks(tmp_path, encoding):
    edits = {
        "tables.sessions.encoding": encoding,
        "tables.courses.encoding": "utf-8",
        "tables.events.encoding": "utf-8",
    }
    if encoding == "utf-8-sig":  # the plain name reads files with and without a mark
        edits = {}
    dataset = read(tmp_path, edits, {"sessions.csv": SESSIONS.encode(encoding)})
    assert len(dataset.sessions) == 9


def test_quotes_line_breaks_and_white_space(tmp_path):
    text = SESSIONS.replace("B,", '"B ",').replace("T2", '"T: ""2""\nline"').replace("9.5", " 9.5 ")
    text = text.replace("client_id", " client_id ").replace("\n", "\r\n")
    dataset = read(tmp_path, files={"sessions.csv": text})
    assert list(dataset.courses["course"]) == ["A", "B", "C"]
    assert dataset.courses["therapist"][2] == 'T: "2"\r\nline'


def test_rows_are_those_of_a_spreadsheet_after_line_breaks_and_blank_rows(tmp_path):
    text = SESSIONS.replace("A,T1", 'A,"U\n1"')
    text = text.replace("B,T1,1", "\nB,T1,1").replace("40,12", "41,12")
    found = check.check("small", write(tmp_path, files={"sessions.csv": text}))
    assert [(entry.code, entry.row) for entry in found] == [("W305", 6), ("E203", 10)]


def test_sessions_that_count_from_zero(tmp_path):
    from_zero = SESSIONS.replace("T1,1,", "T1,0,").replace("T2,1,", "T2,0,")
    edits = {"tables.sessions.first_session": 0, "tables.events": GONE}
    dataset = read(tmp_path, edits, {"sessions.csv": from_zero})
    assert list(dataset.sessions["session"])[:4] == [1, 3, 4, 6]
    assert codes(tmp_path, {"tables.events": GONE}, {"sessions.csv": from_zero}) == ["E205"]


def test_session_numbers_have_an_upper_end(tmp_path):
    assert codes(tmp_path, files={"sessions.csv": ("A,T1,5", "A,T1,10000")}) == ["E205"]
    assert codes(tmp_path, files={"sessions.csv": ("A,T1,5", "A,T1,1e400")}) == ["E202"]


# ---------------------------------------------------------------------------- courses and events


def test_measures_rated_once_per_course(tmp_path):
    edits = {
        "measures.outcome": {
            "rater": "client",
            "timing": "day",
            "first": "pre",
            "last": "post",
            "range": [0, 27],
            "better": "lower",
            "reliability": {"value": 0.8, "source": "somewhere"},
        }
    }
    clients = "client_id,reason,sex,pre,post\nB,completed,m,20,10\nA,completed,f,10,\n"
    dataset = read(tmp_path, edits, {"clients.csv": clients})
    assert dataset.about["warnings"][0].startswith("W304")
    assert list(dataset.courses["outcome__first"].fillna(-1)) == [10, 20, -1]
    assert list(dataset.courses["outcome__last"].fillna(-1)) == [-1, 10, -1]
    assert list(dataset.courses["ending"]) == ["completed", "completed", "unknown"]
    assert dataset.measures["outcome"].level == "course"
    expected = 1.96 * math.sqrt(2) * math.sqrt(50) * math.sqrt(0.2)
    assert dataset.measures["outcome"].reliable_change.value == pytest.approx(expected)
    assert codes(tmp_path, edits, {"clients.csv": clients.replace("20", "28")})[1] == "E203"


def test_courses_table_in_the_sessions_file(tmp_path):
    edits = {
        "tables.courses": {
            "file": "sessions.csv",
            "course": "client_id",
            "covariates": {"doctor": "therapist_id"},
        }
    }
    assert list(read(tmp_path, edits).courses["doctor"]) == ["T1", "T1", "T2"]
    edits["tables.courses"]["covariates"] = {"ill": "phq"}
    found = check.check("small", write(tmp_path, edits))
    assert [(entry.code, entry.column, entry.row) for entry in found] == [("E312", "phq", 3)]


def test_numbers_among_covariates(tmp_path):
    clients = COURSES.replace("sex", "age").replace(",f", ",30").replace(",m", ",NA")
    edits = {"tables.courses.covariates": ["age"]}
    ages = read(tmp_path, edits, {"clients.csv": clients}).courses["age"]
    assert ages.dtype == "float64"
    assert ages.isna().tolist() == [False, True, False]


def test_codes_of_endings(tmp_path):
    clients = COURSES.replace("completed", "1").replace("dropped_out", "no")
    words = {"1": "completed", "no": "dropped_out"}
    edits = {"tables.courses.ending_codes": words}
    dataset = read(tmp_path, edits, {"clients.csv": clients.replace("ongoing", "")})
    assert list(dataset.courses["ending"]) == ["completed", "dropped_out", "unknown"]
    folder = write(tmp_path / "bare", edits, {"clients.csv": clients})
    text = (folder / "dataset.yaml").read_text().replace("'no'", "no").replace("'1'", "1")
    (folder / "dataset.yaml").write_text(text)
    assert [entry.code for entry in check.check("small", folder)] == ["E105"] * 2


def test_therapist_known_at_some_sessions_only(tmp_path):
    dataset = read(tmp_path, files={"sessions.csv": ("A,T1,1", "A,,1")})
    assert set(dataset.sessions["therapist"][:4]) == {"T1"}


def test_persons_from_the_courses_table(tmp_path):
    clients = "client_id,reason,sex,who,doctor\nA,completed,f,p1,t9\nB,,m,p1,\nC,,f,p2,t8\n"
    edits = {
        "tables.sessions.therapist": GONE,
        "tables.courses.therapist": "doctor",
        "tables.courses.client": "who",
    }
    dataset = read(tmp_path, edits, {"clients.csv": clients})
    assert list(dataset.sessions["client"].unique()) == ["p1", "p2"]
    assert dataset.courses["therapist"].tolist()[::2] == ["t9", "t8"]
    assert dataset.courses["therapist"].isna().tolist() == [False, True, False]


def test_without_events_and_courses(tmp_path):
    dataset = read(tmp_path, {"tables.courses": GONE, "tables.events": GONE})
    assert_canonical(dataset)
    assert len(dataset.events) == 0
    assert set(dataset.courses["ending"]) == {"unknown"}


def test_every_fault_of_events_is_found(tmp_path):
    events = (
        EVENTS + "Z,1,rupture,x,client\nA,one,rupture,x,client\nA,1,,x,client\nA,2,cause,x,me\n"
    )
    assert codes(tmp_path, files={"events.csv": events}) == ["E213", "E313", "E228", "E210"]
    empty = EVENTS.splitlines()[0]
    assert codes(tmp_path, files={"events.csv": empty}) == ["E302"]


def test_thin_data_pass_with_warnings(tmp_path):
    header, *rows = SESSIONS.splitlines()
    bare = {"tables.courses": GONE, "tables.events": GONE}
    one = read(tmp_path, bare, {"sessions.csv": f"{header}\n{rows[0]}"})
    assert [text.split()[0] for text in one.about["warnings"]] == ["W301", "W302", "W103"]
    assert_canonical(one)
    blank = "\n".join([header, *(",".join(row.split(",")[:3]) + ",,,,,," for row in rows)])
    nothing = read(tmp_path, bare, {"sessions.csv": blank})
    assert [text.split()[0] for text in nothing.about["warnings"]] == ["W201", "W103", "W201"]
    assert_canonical(nothing)


# ---------------------------------------------------------------------------- places


def test_files_outside_of_the_folder_are_refused(tmp_path):
    (tmp_path / "secret.csv").write_text(SESSIONS)
    folder = write(tmp_path / "data")
    os.symlink(tmp_path / "secret.csv", folder / "link.csv")
    os.symlink(folder / "loop.csv", folder / "loop.csv")
    os.symlink(folder / "sessions.csv", folder / "inside.csv")
    names = {
        "../secret.csv": ["E130"],
        str(tmp_path / "secret.csv"): ["E130"],
        "link.csv": ["E130"],
        "..\\secret.csv": ["E130"],
        "a\0b": ["E130"],
        "loop.csv": ["E301"],
        ".": ["E301"],
        "x" * 5000: ["E301"],
        "inside.csv": [],
    }
    for name, expected in names.items():
        write(folder, {"tables.sessions.file": name})
        found = [entry.code for entry in check.check("small", folder)]
        assert found == expected, name


def test_mirror(tmp_path):
    write(tmp_path / "public" / "clinic")
    folder = write(tmp_path / "data", {"mirror_folder": "clinic"}, dict.fromkeys(FILES, GONE))
    assert check.check("small", folder, tmp_path / "public") == []
    assert [entry.code for entry in check.check("small", folder)] == ["E131"]
    for name in ("..", "../public/clinic", str(tmp_path), "", "a\0b"):
        write(folder, {"mirror_folder": name})
        found = [entry.code for entry in check.check("small", folder, tmp_path)]
        assert found == ["E130"], name


def test_folder_or_descriptor_may_be_named(tmp_path):
    folder = write(tmp_path)
    assert check.check("small", folder / "dataset.yaml") == []
    found = check.check("small", tmp_path / "nothing")
    assert [entry.code for entry in found] == ["E101"]


def test_ingest_raises_with_every_problem(tmp_path):
    spoilt = SESSIONS.replace("40,12", "41,x")
    folder = write(tmp_path, files={"sessions.csv": spoilt})
    with pytest.raises(ProblemsFound) as caught:
        ingest.ingest("small", folder)
    assert caught.value.problems == check.check("small", folder)
    assert [entry.code for entry in caught.value.problems] == ["E203", "E201"]
