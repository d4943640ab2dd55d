"""Describe a file of ratings: guess what its columns mean, and write dataset.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..ingest import instruments, statistics_files
from ..ingest import personal_data as identifying
from ..ingest.columns import RawTable
from ..ingest.delimited import read_columns
from ..ingest.files import open_source
from ..project import yaml_files
from ..project.datasets import PLACES, descriptor, is_name, known_datasets, suggested_name
from ..project.problems import Problem, ProblemsFound, did_you_mean, problem
from . import file_format, guesses
from . import files as writing
from .guesses import Described, Keys

#: The files that are written; `new` never writes over one.
FILES = ("dataset.yaml", "README.md", "codebook.csv")


@dataclass(frozen=True)
class New:
    """A dataset that was described.

    Attributes
    ----------
    folder : path
        Its folder.
    text : str
        dataset.yaml.
    described : Described
        What was guessed, and why.
    rows, columns : int
        Of the file.
    left_open : list of (int, tuple of str)
        Line and path of each TODO.
    identifying : list of (str, str)
        Columns that look as if they identified persons, and what they look like.
    """

    folder: Path
    text: str
    described: Described
    rows: int
    columns: int
    left_open: list[tuple[int, Keys]]
    identifying: list[tuple[str, str]]


def new(name: str, file: Path, answers: Sequence[str] = (), root: Path = Path()) -> New:
    """Describe a file as a dataset below data/raw.

    The file is copied next to dataset.yaml unless it lies there already; no file is changed or
    written over.

    Parameters
    ----------
    name : str
        The dataset.
    file : path
        CSV, XLSX, or a file of SPSS, Stata or SAS.
    answers : sequence of str
        ``key=value``, the key as in dataset.yaml with those above it.
    root : path
        The project's folder.

    Raises
    ------
    ProblemsFound
        E108 (name), E610 (there already), E611 (an answer), E612 (cannot be written), E711 (no such
        file), and those of :func:`rupture_repair.ingest.ingest.files.open_source`.
    """
    if not is_name(name):
        found = problem("E108", found=name, allowed=suggested_name(name))
        raise ProblemsFound([found])
    folder = root / PLACES[0] / name
    _refuse_what_is_there(name, folder, root)
    told = _told(answers)
    raw, shape, table = _read(file, told)
    labels = statistics_files.labels(raw, str(file))
    said = {column: label for column, (label, _) in labels.items()}
    inside = file.resolve().parent == folder.resolve()
    stored = file.name if inside else _stored_name(file)
    values = {column: words for column, (_, words) in labels.items()}
    known = instruments.load()
    made = guesses.describe(name, stored, shape, table, said, known, values)
    _answer(made, told)
    guesses.keep_ratings(made, known)
    text = writing.descriptor(made)
    lines = yaml_files.line_numbers(text)
    files: dict[str, str | bytes] = {
        "dataset.yaml": text,
        "README.md": writing.readme(name, stored, made, table),
        "codebook.csv": writing.codebook(table, made, labels),
    }
    if not inside:
        files[stored] = raw
    writing.write(folder, files)
    open_ = [(lines[path], path) for path in yaml_files.left_open(made.content)]
    suspects = _identifying(table)
    return New(folder, text, made, len(table.rows), len(table.columns), open_, suspects)


def _refuse_what_is_there(name: str, folder: Path, root: Path) -> None:
    """Refuse a name that is used, and a folder that leads elsewhere (E610)."""
    there = [str(folder / one) for one in FILES if (folder / one).exists()]
    if name in known_datasets(root):
        there = there or [str(descriptor(name, root))]
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        there = [str(folder)]
    if there:
        raise ProblemsFound([problem("E610", file=folder, found=", ".join(there))])


def _stored_name(file: Path) -> str:
    """Return a name for the copy that every file system and dataset.yaml can hold."""
    stem = suggested_name(file.stem) if file.stem else "ratings"
    return f"{stem}{file.suffix.lower() or '.csv'}"


def _read(file: Path, told: Mapping[Keys, Any]) -> tuple[bytes, file_format.Written, RawTable]:
    """Return a file's content, how it is written, and all of its columns."""
    try:
        if not file.is_file():
            beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
            raise ProblemsFound([problem("E711", file=file, hint=did_you_mean(file.name, beside))])
        raw = file.read_bytes()
    except OSError as error:
        found = error.strerror or "unreadable"
        raise ProblemsFound([problem("E320", file=file, found=found)]) from error
    shape = file_format.look_at(file, raw, told)
    source, found_ = open_source(file, shape.form)
    if source is None:
        raise ProblemsFound(found_)
    once = {name: name for name in source.header if name and source.header.count(name) == 1}
    table, found_ = read_columns(source, once, ())
    if table is None:
        raise ProblemsFound(_errors(found_))
    return raw, shape, table


