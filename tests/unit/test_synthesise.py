import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_synthesis import MEASURES, by_probability, claims, estimates, pooled
from rupture_repair import synthesise
from rupture_repair.disclosure.disclose import write
from rupture_repair.disclosure.gate import Gate
from rupture_repair.models.definitions import PROBABLE_CRITERION, SAME_SCORES
from rupture_repair.models.evidence import OTHER_MEASURE, STANDS_IN
from rupture_repair.report.sections import synthesis
from rupture_repair.statistics import pooling


def of(table, term="repaired_within"):
    return table[table["term"] == term].reset_index(drop=True)


def test_standardised_estimates_with_their_errors_are_pooled():
    tables = [estimates(f"d{at}", value, error) for at, (value, error) in
              enumerate([(0.5, 0.2), (1.0, 0.3), (-0.2, 0.25)])]  # fmt: skip
    row = of(pooled(*tables)[0]).iloc[0]
    expected = pooling.pool([0.05, 0.1, -0.02], [0.02, 0.03, 0.025])
    assert row["status"] == "pooled"
    for name in ("estimate", "std_error", "ci_low", "tau2", "i2", "prediction_high", "q_p"):
        assert row[name] == pytest.approx(getattr(expected, name)), name
    assert (row["n_datasets"], row["n_left_out"], row["n_courses"]) == (3, 0, 60)
    assert "3 datasets tell little" in row["reason"]


def test_a_negative_estimate_has_a_positive_error():
    studies = of(pooled(estimates("a", -0.5), estimates("b", 0.5))[1])
    assert studies["std_error"].tolist() == pytest.approx([0.02, 0.02])
    assert studies["estimate"].tolist() == pytest.approx([-0.05, 0.05])


def test_without_each_dataset():
    values = [(0.5, 0.2), (1.0, 0.3), (-0.2, 0.25), (0.3, 0.1)]
    tables = [estimates(f"d{at}", *pair) for at, pair in enumerate(values)]
    studies = of(pooled(*tables)[1])
    assert studies["weight"].sum() == pytest.approx(1)
    for at in range(4):
        rest = [pair for place, pair in enumerate(values) if place != at]
        expected = pooling.pool([v / 10 for v, _ in rest], [e / 10 for _, e in rest])
        row = studies.iloc[at]
        assert row["without_estimate"] == pytest.approx(expected.estimate)
        assert row["without_ci_high"] == pytest.approx(expected.ci_high)
        assert row["without_tau2"] == pytest.approx(expected.tau2)
        assert row["without_i2"] == pytest.approx(expected.i2)


def test_of_two_datasets_none_can_be_left_out():
    assert of(pooled(estimates("a", 0.1), estimates("b", 0.2))[1])["without_i2"].isna().all()


def test_one_dataset_says_that_nothing_can_be_pooled():
    found, studies = pooled(estimates("clinic", 0.5))
    assert set(found["status"]) == {"not_pooled"}
    assert set(found["reason"]) == {
        "only the dataset clinic has an estimate: nothing can be pooled"
    }
    assert found["estimate"].isna().all()
    assert studies["weight"].isna().all()
    assert synthesise.in_words(found) == [
        "4 not pooled: only the dataset clinic has an estimate: nothing can be pooled"
    ]


def test_datasets_without_an_estimate_are_named_with_their_reason():
    none = {"status": "not_assessable", "message": "the criterion is not assessable: no range"}
    found, studies = pooled(estimates("a", 0.1), estimates("b", 0.2), estimates("c", 0, **none))
    row = of(found).iloc[0]
    assert (row["status"], row["n_datasets"], row["n_left_out"]) == ("pooled", 2, 1)
    reason = of(studies).set_index("dataset").loc["c", "reason"]
    assert reason == "the criterion is not assessable: no range"
    found, _ = pooled(estimates("c", 0, **none))
    assert set(found["reason"]) == {
        "no dataset has an estimate that can be pooled; "
        "c (bond): the criterion is not assessable: no range"
    }


def test_no_model_at_all():
    found, studies = pooled(estimates("a", 0.1).assign(model="growth"))
    assert found.empty
    assert studies.empty
    assert list(found.columns) == list(synthesise.COLUMNS)


def test_same_scores_are_left_out_unless_asked_for():
    tables = [estimates("a", 0.1), estimates("b", 0.2)]
    tables.append(estimates("c", 3.0, message=f"{SAME_SCORES}; 2 rows left out"))
    found, studies = pooled(*tables)
    assert of(found)["n_datasets"].item() == 2
    assert of(studies).set_index("dataset").loc["c", "reason"] == SAME_SCORES
    found, studies = pooled(*tables, same_scores="pooled")
    assert of(found)["n_datasets"].item() == 3
    assert of(studies)["used"].all()


def test_what_stands_in_for_the_alliance_is_never_pooled():
    tables = [estimates(name, 0.1) for name in "abc"]
    judged = pd.concat([claims(name, 0.1) for name in "abc"])
    substitute = {**MEASURES, "bond": replace(MEASURES["bond"], stands_in="A symptom scale.")}
    facts = {name: {"synthetic": False, "measures": MEASURES} for name in "ab"}
    facts["c"] = {"synthetic": False, "measures": substitute}
    for same_scores in ("left_out", "pooled"):
        found = synthesise.studies(
            pd.concat(tables), facts, claims=judged, same_scores=same_scores
        ).query("estimate == estimate")
        assert set(found.loc[found["dataset"] == "c", "reason"]) == {STANDS_IN}
        assert found.loc[found["dataset"] != "c", "used"].all()


