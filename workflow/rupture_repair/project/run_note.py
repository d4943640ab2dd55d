"""Who builds the reports of a folder: one run at a time, and none that has died.

Snakemake locks its folder. A run that is killed, or that loses its power, leaves the lock behind;
so each run notes its processes, and the next one sees that none of them lives.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import processes, step_log
from .problems import ProblemsFound, listing, problem

#: The note, and the locks of Snakemake, in the working folder.
NOTE, LOCKS = Path("logs/run.json"), Path(".snakemake/locks")

#: Seconds after which a note without content is that of a run that died while it wrote it.
WRITING = 5.0


def _read(note: Path) -> list[dict[str, Any]]:
    """Return the processes of a note; a run that is about to write it is waited for."""
    until = time.monotonic() + WRITING
    while True:
        try:
            return list(json.loads(note.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return []
        except ValueError:
            if time.monotonic() > until:
                return []
        time.sleep(0.1)


def _write(note: Path, noted: list[dict[str, Any]]) -> None:
    """Replace a note as a whole: nobody reads half of it."""
    fresh = note.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(noted), encoding="utf-8")
    fresh.replace(note)


def add(pid: int | None = None, root: Path = Path()) -> None:
    """Add a process, this one by default, to those of the run."""
    note = root / NOTE
    note.parent.mkdir(parents=True, exist_ok=True)
    one = processes.identity(pid)
    noted = [other for other in _read(note) if not processes.are_same(other, one)]
    _write(note, [*noted, one])


def remove(root: Path = Path()) -> None:
    """Remove this process from those of the run; the last one takes the note away."""
    note, mine = root / NOTE, processes.identity()
    noted = _read(note)
    others = [one for one in noted if not processes.are_same(one, mine)]
    if len(others) == len(noted):
        return  # the note is that of another run
    if alive := [one for one in others if processes.is_alive(one)]:
        _write(note, alive)
    else:
        note.unlink(missing_ok=True)


def _problem_with(noted: list[dict[str, Any]]) -> ProblemsFound | None:
    """Say which of these processes may still be at work."""
    for one in noted:
        facts = {"file": NOTE.as_posix(), "found": one["pid"], "host": one["host"]}
        if not processes.is_here(one):
            return ProblemsFound([problem("E732", **facts)])
        if processes.is_alive(one):
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one["began"]))
            return ProblemsFound([problem("E731", since=since, **facts)])
    return None


def stopped(logs: str | Path = "logs") -> list[dict[str, Any]]:
    """Return what steps that were killed leave behind (E733).

    Returns
    -------
    list of dict
        As from :func:`rupture_repair.project.step_log.failures`.
    """
    return [as_failure(step) for step in step_log.unfinished(logs)]


def as_failure(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the failure of a step that was killed (E733).

    Parameters
    ----------
    step : mapping
        `dataset`, `step`, `log` and `outputs`, as :func:`step_log.unfinished` gives them.
    """
    missing = listing(path for path in step["outputs"] if not Path(path).exists())
    told = problem("E733", file=step["log"], found=step["step"], missing=missing)
    return dict(step) | {"problems": [told.text], "traceback": ""}


def take_away(note: Path, noted: list[dict[str, Any]]) -> None:
    """Remove the note of a run that died, but not that of a run that was quicker to do so."""
    taken = note.with_suffix(f".{os.getpid()}.died")
    with contextlib.suppress(FileNotFoundError):
        note.replace(taken)
        if _read(taken) == noted:
            taken.unlink()
        else:
            taken.replace(note)


@contextlib.contextmanager
def only_run(root: Path = Path()) -> Iterator[list[str]]:
    """Be the only run of a folder; clear away what a run that died has left.

    Parameters
    ----------
    root : Path

    Yields
    ------
    list of str
        What an earlier run left behind, in words: steps that it did not finish.

    Raises
    ------
    ProblemsFound
        If another run is at work (E731), or may be, on another machine (E732).
    """
    note = root / NOTE
    note.parent.mkdir(parents=True, exist_ok=True)
    mine = processes.identity()
    while True:
        try:
            with note.open("x", encoding="utf-8") as file:
                json.dump([mine], file)
            break
        except FileExistsError:
            noted = _read(note)
            if (found := _problem_with(noted)) is not None:
                raise found from None
            take_away(note, noted)
    for lock in (root / LOCKS).glob("*"):
        lock.unlink()
    left = step_log.unfinished(root / "logs")
    for step in left:
        processes.end(step["process"])
    step_log.forget_failures(root / "logs")
    try:
        yield [f"{step['dataset']}: {step['step']}" for step in left]
    finally:
        remove(root)
