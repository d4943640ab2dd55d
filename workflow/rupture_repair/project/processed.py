"""How the steps of the workflow write their tables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from . import data_dictionary
from .csv_cells import write_csv

#: Of all tables in Parquet: up to a quarter smaller than the default, and about as quick to read.
COMPRESSION = "zstd"


def write_parquet(table: pd.DataFrame, file: str | Path) -> None:
    """Write a table for the next steps.

    Each page carries a checksum of its bytes, and each field what its column means.
    """
    import pyarrow as pa
    from pyarrow import parquet

    made = pa.Table.from_pandas(table, preserve_index=False)
    schema = data_dictionary.described(made.schema, Path(file).stem)
    described = pa.Table.from_arrays(made.columns, schema=schema)
    parquet.write_table(described, file, write_page_checksum=True, compression=COMPRESSION)


def write_for_people(
    table: pd.DataFrame, csv: str | Path, *, folder: str = "", float_format: str | None = None
) -> None:
    """Write a table as CSV, and next to it what its columns mean.

    The second file is called ``<csv>-metadata.json``, where programs that know CSV on the Web
    look for it. A table that the data dictionary does not know has none.

    Parameters
    ----------
    table : DataFrame
    csv : path
    folder : str
        Before the name of the table in the dictionary: ``figures/`` for the numbers of a figure.
    float_format : str, optional
        That of numbers; by default all digits.
    """
    csv = Path(csv)
    write_csv(table, csv, float_format)
    known = data_dictionary.find(f"{folder}{csv.stem}")
    if known:
        metadata = data_dictionary.csv_on_the_web(known, list(table.columns))
        text = json.dumps(metadata, indent=1, ensure_ascii=False)
        csv.with_name(f"{csv.name}-metadata.json").write_text(text + "\n", encoding="utf-8")


def write(table: pd.DataFrame, parquet: str | Path) -> None:
    """Write a table twice: for the next steps, and for people.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.
    parquet : path
        The file for the next steps; the other gets its name with the suffix ``.csv``. The same
        table gives the same bytes on every machine. See
        :mod:`rupture_repair.project.csv_cells` for texts that begin as formulas do.
    """
    write_parquet(table, parquet)
    write_for_people(table, Path(parquet).with_suffix(".csv"))


def read_criterion(
    file: str | Path, measure: str, criterion: str, columns: list[str] | None = None
) -> pd.DataFrame:
    """Read the rows of one measure and criterion of a large table.

    Only the groups of rows that may hold some are read: detection writes one for each criterion.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(file) as table:
        about = table.metadata
        groups = [
            number
            for number in range(about.num_row_groups)
            if _may_hold(about.row_group(number), {"measure": measure, "criterion": criterion})
        ]
        # Without threads: a process that was copied has none of those that Arrow started.
        rows = table.read_row_groups(groups, columns=columns, use_threads=False).to_pandas()
    return of_criterion(rows, measure, criterion)


def _may_hold(group: Any, wanted: Mapping[str, str]) -> bool:
    """Say whether rows may hold these values: by the least and the largest of each column."""
    columns = (group.column(place) for place in range(group.num_columns))
    known = {column.path_in_schema: column.statistics for column in columns}
    return all(
        known[name] is None
        or not known[name].has_min_max
        or known[name].min <= value <= known[name].max
        for name, value in wanted.items()
    )


def of_criterion(table: pd.DataFrame, measure: str, criterion: str) -> pd.DataFrame:
    """Return the rows of one measure and criterion."""
    return table[(table["measure"] == measure) & (table["criterion"] == criterion)]
