"""Simulated studies whose effects on the outcome are known, and what is estimated of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
#: Points of the rating for a point of the outcome's ups and downs, at the same session of world F.
FEEDS_BACK = 0.3
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
class Alliance:
    """An alliance that worlds share: one fit of the hidden Markov model serves them all.

    Attributes
    ----------
    worlds : mapping of str to dict
        What links alliance and outcome in each, as settings of the simulation.
    nothing : str
        The world without a link, which has the same noise as the others; "" without one.
    changes : mapping of str to float
        Settings of the simulation that differ from the usual ones.
    feeds_back : float
        Points of the rating for a point of the outcome's ups and downs at the same session.
    """

    worlds: Mapping[str, Mapping[str, float]]
    nothing: str = ""
    changes: Mapping[str, float] = field(default_factory=dict)
    feeds_back: float = 0.0


#: All worlds. D: shallow ruptures, restless courses, autocorrelation of .6. E: no ruptures, and the
#: outcome follows the alliance. F: the outcome moves the rating, ruptures do nothing. G: many
#: courses are left after open ruptures. D0 and G0 are D and G without any effect.
ALLIANCES = {
    "usual": Alliance(WORLDS, "C"),
    "hard": Alliance(
        {"D": WORLDS["A"], "D0": {}}, "D0",
        {"depth": 3.5, "volatility_sigma": 0.6, "autocorrelation": 0.6},
    ),
    "none": Alliance({"E": WORLDS["B"]}, "", {"rupture_rate": 0.0}),
    "feedback": Alliance({"F": {}}, "", {}, FEEDS_BACK),
    "left": Alliance({"G": WORLDS["A"], "G0": {}}, "G0", {"leave_open": 3.0}),
}  # fmt: skip


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


def _outcome(base: Mapping[str, Any], link: Mapping[str, float], seed: int) -> pd.Series:
    """Return the outcome of a world, not cut at the ends of its scale."""
    uncut = SimulationSettings(**{**base, **link, "ends_of_scale": False})
    return simulate_study(uncut, seed=seed).sessions["outcome"]


def _fed_back(alliance: pd.Series, base: Mapping[str, Any], points: float, seed: int) -> pd.Series:
    """Return ratings that are moved by the ups and downs of the outcome at the same session.

    These are the difference between the outcome and the one that has none, all else being the same.
    """
    rated = {"unrated": 0.0, "missing_item": 0.0}
    ups_and_downs = _outcome(base, rated, seed) - _outcome(
        base, rated | {"outcome_sd_within": 0.0}, seed
    )
    return (alliance + points * ups_and_downs).clip(0, 40).round(1)


def simulated(
    courses: int,
    seed: int,
    worlds: Mapping[str, Mapping[str, float]] = WORLDS,
    changes: Mapping[str, float] | None = None,
    feeds_back: float = 0.0,
) -> Worlds:
    """Simulate the courses of one study, with the outcomes of all worlds.

    The alliance is cut at the ends of its scale. The outcome is not: what is planted is there.
    `changes` and `feeds_back` are as in :class:`Alliance`.
    """
    base: dict[str, Any] = NOTHING | {"n_courses": courses, "n_therapists": max(1, courses // 10)}
    base |= changes or {}
    made = simulate_study(SimulationSettings(**base), seed=seed)
    whole = simulate_study(
        SimulationSettings(**base, unrated=0.0, missing_item=0.0), seed=seed
    ).sessions
    keys = ["course", "session"]
    before = made.sessions[keys].merge(
        whole[keys].assign(session=whole["session"] + 1, rating=whole["alliance"]), how="left"
    )["rating"]
    clients = made.sessions[["course", "therapist"]].drop_duplicates("course")
    alliance = made.sessions["alliance"]
    if feeds_back:
        alliance = _fed_back(alliance, base, feeds_back, seed)
    data = {}
    for world, link in worlds.items():
        outcome = _outcome(base, link, seed)
        if world == "R":
            outcome = outcome + FOLLOWS * (before - before.mean()).fillna(0)
        sessions = made.sessions.assign(alliance=alliance, outcome=outcome)
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
