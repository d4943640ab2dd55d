"""Facts that the sentences of a report need, each taken from a table."""

from collections.abc import Mapping
from typing import Any

from ...exposure.shared import same_scores
from ..dataset_tables import Material
from .data import CEILING, non_commercial

#: Below these numbers a limitation is stated.
FEW_COURSES, FEW_THERAPISTS, FEW_RATINGS = 50, 10, 8

#: Above these shares a limitation is stated.
MUCH_MISSING, MANY_CENSORED = 0.10, 0.20


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
