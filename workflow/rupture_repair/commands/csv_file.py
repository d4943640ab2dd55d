"""CSV files that the user names on the command line."""

from pathlib import Path
from typing import Any

from ..ingest.files import DELIMITERS, Form, open_source
from ..project.problems import Problem, did_you_mean, problem

#: Cells that mean "not rated", besides the empty one.
MISSING = ("NA", "NaN", "nan")


def open_file(path: Path, delimiter: str) -> tuple[Any, list[Problem]]:
    """Open the file, with messages that name options instead of keys of dataset.yaml."""
    if not path.is_file():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        return None, [problem("E711", file=path, hint=did_you_mean(path.name, beside))]
    if len(delimiter) != 1:
        allowed = "one sign, or tab"
        return None, [problem("E719", file="--delimiter", found=delimiter, allowed=allowed)]
    source, found = open_source(path, Form(delimiter))
    codes = {entry.code for entry in found}
    if "E303" in codes:
        header = path.read_text(encoding="utf-8-sig").lstrip().split("\n", 1)[0]
        better = max((sign for sign in DELIMITERS if sign != delimiter), key=header.count)
        shown = "tab" if better == "\t" else f"'{better}'"
        return None, [problem("E712", file=path, found=delimiter, allowed=shown)]
    if "E304" in codes:
        return None, [problem("E713", file=path)]
    return source, found
