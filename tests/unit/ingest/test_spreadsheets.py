"""Spreadsheets are read as they are shown, or refused with the cells that are not."""

import datetime

import pandas as pd
import pyreadstat
import pytest

from made_files import cells, xlsx
from rupture_repair import cli
from rupture_repair.describe import new
from rupture_repair.ingest import check, ingest, number_formats, spreadsheets
from rupture_repair.project.problems import ProblemsFound
from small_dataset import SESSIONS, write

#: A number and its format -> what a spreadsheet shows of it, rounding left aside.
SHOWN = {
    (0.78, "0%"): "78",
    (0.5555, "0.00%"): "55.55",
    (7, "0000"): "0007",
    (7, '"C"0'): "C7",
    (7, "\\P000"): "P007",
    (7, '0" points"'): "7 points",
    (8.5, "0.0"): "8.5",
    (8.5, "0"): "8.5",
    (8.25, "[Red]0.00;[Blue]-0.00"): "8.25",
    (1234.5, "#,##0.00"): "1234.5",
    (12, "[$€-407] #,##0.00"): "12",
    (12, '_-* #,##0.00 _€_-;-* #,##0.00 _€_-;_-* "-"?? _€_-;_-@_-'): "12",
    (0, '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-'): "0",
    (-3, "#,##0_);(#,##0)"): "-3",
    (0.5, "# ?/?"): "0.5",
    (12345, "0.00E+00"): "12345",
    (1, '"yes";"no";"none"'): "yes",
    (7.4, "0.0\\%"): "7.4",
    (7, "@"): "7",
}

#: Numbers of which a format shows something that is not read.
HIDDEN = [
    (12000, "0,"), (12_000_000, "0.0,,"), (5, ";;;"), (0, "0;-0;;@"), (0, "#"), (-3, "0;0"),
    (7, "00-00"), (7, "[>=5]0;0.0"), (7, '"ID-"@'),
]  # fmt: skip


def sheet(rows, change=None):
    return spreadsheets.as_text(xlsx({"a": rows}, change), "a.xlsx")


def in_format(value, code):
    def change(book):
        book.active.cell(2, 1).number_format = code

    return sheet([["x", "y"], [value, 1]], change)


@pytest.mark.parametrize("given", SHOWN, ids=str)
def test_cells_are_read_as_they_are_shown(given):
    text, found = in_format(*given)
    assert found == []
    assert text.decode() == f"x,y\n{SHOWN[given]},1\n"


@pytest.mark.parametrize("given", HIDDEN, ids=str)
def test_cells_that_show_something_else_are_named(given):
    text, found = in_format(*given)
    assert (text, [one.code for one in found]) == (b"", ["E333"])
    assert "something else: A2." in found[0].message


def test_texts_that_a_format_adds_to_or_hides():
    assert in_format("7", '"C"@')[0] == b"x,y\nC7,1\n"
    assert [one.code for one in in_format("7", ";;;")[1]] == ["E333"]
    assert number_formats.of_text("0.00") == "{}"


def test_sums_and_long_numbers():
    rows = [["x", "y"], [0.1 + 0.2, 4532017788901234.0], [1e17, True], [-2.0, 123456789012]]
    assert sheet(rows)[0].decode().splitlines()[1:] == [
        "0.3,4532017788901234",
        "1.0000000000000000e+17,TRUE",
        "-2,123456789012",
    ]


# ---------------------------------------------------------------------------- dates


def test_whole_numbers_beyond_those_kept_exactly_and_words_of_logic():
    data = xlsx({"a": [["id", "x"], [2**53 + 1, True], [2**53 - 1, False]]})
    text, _ = spreadsheets.as_text(data, "r.xlsx")
    assert text.decode() == "id,x\n9.0071992547409920e+15,TRUE\n9007199254740991,FALSE\n"


def test_dates_among_later_dates_are_dates_and_alone_they_are_numbers():
    early, late = datetime.datetime(1925, 3, 1), datetime.datetime(1975, 3, 1)
    assert sheet([["born", "y"], [early, 1], [late, 2]])[1] == []
    found = sheet([["born", "y"], [early, 1], [27, 2]])[1]
    assert [one.code for one in found] == ["E334"]


# ---------------------------------------------------------------------------- sheets


def hide_first(book):
    book.worksheets[0].sheet_state = "veryHidden"


def codes(folder, raw, **keys):
    edits = {"tables.sessions.file": "r.xlsx"}
    edits |= {f"tables.sessions.{key}": value for key, value in keys.items()}
    return [one.code for one in check.check("s", write(folder, edits, {"r.xlsx": raw}))]


def test_the_visible_sheet_with_a_table_is_read(tmp_path):
    wrong = cells(SESSIONS.replace("8", "9"))
    notes = [["Ratings of the clinic"], ["made in 2024"]]
    for name, sheets, change in (
        ("hidden", {"old": wrong, "new": cells(SESSIONS)}, hide_first),
        ("notes", {"notes": notes, "new": cells(SESSIONS), "empty": []}, None),
        ("one", {"new": cells(SESSIONS)}, None),
    ):
        edits = {"tables.sessions.file": "r.xlsx"}
        files = {"r.xlsx": xlsx(sheets, change)}
        made = ingest.ingest("s", write(tmp_path / name, edits, files))
        expected = ingest.ingest("s", write(tmp_path / f"{name}_csv"))
        pd.testing.assert_frame_equal(made.sessions, expected.sessions)


