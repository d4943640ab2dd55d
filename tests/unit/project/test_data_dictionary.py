"""The data dictionary: checked as data, and written into the files."""

import json
import re

import pandas as pd
import pytest
import yaml
from pyarrow import parquet

import house
from repository import ROOT
from rupture_repair.project import data_dictionary, processed, yaml_files
from rupture_repair.project.data_dictionary import Column

FILES = sorted(data_dictionary.FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_follows_its_schema(file):
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert yaml_files.check(content, "tables", file.name) == []
    if file.stem != data_dictionary.SHARED:
        assert {"rows", "folder", "formats", "written_by", "for"} <= set(content)


def test_shared_columns_are_those_that_tables_refer_to():
    shared = yaml.safe_load((data_dictionary.FOLDER / "shared.yaml").read_text(encoding="utf-8"))
    used = set()
    for file in FILES:
        columns = yaml.safe_load(file.read_text(encoding="utf-8"))["columns"]
        used |= {name for name, told in columns.items() if told == data_dictionary.SHARED}
    assert used == set(shared["columns"])


def rules() -> dict[str, str]:
    """Return the text of each rule."""
    text = "\n".join(file.read_text("utf-8") for file in (ROOT / "workflow/rules").glob("*.smk"))
    found = re.findall(r"^rule (\w+):\n((?:(?:    .*)?\n)+)", text, flags=re.MULTILINE)
    return dict(found)


def test_each_rule_watches_what_is_said_of_the_tables_that_it_writes():
    described = {name: data_dictionary.find(name).written_by for name in data_dictionary.names()}
    texts = rules()
    assert set(described.values()) <= set(texts)
    for rule, text in texts.items():
        own = [name for name, step in described.items() if step == rule]
        watched = re.search(r"dictionary=dictionary_of\(([^)]*)\)", text)
        assert sorted(re.findall(r'"([\w/]+)"', watched[1]) if watched else []) == sorted(own), rule


def test_each_table_is_written_by_the_step_that_is_named():
    for rule in house.rules():
        tables = {name.removesuffix(".csv") for name in rule.writes}
        tables = {name.removesuffix(".parquet") for name in tables}
        for name in tables & set(data_dictionary.names()):
            assert data_dictionary.find(name).written_by == rule.name


def test_a_name_that_is_written_out_comes_before_one_that_stands_for_many():
    sessions = data_dictionary.find("sessions")
    assert sessions.column("day").unit == "days"
    assert sessions.column("alliance").name == "<measure>"
    assert data_dictionary.find("episodes").column("alliance") is None


def test_limits_are_read_from_words():
    def limits(allowed):
        return Column("x", "number", "A number.", "all", allowed=allowed).limits

    assert limits("-1 to 1") == {"minimum": -1, "maximum": 1}
    assert limits("at least 0") == {"minimum": 0}
    assert limits("up to 1") == {"maximum": 1}
    assert limits("above 0, but for ruptures that were reported") == {}
    assert limits(("1", "2")) == limits("") == {}


TABLE = pd.DataFrame({"dataset": ["a"], "n_before": [3], "new": [0.5]})


def test_the_meaning_of_columns_goes_into_both_files(tmp_path):
    processed.write(TABLE, tmp_path / "flow.parquet")
    fields = parquet.read_schema(tmp_path / "flow.parquet")
    assert fields.field("n_before").metadata[b"description"] == b"Number before this step."
    assert b"description" not in (fields.field("new").metadata or {})
    assert pd.read_parquet(tmp_path / "flow.parquet").equals(TABLE)
    told = json.loads((tmp_path / "flow.csv-metadata.json").read_text(encoding="utf-8"))
    dataset, before, new = told["tableSchema"]["columns"]
    assert dataset["datatype"] == "string"
    assert before["datatype"] == {"base": "integer", "minimum": 0}
    assert before["schema:unitText"] == "of the unit"
    assert before["dc:description"] == "Number before this step. Allowed: at least 0."
    assert new == {"name": "new", "titles": "new"}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        processed.write(TABLE, folder / "flow.parquet")
    for name in ("flow.parquet", "flow.csv", "flow.csv-metadata.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_table_that_is_not_known_has_no_description(tmp_path):
    processed.write(TABLE, tmp_path / "other.parquet")
    assert {file.name for file in tmp_path.iterdir()} == {"other.parquet", "other.csv"}
    assert pd.read_parquet(tmp_path / "other.parquet").equals(TABLE)
