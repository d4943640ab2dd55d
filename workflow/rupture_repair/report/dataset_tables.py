"""What a report is made of: the tables of one dataset, and how they are read."""

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..disclosure import curves, tables
from ..disclosure.gate import Gate, gate_of
from ..project.banners import Banner, banners
from ..project.dataset import Dataset, Detected, files_of
from ..project.headline import what_to_show
from ..project.processed import of_criterion
from ..project.setting_groups import ExposureRules, Settings

_OPTIONAL = (
    *("chance", "sensitivity", "certificate", "claims", "components", "diagnostics", "flow"),
    "live",
)


@dataclass(frozen=True)
class Material:
    """All tables of one dataset, as the steps before wrote them.

    Attributes
    ----------
    about : dict
        dataset.json.
    dataset : Dataset
    detected : Detected
        Its states are `measure`, `criterion`, `course`, `state` and `reason` only.
    estimates : DataFrame
        The table of this name.
    config : Settings
    criteria : dict
        Id -> settings of the criteria that were applied.
    figures : dict
        Name -> numbers drawn; the drawings are ``figures/<dataset>/<name>.svg`` next to the report.
    chance : DataFrame or None
        Episodes expected by chance, if that was computed.
    sensitivity : DataFrame or None
        What was found of planted falls, if that was computed.
    certificate : DataFrame or None
        What the best possible method finds, and criteria beside it, if that was computed.
    claims : DataFrame or None
        Verdicts on the claims, if they were computed.
    components : DataFrame or None
        Reliability and falls of the components of the alliance, if they were computed.
    diagnostics : DataFrame or None
        Whether the main model describes the data, if that was computed.
    flow : DataFrame or None
        What each step leaves out of the main model, if that was counted.
    live : DataFrame or None
        What watching the courses would have shown, if that was tried.
    planted : dict of str to DataFrame
        The tables planted_ruptures and planted_effects; without rows where nothing was planted,
        empty if they were not made.
    multiverse : dict of str to DataFrame
        The tables estimates, summary and choices of the multiverse; empty if it was not computed.
    known_gate : Gate or None
        What may be shown, if that was found before.
    """

    about: dict[str, Any]
    dataset: Dataset
    detected: Detected
    estimates: pd.DataFrame
    config: Settings
    criteria: dict[str, dict[str, Any]]
    figures: dict[str, pd.DataFrame] = field(default_factory=dict)
    chance: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    certificate: pd.DataFrame | None = None
    claims: pd.DataFrame | None = None
    components: pd.DataFrame | None = None
    diagnostics: pd.DataFrame | None = None
    flow: pd.DataFrame | None = None
    live: pd.DataFrame | None = None
    planted: dict[str, pd.DataFrame] = field(default_factory=dict)
    multiverse: dict[str, pd.DataFrame] = field(default_factory=dict)
    known_gate: Gate | None = None

    def banners(self) -> list[Banner]:
        """Return what to mind of the dataset."""
        measures = self.dataset.measures.values()
        return banners(
            self.about, [(one.label, one.stands_in) for one in measures if one.stands_in]
        )

    @classmethod
    def read(
        cls,
        folder: Path,
        figures: Path | None,
        settings: Settings,
    ) -> "Material":
        """Read the material of one dataset.

        Parameters
        ----------
        folder : Path
            data/processed/<dataset>.
        figures : Path or None
            reports/figures/<dataset>, where the numbers of figures are needed.
        settings : Settings
        """
        files = files_of(folder)
        wanted = ["measure", "criterion", "course", "state", "reason"]
        optional = {
            name: pd.read_parquet(folder / f"{name}.parquet")
            for name in _OPTIONAL
            if (folder / f"{name}.parquet").exists()
        }
        drawn = sorted(figures.glob("*.csv")) if figures else []
        return cls(
            about=json.loads((folder / "dataset.json").read_text(encoding="utf-8")),
            dataset=Dataset.read(folder.name, files),
            detected=Detected.read(files, wanted),
            estimates=pd.read_parquet(folder / "estimates.parquet"),
            config=settings,
            criteria={str(row["id"]): dict(row) for row in settings.criteria},
            figures={csv.stem: _numbers(csv) for csv in drawn},
            planted={
                name: pd.read_parquet(folder / f"{name}.parquet")
                for name in ("planted_ruptures", "planted_effects")
                if (folder / f"{name}.parquet").exists()
            },
            multiverse=_multiverse(folder),
            known_gate=Gate.read(folder / "disclosed.json"),
            **optional,
        )

    @cached_property
    def gate(self) -> Gate:
        """What of the dataset may be shown."""
        if self.known_gate is not None:
            return self.known_gate
        names = ("estimates", "claims", "components", "flow", "diagnostics")
        given = {name: getattr(self, name) for name in names}
        criteria = [{"id": name, **row} for name, row in self.criteria.items()]
        return gate_of(
            self.about,
            self.dataset,
            self.detected,
            {name: table for name, table in given.items() if table is not None},
            report=self.config.report,
            default_criterion=self.config.default_criterion,
            rules=ExposureRules.of(self.config.models.exposure, self.config.edge_rules),
            criteria=criteria,
        )

    def disclosed(self) -> "Material":
        """Return what may be shown: tables that passed the gate, and none of single courses.

        Withheld counts are missing. `claims`, `components` and `flow` are those of the measure and
        criterion shown, but for the verdicts of all; `sessions`, `courses`, `episodes` and `states`
        are empty.
        """
        gate, (measure, criterion) = self.gate, self.shown
        dataset, detected = self.dataset, self.detected
        none = {name: getattr(dataset, name).iloc[:0] for name in ("sessions", "courses", "events")}
        changed: dict[str, Any] = {
            "dataset": replace(dataset, measures=tables.measures(gate, dataset.measures), **none),
            "detected": Detected(
                detected.of(*self.shown).states.iloc[:0],
                detected.episodes.iloc[:0],
                tables.detection(gate, detected.detection),
            ),
        }
        changed["estimates"] = tables.estimates(gate, self.estimates)
        every = {
            "chance": tables.chance,
            "sensitivity": tables.simulated,
            "live": tables.simulated,
            "certificate": tables.simulated,
            "claims": tables.claims,
            "diagnostics": curves.diagnostics,
        }
        for name, passing in every.items():
            if getattr(self, name) is not None:
                changed[name] = passing(gate, getattr(self, name))
        for name, passing in {"components": tables.components, "flow": tables.flow}.items():
            if getattr(self, name) is not None:
                own = of_criterion(getattr(self, name), measure, criterion)
                changed[name] = passing(gate, own)
        passed = {name: tables.planted(gate, table) for name, table in self.planted.items()}
        changed["planted"] = {name: table for name, table in passed.items() if table is not None}
        if self.multiverse:
            fits = tables.estimates(gate, self.multiverse["estimates"])
            changed["multiverse"] = {**self.multiverse, "estimates": fits}
        return replace(self, **changed, known_gate=gate)

    @property
    def shown(self) -> tuple[str, str]:
        """Measure and criterion of what shows one only, see :mod:`..project.headline`."""
        return what_to_show(
            self.detected.detection, self.dataset.measures, self.config.default_criterion
        )

    def names(self) -> dict[str, str]:
        """Name by criterion."""
        table = self.detected.detection
        return dict(zip(table["criterion"], table["name"], strict=True))


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
