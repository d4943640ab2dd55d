"""Damaged and hostile files end in a listed problem or in a correct table, and nowhere else.

Random mishaps of CSV files and descriptors are in test_ingest.py; here are the files that people
send besides: in other encodings, as spreadsheets, cut short, under odd names, with links, or made
to harm.
"""

import contextlib
import csv
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from made_files import cells, xlsx
from rupture_repair import cli
from rupture_repair.describe import new
from rupture_repair.ingest import check, ingest
from rupture_repair.project.messages.catalogue import CATALOGUE
from rupture_repair.project.problems import ProblemsFound
from small_dataset import DESCRIPTOR, EVENTS, SESSIONS, edited, write

SHEET = xlsx({"a": cells(SESSIONS)})
FEW = settings(max_examples=12, suppress_health_check=list(HealthCheck))


def snapshot(folder):
    """Return every file below a folder with its content; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path] = os.readlink(path)
        elif path.is_file():
            found[path] = path.read_bytes()
    return found


@contextlib.contextmanager
def place():
    """Give a folder with a neighbour that nobody may touch, and watch it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "elsewhere").mkdir()
        (root / "elsewhere/secret.csv").write_text(SESSIONS.replace("A,", "Secret,"))
        before = snapshot(root / "elsewhere")
        yield root
        assert snapshot(root / "elsewhere") == before
        assert {path.name for path in root.iterdir()} <= {"elsewhere", "study", "data", "given"}


def end(folder):
    """Check a dataset and ingest it; return its sessions, or the codes of its errors."""
    before = snapshot(folder)
    problems = check.check("small", folder)
    assert all(one.code in CATALOGUE and one.text for one in problems)
    errors = [one.code for one in problems if one.is_error]
    if errors:
        with pytest.raises(ProblemsFound) as caught:
            ingest.ingest("small", folder)
        assert [one.code for one in caught.value.problems if one.is_error] == errors
        found = errors
    else:
        found = ingest.ingest("small", folder).sessions
        assert not found.duplicated(["course", "session"]).any()
    assert snapshot(folder) == before
    return found


def expected(text):
    """Read session ratings the slow way: course, session, alliance, outcome."""
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        score = [
            np.nan if row[name].strip() in ("", "NA", "-99") else float(row[name])
            for name in ("srs_total", "phq")
        ]
        rows.append((row["client_id"].strip(), int(float(row["session_no"])), *score))
    columns = ["course", "session", "alliance", "outcome"]
    return pd.DataFrame(sorted(rows), columns=columns)


