"""Facts that the sentences of a report need, each taken from a table."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import apart, individuals_shown, min_cell, small
from ..estimates import STATUSES
from ..exposure import same_scores
from ..figures import forest_rows
from ..tables import of_criterion
from .material import Material

#: A share of ratings at the best end above this is a ceiling effect (Terwee et al. 2007,
#: doi 10.1016/j.jclinepi.2006.03.012).
CEILING = 0.15

#: Below these numbers a limitation is stated.
FEW_COURSES, FEW_THERAPISTS, FEW_RATINGS = 50, 10, 8

#: Above these shares a limitation is stated.
MUCH_MISSING, MANY_CENSORED = 0.10, 0.20


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
        "individuals": individuals_shown(material.dataset, material.config),
    }


def _spread(values: pd.Series) -> dict[str, float]:
    """Return median and quartiles: the least and the most would be single courses."""
    if values.empty:
        return {"median": np.nan, "least": np.nan, "most": np.nan}
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return {"median": middle, "least": low, "most": high}


def of_measures(material: Material) -> dict[str, dict[str, Any]]:
    """Return the facts of each measure: its entry of measures.json and what its ratings are like.

    Of measures of sessions: n, n_courses, per_course (median, least and most of the
    middle half), missing (session
    numbers without a rating between first and last rating of a course), span (all of these),
    mean, sd, best (share at the best end of the range). Of measures of courses: n_first, n_last,
    mean_first, mean_last.
    """
    described = {}
    for name, measure in material.measures.items():
        if measure["level"] == "session":
            facts = _of_ratings(material.sessions[["course", "session", name]], name, measure)
        else:
            ends = {end: material.courses[f"{name}__{end}"] for end in ("first", "last")}
            facts = {f"n_{end}": int(values.notna().sum()) for end, values in ends.items()}
            facts |= {f"mean_{end}": values.mean() for end, values in ends.items()}
        described[name] = {**measure, **_disclosed(facts, material)}
    return described


def _disclosed(facts: dict[str, Any], material: Material) -> dict[str, Any]:
    """Return facts of a measure with NaN for what a few courses or ratings make."""
    least = min_cell(material.dataset, material.config)
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


def _of_ratings(ratings: pd.DataFrame, name: str, measure: Mapping[str, Any]) -> dict[str, Any]:
    rated = ratings.dropna(subset=name)
    by_course = rated.groupby("course", observed=True)["session"]
    number = by_course.size()
    span = int((by_course.max() - by_course.min() + 1).sum())
    best = measure["range"][1 if measure["better"] == "higher" else 0]
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


def of_detection(material: Material) -> dict[str, Any]:
    """Return the rows of detection, those shown, and the range of shares over criteria.

    Keys: rows (list of dict, with share: courses with an episode among the assessable), row (of
    the measure and criterion shown), assessable (rows of the measure shown that could be used),
    lowest and highest (by share), unassessable_courses ((measure, criterion) -> reasons).
    """
    table = material.detection
    of = table["n_courses_assessable"].where(table["n_courses_assessable"] > 0)
    table = table.assign(share=table["n_courses_with_episode"] / of)
    measure, criterion = material.shown
    own = table[(table["measure"] == measure) & table["assessable"]]
    rows = table.to_dict("records")
    row = next(r for r in rows if (r["measure"], r["criterion"]) == (measure, criterion))
    usable = own.sort_values("share", kind="stable").to_dict("records")
    ranked = [one for one in usable if pd.notna(one["share"])]  # the others are withheld
    return {
        "rows": rows,
        "row": row,
        "assessable": usable,
        "lowest": ranked[0] if ranked else None,
        "highest": ranked[-1] if ranked else None,
        "reasons": _reasons(material.states),
    }


def of_chance(material: Material) -> dict[str, Any]:
    """Return the row of the comparison with chance that is shown; its status is None without."""
    measure, criterion = material.shown
    table = material.chance
    if table is None:
        return {"status": None}
    own = of_criterion(table, measure, criterion)
    return own.iloc[0].to_dict() if len(own) else {"status": None}


def _reasons(states: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return, per measure and criterion, the commonest reason among courses never assessable."""
    key = ["measure", "criterion", "course"]
    never = states.assign(out=states["state"] == "not_assessable")
    never = never[never.groupby(key, observed=True)["out"].transform("all")]
    never = never[never["reason"].notna() & (never["reason"].astype(str) != "not rated")]
    reason = never.drop_duplicates(key).groupby(key[:2], observed=True)["reason"]
    commonest = reason.agg(lambda values: values.astype(str).mode().iloc[0])
    return {(str(m), str(c)): str(why) for (m, c), why in commonest.items()}


