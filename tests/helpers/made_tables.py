"""Small tables of the form that the steps of the workflow hand to figures and reports.

Thirty made-up courses, two alliance measures, four criteria of which one is not assessable, and
one model that failed. The states follow a plain rule, so that tables agree with each other.
"""

from copy import deepcopy

import numpy as np
import pandas as pd

from bundles import dataset_of, detected_of
from made_measures import made_measures
from made_settings import EXPOSURE_RULES, made_settings
from rupture_repair.models.flow import flow_of

CRITERIA = {
    "dip": {
        "name": "Dip below the trend",
        "rule": "A rating at least k units below the regression line of its own course.",
        "reference": "trend", "unit": "larger_sd", "sd_around": "trend", "k": 2.0, "strict": False,
        "floor": "reliable_change", "span": 1, "min_ratings": 5, "source": "This project",
        "doi": None, "standing": "generic", "changed": ["k"],
        "repair": {"regain": "reference", "tolerance": 0.5, "within": 3, "strict": False},
    },
    "own_mean_2sd": {
        "name": "2 SD below the own mean",
        "rule": "A rating more than k standard deviations of the course below its mean.",
        "reference": "course_mean", "unit": "own_sd", "sd_around": "mean", "k": 2.0,
        "strict": True, "floor": None, "span": 1, "min_ratings": 3,
        "source": "Babl et al. (2024), J. Consult. Clin. Psychol., 92(2), 129-133", "doi": None,
        "standing": "published", "changed": [],
        "repair": {"regain": "reference", "tolerance": 0.0, "within": 3, "strict": False},
    },
    "reliable_drop": {
        "name": "Reliable drop",
        "rule": "A fall from the previous rating of at least k standard errors.",
        "reference": "previous", "unit": "reliable_change", "sd_around": "mean", "k": 1.96,
        "strict": False, "floor": None, "span": 1, "min_ratings": 2,
        "source": "Jacobson & Truax (1991)", "doi": "10.1037/0022-006X.59.1.12",
        "standing": "generic", "changed": [],
        "repair": {"regain": 0.5, "tolerance": 0.0, "within": 3, "strict": False},
    },
    "srs_cutoff": {
        "name": "SRS below the cut-off",
        "rule": "An SRS total below the cut-off of the instrument.",
        "reference": "fixed", "value": 36.0, "unit": "raw", "sd_around": "mean", "k": 0.0,
        "strict": True, "floor": None, "span": 1, "min_ratings": 1, "instruments": ["SRS"],
        "source": "Practice rule of the Session Rating Scale", "doi": None,
        "standing": "clinical practice rule", "changed": [],
        "repair": {"regain": "reference", "tolerance": 0.0, "within": 3, "strict": False},
    },
}  # fmt: skip

#: How far below the course mean a rating lies that these tables call low.
_LOW = {"dip": 4.0, "own_mean_2sd": 6.0, "reliable_drop": 5.0}

EPISODE_COLUMNS = ["dataset", "measure", "criterion", "course", "episode", "onset", "first_low",
                   "repair", "end", "status", "fall"]  # fmt: skip

_FUTURE = {"dip", "own_mean_2sd"}

MEASURES = made_measures(
    srs={
        "label": "Session Rating Scale", "role": "alliance", "instrument": "own",
        "rater": "client", "timing": "end", "level": "session", "range": [0, 40],
        "better": "higher", "reliability": {"value": 0.88, "source": "Duncan et al. (2003)"},
        "reliable_change": {"value": 5.0, "source": "Duncan (2003)", "standing": "published"},
        "cut_off": None, "components": ["bond"], "outcome": "ors", "stands_in": None,
    },
    srs_t={
        "label": "Session Rating Scale, therapist", "role": "alliance", "instrument": "own",
        "rater": "therapist", "timing": "end", "level": "session", "range": [0, 40],
        "better": "higher", "reliability": None, "reliable_change": None, "cut_off": None,
        "components": [], "outcome": "ors", "stands_in": None,
    },
    ors={
        "label": "Outcome Rating Scale", "role": "outcome", "instrument": "ORS",
        "rater": "client", "timing": "start", "level": "session", "range": [0, 40],
        "better": "higher", "reliability": {"value": 0.85, "source": "Miller et al. (2003)"},
        "reliable_change": {"value": 5.0, "source": "Miller (2003)", "standing": "published"},
        "cut_off": {"value": 25, "inclusive": False, "source": "Miller et al. (2003)"},
        "components": [], "outcome": None, "stands_in": None,
    },
)  # fmt: skip

