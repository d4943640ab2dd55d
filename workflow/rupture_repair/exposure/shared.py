"""What tables of exposure are made of: ratings turned, states as exposure, look-ups by course."""

import numpy as np
import pandas as pd

from ..project.measures import Measures
from ..project.setting_groups import ExposureRules

#: Kinds of exposure.
EXPOSURES = ("repaired", "open")


def turned(table: pd.DataFrame, measures: Measures, measure: str) -> pd.DataFrame:
    """Return the ratings of a measure, turned so that higher is better.

    Parameters
    ----------
    table : DataFrame
        Canonical `sessions`.
    measures : mapping of str to Measure
    measure : str
        A measure of level "session".

    Returns
    -------
    DataFrame
        Columns `course`, `session`, `value`: one row per rated session, sorted so. `value` is in
        points of the instrument; negated where lower is better.
    """
    sign = measures[measure].sign
    value = sign * table[measure].to_numpy("float64", na_value=np.nan)
    rated = np.flatnonzero(~np.isnan(value))
    ratings = {
        "course": table["course"].astype("str").array[rated],
        "session": table["session"].to_numpy("int64")[rated],
        "value": value[rated],
    }
    return _in_order(pd.DataFrame(ratings))


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table sorted by course and session, which canonical tables are already."""
    course, session = table["course"].to_numpy(object), table["session"].to_numpy()
    later = course[1:] > course[:-1]
    same = course[1:] == course[:-1]
    if (later | (same & (session[1:] >= session[:-1]))).all():
        return table
    return table.sort_values(["course", "session"], ignore_index=True)


def same_scores(table: pd.DataFrame, measure: str, outcome: str) -> bool:
    """Tell whether two measures are the same scores, one of them perhaps reversed.

    Parameters
    ----------
    table : DataFrame
        Canonical `sessions`.
    measure, outcome : str
        Two columns of it.

    Returns
    -------
    bool
        True if, over the sessions rated on both, one is an exact linear function of the other.
    """
    if measure not in table or outcome not in table:
        return False
    both = table[[measure, outcome]].dropna().to_numpy(float)
    if len(both) < 3 or np.ptp(both, axis=0).min() == 0:
        return False
    return abs(np.corrcoef(both.T)[0, 1]) > 1 - 1e-9


def of_measure(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of one measure, where the table has several."""
    return table[table["measure"] == measure] if "measure" in table else table


def exposed(states: pd.DataFrame, measure: str, rules: ExposureRules) -> pd.DataFrame:
    """Return `course`, `session`, `repaired`, `open` of the assessable sessions."""
    own = of_measure(states, measure)
    own = own[own["state"] != "not_assessable"]
    state = own["state"]
    table = pd.DataFrame(
        {
            "course": own["course"].astype("str").array,
            "session": own["session"].to_numpy("int64"),
            "repaired": state.isin(rules.repaired).to_numpy("float64"),
            "open": state.isin(rules.open).to_numpy("float64"),
        }
    )
    return _in_order(table)


def by_course(table: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Return the number of each row's course, missing where there is none."""
    return table["course"].map(values).astype("float64")


def therapist_of(course: pd.Series, courses: pd.DataFrame) -> pd.Series:
    """Return the therapist of each row's course, missing where the dataset does not say."""
    if "therapist" not in courses:
        return pd.Series(pd.NA, index=course.index, dtype="str")
    by_course = pd.Series(
        courses["therapist"].astype("str").to_numpy(), index=courses["course"].astype("str")
    )
    return course.map(by_course).astype("str")
