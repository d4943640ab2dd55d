"""Episodes expected by chance in a table: the same numbers as those of the pipeline."""

import pandas as pd
import pytest

import rupture_repair
from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair import NoteWarning, ProblemsFound, expected_by_chance
from rupture_repair.chance.compare_with_chance import expected, prepare
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import prepared


@pytest.fixture(scope="module")
def ratings():
    return rupture_repair.simulate(seed=3, n_courses=15, n_therapists=3).sessions


def test_the_same_as_the_pipeline_finds(ratings):
    found = expected_by_chance(ratings, rating="alliance", better="higher", range=(0, 40),
                               criterion=["v_1sd", "v_2sd"], replicates=30, seed=9)  # fmt: skip
    measure = made_measure("rating")
    rules = criteria.load(["v_1sd", "v_2sd"])
    table = ratings.rename(columns={"alliance": "rating"})
    null = prepare(prepared(table, "rating", measure, rules), "rating", measure, seed=9)
    how = chance_settings(replicates=30)
    same, _ = expected(null, rules, EDGE_RULES, how, dataset="d")
    same = same.drop(columns=["dataset", "measure"])
    pd.testing.assert_frame_equal(found, same)
    assert (found["status"] == "assessed").all()
    assert found["expected"].gt(0).all()


def test_cores_change_nothing(ratings):
    asked = {"rating": "alliance", "better": "higher", "criterion": "v_1sd", "replicates": 20,
             "null_models": ["shuffle"]}  # fmt: skip
    one, two = (expected_by_chance(ratings, cores=cores, **asked) for cores in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one["null_model"].tolist() == ["shuffle"]


def test_what_cannot_be_assessed_is_a_row_with_the_reason(ratings):
    with pytest.warns(NoteWarning, match="srs_cutoff is a rule for the SRS"):
        found = expected_by_chance(ratings, rating="alliance", better="higher", replicates=5,
                                   criterion=["reliable_drop", "srs_cutoff", "v_1sd"],
                                   null_models=["shuffle"])  # fmt: skip
    assert found["criterion"].tolist() == ["reliable_drop", "srs_cutoff", "v_1sd"]
    assert found["status"].tolist() == ["not_assessable", "assessed", "assessed"]
    assert "no reliability is known" in found["reason"][0]
    assert found["expected"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replicates": 0}, "E719 replicates=: '0' cannot be used. Allowed: a whole number from "
         "1."),
        ({"null_models": ["white"]}, "E719 null_models=: '['white']' cannot be used. Allowed: "
         "autoregressive, shuffle."),
        ({"cores": 0}, "E719 cores=: '0' cannot be used. Allowed: a whole number from 1."),
        ({"criterion": "v_9sd"}, "E720 criterion=: there is no criterion 'v_9sd'."),
        ({"rating": "allience"}, "E714 rating=: there is no column 'allience'."),
    ],
)  # fmt: skip
def test_messages(ratings, changes, message):
    asked = {"rating": "alliance", "better": "higher", "criterion": "v_2sd"} | changes
    with pytest.raises(ProblemsFound) as found:
        expected_by_chance(ratings, **asked)
    assert str(found.value).startswith(message)
