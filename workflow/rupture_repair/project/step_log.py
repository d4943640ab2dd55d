"""Run a step so that what it says reaches the terminal and its log, also when it fails."""

import contextlib
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO

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


@contextlib.contextmanager
def step(name: str, dataset: str, log: str | Path) -> Iterator[None]:
    """Run one step of the workflow.

    What the step prints goes to the terminal and to its log. A user's mistake is explained in the
    words of the catalogue; a mistake of ours with its full traceback; both end the process with
    exit code 1 and leave a note for the report next to the log.

    Strings are kept as Python objects instead of Arrow strings: ids are compared, merged and
    converted to arrays thousands of times, and all three are slower with Arrow strings.

    Parameters
    ----------
    name, dataset : str
        The step, and the dataset it works on.
    log : path
        The log file, replaced.
    """
    import pandas as pd  # the Snakefile, which only asks for failures, need not wait for it

    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    failure_file(log).unlink(missing_ok=True)
    with log.open("w", encoding="utf-8") as file:
        out, err = _Tee(sys.stdout, file), _Tee(sys.stderr, file)
        with (
            pd.option_context("mode.string_storage", "python"),
            contextlib.redirect_stdout(out),  # type: ignore[type-var]
            contextlib.redirect_stderr(err),
        ):
            try:
                yield
            except UserMistake as mistake:
                print(mistake, file=sys.stderr)
                _note(log, name, dataset, mistake.texts, "")
                sys.exit(1)
            except Exception as error:
                text = traceback.format_exc()
                print(text, file=sys.stderr)
                summary = f"{type(error).__name__}: {error}"
                _note(log, name, dataset, [summary], text)
                sys.exit(1)


def _note(log: Path, name: str, dataset: str, problems: list[str], trace: str) -> None:
    content = {
        "dataset": dataset,
        "step": name,
        "problems": problems,
        "traceback": trace,
        "log": log.as_posix(),
    }
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


def forget_failures(logs: str | Path = "logs") -> None:
    """Remove the notes of failures of an earlier run."""
    for file in Path(logs).glob("*/*.failed.json"):
        file.unlink()
