"""Rows of the report's section on the data: ratings, scales, endings, what was left out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...disclosure.gate import Gate
from ...exposure.shared import same_scores
from ...project.measures import CutOff, Measure, Measures, Reliability, ReliableChange
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, escape, held, number, percent, short, sourced, text
from ..rows import Rows, spread_text


def ratings(measures: Measures, rated: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Describe the ratings of each measure that is rated at sessions; `rated` as of_ratings."""
    return [
        {
            "measure": text(measure.label),
            "role": measure.role,
            "rater": f"{measure.rater}, {measure.timing}",
            "courses": held(facts["n_courses"]),
            "ratings": held(facts["n"]),
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
    change = isinstance(constant, ReliableChange)
    value = number(constant.value, 1) if change else short(constant.value, 3)
    unit = "" if isinstance(constant, Reliability) else " points"
    standing = f", {constant.standing}" if isinstance(constant, ReliableChange) else ""
    source = f"{sourced(constant.source)}{escape(standing)}"
    source = source.replace("recalled, to be confirmed", "source not seen")
    return Md(f"{escape(value + unit)}\\: {source}")


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


def endings(facts: Mapping[str, Any]) -> Rows:
    """Count how courses ended; `facts` from :func:`of_dataset`."""
    found = facts["endings"]
    known = sum(found.values())
    total = facts["n_courses"] if np.isnan(known) else known
    return [
        {"ending": name.replace("_", " "), "courses": held(n), "share": percent(n, total)}
        for name, n in found.items()
    ]


#: Below these numbers a limitation is stated.
FEW_COURSES, FEW_THERAPISTS = 50, 10

#: A share of ratings at the best end above this is a ceiling effect (Terwee et al. 2007,
#: doi 10.1016/j.jclinepi.2006.03.012).
CEILING = 0.15


def of_dataset(material: Material) -> dict[str, Any]:
    """Return the facts of the dataset as a whole."""
    sessions, courses, gate = material.dataset.sessions, material.dataset.courses, material.gate
    per_course = sessions.groupby("course", observed=True).size()
    ending = courses["ending"].value_counts() if "ending" in courses else pd.Series(dtype=int)
    counts = {f"n_{name}s": courses[name].nunique() for name in ("course", "client", "therapist")}
    counts["n_sessions"] = len(sessions)
    return {
        **{name: gate.count((name.removeprefix("n_"),), n) for name, n in counts.items()},
        "therapists_named": counts["n_therapists"] > 0,
        "few_courses": counts["n_courses"] < FEW_COURSES,
        "few_therapists": 0 < counts["n_therapists"] < FEW_THERAPISTS,
        "per_course": _spread(per_course, gate.least),
        "endings": {str(name): gate.count(("ending", str(name)), int(n))
                    for name, n in ending.items()},
        "individuals": gate.open,
    }  # fmt: skip


def _spread(values: pd.Series, least: int) -> dict[str, float]:
    """Return median and quartiles of enough courses; the least and the most are single ones."""
    if len(values) < max(least, 1):
        return {"median": np.nan, "least": np.nan, "most": np.nan}
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return {"median": middle, "least": low, "most": high}


def of_ratings(material: Material) -> dict[str, dict[str, Any]]:
    """Return what the ratings of each measure are like, by its name.

    Of measures of sessions: n, n_courses, per_course (median, least and most of the
    middle half), missing (session
    numbers without a rating between first and last rating of a course), span (all of these),
    mean, sd, best (share at the best end of the range), same_as_outcome. Of measures of courses:
    n_first, n_last, mean_first, mean_last.
    """
    described = {}
    for name, measure in material.dataset.measures.items():
        if measure.per_session:
            own = material.dataset.sessions[["course", "session", name]]
            facts = _at_sessions(own, name, measure, material.gate.least)
            outcome = str(measure.outcome)
            facts["same_as_outcome"] = same_scores(material.dataset.sessions, name, outcome)
        else:
            ends = {end: material.dataset.courses[f"{name}__{end}"] for end in ("first", "last")}
            facts = {f"n_{end}": int(values.notna().sum()) for end, values in ends.items()}
            facts |= {f"mean_{end}": values.mean() for end, values in ends.items()}
        described[name] = _disclosed(name, facts, material.gate)
    return described


def _disclosed(name: str, facts: dict[str, Any], gate: Gate) -> dict[str, Any]:
    """Return facts of a measure as they may be shown: what a few courses make is missing."""
    if gate.open:
        return facts
    shown = dict(facts)
    for end in ("first", "last"):
        if f"n_{end}" in facts:
            shown[f"n_{end}"] = gate.count((end, name), facts[f"n_{end}"])
            few = facts[f"n_{end}"] < gate.least
            shown[f"mean_{end}"] = np.nan if few else facts[f"mean_{end}"]
    if "span" in facts:
        whole = gate.passes(("ratings", name))
        shown["n_courses"] = gate.count(("rated courses", name), facts["n_courses"])
        shown["n"] = gate.count(("ratings", name), facts["n"])
        shown["missing"] = gate.count(("missing", name), facts["missing"])
        shown["span"] = facts["span"] if whole else np.nan
        shown["best"] = facts["best"] if whole and gate.passes(("best", name)) else np.nan
        if facts["n_courses"] < gate.least:
            shown["mean"] = shown["sd"] = np.nan
    return shown


def _at_sessions(ratings: pd.DataFrame, name: str, measure: Measure, least: int) -> dict[str, Any]:
    rated = ratings.dropna(subset=name)
    by_course = rated.groupby("course", observed=True)["session"]
    number = by_course.size()
    span = int((by_course.max() - by_course.min() + 1).sum())
    best = measure.sign * measure.turned_range[1]
    return {
        "n": len(rated),
        "n_courses": len(number),
        "per_course": _spread(number, least),
        "missing": span - len(rated),
        "span": span,
        "mean": rated[name].mean(),
        "sd": rated[name].std(),
        "best": float((rated[name] == best).mean()) if len(rated) else np.nan,
    }


def of_flow(material: Material) -> Rows:
    """Return the flow of exclusions to the main model. Columns add up.

    `material` is what :meth:`Material.disclosed` returned.
    """
    measure, criterion = material.shown
    if material.flow is None:
        return []
    own = of_criterion(material.flow, measure, criterion)
    columns: dict[str, dict[str, Any]] = {}
    for unit, steps in own.groupby("unit"):
        names = ["in the data", *steps["step"], "in the main model"]
        numbers = [steps["n_before"].iloc[0], *steps["n_left_out"], steps["n_after"].iloc[-1]]
        columns[str(unit)] = dict(zip(names, numbers, strict=True))
    return [
        {"step": text(name)} | {f"{unit}s": held(column[name]) for unit, column in columns.items()}
        for name in columns.get("session", {})
    ]
