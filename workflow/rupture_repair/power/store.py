"""Finished replicates in a folder, so that an interrupted run goes on where it was."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from ..project.problems import ProblemsFound, listing, problem
from .answers import REPLICATE

SETTINGS, REPLICATES = "settings.json", "replicates.csv"

_TYPES = {"courses": "int64", "replicate": "int64", "rows": "int64"}
_TEXTS = ("detection", "verdict", "reason")


class Store:
    """The folder of one power analysis.

    Parameters
    ----------
    folder : path
        Made if need be.
    decisive : mapping
        All that a replicate depends on, as plain data.
    ways : sequence of str
        To the states: a replicate has a row for each.

    Raises
    ------
    ProblemsFound
        If the folder holds replicates of other settings (E806) or a damaged file (E807).
    """

    def __init__(self, folder: Path, decisive: Mapping[str, Any], ways: Sequence[str]):
        self.folder = Path(folder)
        self.ways = tuple(ways)
        self.decisive = json.loads(json.dumps(decisive))
        self.solved: dict[str, Any] = {}
        self.table = _typed(pd.DataFrame(columns=list(REPLICATE)))
        if (self.folder / SETTINGS).is_file() or (self.folder / REPLICATES).is_file():
            self._take_up()

    def _take_up(self) -> None:
        """Read what an earlier run has left."""
        file = self.folder / SETTINGS
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            before, self.solved = content["decisive"], dict(content["solved"])
        except (OSError, ValueError, KeyError, TypeError):
            raise ProblemsFound([problem("E807", file=file)]) from None
        if before != self.decisive:
            different = listing(_different(before, self.decisive), 6)
            raise ProblemsFound([problem("E806", file=self.folder, found=different)])
        if (self.folder / REPLICATES).is_file():
            self._read_replicates()

    def _read_replicates(self) -> None:
        """Read the replicates; a row that was being written when the run was stopped is left."""
        file = self.folder / REPLICATES
        text = file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        rows = list(csv.reader(StringIO(whole)))
        try:
            if not rows or rows[0] != list(REPLICATE):
                raise ValueError
            table = _typed(pd.DataFrame(rows[1:], columns=list(REPLICATE)))
        except (ValueError, AssertionError):
            raise ProblemsFound([problem("E807", file=file)]) from None
        key = ["courses", "replicate"]
        table = table.drop_duplicates([*key, "detection"])
        self.table = table[table.groupby(key)["detection"].transform("size") == len(self.ways)]
        if len(whole) < len(text) or len(self.table) < len(rows) - 1:
            self._write(self.table, "w", header=True)

    def remember(self, solved: Mapping[str, Any]) -> None:
        """Keep what was solved once for all replicates."""
        self.solved = dict(solved)
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"decisive": self.decisive, "solved": self.solved}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (self.folder / SETTINGS).write_text(text + "\n", encoding="utf-8")

    def finished(self, courses: int) -> set[int]:
        """Return the numbers of the replicates of this size that are there."""
        return set(self.table.loc[self.table["courses"] == courses, "replicate"])

    def of_size(self, courses: int, replicates: int) -> pd.DataFrame:
        """Return the first replicates of this size, sorted."""
        mine = self.table[
            (self.table["courses"] == courses) & (self.table["replicate"] < replicates)
        ]
        return mine.sort_values(["replicate", "detection"], ignore_index=True)

    def add(self, rows: pd.DataFrame) -> None:
        """Keep finished replicates at once."""
        first = not (self.folder / REPLICATES).is_file()
        self._write(rows, "a", header=first)
        self.table = pd.concat([self.table, _typed(rows)], ignore_index=True)

    def _write(self, rows: pd.DataFrame, mode: str, *, header: bool) -> None:
        text = rows.to_csv(index=False, header=header, lineterminator="\n", float_format="%.17g")
        with (self.folder / REPLICATES).open(mode, encoding="utf-8", newline="") as file:
            file.write(text)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return replicates with their types."""
    made = {}
    for name in REPLICATE:
        if name in _TEXTS:
            made[name] = table[name].fillna("").astype("str")
        else:
            number = pd.to_numeric(table[name].replace("", None))
            made[name] = number.astype(_TYPES.get(name, "float64"))
    return pd.DataFrame(made)


def _different(before: Any, now: Any, path: str = "") -> list[str]:
    """Return the keys in which two settings differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*before, *now]))
        return [
            text
            for key in keys
            for text in _different(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if before == now else [f"{path} {before}, now {now}"]
