"""Checksums of what steps wrote."""

import pytest

from rupture_repair.project import manifest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs/made").mkdir(parents=True)
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "figures/one").mkdir(parents=True)
    (tmp_path / "figures/one/b.png").write_text("b")
    manifest.keep("logs/made/detect.log", ["a.csv", "figures"])
    return tmp_path


def change_nothing(folder):
    (folder / "figures/.snakemake_timestamp").touch()


def cut(folder):
    (folder / "a.csv").write_text("1,")


def delete(folder):
    (folder / "a.csv").unlink()


def change_in_a_folder(folder):
    (folder / "figures/one/b.png").write_text("c")


def rename_in_a_folder(folder):
    (folder / "figures/one/b.png").rename(folder / "figures/one/c.png")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (change_nothing, []),
        (cut, ["a.csv"]),
        (delete, ["a.csv"]),
        (change_in_a_folder, ["figures"]),
        (rename_in_a_folder, ["figures"]),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_found(folder, change, wrong):
    change(folder)
    expected = [(wrong, ["a.csv", "figures"])] if wrong else []
    assert list(manifest.changed()) == expected


def test_a_step_whose_manifest_was_cut_short_is_named(folder):
    file = manifest.file_of("logs/made/detect.log")
    file.write_text(file.read_text()[:-5])
    assert list(manifest.changed()) == [(["logs/made/detect.outputs.json"], ["detect"])]


def test_a_step_without_outputs_has_no_manifest(folder):
    manifest.keep("logs/made/fetch.log", [])
    assert not manifest.file_of("logs/made/fetch.log").exists()


def test_what_a_step_read_is_kept(folder):
    manifest.keep("logs/made/detect.log", ["a.csv"], ["c.csv", "b.csv"])
    kept = manifest.read(manifest.file_of("logs/made/detect.log"))
    assert kept["inputs"] == ["b.csv", "c.csv"]
    assert list(kept["outputs"]) == ["a.csv"]


def test_a_manifest_of_an_earlier_version_is_made_anew(folder):
    manifest.file_of("logs/made/detect.log").write_text('{"a.csv": "missing"}')
    assert list(manifest.changed()) == [(["logs/made/detect.outputs.json"], ["detect"])]
