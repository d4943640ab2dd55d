"""From all sessions and courses of a dataset to those that the main model rests on."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..exposure.sessions import session_exposures
from ..exposure.shared import exposed, turned
from ..project.measures import Measures
from ..project.processed import of_criterion
from ..project.setting_groups import ExposureRules

#: Columns of the table.
COLUMNS = (
    *("dataset", "measure", "criterion", "unit", "step"),
    *("n_before", "n_left_out", "n_after"),
)

#: What is left out, one step after the other.
STEPS = (
    "not rated",
    "not assessable by the criterion",
    "not followed by a rated outcome soon enough",
    "a value of the model is missing",
)


def flow_of(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    measures: Measures,
    rules: ExposureRules,
) -> pd.DataFrame:
    """Return how many sessions and courses each step leaves out of the model next_session.

    Parameters
    ----------
    name : str
        The dataset.
    tables : mapping of str to DataFrame
        `sessions`, `courses`, `states`, `detection`, `estimates`.
    measures : mapping of str to Measure
    rules : ExposureRules

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`: per measure and criterion the :data:`STEPS` for `unit` session and
        course, `n_before` = `n_left_out` + `n_after`. The first `n_before` is all that the dataset
        holds, the last `n_after` what the main variant was fitted to (0 where it has no result).
    """
    pairs = tables["detection"][["measure", "criterion"]].astype("str").to_numpy()
    rows = [
        row
        for measure, criterion in pairs
        for row in _steps(name, measure, criterion, tables, measures, rules)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _steps(
    name: str,
    measure: str,
    criterion: str,
    tables: Mapping[str, pd.DataFrame],
    measures: Measures,
    rules: ExposureRules,
) -> list[dict[str, Any]]:
    """Return the steps of one measure and criterion."""
    own = {
        table: of_criterion(tables[table], measure, criterion) for table in ("states", "estimates")
    }
    sessions, courses = tables["sessions"], tables["courses"]
    outcome = measures[measure].outcome
    rated = turned(sessions, measures, measure)
    known = exposed(own["states"], measure, rules)
    followed = pd.DataFrame({"course": []})
    if outcome is not None and outcome in sessions:
        followed = session_exposures(
            own["states"], sessions, courses, measures, measure, outcome, rules
        ).dropna(subset="outcome_next")
    fitted = own["estimates"]
    fitted = fitted[(fitted["model"] == "next_session") & (fitted["variant"] == "main")]
    result = fitted[fitted["term"].notna()]
    kept = {"session": [len(sessions)], "course": [len(courses)]}
    for table in (rated, known, followed):
        kept["session"].append(len(table))
        kept["course"].append(table["course"].nunique())
    for unit, numbers in kept.items():
        numbers.append(int(result[f"n_{unit}s"].iloc[0]) if len(result) else 0)
    keys = {"dataset": name, "measure": measure, "criterion": criterion}
    return [
        keys | {"unit": unit, "step": _step(step, at, fitted), "n_before": before,
                "n_left_out": before - after, "n_after": after}
        for unit, numbers in kept.items()
        for at, (step, before, after) in enumerate(
            zip(STEPS, numbers[:-1], numbers[1:], strict=True)
        )
    ]  # fmt: skip


def _step(step: str, at: int, fitted: pd.DataFrame) -> str:
    """Return the words of a step; where the model has no result, its reason."""
    if at < len(STEPS) - 1 or fitted.empty or fitted["term"].notna().any():
        return step
    return f"the model has no result: {fitted['message'].iloc[0]}"