DATASET = {
    "name": "small", "title": "Thirty made-up courses", "source": "https://example.org/small",
    "licence": "CC-BY-4.0", "citation": "Nobody (2026). Thirty made-up courses.",
    "synthetic": True, "cautions": ["Ratings were drawn at random."], "ids": "hashed",
    "anonymity": {"covariates": ["sex", "age_group"], "cells": 6, "smallest": 1, "alone": 2},
    "warnings": ["W201 data/raw/small/dataset.yaml: no reliability is known."],
    "descriptor": "data/raw/small/dataset.yaml",
    "files": [{"path": "data/raw/small/sessions.csv", "sha256": "ab" * 32, "rows": 300}],
}  # fmt: skip

_ROWS = [{"id": name, **row} for name, row in CRITERIA.items()]
CONFIG = made_settings(
    {
        "datasets": ["small"], "default_criterion": "dip",
        "settings_of_criteria": {"dip": {"k": 2.0}}, "models": {"engine": "statsmodels"},
    },
    criteria=_ROWS,
)  # fmt: skip


def _sessions(n_courses: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    parts = []
    for number in range(n_courses):
        n = int(random.integers(3, 22)) if number else 24
        srs = 34 + random.normal(0, 2) + random.normal(0, 1.2, n)
        falls = random.choice(n, size=random.integers(0, 3), replace=False)
        for fall in falls:
            srs[fall : fall + random.integers(1, 6)] -= random.uniform(6, 14)
        rows = pd.DataFrame(
            {
                "course": f"C{number:04}", "client": f"P{number:04}", "therapist": f"T{number % 5}",
                "session": np.arange(1, n + 1, dtype="int32"), "day": 7.0 * np.arange(n),
                "srs": srs.clip(0, 40).round(1), "srs_t": (srs + 1).clip(0, 40).round(1),
                "ors": (20 + 0.5 * np.arange(n) + random.normal(0, 3, n)).clip(0, 40).round(1),
            }
        )  # fmt: skip
        rows.loc[(random.random(n) < 0.06) & (rows["session"] % n > 1), ["srs", "srs_t"]] = np.nan
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _course(rows: pd.DataFrame, measure: str, criterion: str) -> tuple[list[dict], list[dict]]:
    """States and episodes of one course: low, then back within 3 sessions, or not."""
    mean, low = rows[measure].mean(), _LOW[criterion]
    states, episodes, state, open_since = [], [], "steady", None
    last = int(rows["session"].max())
    for session, rating in rows[["session", measure]].to_numpy():
        session = int(session)
        if state == "repaired_here":
            state = "after_repair"
        if np.isnan(rating) or len(rows) < 4:
            shown = "not_assessable"
        else:
            if rating <= mean - low and open_since is None:
                state, open_since = "ruptured", session
                episodes.append({"first_low": session, "status": "censored", "end": last})
            elif open_since is not None and rating > mean - low / 2:
                state = "repaired_here"
                episodes[-1] |= {"status": "repaired", "repair": session, "end": session}
                open_since = None
            elif open_since is not None and session - open_since > 3:
                state = "after_unrepaired"
                episodes[-1] |= {"status": "unrepaired", "end": session}
                open_since = None
            shown = state
        states.append(
            {"session": session, "state": shown, "reference": mean, "threshold": low,
             "reason": "not rated" if shown == "not_assessable" else None}
        )  # fmt: skip
    for number, episode in enumerate(episodes, 1):
        episode |= {"episode": number, "onset": episode["first_low"] - 1 or None, "fall": low + 1}
    return states, episodes


def _detection_row(
    measure: str, criterion: str, states: pd.DataFrame, episodes: pd.DataFrame, rated: int
):
    row = CRITERIA[criterion]
    assessable = len(states) > 0
    count = episodes["status"].value_counts() if len(episodes) else {}
    per_course = episodes.groupby("course").size() if len(episodes) else pd.Series(dtype=int)
    in_use = states[states["state"] != "not_assessable"] if len(states) else states
    return {
        "dataset": "small", "measure": measure, "criterion": criterion, "name": row["name"],
        "standing": row["standing"], "assessable": assessable,
        "reason": None if assessable else "the rule applies to SRS only",
        "uses_future": criterion in _FUTURE, "k": row["k"],
        "n_courses": 0, "n_courses_assessable": in_use["course"].nunique() if len(in_use) else 0,
        "n_sessions": rated, "n_sessions_assessable": len(in_use),
        "n_courses_with_episode": len(per_course), "n_episodes": len(episodes),
        **{f"n_{status}": int(count.get(status, 0))
           for status in ("repaired", "unrepaired", "censored")},
        "n_sawtooth": int((per_course >= 2).sum()), "floor": 5.0 if criterion == "dip" else None,
    }  # fmt: skip


def _estimates() -> pd.DataFrame:
    random = np.random.default_rng(3)
    rows = []
    facts = {
        "n_sessions": 310, "n_courses": 27, "n_therapists": 5, "engine": "statsmodels",
        "optimiser": "lbfgs", "df": np.nan, "expected_share": np.nan,
    }  # fmt: skip
    for measure in ("srs", "srs_t"):
        for criterion in CRITERIA:
            for model, terms, variant in (
                ("next_session", ("repaired_within", "open_within", "repaired_between"), "main"),
                ("next_session", ("repaired_detrended", "open_detrended"), "detrended"),
                ("final", ("n_repaired", "n_unrepaired"), "main"),
            ):
                key = {"dataset": "small", "measure": measure, "outcome": "ors",
                       "criterion": criterion, "model": model, "variant": variant}  # fmt: skip
                status, message = "converged", None
                if criterion == "srs_cutoff":
                    status, message = "not_assessable", "the criterion is not assessable"
                elif criterion == "reliable_drop" and model == "next_session":
                    status, message = "failed", "the covariance of the random effects is singular"
                elif criterion == "own_mean_2sd":
                    status, message = "singular", "a variance component is zero"
                if status in ("failed", "not_assessable"):
                    rows.append({**key, "term": None, "status": status, "message": message,
                                 "n_sessions": 310, "n_courses": 27})  # fmt: skip
                    continue
                for term in terms:
                    estimate, error = random.normal(0.3 if "repaired" in term else -0.9, 0.5), 0.6
                    rows.append(
                        {**key, **facts, "term": term, "estimate": estimate, "std_error": error,
                         "statistic": estimate / error, "p": 0.2, "ci_low": estimate - 1.96 * error,
                         "ci_high": estimate + 1.96 * error, "status": status, "message": message}
                    )  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(
        converged=table["status"].isin(["converged", "singular"]),
        singular=table["status"] == "singular",
    )


def tables(n_courses: int = 30) -> dict:
    """All inputs of figures and report, by name."""
    sessions = _sessions(n_courses)
    states, episodes, detection = [], [], []
    for measure in ("srs", "srs_t"):
        for criterion in CRITERIA:
            key = {"dataset": "small", "measure": measure, "criterion": criterion}
            its_states, its_episodes = [], []
            for course, rows in sessions.groupby("course"):
                if criterion in _LOW:
                    some_states, some_episodes = _course(rows, measure, criterion)
                    its_states += [{**key, "course": course, **row} for row in some_states]
                    its_episodes += [{**key, "course": course, **row} for row in some_episodes]
            detection.append(
                _detection_row(
                    measure,
                    criterion,
                    pd.DataFrame(its_states),
                    pd.DataFrame(its_episodes),
                    int(sessions[measure].notna().sum()),
                )
            )
            states += its_states
            episodes += its_episodes
    courses = sessions.groupby("course", as_index=False).agg(
        {"client": "first", "therapist": "first"}
    )
    endings = np.array(["completed", "completed", "dropped_out"])
    courses["ending"] = endings[np.arange(len(courses)) % 3]
    made = {
        "dataset": deepcopy(DATASET),
        "measures": dict(MEASURES),
        "sessions": sessions,
        "courses": courses,
        "episodes": pd.DataFrame(episodes, columns=EPISODE_COLUMNS),
        "states": pd.DataFrame(states),
        "detection": pd.DataFrame(detection).assign(n_courses=n_courses),
        "estimates": _estimates(),
        "config": CONFIG,
        "criteria": {name: {"id": name, "value": None, **row} for name, row in CRITERIA.items()},
    }
    flow = flow_of(dataset_of(made, "small"), detected_of(made), made["estimates"], EXPOSURE_RULES)
    return made | {"flow": flow}
