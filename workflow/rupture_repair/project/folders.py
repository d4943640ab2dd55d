"""Where the files of a public dataset are."""

from pathlib import Path

#: The folder of all datasets; only the demo and the register in it are ever committed.
RAW = Path("data/raw")


def fetched(name: str) -> Path:
    """Return the folder into which the files of a public dataset are fetched."""
    return RAW / name


def public_folder(
    name: str, folder: str, mirror: str | Path | None, root: Path = Path()
) -> Path | None:
    """Return the folder that holds the files of a public dataset, relative to `root`.

    Parameters
    ----------
    name : str
        The dataset.
    folder : str
        Its folder in the mirror.
    mirror : path, optional
        The mirror.
    root : Path
        The project.

    Returns
    -------
    Path or None
        The fetched files before those of the mirror, for their checksums were verified; None where
        nothing was fetched and no mirror is named.
    """
    own = root / fetched(name)
    if own.is_dir() and any(own.iterdir()):
        return fetched(name)
    return None if mirror is None else Path(mirror) / folder
