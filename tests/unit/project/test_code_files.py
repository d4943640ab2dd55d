"""Which source files a rule watches."""

from pathlib import Path

import pytest

from repository import ROOT
from rupture_repair.project.code_files import code_files

SCRIPTS = ROOT / "workflow/scripts"
LIBRARY = "workflow/rupture_repair/"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)
    code_files.cache_clear()
    yield
    code_files.cache_clear()


def test_imports_are_followed_by_name_and_not_by_folder():
    files = set(code_files(SCRIPTS / "detect.py"))
    named = ("detection/detect.py", "detection/fall_rules.py", "detection/__init__.py")
    assert {LIBRARY + name for name in named} <= files
    assert not any("/models/" in file or "/figures/" in file for file in files)
    assert LIBRARY + "detection/agreement.py" not in files


def test_paths_are_relative_so_that_a_moved_project_is_not_computed_again(monkeypatch, tmp_path):
    assert all(not Path(file).is_absolute() for file in code_files(SCRIPTS / "check.py"))
    code_files.cache_clear()
    monkeypatch.chdir(tmp_path)
    assert all(Path(file).is_absolute() for file in code_files(SCRIPTS / "check.py"))


def test_every_script_uses_the_library():
    for script in sorted(SCRIPTS.glob("*.py")):
        files = code_files(script)
        assert files
        assert all((ROOT / file).is_file() for file in files)