def _errors(found: Sequence[Problem]) -> list[Problem]:
    return [one for one in found if one.is_error]


def _told(answers: Sequence[str]) -> dict[Keys, Any]:
    """Return path of a key -> what is answered (E611)."""
    told: dict[Keys, Any] = {}
    for text in answers:
        key, equals, value = text.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        try:
            read = yaml_files.value(value)
        except ValueError:
            equals = ""
        if not equals or not all(path):
            raise ProblemsFound([problem("E611", found=text)])
        told[path] = read
    return told


def _answer(made: Described, told: Mapping[Keys, Any]) -> None:
    """Lay answers over the guesses (E611, E103, E105)."""
    for path, read in told.items():
        group: Any = made.content
        for part in path[:-1]:
            group = group.setdefault(part, {}) if isinstance(group, dict) else None
        if not isinstance(group, dict):
            raise ProblemsFound([problem("E611", found=yaml_files.dotted(path))])
        if read is None:
            group.pop(path[-1], None)
        else:
            group[path[-1]] = read
        made.reasons[path] = "as answered"
    found = [
        one for one in yaml_files.check(made.content, "dataset", "--answer") if one.code != "E133"
    ]
    if found:
        raise ProblemsFound(found)


def _identifying(table: RawTable) -> list[tuple[str, str]]:
    """Return the columns that look as if they identified persons."""
    looked = {name: identifying.look_at(column, ["date"]) for name, column in table.columns.items()}
    return [(name, identifying.PATTERNS[found[0]].what) for name, found in looked.items() if found]


def as_text(made: New) -> str:
    """Return what was guessed, what is left open and what comes next, for a terminal."""
    lines = [f"{made.rows:,} rows, {made.columns:,} columns. Guessed, with the reason:"]
    for path, value in _leaves(made.described.content, made.described.reasons):
        if path not in {one for _, one in made.left_open}:
            reason = made.described.reasons.get(path, "")
            lines.append(
                f"  {yaml_files.dotted(path)}: {value}" + (f"  ({reason})" if reason else "")
            )
    unused = [one for one, what in made.identifying]
    if unused:
        lines.append("Columns that seem to identify persons; the check refuses them:")
        lines += [f"  {column}: {what}" for column, what in made.identifying]
    if made.left_open:
        lines.append("For you to say:")
        for line, path in made.left_open:
            reason = made.described.reasons.get(path, "")
            lines.append(f"  line {line}, {yaml_files.dotted(path)}: {reason}")
    lines.append(f"Written: {', '.join((made.folder / one).as_posix() for one in FILES)}")
    name = made.folder.name
    first = "fill in each TODO there, then: " if made.left_open else ""
    lines.append(f"Next: {first}rupture-repair check {name}")
    return "\n".join(lines)


def _leaves(content: Any, reasons: Any, path: Keys = ()) -> list[tuple[Keys, Any]]:
    """Return path and value of each key that has a reason or holds no group."""
    found = []
    for key, value in content.items():
        here = (*path, str(key))
        if isinstance(value, dict) and here not in reasons:
            found += _leaves(value, reasons, here)
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, dict) else value
            found.append((here, shown))
    return found
