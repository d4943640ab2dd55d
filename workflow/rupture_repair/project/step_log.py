"""Run a step so that what it says reaches the terminal and its log, also when it fails."""

import contextlib
import json
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from . import manifest, processes
from .user_mistake import UserMistake


class _Tee:
    """Write to several streams at once."""

    def __init__(self, *streams: IO[str]):
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()


def failure_file(log: str | Path) -> Path:
    """Return where the failure of the step with this log is noted."""
    return Path(log).with_suffix(".failed.json")


def running_file(log: str | Path) -> Path:
    """Return where it is noted that the step with this log is at work."""
    return Path(log).with_suffix(".running.json")


@contextlib.contextmanager
def step(
    name: str,
    dataset: str,
    log: str | Path,
    outputs: Iterable[str] = (),
    inputs: Iterable[str] = (),
) -> Iterator[None]:
    """Run one step of the workflow.

    What the step prints goes to the terminal and to its log. A user's mistake is explained in the
    words of the catalogue; a mistake of ours with its full traceback; both end the process with
    exit code 1 and leave a note for the report next to the log. While the step is at work, another
    note says so: it outlives a process that is killed.

    Strings are kept as Python objects instead of Arrow strings: ids are compared, merged and
    converted to arrays thousands of times, and all three are slower with Arrow strings.

    Parameters
    ----------
    name, dataset : str
        The step, and the dataset it works on.
    log : path
        The log file, replaced.
    outputs : iterable of str
        Files and folders that the step writes: their checksums are kept, see
        :mod:`rupture_repair.project.manifest`.
    inputs : iterable of str
        Files and folders that the step reads: the record of the run names them.
    """
    import pandas as pd  # the Snakefile, which only asks for failures, need not wait for it

    log, about = Path(log), {"dataset": dataset, "step": name, "log": Path(log).as_posix()}
    log.parent.mkdir(parents=True, exist_ok=True)
    failure_file(log).unlink(missing_ok=True)
    manifest.file_of(log).unlink(missing_ok=True)
    at_work = about | {"process": processes.identity(), "outputs": list(map(str, outputs))}
    running_file(log).write_text(json.dumps(at_work, ensure_ascii=False), encoding="utf-8")
    with log.open("w", encoding="utf-8") as file:
        out, err = _Tee(sys.stdout, file), _Tee(sys.stderr, file)
        with (
            pd.option_context("mode.string_storage", "python"),
            contextlib.redirect_stdout(out),  # type: ignore[type-var]
            contextlib.redirect_stderr(err),
        ):
            try:
                yield
                manifest.keep(log, outputs, inputs)
            except UserMistake as mistake:
                print(mistake, file=sys.stderr)
                _note(log, about, mistake.texts, "")
                sys.exit(1)
            except Exception as error:
                text = traceback.format_exc()
                print(text, file=sys.stderr)
                summary = f"{type(error).__name__}: {error}"
                _note(log, about, [summary], text)
                sys.exit(1)
            finally:
                running_file(log).unlink(missing_ok=True)


def _note(log: Path, about: dict[str, str], problems: list[str], trace: str) -> None:
    content = about | {"problems": problems, "traceback": trace}
    failure_file(log).write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")


def failures(logs: str | Path = "logs") -> list[dict]:
    """Return the notes of all steps that failed, sorted by dataset and step.

    Returns
    -------
    list of dict
        Keys `dataset`, `step`, `problems` (texts), `traceback` (empty for a user's mistake) and
        `log`.
    """
    files = sorted(Path(logs).glob("*/*.failed.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def unfinished(logs: str | Path = "logs") -> list[dict[str, Any]]:
    """Return the notes of steps that began and have not ended.

    After a run they are those that were killed: the kernel does so where memory runs out, a
    cluster where a job takes more memory or time than it asked for.

    Returns
    -------
    list of dict
        Keys `dataset`, `step`, `log`, `outputs` (paths) and `process`, see
        :func:`processes.identity`.
    """
    found = []
    for file in sorted(Path(logs).glob("*/*.running.json")):
        with contextlib.suppress(ValueError):  # killed while it wrote the note
            found.append(json.loads(file.read_text(encoding="utf-8")))
    return found


def forget_failures(logs: str | Path = "logs") -> None:
    """Remove the notes of failures, and of steps not finished, of an earlier run."""
    for kind in ("failed", "running"):
        for file in Path(logs).glob(f"*/*.{kind}.json"):
            file.unlink()