def same(sessions, text):
    found = sessions[["course", "session", "alliance", "outcome"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected(text), check_dtype=False)


# ---------------------------------------------------------------------------- cells


@FEW
@given(
    st.integers(1, 9),
    st.sampled_from([2, 7, 8]),
    st.sampled_from(["", "NA", "-99", " 7 ", "7", "0", "27", "27.5", "40", "4e1", "+9", "seven"]),
    st.sampled_from(["csv", "xlsx"]),
)
def test_a_changed_cell_is_a_problem_or_the_value_that_it_says(row, column, cell, form):
    table = [line.split(",") for line in SESSIONS.splitlines()]
    table[row][column] = cell
    text = "\n".join(map(",".join, table)) + "\n"
    with place() as root:
        files = {"sessions.csv": text}
        edits = {"measures.alliance.items": {}}
        if form == "xlsx":
            files = {"sessions.xlsx": xlsx({"a": cells(text)})}
            edits["tables.sessions.file"] = "sessions.xlsx"
        found = end(write(root / "study", edits, files))
        if not isinstance(found, list):
            same(found, text)


@FEW
@given(
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-32"]),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-7", "ascii"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@example("utf-8-sig", "utf-8", ";", ";", "\r\n")
@example("utf-8-sig", "cp1252", ",", ",", "\n")
@example("utf-16", "utf-16", ",", ",", "\r")
def test_encodings_delimiters_and_line_ends(written, declared, delimiter, told, line_end):
    text = SESSIONS.replace("T1", "Tä")
    data = text.replace(",", delimiter).replace("\n", line_end).encode(written)
    edits = {"tables.sessions.encoding": declared, "tables.sessions.delimiter": told}
    edits |= {"tables.courses.delimiter": ",", "tables.courses.encoding": "utf-8"}
    edits |= {"tables.events.delimiter": ",", "tables.events.encoding": "utf-8"}
    with place() as root:
        found = end(write(root / "study", edits, {"sessions.csv": data}))
        if isinstance(found, list):
            assert not (written == declared and delimiter == told and line_end != "\r")
        else:
            same(found, text)


# ---------------------------------------------------------------------------- damaged files


@FEW
@given(st.data())
def test_spreadsheets_cut_short_or_damaged(data):
    raw = bytearray(SHEET)
    # Places are shares of the length, which changes a little with the time that files hold.
    part = st.integers(0, 9_999).map(lambda share: share * len(SHEET) // 10_000)
    if data.draw(st.booleans()):
        raw = raw[: data.draw(part)]
    else:
        for _ in range(3):
            raw[data.draw(part)] = data.draw(st.integers(0, 255))
    with place() as root:
        edits = {"tables.sessions.file": "s.xlsx"}
        found = end(write(root / "study", edits, {"s.xlsx": bytes(raw)}))
        if not isinstance(found, list):
            same(found, SESSIONS)


BINARY = st.one_of(
    st.just(b""), st.just(b"\n \n"), st.just(b"\xef\xbb\xbf"), st.just(b"\xff\xfe"),
    st.just(b"\0" * 300), st.just(b'"' * 301), st.just(b"," * 300), st.just(b"PK\x03\x04 x" * 50),
    st.just(b"%PDF-1.7"), st.just(b"\x1f\x8b\x08"), st.just(b"$FL2@(#)"), st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")),
)  # fmt: skip


@FEW
@given(BINARY, st.sampled_from([".csv", ".xlsx", ".sav", ".dta", ".sas7bdat", ".por", ".xpt"]))
def test_no_table_at_all(raw, suffix):
    with place() as root:
        edits = {"tables.sessions.file": f"s{suffix}"}
        assert isinstance(end(write(root / "study", edits, {f"s{suffix}": raw})), list)


def with_columns(count):
    """Return the session ratings with so many columns more."""
    head, *rows = SESSIONS.splitlines()
    names = ",".join(f"x{at}" for at in range(count))
    return "\n".join([f"{head},{names}", *(row + ",1" * count for row in rows)])


def test_very_many_columns(tmp_path):
    folder = write(tmp_path / "study", files={"sessions.csv": with_columns(10_000)})
    same(ingest.ingest("small", folder).sessions, SESSIONS)
    write(folder, files={"sessions.csv": with_columns(20_000)})
    assert end(folder) == ["E325"]
    with place() as root:
        new_ends_well(root, with_columns(1_000).encode(), ".csv")


# ---------------------------------------------------------------------------- descriptors

YAML = yaml.safe_dump(DESCRIPTOR)
HARMFUL = {
    "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n",
    "merge": "<<: {title: x}\n",
    "tag": "title: !!python/object/apply:os.system ['touch ../elsewhere/made']\n",
    "new": "title: !!python/object/new:os.system ['touch ../elsewhere/made']\n",
    "own tag": "title: !include ../elsewhere/secret.csv\n",
    "binary": "title: !!binary aGVsbG8=\n",
    "set": "title: !!set {a, b}\n",
    "deep": "[" * 3000,
    "deep groups": "{a: " * 2000,
    "two documents": YAML + "---\n" + YAML,
    "list": "- a\n- b\n",
    "word": "hello\n",
    "number": "12\n",
    "empty": "",
    "comment": "# nothing\n",
    "tabs": "title:\tx\n\ttables: y\n",
    "NUL": "title: a\0b\n",
    "huge number": "title: " + "9" * 5000 + "\n",
    "date": YAML.replace("licence: CC0", "licence: 2024-01-31"),
    "bad date": YAML.replace("licence: CC0", "licence: 2024-13-41"),
    "octal": YAML.replace("licence: CC0", "licence: 017"),
    "list as key": "? [a, b]\n: c\n",
    "null key": "~: x\n",
    "number as key": YAML + "1: x\n",
    "bool as key": YAML + "yes: x\n",
    "surrogate": 'title: "\\ud800"\n',
    "control": "title: \x07\n",
    "latin": "title: é\n".encode("latin-1"),
    "utf-16": YAML.encode("utf-16"),
    "noise": bytes(range(256)),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_descriptors(name):
    content = HARMFUL[name]
    with place() as root:
        folder = write(root / "study")
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / "dataset.yaml").write_bytes(raw)
        assert isinstance(end(folder), list)


@FEW
@given(st.data())
def test_descriptors_cut_short_or_mistyped(data):
    text = YAML[: data.draw(st.integers(0, len(YAML)))]
    at = data.draw(st.integers(0, len(text)))
    odd = st.sampled_from(["{", "[", ":", "&", "*", "!", "\t", "'", '"', "-", "\n", "%", "@", "|"])
    text = text[:at] + data.draw(odd) + text[at:]
    with place() as root:
        folder = write(root / "study")
        (folder / "dataset.yaml").write_text(text)
        end(folder)


# ---------------------------------------------------------------------------- paths and names


@pytest.mark.parametrize("table", ["sessions", "courses", "events"])
@pytest.mark.parametrize(
    "name",
    ["../elsewhere/secret.csv", "/etc/passwd", "..", ".", "a/../../elsewhere/secret.csv",
     "link.csv", "folder/secret.csv", "..\\elsewhere\\secret.csv", "loop.csv", "a\0b", "x" * 5000,
     "\n", "pipe"],
    ids=lambda name: ascii(name)[:20],
)  # fmt: skip
def test_no_file_outside_of_the_folder_is_read(name, table):
    with place() as root:
        folder = write(root / "study", {f"tables.{table}.file": name})
        (folder / "link.csv").symlink_to(root / "elsewhere/secret.csv")
        (folder / "folder").symlink_to(root / "elsewhere")
        (folder / "loop.csv").symlink_to(folder / "loop.csv")
        os.mkfifo(folder / "pipe")
        problems = check.check("small", folder)
        assert {one.code for one in problems if one.is_error} & {"E130", "E301", "E105", "E102"}
        assert "Secret" not in "".join(one.text for one in problems)


ODD_NAMES = [
    "my ratings.csv", "it's.csv", 'a "b".csv', "Größe µ 評価.csv", "a\nb.csv", "-rf.csv", "a;b.csv",
    "{session}.csv", "$HOME.csv", "%s.csv", "a#b.csv", "a: b.csv", ".hidden.csv", "no suffix",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_files(name, tmp_path, monkeypatch, capsys):
    folder = write(tmp_path / "study", {"tables.sessions.file": name}, {name: SESSIONS})
    same(end(folder), SESSIONS)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "new", str(folder / name)]) == 0
    capsys.readouterr()
    made = tmp_path / "data/raw/new"
    content = yaml.safe_load((made / "dataset.yaml").read_text(encoding="utf-8"))
    stored = content["tables"]["sessions"]["file"]
    assert (made / stored).read_text() == SESSIONS
    assert {path.name for path in made.iterdir()} == {stored, *new.FILES}


@FEW
@given(st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=6, unique=True))
@example(["client", "srs\n"])
@example(["0", "\x1b"])
@example(["id", "srs_s1", "srs_s2", "{session}"])
@example(["id", "session", "srs: x", "# ors", "'", '"', "TODO", "~", "- a"])
def test_odd_names_of_columns(names):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([names, *([str(row)] * len(names) for row in range(3))])
    with place() as root:
        new_ends_well(root, text.getvalue().encode("utf-8", "replace"), ".csv")


def new_ends_well(root, raw, suffix):
    """Describe a file; its dataset.yaml must be read by the check, or nothing be written."""
    (root / "given").mkdir()
    file = root / "given" / f"ratings{suffix}"
    file.write_bytes(raw)
    refused = []
    try:
        made = new.new("new", file, [], root)
    except ProblemsFound as caught:
        refused = caught.problems
    if refused:
        assert {one.code for one in refused} <= set(CATALOGUE)
        assert not (root / "data").exists()
        return
    assert yaml.safe_load(made.text) == made.described.content
    codes = {one.code for one in check.check("new", made.folder) if one.is_error}
    assert codes == {"E133"}
    assert {path.name for path in made.folder.iterdir()} == {file.name, *new.FILES}


@FEW
@given(BINARY, st.sampled_from([".csv", ".xlsx", ".sav", ".dta", ".txt", ""]))
def test_anything_can_be_given_to_new(raw, suffix):
    with place() as root:
        new_ends_well(root, raw, suffix)


@FEW
@given(st.data())
def test_real_looking_files_can_be_given_to_new(data):
    table = [
        line.split(",") for line in data.draw(st.sampled_from([SESSIONS, EVENTS])).splitlines()
    ]
    for _ in range(data.draw(st.integers(0, 4))):
        row = data.draw(st.integers(0, len(table) - 1))
        odd = st.sampled_from(
            ["", "?", "#VALUE!", "x, y", 'a"b', "8,5", "2024-01-31", "ä", "{a}", "n/a"]
        )
        table[row][data.draw(st.integers(0, len(table[row]) - 1))] = data.draw(odd)
    text = io.StringIO(newline="")
    sign = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    csv.writer(text, delimiter=sign).writerows(table)
    raw = text.getvalue().encode(
        data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    )
    with place() as root:
        new_ends_well(root, raw, ".csv")


def test_the_helpers_see_a_difference(tmp_path):
    folder = write(tmp_path / "study")
    same(end(folder), SESSIONS)
    with pytest.raises(AssertionError):
        same(end(folder), SESSIONS.replace("36,20", "36,21"))
    assert edited({})["tables"]["sessions"]["file"] == "sessions.csv"
