"""A dataset described from its file: what is guessed and left open, and that it reads right."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from made_files import cells, xlsx
from rupture_repair import cli
from rupture_repair.describe import files as written_files
from rupture_repair.describe import new
from rupture_repair.ingest import check, ingest
from rupture_repair.project import yaml_files
from rupture_repair.project.problems import ProblemsFound
from small_dataset import SESSIONS

#: Answers that a person gives to what the long file leaves open.
ANSWERS = [
    "licence=CC0",
    "measures.alliance.rater=client",
    "measures.alliance.timing=end",
    "measures.outcome.rater=client",
    "measures.outcome.timing=start",
    "ids=public",
]
PHQ = "measures.outcome.instrument=PHQ-9"

#: Course, session, alliance and outcome of the long file, as they must come out.
EXPECTED = [
    ("A", 1, 36, 20), ("A", 2, 36, 18), ("A", 3, 30, 17), ("A", 5, 37, np.nan), ("B", 1, 32, 15),
    ("B", 2, 32.5, 14), ("B", 3, 33, np.nan), ("C", 1, 40, 12), ("C", 2, 39, 11),
]  # fmt: skip

WIDE = """\
id,therapist,srs_s1,srs_s2,srs_s3,phq_s1,phq_s2,phq_s3,sex
1,d1,35,36,37,10,9,8,f
2,d1,34,NA,36,11,10,9,m
3,d2,33,32.5,31,12,11,10,f
"""
WIDE_EXPECTED = [
    ("1", 1, 35, 10), ("1", 2, 36, 9), ("1", 3, 37, 8), ("2", 1, 34, 11), ("2", 2, np.nan, 10),
    ("2", 3, 36, 9), ("3", 1, 33, 12), ("3", 2, 32.5, 11), ("3", 3, 31, 10),
]  # fmt: skip
WIDE_ANSWERS = ["measures.alliance.instrument=SRS", PHQ]


def table_of(text):
    return pd.read_csv(io.StringIO(text), na_values=["NA"], keep_default_na=False)


def as_statistics(folder, text, suffix):
    """Write a file of a statistics program; empty numbers are system-missing."""
    import pyreadstat

    table = table_of(text)
    for name in table:
        numbers = pd.to_numeric(table[name], errors="coerce")
        if table[name].replace("", np.nan).isna().sum() == numbers.isna().sum():
            table[name] = numbers
    path = folder / f"ratings{suffix}"
    kind = {".sav": "sav", ".dta": "dta", ".xpt": "xport"}[suffix]
    getattr(pyreadstat, f"write_{kind}")(table, str(path))
    return path


def semicolons(text):
    rows = list(csv.reader(io.StringIO(text)))
    return "\n".join(";".join(cell.replace(".", ",") for cell in row) for row in rows) + "\n"


def made(folder, text, form):
    """Write a table in one of the forms, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "My ratings.csv"
    if form in (".sav", ".dta", ".xpt"):
        return as_statistics(folder, text, form)
    if form == "xlsx":
        path = folder / "ratings.xlsx"
        path.write_bytes(xlsx({"Sheet1": cells(text)}))
    elif form == "german":
        path.write_bytes(semicolons(text).replace("T1", "Tä").encode("cp1252"))
    elif form == "mac":
        path.write_bytes(text.replace(",", ";").replace("T1", "Tü").encode("mac-roman"))
    elif form == "tabs":
        path.write_bytes(text.replace(",", "\t").encode("utf-16"))
    elif form == "bom":
        path.write_bytes(text.replace(",", "|").encode("utf-8-sig"))
    elif form == "odd":
        path.write_bytes(text.replace(",", "^").encode("utf-16-le"))
    else:
        path.write_bytes(text.encode())
    return path


def read_back(root, name="study"):
    """Return (course, session, alliance, outcome) of each row, as ingest makes them."""
    folder = root / "data/raw" / name
    assert [one.text for one in check.check(name, folder) if one.is_error] == []
    table = ingest.ingest(name, folder).sessions
    return table[["course", "session", "alliance", "outcome"]]


def same(table, expected):
    wanted = pd.DataFrame(expected, columns=list(table)).astype({"course": "str"})
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), wanted, check_dtype=False, atol=1e-4
    )


