"""Reading, checking and writing datasets; the messages are in test_problem_texts_ingest.py."""

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repository import MIRROR, ROOT
from rupture_repair.ingest import check, ingest, scoring
from rupture_repair.ingest.ingest import Dataset
from rupture_repair.project.problems import ProblemsFound
from small_dataset import AS_WIDE, COURSES, EVENTS, FILES, GONE, SESSIONS, edited, write

HEAD = ("course", "client", "therapist", "session", "day")
BY_DAY = {"tables.sessions.session": GONE, "tables.sessions.day": "session_no"}


def read(folder: Path, edits: dict[str, Any] | None = None, files: Any = None) -> Dataset:
    """Write a changed small dataset and ingest it."""
    return ingest.ingest("small", write(folder / "data", edits, files))


def codes(folder: Path, edits: dict[str, Any] | None = None, files: Any = None) -> list[str]:
    """Return the codes of the problems of a changed small dataset."""
    found = check.check("small", write(folder / "data", edits, files))
    return [entry.code for entry in found]


def assert_canonical(dataset: Dataset) -> None:
    """Check what holds for every dataset in canonical form."""
    sessions, courses, events = dataset.sessions, dataset.courses, dataset.events
    rated = [name for name, one in dataset.measures.items() if one.per_session]
    parts = {name: [f"{name}__{c}" for c in dataset.measures[name].components] for name in rated}
    scores = [column for name in rated for column in (name, *parts[name])]
    assert list(sessions.columns) == [*HEAD, *scores]
    assert sessions["session"].dtype == "int32"
    assert (sessions["session"] >= 1).all()
    assert [str(sessions[name].dtype) for name in ("course", "client", "therapist")] == ["str"] * 3
    assert not sessions[["course", "client"]].isna().any(axis=None)
    ordered = sessions[["course", "session"]].sort_values(["course", "session"])
    assert ordered.index.equals(sessions.index)
    assert not sessions.duplicated(["course", "session"]).any()
    persons = sessions[["course", "client", "therapist"]].drop_duplicates()
    assert len(persons) == sessions["course"].nunique()
    for name in rated:
        low, high = dataset.measures[name].range
        assert sessions[name].dropna().between(low - 1e-6, high + 1e-6).all()
        if dataset.measures[name].scored == "sum":
            summed = sessions[parts[name]].sum(axis=1, skipna=False)
            assert ((summed - sessions[name]).abs().dropna() <= 0.5 + 1e-6).all()
    assert sorted(set(sessions["course"])) == list(courses["course"])
    assert set(courses["ending"]) <= {"completed", "dropped_out", "ongoing", "unknown"}
    assert set(events["course"]) <= set(courses["course"])
    assert list(events.columns) == ["course", "session", "kind", "code", "reporter"]
    described = [one.as_dict() for one in dataset.measures.values()]
    json.dumps([dataset.about, described], allow_nan=False)


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


# ---------------------------------------------------------------------------- days and dates


def test_dates_number_the_sessions(tmp_path):
    days = dict(
        zip(range(1, 6), ("03.02.2024", "31.01.2024", "01.03.2024", "", "2.3.2024"), strict=True)
    )
    header, *rows = SESSIONS.splitlines()
    cells = [row.split(",") for row in rows]
    dated = [",".join([*cell[:2], days[int(cell[2])], *cell[3:]]) for cell in cells]
    edits = {
        "tables.sessions.session": GONE,
        "tables.sessions.date": "session_no",
        "tables.sessions.date_format": "%d.%m.%Y",
        "tables.events": GONE,
    }
    dataset = read(tmp_path, edits, {"sessions.csv": "\n".join([header, *dated])})
    first = dataset.sessions[dataset.sessions["course"] == "A"]
    assert list(first["session"]) == [1, 2, 3, 4]
    assert list(first["day"]) == [0, 3, 30, 31]
    assert list(first["alliance"]) == [36, 36, 30, 37]
    assert list(first["outcome"])[:3] == [18, 20, 17]
    assert_canonical(dataset)


