"""The first screen: three cards, four lights, and what to do next."""

import numpy as np
import pandas as pd
import pytest

from bundles import material_of
from made_diagnostics import with_diagnostics
from made_reports import ABOUT
from made_tables import tables
from rupture_repair.chance.in_words import NO_MORE
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.pictures import bar, interval_picture, range_picture, squares
from rupture_repair.report.sections import diagnostics, found, outcome

CHANCE = {
    "status": "assessed",
    "observed": 23.0,
    "expected": 12.0,
    "expected_low": 7.0,
    "expected_high": 17.0,
    "p": 0.01,
    "ratio": 1.9,
    "replicates": 200,
}


@pytest.fixture(scope="module")
def made():
    return with_diagnostics(60)


def lights(made, **given):
    shown = material_of(made, **given).disclosed()
    return {
        light.question: light
        for light in found.lights(
            shown, diagnostics.of_diagnostics(shown), outcome.of_effects(shown), None
        )
    }


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "More than noise alone makes"),
        ({"ratio": 1.1}, "Little more than noise alone makes"),
        ({"p": 0.2}, NO_MORE),
        ({"p": 0.09, "replicates": 10}, "Too few copies to compare with noise"),
        ({"p": 0.09, "replicates": 10, "observed": 15.0}, NO_MORE),
        ({"status": None}, "Not compared with noise"),
        ({"observed": np.nan, "p": np.nan}, "The count is withheld"),
    ],
)
def test_counts_are_compared_with_noise_by_p_and_by_how_many_more(changes, verdict):
    said = found.of_noise(CHANCE | changes)
    assert said["verdict"] == verdict
    assert said["more"] is (verdict == "More than noise alone makes")
    assert ("withheld" in said["picture"]) is (verdict == "The count is withheld")


@pytest.mark.parametrize(
    ("sensitivity", "state"), [(0.95, "good"), (0.1, "poor"), (None, "unknown")]
)
def test_the_first_light_says_what_the_rule_sees(made, sensitivity, state):
    depths = [0.5, 1.0, 2.0, 4.0]
    table = pd.DataFrame({"dataset": "small", "measure": "srs", "criterion": "dip", "k": 2.0,
                          "volatility": "all", "depth": depths, "sensitivity": sensitivity,
                          "status": "assessed", "reason": None, "false_alarm": 0.05})  # fmt: skip
    said = lights(made, sensitivity=None if sensitivity is None else table)
    assert said["Can this rule see a rupture here?"].state == state


def test_the_second_light_says_what_the_finding_hangs_on(made):
    question = "Does the finding hang on one therapist or one criterion?"
    table = made["diagnostics"].copy()
    own = (table["diagnostic"] == "influence") & (table["measure"] == "srs")
    table.loc[own, ["reference", "reference_low", "reference_high"]] = [-2.0, -3.0, -1.0]
    table.loc[own, ["value", "low", "high", "x"]] = [-2.1, -3.1, -1.1, 0.1]
    firm = lights(made | {"diagnostics": table})[question]
    assert firm.state in ("good", "mind")
    assert "therapist the answer" not in firm.reason
    first = table.index[own & (table["of"] == "open_within") & table["part"].notna()][0]
    table.loc[first, ["value", "low", "high"]] = [-0.5, -1.5, 0.5]
    shaky = lights(made | {"diagnostics": table})[question]
    assert shaky.state == "poor"
    assert "without one therapist the answer on open ruptures" in shaky.reason
    assert "repaired" not in shaky.reason


def test_the_last_light_says_whether_models_failed(made):
    assert lights(made)["Do the models hold?"].state == "poor"
    fine = made | {"estimates": made["estimates"].query("status == 'converged'")}
    assert lights(fine)["Do the models hold?"].state in ("good", "mind")


def test_pictures_say_in_words_what_they_draw():
    row = {"estimate": 1.0, "ci_low": -1.0, "ci_high": 3.0}
    drawn = interval_picture(row, 4.0)
    assert 'aria-label="interval from −1.00 to 3.00"' in drawn
    assert "--low: 37.5%; --high: 87.5%; --at: 62.5%; --zero: 50.0%" in drawn
    assert interval_picture(row | {"estimate": np.nan}, 4.0) == ""
    assert "--at: 50.0%" in range_picture(25, 4, 16, 100)
    assert "--at" not in range_picture(np.nan, 4, 16, 100)
    assert bar(np.nan) == ""
    said = squares(["undecided", "supported", "supported", "not assessable"])
    assert "2 supported, 1 undecided, 1 not assessable" in said
    assert said.index("■■") < said.index("□") < said.index("·")


def test_tables_are_named_by_their_number_also_before_they_come():
    own = tables()
    rows = [CHANCE | {"measure": "srs", "criterion": "dip", "k": 2.4, "p_error": 0.0,
                      "observed_repaired": 0.7, "expected_repaired": 0.8, "null_model": name}
            for name in ("autoregressive", "shuffle")]  # fmt: skip
    figure = pd.DataFrame([CHANCE | {"criterion": "dip", "name": "Dip", "ratio": 1.9}])
    drawn = {"observed_and_expected": figure}
    given = material_of(own, chance=pd.DataFrame(rows), figures=drawn)
    text = dataset_report(given, ABOUT)
    assert "[Table 1](#table-at-a-glance) as a picture" in text
    assert not [letter for letter in text if letter in "\x02\x03\x04"]


def test_what_to_do_next_follows_from_what_was_found():
    own = tables()
    shuffled = {"measure": "srs", "criterion": "dip", "k": 2.4, "p_error": 0.004,
                "observed_repaired": 0.7, "expected_repaired": 0.8, **CHANCE}  # fmt: skip
    rows = [shuffled | {"null_model": name} for name in ("autoregressive", "shuffle")]
    text = dataset_report(material_of(own, chance=pd.DataFrame(rows)), ABOUT)
    assert "[More than noise alone makes]" in text
    assert "do not read it as ruptures" not in text
    noise = pd.DataFrame(rows).assign(p=0.4)
    text = dataset_report(material_of(own, chance=noise), ABOUT)
    assert "[No more than noise alone can make]" in text
    assert "do not read it as ruptures" in text