def test_synthetic_data_are_not_pooled_with_observed_ones():
    tables = [estimates(name, 0.1) for name in ("a", "b", "demo")]
    found, studies = pooled(*tables, synthetic={"demo"})
    assert of(found)["n_datasets"].item() == 2
    assert "synthetic" in of(studies).set_index("dataset").loc["demo", "reason"]
    assert of(pooled(*tables, synthetic={"a", "b", "demo"})[0])["n_datasets"].item() == 3


def test_a_twin_is_not_pooled_with_its_study():
    facts = {name: {"synthetic": True, "twin": name == "b", "measures": MEASURES} for name in "ab"}
    found = synthesise.studies(pd.concat([estimates(name, 0.1) for name in "ab"]), facts)
    found = found.query("estimate == estimate")
    assert set(found.loc[found["dataset"] == "b", "reason"]) == {"a twin is no study of its own"}
    assert found.loc[found["dataset"] == "a", "used"].all()


def test_each_dataset_counts_once_by_the_measure_of_its_clients():
    tables = [estimates(name, 0.1, measure=measure) for name in "ab" for measure in MEASURES
              if measure != "mood"]  # fmt: skip
    found, studies = pooled(*tables)
    assert of(found)["n_datasets"].item() == 2
    used = of(studies).query("used")
    assert set(used["measure"]) == {"bond"}
    assert set(of(studies).query("not used")["reason"]) == {OTHER_MEASURE}


def test_main_measure_is_the_first_of_clients_else_the_first():
    assert synthesise.main_measure(MEASURES) == "bond"
    only = {"bond_t": MEASURES["bond_t"]}
    assert synthesise.main_measure(only) == "bond_t"
    assert synthesise.main_measure({"mood": MEASURES["mood"]}) is None


def test_claims_with_a_standardised_estimate_are_pooled_too():
    table = pd.concat([claims("a", 0.2), claims("b", 0.4), claims("c", np.nan, np.nan)])
    found, studies = pooled(
        estimates("a", 0.1), estimates("b", 0.2), estimates("c", 0.3), claims=table
    )
    row = found[found["claim"] == "C6"].iloc[0]
    assert row["estimate"] == pytest.approx(0.3)
    assert (row["n_datasets"], row["n_left_out"], row["term"]) == (2, 1, "outcome")
    assert set(found["claim"]) == {"C6", "C7"}
    assert of(found)["estimate"].item() < 1
    assert studies.query("claim == 'C6' and dataset == 'c'")["reason"].item() == "an estimate"


def test_effects_by_probabilities_are_pooled_apart_in_residual_sd_and_shown_first():
    tables = [estimates("a", 0.1), estimates("b", 0.2)]
    tables += [by_probability("a", -2.0), by_probability("b", -1.0, 0.4)]
    none = {"status": "not_assessable", "message": "few courses"}
    tables.append(estimates("c", 0.0, **none).assign(variant="probable_total",
                                                     criterion=PROBABLE_CRITERION))  # fmt: skip
    found, studies = pooled(*tables)
    total = found[(found["variant"] == "probable_total") & (found["term"] == "open_within")]
    expected = pooling.pool([-1.0, -0.5], [0.1, 0.2])
    assert total["estimate"].item() == pytest.approx(expected.estimate)
    assert (total["n_datasets"].item(), total["n_left_out"].item()) == (2, 1)
    left_out = studies[(studies["dataset"] == "c") & (studies["model"] == "next_session")]
    assert set(left_out["reason"]) == {"few courses"}
    rows = synthesis.synthesis(synthesis.shown(found, "dip"))
    effects = [str(row["effect"]) for row in rows]
    assert effects[:2] == [
        "in an open rupture, within courses (by probabilities)",
        "in an open rupture, within courses (beyond the rating)",
    ]
    assert len(effects) == 6
    assert len(synthesis.shown(found, "tooth")) == len(found) - 4


def test_agreement_beyond_the_errors_is_a_caution():
    found, _ = pooled(*[estimates(f"d{at}", 0.1 + at / 1000, 0.5) for at in range(6)])
    assert "the interval may be too narrow" in of(found)["reason"].item()


def test_files_are_read(tmp_path):
    files: dict[str, list[str]] = {"about": [], "measures": [], "estimates": []}
    write(Gate(), tmp_path / "disclosed.json")
    files["gates"] = [str(tmp_path / "disclosed.json")] * 2
    described = {name: one.as_dict() for name, one in MEASURES.items()}
    for name, value in (("a", 0.1), ("b", 0.3)):
        for kind, content in (("about", {"synthetic": False}), ("measures", described)):
            path = tmp_path / f"{name}-{kind}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            files[kind].append(str(path))
        files["estimates"].append(str(tmp_path / f"{name}.parquet"))
        estimates(name, value).to_parquet(files["estimates"][-1])
    found = of(synthesise.read(["a", "b"], **files))
    assert found["used"].all()
    path = tmp_path / "claims.parquet"
    claims("a", 0.2).astype({"n_sessions": "Int64"}).to_parquet(path)
    found = synthesise.read(["a", "b"], **files, claims=[str(path)])
    assert set(found["claim"]) == {"C6", "C7"}