@pytest.mark.parametrize(
    "form", ["csv", "german", "mac", "tabs", "bom", "odd", "xlsx", ".sav", ".dta", ".xpt"]
)
def test_long_files_read_right_after_the_answers(form, tmp_path):
    text = SESSIONS.replace("client_id,therapist_id,session_no", "client,therapist,session")
    if form == ".xpt":  # names of eight letters at most
        text = text.replace("therapist", "th_id").replace("srs_total", "srs_tot")
    file = made(tmp_path / "given", text, form)
    before = file.read_bytes()
    new.new("study", file, [*ANSWERS, PHQ], tmp_path)
    same(read_back(tmp_path), EXPECTED)
    assert file.read_bytes() == before


@pytest.mark.parametrize("form", ["csv", "german", "xlsx", ".sav", ".dta"])
def test_wide_files_read_right_after_the_answers(form, tmp_path):
    file = made(tmp_path / "given", WIDE, form)
    result = new.new("study", file, [*ANSWERS, *WIDE_ANSWERS], tmp_path)
    sessions = result.described.content["tables"]["sessions"]
    assert sessions["layout"] == "wide"
    assert sessions["therapist"] == "therapist"
    same(read_back(tmp_path), WIDE_EXPECTED)


def test_items_of_sessions_in_wide_files(tmp_path):
    text = "id," + ",".join(f"srs{i}_s{s}" for s in (1, 2, 3) for i in (1, 2, 3, 4)) + "\n"
    for row in range(3):
        text += f"p{row}," + ",".join(str(5 + (row + at) % 4) for at in range(12)) + "\n"
    file = made(tmp_path, text, "csv")
    result = new.new("study", file, [], tmp_path)
    measure = result.described.content["measures"]["alliance"]
    assert measure["instrument"] == "SRS"
    assert list(measure["items"].values()) == [f"srs{i}_s{{session}}" for i in (1, 2, 3, 4)]


def test_what_must_not_be_guessed_is_left_open_and_told_by_the_check(tmp_path):
    text = SESSIONS.replace("srs1,srs2,srs3,srs4,srs_total", "wai1,wai2,wai3,wai4,wai")
    file = made(tmp_path, text, "csv")
    result = new.new("study", file, [], tmp_path)
    open_ = {".".join(path) for _, path in result.left_open}
    # Four items are those of no version of the WAI; one score tells no version of the PHQ.
    assert open_ == {"licence"} | {
        f"measures.{name}.{key}" for name in ("alliance", "outcome")
        for key in ("instrument", "rater", "timing")
    }  # fmt: skip
    written = (tmp_path / "data/raw/study/dataset.yaml").read_text().splitlines()
    for line, path in result.left_open:
        assert written[line - 1].strip() == f"{path[-1]}: TODO"
        assert written[line - 2].lstrip().startswith("#")
    found = check.check("study", tmp_path / "data/raw/study")
    assert {(one.code, one.line, one.key) for one in found} == {
        ("E133", line, ".".join(path)) for line, path in result.left_open
    }


def test_the_text_of_a_value_left_open(tmp_path):
    new.new("study", made(tmp_path, SESSIONS, "csv"), ANSWERS[2:], tmp_path)
    file = tmp_path / "data/raw/study/dataset.yaml"
    found = check.check("study", file)
    assert f"E133 {file}, line 9, key licence: TODO is left: nobody but you can know this. Under " \
        "which terms the data may be used; shown wherever results appear. Write the value in its " \
        "place (allowed: text, not empty)." in [one.text for one in found]  # fmt: skip


def test_every_guess_has_its_reason_above_it(tmp_path):
    new.new("study", made(tmp_path, SESSIONS, "german"), [], tmp_path)
    lines = (tmp_path / "data/raw/study/dataset.yaml").read_text().splitlines()
    for key in ("delimiter", "encoding", "decimal", "layout", "course", "therapist", "session",
                "instrument", "total", "missing"):  # fmt: skip
        at = next(n for n, line in enumerate(lines) if line.lstrip().startswith(f"{key}:"))
        assert lines[at - 1].lstrip().startswith("#"), key


