"""Small datasets with states made directly, so that a multiverse of them needs no detection."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from made_measures import made_measure
from made_settings import EDGE_RULES
from rupture_repair.detection import criteria
from rupture_repair.project.setting_groups import ModelSettings, MultiverseSettings
from rupture_repair.settings import default

MEASURES = {
    name: made_measure(name, label=f"Alliance, {rater}", rater=rater, outcome="mood")
    for name, rater in (("bond", "client"), ("bond_therapist", "therapist"))
} | {
    name: made_measure(name, label=name.capitalize(), role="outcome", rater="client")
    for name in ("mood", "sleep")
}

MULTIVERSE = MultiverseSettings(
    criteria=None, k_factors=(1, 0.8), outcomes="paired",
    variants=("main", "with_outcome_now", "ar1"), trend=("kept", "removed"),
    censored=("open", "left_out"), minimum_sessions=(3, 8), most=200,
    permutations=19, scheme="shuffle",
)  # fmt: skip

RULES = criteria.load(["v_1sd", "v_2sd", "srs_cutoff"])


def multiverse(**changes: Any) -> MultiverseSettings:
    """Return the settings with some changed."""
    return replace(MULTIVERSE, **changes)


def run_with(**changes: Any) -> dict[str, Any]:
    """Return how to run a multiverse with some settings changed."""
    exposure = default(ModelSettings).exposure
    return {"edge_rules": EDGE_RULES, "exposure": exposure, "permuting": multiverse(**changes)}


def dataset(seed: int = 1, courses: int = 40, length: int = 10, effect: float = 0.0) -> dict:
    """Return the tables of a dataset; a repair raises, an open rupture lowers the next mood."""
    random = np.random.default_rng(seed)
    lengths = random.integers(length - 4, length + 1, courses)
    course = np.repeat([f"c{number:03}" for number in range(courses)], lengths)
    session = np.concatenate([np.arange(1, n + 1) for n in lengths])
    therapist = np.repeat([f"t{number % 6}" for number in range(courses)], lengths)
    rows = pd.DataFrame({"course": course, "session": session, "therapist": therapist})
    level = np.repeat(random.normal(0, 2, courses), lengths)
    slope = np.repeat(random.normal(0.3, 0.2, courses), lengths)
    states, shift = [], np.zeros(len(rows))
    for measure in ("bond", "bond_therapist"):
        rows[measure] = np.round(30 + level + random.normal(0, 3, len(rows)), 1)
        for name in ("v_1sd", "v_2sd"):
            state = random.choice(
                ["steady", "ruptured", "after_repair"], len(rows), p=[0.6, 0.2, 0.2]
            )
            if (measure, name) == ("bond", "v_1sd"):
                shift = effect * ((state == "after_repair") - 1.0 * (state == "ruptured"))
            made = rows[["course", "session"]].assign(
                measure=measure, criterion=name, state=state,
                censored=(state == "ruptured") & (random.random(len(rows)) < 0.3),
            )  # fmt: skip
            states.append(made)
    later = np.append(0.0, shift[:-1])
    for outcome in ("mood", "sleep"):
        noise = random.normal(0, 2, len(rows))
        rows[outcome] = 20 + level + slope * session + noise + later * (outcome == "mood")
    detection = pd.DataFrame(
        [
            {
                "measure": measure, "criterion": rule.id, "name": rule.name, "k": float(rule.k),
                "assessable": rule.id != "srs_cutoff",
                "reason": "the rule is for SRS" if rule.id == "srs_cutoff" else None,
            }
            for measure in ("bond", "bond_therapist")
            for rule in RULES
        ]
    )  # fmt: skip
    return {
        "sessions": rows,
        "courses": rows.drop_duplicates("course")[["course", "therapist"]].reset_index(drop=True),
        "states": pd.concat(states, ignore_index=True),
        "detection": detection,
        "measures": MEASURES,
    }
