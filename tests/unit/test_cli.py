import shutil

import pytest

from repository import ROOT
from rupture_repair import cli


@pytest.fixture
def root(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data/raw/demo", tmp_path / "data/raw/demo")
    (tmp_path / "config.yaml").write_text("datasets: [demo]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_of_a_clean_dataset(root, capsys):
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out.startswith("demo: 0 errors")


def test_check_lists_every_problem_and_ends_with_an_error(root, capsys):
    path = root / "data/raw/demo/sessions.csv"
    lines = path.read_text().splitlines()
    cells = lines[40].split(",")
    lines[40] = ",".join([*cells[:3], "10.5", *cells[4:]])
    lines.append(lines[-1])
    path.write_text("\n".join(lines) + "\n")
    assert cli.main(["check", "demo"]) == 1
    said = capsys.readouterr().out
    assert "data/raw/demo/sessions.csv, row 41, column srs_bond: 10.5 is outside 0..10" in said
    assert "row 3130" in said


def test_an_unknown_dataset_is_a_message_not_a_traceback(root, capsys):
    assert cli.main(["check", "dmo"]) == 1
    assert "Did you mean 'demo'?" in capsys.readouterr().err


def test_simulate_writes_the_demo(root, capsys):
    assert cli.main(["simulate", "--out", "made", "--seed", "2026"]) == 0
    made = {path.name: path.read_bytes() for path in (root / "made").iterdir()}
    demo = {path.name: path.read_bytes() for path in (ROOT / "data/raw/demo").iterdir()}
    assert made == demo


def test_simulate_does_not_overwrite_other_files(root, capsys):
    (root / "mine").mkdir()
    (root / "mine/notes.txt").write_text("x")
    assert cli.main(["simulate", "--out", "mine"]) == 1
    assert "E601" in capsys.readouterr().err
