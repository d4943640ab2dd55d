"""Items to totals, and the constants of a measure: reliability, reliable change, cut-off."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..project.arrays import Flags, Floats
from ..project.measures import CutOff, Measure, Reliability, ReliableChange
from ..project.problems import Problem, listing, problem
from ..project.reasons import because
from ..statistics.reliability import cronbach_alpha, reliable_change
from . import instruments
from .described_measures import DescribedMeasure


def total(items: Floats, scored: str, most_missing: int = 0) -> Floats:
    """Return the sum or mean of items; of a form with blank items, that of the items known.

    Parameters
    ----------
    items : ndarray, shape (ratings, items)
        Points.
    scored : {"sum", "mean", "mean_times_10"}
        How the total is made.
    most_missing : int
        With how many blank items a total is made: the mean of the others stands for each. With
        more, the total is NaN.

    Returns
    -------
    ndarray, shape (ratings,)
        The totals, free of the binary noise of adding decimals.

    Examples
    --------
    >>> total(np.array([[1.0, 2.0, np.nan]]), "sum").tolist()
    [nan]
    >>> total(np.array([[1.0, 2.0, np.nan]]), "sum", most_missing=1).tolist()
    [4.5]
    """
    known = np.isfinite(items)
    count = known.sum(axis=1)
    summed = np.where(known, items, 0.0).sum(axis=1)
    size = items.shape[1]
    enough = (count > 0) & (size - count <= most_missing)
    with np.errstate(invalid="ignore", divide="ignore"):
        made: Floats = np.where(count == size, summed, summed / count * size)
    found: Floats = np.where(enough, made * instruments.weight(size, scored), np.nan)
    return np.round(found, 10)


def disagree(items: Floats, totals: Floats, scored: str, most_missing: int = 0) -> Flags:
    """Return where a total is not that of its items.

    Parameters
    ----------
    items : ndarray, shape (ratings, items)
        Points.
    totals : ndarray, shape (ratings,)
        Totals as the file has them.
    scored, most_missing
        How the total is made, see :func:`total`.

    Returns
    -------
    ndarray of bool, shape (ratings,)
        True where total and items are known and differ by more than half of the last decimal
        that the file's totals have.
    """
    with np.errstate(invalid="ignore"):
        apart: Flags = np.abs(total(items, scored, most_missing) - totals) > tolerance(totals)
    return apart


def tolerance(totals: Floats) -> float:
    """Return half of the last decimal that totals have: by so much rounding can change them."""
    return 0.5 * 10.0 ** -_decimals(totals) + 1e-8


def _decimals(values: Floats, most: int = 8) -> int:
    """Return how many decimals the values have, `most` at most."""
    known = np.unique(values[np.isfinite(values)])
    for decimals in range(most):
        if np.allclose(known, np.round(known, decimals), rtol=0, atol=1e-9):
            return decimals
    return most


def first_ratings(
    measure: DescribedMeasure, sessions: pd.DataFrame, courses: pd.DataFrame
) -> Floats:
    """Return the first known total of each course, shape (courses with one,)."""
    if measure.level == "course":
        return courses[f"{measure.name}__first"].dropna().to_numpy()
    rated = sessions[["course", measure.name]].dropna()
    return rated.loc[~rated["course"].duplicated(), measure.name].to_numpy()


def _alpha(measure: DescribedMeasure, sessions: pd.DataFrame) -> Reliability | None:
    """Return alpha of the items at each course's first complete rating, where it is usable."""
    if measure.level == "course" or len(measure.components) < 2 or not measure.complete:
        return None
    columns = [f"{measure.name}__{component}" for component in measure.components]
    whole = sessions.loc[sessions[columns].notna().all(axis=1), ["course", *columns]]
    items = whole.loc[~whole["course"].duplicated(), columns].to_numpy()
    alpha = cronbach_alpha(items)
    if not 0 < alpha < 1:
        return None
    source = because("alpha_of_items", items=len(columns), courses=len(items))
    return Reliability(float(alpha), source)


def _reliability(
    measure: DescribedMeasure, sessions: pd.DataFrame, known: Mapping[str, Any]
) -> Any:
    """Return the reliability stated, found in the items, or published; in this order."""
    if measure.reliability:
        return Reliability(**measure.reliability)
    found = _alpha(measure, sessions)
    if found or measure.instrument is None:
        return found
    one = instruments.reliability(known[measure.instrument])
    said = "{kind} {reported} ({population}; {source}; {standing})"
    return Reliability(one["value"], said.format(**one)) if one else None


