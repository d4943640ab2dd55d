"""Quotation marks and signs between thousands: what other readers of CSV files pass over."""

import itertools

import numpy as np
import pytest

from rupture_repair import cli
from rupture_repair.ingest import check, ingest
from small_dataset import GONE, SESSIONS, write

NOTES = SESSIONS.replace("phq\n", "phq,memo\n").replace("\n", ",ok\n").replace("memo,ok", "memo")
ACCEPTED = [
    {"finding": "free_text", "column": "memo", "reason": "seen"},
    {"finding": "line_break", "column": "memo", "reason": "seen"},
]


def outcome(folder, text, accepted=()):
    edits = {"accepted": list(accepted)} if accepted else {}
    folder = write(folder, edits, {"sessions.csv": text})
    found = check.check("s", folder)
    if any(one.is_error for one in found):
        return {one.code for one in found if one.is_error}
    return len(ingest.ingest("s", folder).sessions)


def test_two_stray_quotation_marks_never_swallow_a_row(tmp_path):
    rows = NOTES.splitlines(keepends=True)
    cells = [row.rstrip("\n").split(",") for row in rows]
    for count, (first, second) in enumerate(itertools.combinations(range(1, len(rows)), 2)):
        for column in ((0, 9), (1, 8))[count % 2]:
            changed = [list(row) for row in cells]
            changed[first][column] = '"' + changed[first][column]
            changed[second][column] += '"'
            text = "".join(",".join(row) + "\n" for row in changed)
            found = outcome(tmp_path / f"{count}_{column}", text, ACCEPTED)
            assert isinstance(found, set), (first, second, column)
            assert found & {"E306", "E329", "E335"}


def test_a_text_of_several_lines_is_asked_for_and_can_be_accepted(tmp_path):
    text = NOTES.replace(",20,ok", ',20,"late,\nthen ""better"""')
    assert outcome(tmp_path / "a", text) == {"E329"}
    assert outcome(tmp_path / "b", text, ACCEPTED) == 9
    assert outcome(tmp_path / "c", NOTES.replace(",20,ok", ',20,"late\nthen better"')) == 9


@pytest.mark.parametrize("cell", ['"9"9', '"9" ', '"9""9" x', '"a"b"'])
def test_what_is_no_csv_is_refused_with_its_row(cell, tmp_path):
    assert outcome(tmp_path, NOTES.replace("A,T1,2,9", f"A,T1,2,{cell}")) == {"E335"}


def test_fit_reads_texts_of_several_lines_but_no_swallowed_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n % 3},{n},note" for n in range(12)]
    (tmp_path / "f.csv").write_text('y,x,memo\n0,1,"a, b\nc"\n' + "\n".join(rows))
    assert cli.main(["fit", "f.csv", "y ~ x", "--format", "csv"]) == 1
    assert "E329" in capsys.readouterr().err
    rows = [f"{n % 3},{n},note,{n},{n}" for n in range(12)]
    (tmp_path / "f.csv").write_text('y,x,memo,z,w\n0,1,"a, b\nc",3,4\n' + "\n".join(rows))
    assert cli.main(["fit", "f.csv", "y ~ x", "--format", "csv"]) == 0


# ---------------------------------------------------------------------------- thousands


SCALE = {
    "measures.alliance.items": GONE, "measures.alliance.instrument": GONE,
    "measures.alliance.range": [0, 2000], "measures.alliance.better": "higher",
}  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        (["1.023", "985"], True),
        (["1.023", "1.100"], True),  # the scale goes to 2000
        (["1.023", "98"], True),
        (["1.023", "985.5"], False),
        (["0.125", "985"], False),
        (["2.023", "985"], False),  # 2,023 is no possible rating
        (["1.0230", "985"], False),
    ],
)
@pytest.mark.parametrize("decimal", [".", ","])
def test_signs_between_thousands_are_asked_for(texts, asked, decimal, tmp_path):
    header, *rows = SESSIONS.splitlines()
    cells = [row.split(",") for row in rows]
    for row, text in zip(cells, itertools.cycle(texts), strict=False):
        row[7] = text.replace(".", decimal)
        row[3:7] = ["9"] * 4
    text = "\n".join([header.replace(",", ";"), *(";".join(row) for row in cells)])
    edits = SCALE | {"tables.sessions.delimiter": ";", "tables.sessions.decimal": decimal}
    edits |= {"tables.courses": GONE, "tables.events": GONE}
    folder = write(tmp_path, edits, {"sessions.csv": text})
    found = [one.code for one in check.check("s", folder) if one.is_error]
    assert found == (["E223"] if asked else [])
    if not asked:
        read = ingest.ingest("s", folder).sessions["alliance"]
        assert np.isclose(read.min(), min(float(one) for one in texts))


def test_the_remedy_for_a_foreign_decimal_sign_and_for_thousands(tmp_path):
    text = SESSIONS.replace(",36,20", ',"1,036",20')
    found = check.check("s", write(tmp_path, SCALE, {"sessions.csv": text}))
    assert "If ',' separates thousands, remove it." in found[0].message
    text = SESSIONS.replace(",36,20", ',"36,5",20')
    found = check.check("s", write(tmp_path, SCALE, {"sessions.csv": text}))
    assert "If ',' is the decimal sign, write decimal: ','" in found[0].message


def test_single_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n % 4},{'1.023' if n == 5 else 980 + n},{n % 3}\n" for n in range(12))
    (tmp_path / "f.csv").write_text("y,x,z\n" + rows)
    assert cli.main(["fit", "f.csv", "y ~ x"]) == 1
    assert "E223 f.csv, row 7, column x: '1.023' may be 1023" in capsys.readouterr().err
    rows = "".join(f"{n % 4},{n if n < 2 else chr(97 + n)}\n" for n in range(12))
    (tmp_path / "f.csv").write_text("y,x\n" + rows)
    assert cli.main(["fit", "f.csv", "y ~ x"]) == 1
    assert capsys.readouterr().err == (
        "E721 f.csv, row 2, column x: '0' is one of 2 different numbers among 10 different words. "
        "Correct the cells. If all are names of categories, write factor(x) in the formula. "
        "(and 1 more)\n"
    )


def test_a_mixture_of_numbers_and_words_can_be_accepted(tmp_path):
    files = {"clients.csv": "client_id,reason,sex\nA,completed,2\nB,ongoing,2+\nC,ongoing,1\n"}
    assert [one.code for one in check.check("s", write(tmp_path, files=files))] == ["E222"]
    edits = {"accepted": [{"finding": "numbers_and_words", "column": "sex", "reason": "grades"}]}
    made = ingest.ingest("s", write(tmp_path, edits, files))
    assert list(made.courses["sex"]) == ["2", "2+", "1"]
