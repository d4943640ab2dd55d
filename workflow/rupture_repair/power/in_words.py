"""A power analysis in words."""

from pathlib import Path

import pandas as pd

from ..project.datasets import suggested_name
from .plan import StudyPlan
from .questions import UNITS, formula
from .run import Result

#: Where the results of the command are kept.
FOLDER = Path("reports/power")

#: Ways of detection, in words.
WAYS = {"criterion": "states found by {}", "truth": "states known (perfect detection)"}


def title(plan: StudyPlan) -> str:
    """Return the question in one line."""
    unit = {"sd": " SD", "points": " points", "log_odds": " log odds"}[plan.unit]
    return (
        f"{plan.question}, effect {plan.effect:g}{unit}, criterion {plan.criterion.id}, "
        f"alpha {plan.alpha:g}"
    )


def as_text(found: Result, plan: StudyPlan) -> str:
    """Return what was found, for the terminal."""
    question = plan.asked()
    lines = [
        title(plan),
        f"The effect is the {question.effect};",
        f"planted {plan.planted:.3g} ({question.planted}), unit: {UNITS[plan.unit]}.",
        f"Model {question.model}, {plan.variant}: {formula(question, plan.variant)}",
        f"Tested: {question.terms[plan.variant]}, two-sided",
        "",
        _table(found.power),
        "",
    ]
    rows = {str(row["detection"]): row for row in found.smallest.to_dict("records")}
    for way, row in rows.items():
        lines.append(f"{WAYS[way].format(plan.criterion.name.lower())}: {_smallest(row)}")
    return "\n".join([*lines, *[f"note: {note}" for note in found.notes]])


def _smallest(row: dict) -> str:
    """Say how many courses are needed."""
    if row["reason"]:
        return f"no number of courses: {row['reason']}"
    text = (
        f"{row['courses']:.0f} courses for a power of {row['target']:g} "
        f"(Monte Carlo interval {row['courses_low']:.0f} to {row['courses_high']:.0f})"
    )
    if pd.notna(row.get("checked_at")):
        text += (
            f"; simulated anew at {row['checked_at']:.0f}: {row['power_there']:.3f} "
            f"({row['power_there_low']:.3f} to {row['power_there_high']:.3f})"
        )
    return text


def _table(power: pd.DataFrame) -> str:
    """Return the shares as a table."""
    names = {"courses": "courses", "detection": "states by", "replicates": "studies",
             "power": "significant", "error": "MC error", "wrong_direction": "wrong way",
             "without_result": "no result", "estimate": "estimate", "std_error": "SE",
             "coverage": "coverage"}  # fmt: skip
    shown = power[list(names)].rename(columns=names)
    return shown.to_string(index=False, float_format=lambda value: f"{value:.3f}")


def default_folder(plan: StudyPlan, dataset: str | None = None) -> Path:
    """Return where the results are kept unless said otherwise."""
    name = f"{plan.question}-{plan.variant}-{plan.criterion.id}-{plan.effect:g}{plan.unit}"
    name = name if dataset is None else f"{name}-{dataset}"
    return FOLDER / suggested_name(name)
