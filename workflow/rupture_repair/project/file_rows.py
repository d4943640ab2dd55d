"""How messages call the rows of a table: as a spreadsheet shows them."""

import numpy as np
import pandas as pd

from .arrays import Integers

#: Name of an index that holds the rows of a file as a spreadsheet shows them.
FILE_ROW = "row of the file"


def row_numbers(table: pd.DataFrame) -> Integers:
    """Return the rows as a spreadsheet shows them: those of the file where known, else from 2.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    ndarray of int, shape (rows,)

    Examples
    --------
    >>> row_numbers(pd.DataFrame({"rating": [30.0, 31.0]}, index=["a", "b"])).tolist()
    [2, 3]
    """
    if table.index.name == FILE_ROW:
        return table.index.to_numpy(dtype=np.intp)
    return np.arange(2, len(table) + 2)
