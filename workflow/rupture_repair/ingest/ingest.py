"""From a dataset's own files to the canonical tables.

`check` and `ingest` read through the same function, so that what passes the check is what
is ingested. Everything is refused that would have to be guessed.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..project import folders, yaml_files
from ..project.dataset import Dataset, files_of
from ..project.problems import Problem, ProblemsFound, problem
from ..project.processed import write_parquet
from . import accepted, assembly, descriptor, instruments, personal_data, pseudonyms, scoring
from .descriptor import ReadingPlan
from .files import FileFormat
from .raw_tables import TABLES, Reading, read_tables


@dataclass(frozen=True)
class Ingested(Dataset):
    """A dataset in canonical form, and what is told of it.

    Attributes
    ----------
    about : dict
        name, title, source, licence, citation, synthetic, twin_of (a study or None), cautions,
        ids (hashed or public),
        own_clients (whether clients have ids), descriptor, files (path, sha256, rows), warnings
        (texts), anonymity (see :func:`rupture_repair.ingest.personal_data.smallest_cell`).
    """

    about: dict[str, Any] = field(kw_only=True)


def ingest(name: str, folder: str | Path, mirror: str | Path | None = None) -> Ingested:
    """Return a dataset in canonical form.

    Unless dataset.yaml says ``ids: public``, ids are replaced by codes, under a key that is made
    in the dataset's folder on the first call.

    Parameters
    ----------
    name, folder, mirror
        As for :func:`check`.

    Returns
    -------
    Ingested

    Raises
    ------
    ProblemsFound
        With every problem, if one of them is an error.
    """
    dataset, problems = examine(name, folder, mirror)
    if dataset is None:
        raise ProblemsFound(problems)
    if dataset.about["ids"] == "public":
        return dataset
    secret = pseudonyms.key(_descriptor(folder).parent)
    tables = {table: getattr(dataset, table) for table in TABLES}
    return replace(dataset, **pseudonyms.replaced(tables, secret, dataset.about["own_clients"]))


def forms(folder: str | Path, mirror: str | Path | None = None) -> dict[str, FileFormat]:
    """Return how each file of a dataset is written, as far as dataset.yaml can be read."""
    file = _descriptor(folder)
    try:
        plan, _ = descriptor.resolve(
            yaml_files.read(file, "dataset"), str(file), instruments.load()
        )
    except ProblemsFound:
        return {}
    base = _base(plan, file.parent, mirror)[0] if plan else None
    if plan is None or base is None:
        return {}
    named = [name for name in TABLES if plan.table(name)]
    return {str(base / plan.raw["tables"][name]["file"]): plan.form(name) for name in named}


def _failed(problems: list[Problem]) -> bool:
    return any(one.is_error for one in problems)


def _descriptor(folder: str | Path) -> Path:
    folder = Path(folder)
    return folder if folder.name == "dataset.yaml" else folder / "dataset.yaml"


def examine(
    name: str, folder: str | Path, mirror: str | Path | None
) -> tuple[Ingested | None, list[Problem]]:
    """Read, check and assemble a dataset: the one way in."""
    file = _descriptor(folder)
    known = instruments.load()
    try:
        raw = yaml_files.read(file, "dataset")
    except ProblemsFound as refused:
        return None, refused.problems
    plan, problems = descriptor.resolve(raw, str(file), known)
    if plan is None:
        return None, problems
    base, found = _base(plan, file.parent, mirror)
    if base is None:
        return None, problems + found
    reading = read_tables(plan, base)
    problems += accepted.settled(plan.accepted, reading.problems)
    if "sessions" not in reading.tables:
        return None, problems
    tables, found = assembly.assemble(plan, reading.tables, failed=_failed(problems))
    problems += found
    if tables is None or _failed(problems):
        return None, problems
    measures = {}
    for one in plan.measures.values():
        described = scoring.describe(one, tables.sessions, tables.courses, known, plan.file)
        measures[one.name], found = described
        problems += found
    cell = personal_data.smallest_cell(tables.courses, list(plan.covariates))
    if not (raw["synthetic"] or raw["ids"] == "public"):
        problems += personal_data.rare_cells(cell, plan.file)
    problems += accepted.needless(plan.accepted, problems, plan.file)
    about = _about(name, plan, reading, problems) | {"anonymity": cell}
    found_tables = (tables.sessions, tables.courses, tables.events)
    return Ingested(name, measures, *found_tables, about=about), problems


def _base(
    plan: ReadingPlan, folder: Path, mirror: str | Path | None
) -> tuple[Path | None, list[Problem]]:
    """Return the folder that holds the files."""
    name = plan.raw["mirror_folder"]
    if name is None:
        return folder, []
    place: dict[str, Any] = {"file": plan.file, "key": "mirror_folder"}
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or not parts or "\0" in name:
        why = "leads out of the folder of public data"
        return None, [problem("E130", found=name, why=why, **place)]
    dataset = folder.resolve().name
    base = folders.public_folder(dataset, name, mirror)
    if base is None:
        return None, [problem("E131", found=name, dataset=dataset, **place)]
    if not base.is_dir():
        return None, [problem("E315", found=base, **place)]
    return base, []


def _about(
    name: str, plan: ReadingPlan, reading: Reading, problems: list[Problem]
) -> dict[str, Any]:
    """Return what dataset.json says."""
    keys = ("title", "source", "licence", "citation", "synthetic", "twin_of", "cautions", "ids")
    files = [
        {"path": path.as_posix(), "sha256": source.sha256, "rows": rows}
        for path, (source, rows) in reading.files.items()
    ]
    told = {key: plan.raw[key] for key in keys}
    warnings = [one.text for one in problems]
    descriptor_path = Path(plan.file).as_posix()
    return {
        "name": name,
        **told,
        "own_clients": any(
            bool(table and table.get("client")) for table in plan.raw["tables"].values()
        ),
        "descriptor": descriptor_path,
        "files": files,
        "warnings": warnings,
        "accepted": sorted({one.finding for one in problems if one.code == "W309" and one.finding}),
    }


def write(dataset: Ingested, folder: str | Path) -> None:
    """Write dataset.json, measures.json, sessions.parquet, courses.parquet and events.parquet.

    Parameters
    ----------
    dataset : Ingested
        What to write.
    folder : path
        Where to; made if it does not exist.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    measures = {name: one.as_dict() for name, one in dataset.measures.items()}
    for name, content in (("dataset", dataset.about), ("measures", measures)):
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for name in TABLES:
        write_parquet(getattr(dataset, name), folder / f"{name}.parquet")


def load(folder: str | Path) -> Ingested:
    """Read what :func:`write` wrote.

    Parameters
    ----------
    folder : path
        The dataset's folder below data/processed.

    Returns
    -------
    Ingested
    """
    folder = Path(folder)
    about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return Ingested(**vars(Dataset.read(about["name"], files_of(folder))), about=about)
