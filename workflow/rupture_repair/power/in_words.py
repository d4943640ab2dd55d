"""A power analysis in words."""

from pathlib import Path

import pandas as pd

from ..project.datasets import suggested_name
from .plan import StudyPlan
from .questions import UNITS, formula
from .run import Result
from .studies import PROBABILITIES, TRUTH, WAYS_IN_WORDS

#: Where the results of the command are kept.
FOLDER = Path("reports/power")


def title(plan: StudyPlan) -> str:
    """Return the question in one line."""
    unit = {"sd": " SD", "points": " points", "log_odds": " log odds"}[plan.unit]
    return (
        f"{plan.question}, effect {plan.effect:g}{unit}, {', '.join(_names(plan))}, "
        f"alpha {plan.alpha:g}"
    )


def _names(plan: StudyPlan) -> list[str]:
    """Return what is compared with known states."""
    return [WAYS_IN_WORDS.get(way, way) for way in plan.ways if way != TRUTH]


def as_text(found: Result, plan: StudyPlan) -> str:
    """Return what was found, for the terminal."""
    question = plan.asked()
    smallest = f"{plan.part.smallest:g} {plan.part.units}"
    lines = [
        title(plan),
        f"The effect is the {question.effect};",
        f"planted {plan.planted:.3g} ({question.planted}), unit: {UNITS[plan.unit]}.",
        *_models(plan),
        f"Tested: {question.terms[plan.variant]}, two-sided; supported: by the rule of the claims, "
        f"at least {smallest}",
        "",
        _table(found.power),
        "",
    ]
    rows = {str(row["detection"]): row for row in found.smallest.to_dict("records")}
    for way, row in rows.items():
        lines.append(f"{WAYS_IN_WORDS.get(way, way)}: {_smallest(row)}")
    return "\n".join([*lines, *[f"note: {note}" for note in found.notes]])


def _models(plan: StudyPlan) -> list[str]:
    """Return the models with their formulas."""
    question = plan.asked()
    if question.model is None:
        return [f"Model: {plan.part.statistic}"]
    named = [plan.variant, *question.probable * plan.probable]
    return [f"Model {question.model}, {name}: {formula(question, name)}" for name in named]


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
    errors = {"power": "error", "supported": "supported_error", "estimate": "estimate_error",
              "coverage": "coverage_error"}  # fmt: skip
    names = {"courses": "courses", "detection": "states by", "replicates": "studies",
             "power": "significant", "supported": "supported", "wrong_direction": "wrong way",
             "not_assessable": "not assessable", "truth": "planted", "estimate": "estimate",
             "std_error": "SE", "coverage": "coverage"}  # fmt: skip
    if PROBABILITIES in set(power["detection"]):
        names |= {"direct": "beyond rating", "direct_coverage": "its coverage"}
    power = power.sort_values("courses", kind="stable")
    shown = power.assign(detection=power["detection"].replace(WAYS_IN_WORDS))
    for name, error in errors.items():
        pairs = zip(shown[name], shown[error], strict=True)
        shown[name] = [f"{value:.3f} ({wrong:.3f})" for value, wrong in pairs]
    shown = shown[list(names)].rename(columns=names)
    table = shown.to_string(
        index=False, float_format=lambda value: f"{value:.3f}", na_rep="", justify="right"
    )
    return f"{table}\nMonte Carlo standard errors in parentheses"


def default_folder(plan: StudyPlan, dataset: str | None = None) -> Path:
    """Return where the results are kept unless said otherwise."""
    ways = "-".join(_names(plan)).replace(" ", "_")
    name = f"{plan.question}-{plan.variant}-{ways}-{plan.effect:g}{plan.unit}"
    name = name if dataset is None else f"{name}-{dataset}"
    return FOLDER / suggested_name(name)
