"""Whether the groups and categories of a formula are written in one way each."""

import pandas as pd

from ..project.file_rows import row_numbers
from ..project.problems import ProblemsFound
from ..statistics import formulas
from ..statistics.formula_calls import rewrite
from . import spellings


def refuse_two_spellings(formula: str, data: pd.DataFrame) -> None:
    """Refuse groups and categories that are written in two ways.

    Parameters
    ----------
    formula : str
        In lme4's notation.
    data : DataFrame
        The table; columns of the formula that it does not have are left to others.

    Raises
    ------
    ProblemsFound
        E219 (two spellings), E221 (ids that a program has changed), and what is wrong with the
        formula (E501, E502).
    """
    rewritten = rewrite(formula)
    description, random = formulas.read(rewritten)
    units = {name for blocks in random.values() for name in blocks[0][0].factor.var_names}
    rows, found = row_numbers(data), []
    for name in sorted(rewritten.base(description.var_names) & set(data.columns)):
        if not pd.api.types.is_numeric_dtype(data[name]):
            column = spellings.of_series(data[name], rows)
            if name in units:
                found += spellings.id_faults(column, "group", accept=False)
            else:  # in R, B and b are two levels
                found += spellings.two_spellings(column, "category", False, capitals=False)
    if found:
        raise ProblemsFound(found)
