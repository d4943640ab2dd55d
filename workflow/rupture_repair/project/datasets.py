"""Datasets by name: where they are described, and which files they consist of."""

import re
import unicodedata
from pathlib import Path

import yaml

from . import folders
from .problems import ProblemsFound, did_you_mean, listing, problem

#: Where datasets are described, the user's own before those of the project.
PLACES = (folders.RAW, Path("workflow/datasets"))


#: Names become parts of file names, which have a limit.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


#: Further pages of a dataset, next to its report; and names that are those of other pages.
_FURTHER = "check|explorer|failed"


_OTHER_PAGE = re.compile(rf"(?i)index|.+-({_FURTHER})")


def known_datasets(root: Path, project: Path = Path()) -> list[str]:
    """Return the names of all folders that hold a dataset.yaml.

    Parameters
    ----------
    root : Path
        The working folder.
    project : Path
        The folder of the workflow, where it is another one.
    """
    places = [root / base / place for base in (Path(), project) for place in PLACES]
    found = [path.parent.name for place in places for path in place.glob("*/dataset.yaml")]
    return sorted(dict.fromkeys(found))


def descriptor(name: str, root: Path = Path(), project: Path = Path()) -> Path:
    """Return the path of a dataset's dataset.yaml, relative to `root`.

    Parameters
    ----------
    name : str
        The dataset.
    root : Path
        The working folder.
    project : Path
        The folder of the workflow, where it is another one: its datasets come after those of
        the working folder.

    Raises
    ------
    ProblemsFound
        If there is none (E107).
    """
    for base in (Path(), project):
        for place in PLACES:
            if (root / base / place / name / "dataset.yaml").is_file():
                return base / place / name / "dataset.yaml"
    known = known_datasets(root, project)
    missing = problem(
        "E107",
        file="config.yaml",
        key="datasets",
        found=name,
        allowed=listing(known, 40),
        hint=did_you_mean(name, known),
    )
    raise ProblemsFound([missing])


def is_synthetic(file: Path) -> bool:
    """Return whether a dataset.yaml says so itself; one with faults says nothing."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("synthetic") is True


def is_name(name: str) -> bool:
    """Return whether a dataset can be called so."""
    return bool(_NAME.fullmatch(name)) and not _OTHER_PAGE.fullmatch(name)


def suggested_name(name: str) -> str:
    """Return a dataset name near to `name` that is allowed.

    Examples
    --------
    >>> suggested_name("Étude 2023 (pilot)")
    'Etude-2023-pilot'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    better = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:64].strip("-_") or "my-dataset"
    better = re.sub(rf"(?i)-({_FURTHER})$", r"_\1", better)
    return better if is_name(better) else f"my-{better}"


def data_files(
    name: str, mirror: str | None, root: Path = Path(), project: Path = Path()
) -> list[Path]:
    """Return the existing files that a dataset's descriptor names, for the workflow to watch.

    A descriptor with faults gives no files: the check of the dataset tells the faults.
    """
    path = descriptor(name, root, project)
    try:
        content = yaml.safe_load((root / path).read_text(encoding="utf-8-sig"))
        tables = content["tables"].values()
        names = [str(table["file"]) for table in tables]
        folder = content.get("mirror_folder")
    except (yaml.YAMLError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []
    base = folders.public_folder(name, folder, mirror, root) if folder else path.parent
    if base is None:
        return []
    files = dict.fromkeys(base / file for file in names)
    return [file for file in files if (root / file).is_file()]
