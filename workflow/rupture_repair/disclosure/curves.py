"""What figures draw of courses and sessions, as it may be shown.

A mean of few values tells by its digits of how many it is the mean. So curves are rounded, and
places that depend on how many values there are become fixed ones.
"""

import numpy as np
import pandas as pd
from scipy import special

from .gate import Gate
from .limits import apart
from .tables import said

#: The state under which withheld counts of a session are put together.
OTHER = "withheld"

#: Digits of curves: of ratings, and of what is in units of a standard deviation.
OF_RATINGS, OF_RESIDUALS = 1, 2

#: Ranges of ordered values where these are many, and where they are few.
RANGES = (10, 5)

#: Quantiles are tenths at the finest.
TENTHS = 10

#: Side of a cell of residuals, in residual standard deviations.
CELL = 0.5


def states(gate: Gate, counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts of courses by session and state, withheld ones of a session put together.

    Parameters
    ----------
    gate : Gate
    counts : DataFrame
        From :func:`rupture_repair.exposure.summaries.courses_by_state`.

    Returns
    -------
    DataFrame
        The same columns. Sessions whose total is withheld are left out.
    """
    if gate.open:
        return counts
    names = counts[["session", "state"]].astype(str)
    shown = [gate.passes(("states", *pair)) for pair in names.itertuples(index=False)]
    total = [gate.passes(("states", session)) for session in names["session"]]
    pooled = counts.assign(state=counts["state"].where(shown, OTHER))
    pooled = pooled[np.array(total, dtype=bool)]  # no column, where there is no row
    return pooled.groupby(["session", "state"], as_index=False, sort=False)["n"].sum()


def leaving(gate: Gate, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of :func:`rupture_repair.exposure.summaries.leaving_by_state` to show."""
    keys = zip(counts["before"], counts["session_from"].astype(str), strict=True)
    shown = [all(gate.passes(("leaving", *key, name)) for name in ("n", "left")) for key in keys]
    return counts[np.array(shown, dtype=bool)]


_CURVE = ("mean", "low", "high")


def around_onsets(gate: Gate, curves: pd.DataFrame) -> pd.DataFrame:
    """Return curves around onsets where enough ratings make them, without how many these are."""
    if gate.open:
        return curves
    enough = curves[curves["n"] >= gate.least].round(dict.fromkeys(_CURVE, OF_RATINGS))
    return enough.assign(n=pd.array([pd.NA] * len(enough), dtype="Int64"))


def ratings_by_session(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles of sessions at which a tenth of the ratings is enough, uncounted."""
    if gate.open:
        return table
    enough = table[table["n"] >= TENTHS * gate.least]
    numbers = [name for name in enough.select_dtypes("number") if name not in ("session", "n")]
    rounded = enough.round(dict.fromkeys(numbers, OF_RATINGS))
    return rounded.assign(n=pd.array([pd.NA] * len(rounded), dtype="Int64"))


def reliabilities(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability of components as it may be drawn: of enough courses, uncounted."""
    if gate.open:
        return table
    few = table["n_courses"] < gate.least
    numbers = [name for name in table.select_dtypes("number") if not name.startswith("n_")]
    table = table.assign(**{name: table[name].round(2).mask(few) for name in numbers})
    return table.assign(n_courses=np.nan, n_sessions=np.nan)


_VALUES = ("value", "low", "high", "reference", "reference_low", "reference_high")


def diagnostics(gate: Gate, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of diagnostics without single sessions, courses and therapists.

    Residuals become cells of a plane (`part` cell) with enough sessions, ordered values means of
    ranges with equal shares; parts left out that are too small are missing, the others numbered.
    """
    if gate.open or table.empty:
        return said(gate, table)
    parts = []
    for (measure, kind), rows in table.groupby(["measure", "diagnostic"], sort=False):
        if kind == "residual":
            rows = _cells(rows, gate.least)
        elif kind == "quantiles":
            rows = _ranges(rows, gate.least)
        elif kind == "influence":
            rows = _numbered(rows, gate.least)
        elif kind == "ends":
            rows = _ends(gate, rows)
        else:
            digits = OF_RATINGS if kind == "time" else OF_RESIDUALS
            rows = rows.round({"x": digits} | dict.fromkeys(_VALUES, OF_RESIDUALS))
        parts.append(rows.assign(measure=measure))
    found = pd.concat(parts, ignore_index=True)
    ends = found["diagnostic"] == "ends"
    return said(gate, found.assign(n=found["n"].where(ends)))


def _cells(rows: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the middles of the cells of a plane with enough points."""
    points = rows[rows["value"].notna()]
    if points.empty:
        return rows
    wide = points["x"].std() / 4  # of one significant digit, so that it tells of no single point
    step = float(f"{wide:.0e}") if wide > 0 else 1.0
    grid = pd.DataFrame({"x": (points["x"] / step).round() * step,
                         "value": (points["value"] / CELL).round() * CELL})  # fmt: skip
    count = grid.value_counts().sort_index()
    middle = count[count >= least].index.to_frame(index=False).round(6)
    shared = points.iloc[[0] * len(middle)].reset_index(drop=True)
    return shared.assign(part="cell", x=middle["x"], value=middle["value"])


def _ranges(rows: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the means of ordered values in ranges that hold equal shares of them."""
    known = rows[rows["value"].notna()]
    parts = [rows[rows["value"].isna()]]
    for _, own in known.groupby("of", sort=False):
        number = next((one for one in RANGES if len(own) >= one * least), 0)
        if not number:
            continue
        place = np.minimum((special.ndtr(own["x"]) * number).astype(int), number - 1)
        means = own.groupby(place.to_numpy())[list(_VALUES)].mean().round(OF_RESIDUALS)
        middle = special.ndtri((means.index.to_numpy() + 0.5) / number)
        first = own.iloc[[0] * len(means)].reset_index(drop=True)
        parts.append(first.assign(**means.reset_index(drop=True), x=middle.round(OF_RESIDUALS)))
    return pd.concat(parts)


def _numbered(rows: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the parts left out with enough courses, numbered by their largest change.

    Without at least `least` of them, none: the single parts are persons themselves.
    """
    whole = rows[rows["part"].isna()]
    parts = rows[rows["part"].notna() & (rows["n"].fillna(0) >= least)]
    people = parts["part"].astype(str).str.startswith("therapist").any()
    if people and parts["part"].nunique() < least:
        return whole
    most = parts.groupby("part")["x"].transform(lambda change: change.abs().max()).fillna(0.0)
    order = parts.assign(most=most).sort_values(["most", "part"], ascending=[False, True])
    number = {part: place for place, part in enumerate(order["part"].unique(), 1)}
    names = [f"{str(part).rsplit(' ', 1)[0]} {number[part]}" for part in parts["part"]]
    named = parts.assign(part=names).round({"x": 2} | dict.fromkeys(_VALUES, 3))
    return pd.concat([whole, named]).sort_index()


def _ends(gate: Gate, rows: pd.DataFrame) -> pd.DataFrame:
    """Return shares at the ends of scales where the counts behind them may be shown."""
    numbers, shares = [], []
    for row in rows.to_dict("records"):
        part, measure = str(row["part"]), str(row["of"])
        base = ("ratings" if part.startswith("ratings") else "rated courses", measure)
        end = part.rsplit(" ", 1)[-1]
        key = (end if part.startswith("ratings") else f"mostly {end}", measure)
        if measure == "fitted":  # of fitted values, which are no ratings
            few = apart(round(row["value"] * row["n"]), row["n"], gate.least)
            numbers.append(np.nan)
            shares.append(np.nan if few else row["value"])
            continue
        numbers.append(gate.count(base, row["n"]))
        shares.append(row["value"] if gate.passes(base) and gate.passes(key) else np.nan)
    return rows.assign(n=pd.array(numbers, dtype="Int64"), value=shares)
