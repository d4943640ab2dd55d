"""Check a dataset: every problem at once, without writing anything."""

from pathlib import Path

from ..project.problems import Problem
from .ingest import examine


def check(name: str, folder: str | Path, mirror: str | Path | None = None) -> list[Problem]:
    """Return every problem of a dataset, without writing anything.

    Parameters
    ----------
    name : str
        The dataset.
    folder : str or Path
        The folder with its dataset.yaml, or that file.
    mirror : str or Path, optional
        Folder with the files of datasets that have a `mirror_folder`.

    Returns
    -------
    list of Problem
        Errors and, with codes that begin with W, warnings, which do not stop; in the order of
        reading. Empty when all is well.
    """
    return examine(name, folder, mirror)[1]
