"""Make the twin of a study: fit, draw, attack; a twin that tells of single courses is refused."""

import sys
from dataclasses import dataclass
from typing import TextIO

import pandas as pd

from ..disclosure.limits import individuals_shown
from ..project.dataset import Dataset
from ..project.problems import ProblemsFound, problem
from ..project.setting_groups import Settings
from . import fidelity, privacy
from .choice import Aim, chosen
from .fit import fit
from .model import DrawnTables, TwinModel
from .privacy import Half, PrivacyCheck
from .study import BuiltStudy
from .sums import Ruler

#: Twins of each half of the study that are attacked.
ATTACKED = 2

#: Small studies are halved more than once, until about so many courses were attacked.
_COURSES = 240


@dataclass(frozen=True)
class Twin:
    """A twin that passed all checks.

    Attributes
    ----------
    study : BuiltStudy
    model : TwinModel
    tables : DrawnTables
    checks : list of PrivacyCheck
    fidelity : DataFrame
        From :func:`.fidelity.published`.
    seed : int
    """

    study: BuiltStudy
    model: TwinModel
    tables: DrawnTables
    checks: list[PrivacyCheck]
    fidelity: pd.DataFrame
    seed: int


def make(study: BuiltStudy, settings: Settings, seed: int, said: TextIO = sys.stderr) -> Twin:
    """Make the twin of a study.

    Parameters
    ----------
    study : BuiltStudy
    settings : Settings
    seed : int
        Not negative.
    said : file
        Where progress is told.

    Returns
    -------
    Twin

    Raises
    ------
    ProblemsFound
        If a check of privacy failed (E762).
    """
    by = ruler(study, settings)
    print(f"Fitting {study.dataset.name} and drawing its twin ...", file=said, flush=True)
    model, (tables,) = drawn_twins(study, study.dataset, by, [seed])
    print("Attacking twins of two halves ...", file=said, flush=True)
    checks = attacked(study, by, model, tables, seed)
    failed = [one for one in checks if not one.passed]
    if failed:
        found = "; ".join(f"{one.check} {one.value:.3g} (allowed: {one.limit:g}), {one.meaning}"
                          for one in failed)  # fmt: skip
        raise ProblemsFound([problem("E762", found=found, name=study.dataset.name)])
    print("Comparing the results of both ...", file=said, flush=True)
    own = fidelity.statistics(study.dataset, by)
    compared = fidelity.compared(own, fidelity.statistics(as_dataset(study, tables), by))
    shown = individuals_shown(study.dataset.about, settings.report)
    told = fidelity.published(compared, individuals=shown)
    return Twin(study, model, tables, checks, told, seed)


def ruler(study: BuiltStudy, settings: Settings) -> Ruler:
    """Return by what a study and its twins are measured."""
    outcome = study.dataset.measures[study.measure].outcome
    return Ruler(study.measure, outcome, study.criteria, study.headline, settings, settings.seed)


def as_dataset(study: BuiltStudy, tables: DrawnTables) -> Dataset:
    """Return a twin as a dataset with the measures of its study."""
    return Dataset(study.dataset.name, study.dataset.measures, tables.sessions, tables.courses)


def drawn_twins(
    study: BuiltStudy, dataset: Dataset, by: Ruler, seeds: list[int]
) -> tuple[TwinModel, tuple[DrawnTables, ...]]:
    """Fit the model of a study, or of a part of it, and draw twins.

    Parameters
    ----------
    study : BuiltStudy
    dataset : Dataset
        All of the study, or some courses.
    by : Ruler
    seeds : list of int
        One for each twin.
    """
    model, aim = fit(dataset, by, study.told, seeds[0]), Aim(dataset, by)
    return model, tuple(chosen(model, aim, dataset, seed) for seed in seeds)


def attacked(
    study: BuiltStudy, by: Ruler, model: TwinModel, tables: DrawnTables, seed: int
) -> list[PrivacyCheck]:
    """Attack a twin, and twins of halves of the study.

    Parameters
    ----------
    study : BuiltStudy
    by : Ruler
    model : TwinModel
        Of the twin.
    tables : DrawnTables
        The twin.
    seed : int
    """
    seeds = [seed + place for place in range(ATTACKED)]
    splits = max(1, round(_COURSES / len(study.dataset.courses)))
    parts = []
    for split in range(splits):
        one, other = privacy.halves(study.dataset, seed + split)
        parts += [Half(inside, outside, drawn_twins(study, inside, by, seeds)[1])
                  for inside, outside in ((one, other), (other, one))]  # fmt: skip
    covariates = tuple(column.name for column in model.columns.columns)
    least = by.settings.report.min_cell
    return privacy.checks(study.dataset, tables, parts, covariates, least)
