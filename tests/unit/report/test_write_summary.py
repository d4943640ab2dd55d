"""The summary for a slide: three cards, a picture of a fixed size, nothing that is not public."""

import re
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
import pytest

from bundles import material_of
from drawn_texts import texts_outside
from made_tables import tables
from rupture_repair.disclosure.gate import Gate
from rupture_repair.report.sections.outcome import of_effects
from rupture_repair.report.write_summary import cards_of, summary_of


@pytest.fixture
def made():
    """Made-up tables with what noise makes of the criterion shown."""
    made = tables()
    noise = {"status": "assessed", "reason": None, "observed": 20, "expected": 9.6, "p": 0.01,
             "ratio": 2.08, "replicates": 200,
             "expected_low": 5.0, "expected_high": 14.0}  # fmt: skip
    chance = pd.DataFrame(
        [{"measure": "srs", "criterion": "dip", "null_model": "shuffle", **noise}]
    )
    return made | {"chance": chance}


def cards(material, no_verdict=None):
    effects = of_effects(material)
    return cards_of(material, effects["shown"] if not no_verdict else {}, no_verdict)


def test_three_cards_say_what_the_tables_say(made):
    material = material_of(made)
    ruptures, open_, repaired = cards(material)
    row = made["detection"].query("measure == 'srs' and criterion == 'dip'").iloc[0]
    assert ruptures.verdict == "More than noise alone makes"
    assert f"{row['n_episodes']} ruptures in {row['n_courses_with_episode']} of " in ruptures.said
    assert "about 10 (5 to 14)" in ruptures.said
    shown = of_effects(material)["shown"]
    for card, name in ((open_, "open"), (repaired, "repaired")):
        low, high = shown[name]["ci_low"], shown[name]["ci_high"]
        word = "Better" if low > 0 else "Worse" if high < 0 else "Not clearly different"
        assert card.verdict.startswith(word)
        assert f"{shown[name]['estimate']:.1f} points".replace("-", "−") in card.said


def test_a_count_that_noise_can_make_is_no_finding(made):
    made["chance"]["p"] = 0.2
    assert cards(material_of(made))[0].verdict == "No more than noise alone can make"


def test_nothing_is_judged_where_nothing_is_evidence(made):
    material = material_of(made)
    picture, words = summary_of(material, "no alliance measure")
    assert "what noise alone makes" in picture.axes[0].get_xlabel()
    assert not re.search("Better|Worse|different", words)
    assert words.count("Not judged. No alliance measure") == 2


def test_a_dataset_whose_courses_are_hidden_shows_none_of_its_small_numbers(made):
    hidden = replace(material_of(made), known_gate=Gate(5)).disclosed()
    ruptures = cards(hidden)[0]
    assert ruptures.said.startswith("How many is withheld, by the rule ")
    assert ruptures.verdict == "The count is withheld"


@pytest.mark.parametrize("title", ["Short", "A very long title of a dataset " * 6])
def test_the_picture_has_the_size_of_a_slide_and_no_text_leaves_it(made, title, tmp_path):
    made["dataset"] = made["dataset"] | {"title": title}
    picture, words = summary_of(material_of(made), None)
    picture.savefig(tmp_path / "summary.png", dpi=125)
    height, width, _ = mpl.image.imread(tmp_path / "summary.png").shape
    assert (width, height) == (1600, 900)
    assert texts_outside(picture) == []
    assert words.startswith(title.strip())
