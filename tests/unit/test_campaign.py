"""The campaign can be run in parts, and goes on where it was stopped."""

import re

import pytest

import campaign
from repository import ROOT


def test_each_part_names_tests_that_take_the_numbers_of_a_campaign():
    for part in campaign.PARTS.values():
        for named in part.tests:
            file, _, test = named.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(r"campaign import .*number|campaign\.number\(", text), named
            assert not test or f"def {test}(" in text


def test_every_test_with_numbers_of_a_campaign_is_in_a_part():
    named = {test.partition("::")[0] for part in campaign.PARTS.values() for test in part.tests}
    found = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"^import campaign|^from campaign", file.read_text("utf-8"), flags=re.M)
    }
    assert found - {"tests/unit/test_campaign.py"} == named


def test_a_campaign_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "FOLDER", str(tmp_path))
    asked = []

    def squares(at):
        if at == 3 and 3 not in asked:
            asked.append(3)
            raise KeyboardInterrupt
        asked.append(at)
        return at**2

    with pytest.raises(KeyboardInterrupt):
        campaign.each("squares", range(5), squares)
    (kept,) = tmp_path.iterdir()
    with kept.open("a") as file:
        file.write("[3, 1")  # killed while it wrote
    assert campaign.each("squares", range(5), squares) == [0, 1, 4, 9, 16]
    assert asked == [0, 1, 2, 3, 3, 4]
    assert campaign.number(usual=1, campaign=7) == 7


def test_nothing_is_kept_outside_a_campaign(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "FOLDER", None)
    monkeypatch.chdir(tmp_path)
    assert campaign.each("numbers", range(3), lambda at: at) == [0, 1, 2]
    assert list(tmp_path.iterdir()) == []
    assert campaign.number(usual=1, campaign=7) == 1


def test_a_figure_is_kept_and_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "FOLDER", str(tmp_path))
    with pytest.raises(AssertionError, match=r"^cats: 3, allowed are 0 to 2"):
        campaign.figure("cats", 3, 0, 2, usual=5, campaign=50)
    assert (tmp_path / "figures.md").read_text() == "| cats | 50 | 5 | 3 | 0 to 2 |\n"


def test_a_section_is_replaced_and_the_others_stay():
    fits, kills = campaign.PARTS["fits"], campaign.PARTS["kills"]
    page = campaign.with_section("", "kills", campaign.section(kills, ["| b |", "| a |"]))
    page = campaign.with_section(page, "fits", campaign.section(fits, ["| c |"]))
    assert page.index("## fits") < page.index("## kills")
    assert page.endswith("| a |\n| b |\n")
    again = campaign.with_section(page, "kills", campaign.section(kills, ["| d |"]))
    assert again == page.replace("| a |\n| b |\n", "| d |\n")


def test_a_part_that_does_not_exist_is_named(capsys):
    assert campaign.main(["cats"]) == 2
    assert capsys.readouterr().out.startswith("There is no part cats. The parts are: effects,")
