"""Rows of the report's section on the data: ratings, scales, endings, what was left out."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...project.disclosure import apart, individuals_shown, min_cell, small, withheld
from ...project.measures import CutOff, Measure, Measures, Reliability, ReliableChange
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, count, escape, held, number, percent, short, sourced, text
from ..rows import Rows, spread_text


def ratings(measures: Measures, rated: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Describe the ratings of each measure that is rated at sessions; `rated` as of_ratings."""
    return [
        {
            "measure": text(measure.label),
            "role": measure.role,
            "rater": f"{measure.rater}, {measure.timing}",
            "courses": held(facts["n_courses"]),
            "ratings": count(facts["n"]),
            "per_course": spread_text(facts["per_course"]),
            "missing": f"{held(facts['missing'])} ({percent(facts['missing'], facts['span'])})",
            "mean": f"{number(facts['mean'], 1)} ({number(facts['sd'], 1)})",
            "best": percent(facts["best"]),
        }
        for measure, facts in ((one, rated[name]) for name, one in measures.items())
        if measure.per_session
    ]


def scales(measures: Measures) -> Rows:
    """Describe what is known of the scale of each measure."""
    return [
        {
            "measure": text(measure.label),
            "instrument": text(measure.instrument or "–"),
            "range": "–".join(short(end) for end in measure.range or (np.nan, np.nan)),
            "better": measure.better,
            "reliability": _sourced(measure.reliability),
            "change": _sourced(measure.reliable_change),
            "cut_off": _sourced(measure.cut_off),
        }
        for measure in measures.values()
    ]


def _sourced(constant: Reliability | ReliableChange | CutOff | None) -> Md:
    if constant is None:
        return escape("not known")
    standing = f", {constant.standing}" if isinstance(constant, ReliableChange) else ""
    said = f"{sourced(constant.source)}{escape(standing)}"
    return Md(f"{escape(short(constant.value, 3))} ({said})")


def before_and_after(measures: Measures, rated: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Describe measures taken once before and once after a course; `rated` as of_ratings."""
    return [
        {
            "measure": text(measure.label),
            "n_first": held(facts["n_first"]),
            "mean_first": number(facts["mean_first"], 1),
            "n_last": held(facts["n_last"]),
            "mean_last": number(facts["mean_last"], 1),
        }
        for measure, facts in ((one, rated[name]) for name, one in measures.items())
        if not measure.per_session
    ]


def endings(found: Mapping[str, int], least: int) -> Rows:
    """Count how courses ended."""
    total = sum(found.values())
    hidden = withheld(list(found.values()), least)
    return [
        {"ending": name.replace("_", " "), "courses": held(n), "share": percent(n, total)}
        for name, n in zip(found, np.where(hidden, np.nan, list(found.values())), strict=True)
    ]


#: A share of ratings at the best end above this is a ceiling effect (Terwee et al. 2007,
#: doi 10.1016/j.jclinepi.2006.03.012).
CEILING = 0.15


def non_commercial(licence: str) -> bool:
    """Say whether a licence forbids commercial use.

    Examples
    --------
    >>> [non_commercial(words) for words in ("CC BY-NC 4.0", "MIT", "non-commercial use only")]
    [True, False, True]
    """
    return bool(re.search(r"\bNC\b|non-?\s?commercial", licence, re.I))


def of_dataset(material: Material) -> dict[str, Any]:
    """Return the facts of the dataset as a whole."""
    sessions, courses = material.sessions, material.courses
    per_course = sessions.groupby("course", observed=True).size()
    ending = courses["ending"].value_counts() if "ending" in courses else pd.Series(dtype=int)
    return {
        "n_courses": courses["course"].nunique(),
        "n_clients": courses["client"].nunique(),
        "n_therapists": courses["therapist"].nunique(),
        "n_sessions": len(sessions),
        "per_course": _spread(per_course),
        "endings": {str(name): int(n) for name, n in ending.items()},
        "individuals": individuals_shown(material.dataset, material.config.report),
    }


def _spread(values: pd.Series) -> dict[str, float]:
    """Return median and quartiles: the least and the most would be single courses."""
    if values.empty:
        return {"median": np.nan, "least": np.nan, "most": np.nan}
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return {"median": middle, "least": low, "most": high}


def of_ratings(material: Material) -> dict[str, dict[str, Any]]:
    """Return what the ratings of each measure are like, by its name.

    Of measures of sessions: n, n_courses, per_course (median, least and most of the
    middle half), missing (session
    numbers without a rating between first and last rating of a course), span (all of these),
    mean, sd, best (share at the best end of the range). Of measures of courses: n_first, n_last,
    mean_first, mean_last.
    """
    described = {}
    for name, measure in material.measures.items():
        if measure.per_session:
            facts = _at_sessions(material.sessions[["course", "session", name]], name, measure)
        else:
            ends = {end: material.courses[f"{name}__{end}"] for end in ("first", "last")}
            facts = {f"n_{end}": int(values.notna().sum()) for end, values in ends.items()}
            facts |= {f"mean_{end}": values.mean() for end, values in ends.items()}
        described[name] = _disclosed(facts, material)
    return described


def _disclosed(facts: dict[str, Any], material: Material) -> dict[str, Any]:
    """Return facts of a measure with NaN for what a few courses or ratings make."""
    least = min_cell(material.dataset, material.config.report)
    courses = material.courses["course"].nunique()
    told = dict(facts)
    for name in ("n_courses", "n_first", "n_last"):
        if name in facts and apart(facts[name], courses, least):
            told[name] = np.nan
    if "span" in facts:
        missing = np.nan if small(facts["missing"], least) else facts["missing"]
        at_best = round(facts["best"] * facts["n"]) if facts["n"] else 0
        best = np.nan if apart(at_best, facts["n"], least) else facts["best"]
        told |= {"missing": missing, "best": best}
    for end in ("first", "last"):
        if small(facts.get(f"n_{end}", 0), least):
            told[f"mean_{end}"] = np.nan
    return told


def _at_sessions(ratings: pd.DataFrame, name: str, measure: Measure) -> dict[str, Any]:
    rated = ratings.dropna(subset=name)
    by_course = rated.groupby("course", observed=True)["session"]
    number = by_course.size()
    span = int((by_course.max() - by_course.min() + 1).sum())
    best = measure.sign * measure.turned_range[1]
    return {
        "n": len(rated),
        "n_courses": len(number),
        "per_course": _spread(number),
        "missing": span - len(rated),
        "span": span,
        "mean": rated[name].mean(),
        "sd": rated[name].std(),
        "best": float((rated[name] == best).mean()) if len(rated) else np.nan,
    }


def of_flow(material: Material) -> Rows:
    """Return the flow of exclusions to the main model, small numbers withheld. Columns add up.

    `material` is as the steps wrote it, before :meth:`Material.disclosed`.
    """
    measure, criterion = material.shown
    if material.flow is None:
        return []
    table = material.flow
    own = of_criterion(table, measure, criterion)
    least = min_cell(material.dataset, material.config.report)
    columns: dict[str, dict[str, Any]] = {}
    for unit, steps in own.groupby("unit"):
        parts = np.append(steps["n_left_out"], steps["n_after"].iloc[-1]).astype(float)
        parts[withheld(list(parts), least)] = np.nan
        names = ["in the data", *steps["step"], "in the main model"]
        columns[str(unit)] = dict(zip(names, [steps["n_before"].iloc[0], *parts], strict=True))
    return [
        {"step": text(name)} | {f"{unit}s": held(column[name]) for unit, column in columns.items()}
        for name in columns.get("session", {})
    ]