def of_agreement(material: Material) -> dict[str, Any]:
    """Sum up how far pairs of criteria agree, from the numbers of the figure.

    Returns
    -------
    dict
        Empty where no pair was compared. `kappa`: n (pairs), median, and the pairs `least` and
        `most`; `shared`: median, least and most of the shares of episodes found by both. Each is
        None where no pair has it.
    """
    numbers = material.figures.get("agreement")
    if numbers is None or numbers.empty:
        return {}
    known = numbers[numbers["kappa"].notna()].sort_values("kappa", kind="stable")
    pairs, shared = known.to_dict("records"), numbers["shared"].dropna()
    return {
        "kappa": {"n": len(pairs), "median": known["kappa"].median(), "least": pairs[0],
                  "most": pairs[-1]} if pairs else None,
        "shared": {"median": shared.median(), "least": shared.min(), "most": shared.max()}
        if len(shared) else None,
    }  # fmt: skip


def of_effects(material: Material) -> dict[str, Any]:
    """Return the estimates of claim C7.

    Keys: rows (forest_rows as list of pairs: repaired, open), variant (of the pair shown), shown
    (the pair of the measure and criterion shown, or None), estimated (whether that has an
    estimate), any (whether any pair has), final (term -> estimate of the model of the last
    outcome), models (number of fits), status (status -> number of fits), fitted (model ->
    variants with a result), without_df (whether the models of the next outcome have no degrees
    of freedom).
    """
    rows = forest_rows(material.estimates, material.detection).to_dict("records")
    pairs = [
        {"repaired": repaired, "open": open_}
        for repaired, open_ in zip(rows[::2], rows[1::2], strict=True)
    ]
    measure, criterion = material.shown
    wanted = [
        p for p in pairs if (p["open"]["measure"], p["open"]["criterion"]) == (measure, criterion)
    ]
    fits = one_per_fit(material.estimates)
    table = material.estimates
    estimated = table[table["estimate"].notna()]
    mixed = estimated[estimated["model"] == "next_session"]
    own = of_criterion(estimated, measure, criterion)
    final = own[own["model"] == "final"].drop_duplicates("term").set_index("term")
    fitted = estimated.groupby("model", sort=False)["variant"].unique()
    shown = wanted[0] if wanted else None
    return {
        "rows": pairs,
        "variant": shown["open"]["variant"] if shown else None,
        "shown": shown,
        "any": not mixed.empty,
        "final": {
            term: final.loc[term].to_dict()
            for term in ("n_repaired", "n_unrepaired")
            if term in final.index
        },
        "estimated": shown is not None and any(pd.notna(one["estimate"]) for one in shown.values()),
        "models": len(fits),
        "status": {word: int((fits["status"] == word).sum()) for word in STATUSES},
        "fitted": {str(model): list(variants) for model, variants in fitted.items()},
        "without_df": bool(len(mixed)) and bool(mixed["df"].isna().all()),
    }


def one_per_fit(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fit: its status and message stand in each of its rows."""
    return estimates.drop_duplicates(["measure", "outcome", "criterion", "model", "variant"])


def of_limitations(
    material: Material, dataset: Mapping[str, Any], measures: Mapping[str, Any],
    detection: Mapping[str, Any], effects: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the limitations that follow from these data: id in limitations.yaml -> facts."""
    alliance, _ = material.shown
    rated = {name: m for name, m in measures.items() if m["level"] == "session"}
    pairs = [(name, m["outcome"]) for name, m in rated.items() if m["role"] == "alliance"]
    both = [(a, o) for a, o in pairs if o in rated]
    row = detection["row"]
    found = {
        "synthetic": material.dataset["synthetic"],
        "stands_in": [m for m in measures.values() if m.get("stands_in")],
        "same_scores": [(a, o) for a, o in both if same_scores(material.sessions, a, o)],
        "same_rater": [
            (a, o) for a, o in both if a != o and rated[a]["rater"] == rated[o]["rater"]
        ],
        "few_courses": dataset["n_courses"] < FEW_COURSES,
        "no_therapists": dataset["n_therapists"] == 0,
        "few_therapists": 0 < dataset["n_therapists"] < FEW_THERAPISTS,
        "few_ratings": rated[alliance]["per_course"]["median"] < FEW_RATINGS,
        "ceiling": [m for m in rated.values() if m["best"] > CEILING],
        "missing": [m for m in rated.values() if m["missing"] > MUCH_MISSING * m["span"]],
        "no_reliability": [
            m for m in rated.values() if m["role"] == "alliance" and not m["reliability"]
        ],
        "censored": row["n_censored"] > MANY_CENSORED * row["n_episodes"],
        "uses_future": [r["name"] for r in detection["assessable"] if r["uses_future"]],
        "unknown_endings": set(dataset["endings"]) <= {"unknown"},
        "no_chance": material.chance is None,
        "no_df": effects["without_df"],
        "licence": non_commercial(material.dataset["licence"]),
        "observational": True,
    }
    return {name: facts for name, facts in found.items() if facts}
