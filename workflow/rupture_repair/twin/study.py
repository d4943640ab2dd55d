"""A study that was built, as a twin needs it, and why some studies have no twin."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..detection import criteria
from ..detection.criteria import Criterion
from ..ingest import ingest
from ..ingest.described_measures import DescribedMeasure
from ..ingest.ingest import Ingested
from ..power.from_dataset import PROCESSED
from ..project.headline import what_to_show
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.setting_groups import Settings
from .scales import described_by

#: Fewest courses of a study with a twin: it is attacked by halves.
FEWEST = 40

#: Ratings that a course needs to count among them.
_RATINGS = 4

#: No twin is made where more than this share of ratings lies at one end of the scale.
_MOST_AT_END = 0.9

#: Criteria of which a twin can say nothing: it has no coded events, and fits of its own.
LEFT_OUT = ("reported", "rupture_probability")


@dataclass(frozen=True)
class BuiltStudy:
    """A study and what is known of it.

    Attributes
    ----------
    dataset : Ingested
    measure : str
        The alliance measure that its report leads with.
    criteria : tuple of Criterion
        With the numbers for k that the study has.
    headline : Criterion
        The one of them that its report leads with, or the first.
    raw : mapping
        The content of its dataset.yaml.
    told : mapping of str to DescribedMeasure
        What it says of measures.
    """

    dataset: Ingested
    measure: str
    criteria: tuple[Criterion, ...]
    headline: Criterion
    raw: Mapping[str, Any]
    told: Mapping[str, DescribedMeasure]


def read(name: str, settings: Settings, root: Path = Path()) -> BuiltStudy:
    """Read a study that was built.

    Parameters
    ----------
    name : str
    settings : Settings
    root : Path
        The folder of the project.

    Returns
    -------
    BuiltStudy

    Raises
    ------
    ProblemsFound
        If it was not built (E701), or no twin of it can be made (E761).
    """
    folder = root / PROCESSED / name
    known = sorted(path.parent.name for path in (root / PROCESSED).glob("*/detection.parquet"))
    if name not in known:
        facts: dict[str, Any] = {"folder": PROCESSED.as_posix()}
        facts |= {"hint": did_you_mean(name, known), "allowed": listing(known, 40)}
        raise ProblemsFound([problem("E701", found=name, **facts)])
    dataset = ingest.load(folder)
    raw, told = described_by(root / dataset.about["descriptor"])
    detection = pd.read_parquet(folder / "detection.parquet")
    measure, criterion = what_to_show(detection, dataset.measures, settings.default_criterion)
    why = why_not(dataset, measure, told)
    if why is not None:
        raise ProblemsFound([problem("E761", found=name, why=why)])
    own = detection[(detection["measure"] == measure) & detection["assessable"].astype(bool)]
    k = dict(zip(own["criterion"].astype("str"), own["k"], strict=True))
    rules = criteria.with_calibrated_k(
        [one for one in criteria.from_dicts(settings.criteria)
         if one.id in k and one.id not in LEFT_OUT], own,
    )  # fmt: skip
    if not rules:
        raise ProblemsFound([problem("E761", found=name, why="no criterion can be assessed in it")])
    headline = next((one for one in rules if one.id == criterion), rules[0])
    return BuiltStudy(dataset, measure, tuple(rules), headline, raw, told)


def why_not(dataset: Ingested, measure: str, told: Mapping[str, DescribedMeasure]) -> str | None:
    """Say why a study has no twin; None where it can have one.

    Parameters
    ----------
    dataset : Ingested
    measure : str
    told : mapping of str to DescribedMeasure
    """
    described = dataset.measures[measure]
    rating = dataset.sessions[measure].dropna()
    rated = rating.groupby(dataset.sessions["course"].astype("str")).size()
    number = int((rated >= _RATINGS).sum())
    if dataset.about.get("twin_of"):
        return "it is a twin itself"
    if number < FEWEST:
        return (
            f"{number} courses have {_RATINGS} ratings or more, and of fewer than {FEWEST} each "
            "one would shape the twin"
        )
    if described.range is None or measure not in told:
        return "the range of its scale is not known"
    at_end = max(float(np.isclose(rating, end).mean()) for end in described.range)
    if at_end > _MOST_AT_END:
        return f"{at_end:.0%} of its ratings lie at one end of the scale, so that courses are alike"
    return None
