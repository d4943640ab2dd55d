"""What a report is made of: the tables of one dataset, and how they are read."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..project import disclosure
from ..project.headline import what_to_show
from ..project.measures import Measures, read_measures
from ..project.setting_groups import Settings


@dataclass(frozen=True)
class Material:
    """All tables of one dataset, as the steps before wrote them.

    Attributes
    ----------
    dataset : dict
        dataset.json.
    measures : mapping of str to Measure
    sessions, courses, episodes, states, detection, estimates : DataFrame
        The tables of these names; `states` is session_states.
    config : Settings
    criteria : dict
        Id -> settings of the criteria that were applied.
    figures : dict
        Name -> numbers drawn; the drawings are ``figures/<dataset>/<name>.svg`` next to the report.
    chance : DataFrame or None
        Episodes expected by chance, if that was computed.
    sensitivity : DataFrame or None
        What was found of planted falls, if that was computed.
    claims : DataFrame or None
        Verdicts on the claims, if they were computed.
    components : DataFrame or None
        Reliability and falls of the components of the alliance, if they were computed.
    diagnostics : DataFrame or None
        Whether the main model describes the data, if that was computed.
    flow : DataFrame or None
        What each step leaves out of the main model, if that was counted.
    multiverse : dict of str to DataFrame
        The tables estimates, summary and choices of the multiverse; empty if it was not computed.
    """

    dataset: dict[str, Any]
    measures: Measures
    sessions: pd.DataFrame
    courses: pd.DataFrame
    episodes: pd.DataFrame
    states: pd.DataFrame
    detection: pd.DataFrame
    estimates: pd.DataFrame
    config: Settings
    criteria: dict[str, dict[str, Any]]
    figures: dict[str, pd.DataFrame] = field(default_factory=dict)
    chance: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    claims: pd.DataFrame | None = None
    components: pd.DataFrame | None = None
    diagnostics: pd.DataFrame | None = None
    flow: pd.DataFrame | None = None
    multiverse: dict[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        folder: Path,
        figures: Path,
        settings: Settings,
    ) -> "Material":
        """Read the material of one dataset.

        Parameters
        ----------
        folder : Path
            data/processed/<dataset>.
        figures : Path
            reports/figures/<dataset>.
        settings : Settings
        """
        tables = {
            name: pd.read_parquet(folder / f"{name}.parquet")
            for name in ("sessions", "courses", "episodes", "detection", "estimates")
        }
        wanted = ["measure", "criterion", "course", "state", "reason"]
        optional = {
            name: pd.read_parquet(folder / f"{name}.parquet")
            for name in ("chance", "sensitivity", "claims", "components", "diagnostics", "flow")
            if (folder / f"{name}.parquet").exists()
        }
        return cls(
            dataset=json.loads((folder / "dataset.json").read_text(encoding="utf-8")),
            measures=read_measures(folder / "measures.json"),
            states=pd.read_parquet(folder / "session_states.parquet", columns=wanted),
            config=settings,
            criteria={str(row["id"]): dict(row) for row in settings.criteria},
            figures={csv.stem: _numbers(csv) for csv in sorted(figures.glob("*.csv"))},
            multiverse=_multiverse(folder),
            **tables,
            **optional,
        )

    def disclosed(self) -> "Material":
        """Return the material without what may not be shown, see :mod:`..disclosure`.

        Counts in `detection`, `chance`, `estimates`, `claims` and `multiverse` are NaN where they
        are withheld.
        """
        least = disclosure.min_cell(self.dataset, self.config.report)
        totals = {"n_courses": self.courses["course"].nunique(), "n_sessions": len(self.sessions)}
        detection = disclosure.of_detection(self.detection, least)
        changed: dict[str, Any] = {"detection": detection}
        if self.chance is not None:
            changed["chance"] = disclosure.of_chance(self.chance, detection, least)
        for name in ("estimates", "claims"):
            table = getattr(self, name)
            if table is not None:
                changed[name] = disclosure.of_fits(table, least, **totals)
        if self.multiverse:
            fits = disclosure.of_fits(self.multiverse["estimates"], least, **totals)
            changed["multiverse"] = {**self.multiverse, "estimates": fits}
        return replace(self, **changed)

    @property
    def shown(self) -> tuple[str, str]:
        """Measure and criterion of what shows one only, see :mod:`..project.headline`."""
        return what_to_show(self.detection, self.measures, self.config.default_criterion)

    def names(self) -> dict[str, str]:
        """Name by criterion."""
        return dict(zip(self.detection["criterion"], self.detection["name"], strict=True))


def _multiverse(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of the multiverse, if there are any."""
    if not (folder / "multiverse_estimates.parquet").exists():
        return {}
    return {
        "estimates": pd.read_parquet(folder / "multiverse_estimates.parquet"),
        "summary": pd.read_csv(folder / "multiverse_summary.csv"),
        "choices": pd.read_csv(folder / "multiverse_choices.csv"),
    }


def _numbers(csv: Path) -> pd.DataFrame:
    """Read the numbers of a figure, empty where nothing was drawn."""
    try:
        return pd.read_csv(csv)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
