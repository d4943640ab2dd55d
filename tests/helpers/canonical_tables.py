"""What ingest makes of a small dataset, and what holds for every result of it."""

import json
from pathlib import Path
from typing import Any

from rupture_repair.ingest import check, ingest
from rupture_repair.ingest.ingest import Ingested
from small_dataset import GONE, write

BY_DAY = {"tables.sessions.session": GONE, "tables.sessions.day": "session_no"}
HEAD = ("course", "client", "therapist", "session", "day")


def assert_canonical(dataset: Ingested) -> None:
    """Check what holds for every dataset in canonical form."""
    sessions, courses, events = dataset.sessions, dataset.courses, dataset.events
    rated = [name for name, one in dataset.measures.items() if one.per_session]
    parts = {name: [f"{name}__{c}" for c in dataset.measures[name].components] for name in rated}
    scores = [column for name in rated for column in (name, *parts[name])]
    assert list(sessions.columns) == [*HEAD, *scores]
    assert sessions["session"].dtype == "int32"
    assert (sessions["session"] >= 1).all()
    assert [str(sessions[name].dtype) for name in ("course", "client", "therapist")] == ["str"] * 3
    assert not sessions[["course", "client"]].isna().any(axis=None)
    ordered = sessions[["course", "session"]].sort_values(["course", "session"])
    assert ordered.index.equals(sessions.index)
    assert not sessions.duplicated(["course", "session"]).any()
    persons = sessions[["course", "client", "therapist"]].drop_duplicates()
    assert len(persons) == sessions["course"].nunique()
    for name in rated:
        low, high = dataset.measures[name].range
        assert sessions[name].dropna().between(low - 1e-6, high + 1e-6).all()
        if dataset.measures[name].scored == "sum":
            summed = sessions[parts[name]].sum(axis=1, skipna=False)
            assert ((summed - sessions[name]).abs().dropna() <= 0.5 + 1e-6).all()
    assert sorted(set(sessions["course"])) == list(courses["course"])
    assert set(courses["ending"]) <= {"completed", "dropped_out", "ongoing", "unknown"}
    assert set(events["course"]) <= set(courses["course"])
    assert list(events.columns) == ["course", "session", "kind", "code", "reporter"]
    described = [one.as_dict() for one in dataset.measures.values()]
    json.dumps([dataset.about, described], allow_nan=False)


def read(folder: Path, edits: dict[str, Any] | None = None, files: Any = None) -> Ingested:
    """Write a changed small dataset and ingest it."""
    return ingest.ingest("small", write(folder / "data", edits, files))


def codes(folder: Path, edits: dict[str, Any] | None = None, files: Any = None) -> list[str]:
    """Return the codes of the problems of a changed small dataset."""
    found = check.check("small", write(folder / "data", edits, files))
    return [entry.code for entry in found]
