"""Small random datasets, each of another shape: few courses, odd lengths, gaps, flat ratings."""

import io
from typing import Any

import numpy as np
import pandas as pd
import yaml

#: Ends of a scale and the step of its ratings.
SCALES = [
    (0, 40, 0.1), (1, 7, 1), (1, 7, 0.0), (0, 10, 0.5), (-10, 10, 0.0), (0, 1, 0.0), (0, 27, 1),
    (0, 1e12, 1e9), (0, 0.001, 1e-5), (1, 2, 1), (0, 100, 1 / 3),
]  # fmt: skip

ENDINGS = ["completed", "dropped_out", "ongoing", ""]


class _Maker:
    def __init__(self, seed: int):
        self.random = np.random.default_rng([7, seed])

    def yes(self, chance: float) -> bool:
        return bool(self.random.random() < chance)

    def one_of(self, values: list[Any]) -> Any:
        return values[self.random.integers(len(values))]

    def rows(self) -> pd.DataFrame:
        """Courses of odd lengths, with sessions skipped."""
        courses = int(self.one_of([1, 2, 3, 5, 8, 12, 20, 30]))
        longest = int(self.one_of([1, 2, 3, 6, 10, 16, 25]))
        length = self.random.integers(1, longest + 1, courses)
        if self.yes(0.3):
            length[:] = longest
        course = np.repeat(np.arange(courses), length)
        session = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length) + 1
        table = pd.DataFrame({"course": course, "session": session})
        if self.yes(0.4):
            kept = self.random.random(len(table)) < self.one_of([0.5, 0.8, 0.95])
            kept[self.random.integers(len(kept))] = True
            table = table[kept].reset_index(drop=True)
        return table

    def rating(self, table: pd.DataFrame, scale: tuple[float, float, float]) -> np.ndarray:
        low, high, step = scale
        level = self.random.uniform(0.3, 0.95, 40)[table["course"]]
        spread = self.one_of([0.0, 0.02, 0.1, 0.4])
        share = level + spread * self.random.standard_normal(len(table))
        if self.yes(0.5):
            share = share - 0.3 * (self.random.random(len(table)) < 0.15)
        if self.yes(0.2):
            share = share + 0.02 * table["session"].to_numpy()
        value = low + share.clip(0, 1) * (high - low)
        if step:
            value = (low + np.round((value - low) / step) * step).clip(low, high)
        missing = self.one_of([0, 0, 0, 0.05, 0.3, 0.9, 1.0])
        value[self.random.random(len(value)) < missing] = np.nan
        if self.yes(0.1):
            value[table["course"] == 0] = np.nan
        return np.array([float(f"{one:.6g}") for one in value])

    def measure(self, table: pd.DataFrame, name: str, tables: dict[str, Any]) -> dict[str, Any]:
        """Add a measure to a table, and return how dataset.yaml describes it."""
        scale = self.one_of(SCALES)
        about = {
            "rater": "client", "timing": self.one_of(["start", "end"]),
            "range": [scale[0], scale[1]], "better": self.one_of(["higher", "higher", "lower"]),
        }  # fmt: skip
        if self.yes(0.6):
            about["reliability"] = {"value": float(self.one_of([0.5, 0.9])), "source": "made"}
        if name == "alliance" and self.yes(0.3):
            parts = ["bond", "goals", "tasks"][: self.random.integers(1, 4)]
            about["items"] = {part: f"a_{part}" for part in parts}
            for part in parts:
                table[f"a_{part}"] = self.rating(table, scale)
            if len(parts) > 1:
                about["range"] = [scale[0] * len(parts), scale[1] * len(parts)]
            return about
        if name == "outcome" and self.yes(0.2):
            courses = tables["courses"]
            for when in ("first", "last"):
                courses[when] = self.rating(courses.assign(session=1), scale)
            return {key: about[key] for key in about} | {"first": "first", "last": "last"}
        table[name] = self.rating(table, scale)
        about["total"] = name
        return about


def made(seed: int) -> dict[str, str]:
    """Return the files of a dataset, name -> text; the same seed gives the same bytes."""
    maker = _Maker(seed)
    table = maker.rows()
    ids = table["course"].unique()
    courses = pd.DataFrame({"course": ids})
    courses["ending"] = [maker.one_of(ENDINGS) for _ in ids]
    courses["sex"] = [maker.one_of(["f", "m"]) for _ in ids]
    courses["age"] = maker.random.normal(40, 12, len(ids)).round(1)
    tables: dict[str, pd.DataFrame] = {"sessions": table, "courses": courses}
    described: dict[str, Any] = {"file": "sessions.csv", "course": "course", "session": "session"}
    therapists = int(maker.one_of([0, 1, 1, 3, 40]))
    if therapists:
        by_course = maker.random.integers(0, therapists, 40)
        table["therapist"] = [f"T{by_course[one]}" for one in table["course"]]
        described["therapist"] = "therapist"
    measures = {"alliance": maker.measure(table, "alliance", tables)}
    if maker.yes(0.85):
        measures["outcome"] = maker.measure(table, "outcome", tables)
    if maker.yes(0.2):
        measures["view"] = maker.measure(table, "view", tables) | {
            "role": "alliance", "rater": "therapist",
        }  # fmt: skip
    content: dict[str, Any] = {
        "title": "Made", "source": "made", "licence": "CC0", "citation": "none",
        "ids": "public", "synthetic": maker.yes(0.5), "tables": {"sessions": described},
        "measures": measures, "missing": ["", "nan"],
    }  # fmt: skip
    if maker.yes(0.8) or "first" in courses:
        keys: dict[str, Any] = {"file": "courses.csv", "course": "course", "ending": "ending"}
        if maker.yes(0.3):
            keys["covariates"] = ["sex", "age"]
        content["tables"]["courses"] = keys
    if len(table) > 5 and maker.yes(0.3):
        tables["events"] = _events(maker, table)
        content["tables"]["events"] = {"file": "events.csv"}
    return {
        "dataset.yaml": yaml.safe_dump(content, sort_keys=False),
        **{f"{name}.csv": _csv(one) for name, one in tables.items()},
    }


def _events(maker: _Maker, table: pd.DataFrame) -> pd.DataFrame:
    chosen = table.sample(
        frac=0.2, random_state=int(maker.random.integers(1000)), replace=False
    ).sort_index()
    codes = {
        "rupture": ["rupture"], "type": ["withdrawal", "confrontation"],
        "cause": ["criticism_or_sarcasm"], "repair": ["noticing", "corrective_experience"],
    }  # fmt: skip
    kinds = [maker.one_of(list(codes)) for _ in range(len(chosen))]
    return pd.DataFrame(
        {
            "course": [f"C{one:02}" for one in chosen["course"]],
            "session": chosen["session"].to_numpy(),
            "kind": kinds,
            "code": [maker.one_of(codes[kind]) for kind in kinds],
            "reporter": [maker.one_of(["client", "therapist", "observer"]) for _ in kinds],
        }
    )


def _csv(table: pd.DataFrame) -> str:
    table = table.copy()
    if pd.api.types.is_integer_dtype(table["course"]):
        table["course"] = [f"C{one:02}" for one in table["course"]]
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()
