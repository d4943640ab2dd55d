"""Simulated studies whose effects on the outcome are known, and what is estimated of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bundles import dataset_of
from made_measures import made_measures
from made_settings import EXPOSURE_RULES
from rupture_repair.detection.fit_hidden_markov import fit_hidden_markov
from rupture_repair.exposure.probable import probable
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.models.definitions import PROBABLE_VARIANTS
from rupture_repair.models.probable import Probabilities, fit_probable
from rupture_repair.project.dataset import Dataset
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study
from rupture_repair.statistics.estimates import FormulaFit

OPEN, REPAIRED = -2.0, 1.5
#: Points of the next outcome for a point of the rating, or of ordinary fluctuation.
FOLLOWS = 0.15
#: What links alliance and outcome in each world, besides the rating itself in R.
WORLDS = {
    "A": {"effect_open": OPEN, "effect_repaired": REPAIRED},
    "B": {"outcome_alliance": FOLLOWS},
    "R": {},
    "C": {},
}
NOTHING = dict.fromkeys(
    ("effect_open", "effect_repaired", "outcome_alliance", "growth_alliance"), 0.0
)
MEASURES = made_measures(
    alliance={"outcome": "outcome", "range": (0, 40)}, outcome={"role": "outcome"}
)
#: True states, as a criterion that never errs would find them.
_AS_FOUND = {
    **dict.fromkeys(("ruptured", "after_unrepaired"), "ruptured"),
    **dict.fromkeys(("repaired_here", "after_repair"), "after_repair"),
}


@dataclass(frozen=True)
class Worlds:
    """One alliance, and an outcome for each world.

    Attributes
    ----------
    data : dict of str to Dataset
        By world.
    states : DataFrame
        True states of the rated sessions, not assessable before session 3.
    """

    data: dict[str, Dataset]
    states: pd.DataFrame


def simulated(
    courses: int, seed: int, worlds: Mapping[str, Mapping[str, float]] = WORLDS
) -> Worlds:
    """Simulate the courses of one study, with the outcomes of all worlds.

    The alliance is cut at the ends of its scale. The outcome is not: what is planted is there.
    """
    base = NOTHING | {"n_courses": courses, "n_therapists": max(1, courses // 10)}
    made = simulate_study(SimulationSettings(**base), seed=seed)
    whole = simulate_study(
        SimulationSettings(**base, unrated=0.0, missing_item=0.0), seed=seed
    ).sessions
    keys = ["course", "session"]
    before = made.sessions[keys].merge(
        whole[keys].assign(session=whole["session"] + 1, rating=whole["alliance"]), how="left"
    )["rating"]
    clients = made.sessions[["course", "therapist"]].drop_duplicates("course")
    data = {}
    for world, link in worlds.items():
        uncut = SimulationSettings(**base | link, ends_of_scale=False)
        outcome = simulate_study(uncut, seed=seed).sessions["outcome"]
        if world == "R":
            outcome = outcome + FOLLOWS * (before - before.mean()).fillna(0)
        sessions = made.sessions.assign(outcome=outcome)
        tables = {"sessions": sessions, "courses": clients, "measures": MEASURES}
        data[world] = dataset_of(tables)
    rated = made.sessions.dropna(subset="alliance")[keys]
    found = made.states["state"].astype("str").map(_AS_FOUND).fillna("steady")
    states = rated.merge(made.states.assign(state=found), on=keys).assign(measure="alliance")
    states.loc[states["session"] < 3, "state"] = "not_assessable"
    return Worlds(data, states)


def probabilities_of(dataset: Dataset) -> Probabilities:
    """Fit the hidden Markov model to the alliance, and say what it makes of it."""
    models = fit_hidden_markov(dataset.sessions, MEASURES)
    return Probabilities(probable(dataset.sessions, MEASURES, models, dataset="made"), models)


def estimated(dataset: Dataset, states: pd.DataFrame, said: Probabilities) -> dict[str, FormulaFit]:
    """Fit the variants whose exposures are probabilities."""
    table = session_exposures(states, dataset, "alliance", "outcome", EXPOSURE_RULES)
    return fit_probable(PROBABLE_VARIANTS, table, dataset, "alliance", said)


def drawn_anew(dataset: Dataset, states: pd.DataFrame, seed: int) -> tuple[Dataset, pd.DataFrame]:
    """Return as many courses, drawn with replacement, with their states."""
    ids = dataset.courses["course"].to_numpy()
    drawn = pd.DataFrame({"course": np.random.default_rng(seed).choice(ids, len(ids))})
    drawn["copy"] = [f"K{number:05d}" for number in range(len(drawn))]
    renamed = {"copy": "course"}
    tables = {
        name: drawn.merge(table, on="course").drop(columns="course").rename(columns=renamed)
        for name, table in {
            "sessions": dataset.sessions, "courses": dataset.courses, "states": states
        }.items()
    }  # fmt: skip
    tables["sessions"]["client"] = tables["sessions"]["course"]
    states = tables.pop("states")
    return dataset_of(tables | {"measures": MEASURES}), states
