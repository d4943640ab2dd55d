"""The bundles that functions take, from made-up tables by name."""

import pandas as pd

from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.report.dataset_tables import Material


def dataset_of(made, name="made", **changes):
    """Return the dataset of made-up tables; nobody coded events where there is no such table."""
    made = made | changes
    tables = [made[key] for key in ("measures", "sessions", "courses", "events") if key in made]
    return Dataset(name, *tables)


def detected_of(made, **changes):
    """Return what was detected, of made-up tables."""
    made = made | changes
    empty = pd.DataFrame(columns=["measure", "criterion"])
    return Detected(made["states"], made.get("episodes", empty), made["detection"])


def material_of(made, **more):
    """Return what a report is made of, from made-up tables."""
    bundled = ("dataset", "measures", "sessions", "courses", "events")
    bundled += ("states", "episodes", "detection")
    others = {key: table for key, table in (made | more).items() if key not in bundled}
    about = made["dataset"]
    dataset = dataset_of(made | more, about["name"])
    return Material(about, dataset, detected_of(made | more), **others)
