"""From the answers on forms to totals and components, and the faults that forms betray."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ..project.problems import Problem
from . import instruments, scoring
from .columns import Flags, Floats, RawColumn
from .described_measures import DescribedMeasure

#: How often an answer must stand alone on an otherwise blank form to look like a formula's.
FEWEST_LONE = 3


class Scores(NamedTuple):
    """What the forms of one measure say: total, components and answers, turned; NaN: missing."""

    total: Floats
    components: dict[str, Floats]
    answers: dict[str, Floats]


def read(
    measure: DescribedMeasure,
    find: Callable[[str], RawColumn | None],
    count: int,
    problems: list[Problem],
) -> Scores:
    """Return total, components and answers of a measure rated at sessions.

    Parameters
    ----------
    measure : DescribedMeasure
        As dataset.yaml describes it.
    find : callable
        Name of a column -> the column, or None.
    count : int
        How many rows there are.
    problems : list of Problem
        Problems are added here: E201, E202, E203, E211, E215 to E217, W202.
    """
    columns = {name: column for name in measure.answers if (column := find(name)) is not None}
    lone = _blank_reversed(measure, columns, problems)
    answers = {
        name: _turned(measure, name, points(column, measure.answers[name], measure, problems, lone))
        for name, column in columns.items()
    }
    blank = np.full(count, np.nan)
    stated = find(measure.total) if measure.total else None
    whole = len(columns) == len(measure.answers) > 0 and measure.complete
    items = np.column_stack(list(answers.values())) if whole else None
    excused = None
    if items is not None and stated is not None:
        empty = np.column_stack([column.codes < 0 for column in columns.values()])
        excused = _blanks_scored(measure, stated, items, empty, problems, lone.get(""))
    known = {} if excused is None else {"": excused}
    total = points(stated, measure.range, measure, problems, known) if stated else None
    if items is not None and stated is not None and total is not None:
        _compare(measure, stated, items, total, problems, excused)
    elif items is not None and measure.total is None:
        total = scoring.total(items, measure.scored, measure.most_missing)
    components = {
        name: _component(measure, group, answers, blank)
        for name, group in measure.components.items()
    }
    return Scores(blank if total is None else total, components, answers)


def points(
    column: RawColumn,
    span: tuple[float, float],
    measure: DescribedMeasure,
    problems: list[Problem],
    excused: Mapping[str, Flags] | None = None,
) -> Floats:
    """Return a column's points, and report what is no number or out of range (E201 to E203, W316).

    Rows named by `excused`, under the column's name or under "" for all columns, are reported by
    another problem.
    """
    low, high = span
    facts = {"low": f"{low:g}", "high": f"{high:g}", "scale": measure.scale_name}
    problems += column.number_faults(low, high) + column.missing_in_range(low, high)
    outside = column.outside(low, high) & np.isfinite(column.distinct)
    if outside.any():
        bad = column.each(outside, False)
        for name in ("", column.name):
            rows = (excused or {}).get(name)
            bad = bad if rows is None else bad & ~rows
        problems += column.faults_at("E203", np.flatnonzero(bad), **facts)
    return column.numbers(low, high)


def _turned(measure: DescribedMeasure, name: str, values: Floats) -> Floats:
    """Turn the answers to a reverse-keyed item."""
    low, high = measure.answers[name]
    return np.round(low + high - values, 10) if name in measure.reverse else values


def _component(
    measure: DescribedMeasure, group: tuple[str, ...], answers: Mapping[str, Floats], blank: Floats
) -> Floats:
    """Return the score of a component; blank items are made up for in the total's proportion."""
    if any(name not in answers for name in group):
        return blank
    if len(group) == 1:
        return answers[group[0]]
    most = measure.most_missing * len(group) // len(measure.answers)
    return scoring.total(np.column_stack([answers[name] for name in group]), measure.scored, most)


