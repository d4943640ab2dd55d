"""A small dataset, and all that its explorer is made of."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import compare_with_chance, replicates
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.ratings import arrange
from rupture_repair.disclosure.gate import Gate
from rupture_repair.explorer import write_explorer, write_explorer_library
from rupture_repair.project.measures import Measure

SETTINGS = chance_settings(null_models=("shuffle",), replicates=4, slow_replicates=2)
NAMES = ("v_2sd", "dip", "srs_cutoff", "anhoej", "reported")
DATASET = {"name": "made", "title": "Made-up courses", "synthetic": True, "licence": "CC0-1.0"}


def measure_of(better: str = "higher", label: str = "Alliance") -> Measure:
    return made_measure(
        label=label, rater="client", instrument="SRS", better=better, reliable_change={"value": 5.0}
    )


def sessions_of(courses: int, ratings: int = 12, better: str = "higher") -> pd.DataFrame:
    rating = 30 + 3 * np.random.default_rng(3).standard_normal((courses, ratings))
    rating[::2, 6] -= 12  # a fall in every second course
    rating = rating.clip(0, 40).round(1)
    if better == "lower":
        rating = (40 - rating).round(1)
    return pd.DataFrame(
        {
            "course": [f"c{number:04}" for number in np.repeat(np.arange(courses), ratings)],
            "session": np.tile(np.arange(1, ratings + 1), courses),
            "alliance": rating.ravel(),
        }
    )


def rules() -> list[criteria.Criterion]:
    return criteria.load(NAMES, {"dip": {"k": 2.0}})


def made(courses: int = 24, better: str = "higher", label: str = "Alliance") -> dict:
    """Return what :func:`rupture_repair.explorer.write_explorer.explore` is given."""
    table, measure = sessions_of(courses, better=better), measure_of(better, label)
    model = replicates.prepare(arrange(table, "alliance", measure), "alliance", measure, seed=1)
    compared, _ = compare_with_chance.expected(model, rules(), EDGE_RULES, SETTINGS, dataset="made")
    detected = [
        one.summary
        for one in detect.detect(table, {"alliance": measure}, rules(), EDGE_RULES, dataset="made")
    ]
    return {
        "measures": {"alliance": measure},
        "sessions": table,
        "events": pd.DataFrame({"course": [], "session": [], "kind": []}),
        "detection": pd.DataFrame(detected),
        "calibrated": pd.DataFrame({"measure": [], "criterion": [], "k": []}),
        "chance": compared,
        "replicates": replicates.kept_replicates(model, SETTINGS, 0, dataset="made"),
        "models": {},
        "criteria": rules(),
        "default_criterion": "v_2sd",
        "edge_rules": EDGE_RULES,
        "gate": Gate(),
    }


@cache
def library() -> dict:
    """Return the charts and their JavaScript, made once."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return json.loads(
            write_explorer_library.write_explorer_library(Path(folder) / "library.json").read_text(
                "utf-8"
            )
        )


def html(given: dict, dataset: dict = DATASET) -> str:
    return write_explorer.page(write_explorer.explore(**given), dataset, library())
