"""Tables of a dataset: what detection found is read criterion by criterion."""

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from rupture_repair.project.dataset import Detected
from rupture_repair.project.processed import of_criterion, read_criterion

PAIRS = [("bond", "dip"), ("bond", "tooth"), ("bond_therapist", "dip")]


def table(places=("c1", "c2", "c3")) -> pd.DataFrame:
    rows = [
        {"measure": measure, "criterion": criterion, "course": course, "session": session}
        for measure, criterion in PAIRS
        for course in places
        for session in (1, 2)
    ]
    made = pd.DataFrame(rows)
    return made.assign(state="steady").astype(dict.fromkeys(["measure", "criterion"], "category"))


@pytest.fixture
def files(tmp_path):
    """Return the files of a study; the states have a group of rows for each criterion."""
    made = {name: tmp_path / f"{name}.parquet" for name in ("states", "episodes", "detection")}
    states = pa.Table.from_pandas(table(), preserve_index=False)
    parquet.write_table(states, made["states"], row_group_size=6)
    table().to_parquet(made["episodes"])
    table(["c1"]).drop_duplicates(["measure", "criterion"]).to_parquet(made["detection"])
    return made


def values(states: pd.DataFrame) -> list:
    return states.astype("str").to_numpy().tolist()


@pytest.mark.parametrize("pair", PAIRS)
def test_the_rows_of_a_criterion_are_those_of_the_whole_table(files, pair):
    detected = Detected.read(files)
    whole = of_criterion(pd.read_parquet(files["states"]), *pair)
    assert values(detected.of(*pair).states) == values(whole)
    assert len(whole) == 6
    assert values(detected.states) == values(pd.read_parquet(files["states"]))
    assert detected.pairs() == PAIRS


def test_only_the_groups_of_a_criterion_are_read(files, monkeypatch):
    asked = []
    read = parquet.ParquetFile.read_row_groups
    monkeypatch.setattr(
        parquet.ParquetFile,
        "read_row_groups",
        lambda self, groups, **how: asked.append(groups) or read(self, groups, **how),
    )
    read_criterion(files["states"], "bond", "tooth")
    assert asked == [[1]]


def test_a_criterion_that_is_not_there_has_no_rows(files):
    assert read_criterion(files["states"], "bond", "own_mean_2sd").empty
    assert list(read_criterion(files["states"], "a", "b", ["state", "measure", "criterion"])) == [
        "state", "measure", "criterion",
    ]  # fmt: skip
