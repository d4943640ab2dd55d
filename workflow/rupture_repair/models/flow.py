"""From all sessions and courses of a dataset to those that the main model rests on."""

from typing import Any

import pandas as pd

from ..exposure.sessions import session_exposures
from ..exposure.shared import exposed, turned
from ..project.dataset import Dataset, Detected
from ..project.processed import of_criterion
from ..project.reasons import because
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
    "not followed by a rated outcome within the allowed gap",
    "a value of the model is missing",
)


def flow_of(
    dataset: Dataset,
    detected: Detected,
    estimates: pd.DataFrame,
    rules: ExposureRules,
) -> pd.DataFrame:
    """Return how many sessions and courses each step leaves out of the model next_session.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
    estimates : DataFrame
        The table of this name.
    rules : ExposureRules

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`: per measure and criterion the :data:`STEPS` for `unit` session and
        course, `n_before` = `n_left_out` + `n_after`. The first `n_before` is all that the dataset
        holds, the last `n_after` what the main variant was fitted to (0 where it has no result).
    """
    rows = []
    for measure, criterion in detected.pairs():
        states = detected.of(measure, criterion).states
        fitted = of_criterion(estimates, measure, criterion)
        keys = {"dataset": dataset.name, "measure": measure, "criterion": criterion}
        rows += [keys | row for row in _steps(dataset, measure, states, fitted, rules)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _steps(
    dataset: Dataset,
    measure: str,
    states: pd.DataFrame,
    estimates: pd.DataFrame,
    rules: ExposureRules,
) -> list[dict[str, Any]]:
    """Return the steps of one measure and criterion."""
    sessions = dataset.sessions
    outcome = dataset.measures[measure].outcome
    rated = turned(sessions, dataset.measures, measure)
    known = exposed(states, measure, rules)
    followed = pd.DataFrame({"course": []})
    if outcome is not None and outcome in sessions:
        followed = session_exposures(states, dataset, measure, outcome, rules)
        followed = followed.dropna(subset="outcome_next")
    fitted = estimates[(estimates["model"] == "next_session") & (estimates["variant"] == "main")]
    result = fitted[fitted["term"].notna()]
    kept = {"session": [len(sessions)], "course": [len(dataset.courses)]}
    for table in (rated, known, followed):
        kept["session"].append(len(table))
        kept["course"].append(table["course"].nunique())
    for unit, numbers in kept.items():
        numbers.append(int(result[f"n_{unit}s"].iloc[0]) if len(result) else 0)
    return [
        {"unit": unit, "step": _step(step, at, fitted), "n_before": before,
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
    return because("no_result", reason=fitted["message"].iloc[0])