def test_several_tables_are_asked_for_and_a_name_answers(tmp_path):
    raw = xlsx({"T1": cells(SESSIONS), "T2": cells(SESSIONS.replace("A,T1", "D,T1"))})
    assert codes(tmp_path / "a", raw) == ["E326"]
    assert "E326" not in codes(tmp_path / "b", raw, sheet="T2")


def test_new_takes_a_sheet_as_an_answer_and_says_which_it_took(tmp_path):
    raw = xlsx({"T1": cells(SESSIONS), "T2": cells(SESSIONS)})
    (tmp_path / "r.xlsx").write_bytes(raw)
    with pytest.raises(ProblemsFound) as refused:
        new.new("a", tmp_path / "r.xlsx", root=tmp_path)
    assert [one.code for one in refused.value.problems] == ["E326"]
    made = new.new("a", tmp_path / "r.xlsx", ["tables.sessions.sheet=T2"], tmp_path)
    assert made.described.content["tables"]["sessions"]["sheet"] == "T2"
    (tmp_path / "h.xlsx").write_bytes(
        xlsx({"old": cells(SESSIONS), "b": cells(SESSIONS)}, hide_first)
    )
    made = new.new("h", tmp_path / "h.xlsx", root=tmp_path)
    assert made.described.content["tables"]["sessions"]["sheet"] == "b"
    assert "'old' (hidden)" in new.as_text(made)


# ---------------------------------------------------------------------------- structure


def test_merged_titles_and_empty_areas_are_no_fault(tmp_path):
    def change(book):
        book.active.merge_cells("A1:B1")
        book.active.merge_cells("C4:C5")

    rows = [["x", None, "z"], [1, 2, 3], [1, 2, 3], [1, 2, None], [1, 2, None]]
    assert [one.code for one in sheet(rows, change)[1]] == []


def test_formulas_with_a_value_and_with_an_empty_text_are_read():
    raw = xlsx({"a": [["x", "y"], ["=1+1", 1]]})
    assert [one.code for one in spreadsheets.as_text(raw, "a.xlsx")[1]] == ["E327"]
    import io
    import zipfile

    stored = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(stored, "w") as made:
        for entry in old.namelist():
            content = old.read(entry)
            if entry.endswith("sheet1.xml"):
                assert b"<f>1+1</f><v></v>" in content or b"<f>1+1</f><v />" in content
                content = content.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
            made.writestr(entry, content)
    assert spreadsheets.as_text(stored.getvalue(), "a.xlsx") == (b"x,y\n2,1\n", [])


def test_hidden_rows_are_read_and_said(tmp_path, monkeypatch, capsys):
    def change(book):
        book.active.row_dimensions[4].hidden = True

    raw = xlsx({"a": cells(SESSIONS)}, change)
    assert codes(tmp_path / "a", raw) == ["W313"]
    made = ingest.ingest("s", tmp_path / "a")
    assert len(made.sessions) == len(SESSIONS.splitlines()) - 1


@pytest.mark.parametrize("suffix", [".xls", ".xlsb", ".ods"])
def test_other_spreadsheets_are_refused_with_what_to_do(suffix, tmp_path, capsys):
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("content.xml" if suffix == ".ods" else "xl/workbook.bin", "x")
    raw = b"\xd0\xcf\x11\xe0\xa1\xb1" if suffix == ".xls" else made.getvalue()
    (tmp_path / f"r{suffix}").write_bytes(raw)
    assert cli.main(["new", "x", str(tmp_path / f"r{suffix}")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("E305")
    assert "save it as XLSX" in said


# ---------------------------------------------------------------------------- statistics programs


def test_long_ids_of_statistics_programs_stay_apart(tmp_path):
    ids = [4532017788901231.0, 4532017788901232.0]
    pyreadstat.write_sav(pd.DataFrame({"id": ids, "x": [1.0, 2.5]}), str(tmp_path / "a.sav"))
    text, found = spreadsheets.as_text((tmp_path / "a.sav").read_bytes(), "a.sav")
    assert (text.decode(), found) == ("id,x\n4532017788901231,1\n4532017788901232,2.5\n", [])


def test_whole_numbers_that_a_type_cannot_hold_are_in_exponent_form(tmp_path):
    table = pd.DataFrame({"id": [16777219.0, 12.0], "x": [8.1, 2.5]}).astype("float32")
    table.to_stata(tmp_path / "a.dta", write_index=False)
    text, _ = spreadsheets.as_text((tmp_path / "a.dta").read_bytes(), "a.dta")
    assert text.decode() == "id,x\n1.67772200e+07,8.1\n12,2.5\n"


def test_zeros_that_a_format_shows(tmp_path):
    table = pd.DataFrame({"id": [7.0, 12.0], "x": [1.0, 2.5]})
    pyreadstat.write_sav(table, str(tmp_path / "a.sav"), variable_format={"id": "N3"})
    pyreadstat.write_dta(table, str(tmp_path / "a.dta"), variable_format={"id": "%03.0f"})
    for name in ("a.sav", "a.dta"):
        text, _ = spreadsheets.as_text((tmp_path / name).read_bytes(), name)
        assert text.decode() == "id,x\n007,1\n012,2.5\n"
