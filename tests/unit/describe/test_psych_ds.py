"""Datasets in the words of Psych-DS."""

import json

import pytest
import yaml

from repository import ROOT
from rupture_repair import cli
from rupture_repair.describe.psych_ds import dataset_description
from rupture_repair.project import yaml_files

DATASETS = sorted(ROOT.glob("workflow/datasets/*/dataset.yaml"))


@pytest.fixture(
    params=[ROOT / "data/raw/demo/dataset.yaml", *DATASETS], ids=lambda one: one.parent.name
)
def file(request):
    return request.param


def test_what_psych_ds_requires_is_there_and_each_column_once(file):
    found = dataset_description(yaml_files.read(file, "dataset"))
    assert found["@type"] == "Dataset"
    assert found["@context"] == "https://schema.org/"
    assert found["name"]
    assert found["description"]
    names = [one["name"] for one in found["variableMeasured"]]
    assert len(names) == len(set(names)) > 1
    assert {one["@type"] for one in found["variableMeasured"]} == {"PropertyValue"}
    assert ("url" in found) != ("creditText" in found)


def test_every_column_of_the_demo_but_those_nobody_declared_is_a_variable(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["describe", "demo", "--psych-ds"]) == 0
    found = json.loads(capsys.readouterr().out)
    variables = {one["name"]: one for one in found["variableMeasured"]}
    described = yaml.safe_load((ROOT / "data/raw/demo/dataset.yaml").read_text("utf-8"))
    for table in described["tables"].values():
        header = (ROOT / "data/raw/demo" / table["file"]).read_text("utf-8").splitlines()[0]
        assert set(header.split(",")) - set(variables) <= {"session_date"}
    total = variables["srs_total"]
    assert (total["minValue"], total["maxValue"]) == (0, 40)
    assert total["description"] == "Alliance, rated by the client, total"


def test_the_wide_form_and_scores_before_and_after_are_described():
    content = {
        "title": "Clinic", "source": "a clinic", "licence": "none", "citation": "none",
        "tables": {"sessions": {"file": "a.csv", "course": "id"},
                   "courses": {"file": "b.csv", "course": "id", "covariates": {"age": "Age (y)"}}},
        "measures": {"alliance": {"rater": "client", "pattern": "W{session}", "range": [0, 7]},
                     "outcome": {"rater": "observer", "first": "pre", "last": "post"}},
    }  # fmt: skip
    found = {one["name"]: one for one in dataset_description(content)["variableMeasured"]}
    assert list(found) == ["id", "Age (y)", "W{session}", "pre", "post"]
    assert found["W{session}"]["maxValue"] == 7
    assert found["post"]["description"] == "outcome, rated by observer, last"


def test_an_unknown_dataset_is_a_message(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["describe", "dmo", "--psych-ds"]) == 1
    assert "E107" in capsys.readouterr().err
