"""What each step read and wrote: checksums, so that a file cut short or edited is made anew."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

#: What Snakemake puts into a folder once the step that wrote it is done.
_SNAKEMAKES = ".snakemake_timestamp"


def file_of(log: str | Path) -> Path:
    """Return where the checksums of the step with this log are kept."""
    return Path(log).with_suffix(".outputs.json")


def checksum(path: Path) -> str:
    """Return the checksum of a file, of the names and files of a folder, or "missing"."""
    if path.is_dir():
        found = hashlib.sha256()
        for one in sorted(path.rglob("*")):
            if one.is_file() and one.name != _SNAKEMAKES:
                found.update(f"{one.relative_to(path).as_posix()} {checksum(one)}\n".encode())
        return found.hexdigest()
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(log: str | Path, outputs: Iterable[str], inputs: Iterable[str] = ()) -> None:
    """Keep the checksums of what a step wrote, and what it read.

    Parameters
    ----------
    log : path
        That of the step.
    outputs : iterable of str
        Files and folders.
    inputs : iterable of str
        Files and folders.
    """
    kept = {
        "outputs": {str(path): checksum(Path(path)) for path in outputs},
        "inputs": sorted(map(str, inputs)),
    }
    if kept["outputs"]:
        file_of(log).write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")


def read(file: Path) -> dict[str, Any]:
    """Return what :func:`keep` kept: `outputs`, a path -> its checksum, and `inputs`, paths.

    Raises
    ------
    ValueError
        If the file is not as it was written: the power went meanwhile.
    """
    kept = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(kept, dict) or kept.keys() != {"outputs", "inputs"}:
        raise ValueError(f"{file} is not of this version")
    return kept


def changed(logs: str | Path = "logs") -> Iterator[tuple[list[str], list[str]]]:
    """Yield steps of which an output is no longer what was written.

    Parameters
    ----------
    logs : path
        Outputs are looked for from the working folder on.

    Yields
    ------
    changed, all : list of str
        Those outputs, and all outputs of the step; its name where they are not known.
    """
    for file in sorted(Path(logs).glob("*/*.outputs.json")):
        try:
            kept = read(file)["outputs"]
        except ValueError:
            yield [file.as_posix()], [file.name.split(".")[0]]
            continue
        wrong = [path for path, one in kept.items() if checksum(Path(path)) != one]
        if wrong:
            yield wrong, list(kept)
