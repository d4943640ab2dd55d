"""What the report says where there is no evidence on the alliance, or too little to draw."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from bundles import material_of
from made_reports import ABOUT
from rupture_repair.models.definitions import SAME_SCORES
from rupture_repair.models.evidence import STANDS_IN
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
