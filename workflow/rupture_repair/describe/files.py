"""Write a described dataset: dataset.yaml with a reason at every guess, README.md, codebook.csv."""

import csv
import io
import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..ingest.columns import RawColumn, RawTable
from ..ingest.personal_data import PATTERNS, look_at
from ..project.problems import ProblemsFound, problem
from ..project.yaml_files import TODO
from .guesses import Described, Keys

#: Texts of a column are listed in the codebook up to this number.
MOST_LISTED = 12
WIDTH = 98


def descriptor(made: Described) -> str:
    """Return dataset.yaml as text."""
    head = (
        "What the file holds, guessed by `rupture-repair new`. A comment gives the reason for the "
        f"line below it. Correct what is wrong, and write a value in place of each {TODO}; "
        "`rupture-repair check` lists those that are left. Every key is described in "
        "knowledge/schemas/dataset.schema.yaml."
    )
    return "\n".join([*_comment(head, ""), *_group(made.content, made.reasons, ())]) + "\n"


def _comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return textwrap.wrap(
        " ".join(shown.split()), WIDTH, initial_indent=start, subsequent_indent=start,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _scalar(value: Any) -> str:
    """Return a value in one line of YAML."""
    if isinstance(value, str):
        plain = yaml.safe_dump(value, allow_unicode=True, width=10_000).removesuffix("...\n")
        return plain.strip() if "\n" not in plain.strip() else json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(k)}: {_flow(v)}' for k, v in value.items())}}}"
    return str(yaml.safe_dump(value, width=10_000)).removesuffix("...\n").strip()


def _flow(value: Any) -> str:
    """Return a value for the inside of braces: texts in quotes where braces or commas occur."""
    if isinstance(value, str) and set(value) & set(",{}[]"):
        return json.dumps(value, ensure_ascii=False)
    return _scalar(value)


def _group(content: Mapping[str, Any], reasons: Mapping[Keys, str], path: Keys) -> list[str]:
    """Return the lines of a group of keys."""
    lines: list[str] = []
    indent = "  " * len(path)
    for key, value in content.items():
        here = (*path, key)
        if here in reasons:
            lines += _comment(reasons[here], indent)
        if isinstance(value, dict) and value:
            lines += [f"{indent}{_scalar(key)}:", *_group(value, reasons, here)]
        else:
            lines.append(f"{indent}{_scalar(key)}: {_scalar(value)}")
    return lines


def codebook(table: RawTable, made: Described, labels: Mapping[str, Any]) -> str:
    """Return one row per column of the file: use, kind, numbers, label, values."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["column", "label", "used_as", "kind", "rows_filled", "different", "lowest", "highest",
         "values", "note"]
    )  # fmt: skip
    for name, column in table.columns.items():
        label, values = labels.get(name, ("", {}))
        writer.writerow([name, label, made.used.get(name, ""), *_facts(name, column, made, values)])
    return text.getvalue()


def _facts(name: str, column: RawColumn, made: Described, values: Mapping[Any, str]) -> list[Any]:
    """Return kind, rows_filled, different, lowest, highest, values, note; no text of a person."""
    filled = int((column.codes >= 0).sum())
    numbers = column.distinct[np.isfinite(column.distinct)]
    kind = "number" if column.kinds[0].all() and len(column.texts) else "text"
    found = look_at(column)
    use = made.used.get(name, "").rsplit(".", 1)[-1]
    if found or use in ("course", "client", "therapist"):
        note = f"looks like {PATTERNS[found[0]].what}" if found else "ids are not listed"
        return [kind, filled, len(column.texts), "", "", "", note]
    low, high = (f"{numbers.min():g}", f"{numbers.max():g}") if len(numbers) else ("", "")
    listed = ""
    if values:
        listed = "; ".join(
            f"{value:g} = {word}" if isinstance(value, float) else f"{value} = {word}"
            for value, word in values.items()
        )
    elif use and kind == "text" and len(column.texts) <= MOST_LISTED:
        listed = "; ".join(sorted(column.texts.to_pylist()))
    return [kind, filled, len(column.texts), low, high, listed, ""]


def readme(name: str, file: str, made: Described, table: RawTable) -> str:
    """Return README.md: what lies here, and what to do next."""
    unused = [column for column in table.columns if column not in made.used]
    shown = ", ".join(f"`{one}`" for one in unused[:40]) or "none"
    more = f" and {len(unused) - 40} more" if len(unused) > 40 else ""
    return f"""# {made.content["title"]}

| file | what |
|---|---|
| `{file}` | the data as they were given: {len(table.rows):,} rows, {len(table.columns):,} columns |
| `dataset.yaml` | what the columns mean |
| `codebook.csv` | each column: what it is used for, its range, its labels |

Licence: {made.content["licence"]}. Nothing in this folder is committed; ids and the key that
replaces them (`ids.key`) stay here.

Columns that are not used: {shown}{more}.

Next: put a value in place of each {TODO} in `dataset.yaml`, then

```sh
rupture-repair check {name}
```
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files that are not there yet into a folder: all of them or none.

    Raises
    ------
    ProblemsFound
        If one is there already (E610), or cannot be written (E612).
    """
    made: list[Path] = []
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            with open(folder / name, "xb") as file:
                made.append(folder / name)
                file.write(data)
    except BaseException as error:
        for path in made:
            path.unlink(missing_ok=True)
        if new and folder.is_dir() and not any(folder.iterdir()):
            os.rmdir(folder)
        if isinstance(error, FileExistsError):
            found = str(error.filename or folder)
            raise ProblemsFound([problem("E610", file=folder, found=found)]) from error
        if isinstance(error, OSError):
            found = f"{error.filename or folder}: {error.strerror or 'cannot be written'}"
            raise ProblemsFound([problem("E612", file=folder, found=found)]) from error
        raise
