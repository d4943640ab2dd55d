"""Facts that the sentences of a report need, each taken from a table."""

from collections.abc import Mapping
from typing import Any

from ...project.licences import non_commercial
from ..dataset_tables import Material
from .data import CEILING

#: Below this number a limitation is stated.
FEW_RATINGS = 8

#: Above these shares a limitation is stated.
MUCH_MISSING, MANY_CENSORED = 0.10, 0.20


def of_limitations(
    material: Material, dataset: Mapping[str, Any], ratings: Mapping[str, Mapping[str, Any]],
    detection: Mapping[str, Any], effects: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the limitations that follow from these data: id in limitations.yaml -> facts."""
    alliance, _ = material.shown
    measures = material.dataset.measures
    rated = {name: ratings[name] for name, one in measures.items() if one.per_session}
    alliances = [name for name, one in measures.items() if one.shows_ruptures]
    pairs = [(name, measures[name].outcome) for name in alliances]
    both = [(a, o) for a, o in pairs if o is not None and o in rated]
    row = detection["row"]
    found = {
        "synthetic": material.about["synthetic"],
        "stands_in": [one for one in measures.values() if one.stands_in],
        "same_scores": [(a, o) for a, o in both if ratings[a]["same_as_outcome"]],
        "same_rater": [
            (a, o) for a, o in both if a != o and measures[a].rater == measures[o].rater
        ],
        "few_courses": dataset["few_courses"],
        "no_therapists": not dataset["therapists_named"],
        "few_therapists": dataset["few_therapists"],
        "few_ratings": rated[alliance]["per_course"]["median"] < FEW_RATINGS,
        "ceiling": [name for name, one in rated.items() if one["best"] > CEILING],
        "missing": [
            name for name, one in rated.items() if one["missing"] > MUCH_MISSING * one["span"]
        ],
        "no_reliability": [name for name in alliances if measures[name].reliability is None],
        "censored": row["n_censored"] > MANY_CENSORED * row["n_episodes"],
        "uses_future": [r["name"] for r in detection["assessable"] if r["uses_future"]],
        "unknown_endings": set(dataset["endings"]) <= {"unknown"},
        "no_chance": material.chance is None,
        "no_df": effects["without_df"],
        "licence": non_commercial(material.about["licence"]),
        "observational": True,
    }
    return {name: facts for name, facts in found.items() if facts}
