"""How the steps of the workflow write their tables."""

import json
from pathlib import Path

import pandas as pd

from . import data_dictionary
from .csv_cells import write_csv


def write_parquet(table: pd.DataFrame, file: str | Path) -> None:
    """Write a table for the next steps.

    Each page carries a checksum of its bytes, and each field what its column means.
    """
    import pyarrow as pa
    from pyarrow import parquet

    made = pa.Table.from_pandas(table, preserve_index=False)
    schema = data_dictionary.described(made.schema, Path(file).stem)
    described = pa.Table.from_arrays(made.columns, schema=schema)
    parquet.write_table(described, file, write_page_checksum=True)


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


def of_criterion(table: pd.DataFrame, measure: str, criterion: str) -> pd.DataFrame:
    """Return the rows of one measure and criterion."""
    return table[(table["measure"] == measure) & (table["criterion"] == criterion)]
