"""Courses with known effects, and what was fitted to them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bundles import dataset_of, detected_of
from made_measures import made_measures
from made_settings import ALL_VARIANTS, EDGE_RULES, EXPOSURE_RULES
from rupture_repair.models import fit_models

STATES = np.array(["steady", "ruptured", "repaired_here", "after_repair", "after_unrepaired"])


@dataclass(frozen=True)
class Made:
    """Tables of a made-up dataset whose states are drawn at random, with a known effect."""

    sessions: pd.DataFrame
    courses: pd.DataFrame
    measures: dict
    states: pd.DataFrame
    episodes: pd.DataFrame
    detection: pd.DataFrame

    def fit_all(self, processes=1, **changed):
        given = vars(self) | changed
        how = {"models": ALL_VARIANTS, "edge_rules": EDGE_RULES, "default_criterion": "dip"}
        bundles = (dataset_of(given), detected_of(given))
        return fit_models.fit_models(*bundles, **how, processes=processes)


def with_sessions(episodes, rng):
    """Return episodes of one low session, of random depth, that are over at that session."""
    low = episodes["session"].astype("int64")
    repair = low.where(episodes["status"] == "repaired").astype("Int64")
    around = {"onset": (low - 1).astype("Int64"), "first_low": low, "end": low, "repair": repair}
    return episodes[["course", "status"]].assign(**around, fall=rng.gamma(4, 1.5, len(episodes)))


def make(seed, courses=60, repaired=1.5, open_=-2.0, sd_therapist=1.0):
    """Draw sessions whose outcome moves by `repaired` and `open_` after the session before."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 16, courses)
    index = np.repeat(np.arange(courses), lengths)
    time = np.concatenate([np.arange(length) for length in lengths])
    weights = rng.dirichlet([6, 2, 1, 1, 1], courses)
    draw = (rng.random(len(index))[:, None] > weights.cumsum(axis=1)[index]).sum(axis=1).clip(0, 4)
    state = np.where(time == 0, "not_assessable", STATES[draw])
    before = np.where(time > 0, np.roll(state, 1), "none")
    therapist = rng.integers(0, max(courses // 10, 2), courses)
    outcome = (
        20 + 0.3 * time + rng.normal(0, 3, courses)[index]
        + rng.normal(0, 0.2, courses)[index] * time
        + rng.normal(0, sd_therapist, courses)[therapist][index]
        + repaired * np.isin(before, ["repaired_here", "after_repair"])
        + open_ * np.isin(before, ["ruptured", "after_unrepaired"])
        + rng.normal(0, 2.5, len(index))
    )  # fmt: skip
    ids = np.array([f"c{number:03d}" for number in range(courses)])
    names = np.array([f"t{number}" for number in therapist])
    sessions = pd.DataFrame(
        {"course": ids[index], "client": ids[index], "therapist": names[index],
         "session": time + 1, "alliance": rng.normal(30, 3, len(index)), "outcome": outcome}
    )  # fmt: skip
    keys = {"dataset": "made", "measure": "alliance", "criterion": "dip"}
    states = pd.DataFrame({"course": ids[index], "session": time + 1, "state": state})
    status = {"repaired_here": "repaired", "after_unrepaired": "unrepaired", "ruptured": "censored"}
    episodes = states[states["state"].isin(status) & (rng.random(len(states)) < 0.4)]
    episodes = with_sessions(episodes.assign(status=episodes["state"].map(status)), rng)
    measures = made_measures(alliance={"outcome": "outcome"}, outcome={"role": "outcome"})
    detection = pd.DataFrame([keys | {"assessable": True, "reason": None}])
    table = pd.DataFrame({"course": ids, "therapist": names})
    return Made(
        sessions, table, measures, states.assign(**keys), episodes.assign(**keys), detection
    )


def exposed(made):
    from rupture_repair.exposure.sessions import session_exposures

    given = dataset_of(vars(made))
    return session_exposures(made.states, given, "alliance", "outcome", EXPOSURE_RULES)
