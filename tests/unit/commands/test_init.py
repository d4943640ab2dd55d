"""A folder for a project of one's own, and that nothing in it is written over."""

from pathlib import Path

import pytest

from repository import ROOT
from rupture_repair import cli
from rupture_repair.commands import init


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_has_its_place(here, capsys):
    assert cli.main(["init", "mine"]) == 0
    assert capsys.readouterr().out.startswith("Made: mine with a synthetic dataset")
    for name in init.FOLDERS:
        assert (here / "mine" / name).is_dir()
    assert (here / "mine/config.yaml").read_bytes() == (ROOT / "config.yaml").read_bytes()
    assert (here / "mine/data/raw/demo/dataset.yaml").is_file()
    assert "/data/\n" in (here / "mine/.gitignore").read_text()


def test_an_empty_folder_is_taken_and_others_are_left_alone(here, capsys):
    (here / "empty").mkdir()
    assert cli.main(["init", "empty"]) == 0
    (here / "full").mkdir()
    (here / "full/notes.txt").touch()
    for name in ("full", "full/notes.txt"):
        assert cli.main(["init", name]) == 1
        assert f"E610 {name}: full/notes.txt is there already." in capsys.readouterr().err
    assert [one.name for one in (here / "full").iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_a_message(here, capsys, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    assert cli.main(["init", "mine"]) == 1
    assert "E612 mine: Permission denied." in capsys.readouterr().err
