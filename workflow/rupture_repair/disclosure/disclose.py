"""Find what of a dataset may be shown, once for everything that shows it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..project.dataset import Dataset, Detected, files_of
from ..project.setting_groups import ExposureRules, ReportSettings
from .gate import Gate, gate_of

#: Tables whose counts reports show, next to those of the dataset and of detection.
TABLES = ("estimates", "claims", "components", "flow", "diagnostics")


def disclose(
    folder: Path,
    *,
    report: ReportSettings,
    default_criterion: str,
    rules: ExposureRules,
    criteria: Iterable[Mapping[str, Any]],
) -> Gate:
    """Find what of one dataset may be shown.

    Parameters
    ----------
    folder : Path
        data/processed/<dataset>.
    report : ReportSettings
    default_criterion : str
    rules : ExposureRules
    criteria : iterable of mapping
        The settings of the criteria.

    Returns
    -------
    Gate
    """
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    columns = ["measure", "criterion", "course", "session", "state"]
    files = files_of(folder)
    return gate_of(
        json.loads((folder / "dataset.json").read_text(encoding="utf-8")),
        Dataset.read(folder.name, files),
        Detected.read(files, columns),
        tables,
        report=report,
        default_criterion=default_criterion,
        rules=rules,
        criteria=criteria,
    )


def write(gate: Gate, file: Path) -> None:
    """Write what may be shown, for :meth:`rupture_repair.disclosure.gate.Gate.read`."""
    file.write_text(json.dumps(gate.as_dict(), indent=0) + "\n", encoding="utf-8")