def test_unknown_scales_ask_for_range_and_direction(tmp_path):
    text = SESSIONS.replace("srs_total", "alliance").replace("phq", "distress")
    text = "\n".join(
        ",".join(cell for at, cell in enumerate(line.split(",")) if at not in (3, 4, 5, 6))
        for line in text.splitlines()
    )
    file = made(tmp_path, text, "csv")
    result = new.new("study", file, [], tmp_path)
    open_ = {".".join(path) for _, path in result.left_open}
    assert {f"measures.{one}.{key}" for one in ("alliance", "outcome")
            for key in ("range", "better", "rater", "timing")} < open_  # fmt: skip
    (tmp_path / "again").mkdir()
    answers = [*ANSWERS, "measures.alliance.range=[0, 40]", "measures.alliance.better=higher",
               "measures.outcome.range=[0, 27]", "measures.outcome.better=lower",
               'missing=["", NA, -99]']  # fmt: skip
    new.new("study", file, answers, tmp_path / "again")
    same(read_back(tmp_path / "again"), EXPECTED)


def test_dates_endings_and_covariates(tmp_path):
    lines = ["client;date;wai_sr;ors;age;dropout"]
    for client in "ABC":
        for week in range(3):
            fields = (client, f"{14 + week}.0{week + 1}.2023", 50 + week, 20 + week)
            lines.append(";".join(map(str, (*fields, 30 + ord(client) % 3, "no"))))
    file = tmp_path / "x.csv"
    file.write_text("\n".join(lines) + "\n")
    content = new.new("study", file, [], tmp_path).described.content
    assert content["tables"]["sessions"]["date_format"] == "%d.%m.%Y"
    courses = content["tables"]["courses"]
    assert courses["ending"] == "dropout"
    assert courses["ending_codes"] == {"no": "TODO"}
    assert courses["covariates"] == {"age": "age"}
    assert content["measures"]["alliance"]["instrument"] == "WAI-SR"
    ambiguous = tmp_path / "y.csv"
    ambiguous.write_text("client;date;srs\nA;01/02/2023;30\nA;03/02/2023;31\nB;02/02/2023;30\n")
    content = new.new("other", ambiguous, [], tmp_path).described.content
    assert content["tables"]["sessions"]["date_format"] == "TODO"


