import re

from repository import ROOT
from rupture_repair import __version__
from rupture_repair.exchange import comparable


def test_releases_are_those_of_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    found = {part.split()[0]: "### Numbers may change" in part for part in reversed(parts)}
    assert found == comparable.RELEASES
    assert __version__ in found


def test_versions_between_which_numbers_changed_cannot_be_compared(monkeypatch):
    known = {"1.0": True, "1.1": False, "1.2": True, "1.3": False}
    monkeypatch.setattr(comparable, "RELEASES", known)
    assert comparable.other_version("1.0", "1.1") is None
    assert comparable.other_version("1.3", "1.2") is None
    for pair in (("1.1", "1.2"), ("1.3", "1.0"), ("1.1", "1.3")):
        assert comparable.other_version(*pair) == "numbers changed with version 1.2 (CHANGELOG.md)"
    assert "not known" in comparable.other_version("1.4", "1.3")


def test_the_checksum_of_the_code_is_that_of_code_and_knowledge():
    assert re.fullmatch("[0-9a-f]{64}", comparable.code_checksum())
