"""Write a twin into a folder, as a dataset that the pipeline reads like any other."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ..ingest import ingest
from ..project import folders
from ..project.problems import ProblemsFound
from ..simulation.files import refuse_foreign_files
from .make import Twin

#: First line of the descriptor: a folder without it was not written by this command.
MARK = "# A synthetic twin, written by 'rupture-repair twin'. Do not edit."

#: What the folder may hold; the last two are written by the comparison.
FILES = ("dataset.yaml", "sessions.csv", "courses.csv", "privacy.csv", "README.md", "fidelity.csv",
         "fidelity.md")  # fmt: skip

#: Keys of a measure that a twin keeps.
_KEPT = ("role", "label", "instrument", "rater", "timing", "range", "better", "reliable_change",
         "cut_off", "reliability", "outcome", "stands_in")  # fmt: skip

_README = """# Twin of {title}

**Synthetic: no person described here exists.** Written by `rupture-repair twin {study} --seed {seed}`
(version {version}); the same version, study and seed give the same files. Every course was drawn at
random from a model of the study: numbers for lengths, gaps, ratings, ruptures, endings and
covariates. No row of the study is here. The statistics resemble those of the study; a single course
says nothing of a single person, and nothing here replaces the study itself.

{courses} courses, {sessions} sessions. `dataset.yaml` describes the columns.
{left_out}
## What was tried to learn of single courses of the study

Measured before anything was written (`privacy.csv`); had one check failed, nothing would be here.

| check | found | allowed | what it is |
|---|---:|---:|---|
{checks}
"""


def folder_of(name: str) -> Path:
    """Return where the twin of a study is."""
    return folders.RAW / f"{name}-twin"


def write(twin: Twin, version: str, root: Path = Path()) -> Path:
    """Write a twin.

    Parameters
    ----------
    twin : Twin
    version : str
        Of the software.
    root : Path
        The folder of the project.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ProblemsFound
        E601 if the folder holds anything else; or what the check of datasets has against it.
    """
    folder = root / folder_of(twin.study.name)
    refuse_foreign_files(folder, MARK, FILES)
    texts = _texts(twin, version)
    with tempfile.TemporaryDirectory() as place:
        for name, text in texts.items():
            (Path(place) / name).write_bytes(text.encode())
        _, problems = ingest.examine(folder.name, place, None)
        if any(one.is_error for one in problems):
            raise ProblemsFound(problems)
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:  # the descriptor, which bears the mark, first
            (folder / name).unlink(missing_ok=True)
            if name in texts:
                shutil.copyfile(Path(place) / name, folder / name)
    return folder


def _texts(twin: Twin, version: str) -> dict[str, str]:
    """Return the files, name -> text."""
    sessions, courses = _sessions(twin), twin.tables.courses.drop(columns="client")
    if not twin.model.therapists:
        courses = courses.drop(columns="therapist")
    checks = pd.DataFrame([vars(one) for one in twin.checks])
    tables = {"sessions": sessions, "courses": courses, "privacy": checks}
    texts = {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
        for name, table in tables.items()
    }
    left_out = "".join(
        f"\nThe column `{name}` is left out: {why}.\n"
        for name, why in twin.model.columns.left_out.items()
    )
    rows = "\n".join(
        f"| {one.check} | {one.value:.3g} | {one.limit:g} | {one.meaning} |" for one in twin.checks
    )
    said = {"title": twin.study.about["title"], "study": twin.study.name, "seed": twin.seed}
    return {
        "dataset.yaml": MARK + "\n" + yaml.safe_dump(
            _descriptor(twin), sort_keys=False, allow_unicode=True, width=100
        ),
        **texts,
        "README.md": _README.format(
            **said, version=version, courses=len(courses), sessions=len(sessions),
            left_out=left_out, checks=rows,
        ),
    }  # fmt: skip


def _sessions(twin: Twin) -> pd.DataFrame:
    """Return the table of sessions as it is written: items, or totals where there are none."""
    model, table = twin.model, twin.tables.sessions
    columns = ["course"] + (["therapist"] if model.therapists else [])
    columns.append("session" if model.days is None else "day")
    for name, scale in model.scales.items():
        columns += scale.items or (name,)
    return table[columns]


def _descriptor(twin: Twin) -> dict[str, Any]:
    """Return the content of dataset.yaml."""
    model, about = twin.model, twin.study.about
    when = "session" if model.days is None else "day"
    sessions = {"file": "sessions.csv", "course": "course", when: when}
    if model.therapists:
        sessions["therapist"] = "therapist"
    courses: dict[str, Any] = {"file": "courses.csv", "course": "course"}
    if model.endings:
        courses["ending"] = "ending"
    per_course = {f"{name}__{end}" for name in twin.study.measures for end in ("first", "last")}
    named = [one.name for one in model.columns.columns if one.name not in per_course]
    if named:
        courses["covariates"] = named
    return {
        "title": f"Synthetic twin of {about['title']}",
        "synthetic": True,
        "twin_of": twin.study.name,
        "ids": "public",
        "source": f"rupture-repair twin {twin.study.name} --seed {twin.seed}, drawn from a model "
                  f"of: {about['source']}",
        "licence": about["licence"],
        "citation": f"Synthetic data, no real persons; the study: {about['citation']}",
        "tables": {"sessions": sessions, "courses": courses},
        "measures": {
            name: entry for name in twin.study.measures if (entry := _measure(twin, name))
        },
        "missing": ["", "NA"],
    }  # fmt: skip


def _measure(twin: Twin, name: str) -> dict[str, Any] | None:
    """Return the entry of one measure; None where nothing of it was drawn."""
    raw, measure = twin.raw["measures"][name], twin.study.measures[name]
    entry = {key: raw[key] for key in _KEPT if raw[key] is not None}
    drawn = {one.name for one in twin.model.columns.columns}
    if not measure.per_session:
        ends = {end: f"{name}__{end}" for end in ("first", "last") if f"{name}__{end}" in drawn}
        return entry | ends if len(ends) == 2 else None
    if name not in twin.model.scales:
        return None
    scale = twin.model.scales[name]
    if entry.get("outcome") not in (None, *twin.model.scales, *drawn):
        entry.pop("outcome")
    if scale.items:
        items = {column.removeprefix(f"{name}__"): column for column in scale.items}
        # Reverse-keyed items are turned already.
        entry |= {"items": items, "reverse": []}
        entry |= {key: raw[key] for key in ("item_range", "scored", "prorating") if raw[key]}
        return entry
    entry["total"] = name
    if "instrument" not in entry:
        entry |= {"range": list(scale.ends), "better": measure.better}
    if measure.reliability is not None and "reliability" not in entry:
        entry["reliability"] = {"value": measure.reliability.value, "source": "the study's"}
    return entry
