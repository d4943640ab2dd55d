"""Sessions by days and dates, and one row per course."""

from canonical_tables import BY_DAY, assert_canonical, codes, read
from small_dataset import AS_WIDE, GONE, SESSIONS


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