def _blank_reversed(
    measure: DescribedMeasure, columns: Mapping[str, RawColumn], problems: list[Problem]
) -> dict[str, Flags]:
    """Report blanks turned by the formula of a reverse-keyed item (E215).

    Returns
    -------
    dict of str to ndarray of bool
        Column -> its rows with such a value; "" -> the rows of all of them.
    """
    if len(columns) < 2:
        return {}
    empty = np.column_stack([column.codes < 0 for column in columns.values()])
    blanks = empty.sum(axis=1)
    found: dict[str, Flags] = {}
    for at, (name, column) in enumerate(columns.items()):
        low, high = measure.answers[name]
        made = np.isclose(column.distinct, low + high)
        if not made.any():
            continue
        rows = column.each(made, False)
        if low <= low + high <= high:  # in range: only where nothing else was answered
            others = blanks - empty[:, at] == len(columns) - 1
            rows &= others
            if rows.sum() < FEWEST_LONE or 2 * rows.sum() <= others.sum():
                continue
        facts = {"low": f"{low:g}", "high": f"{high:g}", "finding": "blank_reversed"}
        problems += column.faults_at("E215", np.flatnonzero(rows), **facts)
        found[name] = rows
    if found:
        found[""] = np.logical_or.reduce(list(found.values()))
    return found


def _blanks_scored(
    measure: DescribedMeasure,
    stated: RawColumn,
    items: Floats,
    empty: Flags,
    problems: list[Problem],
    lone: Flags | None,
) -> Flags:
    """Report totals of forms that are blank (E216) or have blanks counted as 0 (E217).

    Returns
    -------
    ndarray of bool, shape (rows,)
        Where the total is such, or made of the values that E215 tells.
    """
    value = stated.numbers()
    lows, highs = np.array([measure.answers[name] for name in measure.answers]).T
    turned = np.array([name in measure.reverse for name in measure.answers])
    # What the formula of the total makes of empty cells: 0, and low + high of each turned item.
    made_of_blank = np.where(turned, lows + highs, 0.0)
    weight = instruments.weight(len(turned), measure.scored)
    filled = np.where(empty, made_of_blank, items)
    nothing = empty.all(axis=1)
    some = empty.any(axis=1) & ~nothing & np.isfinite(filled).all(axis=1)
    with np.errstate(invalid="ignore"):
        formula = np.isclose(filled.sum(axis=1) * weight, value, atol=1e-9)
        zero = np.isclose(value, 0.0)
    right = scoring.total(items, measure.scored, len(turned) - 1)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(right - value) <= scoring.tolerance(value))
    whole = nothing & (formula | zero)
    part = some & formula & wrong
    if lone is not None:
        whole, part = whole & ~lone, part & ~lone
    problems += stated.faults_at("E216", np.flatnonzero(whole), finding="blank_form_scored")
    at = np.flatnonzero(part)
    if len(at):
        blank = int(empty[at[0]].sum())
        facts = {"blank": blank, "s": "s" if blank > 1 else "", "finding": "blanks_as_zero"}
        problems += stated.faults_at("E217", at, **facts)
    return whole | part | (np.zeros(len(value), bool) if lone is None else lone)


def _compare(
    measure: DescribedMeasure,
    stated: RawColumn,
    items: Floats,
    totals: Floats,
    problems: list[Problem],
    excused: Flags | None,
) -> None:
    """Report totals that are not those of their items (E211), and missing ones (W202)."""
    wrong = scoring.disagree(items, totals, measure.scored, measure.most_missing)
    at = np.flatnonzero(wrong if excused is None else wrong & ~excused)
    if len(at):
        made = scoring.total(items[at[:1]], measure.scored, measure.most_missing)[0]
        words = measure.scored.replace("_", " ")
        problems += stated.faults_at("E211", at, expected=f"{made:g}", scored=words)
    gone = np.flatnonzero((stated.codes < 0) & np.isfinite(items).all(axis=1))
    problems += stated.faults_at("W202", gone)
