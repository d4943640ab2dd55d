"""Folders as people have them: with spaces in their names, or that cannot be written."""

import sys
from pathlib import Path

import pytest

from project_copy import run
from rupture_repair.commands import run_workflow
from small_clinic import CLINICS, settings


def test_a_folder_whose_name_has_spaces_and_brackets(clinics, tmp_path):
    """As in folders of a cloud; the Python of each step is in such a folder as well."""
    copy = clinics.copied(tmp_path / "My study (new) [1] & more")
    copy.settings(settings(CLINICS[:1]))
    (copy.folder / ".venv").symlink_to(Path(sys.prefix))
    python = copy.folder / ".venv/bin/python"
    (copy.folder / "reports/north.html").unlink()
    done = run([str(python), "-m", "rupture_repair.cli", "report", "--cores", "2"], copy.folder)
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.endswith("Report: reports/index.html\n")
    assert "Clinic" in copy.page("north")


def test_programs_keep_their_caches_elsewhere_if_home_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    found = run_workflow._caches()
    assert Path(found["XDG_CACHE_HOME"]) == tmp_path / ".snakemake/caches"
    assert Path(found["MPLCONFIGDIR"]).parent == Path(found["XDG_CACHE_HOME"])


@pytest.mark.parametrize("given", ["HOME", "XDG_CACHE_HOME"])
def test_a_home_that_can_be_written_is_used(monkeypatch, tmp_path, given):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(given, str(tmp_path))
    assert run_workflow._caches() == {}