def test_scores_of_one_day(tmp_path):
    twice = {"sessions.csv": SESSIONS.replace("A,T1,2", "A,T1,1").replace("B,T1,2", "B,T1,1")}
    edits = {**BY_DAY, "tables.events": GONE}
    assert codes(tmp_path, edits, twice) == ["E310"]
    dataset = read(tmp_path, {**edits, "tables.sessions.same_day": "mean"}, twice)
    assert [warning.split()[0] for warning in dataset.about["warnings"]] == ["W306"]
    assert "(and 1 more)" in dataset.about["warnings"][0]
    sessions = dataset.sessions
    assert list(sessions["session"]) == [1, 2, 3, 1, 2, 1, 2]
    assert list(sessions["day"]) == [0, 2, 4, 0, 2, 0, 1]
    assert sessions["outcome"][0] == 19
    assert sessions["alliance__goals"][0] == 8.75
    assert sessions["alliance"][3] == 32.25
    assert_canonical(dataset)


def test_mean_of_a_day_keeps_items_and_total_together(tmp_path):
    edits = {
        **BY_DAY,
        "tables.sessions.same_day": "mean",
        "measures.alliance.total": GONE,
        "tables.events": GONE,
    }
    twice = {"sessions.csv": SESSIONS.replace("B,T1,3,,8,9,8", "B,T1,2,,2,9,8")}
    dataset = read(tmp_path, edits, twice)
    assert dataset.sessions["alliance"][5] == 32.5  # the form with a missing item has no total
    assert dataset.sessions["alliance__goals"][5] == 8.5
    assert_canonical(dataset)


# ---------------------------------------------------------------------------- the wide layout


def test_wide_layout(tmp_path):
    dataset = read(tmp_path, AS_WIDE)
    assert_canonical(dataset)
    sessions = dataset.sessions
    assert list(sessions["course"]) == ["1", "1", "1", "2", "2", "3", "3", "3"]
    assert list(sessions["session"]) == [1, 2, 4, 1, 4, 1, 2, 4]
    assert list(sessions["alliance"]) == [5, 6, 7, 4, 6, 3, 2, 1]
    assert list(sessions["therapist"]) == ["d1"] * 5 + ["d2"] * 3
    assert dataset.about["files"][0]["rows"] == 3


def test_wide_items_and_courses_without_a_score(tmp_path):
    wide = "id,bond1,task1,bond2,task2\nx,1,2,3,4\ny,,,,\nz,5,,6,7\n"
    items = {"bond": "bond{session}", "tasks": "task{session}"}
    alliance = {**AS_WIDE["measures"]["alliance"], "items": items, "range": [2, 14]}
    del alliance["pattern"]
    sessions = {"file": "wide.csv", "layout": "wide", "course": "id"}
    courses = {"file": "wide.csv", "course": "id"}
    edits = {
        "tables": {"sessions": sessions, "courses": courses},
        "measures": {"alliance": alliance},
    }
    dataset = read(tmp_path, edits, {"wide.csv": wide})
    assert list(dataset.sessions["alliance"].fillna(-1)) == [3, 7, -1, 13]
    assert list(dataset.courses["course"]) == ["x", "z"]
    assert [text.split()[0] for text in dataset.about["warnings"]] == ["W101", "W303"]
    assert codes(tmp_path, edits, {"wide.csv": wide + "x,1,2,3,4\n"})[1] == "E311"
    zero = {"wide.csv": wide.replace("bond1,task1", "bond0,task0")}
    assert codes(tmp_path, edits, zero) == ["W101", "E205", "W303"]
    assert read(
        tmp_path,
        {**edits, "tables.sessions.first_session": 0},
        {"wide.csv": wide.replace("bond1,task1", "bond0,task0")},
    ).sessions["session"].tolist() == [1, 3, 1, 3]


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
    assert codes(tmp_path, files={"events.csv": events}) == ["E213", "E313", "E201", "E210"]
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


# ---------------------------------------------------------------------------- real datasets


def real(name: str) -> Dataset:
    """Ingest a dataset of the mirror; skip where it is absent, but not on the CI machine."""
    if not MIRROR.is_dir():
        reason = f"the public datasets are not at {MIRROR}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    dataset = ingest.ingest(name, (ROOT / "workflow") / "datasets" / name, MIRROR)
    assert_canonical(dataset)
    return dataset


