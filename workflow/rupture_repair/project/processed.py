"""How the steps of the workflow write their tables."""

from pathlib import Path

import pandas as pd

from .csv_cells import write_csv


def write_parquet(table: pd.DataFrame, file: str | Path) -> None:
    """Write a table for the next steps; each page carries a checksum of its bytes."""
    table.to_parquet(file, index=False, write_page_checksum=True)


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
    write_csv(table, Path(parquet).with_suffix(".csv"))


def of_criterion(table: pd.DataFrame, measure: str, criterion: str) -> pd.DataFrame:
    """Return the rows of one measure and criterion."""
    return table[(table["measure"] == measure) & (table["criterion"] == criterion)]
