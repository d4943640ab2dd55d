"""What reports show first, and the rule `best`."""

import pandas as pd
import pytest

from made_measures import made_measure
from rupture_repair.project.headline import PREFERRED, one_for_all, resolved, what_to_show

MEASURES = {
    "by_therapist": made_measure("by_therapist", rater="therapist"),
    "by_client": made_measure("by_client", rater="client"),
}


def detection(**assessable) -> pd.DataFrame:
    """Which criteria could be assessed by the clients' ratings; none by the therapists'."""
    rows = [
        {"measure": measure, "criterion": name, "assessable": flag and measure == "by_client"}
        for measure in MEASURES
        for name, flag in assessable.items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("model", "dip", "chosen"),
    [
        (True, True, "rupture_probability"),
        (False, True, "dip"),
        (True, False, "rupture_probability"),
        (False, False, "dip"),
    ],
)
def test_best_is_the_model_where_it_is_identified_and_else_dip(model, dip, chosen):
    table = detection(v_2sd=True, dip=dip, rupture_probability=model)
    assert resolved("best", table, "by_client") == chosen
    assert resolved("best", table, "by_therapist") == "dip"
    assert resolved("v_2sd", table, "by_client") == "v_2sd"


def test_best_is_shown_unless_nothing_of_it_can_be_assessed():
    table = detection(v_2sd=True, dip=True, rupture_probability=True)
    assert what_to_show(table, MEASURES, "best") == ("by_client", "rupture_probability")
    table = detection(v_2sd=True, dip=False, rupture_probability=False)
    assert what_to_show(table, MEASURES, "best") == ("by_client", "v_2sd")


def test_what_does_not_hang_on_one_dataset_has_the_last_of_the_preferred():
    assert one_for_all("best") == PREFERRED[-1] == "dip"
    assert one_for_all("v_2sd") == "v_2sd"
