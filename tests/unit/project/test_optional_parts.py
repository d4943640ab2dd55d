"""A package that is not installed is named, with the command that installs it."""

import sys
import tomllib

import pytest

from repository import ROOT
from rupture_repair.project.optional_parts import PARTS, is_installed, optional
from rupture_repair.project.problems import ProblemsFound


def test_an_installed_part_is_loaded():
    assert is_installed("pyreadr")
    assert optional("pyreadr").__name__ == "pyreadr"


@pytest.mark.parametrize("module", PARTS)
def test_a_missing_part_is_a_message(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProblemsFound) as found:
        optional(module)
    package, extra, purpose = PARTS[module]
    assert str(found.value) == (
        f"E707: the package {package} is not installed; it is needed to {purpose}. Install it: "
        f"python -m pip install 'rupture-repair[{extra}]'."
    )


def test_a_part_that_is_broken_is_no_missing_part(monkeypatch, tmp_path):
    (tmp_path / "pyreadr.py").write_text("import there_is_no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pyreadr", raising=False)
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        optional("pyreadr")
    monkeypatch.delitem(sys.modules, "pyreadr", raising=False)


def test_each_part_is_in_the_extra_that_is_named():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = extras["optional-dependencies"]
    for package, extra, _ in PARTS.values():
        assert [line for line in extras[extra] if line.startswith(f"{package}>=")]
