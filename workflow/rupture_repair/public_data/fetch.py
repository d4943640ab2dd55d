"""Fetch the files of a public dataset, from where they are published or from a mirror."""

import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..project import folders, yaml_files
from ..project.optional_parts import optional
from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from . import register, unpack
from .register import RegisteredFile

#: Seconds without an answer after which a download is given up.
PATIENCE = 30


class _Refused(Exception):
    """A file that could not be had; `args[0]` is the problem."""


def mirror_folder(name: str, root: Path = Path()) -> str:
    """Return the folder of a dataset in a mirror: `mirror_folder` of dataset.yaml, or its name."""
    file = root / "workflow/datasets" / name / "dataset.yaml"
    named = yaml_files.read(file, "dataset")["mirror_folder"] if file.is_file() else None
    return named or name


def fetch(
    name: str,
    mirror: str | Path | None = None,
    root: Path = Path(),
    patience: float = PATIENCE,
    project: Path = Path(),
) -> list[Path]:
    """Fetch the files of a public dataset into data/raw/<name>, each checked against its checksum.

    Parameters
    ----------
    name : str
        A dataset of data/raw/register.csv.
    mirror : path, optional
        A folder whose files replace the network.
    root : Path
        The working folder.
    patience : float
        Seconds to wait for an answer.
    project : Path
        The folder of the workflow, where it is another one; it holds the register.

    Returns
    -------
    list of Path
        The files, relative to `root`. Files that are there already, with the right checksum, are
        left as they are.

    Raises
    ------
    ProblemsFound
        E901 (not registered), and for each file that could not be had E902 (no connection), E903
        (the address does not give the file), E904 (a wrong checksum), E905 (not in the mirror),
        E909 (another file is there), E910 (the download cannot be opened) or E911 (it does not
        hold the file). Then nothing was changed.
    """
    entries = register.of_dataset(name, root / project / register.FILE)
    folder = root / folders.fetched(name)
    source = None if mirror is None else Path(mirror) / mirror_folder(name, root / project)
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="fetch") as temporary:
        ready: list[tuple[Path, Path]] = []
        for entry in entries:
            target = folder / entry.file
            try:
                if not _is_there(entry, target):
                    ready.append((_obtained(entry, source, Path(temporary), patience), target))
            except _Refused as refused:
                problems.append(refused.args[0])
        if problems:
            raise ProblemsFound(problems)
        folder.mkdir(parents=True, exist_ok=True)
        for file, target in ready:
            shutil.move(file, target)
    return [folders.fetched(name) / entry.file for entry in entries]


def _checksum(file: Path) -> str:
    pooch = optional("pooch")

    return pooch.file_hash(str(file), alg="sha256")


def _is_there(entry: RegisteredFile, target: Path) -> bool:
    """Say whether the file was fetched before; never write over another one."""
    if not target.exists():
        return False
    found = _checksum(target)
    if found != entry.sha256:
        facts: dict[str, Any] = {"found": found, "expected": entry.sha256}
        raise _Refused(problem("E909", file=target.as_posix(), **facts))
    return True


def _obtained(entry: RegisteredFile, source: Path | None, temporary: Path, patience: float) -> Path:
    """Return the file in a temporary folder, as registered."""
    if source is None:
        origin, file = entry.url, _downloaded(entry, temporary, patience)
    else:
        origin, file = (source / entry.file).as_posix(), _mirrored(entry, source, temporary)
    found = _checksum(file)
    if found != entry.sha256:
        facts = {"found": found, "expected": entry.sha256, "origin": origin}
        raise _Refused(_told("E904", entry, **facts))
    return file


def _told(code: str, entry: RegisteredFile, **facts: Any) -> Problem:
    return problem(
        code, file=register.FILE.as_posix(), key=f"{entry.dataset}, {entry.file}", **facts
    )


def _mirrored(entry: RegisteredFile, source: Path, temporary: Path) -> Path:
    file = source / entry.file
    if not file.is_file():
        beside = source if source.is_dir() else source.parent
        known = sorted(one.name for one in beside.iterdir()) if beside.is_dir() else []
        wanted = entry.file if source.is_dir() else source.name
        facts = {"hint": did_you_mean(wanted, known), "folder": source.name}
        raise _Refused(_told("E905", entry, found=file.as_posix(), **facts))
    return Path(shutil.copyfile(file, temporary / entry.file))


def _downloaded(entry: RegisteredFile, temporary: Path, patience: float) -> Path:
    """Download what is published, and take the file out of it."""
    published = unpack.published_name(entry.url)
    download = temporary / f"{entry.file}.download"
    _retrieve(entry, download, patience)
    target = temporary / entry.file
    try:
        unpack.take_out(download, published, entry.file, target)
    except unpack.NotInside as error:
        inside = error.args[0]
        ends = [Path(path).name for path in inside]
        facts = {"hint": did_you_mean(entry.file, ends), "allowed": listing(inside)}
        raise _Refused(_told("E911", entry, found=published, wanted=entry.file, **facts)) from error
    except Exception as error:  # each kind of archive has errors of its own
        why = " ".join(str(error).split()) or type(error).__name__
        raise _Refused(_told("E910", entry, found=published, why=why)) from error
    return target


def _retrieve(entry: RegisteredFile, target: Path, patience: float) -> None:
    """Download one address; the checksum is that of what it holds, and looked at afterwards."""
    pooch = optional("pooch")
    from requests import exceptions

    pooch.get_logger().setLevel(logging.WARNING)  # it would advise to trust what was downloaded
    downloader: Callable[..., Any] = pooch.HTTPDownloader(timeout=patience)
    try:
        pooch.retrieve(entry.url, None, target.name, target.parent, downloader=downloader)
    except exceptions.HTTPError as error:
        answer = error.response
        said = str(error) if answer is None else f"{answer.status_code} {answer.reason}".strip()
        raise _Refused(_told("E903", entry, url=entry.url, found=said)) from error
    except exceptions.RequestException as error:
        kinds = {exceptions.Timeout: f"no answer within {patience:g} seconds",
                 exceptions.SSLError: "its certificate is not trusted"}  # fmt: skip
        said = next(
            (why for kind, why in kinds.items() if isinstance(error, kind)), "no connection"
        )
        raise _Refused(_told("E902", entry, url=entry.url, found=said)) from error
