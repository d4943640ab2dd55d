"""What is written as CSV is no formula to a spreadsheet, and reads back as it was."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rupture_repair.project import processed
from rupture_repair.project.csv_cells import defused, write_csv

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def written(table: pd.DataFrame) -> list[list[str]]:
    """Return the cells of the CSV of a table, as a plain reader sees them."""
    text = io.StringIO()
    write_csv(table, text)
    return list(csv.reader(io.StringIO(text.getvalue(), newline="")))[1:]


def read_back(cell: str) -> str:
    return cell[1:] if cell.lstrip("'").startswith(DANGEROUS) and cell.startswith("'") else cell


CELLS = st.one_of(
    st.text(alphabet="'=+-@\t\r\nab1.,;\" ", max_size=8), st.sampled_from(["-1", "+1e5", "-.5"])
)


@given(st.lists(CELLS, min_size=1))
def test_no_text_is_a_formula_and_each_reads_back(texts):
    cells = [row[0] if row else "" for row in written(pd.DataFrame({"id": texts}))]
    for cell in cells:
        if cell.startswith(DANGEROUS):
            float(cell)  # a number with a sign
    assert [read_back(cell) for cell in cells] == texts


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_texts_of_every_kind_are_defused_and_missing_ones_stay(kind):
    column = pd.Series(["=1+1", None, "ok", "=1+1"], dtype=kind)
    assert [row[0] for row in written(pd.DataFrame({"id": column, "n": 1}))] == [
        "'=1+1", "", "ok", "'=1+1",
    ]  # fmt: skip
    assert column[0] == "=1+1"


def test_numbers_and_flags_are_written_as_they_are():
    table = pd.DataFrame({"a": [-1.5, np.nan], "b": [-2, 3], "c": [True, False]})
    assert defused(table).equals(table)
    assert written(table) == [["-1.5", "-2", "True"], ["", "3", "False"]]


def test_a_page_of_a_table_carries_its_checksum(tmp_path):
    file = tmp_path / "a.parquet"
    processed.write_parquet(pd.DataFrame({"a": np.arange(1000.0)}), file)
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1  # one bit, in the middle of the numbers
    file.write_bytes(bytes(content))
    with pytest.raises(OSError, match="checksum"):
        pd.read_parquet(file, page_checksum_verification=True)
