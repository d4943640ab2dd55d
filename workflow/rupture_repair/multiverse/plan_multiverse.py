"""The plan of a multiverse: one row per specification, written before anything is fitted."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..detection.criteria import Criterion
from ..models.definitions import MODELS
from ..project.headline import first_by_clients, resolved
from ..project.measures import Measures
from ..project.reasons import because
from ..project.setting_groups import MultiverseChoices

COLUMNS = (
    *("specification", "main", "criterion", "k_factor", "k", "measure", "rater", "outcome"),
    *("variant", "trend", "censored", "minimum_sessions", "reason"),
)


def plan_multiverse(
    measures: Measures,
    detection: pd.DataFrame,
    criteria: Iterable[Criterion],
    choices: MultiverseChoices,
    *,
    default_criterion: str,
    seed: int,
) -> pd.DataFrame:
    """Return the specifications of a dataset.

    Every combination of the choices makes the grid. If it holds more than `choices.most`
    specifications, that many are drawn: the main one, and then by chance, as many of each criterion
    and measure as of any other. Criteria that could not be applied to a measure are one row each,
    with the reason, so that nothing is lost in silence.

    Parameters
    ----------
    measures : mapping of str to Measure
    detection : DataFrame
        What detection found: `measure`, `criterion`, `assessable`, `reason` and `k` are used.
    criteria : iterable of Criterion
        Those of the project.
    choices : MultiverseChoices
    default_criterion : str
        The criterion of the main specification.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        `specification` (from 1), `main` (whether it is the analysis that the report shows
        elsewhere), the choices: `criterion`, `k_factor` (by which k is multiplied) and the `k` that
        this makes, `measure` and its `rater`, `outcome`, `variant` (of the model next_session),
        `trend` (of the exposure of a course: kept or removed), `censored` (sessions in episodes
        whose outcome is not known: open or left_out), `minimum_sessions` (rated sessions that a
        course needs); `reason` why a row will not be fitted, missing otherwise.
    """
    rules = {rule.id: rule for rule in criteria}
    wanted = choices.criteria or list(rules)
    found = detection[detection["criterion"].isin(wanted)]
    rows, absent = [], []
    for row in found.to_dict("records"):
        measure, criterion = str(row["measure"]), str(row["criterion"])
        outcomes = _outcomes(measures, measure, choices.outcomes)
        shared: dict[str, Any] = {"criterion": criterion, "measure": measure}
        shared["rater"] = measures[measure].rater
        reason = _why_not(row, outcomes)
        if reason:
            absent.append(shared | {"k_factor": 1.0, "k": row["k"], "reason": reason})
            continue
        factors = choices.k_factors if _has_k(rules[criterion]) else [1.0]
        for choice in itertools.product(
            *(factors, outcomes, choices.variants, choices.trend),
            *(choices.censored, choices.minimum_sessions),
        ):
            names = ("k_factor", "outcome", "variant", "trend", "censored", "minimum_sessions")
            values = shared | dict(zip(names, choice, strict=True))
            rows.append(values | {"k": round(float(row["k"]) * float(values["k_factor"]), 10)})
    grid = pd.DataFrame(rows, columns=list(COLUMNS))
    shown = first_by_clients(detection["measure"].astype("str"), measures)
    default = resolved(default_criterion, detection, str(shown))
    grid = _drawn(grid, _first(grid, default), choices.most, seed)
    table = pd.DataFrame([*grid.to_dict("records"), *absent], columns=list(COLUMNS))
    return _typed(table.assign(specification=np.arange(1, len(table) + 1)))


def _has_k(rule: Criterion) -> bool:
    """Say whether k counts units of a fall: another k is then the same rule, more or less strict.

    Rules with constants of their own have none, and the k of rupture_probability is a probability.
    """
    counts = rule.run is None or rule.run == "change_point"
    return counts and (rule.needs_k or float(rule.k) > 0)


def _outcomes(measures: Measures, measure: str, which: str) -> list[str]:
    """Return the outcome measures, rated at sessions, that a measure is compared with."""
    paired = measures[measure].outcome
    names = [
        name
        for name, one in measures.items()
        if one.per_session and name != measure
        and (name == paired or (which == "all" and one.role == "outcome"))
    ]  # fmt: skip
    return sorted(names, key=lambda name: name != paired)


def _why_not(row: Mapping[str, Any], outcomes: list[str]) -> str | None:
    """Say why a criterion has no specification for a measure, None where it has."""
    if not row["assessable"]:
        return because("criterion", reason=row["reason"])
    if not outcomes:
        return because("no_session_outcome", measure=row["measure"])
    return None


def _first(grid: pd.DataFrame, default_criterion: str) -> int | None:
    """Return the row of the main specification, None if the grid does not hold it."""
    main = {
        "criterion": default_criterion, "k_factor": 1, "trend": "kept", "censored": "open",
        "variant": MODELS["next_session"].rests_on,
    }  # fmt: skip
    chosen = (grid[list(main)] == pd.Series(main)).all(axis=1)
    rows = grid[chosen]
    rows = rows[rows["minimum_sessions"] == rows["minimum_sessions"].min()]
    by_client = rows[rows["rater"] == "client"]
    first = by_client if len(by_client) else rows
    return int(first.index[0]) if len(first) else None


def _drawn(grid: pd.DataFrame, main: int | None, most: int, seed: int) -> pd.DataFrame:
    """Return the grid, or a balanced draw of `most` of it, with the main specification marked."""
    grid["main"] = grid.index == main
    if len(grid) <= most:
        return grid
    turn = np.random.default_rng(seed).random(len(grid))
    turn[grid["main"]] = -1.0
    order = pd.Series(turn, index=grid.index)
    place = order.groupby([grid["criterion"], grid["measure"]]).rank()
    # Of groups that come to their last turn together, chance says which still have it.
    chosen = np.lexsort((turn, place))[:most]
    return grid.iloc[np.sort(chosen)]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the plan with its types."""
    texts = ("criterion", "measure", "rater", "outcome", "variant", "trend", "censored")
    kinds = dict.fromkeys((*texts, "reason"), "str") | {"k_factor": "float64", "k": "float64"}
    kinds |= {"specification": "int64", "minimum_sessions": "Int64", "main": "bool"}
    table["main"] = [value is True or value == 1 for value in table["main"]]
    return table.astype(kinds)
