"""What the report says where there is no evidence on the alliance, or too little to draw."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from bundles import material_of
from made_reports import ABOUT
from rupture_repair.models.definitions import SAME_SCORES
from rupture_repair.models.evidence import STANDS_IN
from rupture_repair.report import markdown
from rupture_repair.report.dataset_page import dataset_report


@pytest.mark.parametrize(
    ("facts", "why"),
    [({"outcome": "srs"}, SAME_SCORES), ({"stands_in": "A symptom scale."}, STANDS_IN)],
)
@pytest.mark.parametrize("model", ["next_session", "final"])
def test_the_headline_gives_no_verdict_where_nothing_is_evidence_on_the_alliance(
    own, facts, why, model
):
    own["estimates"] = own["estimates"].query(f"model == '{model}'")
    said = "the outcome (at the next session )?was [*]{2}"
    assert re.search(said, dataset_report(material_of(own), ABOUT))
    own["measures"]["srs"] = replace(own["measures"]["srs"], **facts)
    text = dataset_report(material_of(own), ABOUT)
    found = text.split("## The data")[0].replace("\\", "")
    assert not re.search(said, text)
    assert f"Whether ruptures and repairs go with the outcome is not judged: {why}" in found
    assert "[outcome](#outcome)" in found


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.9, "better** than"), (-0.9, -0.1, "worse** than"), (-1, 1, "not clearly different**")],
)
def test_repaired_and_open_ruptures_are_compared_directly(own, low, high, word):
    table = own["estimates"]
    assert "Compared directly" not in dataset_report(material_of(own), ABOUT)
    rows = table[(table["term"] == "open_within") & (table["variant"] == "main")]
    rows = rows.assign(
        term="repaired_minus_open", estimate=(low + high) / 2, ci_low=low, ci_high=high
    )
    own["estimates"] = pd.concat([table, rows], ignore_index=True)
    text = dataset_report(material_of(own), ABOUT)
    assert text.count(f"Compared directly, the outcome after a repaired rupture was **{word}") == 1
    assert "Repaired minus open" in text
    shown = markdown.interval({"estimate": (low + high) / 2, "ci_low": low, "ci_high": high})
    assert text.count(f" {markdown.escape(shown)} |") >= 2 * rows["criterion"].nunique()


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("dropped_out", "Too few courses were left"),
        ("unknown", "How courses ended is not known, so"),
    ],
)
def test_a_picture_of_leaving_that_would_show_nothing_is_one_sentence(own, ending, said):
    own["courses"]["ending"] = ending
    text = dataset_report(material_of(own, figures={"ending_hazard": pd.DataFrame()}), ABOUT)
    assert said in text.partition("### Leaving therapy")[2].partition("## The claims")[0]
    assert "ending_hazard" not in text
