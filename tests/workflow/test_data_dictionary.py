"""What the workflow writes is what the data dictionary describes: no more, no less."""

import json
import re

import pandas as pd
import pytest
from pyarrow import parquet

from rupture_repair.project import data_dictionary

#: Types of a column in memory, by what the dictionary calls it.
KINDS = {
    "text": "O",
    "whole number": "iu",
    "number": "fi",
    "yes or no": "b",
    "text or number": "Ofi",
}

#: What a cell of a CSV file may be, by its type in CSV on the Web.
CELLS = {"string": r"(?s).*", "integer": r"-?\d+", "boolean": "True|False",
         "number": r"-?\d+(\.\d+)?([eE][-+]?\d+)?"}  # fmt: skip

NAMES = data_dictionary.names()

#: What a table holds where single courses may not be shown, as they may be in the demo.
COUNTED = {"figures/raster": {"n"}}


def folder_of(project, table):
    return project.folder / table.folder.replace("<dataset>", "demo")


def written(project, table) -> pd.DataFrame:
    folder = folder_of(project, table)
    if "parquet" in table.formats:
        return pd.read_parquet(folder / f"{table.stem}.parquet")
    return pd.read_csv(folder / f"{table.stem}.csv")


def kind(values: pd.Series) -> str:
    types = pd.api.types
    if types.is_bool_dtype(values):
        return "b"
    if not types.is_numeric_dtype(values):
        return "O"
    return "i" if types.is_integer_dtype(values) else "f"


def test_every_table_is_described_and_every_described_table_is_written(demo):
    places = ("data/processed", "data/processed/demo")
    places += ("reports/figures/demo", "reports/figures/_all")
    folders = [demo.folder / place for place in places]
    files = {file for folder in folders for file in folder.iterdir()}
    tables = {file for file in files if file.suffix in (".parquet", ".csv")}
    described = {
        folder_of(demo, table) / f"{table.stem}.{suffix}"
        for table in map(data_dictionary.find, NAMES)
        for suffix in table.formats
    }
    assert len(tables) > 50
    assert tables == described
    metadata = {file.with_name(f"{file.name}-metadata.json")
                for file in tables if file.suffix == ".csv"}  # fmt: skip
    assert {file for file in files if file.name.endswith("-metadata.json")} == metadata


@pytest.mark.parametrize("name", NAMES)
def test_every_column_is_described_and_every_described_column_is_written(demo, name):
    table = data_dictionary.find(name)
    columns = list(written(demo, table).columns)
    found = [table.column(column) for column in columns]
    assert None not in found, [name for name, one in zip(columns, found, strict=True) if not one]
    # In the order of the table, but for names that the dataset gives.
    assert [one.name for one in found if "<" not in one.name] == [
        one.name
        for one in table.columns
        if "<" not in one.name and one.name not in COUNTED.get(name, set())
    ]
    columns = {one.name for one in table.columns}
    assert {one.name for one in found} == columns - COUNTED.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_types_values_and_gaps_are_those_that_are_described(demo, name):
    table = data_dictionary.find(name)
    frame = written(demo, table)
    wrong = []
    for label, values in frame.items():
        column = table.column(str(label))
        known = values.dropna()
        whole = column.type == "whole number" and (known % 1 == 0).all()
        if len(known) and kind(values) not in KINDS[column.type] and not whole:
            wrong.append(f"{label}: {values.dtype} is no {column.type}")
        if isinstance(column.allowed, tuple) and not set(known.astype(str)) <= set(column.allowed):
            wrong.append(f"{label}: {set(known.astype(str)) - set(column.allowed)}")
        limits = column.limits
        low = known < limits.get("minimum", -float("inf")) if limits else known.isna()
        low = known <= limits["minExclusive"] if "minExclusive" in limits else low
        high = known > limits.get("maximum", float("inf")) if limits else known.isna()
        if (low | high).any():
            wrong.append(f"{label}: {known[low | high].iloc[0]} is not {column.allowed}")
        if not column.missing and len(known) < len(values):
            wrong.append(f"{label}: {len(values) - len(known)} values are missing")
    assert wrong == [], wrong


@pytest.mark.parametrize("name", NAMES)
def test_parquet_fields_say_what_their_columns_mean(demo, name):
    table = data_dictionary.find(name)
    if "parquet" not in table.formats:
        return
    for field in parquet.read_schema(folder_of(demo, table) / f"{name}.parquet"):
        column = table.column(field.name)
        assert field.metadata[b"description"].decode() == column.meaning
        assert field.metadata.get(b"unit", b"").decode() == column.unit


@pytest.mark.parametrize("name", NAMES)
def test_csv_files_are_what_their_metadata_say(demo, name):
    table = data_dictionary.find(name)
    if "csv" not in table.formats:
        return
    file = folder_of(demo, table) / f"{table.stem}.csv"
    told = json.loads(file.with_name(f"{file.name}-metadata.json").read_text(encoding="utf-8"))
    assert told["url"] == file.name
    columns = told["tableSchema"]["columns"]
    cells = pd.read_csv(file, dtype=str, keep_default_na=False)
    assert [one["titles"] for one in columns] == list(cells.columns)
    for one in columns:
        base = one["datatype"]["base"] if isinstance(one["datatype"], dict) else one["datatype"]
        given = [cell for cell in cells[one["titles"]].unique() if cell]
        assert [cell for cell in given if not re.fullmatch(CELLS[base], cell)] == [], one["name"]
        assert len(one["dc:description"]) > 10
