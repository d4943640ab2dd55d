"""The overview of all datasets, written also when a part failed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..disclosure.gate import Gate
from ..project.headline import one_for_all
from ..project.measures import read_measures
from ..project.setting_groups import Settings
from .failed_page import failure_report
from .index_page import index, index_entry
from .output_formats import FORMS, render
from .provenance import provenance
from .sections import synthesis


def _entry(folder: Path, settings: Settings) -> dict[str, Any]:
    return index_entry(
        json.loads((folder / "dataset.json").read_text(encoding="utf-8")),
        read_measures(folder / "measures.json"),
        pd.read_parquet(folder / "detection.parquet"),
        pd.read_parquet(folder / "estimates.parquet"),
        pd.read_parquet(folder / "sessions.parquet", columns=["course", "therapist"]),
        settings,
        Gate.read(folder / "disclosed.json"),
    )


def _synthesis(root: Path, settings: Settings) -> dict[str, Any] | None:
    """Read the synthesis of the default criterion, None where there is none."""
    folder, figure = root / "data/processed", root / "reports/figures/_all/synthesis_forest.csv"
    if not (folder / "synthesis.parquet").exists() or not figure.exists():
        return None
    criterion = one_for_all(settings.default_criterion)
    tables = {
        name: pd.read_parquet(folder / f"{file}.parquet")
        for name, file in (("pooled", "synthesis"), ("studies", "synthesis_studies"))
    }
    shown = {name: synthesis.shown(table, criterion) for name, table in tables.items()}
    names = {str(row["id"]): str(row["name"]) for row in settings.criteria}
    across = {
        name: pd.read_parquet(folder / f"synthesis_{name}.parquet") for name in ("sites", "joint")
    }
    return shown | across | {"criterion": names[criterion], "figure": pd.read_csv(figure)}


def _withdraw(reports: Path, dataset: str) -> None:
    """Put the pages of an earlier run aside: what they show is not what failed now."""
    pages = [reports / f"{dataset}.{form}" for form in FORMS]
    for page in (*pages, reports / f"{dataset}-explorer.html"):
        _put_aside(page)


def _put_aside(page: Path) -> None:
    if page.exists():
        (page.parent / "earlier").mkdir(exist_ok=True)
        page.replace(page.parent / "earlier" / page.name)


def write_index(root: Path, settings: Settings, failures: Sequence[Mapping[str, Any]]) -> Path:
    """Write the overview, and a report for each dataset that failed, in all forms asked for.

    Parameters
    ----------
    root : Path
        The working folder.
    settings : Settings
    failures : sequence of mappings
        From :func:`rupture_repair.project.step_log.failures` and
        :func:`rupture_repair.project.run_note.stopped`; empty after a run without failure.

    Returns
    -------
    Path
        reports/index.html. A dataset is listed with its numbers if its report was made; each
        dataset with a failure also gets reports/<dataset>-failed.html, and its other forms. Its
        pages of an earlier run, and that run's record, are moved to reports/earlier.
    """
    reports = root / "reports"
    reports.mkdir(exist_ok=True)
    about = provenance("make report")
    forms = settings.report.formats
    for page in (page for form in FORMS for page in reports.glob(f"*-failed.{form}")):
        page.unlink()
    for failure in failures:
        page = reports / f"{failure['dataset']}-failed"
        render(failure_report(failure, about), page, forms)
    # A failure before the last step leaves no report, or one that is older than the failure.
    stopped = {failure["dataset"] for failure in failures if failure["step"] != "verify"}
    for name in stopped:
        _withdraw(reports, name)
    if failures:
        _put_aside(reports / "ro-crate-metadata.json")
    entries = [
        _entry(root / "data/processed" / name, settings)
        for name in settings.datasets
        if name not in stopped and (reports / f"{name}.html").exists()
    ]
    # Every dataset belongs to a synthesis, so that one of an earlier run will not do.
    pooled = None if failures else _synthesis(root, settings)
    return render(index(entries, failures, about, pooled), reports / "index", forms)[0]