def test_couples_diary():
    dataset = real("couples_diary")
    sessions, courses = dataset.sessions, dataset.courses
    assert (len(sessions), len(courses)) == (2765, 80)
    days = sessions.groupby("course").size()
    assert (days.min(), days.median(), days.max()) == (26, 35, 36)
    scores = ["contentment_man", "contentment_woman"]
    assert not sessions[scores].isna().any(axis=None)
    assert not courses.filter(like="satisfaction").isna().any(axis=None)
    assert sessions["therapist"].isna().all()
    for who in ("man", "woman"):
        measure = dataset.measures[f"contentment_{who}"]
        assert measure.outcome == f"satisfaction_{who}"
        assert measure.stands_in
    first = courses.loc[courses["course"] == "201"].iloc[0]
    assert (first["satisfaction_man__first"], first["satisfaction_woman__last"]) == (81, 70)
    assert sessions["contentment_man"][0] == 2.666666667


def test_cbasp_sessions():
    dataset = real("cbasp_sessions")
    sessions, courses = dataset.sessions, dataset.courses
    assert (len(sessions), len(courses)) == (5517, 256)
    held = sessions.groupby("course").size()
    assert (held.min(), held.median(), held.max()) == (1, 23, 28)
    assert (sessions["session"].min(), sessions["session"].max()) == (1, 28)
    gaps = sessions.groupby("course")["session"].diff()
    assert ((gaps == 2).sum(), (gaps > 2).sum()) == (775, 67)
    assert (sessions.groupby("course")["session"].max() - 1 < 20).sum() == 34
    items = sessions.filter(like="alliance__")
    assert items.isna().sum().sum() == 55
    assert sessions["alliance"].isna().sum() == items.isna().any(axis=1).sum()
    assert sorted(courses["group"].value_counts()) == [121, 135]
    assert "NC" in dataset.about["licence"]
    assert dataset.measures["alliance"].better == "lower"


def test_enrichd_bdi():
    dataset = real("enrichd_bdi")
    assert dataset.about["files"][0]["rows"] == 7117
    assert (len(dataset.sessions), len(dataset.courses)) == (7117 - 153, 557)
    assert [text.split()[0] for text in dataset.about["warnings"]] == ["W314"] * 5 + ["W306"]
    assert "(and 152 more)" in dataset.about["warnings"][-1]
    gaps = dataset.sessions.groupby("course")["day"].diff()
    assert (gaps.dropna() > 0).all()
    assert gaps.median() == 7
    assert dataset.measures["alliance"].reliability.value == 0.86


def test_panss_psychiatrists():
    dataset = real("panss_psychiatrists")
    sessions = dataset.sessions
    assert dataset.about["files"][0]["rows"] == 2151
    assert "(and 27 more)" in dataset.about["warnings"][0]  # patients without any score
    assert len(dataset.courses) == 2151 - 28
    assert len(sessions) == sessions["alliance"].notna().sum() == 8756
    assert sorted(sessions["session"].unique()) == [1, 2, 4, 6, 8]
    assert sessions["therapist"].nunique() == 198
    assert set(dataset.courses["treatment"]) == {-1, 1}
    assert dataset.measures["alliance"].reliable_change is None


def test_the_demo_has_no_error():
    folder = ROOT / "data" / "raw" / "demo"
    found = check.check("demo", folder)
    assert [entry.text for entry in found if entry.code.startswith("E")] == []
    assert_canonical(ingest.ingest("demo", folder))


# ---------------------------------------------------------------------------- random corruption

MISHAPS = ("cell", "text", "drop_row", "twice", "drop_column", "shift", "swap")
ODD_CELLS = st.sampled_from(
    ["", "NA", "nan", "inf", "-inf", "1e999", "#VALUE!", "8,5", "0", "-1", "1.5", "99", " 7 ", "A",
     "１２", "1_0", "0x1F", "True", "2024-01-31", "=1+1", '"', "'", "\x00", "\n", "é", "-99", "+9",
     "1e-400", "9" * 400, "None", "{session}", "W1"]
)  # fmt: skip


