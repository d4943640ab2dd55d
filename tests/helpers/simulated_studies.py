"""Studies from the simulator, analysed as real data are, by the hundred."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from scipy import stats

from made_settings import made_settings
from rupture_repair.power.answers import fitted
from rupture_repair.power.plan import Wishes, make
from rupture_repair.power.preparation import world_of
from rupture_repair.power.studies import StudyBlock, World, blocks
from rupture_repair.project.parallel import spread_out
from rupture_repair.statistics.estimates import FormulaFit

SETTINGS = made_settings()


def world(**asked) -> World:
    """Return the world of a plan; `asked` as in :class:`Wishes`, without probabilities."""
    usual = {"criterion": "own_mean_2sd", "probabilities": False}
    plan = make(Wishes(**(usual | asked)), SETTINGS)
    return world_of(plan, {"k": {}, "reliability": 0.96})


def tested(found: FormulaFit, term: str) -> dict[str, Any]:
    """Return the test of one term of a fit, with its status."""
    row = found.row(term)
    if row is None:
        return {"status": found.status if found.row(None) else "not_assessable"}
    names = ("estimate", "std_error", "df", "p", "ci_low", "ci_high")
    return {**{name: float(row[name]) for name in names}, "status": found.status}


def results(
    where: World, courses: int, replicates: int, terms: Mapping[str, Sequence[str]], way: str
) -> pd.DataFrame:
    """Return one row per study, variant and term, with the SD of the residuals.

    `terms` names, by variant of the model, the terms that are tested. `way` is "truth", or
    "criterion" for the first one.
    """
    way = where.criteria[0].id if way == "criterion" else way

    def some(numbers):
        block = StudyBlock.simulated(where, courses, numbers)
        return [
            {"study": number, "variant": variant, "term": term, **tested(found, term),
             "sd": found.rows.get("var_residual", float("nan")) ** 0.5}
            for number, table in block.exposed(where, way)
            for variant, asked in terms.items()
            for found in [fitted(replace(where, variant=variant), table)]
            for term in asked
        ]  # fmt: skip

    parts = spread_out(some, blocks(courses, range(replicates)), processes=2)
    return pd.DataFrame([row for part in parts for row in part])


def interval(share: float, number: int, confidence: float) -> tuple[float, float]:
    """Return the counts that chance leaves to a share."""
    return stats.binom(number, share).interval(confidence)
