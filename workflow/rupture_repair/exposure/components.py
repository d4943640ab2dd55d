"""How reliable the components of a measure are, within and between courses."""

import numpy as np
import pandas as pd

COMPONENT_COLUMNS = ("component", "level", "value", "n_courses", "n_sessions")


def components(sessions: pd.DataFrame, measure: str, names: list[str]) -> pd.DataFrame:
    """Return how well each component goes with the others, and how reliable their sum is.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table.
    measure : str
    names : list of str
        Its components; their ratings are in the columns ``<measure>__<component>``.

    Returns
    -------
    DataFrame
        One row per component and level: `value` is the correlation of the component with the sum
        of the others, `level` between (of course means) or within (of deviations from them).
        Rows with the component "all": Cronbach's alpha at this level. `n_courses` and `n_sessions`
        with all components rated. Without rows for fewer than two components or courses.
    """
    columns = {f"{measure}__{name}": name for name in names}
    empty = pd.DataFrame(columns=list(COMPONENT_COLUMNS))
    if len(names) < 2 or not set(columns) <= set(sessions):
        return empty
    table = sessions.dropna(subset=list(columns)).rename(columns=columns)
    by_course = table.groupby("course", observed=True)[list(names)]
    means = by_course.mean()
    levels = {"between": means, "within": table[list(names)] - by_course.transform("mean")}
    if len(means) < 2 or len(table) == len(means):
        return empty
    rows = []
    for level, scores in levels.items():
        whole = scores.sum(axis=1)
        for name in names:
            value = scores[name].corr(whole - scores[name])
            rows.append((name, level, value, len(means), len(table)))
        number, spread = len(names), whole.var()
        alpha = number / (number - 1) * (1 - scores.var().sum() / spread) if spread else np.nan
        rows.append(("all", level, alpha, len(means), len(table)))
    return pd.DataFrame(rows, columns=list(COMPONENT_COLUMNS))