def test_nothing_known_is_left_open_whole(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("foo,bar\nx,1\ny,2\n")
    content = new.new("study", file, [], tmp_path).described.content
    assert content["tables"]["sessions"]["course"] == "TODO"
    assert content["measures"]["alliance"]["total"] == "TODO"


# ---------------------------------------------------------------------------- what is written


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(code, *arguments):
    with pytest.raises(ProblemsFound) as caught:
        new.new(*arguments)
    assert [one.code for one in caught.value.problems] == [code]
    return caught.value.problems[0].text


def test_nothing_is_written_over(tmp_path):
    file = made(tmp_path, SESSIONS, "csv")
    new.new("study", file, [], tmp_path)
    before = everything(tmp_path)
    assert refused("E610", "study", file, [], tmp_path).endswith(
        "Nothing was written: take another name, or remove it if it is not needed."
    )
    assert everything(tmp_path) == before
    for name in new.FILES:
        folder = tmp_path / "data/raw" / f"other-{name.split('.')[0]}"
        folder.mkdir(parents=True)
        (folder / name).write_text("mine")
        refused("E610", folder.name, file, [], tmp_path)
        assert {one.name for one in folder.iterdir()} == {name}
    folder = tmp_path / "data/raw/third"
    folder.mkdir()
    (folder / "My-ratings.csv").write_text("another file of this name")
    refused("E610", "third", file, [], tmp_path)
    assert (folder / "My-ratings.csv").read_text() == "another file of this name"
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_lies_there_already_is_used_in_its_place(tmp_path):
    folder = tmp_path / "data/raw/study"
    file = made(folder, SESSIONS, "csv")
    new.new("study", file, [*ANSWERS, PHQ], tmp_path)
    assert {one.name for one in folder.iterdir()} == {file.name, *new.FILES}
    same(read_back(tmp_path), EXPECTED)


def test_no_link_leads_out(tmp_path):
    file = made(tmp_path, SESSIONS, "csv")
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data/raw/study").symlink_to(tmp_path / "elsewhere")
    refused("E610", "study", file, [], tmp_path)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    file = made(tmp_path, SESSIONS, "csv")
    files = {"a": b"1", "b\0": b"2"}
    with pytest.raises(ValueError, match="null"):
        written_files.write(tmp_path / "new", files)
    assert not (tmp_path / "new").exists()
    (tmp_path / "data").write_text("a file in the way")
    assert refused("E612", "study", file, [], tmp_path) == (
        f"E612 {tmp_path}/data/raw/study: {tmp_path}/data/raw/study: Not a directory. Nothing was "
        "written. Correct the folder's permissions, or free the disk, and try again."
    )


def test_bad_names_files_and_answers(tmp_path):
    file = made(tmp_path, SESSIONS, "csv")
    for name in ("..", "a/b", "my study", "ü", "", "-x", "a\nb", "x" * 300):
        refused("E108", name, file, [], tmp_path)
    refused("E320", "study", tmp_path / ("x" * 300), [], tmp_path)
    assert refused("E711", "study", tmp_path / "My ratigs.csv", [], tmp_path).endswith(
        "the file does not exist. Did you mean 'My ratings.csv'? Correct the path."
    )
    for answer in (
        "licence",
        "=x",
        "a.=x",
        "title.x=1",
        "licence=[",
        "title=a: b: c",
        "title=2024-13-41",
    ):
        refused("E611", "study", file, [answer], tmp_path)
    assert refused("E611", "study", file, ["licence"], tmp_path) == (
        "E611: 'licence' is no answer. Write --answer KEY=VALUE, where KEY is a key of "
        "dataset.yaml with all keys above it, for example --answer measures.alliance.rater=client."
    )
    refused("E103", "study", file, ["licens=CC0"], tmp_path)
    refused("E105", "study", file, ["measures.alliance.rater=nobody"], tmp_path)
    assert not (tmp_path / "data").exists()


def test_no_text_of_a_person_is_written_or_shown(tmp_path):
    head, *rows = SESSIONS.splitlines()
    text = "\n".join(
        [f"{head},email,notes", *(f"{row},a{at}@b.org,she told me" for at, row in enumerate(rows))]
    )
    file = made(tmp_path, text, "csv")
    result = new.new("study", file, [], tmp_path)
    assert [name for name, _ in result.identifying] == ["email", "notes"]
    shown = new.as_text(result)
    assert "email: e-mail addresses" in shown
    for name in new.FILES:
        shown += (tmp_path / "data/raw/study" / name).read_text()
    assert "@b.org" not in shown
    assert "told me" not in shown


def test_codebook_and_labels(tmp_path):
    import pyreadstat

    table = table_of(SESSIONS)[["client_id", "session_no", "srs_total"]].assign(sex=1.0)
    table.columns = ["code", "session", "q1", "sex"]
    file = tmp_path / "x.sav"
    labels = {"q1": "SRS total", "sex": "Sex of the client"}
    values = {"sex": {1.0: "female", 2.0: "male"}}
    pyreadstat.write_sav(table, str(file), column_labels=labels, variable_value_labels=values)
    content = new.new("study", file, [], tmp_path).described.content
    assert content["measures"]["alliance"]["total"] == "q1"
    book = pd.read_csv(tmp_path / "data/raw/study/codebook.csv", keep_default_na=False)
    assert list(book["column"]) == ["code", "session", "q1", "sex"]
    sex = book.set_index("column").loc["sex"]
    assert sex["values"] == "1 = female; 2 = male"
    assert sex["used_as"] == "tables.courses.covariates"
    assert book.set_index("column").loc["code", "highest"] == ""


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = made(tmp_path, SESSIONS, "csv")
    arguments = [part for answer in [*ANSWERS, PHQ] for part in ("--answer", answer)]
    assert cli.main(["new", "study", str(file), *arguments]) == 0
    said = capsys.readouterr().out
    assert "tables.sessions.session: session_no  (its name says session" in said
    assert said.endswith("Next: rupture-repair check study\n")
    assert cli.main(["new", "study", str(file)]) == 1
    assert "E610" in capsys.readouterr().err
    written = Path("data/raw/study/dataset.yaml").read_text()
    assert yaml_files.left_open(yaml.safe_load(written)) == []
