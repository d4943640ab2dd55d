"""How the steps of the workflow write their tables."""

from pathlib import Path

import pandas as pd


def write(table: pd.DataFrame, parquet: str | Path) -> None:
    """Write a table twice: for the next steps, and for people.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.
    parquet : path
        The file for the next steps; the other gets its name with the suffix ``.csv``. The same
        table gives the same bytes on every machine.
    """
    table.to_parquet(parquet, index=False)
    table.to_csv(Path(parquet).with_suffix(".csv"), index=False, lineterminator="\n")


def of_criterion(table: pd.DataFrame, measure: str, criterion: str) -> pd.DataFrame:
    """Return the rows of one measure and criterion."""
    return table[(table["measure"] == measure) & (table["criterion"] == criterion)]