def _reliable_change(
    measure: DescribedMeasure,
    firsts: Floats,
    reliability: Reliability | None,
    known: Mapping[str, Any],
) -> ReliableChange | None:
    """Return the reliable change stated, published, or computed; in this order."""
    if measure.reliable_change:
        return ReliableChange(**measure.reliable_change, standing="stated in dataset.yaml")
    if measure.published_scale:
        one = instruments.only(known[measure.published_scale]["reliable_changes"])
        if one:
            source = f"{one['source']} ({one['population']})"
            return ReliableChange(one["value"], source, one["standing"])
    sd = float(firsts.std(ddof=1)) if len(firsts) > 1 else 0.0
    if reliability is None or sd == 0 or reliability.value == 1:
        return None
    facts = {"sd": f"{sd:.3g}", "reliability": f"{reliability.value:.3g}"}
    source = because("change_of_courses", **facts, courses=len(firsts))
    value = reliable_change(sd, reliability.value)
    return ReliableChange(value, source, "computed from this dataset")


def _cut_off(measure: DescribedMeasure, known: Mapping[str, Any]) -> CutOff | None:
    """Return the cut-off stated, or published as the only one."""
    if measure.cut_off:
        return CutOff(**measure.cut_off)
    one = instruments.only(known.get(measure.published_scale or "", {}).get("cut_offs", []))
    if one is None:
        return None
    source = f"{one['source']} ({one['population']}; {one['standing']})"
    return CutOff(one["value"], one["inclusive"], source)


def _several(measure: DescribedMeasure, known: Mapping[str, Any], file: str) -> list[Problem]:
    """Warn where several constants are published and dataset.yaml does not choose (W102)."""
    found = []
    published = known.get(measure.published_scale or "", {})
    for key, name in (("cut_off", "cut_offs"), ("reliable_change", "reliable_changes")):
        constants = published.get(name, [])
        if len(constants) > 1 and not getattr(measure, key):
            said = listing(f"{one['value']:g} ({one['population']})" for one in constants)
            place: dict[str, Any] = {"file": file, "key": f"measures.{measure.name}.{key}"}
            found.append(problem("W102", found=said, instrument=measure.instrument, **place))
    return found


def describe(
    measure: DescribedMeasure,
    sessions: pd.DataFrame,
    courses: pd.DataFrame,
    known: Mapping[str, Any],
    file: str,
) -> tuple[Measure, list[Problem]]:
    """Return a measure with the constants that its instrument or its ratings give.

    Parameters
    ----------
    measure : DescribedMeasure
        As dataset.yaml describes it.
    sessions, courses : DataFrame
        Canonical tables.
    known : mapping
        The instruments.
    file : str
        dataset.yaml, for messages.

    Returns
    -------
    Measure, list of Problem
        With the warnings W102 (several constants published),
        W103 (no reliable change), W201 (no value), W203 (no variation).
    """
    name, key = measure.name, f"measures.{measure.name}"
    if measure.level == "course":
        values = courses[[f"{name}__first", f"{name}__last"]].to_numpy().ravel()
    else:
        values = sessions[name].to_numpy()
    values = values[np.isfinite(values)]
    warnings = _several(measure, known, file)
    if not len(values):
        warnings.append(problem("W201", file=file, key=key, measure=name))
    elif len(values) > 1 and np.ptp(values) == 0:
        warnings.append(problem("W203", file=file, key=key, measure=name, found=f"{values[0]:g}"))
    reliability = _reliability(measure, sessions, known)
    change = _reliable_change(
        measure, first_ratings(measure, sessions, courses), reliability, known
    )
    if change is None and measure.role == "alliance":
        warnings.append(problem("W103", file=file, key=key, measure=name))
    same = ("label", "role", "instrument", "rater", "timing", "level", "better", "outcome", "range")
    described = Measure(
        name=name,
        **{key: getattr(measure, key) for key in (*same, "stands_in")},
        reliability=reliability,
        reliable_change=change,
        cut_off=_cut_off(measure, known),
        components=tuple(measure.components),
        scored=measure.scored if measure.components and measure.complete else None,
        most_missing=measure.most_missing if measure.components else None,
        reversed=tuple(sorted(measure.reverse)),
    )
    return described, warnings
