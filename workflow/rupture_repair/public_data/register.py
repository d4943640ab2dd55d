"""The register of public datasets: where each file is published, and what it must be."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem

#: The register, relative to the project.
FILE = Path("data/raw/register.csv")

#: Its columns.
COLUMNS = ("dataset", "file", "version", "licence", "citation", "url", "sha256", "note")

#: What a cell must look like, and how that is said.
_FORMS = {
    "dataset": (r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, '-' and '_'"),
    "file": (r"[A-Za-z0-9][\w.-]*", "the name of a file, without a folder"),
    "version": (r".*\S.*", "the version, commit or date that is fetched"),
    "licence": (r".*\S.*", "the terms under which the data may be used"),
    "citation": (r".*\S.*", "how to cite the data"),
    "url": (r"https?://[^\s/]+/\S+", "an address that begins with https:// or http://"),
    "sha256": (r"[0-9a-f]{64}", "64 digits and letters a to f"),
    "note": (r".*", "text"),
}


@dataclass(frozen=True)
class RegisteredFile:
    """One file of a public dataset.

    Attributes
    ----------
    dataset, file : str
        The dataset, and the name of the file as it is analysed.
    version, licence, citation, note : str
        What is known of it.
    url : str
        Where it is published, itself or in an archive or a file of R.
    sha256 : str
        The checksum of the file as it is analysed.
    """

    dataset: str
    file: str
    version: str
    licence: str
    citation: str
    url: str
    sha256: str
    note: str


def _faults(number: int, row: dict[str, str | None], shown: str) -> list[Problem]:
    found = []
    for column, (form, allowed) in _FORMS.items():
        cell = row.get(column) or ""
        if not re.fullmatch(form, cell):
            facts: dict[str, Any] = {"found": cell, "allowed": allowed}
            found.append(problem("E907", file=shown, row=number, column=column, **facts))
    return found


def read(file: str | Path = FILE) -> list[RegisteredFile]:
    """Read and check the register.

    Parameters
    ----------
    file : path
        The register.

    Returns
    -------
    list of RegisteredFile
        In the order of the file.

    Raises
    ------
    ProblemsFound
        With every problem: E101 (no such file), E906 (columns), E907 (a cell that cannot be used),
        E908 (a file that is registered twice).
    """
    shown = Path(file).as_posix()
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise ProblemsFound([problem("E101", file=shown)]) from error
    reader = csv.DictReader(lines)
    names = reader.fieldnames or []
    if list(names) != list(COLUMNS):
        facts: dict[str, Any] = {"found": listing(names), "allowed": ", ".join(COLUMNS)}
        raise ProblemsFound([problem("E906", file=shown, row=1, **facts)])
    rows = list(enumerate(reader, 2))
    found = [fault for number, row in rows for fault in _faults(number, row, shown)]
    seen: dict[tuple[str, str], int] = {}
    for number, row in rows:
        first = seen.setdefault((row["dataset"], row["file"]), number)
        if first != number:
            facts = {"found": row["file"], "dataset": row["dataset"], "first": first}
            found.append(problem("E908", file=shown, row=number, **facts))
    if found:
        raise ProblemsFound(found)
    return [RegisteredFile(**{column: row[column] for column in COLUMNS}) for _, row in rows]


def names(file: str | Path = FILE) -> list[str]:
    """Return the datasets of a register as far as they can be read; empty where there is none."""
    try:
        return list(dict.fromkeys(entry.dataset for entry in read(file)))
    except ProblemsFound:
        return []


def of_dataset(name: str, file: str | Path = FILE) -> list[RegisteredFile]:
    """Return the files of one dataset.

    Raises
    ------
    ProblemsFound
        E901 where the dataset is not registered, or the problems of the register.
    """
    entries = read(file)
    own = [entry for entry in entries if entry.dataset == name]
    if not own:
        known = list(dict.fromkeys(entry.dataset for entry in entries))
        facts: dict[str, Any] = {"found": name, "hint": did_you_mean(name, known)}
        facts["allowed"] = listing(known, 40)
        raise ProblemsFound([problem("E901", file=Path(file).as_posix(), **facts)])
    return own
