"""Make the twin of a study: fit, draw, attack; nothing is written unless every attack failed."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from ..ingest import ingest
from ..ingest.described_measures import DescribedMeasure
from ..ingest.ingest import Ingested
from ..power.from_dataset import PROCESSED
from ..project.dataset import Dataset
from ..project.headline import what_to_show
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.setting_groups import Settings
from . import fit, privacy
from .matching import most_alike
from .model import DrawnTables, TwinModel
from .privacy import Half, PrivacyCheck
from .scales import described_by

#: Fewest courses of a study with a twin, and of each of its halves.
FEWEST = 20

#: No twin is made where more than this share of ratings lies at the upper end of the scale.
_MOST_AT_TOP = 0.9


@dataclass(frozen=True)
class Twin:
    """A twin that passed all checks.

    Attributes
    ----------
    study : Ingested
    raw : mapping
        The content of the study's dataset.yaml.
    model : TwinModel
    tables : DrawnTables
    checks : list of PrivacyCheck
    seed : int
    """

    study: Ingested
    raw: Any
    model: TwinModel
    tables: DrawnTables
    checks: list[PrivacyCheck]
    seed: int


def make(
    name: str, settings: Settings, seed: int, root: Path = Path(), said: TextIO = sys.stderr
) -> Twin:
    """Make the twin of a study that was built.

    Parameters
    ----------
    name : str
        The study.
    settings : Settings
    seed : int
        Not negative.
    root : Path
        The folder of the project.
    said : file
        Where progress is told.

    Returns
    -------
    Twin

    Raises
    ------
    ProblemsFound
        E701 (not built), E761 (no twin can be made), E762 (a check of privacy failed).
    """
    study, measure, outcome = built(name, settings, root)
    raw, told = described_by(root / study.about["descriptor"])
    why = _why_not(study, measure, told)
    if why is not None:
        raise ProblemsFound([problem("E761", found=name, why=why)])
    if outcome is not None and study.measures[outcome].range is None:
        outcome = None
    print(f"Fitting {name} and drawing its twin ...", file=said, flush=True)
    model, tables = _drawn(study, measure, outcome, told, settings, seed)
    print("Twins of two halves, to be attacked ...", file=said, flush=True)
    one, other = privacy.halves(study, seed)
    half = tuple(
        Half(inside, outside, _drawn(inside, measure, outcome, told, settings, seed + place)[1])
        for place, (inside, outside) in enumerate([(one, other), (other, one)], 1)
    )
    covariates = tuple(column.name for column in model.columns.columns)
    least = settings.report.min_cell
    checks = privacy.checks(study, tables, (half[0], half[1]), covariates, least)
    failed = privacy.failed(checks)
    if failed:
        found = "; ".join(
            f"{one.check} is {one.value:.3g}, allowed is {one.limit:g} ({one.meaning})"
            for one in failed
        )
        raise ProblemsFound([problem("E762", found=found)])
    return Twin(study, raw, model, tables, checks, seed)


def built(name: str, settings: Settings, root: Path) -> tuple[Ingested, str, str | None]:
    """Return a study that was built, the measure it leads with, and its outcome at sessions.

    Raises
    ------
    ProblemsFound
        E701 if it was not built.
    """
    folder = root / PROCESSED / name
    known = sorted(path.parent.name for path in (root / PROCESSED).glob("*/detection.parquet"))
    if name not in known:
        facts: dict[str, Any] = {"folder": PROCESSED.as_posix()}
        facts |= {"hint": did_you_mean(name, known), "allowed": listing(known, 40)}
        raise ProblemsFound([problem("E701", found=name, **facts)])
    study = ingest.load(folder)
    detection = pd.read_parquet(folder / "detection.parquet")
    measure, _ = what_to_show(detection, study.measures, settings.default_criterion)
    outcome = study.measures[measure].outcome
    rated = outcome in study.sessions and study.sessions[outcome].notna().any()
    return study, measure, outcome if rated else None


def _why_not(study: Ingested, measure: str, told: dict[str, DescribedMeasure]) -> str | None:
    """Say why a study has no twin; None where it has one."""
    described = study.measures[measure]
    rating = study.sessions[measure].dropna() * described.sign
    lengths = rating.groupby(study.sessions["course"].astype("str")).size()
    number = int((lengths >= 4).sum())
    if study.about.get("twin_of"):
        return "it is a twin itself"
    if number < FEWEST:
        return (
            f"fewer than {FEWEST} courses have four ratings or more, so that each of them would "
            "shape the twin"
        )
    if described.range is None or measure not in told:
        return "the range of its scale is not known"
    at_top = float((rating >= described.turned_range[1] - 1e-9).mean())
    if at_top > _MOST_AT_TOP:
        return (
            f"{at_top:.0%} of its ratings lie at the upper end of the scale, so that courses do "
            "not differ"
        )
    if not np.ptp(rating) > 0:
        return "its ratings do not vary"
    return None


def _drawn(
    study: Dataset, measure: str, outcome: str | None, told: dict[str, DescribedMeasure],
    settings: Settings, seed: int,
) -> tuple[TwinModel, DrawnTables]:  # fmt: skip
    """Fit the model of a study, and draw a twin."""
    found = fit.fit(study, measure, outcome, told, settings, seed)
    tables, _ = most_alike(found.model, found.by, found.goal, seed)
    return found.model, tables
