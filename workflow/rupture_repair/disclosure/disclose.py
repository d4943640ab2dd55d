"""Find what of a dataset may be shown, once for everything that shows it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..project.measures import read_measures
from ..project.setting_groups import ExposureRules, ReportSettings
from .gate import Gate, gate_of

#: Tables whose counts reports show.
TABLES = ("sessions", "courses", "episodes", "detection", "estimates", "claims", "components",
          "flow", "diagnostics")  # fmt: skip


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
        data/processed/<dataset>, with the tables :data:`TABLES` and session_states.
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
    tables["states"] = pd.read_parquet(folder / "session_states.parquet", columns=columns)
    dataset = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    measures = read_measures(folder / "measures.json")
    return gate_of(
        tables,
        dataset,
        measures,
        report=report,
        default_criterion=default_criterion,
        rules=rules,
        criteria=criteria,
    )


def write(gate: Gate, file: Path) -> None:
    """Write what may be shown, for :meth:`rupture_repair.disclosure.gate.Gate.read`."""
    file.write_text(json.dumps(gate.as_dict(), indent=0) + "\n", encoding="utf-8")