@st.composite
def corruptions(draw) -> tuple[str, bytes]:
    """Draw a file of the small dataset and what it is after one to four mishaps."""
    name = draw(st.sampled_from(sorted(FILES)))
    table = [line.split(",") for line in FILES[name].splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, max(len(table) - 1, 0)))
        mishap = draw(st.sampled_from(MISHAPS))
        if not table or not table[row]:
            continue
        column = draw(st.integers(0, len(table[row]) - 1))
        if mishap == "cell":
            table[row][column] = draw(ODD_CELLS)
        elif mishap == "text":
            table[row][column] = draw(st.text(max_size=5))
        elif mishap == "drop_row":
            del table[row]
        elif mishap == "twice":
            table.insert(row, list(table[row]))
        elif mishap == "drop_column":
            table = [cells[:column] + cells[column + 1 :] for cells in table]
        elif mishap == "shift":
            table[row] = ["", *table[row]]
        else:
            other = draw(st.integers(0, len(table) - 1))
            table[row], table[other] = table[other], table[row]
    delimiter = draw(st.sampled_from([",", ",", ",", ";"]))
    text = "\n".join(delimiter.join(cells) for cells in table)
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), "replace")
    if draw(st.integers(0, 4)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    if draw(st.integers(0, 9)) == 0:
        data += draw(st.binary(max_size=8))
    return name, data


def ends_well(folder: Path) -> None:
    """Check that a dataset is either refused with problems or ingested correctly."""
    problems = check.check("small", folder)
    assert all(entry.text for entry in problems)
    if any(entry.code.startswith("E") for entry in problems):
        with pytest.raises(ProblemsFound):
            ingest.ingest("small", folder)
        return
    dataset = ingest.ingest("small", folder)
    assert_canonical(dataset)
    ingest.write(dataset, folder / "out")
    ingest.load(folder / "out")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(corruptions(), st.sampled_from([{}, BY_DAY, AS_WIDE]), st.booleans())
def test_random_corruption_never_ends_in_a_traceback(corruption, edits, mean):
    name, data = corruption
    edits = dict(edits)
    if edits and edits is not AS_WIDE and mean and "measures" not in edits:
        edits["tables.sessions.same_day"] = "mean"
    with tempfile.TemporaryDirectory() as folder:
        ends_well(write(Path(folder), edits, {name: data}))


KEYS = [
    f"{group}.{key}"
    for group, keys in {
        "tables.sessions": "file delimiter encoding decimal layout course client therapist session "
        "date day date_format first_session same_day",
        "tables.courses": "file delimiter course client therapist ending ending_codes covariates",
        "tables.events": "file encoding course session kind code reporter",
        "measures.alliance": "role label instrument rater timing items total pattern scored first "
        "last range item_range better reliability reliable_change cut_off outcome stands_in",
        "measures.outcome": "role instrument items total range better outcome first",
    }.items()
    for key in keys.split()
]
VALUES = st.sampled_from(
    [GONE, None, "", "x", "sex", "phq", "srs1", "client_id", "session_no", "events.csv", ";", ",",
     0, 1, -5, 1e300, float("nan"), float("inf"), [], {}, [0, 10], [5, float("inf")], ["srs1"],
     {"bond": "srs1"}, {"bond": "srs1", "goals": "W{session}"}, {"value": 0.5, "source": "s"},
     {"value": 9, "inclusive": True, "source": "s"}, "wide", "mean", "lower", "alliance", "outcome",
     "other", "utf-16", "hex", "idna", "undefined", "%d", "%Y-%m-%d", "%Q", "W{session}", "CORE-OM",
     {"m": "completed"}, ["sex", "reason"], True]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=4), st.booleans())
def test_random_descriptors_never_end_in_a_traceback(edits, wide):
    with tempfile.TemporaryDirectory() as folder:
        ends_well(write(Path(folder), {**(AS_WIDE if wide else {}), **edits}))


def test_edits_leave_the_valid_descriptor_alone():
    edited({"measures.alliance.total": GONE})
    assert edited({})["measures"]["alliance"]["total"] == "srs_total"
