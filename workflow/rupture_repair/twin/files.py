"""Write a twin into a folder, as a dataset that the pipeline reads like any other."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from ..disclosure.limits import WITHHELD
from ..ingest import ingest
from ..project import folders
from ..project.problems import ProblemsFound
from ..simulation.files import refuse_foreign_files
from .make import Twin

#: First line of the descriptor: a folder without it was not written by this command.
MARK = "# A synthetic twin, written by 'rupture-repair twin'. Do not edit."

#: What the folder may hold.
FILES = ("dataset.yaml", "sessions.csv", "courses.csv", "fidelity.csv", "privacy.csv", "README.md")

#: Keys of a measure that a twin keeps.
_KEPT = ("role", "label", "instrument", "rater", "timing", "range", "better", "reliable_change",
         "cut_off", "reliability", "outcome", "stands_in")  # fmt: skip

_README = """# Twin of {title}

**Synthetic: no person described here exists.** Written by
`rupture-repair twin {study} --seed {seed}` (version {version}); the same version, study, settings
and seed give the same files. Every course was drawn at random from a model of the study: numbers
for lengths, gaps, ratings, ruptures, endings and covariates. No row of the study is here, and a
single course says nothing of a single person.

{courses} courses, {sessions} sessions. `dataset.yaml` describes the columns. Coded events have no
twin.
{left_out}
## How near the results are to those of the study

Difference in standard errors of the study (`fidelity.csv`): {within:.0%} of {statistics} statistics
lie within one, {beyond} beyond three. `[c]`: withheld, as single courses of the study are.

| statistic | study | twin | difference |
|---|---:|---:|---:|
{compared}

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
    folder = root / folder_of(twin.study.dataset.name)
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
    courses = twin.tables.courses.drop(columns="client")
    if not twin.model.therapists:
        courses = courses.drop(columns="therapist")
    checks = pd.DataFrame([vars(one) for one in twin.checks])
    tables = {"sessions": _sessions(twin), "courses": courses, "fidelity": twin.fidelity,
              "privacy": checks}  # fmt: skip
    texts = {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
        for name, table in tables.items()
    }
    descriptor = yaml.safe_dump(_descriptor(twin), sort_keys=False, allow_unicode=True, width=100)
    readme = _README.format(
        **_told(twin), version=version, courses=len(courses), sessions=len(tables["sessions"])
    )
    return {"dataset.yaml": f"{MARK}\n{descriptor}", **texts, "README.md": readme}


def _told(twin: Twin) -> dict[str, Any]:
    """Return what README.md says of the study and of what was measured."""
    apart = twin.fidelity["apart"].abs()
    columns = twin.model.columns.left_out.items()
    return {
        "title": twin.study.dataset.about["title"],
        "study": twin.study.dataset.name,
        "seed": twin.seed,
        "left_out": "".join(f"\nThe column `{name}` is left out: {why}.\n"
                            for name, why in columns),
        "within": float((apart <= 1).mean()),
        "beyond": int((apart > 3).sum()),
        "statistics": len(apart),
        "compared": "\n".join(
            f"| {one.statistic} | {_study_value(one.study)} | {one.twin:.3g} | {one.apart:.2f} |"
            for one in twin.fidelity.itertuples()
        ),
        "checks": "\n".join(
            f"| {one.check} | {one.value:.3g} | {one.limit:g} | {one.meaning} |"
            for one in twin.checks
        ),
    }  # fmt: skip


def _study_value(value: float) -> str:
    """Return a value of the study, or that it is withheld."""
    return WITHHELD if np.isnan(value) else f"{value:.3g}"


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
    model, study = twin.model, twin.study.dataset
    about = study.about
    when = "session" if model.days is None else "day"
    sessions = {"file": "sessions.csv", "course": "course", when: when}
    if model.therapists:
        sessions["therapist"] = "therapist"
    courses: dict[str, Any] = {"file": "courses.csv", "course": "course"}
    if model.endings:
        courses["ending"] = "ending"
    per_course = {f"{name}__{end}" for name in study.measures for end in ("first", "last")}
    named = [one.name for one in model.columns.columns if one.name not in per_course]
    if named:
        courses["covariates"] = named
    return {
        "title": f"Synthetic twin of {about['title']}",
        "synthetic": True,
        "twin_of": study.name,
        "ids": "public",
        "source": f"rupture-repair twin {study.name} --seed {twin.seed}, drawn from a model "
                  f"of: {about['source']}",
        "licence": about["licence"],
        "citation": f"Synthetic data, no real persons; the study: {about['citation']}",
        "tables": {"sessions": sessions, "courses": courses},
        "measures": {
            name: entry for name in study.measures if (entry := _measure(twin, name))
        },
        "missing": ["", "NA"],
    }  # fmt: skip


def _measure(twin: Twin, name: str) -> dict[str, Any] | None:
    """Return the entry of one measure; None where nothing of it was drawn."""
    raw, measure = twin.study.raw["measures"][name], twin.study.dataset.measures[name]
    entry = {key: raw[key] for key in _KEPT if raw[key] is not None}
    drawn = {one.name for one in twin.model.columns.columns}
    if not measure.per_session:
        ends = {end: f"{name}__{end}" for end in ("first", "last")}
        return entry | ends if drawn.issuperset(ends.values()) else None
    # The same scores by two names are written once.
    own = twin.model.same.get(name, name)
    if own not in twin.model.scales:
        return None
    scale = twin.model.scales[own]
    if scale.items:
        # Reverse-keyed items are turned already.
        entry["items"] = {column.removeprefix(f"{own}__"): column for column in scale.items}
        return entry | {key: raw[key] for key in ("item_range", "scored", "prorating") if raw[key]}
    entry["total"] = own
    if "instrument" not in entry:
        entry |= {"range": list(scale.ends), "better": measure.better}
    return entry
